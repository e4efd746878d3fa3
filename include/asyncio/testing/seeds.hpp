// SPDX-License-Identifier: BSL-1.0
/// Tests that run in many random variations, each of which can be run again.
#pragma once

#include "asyncio/testing/simulated.hpp"

#include <concepts>
#include <cstdint>
#include <functional>

namespace asyncio::testing {

namespace detail {

/// `count` seeds from `first` on.
struct Seeds {
  std::uint64_t first;
  std::uint64_t count;
};

/// 1 to `count`, unless the environment says otherwise.
Seeds seeds_to_run(std::uint64_t count);
/// A simulated loop that says its seed behind each error that nobody awaits.
RunOptions options_naming(std::uint64_t seed);

}  // namespace detail

/// Runs `function()`, or `function(Seed)`, on a simulated loop of its own for each seed from 1 to
/// `count`, until one of them throws. The log then says which, and SEED=n in the environment runs
/// that one alone. ASYNCIO_SEEDS=n overrides `count`.
///
/// If the process crashes (SIGABRT, SIGSEGV, SIGBUS, SIGFPE, SIGILL; std::terminate and sanitizers
/// among it), stderr has the same line, and the crash goes on to whom it would have met without
/// run_seeds, which replaces their handlers while it runs. Who sends a SIGABRT to a test that hangs
/// gets the line, too; SIGKILL, SIGTERM and exit() are silent.
///
/// An error that nobody awaits, as of a task that nobody asks for its result, fails a run here as
/// little as it does in `run`: the loop's exception handler logs it, and behind it the seed. A
/// handler of the function's own replaces both.
///
/// Throws   what the function threw; ValueError if a variable of the environment is no number.
/// Thread   any in which no loop runs.
template <class F>
void run_seeds(std::uint64_t count, F&& function) {
  const detail::Seeds seeds = detail::seeds_to_run(count);
  for (std::uint64_t i = 0; i < seeds.count; ++i) {
    const std::uint64_t number = seeds.first + i;
    const detail::SeedUnderWay under_way(number, detail::Replay::by_environment);
    if constexpr (std::invocable<F&, Seed>)
      detail::run_with(detail::options_naming(number), std::ref(function), Seed(number));
    else
      detail::run_with(detail::options_naming(number), std::ref(function));
  }
}

}  // namespace asyncio::testing

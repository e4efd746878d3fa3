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
/// Logs the seed of the run that failed.
void report_failing_seed(std::uint64_t seed) noexcept;

}  // namespace detail

/// Runs `function()`, or `function(Seed)`, on a simulated loop of its own for each seed from 1 to
/// `count`, until one of them throws. The log then says which, and SEED=n in the environment runs
/// that one alone. ASYNCIO_SEEDS=n overrides `count`.
///
/// Throws   what the function threw; ValueError if a variable of the environment is no number.
/// Thread   any in which no loop runs.
template <class F>
void run_seeds(std::uint64_t count, F&& function) {
  const detail::Seeds seeds = detail::seeds_to_run(count);
  for (std::uint64_t i = 0; i < seeds.count; ++i) {
    const std::uint64_t number = seeds.first + i;
    try {
      if constexpr (std::invocable<F&, Seed>)
        run_simulated(Seed(number), std::ref(function), Seed(number));
      else
        run_simulated(Seed(number), std::ref(function));
    } catch (...) {
      detail::report_failing_seed(number);
      throw;
    }
  }
}

}  // namespace asyncio::testing

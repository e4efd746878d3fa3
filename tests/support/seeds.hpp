// SPDX-License-Identifier: BSL-1.0
/// Tests that try a situation in many random variations. ASYNCIO_SEEDS says how many; SEED=n
/// replays the one that a failure names.
#pragma once

#include "asyncio/detail/core/seeded_random.hpp"
#include "asyncio/testing/seeds.hpp"
#include "rounds.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <string>

namespace test {

/// The library's own source of numbers, with what tests ask of it.
class Random : public asyncio::detail::SeededRandom {
 public:
  using SeededRandom::SeededRandom;

  /// 0 to `end - 1`.
  int below(int end) noexcept { return static_cast<int>(next() % static_cast<std::uint64_t>(end)); }
  bool one_in(int n) noexcept { return below(n) == 0; }
};

/// While for_each_seed runs: the seed of the moment.
inline std::uint64_t current_seed = 0;

/// Calls `function(seed)`, `count` times by default, until one fails. With odd seeds the virtual
/// loops it makes also run tasks that are ready in the same iteration in a random order (fault 25).
template <class F>
void for_each_seed(F function, std::uint64_t count = kSanitized ? 500 : 2000) {
  using asyncio::testing::detail::SeedUnderWay;
  const auto seeds = asyncio::testing::detail::seeds_to_run(count);
  for (std::uint64_t i = 0; i < seeds.count; ++i) {
    const std::uint64_t seed = seeds.first + i;
    SCOPED_TRACE("SEED=" + std::to_string(seed));
    // A crash shows no trace.
    const SeedUnderWay under_way(seed, asyncio::testing::detail::Replay::by_environment);
    current_seed = seed;
    try {
      function(seed);
    } catch (...) {  // Rethrown: GoogleTest would report it without the trace.
      ADD_FAILURE() << "the test body throws";
      throw;
    }
    current_seed = 0;
    if (::testing::Test::HasFailure()) return;
  }
}

}  // namespace test

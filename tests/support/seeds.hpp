// SPDX-License-Identifier: BSL-1.0
/// Tests that try a situation in many random variations. ASYNCIO_SEEDS says how many; SEED=n
/// replays the one that a failure names.
#pragma once

#include "asyncio/detail/core/seeded_random.hpp"
#include "rounds.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <cstdlib>
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
  std::uint64_t first = 1;
  if (const char* text = std::getenv("ASYNCIO_SEEDS")) count = std::stoull(text);
  if (const char* text = std::getenv("SEED")) {
    first = std::stoull(text);
    count = 1;
  }
  for (std::uint64_t seed = first; seed < first + count; ++seed) {
    SCOPED_TRACE("SEED=" + std::to_string(seed));
    current_seed = seed;
    function(seed);
    current_seed = 0;
    if (testing::Test::HasFailure()) return;
  }
}

}  // namespace test

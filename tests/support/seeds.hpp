// SPDX-License-Identifier: BSL-1.0
/// Tests that try a situation in many random variations. ASYNCIO_SEEDS says how many; SEED=n
/// replays the one that a failure names.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <cstdlib>
#include <string>

namespace test {

/// The same numbers for the same seed on every machine (splitmix64).
class Random {
 public:
  explicit Random(std::uint64_t seed) noexcept : state_(seed) {}

  std::uint64_t next() noexcept {
    state_ += 0x9e3779b97f4a7c15;
    std::uint64_t z = state_;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
  }
  /// 0 to `end - 1`.
  int below(int end) noexcept { return static_cast<int>(next() % static_cast<std::uint64_t>(end)); }
  bool one_in(int n) noexcept { return below(n) == 0; }

 private:
  std::uint64_t state_;
};

/// While for_each_seed runs: the seed of the moment.
inline std::uint64_t current_seed = 0;

/// Calls `function(seed)` until one fails. With odd seeds the virtual loops it makes also run tasks
/// that are ready in the same iteration in a random order (fault 25).
template <class F>
void for_each_seed(F function) {
  std::uint64_t first = 1;
  std::uint64_t count = 2000;
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

// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "asyncio/exceptions.hpp"

#include <algorithm>
#include <cstddef>
#include <limits>
#include <optional>
#include <string>

namespace asyncio::detail {

/// From when on writers wait, and until when. CPython: _FlowControlMixin._set_write_buffer_limits.
class WriteLimits {
 public:
  /// Throws   ValueError unless high >= low >= 0.
  WriteLimits(std::optional<std::ptrdiff_t> wanted_high, std::optional<std::ptrdiff_t> wanted_low) {
    constexpr std::ptrdiff_t kDefaultHigh = 64 * 1024;
    std::ptrdiff_t h = wanted_high.value_or(wanted_low ? four_times(*wanted_low) : kDefaultHigh);
    std::ptrdiff_t l = wanted_low.value_or(h >> 2);  // rounded down, as Python does
    if (h < l || l < 0)
      throw ValueError("high (" + std::to_string(h) + ") must be >= low (" + std::to_string(l) +
                       ") must be >= 0");
    high = static_cast<std::size_t>(h);
    low = static_cast<std::size_t>(l);
  }

  std::size_t high;
  std::size_t low;

 private:
  static std::ptrdiff_t four_times(std::ptrdiff_t n) noexcept {
    constexpr std::ptrdiff_t kMost = std::numeric_limits<std::ptrdiff_t>::max() / 4;
    return 4 * std::clamp(n, -kMost, kMost);
  }
};

}  // namespace asyncio::detail

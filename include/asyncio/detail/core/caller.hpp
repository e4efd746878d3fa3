// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <source_location>

namespace asyncio::detail {

/// Where a function was called, for reports: its last parameter, with `Caller(current())` for the
/// default. A class of its own, which no argument becomes by itself and `{}` does not make.
class Caller {
 public:
  explicit Caller(std::source_location where) noexcept : location(where) {}
  std::source_location location;
};

}  // namespace asyncio::detail

// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <concepts>
#include <source_location>
#include <utility>

namespace asyncio::detail {

/// Where a function was called, for reports: its last parameter, with `Caller(current())` for the
/// default. A class of its own, which no argument becomes by itself and `{}` does not make.
class Caller {
 public:
  explicit Caller(std::source_location where) noexcept : location(where) {}
  std::source_location location;
};

/// The same for a function that ends in a pack, after which there is no parameter with a default:
/// its first argument becomes this by itself.
template <class T>
class Placed {
 public:
  template <std::convertible_to<T> U>
  constexpr Placed(U&& argument, std::source_location where = std::source_location::current())
      : value(std::forward<U>(argument)), location(where) {}
  T value;
  std::source_location location;
};

}  // namespace asyncio::detail

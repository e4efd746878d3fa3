// SPDX-License-Identifier: BSL-1.0
/// Outcomes as values: Result<T>, and Unit, which stands for `void` where a value is needed.
#pragma once

#include "asyncio/detail/core/refused.hpp"
#include "asyncio/exceptions.hpp"

#include <exception>
#include <type_traits>
#include <utility>
#include <variant>

namespace asyncio {

/// The value of something that returns nothing: a slot of `gather` over `Coro<void>`.
struct Unit {
  friend bool operator==(Unit, Unit) noexcept { return true; }
};

/// T, or Unit for void.
template <class T>
using value_or_unit_t = std::conditional_t<std::is_void_v<T>, Unit, T>;

/// A value or the exception that was thrown instead: what `capture(awaitable)` returns, and each
/// slot of `gather(return_exceptions, ...)`. The place to await in the course of a clean-up, since
/// C++ has no `co_await` in a catch block:
///
///     Result<int> r = co_await capture(work());
///     if (!r) co_await undo();
///     co_return std::move(r).value();   // rethrows
template <class T = void>
class [[nodiscard]] Result {
 public:
  using value_type = value_or_unit_t<T>;

  Result(value_type value) : outcome_(std::in_place_index<0>, std::move(value)) {}
  Result(std::exception_ptr error) : outcome_(std::in_place_index<1>, std::move(error)) {}

  bool has_value() const noexcept { return outcome_.index() == 0; }
  bool has_exception() const noexcept { return outcome_.index() == 1; }
  explicit operator bool() const noexcept { return has_value(); }

  /// Throws   the exception, if there is one.
  value_type& value() & { return checked(), std::get<0>(outcome_); }
  const value_type& value() const& { return checked(), std::get<0>(outcome_); }
  value_type&& value() && { return checked(), std::get<0>(std::move(outcome_)); }

  value_type& operator*() & { return value(); }
  const value_type& operator*() const& { return value(); }
  value_type&& operator*() && { return std::move(*this).value(); }
  value_type* operator->() { return &value(); }
  const value_type* operator->() const { return &value(); }

  /// The exception, or null.
  std::exception_ptr exception() const noexcept {
    return has_exception() ? std::get<1>(outcome_) : std::exception_ptr();
  }

  /// Whether the exception is an E (or derived from it).
  template <class E>
  bool holds() const {
    if (has_value()) return false;
    try {
      std::rethrow_exception(std::get<1>(outcome_));
    } catch (const E&) {
      return true;
    } catch (...) {  // Only asks for the type.
      return false;
    }
  }

  /// Whether it is a cancellation; cheaper than holds<CancelledError>().
  bool cancelled() const noexcept {
    return has_exception() &&
           detail::classify(std::get<1>(outcome_)) == detail::ErrorKind::cancelled;
  }

  /// Throws   the exception; RuntimeError if there is none.
  [[noreturn]] void rethrow() const {
    if (has_value()) throw RuntimeError("Result::rethrow: there is no exception");
    std::rethrow_exception(std::get<1>(outcome_));
  }

 private:
  void checked() const {
    if (has_exception()) rethrow();
  }

  std::variant<value_type, std::exception_ptr> outcome_;
};

/// A value has an owner.
template <class T>
class Result<T&> {
  static_assert(detail::never_v<T>, "Result<T&> does not exist: return a pointer");
};

}  // namespace asyncio

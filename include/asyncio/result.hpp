// SPDX-License-Identifier: BSL-1.0
/// Outcomes as values: Result<T>, and Unit, which stands for `void` where a value is needed.
#pragma once

#include "asyncio/detail/core/refused.hpp"
#include "asyncio/exceptions.hpp"

#include <exception>
#include <memory>
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

template <class T>
class Result;

namespace detail {

/// What is kept of something that an R was given for: a reference only if it is one to an lvalue.
template <class R>
using kept_t = std::conditional_t<std::is_lvalue_reference_v<R>, R, std::remove_cvref_t<R>>;

/// Says that an exception_ptr is what was thrown, not a value: a Result may have one as its value.
class Thrown {
 public:
  explicit Thrown(std::exception_ptr caught) noexcept : error(std::move(caught)) {}
  std::exception_ptr error;
};

/// Of a type that nobody knows how to convert.
class Anything {};
/// Whether T makes a value of anything, as std::any does, so that nothing but a T may be taken for
/// one. To ask it about other types would lead back to Result: could it be copied into a T?
template <class T>
inline constexpr bool takes_anything_v = std::is_constructible_v<T, Anything>;

/// Whether a U makes the value of a Result<T>. The order of the questions counts.
template <class U, class T>
concept MakesValue =
    (!std::is_same_v<std::remove_cvref_t<U>, Result<T>>) &&
    (!std::is_same_v<std::remove_cvref_t<U>, Thrown>) &&
    (std::is_same_v<std::remove_cv_t<T>, std::remove_cvref_t<U>> ||
     (!std::is_same_v<std::remove_cvref_t<U>, std::exception_ptr> &&
      !takes_anything_v<value_or_unit_t<T>> && std::is_convertible_v<U, value_or_unit_t<T>>));

}  // namespace detail

/// A value or the exception that was thrown instead: what `capture(awaitable)` returns, and each
/// slot of `gather(return_exceptions, ...)`. The value may be a reference. The place to await in
/// the course of a clean-up, since C++ has no `co_await` in a catch block:
///
///     Result<int> r = co_await capture(work());
///     if (!r) co_await undo();
///     co_return std::move(r).value();   // rethrows
template <class T = void>
class [[nodiscard]] Result {
  static constexpr bool refers = std::is_reference_v<T>;
  using Stored = std::conditional_t<refers, std::add_pointer_t<T>,
                                    std::remove_cv_t<value_or_unit_t<std::remove_reference_t<T>>>>;

 public:
  using value_type = value_or_unit_t<T>;

  template <detail::MakesValue<T> U = value_type>
  Result(U&& value) : outcome_(std::in_place_index<0>, stored(std::forward<U>(value))) {}
  /// Where an exception_ptr is no value, it is what was thrown.
  Result(std::exception_ptr error)
    requires(!std::is_same_v<std::remove_cvref_t<T>, std::exception_ptr>)
      : Result(detail::Thrown(std::move(error))) {}
  explicit Result(detail::Thrown thrown)
      : outcome_(std::in_place_index<1>, std::move(thrown.error)) {}

  bool has_value() const noexcept { return outcome_.index() == 0; }
  bool has_exception() const noexcept { return outcome_.index() == 1; }
  explicit operator bool() const noexcept { return has_value(); }

  /// Throws   the exception, if there is one.
  value_type& value() & { return checked(*this); }
  const value_type& value() const& { return checked(*this); }
  value_type&& value() && { return static_cast<value_type&&>(checked(*this)); }

  value_type& operator*() & { return value(); }
  const value_type& operator*() const& { return value(); }
  value_type&& operator*() && { return std::move(*this).value(); }
  auto* operator->() { return std::addressof(value()); }
  auto* operator->() const { return std::addressof(value()); }

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
  template <class U>
  static decltype(auto) stored(U&& value) {
    if constexpr (refers)
      return std::addressof(static_cast<std::remove_reference_t<T>&>(value));
    else
      return std::forward<U>(value);
  }
  template <class Self>
  static auto& checked(Self& self) {
    if (self.has_exception()) self.rethrow();
    if constexpr (refers)
      return *std::get<0>(self.outcome_);
    else
      return std::get<0>(self.outcome_);
  }

  std::variant<Stored, std::exception_ptr> outcome_;
};

}  // namespace asyncio

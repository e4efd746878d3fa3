// SPDX-License-Identifier: BSL-1.0
/// try_: try, except and finally whose parts may await.
#pragma once

#include "asyncio/capture.hpp"
#include "asyncio/coro.hpp"
#include "asyncio/detail/core/callable_check.hpp"
#include "asyncio/result.hpp"
#include "asyncio/with.hpp"

#include <exception>
#include <functional>
#include <optional>
#include <tuple>
#include <type_traits>
#include <utility>

namespace asyncio {

namespace detail {

/// How an except part is called: with the exception, also with a pointer to rethrow it by, or with
/// nothing.
template <class F, class E>
decltype(auto) call_handler(F& handler, E& error, const std::exception_ptr& pointer) {
  if constexpr (std::is_invocable_v<F&, E&, std::exception_ptr>)
    return std::invoke(handler, error, pointer);
  else if constexpr (std::is_invocable_v<F&, E&>)
    return std::invoke(handler, error);
  else
    return std::invoke(handler);
}

/// The clause that takes whatever is thrown: Python's `except BaseException`.
class Whatever {};

template <class E, class F>
class ExceptClause {
 public:
  explicit ExceptClause(F function) : handler(std::move(function)) {}

  static bool matches(const std::exception_ptr& error) {
    try {
      std::rethrow_exception(error);
    } catch (E&) {
      return true;
    } catch (...) {  // Not for this clause.
      return false;
    }
  }

  /// While the exception is being handled, so that a plain handler may say `throw;`.
  decltype(auto) call(const std::exception_ptr& error) {
    try {
      std::rethrow_exception(error);
    } catch (E& e) {
      return call_handler(handler, e, error);
    }
  }

  F handler;
};

template <class F>
class ExceptClause<Whatever, F> {
 public:
  explicit ExceptClause(F function) : handler(std::move(function)) {}

  static bool matches(const std::exception_ptr&) noexcept { return true; }

  decltype(auto) call(const std::exception_ptr& error) {
    try {
      std::rethrow_exception(error);
    } catch (...) {  // So that a plain handler may say `throw;`.
      if constexpr (std::is_invocable_v<F&, std::exception_ptr>)
        return std::invoke(handler, error);
      else
        return std::invoke(handler);
    }
  }

  F handler;
};

/// Throws RuntimeError, which tells of `handled`: nothing takes the place of the value.
[[noreturn]] void throw_handled_without_value(const std::exception_ptr& handled);

struct NoFinally {
  void operator()() const noexcept {}
};

/// Whether F can be the body or the finally part.
template <class F>
consteval bool check_part() {
  static_assert(std::is_invocable_v<F&>, "try_ and finally_ take a function without arguments");
  return std::is_invocable_v<F&>;
}

/// Whether what a handler returns can take the place of a T. One that returns nothing may stand in
/// for any body, but has to throw then.
template <class Returned, class T>
consteval bool check_handled() {
  constexpr bool fits =
      std::is_void_v<Returned> ||
      std::is_convertible_v<value_or_unit_t<kept_t<Returned>>, value_or_unit_t<T>>;
  static_assert(fits, "the except part returns another type than the body of try_");
  return fits;
}

/// Whether F can handle an E in place of a body that returns T.
template <class F, class E, class T>
consteval bool check_handler() {
  if constexpr (std::is_invocable_v<F&, E&, std::exception_ptr> || std::is_invocable_v<F&, E&> ||
                std::is_invocable_v<F&>) {
    using Returned = settled_t<decltype(call_handler(std::declval<F&>(), std::declval<E&>(),
                                                     std::declval<const std::exception_ptr&>()))>;
    return check_handled<Returned, T>();
  } else {
    static_assert(never_v<F>,
                  "except<E> takes a function of E&, of E& and std::exception_ptr, or of nothing");
    return false;
  }
}

/// The same for what takes everything.
template <class F, class T>
consteval bool check_catch_all() {
  if constexpr (std::is_invocable_v<F&, std::exception_ptr> || std::is_invocable_v<F&>) {
    using Called = decltype(std::declval<ExceptClause<Whatever, F>&>().call(std::exception_ptr()));
    return check_handled<settled_t<Called>, T>();
  } else {
    static_assert(never_v<F>,
                  "except without a type takes a function of std::exception_ptr, or of nothing");
    return false;
  }
}

}  // namespace detail

/// What try_ returns; awaiting it runs the parts.
template <class Body, class Finally, class... Clauses>
class [[nodiscard("co_await it")]] Try {
 public:
  using Result = asyncio::Result<typename detail::ResultValue<
      decltype(std::declval<detail::CaptureCall<Body>&>().await_resume())>::type>;
  using value_type = typename detail::ResultValue<Result>::type;

  Try(Body body, Finally last, std::tuple<Clauses...> clauses)
      : body_(std::move(body)), finally_clause_(std::move(last)), clauses_(std::move(clauses)) {}

  /// Adds a handler for exceptions of type E, tried in the order of the calls. It takes `E&`, or
  /// nothing, or `E&` and a std::exception_ptr; it may await, and its result replaces the body's. A
  /// plain function rethrows with `throw;`, a coroutine with std::rethrow_exception. One without a
  /// result may stand in for a body with one if it always throws.
  template <class E, class F>
  auto except(F&& handler) && {
    detail::check_named<F>();
    if constexpr (detail::check_handler<std::decay_t<F>, E, value_type>())
      return std::move(*this).template with_clause<E>(std::forward<F>(handler));
    else
      return detail::Refused();
  }
  /// The same for whatever is thrown, cancellations, too; `handler` takes a std::exception_ptr, or
  /// nothing. What is added after it is never asked.
  template <class F>
  auto except(F&& handler) && {
    detail::check_named<F>();
    if constexpr (detail::check_catch_all<std::decay_t<F>, value_type>())
      return std::move(*this).template with_clause<detail::Whatever>(std::forward<F>(handler));
    else
      return detail::Refused();
  }

  /// Runs `last` in any case, after the body or its handler; it may await.
  template <class F>
  auto finally_(F&& last) && {
    detail::check_named<F>();
    if constexpr (detail::check_part<std::decay_t<F>>())
      return Try<Body, std::decay_t<F>, Clauses...>(std::move(body_), std::forward<F>(last),
                                                    std::move(clauses_));
    else
      return detail::Refused();
  }

  Coro<value_type> operator co_await() && { return run(std::move(*this)); }

 private:
  template <class E, class F>
  auto with_clause(F&& handler) && {
    using Clause = detail::ExceptClause<E, std::decay_t<F>>;
    return Try<Body, Finally, Clauses..., Clause>(
        std::move(body_), std::move(finally_clause_),
        std::tuple_cat(std::move(clauses_), std::tuple<Clause>(Clause(std::forward<F>(handler)))));
  }

  static Coro<value_type> run(Try self) {
    std::optional<Result> outcome;  // emplaced: its value need not be assignable
    outcome.emplace(co_await detail::CaptureCall<std::reference_wrapper<Body>>(self.body_));
    if (outcome->has_exception()) {
      std::exception_ptr error = outcome->exception();
      outcome.emplace(co_await self.template handle<0>(std::move(error)));
    }
    try {
      co_await detail::Settle<std::reference_wrapper<Finally>>(self.finally_clause_);
    } catch (...) {  // Rethrown.
      detail::report_replaced(outcome->exception(), std::current_exception());
      throw;
    }
    if constexpr (std::is_void_v<value_type>)
      outcome->value();
    else
      co_return std::move(*outcome).value();
  }

  /// The outcome after the first clause from I on that takes `error`.
  template <std::size_t I>
  Coro<Result> handle(std::exception_ptr error) {
    if constexpr (I == sizeof...(Clauses)) {
      co_return Result(detail::Thrown(std::move(error)));
    } else {
      auto& clause = std::get<I>(clauses_);
      if (!clause.matches(error)) co_return co_await handle<I + 1>(std::move(error));
      auto call = [&clause, &error]() -> decltype(auto) { return clause.call(error); };
      auto handled = co_await detail::CaptureCall<decltype(call)>(std::move(call));
      if (handled.has_exception()) co_return Result(detail::Thrown(handled.exception()));
      using Handled = std::remove_cvref_t<decltype(handled.value())>;
      if constexpr (std::is_same_v<Handled, Unit> && !std::is_void_v<value_type>)
        detail::throw_handled_without_value(error);
      else
        co_return Result(std::move(handled).value());
    }
  }

  Body body_;
  Finally finally_clause_;
  std::tuple<Clauses...> clauses_;
};

/// Try, except and finally in one expression, since C++ allows no `co_await` in a catch block:
///
///     co_await try_([&]() -> Coro<> { co_await work(); })
///         .except<ValueError>([&](ValueError& e) -> Coro<> { co_await report(e); })
///         .finally_([&]() -> Coro<> { co_await close(); });
///
/// Awaits   the body, the handler that takes its exception if one does, the finally part.
/// Returns  (the await) what the body or the handler returns.
/// Throws   what no handler takes; what a handler or the finally part throws.
/// Cancel   reaches the part that is suspended. `except<CancelledError>` must rethrow.
template <class Body>
auto try_(Body&& body) {
  detail::check_named<Body>();
  if constexpr (detail::check_part<std::decay_t<Body>>())
    return Try<std::decay_t<Body>, detail::NoFinally>(std::forward<Body>(body), detail::NoFinally(),
                                                      std::tuple<>());
  else
    return detail::Refused();
}

}  // namespace asyncio

// SPDX-License-Identifier: BSL-1.0
/// with: asynchronous context managers (`async with`).
#pragma once

#include "asyncio/capture.hpp"
#include "asyncio/coro.hpp"
#include "asyncio/detail/core/callable_check.hpp"
#include "asyncio/result.hpp"

#include <concepts>
#include <exception>
#include <functional>
#include <optional>
#include <tuple>
#include <type_traits>
#include <utility>

namespace asyncio {

/// What `with` accepts. `aenter()` begins and may give the body something to work on; `aexit`
/// gets the body's exception or null and returns whether to swallow it; one that returns nothing
/// does not. Each may be a plain function or return an awaitable.
template <class C>
concept AsyncContextManager = requires(C& manager, std::exception_ptr error) {
  manager.aenter();
  manager.aexit(error);
};

namespace detail {

/// Calls `F` when awaited, awaits what it returns if that is an awaitable, and gives Unit for
/// void.
template <class F>
class [[nodiscard]] Settle {
  using Returned = std::invoke_result_t<F&>;

  struct Awaited {
    explicit Awaited(F& call)
        : awaitable(call()), awaiter(awaiter_for(static_cast<Returned&&>(awaitable))) {}
    Returned awaitable;
    decltype(awaiter_for(std::declval<Returned&&>())) awaiter;
  };

 public:
  using type = await_result_t<Returned>;

  explicit Settle(F call) : call_(std::move(call)) {}
  bool await_ready() {
    awaited_.emplace(call_);
    return awaited_->awaiter.await_ready();
  }
  auto await_suspend(PromiseBase& promise) {
    return awaited_->awaiter.await_suspend(promise.handle());
  }
  auto await_resume() -> std::conditional_t<std::is_void_v<type>, Unit, type> {
    if constexpr (std::is_void_v<type>) {
      awaited_->awaiter.await_resume();
      return Unit();
    } else {
      return awaited_->awaiter.await_resume();
    }
  }

 private:
  F call_;
  std::optional<Awaited> awaited_;
};

template <class F>
  requires(!Awaitable<std::invoke_result_t<F&>>)
class [[nodiscard]] Settle<F> {
 public:
  using type = std::invoke_result_t<F&>;

  explicit Settle(F call) : call_(std::move(call)) {}
  bool await_ready() const noexcept { return true; }
  void await_suspend(PromiseBase&) const noexcept {}
  auto await_resume() -> std::conditional_t<std::is_void_v<type>, Unit, type> {
    if constexpr (std::is_void_v<type>) {
      call_();
      return Unit();
    } else {
      return call_();
    }
  }

 private:
  F call_;
};

/// How `body` is called: with what aenter gave, else with the manager, else with nothing.
template <class Body, class C, class Entered>
decltype(auto) call_body(Body& body, C& manager, Entered& entered) {
  (void)manager;
  (void)entered;
  if constexpr (std::is_invocable_v<Body&, Entered&>) {
    return std::invoke(body, entered);
  } else if constexpr (std::is_invocable_v<Body&, C&>) {
    return std::invoke(body, manager);
  } else {
    return std::invoke(body);
  }
}

/// What a call gives once it has been awaited, if it has to be.
template <class R>
struct Settled {
  using type = R;
};
template <Awaitable R>
struct Settled<R> {
  using type = await_result_t<R>;
};
template <class R>
using settled_t = typename Settled<R>::type;

template <class C>
auto enter(C& manager) {
  return Settle([&manager]() -> decltype(auto) { return manager.aenter(); });
}
template <class C>
auto exit(C& manager, std::exception_ptr error) {
  auto call = [&manager, error = std::move(error)]() -> decltype(auto) {
    return manager.aexit(error);
  };
  return Settle<decltype(call)>(std::move(call));
}

template <class C>
using entered_t = decltype(enter(std::declval<C&>()).await_resume());
template <class C, class Body>
auto capture_body(Body& body, C& manager, std::remove_reference_t<entered_t<C>>& entered) {
  auto call = [&]() -> decltype(auto) { return call_body(body, manager, entered); };
  return CaptureCall<decltype(call)>(std::move(call));
}

/// The Result<R> of the body.
template <class C, class Body>
using body_outcome_t =
    decltype(capture_body<C, Body>(std::declval<Body&>(), std::declval<C&>(),
                                   std::declval<std::remove_reference_t<entered_t<C>>&>())
                 .await_resume());

template <class R>
struct ResultValue;
template <class T>
struct ResultValue<Result<T>> {
  using type = T;
};
template <class C, class Body>
using body_result_t = typename ResultValue<body_outcome_t<C, Body>>::type;

/// Throws RuntimeError, which tells of `swallowed`: nothing takes the place of the value.
[[noreturn]] void throw_swallowed_value(const std::exception_ptr& swallowed);

/// With debug on, logs that `error` is lost: `by`, which its clean-up threw, took its place and
/// does not tell of it.
void report_replaced(const std::exception_ptr& error, const std::exception_ptr& by) noexcept;

/// What aexit gave; nothing, as Python's None, swallows nothing.
template <class Left>
bool swallows(const Left& left) {
  if constexpr (std::is_same_v<Left, Unit>) {
    return (void)left, false;
  } else {
    return static_cast<bool>(left);
  }
}

/// C is a manager, or a reference to one that outlives the call.
template <class C, class Body>
Coro<body_result_t<std::remove_reference_t<C>, Body>> run_with(C manager, Body body) {
  using Manager = std::remove_reference_t<C>;
  using R = body_result_t<Manager, Body>;
  decltype(auto) entered = co_await enter<Manager>(manager);
  Result<R> outcome = co_await capture_body<Manager, Body>(body, manager, entered);
  bool swallow = false;
  try {
    auto left = co_await exit<Manager>(manager, outcome.exception());
    swallow = swallows(left);
  } catch (...) {  // Rethrown.
    report_replaced(outcome.exception(), std::current_exception());
    throw;
  }
  if constexpr (std::is_void_v<R>) {
    if (!swallow) outcome.value();
  } else {
    if (swallow && outcome.has_exception()) throw_swallowed_value(outcome.exception());
    co_return std::move(outcome).value();
  }
}

/// A manager given by name is referred to, a temporary is kept.
template <class C, class Body>
auto with_one(C&& manager, Body&& body) {
  return run_with<kept_t<C>, std::decay_t<Body>>(std::forward<C>(manager),
                                                 std::forward<Body>(body));
}

/// A Unit, which stands for an aenter that gave nothing, is no argument of the body.
template <class Entered>
auto as_arguments(Entered& entered) {
  if constexpr (std::is_same_v<Entered, Unit>)
    return std::tuple<>();
  else
    return std::tuple<Entered&>(entered);
}

/// The body inside both managers.
template <class X, class Body>
struct InnerBody {
  InnerBody(X& first, Body& function) noexcept : x(first), body(function) {}
  template <class Y>
  decltype(auto) operator()(Y& y) const {
    return std::apply(body, std::tuple_cat(as_arguments(x), as_arguments(y)));
  }
  X& x;
  Body& body;
};

/// The body of the outer manager: enters the inner one.
template <class Second, class Body>
struct OuterBody {
  OuterBody(Second& manager, Body& function) noexcept : second(manager), body(function) {}
  template <class X>
  auto operator()(X& x) const {
    return with_one(second, InnerBody<X, Body>(x, body));
  }
  Second& second;
  Body& body;
};

template <class First, class Second, class Body>
using outer_body_t = OuterBody<std::remove_reference_t<Second>, Body>;

template <class First, class Second, class Body>
Coro<body_result_t<std::remove_reference_t<First>, outer_body_t<First, Second, Body>>> with_two(
    First first, Second second, Body body) {
  co_return co_await with_one(first, outer_body_t<First, Second, Body>(second, body));
}

/// Whether Body can be called inside C.
template <class C, class Body>
consteval bool check_body() {
  using Entered = std::remove_reference_t<entered_t<C>>;
  constexpr bool callable = std::is_invocable_v<Body&, Entered&> ||
                            std::is_invocable_v<Body&, C&> || std::is_invocable_v<Body&>;
  static_assert(callable,
                "with(manager, body): the body takes what the manager's aenter gives, or nothing");
  using Left = decltype(exit(std::declval<C&>(), std::exception_ptr()).await_resume());
  constexpr bool leaves = std::is_same_v<Left, Unit> || std::is_constructible_v<bool, Left>;
  static_assert(leaves, "aexit returns whether to swallow the exception, or nothing");
  return callable && leaves;
}

}  // namespace detail

/// Runs `body` between the manager's aenter and aexit, inside the same task: `async with`. A
/// manager given as an rvalue lives as long as the coroutine; one given by name must outlive it.
///
///     co_await with(timeout(5s), [&](Timeout& scope) -> Coro<> { ... });
///
/// Awaits   aenter, the body, aexit, where these are awaitable.
/// Returns  (the await) what the body returns.
/// Throws   what aenter or aexit throws; else what the body threw, unless aexit returned true.
/// Cancel   reaches the body; aexit always runs once aenter has returned.
/// Thread   the loop's.
/// asyncio  Python reference, The async with statement
template <AsyncContextManager C, class Body>
  requires(!AsyncContextManager<Body>)
auto with(C&& manager, Body&& body) {
  detail::check_named<Body>();
  if constexpr (detail::check_body<std::remove_reference_t<C>, std::decay_t<Body>>())
    return detail::with_one(std::forward<C>(manager), std::forward<Body>(body));
  else
    return detail::Refused();
}

/// The same with two managers; the body takes what each gives. AsyncExitStack takes any number.
template <AsyncContextManager First, AsyncContextManager Second, class Body>
auto with(First&& first, Second&& second, Body&& body) {
  detail::check_named<Body>();
  return detail::with_two<detail::kept_t<First>, detail::kept_t<Second>, std::decay_t<Body>>(
      std::forward<First>(first), std::forward<Second>(second), std::forward<Body>(body));
}

/// Refuses what is no context manager.
template <class C, class... Rest>
  requires(!AsyncContextManager<C>)
detail::Refused with(C&&, Rest&&...) {
  static_assert(detail::never_v<C>,
                "with() needs a context manager: a class with aenter() and "
                "aexit(std::exception_ptr)");
  return detail::Refused();
}

}  // namespace asyncio

// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "asyncio/detail/core/callable_check.hpp"
#include "asyncio/detail/core/promise.hpp"
#include "asyncio/detail/core/refused.hpp"
#include "asyncio/detail/core/wait.hpp"
#include "asyncio/future.hpp"

#include <concepts>
#include <coroutine>
#include <ranges>
#include <type_traits>
#include <utility>

namespace asyncio {

namespace detail {

/// An awaiter that works on PromiseBase: a Wait, a CoroCapture, a generator's next.
template <class A>
concept LeafAwaiter = requires(A& a, PromiseBase& promise) {
  a.await_ready();
  { a.await_suspend(promise) };
  a.await_resume();
};

template <class A>
concept MemberCoAwait = requires(A&& a) { std::forward<A>(a).operator co_await(); };
template <class A>
concept FreeCoAwait = std::is_class_v<std::remove_cvref_t<A>> &&
                      requires(A&& a) { operator co_await(std::forward<A>(a)); };

/// A standard awaiter of another library.
template <class A>
concept ForeignAwaiter = requires(A& a, std::coroutine_handle<> frame) {
  { a.await_ready() } -> std::convertible_to<bool>;
  a.await_suspend(frame);
  a.await_resume();
};

/// What only a coroutine of this library can await.
template <class A>
concept OwnAwaitable = is_coro_v<A> || is_future_v<A> || (LeafAwaiter<A> && !ForeignAwaiter<A>);

/// A coroutine, and what stands for one in this library, is awaited once: it is given away.
template <class A>
concept AwaitedOnce = is_coro_v<A> || (LeafAwaiter<A> && !ForeignAwaiter<A>);
template <class A>
inline constexpr bool is_named_once_v =
    std::is_lvalue_reference_v<A> && AwaitedOnce<std::remove_cvref_t<A>>;

template <class A>
inline constexpr bool is_awaitable_v =
    !is_named_once_v<A> && (OwnAwaitable<std::remove_cvref_t<A>> || MemberCoAwait<A> ||
                            FreeCoAwait<A> || ForeignAwaiter<std::remove_cvref_t<A>>);

/// A task whose function was a lambda temporary that is safe only until the next co_await.
template <class A>
inline constexpr bool is_unnamed_v = false;

/// A function that returns an awaitable, so that its call was forgotten.
template <class F>
inline constexpr bool is_uncalled_v = false;
template <class R, class... Args>
inline constexpr bool is_uncalled_v<R(Args...)> = is_awaitable_v<R>;
template <class R, class... Args>
inline constexpr bool is_uncalled_v<R (*)(Args...)> = is_awaitable_v<R>;
template <class F>
  requires(std::is_class_v<F> && std::is_invocable_v<F&>)
inline constexpr bool is_uncalled_v<F> = is_awaitable_v<std::invoke_result_t<F&>>;

/// A generator, a queue, an as_completed.
template <class A>
concept Iterated = requires(A& a) { a.next(); };
/// A lock, a timeout, a task group.
template <class A>
concept Managed = requires(A& a) { a.aenter(); };
/// A range of things to await.
template <class R>
concept AwaitableRange = std::ranges::input_range<R> && !is_awaitable_v<R> &&
                         is_awaitable_v<std::ranges::range_value_t<R>>;

/// A range that keeps its coroutines, or shows those of another, which are to be given away.
template <std::ranges::input_range R>
inline constexpr bool is_named_once_range_v =
    (std::is_lvalue_reference_v<R> || std::ranges::borrowed_range<R>) &&
    is_named_once_v<std::ranges::range_reference_t<R>>;

/// Whether A can be awaited; if not, the compiler says what to do about it.
template <class A>
consteval bool check_awaitable() {
  using Value = std::remove_cvref_t<A>;
  if constexpr (is_unnamed_v<A>) {
    check_named<A>();
  } else if constexpr (is_awaitable_v<A>) {
    return true;
  } else if constexpr (is_coro_v<Value>) {
    static_assert(never_v<A>,
                  "a coroutine can be awaited once: write co_await std::move(coro), or make it a "
                  "task with create_task");
  } else if constexpr (is_awaitable_v<Value>) {
    static_assert(never_v<A>,
                  "this can be awaited once: await it where it is made, or write "
                  "co_await std::move(x)");
  } else if constexpr (is_uncalled_v<Value>) {
    static_assert(never_v<A>, "this is a function, not its coroutine: call it, co_await f(...)");
  } else if constexpr (Managed<Value>) {
    static_assert(never_v<A>, "a context manager is not awaited itself: co_await with(x, body)");
  } else if constexpr (Iterated<Value>) {
    static_assert(never_v<A>, "what gives items is not awaited itself: co_await x.next()");
  } else if constexpr (AwaitableRange<A>) {
    static_assert(never_v<A>, "a range is not awaited itself: co_await gather(range)");
  } else {
    static_assert(never_v<A>,
                  "co_await needs an awaitable: a Coro, Task, Future, or what an asyncio function "
                  "such as sleep() returns");
  }
  return false;
}

/// Only a coroutine of this library awaits without this operator.
template <class A>
  requires OwnAwaitable<std::remove_cvref_t<A>>
Refused operator co_await(A&&) {
  static_assert(never_v<A>,
                "what asyncio gives can be awaited in its own coroutines only: in a function that "
                "returns asyncio::Coro or asyncio::AsyncGenerator");
  return Refused();
}

}  // namespace detail

using detail::operator co_await;

}  // namespace asyncio

// SPDX-License-Identifier: BSL-1.0
/// Between threads and the loop: run_in_executor, to_thread, run_coroutine_threadsafe, wrap_future.
#pragma once

#include "asyncio/capture.hpp"
#include "asyncio/context.hpp"
#include "asyncio/detail/core/callable_check.hpp"
#include "asyncio/detail/core/thread_bridge.hpp"
#include "asyncio/eventloop.hpp"
#include "asyncio/executor.hpp"
#include "asyncio/task.hpp"

#include <functional>
#include <future>
#include <memory>
#include <stop_token>
#include <tuple>
#include <type_traits>
#include <utility>

namespace asyncio {

namespace detail {

/// The loop's default executor, made on first use. Throws RuntimeError after its shutdown.
Executor& default_executor(Loop& loop);

template <class F, class... Args>
auto run_in(Loop& loop, Executor& executor, F&& function, Args&&... args) {
  if constexpr (check_job<std::decay_t<F>, std::decay_t<Args>...>()) {
    loop.check_schedulable();
    return wrap_concurrent(loop,
                           executor.submit(std::forward<F>(function), std::forward<Args>(args)...));
  } else {
    return Refused();
  }
}

template <class F, class... Args>
auto run_in_default(Loop& loop, F&& function, Args&&... args) {
  loop.check_schedulable();
  return run_in(loop, default_executor(loop), std::forward<F>(function),
                std::forward<Args>(args)...);
}

}  // namespace detail

template <class F, class... Args>
auto EventLoop::run_in_executor(Executor& executor, F&& function, Args&&... args) {
  detail::check_named<F>();
  return detail::run_in(*loop_, executor, std::forward<F>(function), std::forward<Args>(args)...);
}

template <class F, class... Args>
auto EventLoop::run_in_executor(std::nullptr_t, F&& function, Args&&... args) {
  detail::check_named<F>();
  return detail::run_in_default(*loop_, std::forward<F>(function), std::forward<Args>(args)...);
}

/// A Future of the running loop, or `loop`, with the outcome of `future`. Cancelling it cancels
/// `future` if that has not begun.
///
/// asyncio  Futures, wrap_future
template <class T>
Future<T> wrap_future(ConcurrentFuture<T> future) {
  return detail::wrap_concurrent(detail::running_loop(), std::move(future));
}
template <class T>
Future<T> wrap_future(ConcurrentFuture<T> future, const EventLoop& loop) {
  return detail::wrap_concurrent(loop.impl(), std::move(future));
}
/// The same for a std::future; it keeps a thread of the default executor waiting.
template <class T>
Future<T> wrap_future(std::future<T> future) {
  return detail::run_in_default(
      detail::running_loop(), [future = std::move(future)]() mutable -> T { return future.get(); });
}

/// Runs `coro` as a task of `loop`. What it refers to must live until the task has ended.
///
/// Returns  a ConcurrentFuture of its result, whose cancel() cancels the task.
/// Throws   RuntimeError if the loop is closed.
/// Thread   any other than the loop's.
/// asyncio  Coroutines and Tasks, run_coroutine_threadsafe
template <class T>
ConcurrentFuture<T> run_coroutine_threadsafe(Coro<T> coro, EventLoop loop) {
  ConcurrentFuture<T> target;
  target.state()->completed_by(loop.impl());
  detail::vouch_for(coro);
  detail::Loop* home = &loop.impl();
  loop.call_soon_threadsafe([home, target, coro = std::move(coro)]() mutable {
    detail::start_remote(*home, std::move(coro), target);
  });
  return target;
}

namespace detail {

template <class F, class... Args>
inline constexpr bool takes_stop_token_v =
    std::is_invocable_v<std::decay_t<F>, std::stop_token, std::decay_t<Args>...>;

/// How a thread calls it: with a stop token first if it takes one.
template <class F, class... Args>
auto call_in_thread(std::stop_token stop, F& function, Args&... args) -> decltype(auto) {
  if constexpr (takes_stop_token_v<F, Args...>)
    return std::invoke(std::move(function), std::move(stop), std::move(args)...);
  else
    return std::invoke(std::move(function), std::move(args)...);
}

template <class F, class... Args>
using thread_result_t =
    decltype(call_in_thread(std::stop_token(), std::declval<F&>(), std::declval<Args&>()...));

template <class F, class... Args>
Coro<std::remove_cvref_t<thread_result_t<F, Args...>>> to_thread_call(F function, Args... args) {
  using R = std::remove_cvref_t<thread_result_t<F, Args...>>;
  std::stop_source stop;
  auto call = [context = copy_context(), token = stop.get_token(), function = std::move(function),
               args = std::tuple<Args...>(std::move(args)...)]() mutable -> R {
    return context.run([&]() -> R {
      return std::apply(
          [&](Args&... values) -> R { return call_in_thread(token, function, values...); }, args);
    });
  };
  Future<R> future = run_in_default(running_loop(), std::move(call));
  Result<R> outcome = co_await capture(future);
  if (outcome.cancelled()) stop.request_stop();
  if constexpr (std::is_void_v<R>)
    outcome.value();
  else
    co_return std::move(outcome).value();
}

}  // namespace detail

/// Calls `function(args...)` in a thread of the default executor, in a copy of the current
/// context. Both are copied or moved, and destroyed in that thread. A function that takes a
/// std::stop_token first is asked to stop when the await is cancelled.
///
/// Awaits   the call.
/// Returns  (the await) its result.
/// Throws   what it throws; RuntimeError after the executor's shutdown.
/// Cancel   ends the await; the thread goes on, and its result is dropped.
/// Thread   the loop's.
/// asyncio  Coroutines and Tasks, to_thread
template <class F, class... Args>
auto to_thread(F&& function, Args&&... args) {
  detail::check_named<F>();
  using Function = std::decay_t<F>;
  if constexpr (detail::takes_stop_token_v<F, Args...> ||
                detail::check_job<Function, std::decay_t<Args>...>())
    return detail::to_thread_call<Function, std::decay_t<Args>...>(std::forward<F>(function),
                                                                   std::forward<Args>(args)...);
  else
    return detail::Refused();
}

}  // namespace asyncio

// SPDX-License-Identifier: BSL-1.0
/// Between threads and the loop: run_in_executor, to_thread, run_coroutine_threadsafe, wrap_future.
#pragma once

#include "asyncio/context.hpp"
#include "asyncio/detail/core/callable_check.hpp"
#include "asyncio/detail/core/thread_bridge.hpp"
#include "asyncio/detail/core/work.hpp"
#include "asyncio/eventloop.hpp"
#include "asyncio/executor.hpp"
#include "asyncio/task.hpp"

#include <functional>
#include <future>
#include <memory>
#include <optional>
#include <source_location>
#include <stop_token>
#include <type_traits>
#include <utility>

namespace asyncio {

namespace detail {

/// The loop's default executor, made on first use. Throws RuntimeError after its shutdown.
Executor& default_executor(Loop& loop);

/// Runs `call` in `executor`. Nobody but the future that is returned gets the result.
template <class Call, class Stop = NoStop>
auto run_call_in(Loop& loop, Executor& executor, Call call, Stop stop = {}) {
  return follow<true>(loop, submit_work(executor, std::move(call), std::move(stop)),
                      std::source_location());
}

template <class F, class... Args>
inline constexpr bool takes_stop_token_v =
    std::conjunction_v<std::negation<std::is_invocable<std::decay_t<F>, std::decay_t<Args>...>>,
                       std::is_invocable<std::decay_t<F>, std::stop_token, std::decay_t<Args>...>>;

template <class F, class... Args>
consteval bool check_thread_job() {
  if constexpr (takes_stop_token_v<F, Args...>)
    return check_job<std::decay_t<F>, std::stop_token, std::decay_t<Args>...>();
  else
    return check_job<std::decay_t<F>, std::decay_t<Args>...>();
}

/// A call, and how it is asked to stop.
template <class Call, class Stop>
struct ThreadJob {
  Call call;
  Stop stop;
};

template <class F, class... Args>
auto bind_job(F&& function, Args&&... args) {
  if constexpr (takes_stop_token_v<F, Args...>) {
    std::stop_source stop;
    auto call = bind_call(std::forward<F>(function), stop.get_token(), std::forward<Args>(args)...);
    return ThreadJob<decltype(call), std::stop_source>{std::move(call), std::move(stop)};
  } else {
    auto call = bind_call(std::forward<F>(function), std::forward<Args>(args)...);
    return ThreadJob<decltype(call), NoStop>{std::move(call), NoStop()};
  }
}

/// In the default executor without one.
template <class F, class... Args>
auto run_job_in(Loop& loop, Executor* executor, F&& function, Args&&... args) {
  check_named<F>();
  if constexpr (check_thread_job<F, Args...>()) {
    loop.check_schedulable();
    if (!executor) executor = &default_executor(loop);
    auto job = bind_job(std::forward<F>(function), std::forward<Args>(args)...);
    return run_call_in(loop, *executor, std::move(job.call), std::move(job.stop));
  } else {
    return Refused();
  }
}

}  // namespace detail

template <class F, class... Args>
auto EventLoop::run_in_executor(Executor& executor, F&& function, Args&&... args) {
  return detail::run_job_in(*loop_, &executor, std::forward<F>(function),
                            std::forward<Args>(args)...);
}

template <class F, class... Args>
auto EventLoop::run_in_executor(std::nullptr_t, F&& function, Args&&... args) {
  return detail::run_job_in(*loop_, nullptr, std::forward<F>(function),
                            std::forward<Args>(args)...);
}

/// A Future of `loop`, or of the running one, with the outcome of `future`; it arrives through
/// call_soon_threadsafe. A value that cannot be copied is moved out of `future`.
///
/// Cancel   (of the Future) cancels `future` if that has not begun.
/// Thread   the loop's.
/// asyncio  Futures, wrap_future
template <class T>
Future<T> wrap_future(const ConcurrentFuture<T>& future, const EventLoop& loop,
                      std::source_location where = std::source_location::current()) {
  return detail::follow<false>(loop.impl(), future.state(), where);
}
template <class T>
Future<T> wrap_future(const ConcurrentFuture<T>& future,
                      std::source_location where = std::source_location::current()) {
  return detail::follow<false>(detail::running_loop(), future.state(), where);
}
/// The same for a std::future, which keeps a thread of the default executor waiting, whatever
/// becomes of the Future.
template <class T>
Future<T> wrap_future(std::future<T> future) {
  detail::Loop& loop = detail::running_loop();
  auto wait = [future = std::move(future)]() mutable -> T { return future.get(); };
  return detail::run_call_in(loop, detail::default_executor(loop),
                             detail::bind_call(std::move(wait)));
}
/// A Future or Task as it is.
template <class T>
Future<T> wrap_future(const Future<T>& future) {
  return future;
}

/// Runs `coro`, or the coroutine of `function()`, as a task of `loop`, which begins in a copy of
/// the calling thread's context. What the coroutine refers to must live until the task has ended,
/// the captures of a lambda that was called too; of a function the task keeps a copy.
///
/// Returns  a ConcurrentFuture of its result, whose cancel() cancels the task. It gets
///          RuntimeError("Event loop is closed") if that happens before the task has ended.
/// Throws   RuntimeError if the loop is closed.
/// Thread   any other than the loop's.
/// asyncio  Coroutines and Tasks, run_coroutine_threadsafe
template <class T>
ConcurrentFuture<T> run_coroutine_threadsafe(
    Coro<T> coro, const EventLoop& loop,
    std::source_location where = std::source_location::current()) {
  ConcurrentFuture<T> future;
  future.state()->completed_by(loop.impl());
  detail::vouch_for_parameters(coro);
  detail::OutgoingBridge::submit(std::make_unique<detail::TypedOutgoingBridge<T>>(
      loop.impl(), future.state(), std::move(coro), where));
  return future;
}
template <class F>
  requires(!detail::is_coro_v<std::remove_cvref_t<F>>)
auto run_coroutine_threadsafe(F&& function, const EventLoop& loop,
                              std::source_location where = std::source_location::current()) {
  if constexpr (detail::check_coroutine_function<F>())
    return run_coroutine_threadsafe(
        detail::called_inside<std::decay_t<F>>(std::forward<F>(function)), loop, where);
  else
    return detail::Refused();
}

namespace detail {

/// Gives the call to the default executor when it is awaited, and waits for its future.
template <class Call, class Stop>
class [[nodiscard("co_await it")]] ToThread final : public FutureWait {
 public:
  using Result = kept_t<std::invoke_result_t<Call&>>;

  explicit ToThread(ThreadJob<Call, Stop> job)
      : FutureWait(nullptr), call_(std::move(job.call)), stop_(std::move(job.stop)) {}
  /// Only before it is awaited.
  ToThread(ToThread&& idle) noexcept(std::is_nothrow_move_constructible_v<Call>)
      : FutureWait(nullptr),
        call_(std::exchange(idle.call_, std::nullopt)),
        stop_(std::move(idle.stop_)) {}
  ~ToThread() { leave(); }

  bool await_ready() const noexcept { return false; }
  void await_suspend(PromiseBase& promise) {
    if (!call_) throw_reused_coroutine();
    Loop& loop = promise.task->loop();
    ContextCall<Call> call(current_context(), *std::exchange(call_, std::nullopt));
    future_ = run_call_in(loop, default_executor(loop), std::move(call), std::move(stop_)).state();
    FutureWait::await_suspend(promise);
  }
  Result await_resume() {
    check();
    if constexpr (!std::is_void_v<Result>)
      return static_cast<Result&&>(slot_of<Result>(*future_).get());
  }

 private:
  std::optional<Call> call_;
  [[no_unique_address]] Stop stop_;
};

}  // namespace detail

/// Calls `function(args...)` in a thread of the default executor, in a copy of the current context.
/// Both are copied or moved, and destroyed in that thread. A function that can only be called with
/// a std::stop_token before `args` gets one, and is asked to stop when the await is cancelled, or
/// the loop closed.
///
/// Awaits   the call.
/// Returns  (the await) its result.
/// Throws   what it throws; RuntimeError after the executor's shutdown.
/// Cancel   ends the await at once. A call that has not begun will not; one that has runs on, and
///          its result is dropped.
/// Thread   the loop's.
/// asyncio  Coroutines and Tasks, to_thread
template <class F, class... Args>
auto to_thread(F&& function, Args&&... args) {
  detail::check_named<F>();
  if constexpr (detail::check_thread_job<F, Args...>())
    return detail::ToThread(
        detail::bind_job(std::forward<F>(function), std::forward<Args>(args)...));
  else
    return detail::Refused();
}

}  // namespace asyncio

// SPDX-License-Identifier: BSL-1.0
/// Time limits: timeout scopes and wait_for.
#pragma once

#include "asyncio/capture.hpp"
#include "asyncio/detail/core/ready.hpp"
#include "asyncio/detail/core/task_state.hpp"
#include "asyncio/exceptions.hpp"
#include "asyncio/task.hpp"
#include "asyncio/time.hpp"
#include "asyncio/wait.hpp"

#include <optional>
#include <string>
#include <type_traits>
#include <utility>

namespace asyncio {

namespace detail {

template <class T>
class CoroWaitFor;

}  // namespace detail

/// A deadline for the body of a `with`: when it passes, the body is cancelled at its await, and on
/// leaving the scope that CancelledError becomes a TimeoutError. Enter it once.
///
/// Thread   the loop's.
/// asyncio  Coroutines and Tasks, Timeouts
class [[nodiscard("enter it: co_await with(timeout(...), body)")]] Timeout : private detail::Timer {
 public:
  /// Use timeout() or timeout_at(). A deadline that depends on the loop's clock is taken when the
  /// scope is made.
  explicit Timeout(std::optional<TimePoint> when) noexcept;
  /// Only before it is entered.
  Timeout(Timeout&& other) noexcept : Timeout(other.when_) {}
  Timeout& operator=(Timeout&&) = delete;
  ~Timeout();

  /// The deadline; empty for none.
  std::optional<TimePoint> when() const noexcept { return when_; }
  /// Moves the deadline, also from or to none. One that has passed fires at the next suspension.
  ///
  /// Throws   RuntimeError before the scope is entered, after it has expired or was left.
  void reschedule(std::optional<TimePoint> when);
  /// Whether the deadline has passed inside the scope.
  bool expired() const noexcept { return state_ == State::expiring || state_ == State::expired; }

  /// "<Timeout [active] when=12.5>", as Python prints it.
  std::string repr() const;

  /// Throws   RuntimeError outside a task or a second time.
  Timeout& aenter();
  /// Throws   TimeoutError in place of the CancelledError that this scope caused.
  bool aexit(const std::exception_ptr& error);

 private:
  template <class T>
  friend class detail::CoroWaitFor;
  enum class State : unsigned char { created, entered, expiring, expired, exited };
  static void expire(Ready& node);
  /// From now on, for a time that is positive. Reads the clock once.
  void enter(detail::TaskState& task, OptionalDelay limit);
  void arm();
  void disarm() noexcept;

  State state_ = State::created;
  int cancelling_ = 0;
  std::optional<TimePoint> when_;
  detail::Ref<detail::TaskState> task_;
};

/// A scope that ends after `delay`; nullopt for no limit.
///
/// Throws   RuntimeError("no running event loop").
Timeout timeout(OptionalDelay delay);
/// A scope that ends when EventLoop::time() reaches `when`; nullopt for no limit.
Timeout timeout_at(std::optional<TimePoint> when);

namespace detail {

/// Awaits inside a timeout scope. A timeout that is not positive never starts the awaitable.
template <class A, class R = captured_t<A>>
Coro<R> wait_for_within(A awaitable, OptionalDelay limit) {
  if (limit && !limit->positive()) {
    if constexpr (is_coro_v<A>) vouch_for(awaitable);
    auto future = ensure_future(std::forward<A>(awaitable), {});
    if (!future.done()) {
      co_await cancel_and_wait(future);
      if (future.state()->ended_cancelled())
        throw TimeoutError("wait_for", future.state()->take_error());
    }
    co_return co_await std::move(future);
  }
  Timeout scope = timeout(limit);
  scope.aenter();
  auto outcome = co_await capture(std::forward<A>(awaitable));
  scope.aexit(outcome.exception());
  if constexpr (std::is_void_v<R>)
    outcome.value();
  else
    co_return std::move(outcome).value();
}

/// The same for a coroutine, which runs right inside the awaiting frame.
template <class T>
class [[nodiscard("co_await it")]] CoroWaitFor : public FrameLink {
 public:
  CoroWaitFor(Coro<T>&& coro, OptionalDelay limit) noexcept
      : coro_(std::move(coro)), limit_(limit) {}
  /// Only before it is awaited.
  CoroWaitFor(CoroWaitFor&& idle) noexcept : CoroWaitFor(std::move(idle.coro_), idle.limit_) {}
  CoroWaitFor& operator=(CoroWaitFor&&) = delete;
  ~CoroWaitFor() { destroy_frame(child); }

  bool await_ready() const noexcept { return false; }
  void await_suspend(PromiseBase& promise) {
    if (parent) [[unlikely]]
      throw_reused_coroutine();
    if (limit_ && !limit_->positive()) [[unlikely]]
      coro_ = wait_for_within<Coro<T>, T>(std::move(coro_), limit_);
    else
      scope_.enter(*promise.task, limit_);
    child = &CoroAccess::take(coro_);
    parent = &promise;
    promise.task->enter(*child, *this);
  }
  T await_resume() {
    auto& ended = static_cast<ValuePromise<T>&>(*child);
    scope_.aexit(ended.error());
    return ended.take();
  }

 private:
  Coro<T> coro_;
  OptionalDelay limit_;
  Timeout scope_{std::nullopt};
};

}  // namespace detail

/// Awaits `awaitable` in the calling task, for at most `limit`; on expiry cancels it and waits for
/// its clean-up. nullopt for no limit; a limit that is not positive does not start it at all.
///
/// Awaits   `awaitable`.
/// Returns  its result, also if it swallows the cancellation and returns.
/// Throws   TimeoutError; else what it throws.
/// Cancel   cancels `awaitable`, too.
/// Thread   the loop's.
/// asyncio  Coroutines and Tasks, wait_for
template <class A>
auto wait_for(A&& awaitable, OptionalDelay limit) {
  using Value = std::remove_cvref_t<A>;
  if constexpr (!detail::check_awaitable<A>())
    return detail::Refused();
  else if constexpr (is_coroutine_v<A>)
    return detail::CoroWaitFor<await_result_t<A>>(std::forward<A>(awaitable), limit);
  else
    return detail::wait_for_within<Value>(std::forward<A>(awaitable), limit);
}

}  // namespace asyncio

// SPDX-License-Identifier: BSL-1.0
/// sleep and sleep_until.
#pragma once

#include "asyncio/detail/core/refused.hpp"
#include "asyncio/detail/core/wait.hpp"
#include "asyncio/time.hpp"

#include <optional>
#include <type_traits>
#include <utility>

namespace asyncio {

namespace detail {

/// A timer inside the awaiting frame. A delay that is not positive yields for one iteration.
/// Order: asyncio/tasks.py, sleep: the timer completes a future, which wakes the task one
/// iteration later.
class [[nodiscard("co_await it")]] SleepAwaiter : public Wait, private Timer {
 public:
  explicit SleepAwaiter(Delay delay) noexcept : Timer(&SleepAwaiter::expire), amount_(delay) {}
  explicit SleepAwaiter(TimePoint deadline) noexcept
      : Timer(&SleepAwaiter::expire), amount_(deadline.time_since_epoch()), absolute_(true) {}
  SleepAwaiter(SleepAwaiter&& idle) noexcept
      : Wait(std::move(idle)),
        Timer(&SleepAwaiter::expire),
        amount_(idle.amount_),
        absolute_(idle.absolute_) {}
  ~SleepAwaiter() {
    if (state_ > State::yielded) disarm();
  }

  bool await_ready() const noexcept { return false; }
  void await_suspend(PromiseBase& promise) {
    if (!absolute_ && !amount_.positive()) {
      state_ = State::yielded;
      promise.task->wake();  // a bare yield: nothing that a cancellation could end earlier
    } else {
      arm(promise.task->core());
    }
    suspend_task(promise);
  }
  void await_resume() {
    bool delivered = cancel_delivered();
    if (delivered || state_ == State::cancelled) [[unlikely]]
      throw_cancelled();
  }
  bool cancel(const std::exception_ptr& reason) final;
  AwaitableKind kind() const noexcept final { return AwaitableKind::sleep; }

 private:
  enum class State : unsigned char { idle, yielded, pending, fired, cancelled };
  static void expire(Ready& node);
  void arm(LoopCore& core);
  void disarm() noexcept;

  Delay amount_;
  bool absolute_ = false;
  State state_ = State::idle;
};

template <class T>
class [[nodiscard("co_await it")]] SleepValueAwaiter : public SleepAwaiter {
 public:
  SleepValueAwaiter(Delay delay, T value) : SleepAwaiter(delay), value_(std::move(value)) {}
  T await_resume() {
    SleepAwaiter::await_resume();
    return std::move(value_);
  }

 private:
  T value_;
};

}  // namespace detail

/// Lets other tasks run for at least `delay`; a delay that is not positive yields once.
///
/// Awaits   the time.
/// Throws   ValueError for a delay that is not a number.
/// Cancel   ends the wait at once.
/// Thread   the loop's.
/// asyncio  Coroutines and Tasks, sleep
inline detail::SleepAwaiter sleep(Delay delay) { return detail::SleepAwaiter(delay); }

/// Refuses a bare number, which would be for the sleep of <unistd.h>: that one stops the loop.
template <class N>
  requires std::is_arithmetic_v<N>
detail::Refused sleep(N seconds) {
  (void)Delay(seconds);
  return detail::Refused();
}

/// The same; returns `value` afterwards.
template <class T>
detail::SleepValueAwaiter<std::decay_t<T>> sleep(Delay delay, T&& value) {
  return {delay, std::forward<T>(value)};
}

/// Sleeps until EventLoop::time() reaches `deadline`.
inline detail::SleepAwaiter sleep_until(TimePoint deadline) {
  return detail::SleepAwaiter(deadline);
}

}  // namespace asyncio

// SPDX-License-Identifier: BSL-1.0
#include "asyncio/sleep.hpp"

#include "asyncio/detail/core/loop.hpp"

namespace asyncio::detail {

SleepAwaiter::~SleepAwaiter() {
  if (state_ == State::idle || state_ == State::yielded) return;
  task_->loop().disarm(*this);
  Timer::unlink();
}

void SleepAwaiter::await_suspend(PromiseBase& promise) {
  Loop& loop = promise.task->loop();
  if (!absolute_ && !amount_.positive()) {
    state_ = State::yielded;
    promise.task->wake();  // a bare yield: nothing that a cancellation could end earlier
  } else {
    std::int64_t when = absolute_ ? amount_.nanoseconds() : deadline_after(loop.now_ns(), amount_);
    loop.arm(*this, when);
    state_ = State::pending;
  }
  suspend_task(promise);
}

void SleepAwaiter::expire(Ready& node) {
  auto& self = static_cast<SleepAwaiter&>(static_cast<Timer&>(node));
  if (self.state_ != State::pending) return;
  self.state_ = State::fired;
  self.wake();
}

bool SleepAwaiter::cancel(const std::exception_ptr& reason) {
  if (state_ != State::pending) return false;
  state_ = State::cancelled;
  wake_cancelled(reason);
  return true;
}

void SleepAwaiter::await_resume() {
  bool delivered = cancel_delivered();
  if (delivered || state_ == State::cancelled) throw_cancelled();
}

}  // namespace asyncio::detail

namespace asyncio::detail {

void throw_not_a_number() { throw ValueError("Invalid delay: NaN (not a number)"); }

}  // namespace asyncio::detail

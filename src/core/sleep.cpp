// SPDX-License-Identifier: BSL-1.0
#include "asyncio/sleep.hpp"

#include "asyncio/detail/core/loop.hpp"

namespace asyncio::detail {

void SleepAwaiter::arm(LoopCore& core) {
  auto& loop = static_cast<Loop&>(core);
  loop.arm(*this, absolute_ ? amount_.nanoseconds() : deadline_after(loop.now_ns(), amount_));
  state_ = State::pending;
}

void SleepAwaiter::disarm() noexcept {
  task_->loop().disarm(*this);
  Timer::unlink();
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

}  // namespace asyncio::detail

namespace asyncio::detail {

void throw_not_a_number() { throw ValueError("Invalid delay: NaN (not a number)"); }

}  // namespace asyncio::detail

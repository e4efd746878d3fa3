// SPDX-License-Identifier: BSL-1.0
#include "asyncio/detail/core/guarded_log.hpp"
#include "asyncio/logging.hpp"
#include "asyncio/sync.hpp"

#include <string>

namespace asyncio {

Lock::~Lock() {
  while (!waiters_.empty()) {
    auto& waiter = waiters_.pop_front();
    waiter.lock_ = nullptr;
    waiter.queued_ = false;
    waiter.fire();
  }
  while (!scopes_.empty()) scopes_.pop_front().held_ = nullptr;
}

void Lock::end_scope() noexcept {
  try {
    release();
  } catch (const std::exception& error) {
    detail::log_guarded(LogLevel::error,
                        [&] { return std::string("Scoped<Lock>: ") + error.what(); });
  }
}

namespace detail {

LockWait::~LockWait() {
  if (queued_) leave_queue(true);
}

void LockWait::join_queue() noexcept {
  lock_->waiters_.push_back(*this);
  ++lock_->claims_;
  queued_ = true;
}

void LockWait::leave_queue(bool cancelled) noexcept {
  unlink();
  queued_ = false;
  if (!was_cancelled()) --lock_->claims_;
  if (!cancelled)
    lock_->locked_ = true;
  else if (!lock_->locked_)
    lock_->wake_first();
}

bool LockWait::cancel(const std::exception_ptr& reason) {
  if (!Waiter::cancel(reason)) return false;
  if (queued_) --lock_->claims_;
  return true;
}

void LockAcquire::await_suspend(PromiseBase& promise) {
  lock_->bind(promise, "Lock");
  join_queue();
  suspend_waiter(promise);
}

void LockAcquire::finish() {
  bool cancelled = ended_cancelled();
  if (queued_)
    leave_queue(cancelled);
  else if (!cancelled)
    throw_destroyed("Lock");
  if (cancelled) throw_cancelled();
}

}  // namespace detail

}  // namespace asyncio

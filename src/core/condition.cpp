// SPDX-License-Identifier: BSL-1.0
#include "asyncio/sync.hpp"

namespace asyncio {

using detail::ConditionWait;

Condition::~Condition() {
  while (!waiters_.empty()) {
    auto& wait = static_cast<ConditionWait&>(waiters_.pop_front());
    wait.condition_ = nullptr;
    wait.lock_ = nullptr;  // the task throws instead of taking it again
    wait.fire();
  }
  while (!woken_.empty()) {
    auto& wait = static_cast<ConditionWait&>(woken_.pop_front());
    wait.condition_ = nullptr;
    if (own_ && !wait.queued_) wait.lock_ = nullptr;
  }
}

void Condition::notify(std::ptrdiff_t count) {
  if (!locked()) throw RuntimeError("cannot notify on un-acquired lock");
  if (!waiters_.empty()) check_thread_of(static_cast<ConditionWait&>(waiters_.front()));
  wake(count);
}

void Condition::wake(std::ptrdiff_t count) noexcept {
  while (count > 0 && !waiters_.empty()) {
    auto& wait = static_cast<ConditionWait&>(waiters_.pop_front());
    woken_.push_back(wait);
    if (wait.done()) continue;
    --count;
    wait.fire();
  }
}

namespace detail {

ConditionWait::ConditionWait(Condition& condition) noexcept
    : LockWait(condition.lock_), condition_(&condition), name_(condition.name_) {}

ConditionWait::~ConditionWait() {
  while (!scopes_.empty()) scopes_.pop_front();
  if (!ConditionLinks::linked()) return;
  ConditionLinks::unlink();
  condition_->wake(1);  // as after a cancellation: it may have been notified
}

void ConditionWait::await_suspend(PromiseBase& promise) {
  if (!lock_->locked()) throw RuntimeError("cannot wait on un-acquired lock");
  condition_->bind(promise, name_);
  lock_->bind(promise, "Lock");
  lock_->release();
  while (!lock_->scopes_.empty()) {
    auto& scope = lock_->scopes_.pop_front();
    scope.held_ = nullptr;
    scopes_.push_back(scope);
  }
  condition_->waiters_.push_back(*this);
  suspend_waiter(promise);
  ask_before_resuming();
}

bool ConditionWait::may_resume() noexcept {
  bool cancelled = ended_cancelled();
  if (cancelled) {
    cancelled_ = true;
    error_ = task_->take_cancel_error();
  }
  bool has_lock = queued_ && !cancelled;
  if (queued_) {
    leave_queue(cancelled);
  } else if (condition_) {
    ConditionLinks::unlink();
    condition_->woken_.push_back(*this);
  }
  if (!lock_) return true;
  if (!has_lock && !lock_->take_if_free()) {
    join_queue();
    wait_again();
    return false;
  }
  while (!scopes_.empty()) scopes_.pop_front().hold(*lock_);
  return true;
}

bool ConditionWait::await_resume() {
  ConditionLinks::unlink();
  if (cancelled_) {
    // Perhaps it was notified as well: then somebody else has to be told.
    if (condition_) condition_->wake(1);
    if (error_) std::rethrow_exception(std::move(error_));
    throw CancelledError();
  }
  if (!lock_) throw_destroyed(name_);
  return true;
}

}  // namespace detail

}  // namespace asyncio

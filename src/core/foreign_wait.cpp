// SPDX-License-Identifier: BSL-1.0
#include "asyncio/detail/core/foreign_wait.hpp"

#include "asyncio/detail/core/loop.hpp"

namespace asyncio::detail {

namespace {

ForeignResumer post_when_resumed(Loop& loop, Ready& node) {
  // A closed loop cannot be woken; the task has been abandoned with it.
  (void)loop.post(node);
  co_return;
}

}  // namespace

ForeignWaitBase::~ForeignWaitBase() {
  if (task_) task_->loop().withdraw(*this);
}

ForeignResumer ForeignWaitBase::make_resumer() { return post_when_resumed(running_loop(), *this); }

void ForeignWaitBase::begin(PromiseBase& promise) { suspend_task(promise); }

void ForeignWaitBase::undo() noexcept {
  task_->loop().withdraw(*this);
  task_->undo_suspend();
  task_ = nullptr;
}

void ForeignWaitBase::resumed(Ready& node) { static_cast<ForeignWaitBase&>(node).wake(); }

void ForeignWaitBase::check() {
  if (cancel_delivered()) throw_cancelled();
}

}  // namespace asyncio::detail

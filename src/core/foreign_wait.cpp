// SPDX-License-Identifier: BSL-1.0
#include "asyncio/detail/core/foreign_wait.hpp"

#include "asyncio/detail/core/loop.hpp"

namespace asyncio::detail {

namespace {

/// Gives the node to the loop, in the thread that has resumed the frame. From then on the task may
/// run and destroy the frame, and the loop may end, at any moment: so the frame is suspended
/// before, and what is still needed is not in it. (Not inlined, or a compiler could keep it there.)
class Post {
 public:
  Post(Loop& loop, Ready& node) noexcept : loop_(loop), node_(node) {}

  bool await_ready() const noexcept { return false; }
  [[gnu::noinline]] void await_suspend(std::coroutine_handle<>) const noexcept {
    std::shared_ptr<Loop> loop = loop_.shared_from_this();
    // A closed loop takes no more; the task has been abandoned with it.
    (void)loop->post(node_);
  }
  void await_resume() const noexcept {}

 private:
  Loop& loop_;
  Ready& node_;
};

ForeignResumer post_when_resumed(Loop& loop, Ready& node) { co_await Post(loop, node); }

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

// SPDX-License-Identifier: BSL-1.0
#include "asyncio/detail/core/completion_queue.hpp"

#include "asyncio/detail/core/loop.hpp"
#include "asyncio/wait.hpp"

namespace asyncio::detail {

CompletionQueue::CompletionQueue(std::vector<FutureHandle> futures, OptionalDelay limit) {
  if (futures.empty()) return;
  futures_ = distinct(std::move(futures));
  todo_ = unclaimed_ = futures_.size();
  nodes_ = std::make_unique<Node[]>(todo_);
  for (std::size_t i = 0; i < futures_.size(); ++i) {
    nodes_[i].owner = this;
    nodes_[i].future = futures_[i].state().get();
    nodes_[i].future->add_callback(nodes_[i]);
  }
  Loop& loop = futures_.front().state()->loop();
  if (limit) loop.arm(deadline_, deadline_after(loop.now_ns(), *limit));
}

CompletionQueue::~CompletionQueue() {
  if (futures_.empty()) return;
  futures_.front().state()->loop().disarm(deadline_);
  deadline_.unlink();
  for (std::size_t i = 0; i < futures_.size(); ++i) nodes_[i].unlink();
}

bool CompletionQueue::claim() noexcept {
  if (unclaimed_ == 0) return false;
  --unclaimed_;
  return true;
}

void CompletionQueue::Node::completed(Ready& node) {
  auto& self = static_cast<Node&>(node);
  CompletionQueue& queue = *self.owner;
  if (queue.todo_ == 0) return;  // the deadline was here first
  if (--queue.todo_ == 0) self.future->loop().disarm(queue.deadline_);
  queue.put(Ref<FutureState>::share(self.future));
}

void CompletionQueue::Deadline::expire(Ready& node) {
  CompletionQueue& queue = static_cast<Deadline&>(static_cast<Timer&>(node)).owner;
  std::size_t late = std::exchange(queue.todo_, 0);
  for (std::size_t i = 0; i < queue.futures_.size(); ++i) queue.nodes_[i].unlink();
  while (late-- > 0) queue.put(nullptr);
}

void CompletionQueue::put(Ref<FutureState> state) {
  done_.push_back(std::move(state));
  wake_next();
}

void CompletionQueue::wake_next() noexcept {
  for (auto& waiter : waiters_) {
    if (waiter.done()) continue;
    waiter.fire();
    return;
  }
}

void CompletionQueue::Get::await_suspend(PromiseBase& promise) {
  queue_.waiters_.push_back(*this);
  suspend_waiter(promise);
}

Ref<FutureState> CompletionQueue::Get::await_resume() {
  unlink();
  if (suspended() && ended_cancelled()) {
    // What was meant for this waiter goes to the next one.
    if (!queue_.done_.empty()) queue_.wake_next();
    throw_cancelled();
  }
  Ref<FutureState> state = std::move(queue_.done_.front());
  queue_.done_.pop_front();
  if (!state) throw TimeoutError("as_completed");
  return state;
}

TaskState* CompletionQueue::task_of(Ready& node) noexcept {
  if (node.run != &Node::completed) return nullptr;
  CompletionQueue& queue = *static_cast<Node&>(node).owner;
  return queue.waiters_.empty() ? nullptr : queue.waiters_.front().task();
}

}  // namespace asyncio::detail

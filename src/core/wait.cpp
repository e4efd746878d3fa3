// SPDX-License-Identifier: BSL-1.0
#include "asyncio/wait.hpp"

#include "asyncio/detail/core/loop.hpp"

#include <memory>
#include <unordered_set>
#include <utility>

namespace asyncio::detail {

FuturesWait::FuturesWait(std::vector<FutureHandle> futures, ReturnWhen when,
                         OptionalDelay limit) noexcept
    : Timer(&FuturesWait::expire), futures_(std::move(futures)), when_(when), limit_(limit) {}

FuturesWait::FuturesWait(FuturesWait&& idle) noexcept
    : Waiter(std::move(idle)),
      Timer(&FuturesWait::expire),
      futures_(std::move(idle.futures_)),
      when_(idle.when_),
      limit_(idle.limit_) {}

FuturesWait::~FuturesWait() { release(); }

void FuturesWait::await_suspend(PromiseBase& promise) {
  Loop& loop = promise.task->loop();
  for (const auto& future : futures_) promise.task->check_awaits(*future.state());
  auto nodes = std::make_unique<Node[]>(futures_.size());
  if (limit_) loop.arm(*this, deadline_after(loop.now_ns(), *limit_));
  nodes_ = std::move(nodes);  // from here on nothing throws, and there is something to release
  left_ = futures_.size();
  for (std::size_t i = 0; i < futures_.size(); ++i) {
    nodes_[i].owner = this;
    nodes_[i].future = futures_[i].state().get();
    nodes_[i].future->add_callback(nodes_[i]);
  }
  suspend_waiter(promise);
}

void FuturesWait::Node::completed(Ready& node) {
  auto& self = static_cast<Node&>(node);
  FuturesWait& wait = *self.owner;
  --wait.left_;
  // Only asks: whose exception nobody looks at is still reported (D3). CPython lets it go.
  bool failed = wait.when_ == FIRST_EXCEPTION && self.future->failed();
  if (wait.left_ == 0 || wait.when_ == FIRST_COMPLETED || failed) wait.fire();
}

void FuturesWait::expire(Ready& node) {
  static_cast<FuturesWait&>(static_cast<Timer&>(node)).fire();
}

/// Takes the timer and the nodes back from wherever they are linked.
void FuturesWait::release() noexcept {
  if (!nodes_) return;
  task_->loop().disarm(*this);
  Timer::unlink();
  for (std::size_t i = 0; i < futures_.size(); ++i) nodes_[i].unlink();
  nodes_.reset();
}

void FuturesWait::await_resume() {
  release();
  if (ended_cancelled()) throw_cancelled();
}

std::vector<FutureHandle> distinct(std::vector<FutureHandle> handles) {
  if (handles.empty()) throw ValueError("Set of Tasks/Futures is empty.");
  std::unordered_set<FutureState*> seen;
  std::erase_if(handles, [&seen](const FutureHandle& handle) {
    return !seen.insert(handle.state().get()).second;
  });
  return handles;
}

FuturesWait cancel_and_wait(const FutureHandle& future) {
  future.state()->cancel(nullptr);
  return FuturesWait({future}, ALL_COMPLETED, std::nullopt);
}

}  // namespace asyncio::detail

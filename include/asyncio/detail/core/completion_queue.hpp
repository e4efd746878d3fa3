// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "asyncio/detail/core/wait.hpp"
#include "asyncio/future.hpp"
#include "asyncio/time.hpp"

#include <cstddef>
#include <deque>
#include <memory>
#include <vector>

namespace asyncio::detail {

/// The done futures of as_completed, in order of completion, and who waits for the next.
/// Order follows asyncio/tasks.py, _AsCompletedIterator.
class CompletionQueue {
 public:
  CompletionQueue(std::vector<FutureHandle> futures, OptionalDelay limit);
  ~CompletionQueue();

  /// Reserves one more item; false when all have been given out.
  bool claim() noexcept;
  /// Gives up a claim: nothing was taken.
  void unclaim() noexcept { ++unclaimed_; }

  class [[nodiscard]] Get final : public Waiter {
   public:
    explicit Get(CompletionQueue& queue) noexcept : queue_(queue) {}
    bool await_ready() const noexcept { return queue_.has_item(); }
    void await_suspend(PromiseBase& promise);
    /// Throws TimeoutError in place of a future that was not done in time.
    Ref<FutureState> await_resume();
    AwaitableKind kind() const noexcept final { return AwaitableKind::as_completed_next; }

   private:
    CompletionQueue& queue_;
  };
  Get get() noexcept { return Get(*this); }

  /// The task that would be woken through `node`, or null.
  static TaskState* task_of(Ready& node) noexcept;

 private:
  struct Node : Ready {
    Node() noexcept : Ready(&Node::completed) {}
    static void completed(Ready& node);
    CompletionQueue* owner = nullptr;
    FutureState* future = nullptr;
  };
  struct Deadline : Timer {
    explicit Deadline(CompletionQueue& queue) noexcept : Timer(&Deadline::expire), owner(queue) {}
    static void expire(Ready& node);
    CompletionQueue& owner;
  };

  bool has_item() const noexcept { return !done_.empty() && waiters_.empty(); }
  void put(Ref<FutureState> state);
  void wake_next() noexcept;

  std::vector<FutureHandle> futures_;  // distinct
  std::unique_ptr<Node[]> nodes_;
  std::size_t todo_ = 0;
  std::size_t unclaimed_ = 0;
  std::deque<Ref<FutureState>> done_;  // null: not done in time
  List<Waiter> waiters_;
  Deadline deadline_{*this};
};

}  // namespace asyncio::detail

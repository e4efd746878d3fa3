// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "asyncio/detail/core/loop_bound.hpp"
#include "asyncio/detail/core/ready.hpp"
#include "asyncio/detail/core/wait.hpp"
#include "asyncio/sync.hpp"

#include <cstddef>
#include <exception>
#include <utility>

namespace asyncio::detail {

class QueueBase;

/// A task that waits for an item, or for room. CPython: Queue.get, Queue.put.
///
/// It is in its line, then, once woken, in `woken_` until its task's turn comes. If by then
/// somebody else was faster, it goes to the end of the line again.
class QueueWait : public Waiter {
 public:
  enum class Side : unsigned char { get, put };

  inline bool await_ready() const noexcept;
  inline void await_suspend(PromiseBase& promise);
  bool may_resume() noexcept final;

 protected:
  QueueWait(QueueBase& queue, Side side) noexcept : queue_(&queue), side_(side) {}
  QueueWait(QueueWait&&) noexcept = default;
  ~QueueWait() = default;
  /// For the destructor: if it still waits.
  void leave() noexcept {
    if (linked()) [[unlikely]]
      abandon();
  }

  /// What await_resume begins with.
  void check_woken() {
    if (cancelled_ || !queue_) [[unlikely]]
      fail();
  }
  QueueBase& queue() const noexcept { return *queue_; }

 private:
  friend class QueueBase;
  [[noreturn]] void fail();
  void abandon() noexcept;
  void pass_on() noexcept;

  QueueBase* queue_;  // null if it was destroyed meanwhile
  Side side_;
  bool cancelled_ = false;
};

/// A wait for all items to be done. CPython: Queue.join.
class [[nodiscard("co_await it")]] QueueJoin : public EventWait {
 public:
  using EventWait::EventWait;
  void await_resume() { EventWait::await_resume(); }
  AwaitableKind kind() const noexcept final { return AwaitableKind::queue_join; }
};

/// What a queue is apart from its items.
class QueueBase : private LoopBound {
 public:
  std::size_t qsize() const noexcept { return size_; }
  bool empty() const noexcept { return size_ == 0; }
  /// Whether there are `maxsize` items; never if there is no limit.
  bool full() const noexcept { return maxsize_ > 0 && size_ >= static_cast<std::size_t>(maxsize_); }
  std::ptrdiff_t maxsize() const noexcept { return maxsize_; }

  /// Says that an item that was taken from the queue has been dealt with.
  ///
  /// Throws   ValueError if called more often than items were put.
  void task_done();

  /// Awaits   `task_done` for every item ever put; does not suspend if none is missing.
  /// Cancel   ends the wait.
  /// asyncio  Queues, Queue.join
  QueueJoin join() noexcept { return QueueJoin(finished_); }

 protected:
  explicit QueueBase(std::ptrdiff_t maxsize);
  ~QueueBase();

  using Line = List<QueueWait>;

  /// Throws what put_nowait throws.
  void check_put() const {
    if (shut_down_ || full()) [[unlikely]]
      refuse_put();
    check_thread(getters_, "Queue");
  }
  /// Throws what get_nowait throws.
  void check_get() const {
    if (empty()) [[unlikely]]
      refuse_get();
    check_thread(putters_, "Queue");
  }
  void item_added() noexcept {
    ++unfinished_;
    finished_.clear();
    wake_next(getters_);
  }
  void item_removed() noexcept { wake_next(putters_); }
  void begin_shutdown(bool immediate);
  void end_shutdown();

  std::size_t size_ = 0;

 private:
  friend class QueueWait;

  Line& line(QueueWait::Side side) noexcept {
    return side == QueueWait::Side::get ? getters_ : putters_;
  }
  /// Whether there is nothing to get, or no room to put.
  bool lacks(QueueWait::Side side) const noexcept {
    return side == QueueWait::Side::get ? empty() : full();
  }
  [[noreturn]] void refuse_put() const;
  [[noreturn]] void refuse_get() const;
  void wake_next(Line& line) noexcept {
    if (!line.empty()) wake_first(line);
  }
  void wake_first(Line& line) noexcept;

  Line getters_;
  Line putters_;
  Line woken_;
  Event finished_;
  std::size_t unfinished_ = 0;
  const std::ptrdiff_t maxsize_;
  bool shut_down_ = false;
};

inline bool QueueWait::await_ready() const noexcept {
  return !queue_->lacks(side_) || queue_->shut_down_;
}

inline void QueueWait::await_suspend(PromiseBase& promise) {
  queue_->bind(promise, "Queue");
  queue_->line(side_).push_back(*this);
  suspend_waiter(promise);
  ask_before_resuming();
}

}  // namespace asyncio::detail

// SPDX-License-Identifier: BSL-1.0
/// The chapter "Queues" of asyncio's documentation.
#pragma once

#include "asyncio/detail/core/queue_base.hpp"
#include "asyncio/detail/core/queue_items.hpp"
#include "asyncio/exceptions.hpp"

#include <cstddef>
#include <functional>
#include <optional>
#include <utility>

namespace asyncio {

namespace detail {

template <class Q>
class [[nodiscard("co_await it")]] QueueGet final : public QueueWait {
 public:
  explicit QueueGet(Q& queue) noexcept : QueueWait(queue, Side::get) {}
  QueueGet(QueueGet&&) noexcept = default;
  ~QueueGet() { leave(); }
  typename Q::value_type await_resume() {
    check_woken();
    return static_cast<Q&>(queue()).get_nowait();
  }
  AwaitableKind kind() const noexcept final { return AwaitableKind::queue_get; }
};

template <class Q>
class [[nodiscard("co_await it")]] QueueNext final : public QueueWait {
 public:
  explicit QueueNext(Q& queue) noexcept : QueueWait(queue, Side::get) {}
  QueueNext(QueueNext&&) noexcept = default;
  ~QueueNext() { leave(); }
  std::optional<typename Q::value_type> await_resume() {
    check_woken();
    if (queue().empty()) return std::nullopt;  // shut down
    return static_cast<Q&>(queue()).get_nowait();
  }
  AwaitableKind kind() const noexcept final { return AwaitableKind::queue_get; }
};

template <class Q>
class [[nodiscard("co_await it")]] QueuePut final : public QueueWait {
 public:
  QueuePut(Q& queue, typename Q::value_type&& item)
      : QueueWait(queue, Side::put), item_(std::move(item)) {}
  QueuePut(QueuePut&&) = default;
  ~QueuePut() { leave(); }
  void await_resume() {
    check_woken();
    static_cast<Q&>(queue()).put_nowait(std::move(item_));
  }
  AwaitableKind kind() const noexcept final { return AwaitableKind::queue_put; }

 private:
  typename Q::value_type item_;
};

/// What the three queues have in common.
template <class T, class Items>
class BasicQueue : public QueueBase {
 public:
  using value_type = T;

  /// Puts an item; waits while the queue is full.
  ///
  /// Awaits   room; does not suspend if there is some.
  /// Throws   QueueShutDown; RuntimeError in another loop than before.
  /// Cancel   puts nothing; the item is gone with the await. Room that was about to be given to
  ///          this waiter goes to the next one.
  /// Thread   the loop's.
  /// asyncio  Queues, Queue.put
  QueuePut<BasicQueue> put(T item) { return QueuePut<BasicQueue>(*this, std::move(item)); }

  /// Throws   QueueFull, QueueShutDown; the item is gone with the call: ask `full()` first if it
  ///          cannot be copied.
  void put_nowait(T item) {
    check_put();
    {
      Recount recount{*this};
      items_.push(std::move(item));
    }
    item_added();
  }

  /// Removes and returns the next item; waits while the queue is empty.
  ///
  /// Awaits   an item; does not suspend if there is one. Waiters are served in order of arrival.
  /// Returns  (the await) the item, moved out.
  /// Throws   QueueShutDown if the queue is shut down and empty; RuntimeError in another loop than
  ///          before.
  /// Cancel   takes nothing: an item meant for this waiter goes to the next one.
  /// Thread   the loop's.
  /// asyncio  Queues, Queue.get
  QueueGet<BasicQueue> get() noexcept { return QueueGet<BasicQueue>(*this); }

  /// Throws   QueueEmpty; QueueShutDown if it is shut down as well.
  T get_nowait() {
    check_get();
    Recount recount{*this};
    T item = items_.pop();
    item_removed();
    return item;
  }

  /// `get` for a loop that ends with the queue: `while (auto item = co_await queue.next())`.
  ///
  /// Returns  (the await) the item, or nothing if the queue is shut down and empty.
  QueueNext<BasicQueue> next() noexcept { return QueueNext<BasicQueue>(*this); }

  /// From now on `put` throws QueueShutDown, and `get` does once the queue is empty; who waits
  /// wakes up. If `immediate`, drops the items and counts them as done.
  void shutdown(bool immediate = false) {
    begin_shutdown(immediate);
    if (immediate) items_.clear();
    end_shutdown();
  }

 protected:
  template <class... Args>
  explicit BasicQueue(std::ptrdiff_t maxsize, Args&&... args)
      : QueueBase(maxsize), items_(std::forward<Args>(args)...) {}

 private:
  /// Also when an item's move or comparison throws, the count is that of the items.
  struct Recount {
    ~Recount() { queue.size_ = queue.items_.size(); }
    BasicQueue& queue;
  };

  Items items_;
};

}  // namespace detail

/// Hands items from tasks to tasks, in the order in which they were put. T need only be movable.
///
/// Not for threads: another thread goes through `loop.call_soon_threadsafe`.
///
/// Thread   the loop's.
/// asyncio  Queues, Queue
template <class T>
class Queue : public detail::BasicQueue<T, detail::RingItems<T>> {
 public:
  /// Holds up to `maxsize` items; any number if that is not positive.
  explicit Queue(std::ptrdiff_t maxsize = 0)
      : detail::BasicQueue<T, detail::RingItems<T>>(maxsize) {}
};

/// Hands out the smallest item first. Equal items come out in no promised order.
///
/// asyncio  Queues, PriorityQueue
template <class T, class Less = std::less<T>>
class PriorityQueue : public detail::BasicQueue<T, detail::HeapItems<T, Less>> {
 public:
  explicit PriorityQueue(std::ptrdiff_t maxsize = 0, Less less = Less())
      : detail::BasicQueue<T, detail::HeapItems<T, Less>>(maxsize, std::move(less)) {}
};

/// Hands out the newest item first.
///
/// asyncio  Queues, LifoQueue
template <class T>
class LifoQueue : public detail::BasicQueue<T, detail::StackItems<T>> {
 public:
  explicit LifoQueue(std::ptrdiff_t maxsize = 0)
      : detail::BasicQueue<T, detail::StackItems<T>>(maxsize) {}
};

}  // namespace asyncio

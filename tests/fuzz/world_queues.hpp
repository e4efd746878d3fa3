// SPDX-License-Identifier: BSL-1.0
/// Queues, as the operations of `operations.cpp` use them: what is put and taken is also put into
/// and taken from a plain list, which says what has to come out next.
#pragma once

#include "asyncio/asyncio.hpp"
#include "choices.hpp"

#include <algorithm>
#include <cstddef>
#include <optional>
#include <vector>

namespace fuzz {

// Which of the items comes out next.
inline std::ptrdiff_t next_of(const asyncio::Queue<int>&, const std::vector<int>&) { return 0; }
inline std::ptrdiff_t next_of(const asyncio::LifoQueue<int>&, const std::vector<int>& items) {
  return static_cast<std::ptrdiff_t>(items.size()) - 1;
}
inline std::ptrdiff_t next_of(const asyncio::PriorityQueue<int>&, const std::vector<int>& items) {
  return std::ranges::min_element(items) - items.begin();
}

/// A queue of any kind.
class Line {
 public:
  Line() = default;
  Line(const Line&) = delete;
  Line& operator=(const Line&) = delete;
  virtual ~Line() = default;

  virtual asyncio::Coro<> put(int item) = 0;
  virtual asyncio::Coro<> get() = 0;
  /// The same for who is told of the end by an item that is none.
  virtual asyncio::Coro<> next() = 0;
  virtual asyncio::Coro<> join() = 0;
  /// Nothing if there is no room, or the queue is shut down.
  virtual void put_if_possible(int item) = 0;
  virtual void shut_down(bool immediate) = 0;
  virtual void check_size() const = 0;
};

template <class Q>
class LineOf final : public Line {
 public:
  explicit LineOf(int room) : queue_(room) {}

  asyncio::Coro<> put(int item) override {
    co_await queue_.put(item);
    items_.push_back(item);
  }
  asyncio::Coro<> get() override {
    int item = co_await queue_.get();
    taken(item);
  }
  asyncio::Coro<> next() override {
    std::optional<int> item = co_await queue_.next();
    if (item)
      taken(*item);
    else
      check(is_shut_ && items_.empty(), "a queue ends before its last item");
  }
  asyncio::Coro<> join() override { co_await queue_.join(); }
  void put_if_possible(int item) override {
    if (is_shut_ || queue_.full()) return;
    queue_.put_nowait(item);
    items_.push_back(item);
  }
  void shut_down(bool immediate) override {
    is_shut_ = true;
    if (immediate) items_.clear();
    queue_.shutdown(immediate);
  }
  void check_size() const override {
    check(queue_.qsize() == items_.size(), "items of a queue were lost or made");
  }

 private:
  /// In the same step in which it was taken, so that nobody can have come between.
  void taken(int item) {
    check(!items_.empty(), "an item that nobody has put");
    const auto expected = items_.begin() + next_of(queue_, items_);
    check(item == *expected, "items of a queue come in another order");
    items_.erase(expected);
    queue_.task_done();
  }

  Q queue_;
  std::vector<int> items_;
  bool is_shut_ = false;
};

}  // namespace fuzz

// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "asyncio/detail/core/ready.hpp"

#include <vector>

namespace asyncio::detail {

/// The armed timers of a loop: a 4-ary heap that gives exact deadline order, FIFO among equals,
/// and removes a timer from the middle, so that a cancelled timer costs no memory.
class TimerHeap {
 public:
  bool empty() const noexcept { return entries_.empty(); }
  std::size_t size() const noexcept { return entries_.size(); }
  std::int64_t next_deadline() const noexcept { return entries_.front().when; }

  void push(Timer& timer, std::int64_t when);
  void remove(Timer& timer) noexcept;
  Timer& pop() noexcept;

 private:
  struct Entry {
    std::int64_t when;
    Timer* timer;

    bool before(const Entry& other) const noexcept {
      if (when != other.when) return when < other.when;
      // The counter may wrap; timers armed within 2^31 of each other still compare right.
      return static_cast<std::int32_t>(timer->order - other.timer->order) < 0;
    }
  };

  void place(std::size_t index, Entry entry) noexcept;
  void sift_up(std::size_t index, Entry entry) noexcept;
  void sift_down(std::size_t index, Entry entry) noexcept;

  std::vector<Entry> entries_;
  std::uint32_t armed_ = 0;
};

}  // namespace asyncio::detail

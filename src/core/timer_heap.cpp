// SPDX-License-Identifier: BSL-1.0
#include "asyncio/detail/core/timer_heap.hpp"

#include <algorithm>

namespace asyncio::detail {

namespace {
constexpr std::size_t kArity = 4;
}

void TimerHeap::push(Timer& timer, std::int64_t when) {
  entries_.push_back({when, &timer});
  timer.order = armed_++;
  sift_up(entries_.size() - 1, entries_.back());
}

void TimerHeap::remove(Timer& timer) noexcept {
  if (!timer.armed()) return;
  std::size_t hole = timer.index;
  timer.index = Timer::kIdle;
  Entry last = entries_.back();
  entries_.pop_back();
  if (last.timer != &timer) {
    bool up = hole > 0 && last.before(entries_[(hole - 1) / kArity]);
    if (up)
      sift_up(hole, last);
    else
      sift_down(hole, last);
  }
  // A burst of timers must not pin its peak (fault 33).
  if (entries_.capacity() > 1024 && entries_.size() < entries_.capacity() / 4) {
    try {
      entries_.shrink_to_fit();
    } catch (...) {  // Memory may be short just now; the larger array is still valid.
    }
  }
}

Timer& TimerHeap::pop() noexcept {
  Timer& timer = *entries_.front().timer;
  remove(timer);
  return timer;
}

void TimerHeap::place(std::size_t index, Entry entry) noexcept {
  entries_[index] = entry;
  entry.timer->index = static_cast<std::uint32_t>(index);
}

void TimerHeap::sift_up(std::size_t index, Entry entry) noexcept {
  while (index > 0) {
    std::size_t parent = (index - 1) / kArity;
    if (!entry.before(entries_[parent])) break;
    place(index, entries_[parent]);
    index = parent;
  }
  place(index, entry);
}

void TimerHeap::sift_down(std::size_t index, Entry entry) noexcept {
  for (;;) {
    std::size_t child = index * kArity + 1;
    if (child >= entries_.size()) break;
    std::size_t end = std::min(child + kArity, entries_.size());
    std::size_t least = child;
    for (++child; child < end; ++child)
      if (entries_[child].before(entries_[least])) least = child;
    if (!entries_[least].before(entry)) break;
    place(index, entries_[least]);
    index = least;
  }
  place(index, entry);
}

}  // namespace asyncio::detail

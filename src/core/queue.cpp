// SPDX-License-Identifier: BSL-1.0
#include "asyncio/queue.hpp"

#include <algorithm>

namespace asyncio::detail {

QueueBase::QueueBase(std::ptrdiff_t maxsize) : maxsize_(maxsize) { finished_.set(); }

QueueBase::~QueueBase() {
  while (!woken_.empty()) woken_.pop_front().queue_ = nullptr;
  for (Line* line : {&getters_, &putters_}) {
    while (!line->empty()) {
      auto& waiter = line->pop_front();
      waiter.queue_ = nullptr;
      waiter.fire();
    }
  }
}

void QueueBase::refuse_put() const {
  if (shut_down_) throw QueueShutDown();
  throw QueueFull();
}

void QueueBase::refuse_get() const {
  if (shut_down_) throw QueueShutDown();
  throw QueueEmpty();
}

/// Wakes the first in line that is not cancelled.
void QueueBase::wake_first(Line& line) noexcept {
  do {
    auto& waiter = line.pop_front();
    if (waiter.done()) continue;
    woken_.push_back(waiter);
    waiter.fire_pending();
    return;
  } while (!line.empty());
}

void QueueBase::task_done() {
  if (unfinished_ == 0) throw ValueError("task_done() called too many times");
  if (unfinished_ == 1) finished_.set();
  --unfinished_;
}

void QueueBase::begin_shutdown(bool immediate) {
  for (Line* line : {&getters_, &putters_}) check_thread(*line, "Queue");
  shut_down_ = true;
  if (!immediate) return;
  unfinished_ -= std::min(unfinished_, size_);
  size_ = 0;
  if (unfinished_ == 0) finished_.set();
}

void QueueBase::end_shutdown() {
  for (Line* line : {&getters_, &putters_})
    while (!line->empty()) wake_first(*line);
}

bool QueueWait::may_resume() noexcept {
  unlink();
  cancelled_ = ended_cancelled();
  if (cancelled_ || !queue_ || await_ready()) return true;
  queue_->line(side_).push_back(*this);
  wait_again();
  return false;
}

void QueueWait::fail() {
  if (!cancelled_) throw_destroyed("Queue");
  pass_on();
  throw_cancelled();
}

/// The frame is destroyed while it waits.
void QueueWait::abandon() noexcept {
  unlink();
  if (done()) pass_on();
}

/// If this was woken, somebody else can have what it was woken for.
void QueueWait::pass_on() noexcept {
  if (was_cancelled() || !queue_) return;
  if (!queue_->lacks(side_)) queue_->wake_next(queue_->line(side_));
}

}  // namespace asyncio::detail

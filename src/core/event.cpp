// SPDX-License-Identifier: BSL-1.0
#include "asyncio/sync.hpp"

namespace asyncio {

Event::~Event() {
  while (!waiters_.empty()) {
    auto& waiter = waiters_.pop_front();
    waiter.event_ = nullptr;
    waiter.fire();
  }
}

void Event::set() {
  if (set_) return;
  if (!waiters_.empty()) check_thread_of(waiters_.front());
  set_ = true;
  while (!waiters_.empty()) waiters_.pop_front().fire();
}

namespace detail {

void EventWait::await_suspend(PromiseBase& promise) {
  event_->bind(promise, "Event");
  event_->waiters_.push_back(*this);
  suspend_waiter(promise);
}

void EventWait::finish() {
  bool cancelled = ended_cancelled();
  unlink();
  if (cancelled) throw_cancelled();
  if (!event_) throw_destroyed("Event");
}

}  // namespace detail

}  // namespace asyncio

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
  check_thread(waiters_, "Event");
  set_ = true;
  while (!waiters_.empty()) waiters_.pop_front().fire();
}

namespace detail {

const char* EventWait::primitive_name() const noexcept {
  return kind() == AwaitableKind::queue_join ? "Queue" : "Event";
}

void EventWait::await_suspend(PromiseBase& promise) {
  event_->bind(promise, primitive_name());
  event_->waiters_.push_back(*this);
  suspend_waiter(promise);
}

void EventWait::finish() {
  bool cancelled = ended_cancelled();
  unlink();
  if (cancelled) throw_cancelled();
  if (!event_) throw_destroyed(primitive_name());
}

}  // namespace detail

}  // namespace asyncio

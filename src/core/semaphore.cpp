// SPDX-License-Identifier: BSL-1.0
#include "asyncio/detail/core/guarded_log.hpp"
#include "asyncio/logging.hpp"
#include "asyncio/sync.hpp"

#include <string>

namespace asyncio {

Semaphore::Semaphore(std::ptrdiff_t value, std::ptrdiff_t bound) : value_(value), bound_(bound) {
  if (value < 0) throw ValueError("Semaphore initial value must be >= 0");
}

Semaphore::~Semaphore() {
  settled_.splice_back(waiters_);
  while (!settled_.empty()) {
    auto& waiter = settled_.pop_front();
    waiter.semaphore_ = nullptr;
    waiter.fire();
  }
  while (!scopes_.empty()) scopes_.pop_front().held_ = nullptr;
}

void Semaphore::release() {
  if (value_ >= bound_) throw ValueError("BoundedSemaphore released too many times");
  check_thread(waiters_, "Semaphore");
  ++value_;
  wake_next();
}

void Semaphore::end_scope() noexcept {
  try {
    release();
  } catch (const std::exception& error) {
    detail::log_guarded(LogLevel::error,
                        [&] { return std::string("Scoped<Semaphore>: ") + error.what(); });
  }
}

bool Semaphore::anyone_waits() const noexcept {
  while (!waiters_.empty() && waiters_.front().was_cancelled())
    settled_.push_back(waiters_.pop_front());
  return !waiters_.empty();
}

/// Gives a unit, which there is, to the first in line. Returns false if nobody is.
bool Semaphore::wake_next() noexcept {
  if (!anyone_waits()) return false;
  auto& waiter = waiters_.pop_front();
  settled_.push_back(waiter);
  --value_;
  ++woken_;
  waiter.fire();
  return true;
}

namespace detail {

SemaphoreAcquire::~SemaphoreAcquire() {
  if (linked()) leave(true);
}

void SemaphoreAcquire::await_suspend(PromiseBase& promise) {
  semaphore_->bind(promise, "Semaphore");
  semaphore_->waiters_.push_back(*this);
  suspend_waiter(promise);
}

void SemaphoreAcquire::finish() {
  bool cancelled = ended_cancelled();
  if (semaphore_)
    leave(cancelled);
  else if (!cancelled)
    throw_destroyed("Semaphore");
  if (cancelled) throw_cancelled();
}

/// Leaves the semaphore; gives back the unit, if it got one and was cancelled afterwards.
void SemaphoreAcquire::leave(bool cancelled) noexcept {
  unlink();
  if (done() && !was_cancelled()) {
    --semaphore_->woken_;
    if (cancelled) ++semaphore_->value_;
  }
  // Whoever came while this one was in line had to stand behind it, also if there was a unit.
  while (semaphore_->value_ > 0 && semaphore_->wake_next()) {
  }
}

}  // namespace detail

}  // namespace asyncio

// SPDX-License-Identifier: BSL-1.0
#include "asyncio/concurrent_future.hpp"

#include "asyncio/detail/core/guarded_log.hpp"
#include "asyncio/detail/core/thread_state.hpp"
#include "asyncio/logging.hpp"

namespace asyncio::detail {

ConcurrentStateBase::~ConcurrentStateBase() {
  while (!observers_.empty()) observers_.pop_front().forsaken();
}

bool ConcurrentStateBase::done() const noexcept {
  std::lock_guard lock(mutex_);
  return ended();
}

bool ConcurrentStateBase::running() const noexcept {
  std::lock_guard lock(mutex_);
  return state_ == State::running;
}

bool ConcurrentStateBase::cancelled() const noexcept {
  std::lock_guard lock(mutex_);
  return is_cancelled();
}

bool ConcurrentStateBase::cancel() noexcept {
  List<ConcurrentObserver> observers;
  {
    std::lock_guard lock(mutex_);
    if (is_cancelled()) return true;
    if (state_ != State::pending) return false;
    state_ = State::cancelled;
    observers.splice_back(observers_);
  }
  announce(observers);
  return true;
}

bool ConcurrentStateBase::set_running_or_notify_cancel() {
  std::lock_guard lock(mutex_);
  if (state_ == State::cancelled) {
    state_ = State::notified;
    return false;
  }
  if (state_ != State::pending) throw RuntimeError("Future in unexpected state");
  state_ = State::running;
  return true;
}

bool ConcurrentStateBase::begin() noexcept {
  std::lock_guard lock(mutex_);
  if (state_ == State::cancelled) state_ = State::notified;
  if (state_ != State::pending) return false;
  state_ = State::running;
  return true;
}

void ConcurrentStateBase::check_no_outcome() const {
  if (is_cancelled()) throw InvalidStateError("the ConcurrentFuture is cancelled");
  if (ended()) throw InvalidStateError("the ConcurrentFuture has an outcome already");
}

void ConcurrentStateBase::set_exception(std::exception_ptr error) {
  if (!error) throw TypeError("set_exception: the exception is null");
  finish([&] { error_ = std::move(error); });
}

void ConcurrentStateBase::observe(ConcurrentObserver& observer) noexcept {
  {
    std::lock_guard lock(mutex_);
    if (!ended()) return observers_.push_back(observer);
  }
  observer.ended(*this);
}

void ConcurrentStateBase::announce(List<ConcurrentObserver>& observers) noexcept {
  changed_.notify_all();
  while (!observers.empty()) observers.pop_front().ended(*this);
}

void ConcurrentStateBase::wait(OptionalDelay limit) const {
  std::unique_lock lock(mutex_);
  if (ended()) return;
  bool blocks = !limit || limit->positive();
  if (blocks && loop_ && loop_ == thread_state.running_loop)
    throw RuntimeError(
        "ConcurrentFuture: waiting on the thread of the loop that has to bring the outcome would "
        "deadlock");
  auto has_ended = [this] { return ended(); };
  if (!limit) return changed_.wait(lock, has_ended);
  TimePoint now = std::chrono::time_point_cast<std::chrono::nanoseconds>(Clock::now());
  TimePoint deadline(
      std::chrono::nanoseconds(deadline_after(now.time_since_epoch().count(), *limit)));
  if (!changed_.wait_until(lock, deadline, has_ended)) throw TimeoutError("ConcurrentFuture");
}

std::exception_ptr ConcurrentStateBase::error() const {
  std::lock_guard lock(mutex_);
  if (is_cancelled()) return std::make_exception_ptr(CancelledError());
  return error_;
}

std::exception_ptr ConcurrentStateBase::take_error() {
  std::lock_guard lock(mutex_);
  if (is_cancelled()) return std::make_exception_ptr(CancelledError());
  return std::move(error_);
}

void ConcurrentStateBase::take_once() {
  std::lock_guard lock(mutex_);
  if (taken_) throw InvalidStateError("the value of the ConcurrentFuture was moved out before");
  taken_ = true;
}

void log_callback_error() noexcept {
  log_guarded(LogLevel::error, [] {
    return "exception calling callback of a ConcurrentFuture\n" +
           describe_exception(std::current_exception());
  });
}

}  // namespace asyncio::detail

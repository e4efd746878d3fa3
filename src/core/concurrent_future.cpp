// SPDX-License-Identifier: BSL-1.0
#include "asyncio/concurrent_future.hpp"

#include "asyncio/detail/core/thread_state.hpp"
#include "asyncio/logging.hpp"

namespace asyncio::detail {

bool ConcurrentStateBase::done() const {
  std::lock_guard lock(mutex_);
  return ended();
}

bool ConcurrentStateBase::running() const {
  std::lock_guard lock(mutex_);
  return state_ == State::running;
}

bool ConcurrentStateBase::cancelled() const {
  std::lock_guard lock(mutex_);
  return state_ == State::cancelled;
}

bool ConcurrentStateBase::cancel() {
  std::vector<std::function<void()>> callbacks;
  {
    std::lock_guard lock(mutex_);
    if (state_ == State::cancelled) return true;
    if (state_ != State::pending) return false;
    state_ = State::cancelled;
    callbacks.swap(callbacks_);
  }
  changed_.notify_all();
  run_callbacks(std::move(callbacks));
  return true;
}

bool ConcurrentStateBase::set_running_or_notify_cancel() {
  std::lock_guard lock(mutex_);
  if (state_ == State::cancelled) return false;
  if (state_ != State::pending)
    throw InvalidStateError("ConcurrentFuture: the work has begun already");
  state_ = State::running;
  return true;
}

void ConcurrentStateBase::finish(const std::function<void()>& store) {
  std::vector<std::function<void()>> callbacks;
  {
    std::lock_guard lock(mutex_);
    if (ended()) throw InvalidStateError("ConcurrentFuture: there is an outcome already");
    store();
    state_ = State::finished;
    callbacks.swap(callbacks_);
  }
  changed_.notify_all();
  run_callbacks(std::move(callbacks));
}

void ConcurrentStateBase::set_exception(std::exception_ptr error) {
  finish([&] { error_ = std::move(error); });
}

void ConcurrentStateBase::add_done_callback(std::function<void()> callback) {
  {
    std::lock_guard lock(mutex_);
    if (!ended()) {
      callbacks_.push_back(std::move(callback));
      return;
    }
  }
  std::vector<std::function<void()>> now;
  now.push_back(std::move(callback));
  run_callbacks(std::move(now));
}

void ConcurrentStateBase::run_callbacks(std::vector<std::function<void()>> callbacks) noexcept {
  for (auto& callback : callbacks) {
    try {
      callback();
    } catch (...) {  // As CPython: logged, and the others run.
      log(LogLevel::error, "exception calling callback of a ConcurrentFuture: " +
                               describe_exception(std::current_exception()));
    }
  }
}

void ConcurrentStateBase::wait(OptionalDelay limit) const {
  std::unique_lock lock(mutex_);
  if (ended()) return;
  if (loop_ && loop_ == thread_state.running_loop)
    throw RuntimeError(
        "ConcurrentFuture: waiting on the thread of the loop that has to bring the outcome would "
        "deadlock");
  auto has_ended = [this] { return ended(); };
  if (!limit) return changed_.wait(lock, has_ended);
  std::int64_t now = Clock::now().time_since_epoch().count();
  TimePoint deadline{std::chrono::nanoseconds(deadline_after(now, *limit))};
  if (!changed_.wait_until(lock, deadline, has_ended)) throw TimeoutError("ConcurrentFuture");
}

std::exception_ptr ConcurrentStateBase::error() const {
  std::lock_guard lock(mutex_);
  if (state_ == State::cancelled) return std::make_exception_ptr(CancelledError());
  return error_;
}

}  // namespace asyncio::detail

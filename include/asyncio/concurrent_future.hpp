// SPDX-License-Identifier: BSL-1.0
/// ConcurrentFuture: an outcome that travels between threads.
#pragma once

#include "asyncio/exceptions.hpp"
#include "asyncio/result.hpp"
#include "asyncio/time.hpp"

#include <condition_variable>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <type_traits>
#include <utility>
#include <vector>

namespace asyncio {

template <class T>
class ConcurrentFuture;

namespace detail {

class Loop;

/// The part of a ConcurrentFuture's state that does not depend on its type.
///
/// States: pending → (running →) finished, or pending → cancelled. All under `mutex_`; callbacks
/// run without it, in the thread that ended the future.
class ConcurrentStateBase {
 public:
  ConcurrentStateBase() = default;
  ConcurrentStateBase(const ConcurrentStateBase&) = delete;
  ConcurrentStateBase& operator=(const ConcurrentStateBase&) = delete;
  virtual ~ConcurrentStateBase() = default;

  bool done() const;
  bool running() const;
  bool cancelled() const;
  bool cancel();
  bool set_running_or_notify_cancel();
  void set_exception(std::exception_ptr error);
  void add_done_callback(std::function<void()> callback);
  /// Waits for the end. Throws TimeoutError; RuntimeError where waiting could never end.
  void wait(OptionalDelay limit) const;
  /// The exception of a finished one, a CancelledError for a cancelled one, else null.
  std::exception_ptr error() const;
  /// A loop whose thread must not block for this, since it has to bring the outcome.
  void completed_by(const Loop& loop) noexcept { loop_ = &loop; }

 protected:
  /// Makes the value under the lock. Throws InvalidStateError if there is an outcome.
  void finish(const std::function<void()>& store);

 private:
  enum class State { pending, running, cancelled, finished };
  bool ended() const noexcept { return state_ == State::cancelled || state_ == State::finished; }
  void run_callbacks(std::vector<std::function<void()>> callbacks) noexcept;

  mutable std::mutex mutex_;
  mutable std::condition_variable changed_;
  State state_ = State::pending;
  std::exception_ptr error_;
  std::vector<std::function<void()>> callbacks_;
  const Loop* loop_ = nullptr;
};

template <class T>
class ConcurrentState final : public ConcurrentStateBase {
 public:
  using Stored =
      std::conditional_t<std::is_reference_v<T>, std::remove_reference_t<T>*, value_or_unit_t<T>>;

  template <class... U>
  void set_result(U&&... value) {
    finish([&] {
      if constexpr (std::is_reference_v<T>)
        value_.emplace(std::addressof(value)...);
      else
        value_.emplace(std::forward<U>(value)...);
    });
  }

  /// The value of a future that has ended with one.
  T copy() const {
    if constexpr (std::is_void_v<T>) {
      return;
    } else if constexpr (std::is_reference_v<T>) {
      return **value_;
    } else {
      return *value_;
    }
  }
  T take() {
    if constexpr (std::is_void_v<T>) {
      return;
    } else if constexpr (std::is_reference_v<T>) {
      return **value_;
    } else {
      return std::move(*value_);
    }
  }

 private:
  std::optional<Stored> value_;
};

}  // namespace detail

/// The outcome of a job in a thread, or of a coroutine that another thread submitted. Copies name
/// the same one.
///
/// Thread   any.
/// asyncio  concurrent.futures, Future Objects
template <class T = void>
class ConcurrentFuture {
 public:
  using value_type = T;

  /// A pending one, for who sets its outcome.
  ConcurrentFuture() : state_(std::make_shared<detail::ConcurrentState<T>>()) {}

  bool done() const { return state_->done(); }
  bool running() const { return state_->running(); }
  bool cancelled() const { return state_->cancelled(); }
  /// Cancels what has not begun.
  ///
  /// Returns  false if it runs or has ended, other than by a cancellation.
  bool cancel() const { return state_->cancel(); }

  /// Blocks until there is an outcome, at most for `limit`.
  ///
  /// Returns  the value; one that cannot be copied is moved out, once.
  /// Throws   TimeoutError; CancelledError; the exception; RuntimeError on the thread of the loop
  ///          that has to bring the outcome, where this would wait for ever.
  T result(OptionalDelay limit = std::nullopt) const {
    state_->wait(limit);
    if (std::exception_ptr error = state_->error()) std::rethrow_exception(error);
    if constexpr (std::is_void_v<T> || std::is_copy_constructible_v<T>)
      return state_->copy();
    else
      return state_->take();
  }
  /// The same for the exception: null if there is a value.
  std::exception_ptr exception(OptionalDelay limit = std::nullopt) const {
    state_->wait(limit);
    if (state_->cancelled()) throw CancelledError();
    return state_->error();
  }

  /// Calls `function(future)` once there is an outcome, in the thread that brings it, or at once.
  /// What it throws goes to the log.
  template <class F>
  void add_done_callback(F function) const {
    state_->add_done_callback(
        [self = *this, function = std::move(function)]() mutable { function(self); });
  }

  /// For who runs the work: false, and the end of it, if it was cancelled before it began.
  bool set_running_or_notify_cancel() const { return state_->set_running_or_notify_cancel(); }
  /// Throws   InvalidStateError if there is an outcome.
  template <class... U>
    requires(sizeof...(U) == (std::is_void_v<T> ? 0 : 1))
  void set_result(U&&... value) const {
    state_->set_result(std::forward<U>(value)...);
  }
  void set_exception(std::exception_ptr error) const { state_->set_exception(std::move(error)); }

  const std::shared_ptr<detail::ConcurrentState<T>>& state() const noexcept { return state_; }

 private:
  std::shared_ptr<detail::ConcurrentState<T>> state_;
};

}  // namespace asyncio

// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "asyncio/detail/core/ready.hpp"
#include "asyncio/exceptions.hpp"
#include "asyncio/result.hpp"
#include "asyncio/time.hpp"

#include <condition_variable>
#include <cstdint>
#include <exception>
#include <memory>
#include <mutex>
#include <optional>
#include <type_traits>
#include <utility>

namespace asyncio::detail {

class ConcurrentStateBase;
class Loop;

/// What is told, once, that a ConcurrentFuture has an outcome: by the thread that brings it, or at
/// once. It is told instead when the future dies without one. Then it belongs to itself.
class ConcurrentObserver : public Links {
 public:
  virtual void ended(ConcurrentStateBase& state) noexcept = 0;
  virtual void forsaken() noexcept = 0;

 protected:
  ConcurrentObserver() noexcept = default;
  ConcurrentObserver(const ConcurrentObserver&) = delete;
  ConcurrentObserver& operator=(const ConcurrentObserver&) = delete;
  ~ConcurrentObserver() = default;
};

/// The part of a ConcurrentFuture's state that does not depend on its type. CPython:
/// concurrent/futures/_base.py, Future.
///
/// States: pending → running → finished, pending → finished, or pending → cancelled → notified,
/// where `notified` is a cancellation that who runs the work has seen. Everything is under
/// `mutex_`, but for the value and error of an ended future, which do not change any more.
/// Observers are told without the lock. Who calls a member keeps the object alive.
class ConcurrentStateBase : public std::enable_shared_from_this<ConcurrentStateBase> {
 public:
  ConcurrentStateBase(const ConcurrentStateBase&) = delete;
  ConcurrentStateBase& operator=(const ConcurrentStateBase&) = delete;
  virtual ~ConcurrentStateBase();

  bool done() const noexcept;
  bool running() const noexcept;
  bool cancelled() const noexcept;

  /// False if it is running or finished.
  bool cancel() noexcept;
  /// False if it is cancelled. Throws RuntimeError if it is neither pending nor cancelled.
  bool set_running_or_notify_cancel();
  /// The same without the error: whether it was pending.
  bool begin() noexcept;
  /// Throws InvalidStateError if there is an outcome.
  void set_exception(std::exception_ptr error);
  /// Asks the work, if it can be asked, to end early.
  virtual void request_stop() noexcept {}

  void observe(ConcurrentObserver& observer) noexcept;
  /// Waits for the end. Throws TimeoutError; RuntimeError where waiting could never end.
  void wait(OptionalDelay limit) const;
  /// The exception of an ended one: for a cancelled one a CancelledError, null for a value.
  std::exception_ptr error() const;
  /// The same for the only one who can ask for it. So it is freed where it was looked at: an
  /// exception is counted inside the C++ library, where ThreadSanitizer sees no order of threads.
  std::exception_ptr take_error();
  /// `loop` has to bring the outcome, so its thread must not wait for it.
  void completed_by(const Loop& loop) noexcept { loop_ = &loop; }

 protected:
  ConcurrentStateBase() noexcept = default;

  /// Calls `store`, which makes the value, and ends the future. Throws InvalidStateError.
  template <class Store>
  void finish(Store store) {
    List<ConcurrentObserver> observers;
    {
      std::lock_guard lock(mutex_);
      check_no_outcome();
      store();
      state_ = State::finished;
      observers.splice_back(observers_);
    }
    announce(observers);
  }
  /// For the part of a result that can be taken once. Throws InvalidStateError the second time.
  void take_once();

 private:
  enum class State : std::uint8_t { pending, running, cancelled, notified, finished };

  bool ended() const noexcept { return state_ >= State::cancelled; }
  bool is_cancelled() const noexcept {
    return state_ == State::cancelled || state_ == State::notified;
  }
  void check_no_outcome() const;
  void announce(List<ConcurrentObserver>& observers) noexcept;

  mutable std::mutex mutex_;
  mutable std::condition_variable changed_;
  State state_ = State::pending;
  bool taken_ = false;
  std::exception_ptr error_;
  List<ConcurrentObserver> observers_;
  const Loop* loop_ = nullptr;
};

template <class T>
class ConcurrentState : public ConcurrentStateBase {
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

  /// The value of a future that has ended with one: a copy, or if it cannot be copied the value
  /// itself, once.
  T value() {
    if constexpr (std::is_void_v<T>) {
      return;
    } else if constexpr (std::is_reference_v<T>) {
      return static_cast<T>(**value_);
    } else if constexpr (std::is_copy_constructible_v<T>) {
      return *value_;
    } else {
      take_once();
      return std::move(*value_);
    }
  }

  /// The value itself, for the only one who can ask for it.
  T take() {
    if constexpr (std::is_void_v<T>)
      return;
    else if constexpr (std::is_reference_v<T>)
      return static_cast<T>(**value_);
    else
      return std::move(*value_);
  }

 private:
  std::optional<Stored> value_;
};

}  // namespace asyncio::detail

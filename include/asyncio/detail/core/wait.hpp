// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "asyncio/detail/core/awaitable_kind.hpp"
#include "asyncio/detail/core/promise.hpp"
#include "asyncio/detail/core/ready.hpp"
#include "asyncio/detail/core/task_state.hpp"

#include <exception>
#include <utility>

namespace asyncio::detail {

/// What a suspended task waits for: an object inside the awaiting frame, which the awaited thing
/// links and which knows how to be cancelled. It stands for the future that CPython's task has in
/// `_fut_waiter`.
///
/// A class derived from Wait is a leaf awaiter. The task calls, in this order:
/// `await_ready()`, then unless that was true `await_suspend(promise)`, which ends in
/// `suspend_task`; later, from a step of the task, `await_resume()`, which first asks
/// `cancel_delivered()`. Between the two, `cancel()` may be called once or more, and the object
/// may be destroyed instead of resumed.
class Wait {
 public:
  Wait(const Wait&) = delete;
  Wait& operator=(const Wait&) = delete;

  /// Like Future.cancel of the future that is waited for: false if that is done already, so that
  /// the task has to remember the request itself.
  virtual bool cancel(const std::exception_ptr& reason) = 0;
  virtual AwaitableKind kind() const noexcept = 0;
  /// Asked in the step after a wake-up, if `ask_before_resuming` was called: false to go on
  /// waiting, in that case with another wake-up to come. Stands for the `while` loops around an
  /// `await` in CPython's primitives.
  virtual bool may_resume() noexcept { return true; }
  /// The future or task that is awaited, if it is one.
  virtual FutureState* awaited() const noexcept { return nullptr; }

  TaskState* task() const noexcept { return task_; }

 protected:
  Wait() noexcept = default;
  /// An awaiter may be moved until it is awaited, so that it can be stored or passed on.
  Wait(Wait&&) noexcept {}
  ~Wait() = default;

  /// The innermost frame of the task is now suspended, waiting for this.
  void suspend_task(PromiseBase& promise) {
    task_ = promise.task;
    task_->suspend(*this);
  }
  /// To be called after `suspend_task`: `may_resume` has a say in each wake-up of this wait.
  void ask_before_resuming() noexcept { task_->ask_before_resuming(); }
  /// Whether this resumption has to throw `throw_cancelled()` instead of giving a value.
  bool cancel_delivered() noexcept { return task_ && task_->take_delivered_cancel(); }
  /// Inline, because the unwinder's work is by the frame.
  [[noreturn, gnu::always_inline]] void throw_cancelled() {
    std::rethrow_exception(task_->take_cancellation());
  }
  /// Puts the task into the ready queue.
  void wake() noexcept { task_->wake(); }
  void wake_cancelled(const std::exception_ptr& reason) noexcept { task_->wake_cancelled(reason); }

  TaskState* task_ = nullptr;
};

/// Links that leave their list with the object.
struct OwnLinks : Links {
  ~OwnLinks() { unlink(); }
};

/// A leaf awaiter that a primitive (lock, event, queue, ...) keeps in a list: the future that the
/// corresponding code in CPython creates for each waiter.
///
/// A primitive may leave it in the list until `await_resume`, also when it has fired or is
/// cancelled: CPython's primitives remove it in the waiter's `finally`, and the order of wake-ups
/// of some of them depends on that.
class Waiter : public Wait, public OwnLinks {
 public:
  Waiter() noexcept = default;
  Waiter(Waiter&& idle) noexcept : Wait(std::move(idle)), OwnLinks() {}

  bool done() const noexcept { return state_ >= State::fired; }
  bool was_cancelled() const noexcept { return state_ == State::cancelled; }

  /// Like set_result: the task runs on in the next iteration. Only once, only while pending.
  void fire() noexcept {
    if (state_ == State::pending) fire_pending();
  }
  /// The same for one that is known to be pending.
  void fire_pending() noexcept {
    state_ = State::fired;
    wake();
  }

  bool cancel(const std::exception_ptr& reason) override {
    if (state_ != State::pending) return false;
    state_ = State::cancelled;
    wake_cancelled(reason);
    return true;
  }

 protected:
  ~Waiter() = default;

  void suspend_waiter(PromiseBase& promise) {
    state_ = State::pending;
    suspend_task(promise);
  }
  /// In `may_resume`, before it returns false: this can be fired and cancelled again.
  void wait_again() noexcept { state_ = State::pending; }

  /// Whether the wait ended by a cancellation: its own, or one that came after it had fired.
  bool ended_cancelled() noexcept {
    bool delivered = cancel_delivered();
    return delivered || state_ == State::cancelled;
  }
  bool suspended() const noexcept { return state_ != State::idle; }

 private:
  enum class State : unsigned char { idle, pending, fired, cancelled };
  State state_ = State::idle;
};

}  // namespace asyncio::detail

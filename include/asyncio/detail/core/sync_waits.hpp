// SPDX-License-Identifier: BSL-1.0
/// The awaiters of the synchronization primitives. Each stays in its primitive's list while its
/// task waits, so that either may be destroyed first: a primitive that goes away takes itself out
/// of its waiters, which then throw RuntimeError.
#pragma once

#include "asyncio/detail/core/ready.hpp"
#include "asyncio/detail/core/wait.hpp"

#include <exception>
#include <utility>

namespace asyncio {

class Condition;
class Event;
class Lock;
class Semaphore;
template <class Primitive>
class Scoped;

namespace detail {

/// A place in a lock's queue. CPython: Lock.acquire.
class LockWait : public Waiter {
 public:
  bool cancel(const std::exception_ptr& reason) final;

 protected:
  explicit LockWait(Lock& lock) noexcept : lock_(&lock) {}
  LockWait(LockWait&&) noexcept = default;
  ~LockWait();

  void join_queue() noexcept;
  /// Takes the lock, or, if cancelled, makes sure that the next one in line wakes up.
  void leave_queue(bool cancelled) noexcept;

  Lock* lock_;  // null if the lock was destroyed meanwhile
  bool queued_ = false;

 private:
  friend class asyncio::Lock;
};

class [[nodiscard("co_await it")]] LockAcquire : public LockWait {
 public:
  explicit LockAcquire(Lock& lock) noexcept : LockWait(lock) {}

  inline bool await_ready() noexcept;
  void await_suspend(PromiseBase& promise);
  bool await_resume() {
    if (suspended()) finish();
    return true;
  }
  AwaitableKind kind() const noexcept final { return AwaitableKind::lock_acquire; }

 protected:
  Lock& primitive() const noexcept { return *lock_; }

 private:
  void finish();
};

class [[nodiscard("co_await it")]] EventWait : public Waiter {
 public:
  explicit EventWait(Event& event) noexcept : event_(&event) {}

  inline bool await_ready() const noexcept;
  void await_suspend(PromiseBase& promise);
  bool await_resume() {
    if (suspended()) finish();
    return true;
  }
  AwaitableKind kind() const noexcept override { return AwaitableKind::event_wait; }

 private:
  friend class asyncio::Event;
  void finish();
  /// What the user knows it as.
  const char* primitive_name() const noexcept;

  Event* event_;  // null if the event was destroyed before it was set
};

/// The place of a ConditionWait in its condition, apart from that in the lock's queue.
struct ConditionLinks : Links {
  ~ConditionLinks() { unlink(); }
};

/// Has three phases, in each of which it may be cancelled: waits to be notified; waits for the
/// lock, as often as it takes; resumes the task. It is in one of the condition's lists until the
/// last one, and in the lock's queue in the second. CPython: Condition.wait.
class [[nodiscard("co_await it")]] ConditionWait : public LockWait, public ConditionLinks {
 public:
  explicit ConditionWait(Condition& condition) noexcept;
  ConditionWait(ConditionWait&& idle) noexcept
      : LockWait(std::move(idle)),
        ConditionLinks(),
        condition_(idle.condition_),
        name_(idle.name_) {}
  ~ConditionWait();

  bool await_ready() const noexcept { return false; }
  void await_suspend(PromiseBase& promise);
  bool await_resume();
  bool may_resume() noexcept final;
  AwaitableKind kind() const noexcept final { return AwaitableKind::condition_wait; }

 private:
  friend class asyncio::Condition;

  Condition* condition_;       // null if it was destroyed meanwhile
  const char* name_;           // what the user knows the condition as
  List<Scoped<Lock>> scopes_;  // who gets the lock back, taken from the lock while it is released
  std::exception_ptr error_;   // the latest cancellation's, or null for a plain CancelledError
  bool cancelled_ = false;
};

class [[nodiscard("co_await it")]] SemaphoreAcquire : public Waiter {
 public:
  explicit SemaphoreAcquire(Semaphore& semaphore) noexcept : semaphore_(&semaphore) {}
  SemaphoreAcquire(SemaphoreAcquire&&) noexcept = default;
  ~SemaphoreAcquire();

  inline bool await_ready() noexcept;
  void await_suspend(PromiseBase& promise);
  bool await_resume() {
    if (suspended()) finish();
    return true;
  }
  AwaitableKind kind() const noexcept final { return AwaitableKind::semaphore_acquire; }

 protected:
  Semaphore& primitive() const noexcept { return *semaphore_; }

 private:
  friend class asyncio::Semaphore;
  void finish();
  void leave(bool cancelled) noexcept;

  Semaphore* semaphore_;  // null if the semaphore was destroyed meanwhile
};

/// An acquisition that gives nothing: what `aenter` awaits.
template <class Acquire>
class [[nodiscard("co_await it")]] Enter : public Acquire {
 public:
  using Acquire::Acquire;
  void await_resume() { Acquire::await_resume(); }
};

/// An acquisition that gives a guard.
template <class Acquire, class Primitive>
class [[nodiscard("co_await it")]] EnterScope : public Acquire {
 public:
  using Acquire::Acquire;
  Scoped<Primitive> await_resume() {
    Acquire::await_resume();
    return Scoped<Primitive>(Acquire::primitive());
  }
};

}  // namespace detail
}  // namespace asyncio

// SPDX-License-Identifier: BSL-1.0
/// The chapter "Synchronization Primitives" of asyncio's documentation.
///
/// For tasks of one loop, not for threads. All serve their waiters in order of arrival, and all
/// hand over what a cancelled waiter was about to get. A primitive belongs to the loop in which a
/// task first had to wait for it; waiting in another one throws RuntimeError. It has to outlive
/// its waiters: destroying it makes their awaits throw RuntimeError.
#pragma once

#include "asyncio/coro.hpp"
#include "asyncio/detail/core/callable_check.hpp"
#include "asyncio/detail/core/loop_bound.hpp"
#include "asyncio/detail/core/ready.hpp"
#include "asyncio/detail/core/sync_waits.hpp"
#include "asyncio/exceptions.hpp"

#include <cstddef>
#include <exception>
#include <functional>
#include <limits>
#include <optional>
#include <type_traits>
#include <utility>

namespace asyncio {

namespace detail {

/// Whether Condition::wait_for can call F.
template <class F>
consteval bool check_predicate() {
  if constexpr (!std::is_invocable_v<F&>) {
    static_assert(never_v<F>, "the predicate takes no argument");
    return false;
  } else if constexpr (is_awaitable_v<std::invoke_result_t<F&>>) {
    static_assert(never_v<F>,
                  "the predicate does not await: co_await the condition in a loop instead, "
                  "while (!co_await ready()) co_await condition.wait()");
    return false;
  } else {
    return true;
  }
}

}  // namespace detail

/// Holds a Lock or one unit of a Semaphore until it is destroyed: what `co_await x.scoped()` gives.
/// Outliving the primitive is harmless.
///
/// Thread   the loop's. An error of the release goes to the log.
template <class Primitive>
class [[nodiscard("it releases when it is destroyed")]] Scoped : public detail::Links {
 public:
  Scoped(Scoped&& other) noexcept { take(other); }
  Scoped& operator=(Scoped&& other) noexcept {
    if (this != &other) {
      release();
      take(other);
    }
    return *this;
  }
  ~Scoped() { release(); }

  /// Releases now. A second call does nothing.
  void release() noexcept {
    unlink();
    if (held_) std::exchange(held_, nullptr)->end_scope();
  }

 private:
  friend Primitive;
  friend class Condition;
  friend class detail::ConditionWait;
  template <class Acquire, class P>
  friend class detail::EnterScope;
  explicit Scoped(Primitive& primitive) noexcept { hold(primitive); }

  void hold(Primitive& primitive) noexcept {
    held_ = &primitive;
    primitive.scopes_.push_back(*this);
  }
  void take(Scoped& other) noexcept {
    held_ = std::exchange(other.held_, nullptr);
    if (!other.linked()) return;
    next = other.next;
    prev = other.prev;
    next->prev = prev->next = this;
    other.next = other.prev = nullptr;
  }

  Primitive* held_ = nullptr;
};

/// Mutual exclusion for tasks. Not reentrant.
///
///     co_await with(lock, [&]() -> Coro<> { ... });
///     auto held = co_await lock.scoped();  // until the end of the block
///
/// Thread   the loop's.
/// asyncio  Synchronization Primitives, Lock
class Lock : private detail::LoopBound {
 public:
  Lock() noexcept = default;
  ~Lock();

  /// Takes the lock.
  ///
  /// Awaits   its release; does not suspend if it is free and nobody is ahead in line.
  /// Returns  (the await) true.
  /// Throws   RuntimeError in another loop than before.
  /// Cancel   leaves the line; if the lock was about to come here, the next one gets it.
  detail::LockAcquire acquire() noexcept { return detail::LockAcquire(*this); }

  /// Gives the lock back; the first in line wakes up.
  ///
  /// Throws   RuntimeError if it is not taken.
  void release() {
    if (!locked_) throw RuntimeError("Lock is not acquired.");
    check_thread(waiters_, "Lock");
    unlock();
  }

  bool locked() const noexcept { return locked_; }

  /// `acquire()`, with a guard as the result of the await.
  detail::EnterScope<detail::LockAcquire, Lock> scoped() noexcept {
    return detail::EnterScope<detail::LockAcquire, Lock>(*this);
  }

  detail::Enter<detail::LockAcquire> aenter() noexcept {
    return detail::Enter<detail::LockAcquire>(*this);
  }
  bool aexit(const std::exception_ptr&) {
    release();
    return false;
  }

 private:
  friend class detail::LockWait;
  friend class detail::LockAcquire;
  friend class detail::ConditionWait;
  friend class Scoped<Lock>;

  bool take_if_free() noexcept {
    if (locked_ || claims_ != 0) return false;
    locked_ = true;
    return true;
  }
  void unlock() noexcept {
    locked_ = false;
    wake_first();
  }
  void wake_first() noexcept {
    if (!waiters_.empty()) waiters_.front().fire();
  }
  void end_scope() noexcept;

  // In order of arrival. One that was cancelled stays until its task has run: a release meanwhile
  // wakes nobody, its task does.
  detail::List<detail::LockWait> waiters_;
  detail::List<Scoped<Lock>> scopes_;
  std::size_t claims_ = 0;  // how many of the waiters are not cancelled
  bool locked_ = false;
};

/// A flag that tasks wait for.
///
/// Thread   the loop's; from another thread, `loop.call_soon_threadsafe([&] { event.set(); })`.
/// asyncio  Synchronization Primitives, Event
class Event : private detail::LoopBound {
 public:
  Event() noexcept = default;
  ~Event();

  /// Awaits   the flag; does not suspend if it is set. A `clear` between `set` and the waiter's
  ///          turn does not matter.
  /// Returns  (the await) true.
  /// Throws   RuntimeError in another loop than before.
  /// Cancel   ends the wait.
  detail::EventWait wait() noexcept { return detail::EventWait(*this); }

  /// Raises the flag and wakes all who wait.
  void set();
  void clear() noexcept { set_ = false; }
  bool is_set() const noexcept { return set_; }

 private:
  friend class detail::EventWait;

  detail::List<detail::EventWait> waiters_;
  bool set_ = false;
};

/// Tasks wait until another one, under the same lock, says that something has changed.
///
/// Thread   the loop's.
/// asyncio  Synchronization Primitives, Condition
class Condition : private detail::LoopBound {
 public:
  /// With a lock of its own.
  Condition() : own_(std::in_place), lock_(*own_) {}
  /// With a lock that may be shared with other conditions, and that outlives this one.
  explicit Condition(Lock& lock) noexcept : lock_(lock) {}
  ~Condition();

  detail::LockAcquire acquire() noexcept { return lock_.acquire(); }
  void release() { lock_.release(); }
  bool locked() const noexcept { return lock_.locked(); }
  /// `acquire()`, with a guard as the result of the await; `wait` knows of it.
  detail::EnterScope<detail::LockAcquire, Lock> scoped() noexcept { return lock_.scoped(); }
  detail::Enter<detail::LockAcquire> aenter() noexcept { return lock_.aenter(); }
  bool aexit(const std::exception_ptr& error) { return lock_.aexit(error); }

  /// Releases the lock, waits, takes the lock again. May return without a notification: ask for
  /// what you wait for in a loop, or use `wait_for`.
  ///
  /// Awaits   a notification, then the lock.
  /// Returns  (the await) true, with the lock taken.
  /// Throws   RuntimeError("cannot wait on un-acquired lock"), and in another loop than before.
  /// Cancel   throws once the lock is taken again; the notification goes to another waiter.
  detail::ConditionWait wait() noexcept { return detail::ConditionWait(*this); }

  /// Waits until `predicate()`, called with the lock taken, gives something that is true.
  ///
  /// Awaits   notifications; none if the predicate is true at once.
  /// Returns  (the await) the predicate's value.
  /// Throws   what the predicate throws, and as `wait`.
  /// Cancel   as `wait`.
  template <class F>
  auto wait_for(F&& predicate) {
    using Predicate = std::decay_t<F>;
    detail::check_named<F>();
    if constexpr (detail::check_predicate<Predicate>())
      return wait_until_true(this, Predicate(std::forward<F>(predicate)));
    else
      return detail::Refused();
  }

  /// Wakes up to `count` waiters, which return once they have got the lock.
  ///
  /// Throws   RuntimeError("cannot notify on un-acquired lock").
  void notify(std::ptrdiff_t count = 1);
  void notify_all() { notify(std::numeric_limits<std::ptrdiff_t>::max()); }

 private:
  friend class detail::ConditionWait;
  friend class Barrier;

  // Static: a parameter that is a reference, as `this` would be, counts as one that may dangle.
  template <class F>
  static Coro<std::decay_t<std::invoke_result_t<F&>>> wait_until_true(Condition* condition,
                                                                      F predicate) {
    auto value = predicate();
    while (!value) {
      co_await condition->wait();
      value = predicate();
    }
    co_return value;
  }
  void wake(std::ptrdiff_t count) noexcept;
  void wake_all() noexcept { wake(std::numeric_limits<std::ptrdiff_t>::max()); }

  /// A part of a `name`.
  explicit Condition(const char* name) : own_(std::in_place), lock_(*own_), name_(name) {}

  std::optional<Lock> own_;
  Lock& lock_;
  const char* const name_ = "Condition";
  detail::List<detail::ConditionLinks> waiters_;
  detail::List<detail::ConditionLinks> woken_;  // notified or cancelled, and not resumed yet
};

/// Admits so many tasks at a time.
///
/// Thread   the loop's.
/// asyncio  Synchronization Primitives, Semaphore
class Semaphore : private detail::LoopBound {
 public:
  /// Throws   ValueError("Semaphore initial value must be >= 0").
  explicit Semaphore(std::ptrdiff_t value = 1)
      : Semaphore(value, std::numeric_limits<std::ptrdiff_t>::max()) {}
  ~Semaphore();

  /// Takes one unit.
  ///
  /// Awaits   a unit; does not suspend if there is one and nobody is ahead in line.
  /// Returns  (the await) true.
  /// Throws   RuntimeError in another loop than before.
  /// Cancel   leaves the line; a unit that was about to come here goes to the next one.
  detail::SemaphoreAcquire acquire() noexcept { return detail::SemaphoreAcquire(*this); }

  /// Adds one unit, which goes to the first in line.
  ///
  /// Throws   (BoundedSemaphore) ValueError if that would be more than it began with.
  void release();

  /// Whether `acquire` would have to wait.
  bool locked() const noexcept { return value_ == 0 || woken_ != 0 || anyone_waits(); }

  /// `acquire()`, with a guard as the result of the await.
  detail::EnterScope<detail::SemaphoreAcquire, Semaphore> scoped() noexcept {
    return detail::EnterScope<detail::SemaphoreAcquire, Semaphore>(*this);
  }

  detail::Enter<detail::SemaphoreAcquire> aenter() noexcept {
    return detail::Enter<detail::SemaphoreAcquire>(*this);
  }
  bool aexit(const std::exception_ptr&) {
    release();
    return false;
  }

 protected:
  Semaphore(std::ptrdiff_t value, std::ptrdiff_t bound);

 private:
  friend class detail::SemaphoreAcquire;
  friend class Scoped<Semaphore>;

  bool anyone_waits() const noexcept;
  bool wake_next() noexcept;
  void end_scope() noexcept;

  // Those that are woken or were passed over as cancelled have left the line; mutable because the
  // cancelled ones leave it when somebody looks.
  mutable detail::List<detail::SemaphoreAcquire> waiters_;
  mutable detail::List<detail::SemaphoreAcquire> settled_;
  detail::List<Scoped<Semaphore>> scopes_;
  std::ptrdiff_t value_;
  const std::ptrdiff_t bound_;
  std::size_t woken_ = 0;  // how many of the settled ones hold a unit
};

/// A semaphore that refuses to be released more often than it was acquired.
///
/// asyncio  Synchronization Primitives, BoundedSemaphore
class BoundedSemaphore : public Semaphore {
 public:
  explicit BoundedSemaphore(std::ptrdiff_t value = 1) : Semaphore(value, value) {}
};

/// Lets its parties go together, again and again.
///
///     int position = co_await barrier.wait();
///     co_await with(barrier, [&](int position) -> Coro<> { ... });
///
/// Thread   the loop's.
/// asyncio  Synchronization Primitives, Barrier
class Barrier {
 public:
  /// Throws   ValueError("parties must be >= 1").
  explicit Barrier(int parties);
  Barrier(const Barrier&) = delete;
  Barrier& operator=(const Barrier&) = delete;
  ~Barrier();

  /// Awaits   the arrival of all parties; before that, if the last round is still leaving, its end.
  /// Returns  (the await) the order of arrival, from 0.
  /// Throws   BrokenBarrierError if the barrier is or gets broken, or is reset meanwhile.
  /// Cancel   leaves; the barrier then waits for one more.
  Coro<int> wait() { return wait_in(this); }

  /// Makes the barrier empty; who waits gets BrokenBarrierError.
  Coro<> reset() { return reset_in(this); }
  /// Breaks the barrier; who waits, now or later, gets BrokenBarrierError, until `reset`.
  Coro<> abort() { return abort_in(this); }

  int parties() const noexcept { return parties_; }
  /// How many wait for the rest.
  int n_waiting() const noexcept { return state_ == State::filling ? count_ : 0; }
  bool broken() const noexcept { return state_ == State::broken; }

  Coro<int> aenter() { return wait(); }
  bool aexit(const std::exception_ptr&) const noexcept { return false; }

 private:
  // filling -> draining, by the last to arrive -> filling, by the last to leave.
  // reset() of one in which somebody waits: -> resetting -> filling, by the last to leave.
  // abort(): -> broken, until reset().
  enum class State { filling, draining, resetting, broken };
  class Arrival;

  static Coro<int> wait_in(Barrier* barrier);
  static Coro<> reset_in(Barrier* barrier);
  static Coro<> abort_in(Barrier* barrier);
  void leave() noexcept;

  Condition condition_{"Barrier"};
  detail::List<detail::Links> arrivals_;
  const int parties_;
  int count_ = 0;
  State state_ = State::filling;
};

namespace detail {

inline bool LockAcquire::await_ready() noexcept { return lock_->take_if_free(); }

inline bool EventWait::await_ready() const noexcept { return event_->is_set(); }

inline bool SemaphoreAcquire::await_ready() noexcept {
  if (semaphore_->locked()) return false;
  --semaphore_->value_;
  return true;
}

}  // namespace detail

}  // namespace asyncio

// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "asyncio/detail/core/loop_core.hpp"
#include "asyncio/detail/core/ready.hpp"
#include "asyncio/detail/core/recycler.hpp"
#include "asyncio/exceptions.hpp"

#include <cstdint>
#include <exception>
#include <memory>
#include <new>
#include <source_location>
#include <type_traits>
#include <utility>
#include <vector>

namespace asyncio::detail {

class DoneCallback;
template <class State>
class Ref;

/// A handle of a task or future that is used after it was moved from.
[[noreturn]] void throw_moved_from();

enum class FutureStatus : std::uint8_t { pending, cancelled, failed, value };

/// What stands behind Future and Task handles: the outcome and who waits for it.
///
/// States: pending, then once and for all value, failed (`error_`) or cancelled (`error_` is null
/// or the CancelledError to throw). Leaving `pending` moves the callback list, in order, to the end
/// of the loop's ready queue, as _asyncio.Future.__schedule_callbacks does.
/// Counted by its handles, by the loop while a task runs, and by pending combinators. Everything
/// happens on the loop's thread; nothing is atomic.
class FutureState : public Recycled {
 public:
  FutureState(const FutureState&) = delete;
  FutureState& operator=(const FutureState&) = delete;

  inline Loop& loop() const noexcept;  // in loop.hpp
  LoopCore& core() const noexcept { return *core_; }
  bool done() const noexcept { return status_ != FutureStatus::pending; }
  bool cancelled() const noexcept { return status_ == FutureStatus::cancelled; }
  bool has_value() const noexcept { return status_ == FutureStatus::value; }
  bool failed() const noexcept { return status_ == FutureStatus::failed; }
  bool is_task() const noexcept { return is_task_; }
  /// Whether who awaits it gets a CancelledError: a gather has that of a child as its exception.
  bool ended_cancelled() const noexcept {
    return cancelled() || (failed() && classify(error_) == ErrorKind::cancelled);
  }
  std::source_location created() const noexcept { return created_; }
  void set_created(std::source_location where) noexcept { created_ = where; }

  /// Requests cancellation with an optional ready-made CancelledError.
  /// Returns false if it is done already. A task or gather passes the request on.
  virtual bool cancel(const std::exception_ptr& reason);
  /// Whether `cancel` would return true now.
  virtual bool can_cancel() const { return !done(); }
  /// The future whose cancellation a cancellation of this one is: itself but for `then`.
  virtual FutureState& cancel_target() noexcept { return *this; }
  /// Those to which a cancellation of this one goes instead, for a gather; else null.
  virtual const std::vector<Ref<FutureState>>* cancelled_instead() const noexcept {
    return nullptr;
  }

  /// Throws InvalidStateError if pending, CancelledError if cancelled. The exception, or null.
  std::exception_ptr exception();
  /// The outcome's error for someone who takes it over: null if there is a value.
  std::exception_ptr take_error();
  /// Throws InvalidStateError, CancelledError or the exception unless there is a value.
  [[gnu::always_inline]] void check_value() {
    if (!has_value()) [[unlikely]]
      std::rethrow_exception(missing_value());
  }

  void set_exception(std::exception_ptr error);
  /// A cancellation from inside: the awaited thing, or the coroutine itself, was cancelled.
  void set_cancelled(std::exception_ptr error) noexcept;
  void throw_if_done(const char* what) const;

  /// Whether callbacks wait that would never run: the loop is closed.
  bool strands_callbacks() const noexcept {
    return has_done_callbacks_ && !callbacks_.empty() && loop_closed();
  }
  /// Throws RuntimeError if the loop is closed.
  void check_loop_open() const;

  /// Queues `callback` for when this is done; at once to the ready queue if it is.
  void add_callback(Ready& callback) noexcept {
    if (done())
      core_->call_ready(callback);
    else
      callbacks_.push_back(callback);
  }
  /// The same for one that has to keep this alive until it has run.
  void add_done_callback(DoneCallback& callback) noexcept;
  ReadyList& callbacks() noexcept { return callbacks_; }

  void add_reference() noexcept { ++references_; }
  void add_references(std::size_t count) noexcept {
    references_ += static_cast<std::uint32_t>(count);
  }
  void drop_reference() noexcept {
    if (--references_ == 0) destroy();
  }
  bool unique() const noexcept { return references_ == 1; }
  bool shared_by_two() const noexcept { return references_ == 2; }
  void mark_retrieved() noexcept { log_error_ = false; }

 protected:
  /// `counted` is a loop's `future_born()`.
  FutureState(LoopCore& counted, bool is_task, std::source_location created) noexcept
      : is_task_(is_task), core_(&counted), created_(created) {}
  virtual ~FutureState() {
    if (!callbacks_.empty()) [[unlikely]]
      discard_callbacks();  // it never got an outcome
    core_->future_died();
  }

  void finish(FutureStatus status) noexcept {
    status_ = status;
    if (has_done_callbacks_) [[unlikely]]
      hold_in_callbacks();
    core_->ready_all(callbacks_);
  }
  void finish_error(std::exception_ptr error) noexcept;

  /// Before there is an outcome: the CancelledError that a task is about to throw, or null.
  std::exception_ptr error_;

 private:
  void destroy() noexcept {
    if (log_error_) [[unlikely]]
      report_never_retrieved();
    delete this;
  }
  void report_never_retrieved() noexcept;
  void discard_callbacks() noexcept;
  void hold_in_callbacks() noexcept;
  bool loop_closed() const noexcept;
  std::exception_ptr missing_value();

  std::uint32_t references_ = 1;
  FutureStatus status_ = FutureStatus::pending;
  const bool is_task_;
  bool log_error_ = false;           // an exception nobody has asked for
  bool has_done_callbacks_ = false;  // among callbacks_
  LoopCore* core_;
  ReadyList callbacks_;
  std::source_location created_;
};

/// An owning pointer to a state.
template <class State>
class Ref {
 public:
  Ref() noexcept = default;
  Ref(std::nullptr_t) noexcept {}
  /// Takes over the reference that a new state is born with.
  static Ref adopt(State* state) noexcept {
    Ref ref;
    ref.state_ = state;
    return ref;
  }
  static Ref share(State* state) noexcept {
    if (state) state->add_reference();
    return adopt(state);
  }
  Ref(const Ref& other) noexcept : state_(other.state_) {
    if (state_) state_->add_reference();
  }
  template <class Derived>
    requires std::is_convertible_v<Derived*, State*>
  Ref(const Ref<Derived>& other) noexcept : state_(other.get()) {
    if (state_) state_->add_reference();
  }
  Ref(Ref&& other) noexcept : state_(std::exchange(other.state_, nullptr)) {}
  Ref& operator=(Ref other) noexcept {
    std::swap(state_, other.state_);
    return *this;
  }
  ~Ref() {
    if (state_) state_->drop_reference();
  }

  State* get() const noexcept { return state_; }
  State& operator*() const noexcept { return *state_; }
  State* operator->() const noexcept { return state_; }
  explicit operator bool() const noexcept { return state_ != nullptr; }
  State* release() noexcept { return std::exchange(state_, nullptr); }
  friend bool operator==(const Ref& a, const Ref& b) noexcept { return a.state_ == b.state_; }

 private:
  State* state_ = nullptr;
};

/// Room for a T that is made later and destroyed by its owner, who knows whether it was.
template <class T>
class Slot {
 public:
  Slot() noexcept {}
  ~Slot() {}
  template <class U>
  void emplace(U&& value) {
    std::construct_at(std::addressof(value_), std::forward<U>(value));
  }
  void destroy() noexcept { value_.~T(); }
  T& get() noexcept { return value_; }

 private:
  union {
    T value_;
  };
};

template <class T>
class Slot<T&> {
 public:
  void emplace(T& value) noexcept { value_ = std::addressof(value); }
  void destroy() noexcept {}
  T& get() noexcept { return *value_; }

 private:
  T* value_ = nullptr;
};

template <>
class Slot<void> {
 public:
  void destroy() noexcept {}
  void get() noexcept {}
};

/// A future that is not a task.
template <class T>
class ValueFuture : public FutureState {
 public:
  ValueFuture(LoopCore& loop, std::source_location created) noexcept
      : FutureState(loop.future_born(), false, created) {}

  template <class... U>
  void set_result(U&&... value) {
    throw_if_done("set_result");
    if constexpr (sizeof...(U) > 0) slot_.emplace(std::forward<U>(value)...);
    finish(FutureStatus::value);
  }

  Slot<T>& slot() noexcept { return slot_; }

 protected:
  ~ValueFuture() override {
    if (has_value()) slot_.destroy();
  }

 private:
  Slot<T> slot_;
};

}  // namespace asyncio::detail

// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "asyncio/context.hpp"
#include "asyncio/detail/core/future_state.hpp"
#include "asyncio/detail/core/promise.hpp"
#include "asyncio/detail/core/thread_state.hpp"

#include <cstdint>
#include <string>

namespace asyncio {
class TaskHandle;
class TaskHooks;
}  // namespace asyncio

namespace asyncio::detail {

class Wait;

/// A task: a chain of coroutine frames that the loop drives, and the future of its outcome.
///
/// `top_` is the innermost frame: the running one during a step, else the one that is suspended
/// in `waiting_`. One Ready node is enough, since a task is in at most one queue: the loop's, or
/// the callback list of the future it awaits.
/// Order follows CPython's asyncio/tasks.py, Task.__step and Task.cancel.
class TaskState : public FutureState, public Ready, public TaskNode {
 public:
  bool cancel(const std::exception_ptr& reason) override;
  int uncancel() noexcept;
  int cancelling() const noexcept { return cancel_requests_; }

  std::string name() const;
  void set_name(std::string name);
  /// For reports: its name, coroutine and place of creation.
  std::string description() const;
  ContextSlot& context() noexcept { return context_; }
  PromiseBase* top() const noexcept { return top_; }
  Wait* waiting() const noexcept { return waiting_; }
  /// Null once it has ended.
  PromiseBase* root() const noexcept;
  bool cancel_requested() const noexcept { return must_cancel_; }

  /// Used by awaiters: run `child` next, whose end continues `link.parent`.
  void enter(PromiseBase& child, FrameLink& link) noexcept {
    child.link = &link;
    child.task = this;
    top_ = &child;
  }
  /// Used by the final awaiter.
  void leave(PromiseBase& ended) noexcept {
    if (FrameLink* link = ended.link)
      top_ = link->parent;
    else
      progress_ = Progress::ended;
  }
  void suspend(Wait& wait) {
    progress_ = Progress::suspended;
    waiting_ = &wait;
    if (must_cancel_) [[unlikely]]
      forward_cancel(wait);
  }
  /// For an await_suspend that found out it need not wait after all.
  void undo_suspend() noexcept {
    progress_ = Progress::running;
    waiting_ = nullptr;
  }
  void wake() noexcept { core().call_ready(*this); }
  void wake_cancelled(const std::exception_ptr& reason) noexcept {
    error_ = reason;
    wait_cancelled_ = true;
    wake();
  }
  /// For a wait whose `may_resume` has to be asked in each step until it says yes.
  void ask_before_resuming() noexcept { ask_wait_ = true; }
  /// Throws RuntimeError if awaiting `future` could never end.
  void check_awaits(FutureState& future) {
    // Only a task that waits, or this one, can be a part of a circle.
    bool harmless = &future.core() == &core() &&
                    (!future.is_task() || (!static_cast<TaskState&>(future).waiting_ &&
                                           &future != static_cast<FutureState*>(this)));
    if (!harmless) [[unlikely]]
      check_awaits_slow(future);
  }
  bool take_delivered_cancel() noexcept { return std::exchange(deliver_cancel_, false); }
  std::exception_ptr take_cancel_error() noexcept {
    wait_cancelled_ = false;
    return std::exchange(error_, {});
  }
  /// The CancelledError to throw.
  std::exception_ptr take_cancellation() noexcept;
  Ready& wake_node() noexcept { return *this; }

  /// The task whose wake-up `node` is, or null.
  static TaskState* of_wake_node(Ready& node) noexcept {
    return node.run == &TaskState::run_step ? static_cast<TaskState*>(&node) : nullptr;
  }

  /// Takes the outermost frame, joins the loop's list of tasks, which holds a reference, and puts
  /// the first step into the ready queue.
  void start(PromiseBase& root) noexcept {
    join(root);
    core().call_ready(*this);
  }
  /// The same, but runs the first step now, if the loop does.
  void start_eagerly(PromiseBase& root);
  /// A step of a loop that has task hooks.
  void run_reported_step();
  void set_context(const Context& given);
  /// Ends a task that will never run again (the loop is closing): destroys its frames, innermost
  /// first, without recursion.
  void abandon() noexcept;
  void suppress_pending_report() noexcept { log_destroy_pending_ = false; }
  bool reports_pending() const noexcept { return log_destroy_pending_; }

 protected:
  /// The context and the name are parameters, so that nothing else is called while the bases are
  /// made: a compiler then makes the object at once.
  [[gnu::always_inline]] TaskState(LoopCore& counted, std::source_location created,
                                   ContextSlot context, std::uintptr_t name) noexcept
      : FutureState(counted, true, created),
        Ready(&TaskState::run_step, Ready::Later::linked),
        TaskNode(TaskNode::Later::linked),
        context_(std::move(context)),
        name_(name) {}
  [[gnu::always_inline]] ~TaskState() override {
    if (!is_number(name_)) [[unlikely]]
      delete reinterpret_cast<std::string*>(name_);
  }

  /// Moves the root frame's value, which it has, into the task. If that throws, `error_` says so.
  virtual void take_value(PromiseBase& root) noexcept = 0;
  /// Destroys what create_task(fn, args...) keeps for the coroutine.
  virtual void drop_callable() noexcept {}
  void expect_drop_callable() noexcept { has_callable_ = true; }
  static std::uintptr_t default_name() noexcept {
    if (thread_state.latest_task_name % (2 * ThreadState::kTaskNames) == 1) [[unlikely]]
      take_task_names();
    return thread_state.latest_task_name += 2;
  }

 private:
  friend class Loop;

  /// Of the step that runs now, or ran last.
  enum class Progress : std::uint8_t { running, suspended, ended };

  /// A default name is kept as its number, marked by the lowest bit; a given one as a pointer.
  static constexpr bool is_number(std::uintptr_t name) noexcept { return name & 1; }
  static void take_task_names() noexcept;

  void join(PromiseBase& root) noexcept {
    root.task = this;
    top_ = &root;
    core().tasks().push_back(*this);
    add_reference();
  }
  static void run_step(Ready& node);
  void run_eagerly();
  bool prepare_step();
  void drive();
  void become_current() noexcept;
  void report(void (TaskHooks::*event)(const TaskHandle&) noexcept);
  void end();
  void take_outcome();
  void settle();
  void forward_cancel(Wait& wait);
  void check_awaits_slow(FutureState& future);

  PromiseBase* top_ = nullptr;  // the innermost frame; the outermost when the coroutine ends
  Wait* waiting_ = nullptr;
  ContextSlot context_;
  std::uintptr_t name_;  // a std::string*, or a number
  int cancel_requests_ = 0;
  std::uint32_t cancel_walk_ = 0;  // the latest Loop::cancel_walk that came by
  bool started_ = false;
  Progress progress_ = Progress::running;
  // In one byte, since a step begins with both.
  bool must_cancel_ : 1 = false;  // throw at the next step
  bool ask_wait_ : 1 = false;     // waiting_->may_resume()
  bool deliver_cancel_ = false;   // the step that runs now has to throw
  bool wait_cancelled_ = false;   // by a request whose CancelledError is in error_
  bool has_callable_ = false;     // of create_task(fn, args...)
  bool log_destroy_pending_ = true;
};

template <class T>
class TypedTask : public TaskState {
 public:
  [[gnu::always_inline]] TypedTask(LoopCore& loop, std::source_location created) noexcept
      : TaskState(loop.future_born(), created, ContextSlot(), default_name()) {}

  Slot<T>& slot() noexcept { return slot_; }

 protected:
  [[gnu::always_inline]] ~TypedTask() override {
    if (has_value()) slot_.destroy();
  }
  void take_value(PromiseBase& root) noexcept override {
    if constexpr (!std::is_void_v<T>) {
      auto& promise = static_cast<ValuePromise<T>&>(root);
      if constexpr (std::is_reference_v<T> || std::is_nothrow_move_constructible_v<T>) {
        slot_.emplace(promise.value());
      } else {
        try_take(promise);
      }
    }
  }

 private:
  /// For a value whose move may throw.
  [[gnu::noinline]] void try_take(ValuePromise<T>& promise) noexcept
    requires(!std::is_void_v<T>)
  {
    try {
      slot_.emplace(promise.value());
    } catch (...) {  // The outcome is an error instead.
      error_ = std::current_exception();
    }
  }

  Slot<T> slot_;
};

/// The slot of a future whose value type is T, task or not.
template <class T>
Slot<T>& slot_of(FutureState& state) noexcept {
  if (state.is_task()) return static_cast<TypedTask<T>&>(state).slot();
  return static_cast<ValueFuture<T>&>(state).slot();
}

/// Debug mode's report of a task whose parameters may dangle (D2).
void report_hazard(const TaskState& task, const PromiseBase& root) noexcept;

template <class Promise>
void PromiseBase::FinalAwaiter::await_suspend(std::coroutine_handle<Promise> frame) const noexcept {
  PromiseBase& promise = frame.promise();
  promise.task->leave(promise);
}

}  // namespace asyncio::detail

// SPDX-License-Identifier: BSL-1.0
#include "asyncio/detail/core/task_state.hpp"

#include "asyncio/detail/core/generator_state.hpp"
#include "asyncio/detail/core/loop.hpp"
#include "asyncio/logging.hpp"
#include "asyncio/task.hpp"
#include "source_text.hpp"

#include <atomic>
#include <utility>

namespace asyncio::detail {

namespace {

/// How deep tasks may be started eagerly inside each other before they are scheduled instead, so
/// that a chain of eager tasks does not grow the stack without bound (R12).
constexpr unsigned kMaxEagerDepth = 64;

}  // namespace

void TaskState::take_task_names() noexcept {
  static std::atomic<std::uintptr_t> taken{0};
  thread_state.latest_task_name =
      taken.fetch_add(ThreadState::kTaskNames, std::memory_order_relaxed) << 1 | 1;
}

std::string TaskState::name() const {
  if (is_number(name_)) return "Task-" + std::to_string(name_ >> 1);
  return *reinterpret_cast<std::string*>(name_);
}

void TaskState::set_name(std::string name) {
  auto* given = new std::string(std::move(name));
  if (!is_number(name_)) delete reinterpret_cast<std::string*>(name_);
  name_ = reinterpret_cast<std::uintptr_t>(given);
}

std::string TaskState::description() const {
  std::string text = "task '" + name() + "'";
  if (PromiseBase* frame = root()) text += " of coroutine '" + function_name(frame->function) + "'";
  std::string where = source_text(created());
  return where.empty() ? text : text + ", created at " + where;
}

PromiseBase* TaskState::root() const noexcept {
  PromiseBase* frame = top_;
  while (frame && frame->link) frame = frame->link->parent;
  return frame;
}

void TaskState::set_context(const Context& given) {
  context_.~ContextSlot();
  ::new (&context_) ContextSlot(given);
}

void TaskState::start_eagerly(PromiseBase& root) {
  if (!loop().running() || loop().eager_depth >= kMaxEagerDepth) return start(root);
  Ready::next = Ready::prev = nullptr;  // start() puts it into the list
  join(root);
  run_eagerly();
}

void TaskState::run_eagerly() {
  /// The task, or callback, that goes on afterwards, also after an interrupt.
  struct Creator {
    explicit Creator(Loop& owner) noexcept : loop(owner) { ++loop.eager_depth; }
    ~Creator() {
      --loop.eager_depth;
      thread_state.current_task = task;
      thread_state.context = context;
    }
    Loop& loop;
    TaskState* task = thread_state.current_task;
    ContextSlot* context = thread_state.context;
  };
  auto keep = Ref<FutureState>::share(this);
  Creator creator(loop());
  if (loop().task_hooks())
    run_reported_step();
  else
    run_step(*this);
}

/// Whether the step is to be taken. If not, the task goes on waiting, or has ended.
inline bool TaskState::prepare_step() {
  if (must_cancel_) [[unlikely]] {
    must_cancel_ = false;
    deliver_cancel_ = true;
    if (!started_) {
      end();
      return false;
    }
  }
  if (ask_wait_) {
    if (!waiting_->may_resume()) return false;
    ask_wait_ = false;
  }
  return true;
}

inline void TaskState::become_current() noexcept {
  thread_state.current_task = this;
  thread_state.context = &context_;
}

inline void TaskState::drive() {
  become_current();
  started_ = true;
  progress_ = Progress::running;
  do {
    top_->handle().resume();
  } while (progress_ == Progress::running);
  thread_state.context = nullptr;
  thread_state.current_task = nullptr;
}

void TaskState::run_step(Ready& node) {
  auto& task = static_cast<TaskState&>(node);
  if (task.must_cancel_ | task.ask_wait_) {
    if (!task.prepare_step()) return;
  }
  task.waiting_ = nullptr;
  task.drive();
  if (task.progress_ == Progress::ended) task.end();
}

void TaskState::run_reported_step() {
  /// Says that the task is done, also if an interrupt leaves it.
  struct Ending {
    ~Ending() {
      TaskHooks* hooks = task->loop().task_hooks();
      if (hooks && task->done()) hooks->on_done(TaskHandle(task));
    }
    Ref<TaskState> task;
  } ending{Ref<TaskState>::share(this)};
  if ((must_cancel_ | ask_wait_) && !prepare_step()) return;
  waiting_ = nullptr;
  report(&TaskHooks::on_enter);
  drive();
  report(&TaskHooks::on_leave);
  if (progress_ == Progress::ended) end();
}

/// In the task's context, as a part of its step.
void TaskState::report(void (TaskHooks::*event)(const TaskHandle&) noexcept) {
  TaskHooks* hooks = loop().task_hooks();
  if (!hooks) return;
  become_current();
  (hooks->*event)(TaskHandle(Ref<FutureState>::share(this)));
  thread_state.context = nullptr;
  thread_state.current_task = nullptr;
}

/// The coroutine has ended, or was cancelled before it began. CPython:
/// Task.__step_run_and_handle_result.
void TaskState::end() {
  if (top_->outcome == Outcome::value && !must_cancel_ && !error_) [[likely]]
    take_value(*top_);
  else
    take_outcome();
  std::exchange(top_, nullptr)->handle().destroy();  // not broken, or it were no task
  if (has_callable_) drop_callable();
  TaskNode::leave_list();
  if (error_) [[unlikely]]
    return settle();
  finish(FutureStatus::value);
  drop_reference();  // the loop's
}

/// Moves the value into the task, or makes `error_` the outcome's.
void TaskState::take_outcome() {
  if (top_->failed()) {
    error_ = top_->take_error();
  } else if (!started_ || must_cancel_) {
    // Before its first step, or by itself right before its return: the value does not count.
    if (!error_) error_ = std::make_exception_ptr(CancelledError());
    deliver_cancel_ = must_cancel_ = false;
  } else if (top_->outcome == Outcome::value) {
    error_ = nullptr;  // of a cancellation that nobody came to throw
    take_value(*top_);
  } else {
    error_ = missing_return(*top_);
  }
}

/// The end with an error.
void TaskState::settle() {
  auto keep = Ref<FutureState>::adopt(this);  // the loop's reference
  std::exception_ptr interrupt;
  std::exception_ptr error = std::move(error_);
  ErrorKind kind = classify(error);
  if (kind == ErrorKind::interrupt) interrupt = error;
  if (kind == ErrorKind::cancelled)
    set_cancelled(std::move(error));
  else
    finish_error(std::move(error));
  if (interrupt) std::rethrow_exception(interrupt);  // it leaves the loop as well
}

bool TaskState::cancel(const std::exception_ptr& reason) {
  if (done()) return false;
  ++cancel_requests_;
  // A cancellation that comes to a task again has gone round in a circle, through a gather say.
  std::uint32_t walk = loop().cancel_walk();
  bool again = walk != 0 && std::exchange(cancel_walk_, walk) == walk;
  if (!again && waiting_ && waiting_->cancel(reason)) return true;
  must_cancel_ = true;
  // The wait throws what cancelled it, also if further requests come before it can.
  if (!wait_cancelled_) error_ = reason;
  return true;
}

std::exception_ptr TaskState::take_cancellation() noexcept {
  std::exception_ptr error = take_cancel_error();
  return error ? error : std::make_exception_ptr(CancelledError());
}

int TaskState::uncancel() noexcept {
  if (cancel_requests_ > 0 && --cancel_requests_ == 0) must_cancel_ = false;
  return cancel_requests_;
}

void TaskState::forward_cancel(Wait& wait) {
  std::exception_ptr reason = error_;
  if (wait.cancel(reason)) must_cancel_ = false;
}

void TaskState::check_awaits_slow(FutureState& future) {
  if (&future.loop() != &loop())
    throw RuntimeError("Task '" + name() + "' got a Future attached to a different loop");
  // Follows who waits for whom; a chain longer than this is not searched, to stay linear.
  constexpr int kSearched = 64;
  FutureState* next = &future;
  for (int i = 0; i < kSearched && next; ++i) {
    if (next == this) {
      if (&future == this) throw RuntimeError("Task cannot await on itself: '" + name() + "'");
      throw RuntimeError("Tasks await each other in a cycle: '" + name() + "' awaits '" +
                         static_cast<TaskState&>(future).name() +
                         "', which waits, directly or not, for '" + name() + "'");
    }
    if (!next->is_task()) return;
    Wait* wait = static_cast<TaskState*>(next)->waiting();
    next = wait ? wait->awaited() : nullptr;
  }
}

void TaskState::abandon() noexcept {
  auto keep = Ref<FutureState>::adopt(this);  // the loop's reference
  TaskNode::unlink();
  waiting_ = nullptr;
  Ready::unlink();
  PromiseBase* frame = std::exchange(top_, nullptr);
  while (frame) {
    PromiseBase* parent = frame->parent();
    if (frame->owned_by_link) {
      if (frame->link) frame->link->child = nullptr;
      frame->handle().destroy();
    } else {
      static_cast<GeneratorState*>(frame)->outlive(*this);
    }
    frame = parent;
  }
  drop_callable();
}

void begin_watched_task(TaskState& task, PromiseBase& root) {
  begin_unusual_task(task, root, TaskOptions());
}

void begin_unusual_task(TaskState& task, PromiseBase& root, const TaskOptions& given) {
  Loop& loop = task.loop();
  TaskOptions options;
  try {
    loop.check_schedulable();
    options = given;
    if (loop.task_factory()) loop.task_factory()(loop.handle(), options);
    if (options.get_name()) task.set_name(*options.get_name());
    if (options.get_context()) task.set_context(*options.get_context());
  } catch (...) {  // Nobody owns the frame yet.
    destroy_frame(&root);
    throw;
  }
  if (loop.debug() && root.hazard != Hazard::none) report_hazard(task, root);
  if (loop.task_hooks()) loop.task_hooks()->on_create(TaskHandle(Ref<FutureState>::share(&task)));
  if (options.get_eager_start())
    task.start_eagerly(root);
  else
    task.start(root);
}

void report_hazard(const TaskState& task, const PromiseBase& root) noexcept {
  const char* what = "reference parameter";
  const char* remedy =
      "hand over function and arguments, not the coroutine: the task keeps both alive";
  if (root.hazard == Hazard::capture) what = "capturing lambda";
  if (root.hazard == Hazard::view) {
    what = "view parameter (string_view, span)";
    remedy =
        "hand over function and arguments that own (std::string, std::vector), not the coroutine";
  }
  log(LogLevel::warning, "task created from coroutine with " + std::string(what) + " at " +
                             source_text(task.created()) + ": '" + function_name(root.function) +
                             "' may outlive what it refers to; " + remedy);
}

}  // namespace asyncio::detail

// SPDX-License-Identifier: BSL-1.0
#include "asyncio/detail/core/task_state.hpp"

#include "asyncio/detail/core/loop.hpp"
#include "asyncio/logging.hpp"
#include "asyncio/task.hpp"
#include "source_text.hpp"

#include <atomic>
#include <utility>

namespace asyncio::detail {

namespace {

/// A default name is kept as its number, marked by the lowest bit; a given one as a pointer.
std::uintptr_t next_default_name() noexcept {
  static std::atomic<std::uintptr_t> counter{0};
  return (counter.fetch_add(1, std::memory_order_relaxed) + 1) << 1 | 1;
}

constexpr bool is_number(std::uintptr_t name) noexcept { return name & 1; }

/// How deep tasks may be started eagerly inside each other before they are scheduled instead, so
/// that a chain of eager tasks does not grow the stack without bound (R12).
constexpr unsigned kMaxEagerDepth = 64;

}  // namespace

TaskState::TaskState(Loop& loop, std::source_location created)
    : FutureState(loop, true, created),
      Ready(&TaskState::run_step),
      context_(),
      name_(next_default_name()) {}

TaskState::~TaskState() {
  if (!is_number(name_)) delete reinterpret_cast<std::string*>(name_);
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
  if (root_.child) text += " of coroutine '" + function_name(root_.child->function) + "'";
  std::string where = source_text(created());
  return where.empty() ? text : text + ", created at " + where;
}

void TaskState::set_context(const Context& given) {
  context_.~ContextSlot();
  ::new (&context_) ContextSlot(given);
}

void TaskState::start(PromiseBase& root, bool eager) {
  root_.child = &root;
  enter(root, root_);
  root.started = false;
  Loop& owner = loop();
  owner.tasks().push_back(*this);
  add_reference();  // the loop's
  if (eager && owner.running() && owner.eager_depth < kMaxEagerDepth) {
    auto keep = Ref<FutureState>::share(this);
    ++owner.eager_depth;
    try {
      step();
    } catch (...) {  // An interrupt; goes on after the depth is right again.
      --owner.eager_depth;
      throw;
    }
    --owner.eager_depth;
  } else {
    owner.call_ready(*this);
  }
}

void TaskState::wake() noexcept { loop().call_ready(*this); }

void TaskState::run_step(Ready& node) { static_cast<TaskState&>(node).step(); }

void TaskState::step() {
  if (must_cancel_) [[unlikely]] {
    must_cancel_ = false;
    deliver_cancel_ = true;
    if (!root_.child->started) return end();
  }
  if (ask_wait_) [[unlikely]] {
    if (!waiting_->may_resume()) return;
    ask_wait_ = false;
  }
  waiting_ = nullptr;
  drive();
  if (root_ended_) end();
}

void TaskState::drive() {
  Loop& owner = loop();
  TaskState* previous = std::exchange(owner.current_task_, this);
  ContextSlot* outer = std::exchange(thread_state.context, &context_);
  if (owner.task_hooks) [[unlikely]]
    owner.task_hooks->on_enter(TaskHandle(Ref<FutureState>::share(this)));
  root_.child->started = true;
  suspended_ = false;
  do {
    top_->handle().resume();
  } while (!suspended_);
  if (owner.task_hooks) [[unlikely]]
    owner.task_hooks->on_leave(TaskHandle(Ref<FutureState>::share(this)));
  thread_state.context = outer;
  owner.current_task_ = previous;
}

/// The coroutine has ended, or was cancelled before it began. CPython:
/// Task.__step_run_and_handle_result.
void TaskState::end() {
  auto keep = Ref<FutureState>::adopt(this);  // the loop's reference
  PromiseBase& root = *root_.child;
  std::exception_ptr error;
  if (root.outcome == Outcome::error) {
    error = std::move(root.error);
  } else if (!root.started || must_cancel_) {
    // Before its first step, or by itself right before its return: the value does not count.
    error = take_cancel_error();
    if (!error) error = std::make_exception_ptr(CancelledError());
    deliver_cancel_ = must_cancel_ = false;
  } else {
    try {
      take_value(root);
    } catch (...) {  // The result could not be moved, or there was no co_return: its outcome.
      error = std::current_exception();
    }
  }
  top_ = nullptr;
  destroy_frame(std::exchange(root_.child, nullptr));
  drop_callable();
  TaskNode::unlink();
  settle(std::move(error));
}

void TaskState::settle(std::exception_ptr error) {
  if (!error) {
    finish(FutureStatus::finished);
  } else {
    switch (classify(error)) {
      case ErrorKind::cancelled:
        set_cancelled(std::move(error));
        break;
      case ErrorKind::ordinary:
        finish_error(std::move(error));
        break;
      case ErrorKind::interrupt:
        finish_error(error);
        break;
    }
  }
  if (loop().task_hooks) [[unlikely]]
    loop().task_hooks->on_done(TaskHandle(Ref<FutureState>::share(this)));
  if (error) std::rethrow_exception(error);  // an interrupt leaves the loop as well
}

bool TaskState::cancel(const std::exception_ptr& reason) {
  mark_retrieved();
  if (done()) return false;
  ++cancel_requests_;
  // A cancellation that comes to a task again has gone round in a circle, through a gather say.
  std::uint32_t walk = loop().cancel_walk();
  bool again = walk != 0 && std::exchange(cancel_walk_, walk) == walk;
  if (!again && waiting_ && waiting_->cancel(reason)) return true;
  must_cancel_ = true;
  cancel_error_ = reason;
  return true;
}

int TaskState::uncancel() noexcept {
  if (cancel_requests_ > 0 && --cancel_requests_ == 0) must_cancel_ = false;
  return cancel_requests_;
}

void TaskState::forward_cancel(Wait& wait) {
  std::exception_ptr reason = cancel_error_;
  if (wait.cancel(reason)) must_cancel_ = false;
}

void TaskState::check_awaits(FutureState& future) {
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
    FrameLink* link = frame->link;
    PromiseBase* parent = link->parent;
    if (frame->owned_by_link) {
      link->child = nullptr;
      frame->handle().destroy();
    }
    frame = parent;
  }
  root_.child = nullptr;
  drop_callable();
}

bool Wait::cancel_delivered() noexcept { return task_ && task_->take_delivered_cancel(); }

void Wait::ask_before_resuming() noexcept { task_->ask_before_resuming(); }

void Wait::wake() noexcept { task_->wake(); }

void Wait::wake_cancelled(const std::exception_ptr& reason) noexcept {
  task_->wake_cancelled(reason);
}

void Wait::suspend_task(PromiseBase& promise) {
  task_ = promise.task;
  task_->suspend(*this);
}

void Wait::throw_cancelled() {
  if (std::exception_ptr error = task_->take_cancel_error()) std::rethrow_exception(error);
  throw CancelledError();
}

void begin_task(TaskState& task, PromiseBase& root, TaskOptions options) {
  Loop& loop = task.loop();
  try {
    loop.check_schedulable();
    if (loop.task_factory) loop.task_factory(loop.handle(), options);
    if (options.get_name()) task.set_name(*options.get_name());
    if (options.get_context()) task.set_context(*options.get_context());
  } catch (...) {  // Nobody owns the frame yet.
    destroy_frame(&root);
    throw;
  }
  // create_task(function, args...) cannot see its caller; the function is the next best.
  if (task.created().line() == 0) task.set_created(root.function);
  if (loop.debug() && root.hazard != Hazard::none) report_hazard(task, root);
  if (loop.task_hooks) loop.task_hooks->on_create(TaskHandle(Ref<FutureState>::share(&task)));
  task.start(root, options.get_eager_start());
}

void report_hazard(const TaskState& task, const PromiseBase& root) noexcept {
  const char* what = "reference parameter";
  if (root.hazard == Hazard::view) what = "view parameter (string_view, span)";
  if (root.hazard == Hazard::capture) what = "capturing lambda";
  std::string where = source_text(task.created());
  if (where.empty()) where = source_text(root.function);
  log(LogLevel::warning,
      "task created from coroutine with " + std::string(what) + " at " + where + ": '" +
          function_name(root.function) +
          "' may outlive what it refers to; use create_task(function, args...), which keeps "
          "both alive");
}

}  // namespace asyncio::detail

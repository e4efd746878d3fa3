// SPDX-License-Identifier: BSL-1.0
#include "asyncio/task_group.hpp"

#include "asyncio/detail/core/loop.hpp"
#include "asyncio/detail/core/prepared_exit.hpp"
#include "asyncio/logging.hpp"

#include <new>
#include <utility>
#include <vector>

namespace asyncio {

namespace detail {

/// Order follows asyncio/taskgroups.py.
///
/// States: created → entered → exiting → finished. `aborting` is set once the children have been
/// cancelled, for whatever reason; no child can be added from then on.
class TaskGroupState {
 public:
  struct Child : Ready, Recycled {
    Child(TaskGroupState& group, Ref<FutureState> child) noexcept
        : Ready(&Child::ended), owner(&group), task(std::move(child)) {}
    static void ended(Ready& node);
    struct Membership : Links {
      explicit Membership(Child& self) noexcept : child(self) {}
      Child& child;
    } membership{*this};
    TaskGroupState* owner;
    Ref<FutureState> task;
  };

  ~TaskGroupState() {
    if (entered && !exiting) abandon();
    // Destroyed with children at work: they run, or die, without us.
    while (!children.empty()) forget(children.pop_front().child);
    while (!failed.empty()) forget(failed.pop_front().child);
  }

  /// Entered, and destroyed without aexit: by a mistake, or because the loop is being torn down.
  void abandon() noexcept {
    Loop& loop = parent->loop();
    if (loop.closed()) return;
    try {
      ExceptionContext context("TaskGroup was destroyed without aexit: its tasks are cancelled");
      context.set_task(TaskHandle(parent));
      if (!failed.empty())
        context.set_exception(
            std::make_exception_ptr(ExceptionGroup("unhandled errors in a TaskGroup", errors())));
      loop.call_exception_handler(context);
    } catch (const std::bad_alloc&) {
      log(LogLevel::error, {});
    }
    abort();
  }

  void abort() {
    aborting = true;
    // Cancelling cannot run a child, so the list does not change meanwhile.
    for (auto& member : children) member.child.task->cancel(nullptr);
  }

  void child_done(Child& child) {
    child.membership.unlink();
    std::unique_ptr<Child> owned(&child);
    if (children.empty() && completed) completed->fire();
    if (child.task->cancelled()) return;
    std::exception_ptr error = child.task->take_error();
    if (!error) return;
    failed.push_back(owned.release()->membership);
    if (!interrupt && classify(error) == ErrorKind::interrupt) interrupt = error;
    if (!aborting && !parent_cancel_requested) {
      abort();
      parent_cancel_requested = true;
      parent->cancel(nullptr);
    }
  }

  /// Of the children that failed, in the order of their ends.
  std::vector<std::exception_ptr> errors() const {
    std::vector<std::exception_ptr> all;
    for (auto& member : failed) all.push_back(member.child.task->take_error());
    return all;
  }

  static void forget(Child& child) {
    child.Ready::unlink();
    delete &child;
  }

  bool entered = false;
  bool exiting = false;
  bool aborting = false;
  bool cancel_on_enter = false;
  bool parent_cancel_requested = false;
  Ref<TaskState> parent;
  List<Child::Membership> children;
  List<Child::Membership> failed;  // they end in the loop, where nothing has to have memory
  std::exception_ptr interrupt;
  Waiter* completed = nullptr;    // the exit that waits for the last child
  PreparedExit exit;              // of the group that is entered, and was not left yet
  std::exception_ptr body_error;  // for the exit
};

void TaskGroupState::Child::ended(Ready& node) {
  auto& child = static_cast<Child&>(node);
  child.owner->child_done(child);
}

FutureState* group_parent_of(Ready& node) noexcept {
  if (node.run != &TaskGroupState::Child::ended) return nullptr;
  return static_cast<TaskGroupState::Child&>(node).owner->parent.get();
}

namespace {

/// Waits for the last child. Gives a cancellation as a value: aexit goes on waiting after it.
class [[nodiscard]] LastChild final : public Waiter {
 public:
  explicit LastChild(TaskGroupState& group) noexcept : group_(group) {}
  ~LastChild() { group_.completed = nullptr; }

  bool await_ready() const noexcept { return false; }
  void await_suspend(PromiseBase& promise) {
    group_.completed = this;
    suspend_waiter(promise);
  }
  std::exception_ptr await_resume() {
    group_.completed = nullptr;
    if (!ended_cancelled()) return nullptr;
    std::exception_ptr reason = task_->take_cancel_error();
    return reason ? reason : std::make_exception_ptr(CancelledError());
  }
  AwaitableKind kind() const noexcept final { return AwaitableKind::task_group_exit; }

 private:
  TaskGroupState& group_;
};

bool is_cancellation(const std::exception_ptr& error) {
  return error && classify(error) == ErrorKind::cancelled;
}

/// TaskGroup::aexit.
Coro<bool> leave(TaskGroupState& group) {
  std::exception_ptr error = std::exchange(group.body_error, nullptr);
  group.exiting = true;
  if (error && classify(error) == ErrorKind::interrupt && !group.interrupt) group.interrupt = error;
  std::exception_ptr cancellation;
  if (is_cancellation(error)) cancellation = error;
  if (error && !group.aborting) group.abort();

  while (!group.children.empty()) {
    std::exception_ptr cancelled = co_await LastChild(group);
    if (cancelled && !group.aborting) {
      cancellation = cancelled;
      group.abort();
    }
  }

  if (group.interrupt) std::rethrow_exception(group.interrupt);
  if (group.parent_cancel_requested && group.parent->uncancel() == 0) cancellation = nullptr;
  if (cancellation && group.failed.empty()) std::rethrow_exception(cancellation);
  bool body_failed = error && !is_cancellation(error);
  if (group.failed.empty() && !body_failed) co_return true;  // a cancellation was ours
  if (group.parent->cancelling() > 0) {
    // Keeps the count, and has the request delivered again at the parent's next await.
    group.parent->uncancel();
    group.parent->cancel(nullptr);
  }
  std::vector<std::exception_ptr> errors = group.errors();
  if (body_failed) errors.push_back(error);
  throw ExceptionGroup("unhandled errors in a TaskGroup", std::move(errors));
}

}  // namespace

}  // namespace detail

TaskGroup::TaskGroup() : state_(std::make_unique<detail::TaskGroupState>()) {}
TaskGroup::TaskGroup(TaskGroup&&) noexcept = default;
TaskGroup::~TaskGroup() = default;

detail::Loop& TaskGroup::loop() const noexcept { return state_->parent->loop(); }

void TaskGroup::check_state() const {
  if (!state_) throw RuntimeError("the TaskGroup has been moved from");
}

TaskGroup& TaskGroup::aenter() {
  check_state();
  if (state_->entered) throw RuntimeError("TaskGroup has already been entered");
  detail::Loop* loop = detail::running_loop_or_null();
  if (!loop || !loop->current_task())
    throw RuntimeError("TaskGroup cannot determine the parent task");
  state_->exit.prepare(detail::leave(*state_));
  state_->entered = true;
  state_->parent = detail::Ref<detail::TaskState>::share(loop->current_task());
  if (state_->cancel_on_enter) cancel();
  return *this;
}

void TaskGroup::check_open() const {
  check_state();
  if (!state_->entered) throw RuntimeError("TaskGroup has not been entered");
  if (state_->exiting && state_->children.empty()) throw RuntimeError("TaskGroup is finished");
  if (state_->aborting) throw RuntimeError("TaskGroup is shutting down");
}

void TaskGroup::adopt(const detail::Ref<detail::FutureState>& task) {
  detail::TaskGroupState::Child* child = nullptr;
  try {
    child = new detail::TaskGroupState::Child(*state_, task);
  } catch (...) {  // Rethrown: what is not of the group does not run.
    task->cancel(nullptr);
    throw;
  }
  state_->children.push_back(child->membership);
  task->add_callback(*child);
}

void TaskGroup::cancel() {
  check_state();
  if (!state_->entered) {
    state_->cancel_on_enter = true;
    return;
  }
  if (state_->aborting || (state_->exiting && state_->children.empty())) return;
  state_->abort();
  if (state_->parent_cancel_requested) return;
  state_->parent_cancel_requested = true;
  state_->parent->cancel(nullptr);
}

Coro<bool> TaskGroup::aexit(std::exception_ptr error) {
  state_->body_error = std::move(error);
  return state_->exit ? state_->exit.take() : detail::leave(*state_);
}

}  // namespace asyncio

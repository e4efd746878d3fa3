// SPDX-License-Identifier: BSL-1.0
#include "asyncio/detail/core/loop.hpp"
#include "asyncio/detail/core/wait.hpp"
#include "asyncio/exceptions.hpp"
#include "source_text.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace asyncio::detail {

std::vector<FutureState*> waiters_of(FutureState& future);

namespace {

using Tasks = std::vector<Ref<TaskState>>;

/// More of them say no more.
constexpr std::size_t kMostTasks = 20;

bool is_waited_for(FutureState& future, TaskState& task, const FutureState* awaited) {
  for (const FutureState* waiter : waiters_of(future))
    if (waiter == &task || waiter == awaited) return true;
  return false;
}

/// " (task 'Task-2', task 'Task-3')": those behind a gather, a group and the like.
std::string others_text(TaskState& task, const FutureState* awaited, const Tasks& tasks) {
  std::string text;
  std::size_t count = 0;
  for (const auto& other : tasks) {
    if (other.get() == &task || !is_waited_for(*other, task, awaited)) continue;
    if (++count > kMostTasks) return text + ", ...)";
    text += (count == 1 ? " (task '" : ", task '") + other->name() + "'";
  }
  return count == 0 ? "" : text + ")";
}

std::string awaited_text(TaskState& task, const Wait& wait, const Tasks& tasks) {
  FutureState* future = wait.awaited();
  if (future && future->is_task()) return "task '" + static_cast<TaskState&>(*future).name() + "'";
  return awaitable_name(wait.kind()) + others_text(task, future, tasks);
}

/// The innermost frame that is the program's: of `with`, a barrier and the like, it is who has
/// called them.
const PromiseBase* frame_of(TaskState& task) {
  auto is_ours = [](const PromiseBase& frame) {
    const std::string_view file = frame.place().file_name();
    return file.find("include/asyncio/") != file.npos ||
           function_name(frame.function).starts_with("asyncio::");
  };
  const PromiseBase* frame = task.top();
  while (frame && is_ours(*frame) && frame->parent()) frame = frame->parent();
  return frame;
}

std::string waiting_text(TaskState& task, const Tasks& tasks) {
  std::string text = task.description();
  if (const Wait* wait = task.waiting()) text += ", waits for " + awaited_text(task, *wait, tasks);
  if (const PromiseBase* frame = frame_of(task))
    text += " in '" + function_name(frame->function) + "' at " + source_text(frame->place());
  return text;
}

}  // namespace

void Loop::throw_deadlock() {
  std::string text =
      "deadlock: no task can ever run again, since nothing is ready, no timer is armed and no "
      "thread works for the loop";
  Tasks tasks = unfinished_tasks();
  if (tasks.empty()) text += "; there is no task";
  for (std::size_t i = 0; i < tasks.size() && i < kMostTasks; ++i)
    text += "\n  " + waiting_text(*tasks[i], tasks);
  if (tasks.size() > kMostTasks)
    text += "\n  and " + std::to_string(tasks.size() - kMostTasks) + " more tasks";
  throw RuntimeError(text);
}

}  // namespace asyncio::detail

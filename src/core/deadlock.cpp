// SPDX-License-Identifier: BSL-1.0
#include "asyncio/detail/core/loop.hpp"
#include "asyncio/detail/core/wait.hpp"
#include "asyncio/exceptions.hpp"
#include "source_text.hpp"

#include <string>

namespace asyncio::detail {

namespace {

/// More of them say no more.
constexpr std::size_t kMostTasks = 20;

std::string awaited_text(const Wait& wait) {
  FutureState* future = wait.awaited();
  if (future && future->is_task()) return "task '" + static_cast<TaskState&>(*future).name() + "'";
  return awaitable_name(wait.kind());
}

std::string waiting_text(TaskState& task) {
  std::string text = task.description();
  if (const Wait* wait = task.waiting()) text += ", waits for " + awaited_text(*wait);
  if (const PromiseBase* frame = task.top())
    text += " in '" + function_name(frame->function) + "' at " + source_text(frame->place());
  return text;
}

}  // namespace

void Loop::throw_deadlock() {
  std::string text =
      "deadlock: no task can ever run again, since nothing is ready, no timer is armed and no "
      "thread works for the loop";
  std::vector<Ref<TaskState>> tasks = unfinished_tasks();
  if (tasks.empty()) text += "; there is no task";
  for (std::size_t i = 0; i < tasks.size() && i < kMostTasks; ++i)
    text += "\n  " + waiting_text(*tasks[i]);
  if (tasks.size() > kMostTasks)
    text += "\n  and " + std::to_string(tasks.size() - kMostTasks) + " more tasks";
  throw RuntimeError(text);
}

}  // namespace asyncio::detail

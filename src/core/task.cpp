// SPDX-License-Identifier: BSL-1.0
#include "asyncio/task.hpp"

#include "source_text.hpp"

#include <algorithm>
#include <ostream>

namespace asyncio {

namespace detail {

std::vector<StackEntry> stack_of(TaskState& task, std::size_t limit) {
  std::vector<StackEntry> frames;
  for (PromiseBase* frame = task.top(); frame && frames.size() < limit; frame = frame->parent()) {
    const std::source_location where = frame->place();
    frames.emplace_back(function_name(frame->function), where.file_name(), where.line());
  }
  std::reverse(frames.begin(), frames.end());
  return frames;
}

void print_stack_of(TaskState& task, std::size_t limit, std::ostream& out) {
  auto frames = stack_of(task, limit);
  out << (frames.empty() ? "No stack for '" : "Stack for '") << task.name()
      << (frames.empty() ? "'\n" : "' (most recent call last):\n");
  for (const auto& frame : frames)
    out << "  File \"" << frame.file << "\", line " << frame.line << ", in " << frame.function
        << "\n";
}

namespace {

std::optional<TaskHandle> current_task_of(const Loop& loop) {
  if (TaskState* task = loop.current_task()) return TaskHandle(Ref<FutureState>::share(task));
  return std::nullopt;
}

std::vector<TaskHandle> all_tasks_of(Loop& loop) {
  std::vector<TaskHandle> tasks;
  for (auto& task : loop.unfinished_tasks()) tasks.emplace_back(Ref<FutureState>(task));
  return tasks;
}

}  // namespace

}  // namespace detail

std::optional<TaskHandle> current_task() { return detail::current_task_of(detail::running_loop()); }
std::optional<TaskHandle> current_task(const EventLoop& loop) {
  return detail::current_task_of(loop.impl());
}

std::vector<TaskHandle> all_tasks() { return detail::all_tasks_of(detail::running_loop()); }
std::vector<TaskHandle> all_tasks(const EventLoop& loop) {
  return detail::all_tasks_of(loop.impl());
}

void eager_task_factory(EventLoop, TaskOptions& options) { options.eager_start(true); }

TaskFactory create_eager_task_factory(TaskFactory inner) {
  return [inner = std::move(inner)](EventLoop loop, TaskOptions& options) {
    if (inner) inner(loop, options);
    options.eager_start(true);
  };
}

}  // namespace asyncio

// SPDX-License-Identifier: BSL-1.0
#include "asyncio/graph.hpp"

#include "asyncio/detail/core/completion_queue.hpp"
#include "asyncio/detail/core/gather_state.hpp"
#include "asyncio/detail/core/loop.hpp"
#include "asyncio/shield.hpp"
#include "asyncio/wait.hpp"

#include <algorithm>
#include <iostream>
#include <set>
#include <sstream>

namespace asyncio {

namespace detail {

FutureState* group_parent_of(Ready& node) noexcept;

namespace {

/// What waits for a future through a node in its callback list; null for a plain callback.
FutureState* waiter_of(Ready& node) {
  if (TaskState* task = TaskState::of_wake_node(node)) return task;
  if (FutureState* gather = GatherChildren::owner_of(node)) return gather;
  if (FutureState* shield = ShieldLink::owner_of(node)) return shield;
  if (TaskState* task = FuturesWait::task_of(node)) return task;
  if (TaskState* task = CompletionQueue::task_of(node)) return task;
  return group_parent_of(node);
}

}  // namespace

std::vector<FutureState*> waiters_of(FutureState& future) {
  std::vector<FutureState*> waiters;
  auto add = [&waiters](FutureState* waiter) {
    if (waiter && std::find(waiters.begin(), waiters.end(), waiter) == waiters.end())
      waiters.push_back(waiter);
  };
  for (auto& node : future.callbacks()) add(waiter_of(node));
  for (const auto& [awaited, waiter] : future.loop().awaited_by)
    if (awaited.get() == &future) add(waiter.get());
  return waiters;
}

namespace {

/// Each level is a call of its own when the graph is built, printed and destroyed.
constexpr int kMostLevels = 1000;

class GraphBuilder {
 public:
  explicit GraphBuilder(const CallGraphOptions& options) : options_(options) {}

  FutureCallGraph build(FutureState& future, std::size_t skipped, int level = 0) {
    FutureCallGraph graph(FutureHandle(Ref<FutureState>::share(&future)));
    if (future.is_task()) add_frames(static_cast<TaskState&>(future), skipped, graph);
    if (!seen_.insert(&future).second || level == kMostLevels) return graph;
    for (FutureState* waiter : waiters_of(future))
      graph.awaited_by.push_back(build(*waiter, 0, level + 1));
    return graph;
  }

 private:
  void add_frames(TaskState& task, std::size_t skipped, FutureCallGraph& graph) {
    graph.name = task.name();
    auto frames = stack_of(task, static_cast<std::size_t>(-1));
    std::reverse(frames.begin(), frames.end());
    auto count = [](std::size_t n) { return static_cast<std::ptrdiff_t>(n); };
    frames.erase(frames.begin(), frames.begin() + count(std::min(skipped, frames.size())));
    std::ptrdiff_t limit = options_.get_limit();
    if (limit >= 0 && count(frames.size()) > limit)
      frames.erase(frames.begin() + limit, frames.end());
    if (limit < 0 && count(frames.size()) > -limit)
      frames.erase(frames.begin(), frames.end() + limit);
    graph.call_stack = std::move(frames);
  }

  const CallGraphOptions& options_;
  std::set<FutureState*> seen_;
};

void format(const FutureCallGraph& graph, std::size_t level, std::ostream& out) {
  std::string indent(level * 4, ' ');
  out << indent << "* "
      << (graph.name.empty() ? std::string("Future") : "Task(name='" + graph.name + "')") << "\n";
  if (!graph.call_stack.empty()) {
    out << indent << "  + Call stack:\n";
    for (const auto& frame : graph.call_stack)
      out << indent << "  |   File '" << frame.file << "', line " << frame.line << ", in async "
          << frame.function << "()\n";
  }
  if (!graph.awaited_by.empty()) {
    out << indent << "  + Awaited by:\n";
    for (const auto& waiter : graph.awaited_by) format(waiter, level + 1, out);
  }
}

}  // namespace

}  // namespace detail

std::optional<FutureCallGraph> capture_call_graph(const CallGraphOptions& options) {
  detail::Loop* loop = detail::running_loop_or_null();
  detail::FutureState* current = loop ? loop->current_task() : nullptr;
  detail::FutureState* start = options.get_future() ? options.get_future()->state().get() : current;
  if (!start) return std::nullopt;
  return detail::GraphBuilder(options).build(*start, start == current ? options.get_depth() : 0);
}

std::string format_call_graph(const CallGraphOptions& options) {
  std::ostringstream out;
  print_call_graph(out, options);
  return out.str();
}

void print_call_graph(std::ostream& out, const CallGraphOptions& options) {
  if (auto graph = capture_call_graph(options)) detail::format(*graph, 0, out);
}

void print_call_graph(const CallGraphOptions& options) { print_call_graph(std::cout, options); }

void future_add_to_awaited_by(const FutureHandle& future, const FutureHandle& waiter) {
  auto& records = future.state()->loop().awaited_by;
  auto same = [&](const auto& record) {
    return record.first == future.state() && record.second == waiter.state();
  };
  if (std::none_of(records.begin(), records.end(), same))
    records.emplace_back(future.state(), waiter.state());
}

void future_discard_from_awaited_by(const FutureHandle& future, const FutureHandle& waiter) {
  std::erase_if(future.state()->loop().awaited_by, [&](const auto& record) {
    return record.first == future.state() && record.second == waiter.state();
  });
}

}  // namespace asyncio

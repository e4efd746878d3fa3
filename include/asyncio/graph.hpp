// SPDX-License-Identifier: BSL-1.0
/// The chapter "Call Graph Introspection" of asyncio's documentation: who waits for whom, and
/// where.
#pragma once

#include "asyncio/future.hpp"
#include "asyncio/task.hpp"

#include <cstddef>
#include <iosfwd>
#include <limits>
#include <optional>
#include <string>
#include <vector>

namespace asyncio {

/// A frame of a call graph: function, file and line.
using FrameCallGraphEntry = StackEntry;

/// A future or task with the frames it is suspended in, innermost first, and everything that waits
/// for it.
class FutureCallGraph {
 public:
  explicit FutureCallGraph(FutureHandle concerned) : future(std::move(concerned)) {}

  FutureHandle future;
  /// The task's name; empty for a plain future.
  std::string name;
  std::vector<FrameCallGraphEntry> call_stack;
  std::vector<FutureCallGraph> awaited_by;
};

/// How much of a call graph to take.
class CallGraphOptions {
 public:
  CallGraphOptions() {}

  /// The future to begin with; by default the current task.
  CallGraphOptions& future(FutureHandle start) {
    future_ = std::move(start);
    return *this;
  }
  /// Leaves out the `count` innermost frames of the current task.
  CallGraphOptions& depth(std::size_t count) {
    depth_ = count;
    return *this;
  }
  /// At most `count` frames of each task: the innermost ones, or with a negative count the
  /// outermost ones; 0 for none.
  CallGraphOptions& limit(std::ptrdiff_t count) {
    limit_ = count;
    return *this;
  }

  const std::optional<FutureHandle>& get_future() const noexcept { return future_; }
  std::size_t get_depth() const noexcept { return depth_; }
  std::ptrdiff_t get_limit() const noexcept { return limit_; }

 private:
  std::optional<FutureHandle> future_;
  std::size_t depth_ = 0;
  std::ptrdiff_t limit_ = std::numeric_limits<std::ptrdiff_t>::max();
};

/// The graph of one future, upwards: its frames, who awaits it, who awaits those, for 1,000 levels
/// at most. A future that is reached a second time has no `awaited_by` there.
///
/// Returns  empty without a future to begin with: outside a task.
/// Thread   the loop's.
/// asyncio  Call Graph Introspection, capture_call_graph
std::optional<FutureCallGraph> capture_call_graph(const CallGraphOptions& options = {});

/// The graph as text.
std::string format_call_graph(const CallGraphOptions& options = {});

/// Prints the graph to `out`.
void print_call_graph(std::ostream& out, const CallGraphOptions& options = {});
/// Prints the graph to stdout.
void print_call_graph(const CallGraphOptions& options = {});

/// Records that `waiter` waits for `future` in a way that the library cannot see: for combinators
/// of your own. Its own awaits, gather, wait, shield and TaskGroup need no call.
void future_add_to_awaited_by(const FutureHandle& future, const FutureHandle& waiter);
/// Takes the record back.
void future_discard_from_awaited_by(const FutureHandle& future, const FutureHandle& waiter);

}  // namespace asyncio

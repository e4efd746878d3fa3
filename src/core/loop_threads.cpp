// SPDX-License-Identifier: BSL-1.0
// Uses of a loop, and of what belongs to it, in a thread that is not the loop's (R11).
#include "asyncio/detail/core/loop.hpp"
#include "asyncio/detail/core/wait.hpp"
#include "asyncio/exceptions.hpp"
#include "source_text.hpp"
#include "thread_text.hpp"

#include <atomic>
#include <mutex>
#include <string>
#include <utility>

namespace asyncio::detail {

namespace {

const char* const kForeignThread =
    "Non-thread-safe operation invoked on an event loop other than the current one";

/// Guards the list of `debug_loops`, which a loop may leave to be destroyed.
constinit std::mutex debug_loops_mutex;

}  // namespace

bool Loop::in_foreign_thread() const noexcept {
  auto owner = thread_.load(std::memory_order_relaxed);
  return owner != std::thread::id() && owner != std::this_thread::get_id();
}

void Loop::check_thread() const {
  if (in_foreign_thread()) throw RuntimeError(kForeignThread);
}

void Loop::check_owner_slow(const std::string& used) const {
  if (!in_foreign_thread()) return;
  int owner = thread_number_.load(std::memory_order_relaxed);
  throw RuntimeError(kForeignThread + used + ": the loop runs in " + thread_text(owner) +
                     ", this is " + thread_text(this_thread_number()));
}

void Loop::check_owner_of(const FutureState& used) const {
  if (!in_foreign_thread()) return;
  std::string name = "a future";
  // Nothing of its coroutine, which may be running.
  if (used.is_task()) name = "task '" + static_cast<const TaskState&>(used).name() + "'";
  if (std::string where = source_text(used.created()); !where.empty())
    name += ", created at " + where;
  check_owner_slow(" (" + name + ")");
}

void Loop::check_owner_of(const Wait& waiter) const {
  if (!in_foreign_thread()) return;
  check_owner_slow(" (what a task waits for in " + std::string(awaitable_name(waiter.kind())) +
                   ")");
}

void Loop::list_debug_loop(bool listed) noexcept {
  std::lock_guard lock(debug_loops_mutex);
  Loop* first = debug_loops.load(std::memory_order_relaxed);
  if (listed) {
    next_debug_loop_ = std::exchange(first, this);
  } else {
    Loop** link = &first;
    while (*link != this) link = &(*link)->next_debug_loop_;
    *link = next_debug_loop_;
  }
  debug_loops.store(first, std::memory_order_relaxed);
}

void check_thread_of_loop(std::uint64_t serial, const char* used) {
  std::lock_guard lock(debug_loops_mutex);
  for (Loop* loop = debug_loops.load(std::memory_order_relaxed); loop;
       loop = loop->next_debug_loop_)
    if (loop->serial() == serial)
      loop->check_owner_slow(" (" + std::string(used) + ", for which its tasks have waited)");
}

}  // namespace asyncio::detail

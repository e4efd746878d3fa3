// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstdint>

namespace asyncio::detail {

class ContextSlot;
class Loop;
class TaskState;

/// What the library keeps for each thread. Trivial, so that reading it is one instruction.
struct ThreadState {
  Loop* running_loop;    // inside run_forever of this loop
  ContextSlot* context;  // null: the thread's own
  // Of the default name given last, as a task keeps it: with a one below. The numbers are taken
  // from all threads' in blocks of kTaskNames, so that a new task costs no atomic instruction; a
  // multiple of that ends a block.
  std::uintptr_t latest_task_name;
  TaskState* current_task;  // whose step runs

  static constexpr std::uintptr_t kTaskNames = 64;
};

[[gnu::tls_model("initial-exec")]] inline thread_local constinit ThreadState thread_state{
    .running_loop = nullptr, .context = nullptr, .latest_task_name = 1, .current_task = nullptr};

}  // namespace asyncio::detail

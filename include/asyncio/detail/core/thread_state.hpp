// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstdint>

namespace asyncio::detail {

class ContextSlot;
class Loop;

/// What the library keeps for each thread. Trivial, so that reading it is one instruction.
struct ThreadState {
  Loop* running_loop;    // inside run_forever of this loop
  ContextSlot* context;  // null: the thread's own
  // Numbers of default names of tasks, taken from all in blocks, so that a new task costs no
  // atomic instruction.
  std::uintptr_t next_task_name;
  unsigned task_names;  // are left
};

[[gnu::tls_model("initial-exec")]] inline thread_local constinit ThreadState thread_state{};

}  // namespace asyncio::detail

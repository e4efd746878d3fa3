// SPDX-License-Identifier: BSL-1.0
#pragma once

namespace asyncio::detail {

class ContextSlot;
class Loop;

/// What the library keeps for each thread. Trivial, so that reading it is one instruction.
struct ThreadState {
  Loop* running_loop;    // inside run_forever of this loop
  ContextSlot* context;  // null: the thread's own
};

[[gnu::tls_model("initial-exec")]] inline thread_local constinit ThreadState thread_state{};

}  // namespace asyncio::detail

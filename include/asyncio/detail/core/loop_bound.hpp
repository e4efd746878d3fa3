// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "asyncio/detail/core/loop.hpp"
#include "asyncio/detail/core/promise.hpp"
#include "asyncio/detail/core/task_state.hpp"
#include "asyncio/detail/core/wait.hpp"

#include <cstdint>

namespace asyncio::detail {

/// Throws RuntimeError in a debug loop if the caller runs in another thread than `waiter`.
inline void check_thread_of(const Waiter& waiter) { waiter.task()->loop().check_owner(waiter); }

/// A primitive that belongs to the loop in which a task first had to wait for it. CPython:
/// mixins._LoopBoundMixin.
class LoopBound {
 public:
  LoopBound(const LoopBound&) = delete;
  LoopBound& operator=(const LoopBound&) = delete;

 protected:
  LoopBound() noexcept = default;
  ~LoopBound() = default;

  /// For a task that is about to wait. Throws RuntimeError in another loop than the first time.
  void bind(const PromiseBase& waiting, const char* type) {
    std::uint64_t loop = waiting.task->loop().serial();
    if (loop_ != loop) [[unlikely]]
      bind_first(loop, type);
  }
  /// Throws RuntimeError if a debug loop, to which this is bound, runs in another thread. The error
  /// names what the first of `waiters` waits for, if there is one.
  template <class W>
  void check_thread(const List<W>& waiters, const char* type) const {
    if (!debug_loops.load(std::memory_order_relaxed)) [[likely]]
      return;
    if (!waiters.empty())
      check_thread_of(waiters.front());
    else
      check_thread_of_loop(loop_, type);
  }

 private:
  void bind_first(std::uint64_t loop, const char* type);

  std::uint64_t loop_ = 0;  // Loop::serial, so that the loop may be gone
};

/// For a waiter that was woken because what it waits for is being destroyed.
[[noreturn]] void throw_destroyed(const char* type);

}  // namespace asyncio::detail

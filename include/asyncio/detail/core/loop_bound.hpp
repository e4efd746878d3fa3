// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstdint>

namespace asyncio::detail {

class Loop;
class PromiseBase;
class Waiter;

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
  void bind(const PromiseBase& waiting, const char* type);

 private:
  std::uint64_t loop_ = 0;  // Loop::serial, so that the loop may be gone
};

/// Throws RuntimeError in a debug loop if the caller runs in another thread than `waiter`.
void check_thread_of(const Waiter& waiter);

/// For a waiter that was woken because what it waits for is being destroyed.
[[noreturn]] void throw_destroyed(const char* type);

}  // namespace asyncio::detail

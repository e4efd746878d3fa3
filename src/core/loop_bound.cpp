// SPDX-License-Identifier: BSL-1.0
#include "asyncio/detail/core/loop_bound.hpp"

#include "asyncio/detail/core/loop.hpp"
#include "asyncio/detail/core/promise.hpp"
#include "asyncio/exceptions.hpp"

#include <string>

namespace asyncio::detail {

void LoopBound::bind(const PromiseBase& waiting, const char* type) {
  std::uint64_t serial = waiting.task->loop().serial();
  if (loop_ == serial) [[likely]]
    return;
  if (loop_ != 0)
    throw RuntimeError("<asyncio." + std::string(type) + "> is bound to a different event loop");
  loop_ = serial;
}

void check_thread_of(const Waiter& waiter) {
  const Loop& loop = waiter.task()->loop();
  if (loop.debug()) [[unlikely]]
    loop.check_thread();
}

void throw_destroyed(const char* type) {
  throw RuntimeError("the " + std::string(type) + " was destroyed while a task waited for it");
}

}  // namespace asyncio::detail

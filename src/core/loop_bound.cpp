// SPDX-License-Identifier: BSL-1.0
#include "asyncio/detail/core/loop_bound.hpp"

#include "asyncio/exceptions.hpp"

#include <string>

namespace asyncio::detail {

void LoopBound::bind_first(std::uint64_t loop, const char* type) {
  if (loop_ != 0)
    throw RuntimeError("<asyncio." + std::string(type) + "> is bound to a different event loop");
  loop_ = loop;
}

void throw_destroyed(const char* type) {
  throw RuntimeError("the " + std::string(type) + " was destroyed while a task waited for it");
}

}  // namespace asyncio::detail

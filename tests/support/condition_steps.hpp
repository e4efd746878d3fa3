// SPDX-License-Identifier: BSL-1.0
/// Steps of tasks that use a condition.
#pragma once

#include "asyncio/coro.hpp"
#include "asyncio/sync.hpp"

#include <string>
#include <vector>

namespace test {

/// Waits for a notification and notes `name`.
inline asyncio::Coro<> await_news(asyncio::Condition& condition, std::string name,
                                  std::vector<std::string>& trace) {
  co_await condition.acquire();
  bool result = co_await condition.wait();
  trace.push_back(name + (result && condition.locked() ? "" : " without the lock"));
  condition.release();
}

inline asyncio::Coro<> notify(asyncio::Condition& condition, int count) {
  co_await condition.acquire();
  condition.notify(count);
  condition.release();
}

}  // namespace test

// SPDX-License-Identifier: BSL-1.0
/// Steps of tasks that use a queue of numbers, and what they note.
#pragma once

#include "asyncio/capture.hpp"
#include "asyncio/queue.hpp"

#include <string>
#include <vector>

namespace test {

using Trace = std::vector<std::string>;

/// "a 1", "a shut down" or "a cancelled".
inline asyncio::Coro<> get_one(asyncio::Queue<int>& queue, std::string name, Trace& trace) {
  auto outcome = co_await asyncio::capture(queue.get());
  if (outcome.has_value())
    trace.push_back(name + " " + std::to_string(outcome.value()));
  else
    trace.push_back(name + (outcome.cancelled() ? " cancelled" : " shut down"));
}

inline asyncio::Coro<> put_one(asyncio::Queue<int>& queue, int item, std::string name,
                               Trace& trace) {
  auto outcome = co_await asyncio::capture(queue.put(item));
  if (outcome.has_value())
    trace.push_back(name);
  else
    trace.push_back(name + (outcome.cancelled() ? " cancelled" : " shut down"));
}

template <class Q>
std::vector<int> drain(Q& queue) {
  std::vector<int> items;
  while (!queue.empty()) items.push_back(queue.get_nowait());
  return items;
}

}  // namespace test

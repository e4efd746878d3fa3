// SPDX-License-Identifier: BSL-1.0
/// What two differently compiled units of one program have in common.
#pragma once

#include "asyncio/asyncio.hpp"

#include <cstddef>
#include <string>
#include <vector>

namespace units {

/// The layout of every type that crosses from one unit to the other, as this unit sees it.
static inline std::vector<std::size_t> layout() {
  using namespace asyncio;
  using detail::Promise;
  using Plain = Promise<int, detail::Hazard::none, void>;
  return {sizeof(EventLoop), sizeof(detail::Loop), sizeof(Plain),
          sizeof(Coro<int>), sizeof(Task<int>),    sizeof(detail::TypedTask<int>),
          sizeof(Future<>),  sizeof(Queue<int>),   sizeof(detail::ValueFuture<std::string>),
          sizeof(Lock),      sizeof(Condition),    sizeof(Semaphore),
          sizeof(Event),     sizeof(Barrier),      sizeof(AsyncGenerator<int>),
          sizeof(Context),   sizeof(Timeout),      sizeof(TaskGroup),
          sizeof(OSError),   sizeof(Result<int>),  sizeof(detail::SleepAwaiter),
          sizeof(Handle),    sizeof(TaskOptions),  sizeof(detail::HandleState),
          sizeof(Delay),     sizeof(StreamReader), sizeof(decltype(Queue<int>().get()))};
}

// Defined in abi_other_unit.cpp.
bool other_unit_has_assertions();
std::vector<std::size_t> layout_in_other_unit();
asyncio::Coro<int> sum_of(asyncio::Queue<int>& queue);
asyncio::Task<std::string> start_greeting(std::string name);
asyncio::AsyncGenerator<int> count_to(int last);

}  // namespace units

// SPDX-License-Identifier: BSL-1.0
// CMake compiles this unit without NDEBUG if the rest has it, and with it if not.
#include "abi.hpp"

namespace units {

using namespace asyncio;
using namespace std::chrono_literals;

bool other_unit_has_assertions() {
#ifdef NDEBUG
  return false;
#else
  return true;
#endif
}

std::vector<std::size_t> layout_in_other_unit() { return layout(); }

Coro<int> sum_of(Queue<int>& queue) {
  int sum = 0;
  while (auto item = co_await queue.next()) sum += *item;
  co_return sum;
}

Task<std::string> start_greeting(std::string name) {
  auto greet = [](std::string whom) -> Coro<std::string> {
    co_await sleep(1ms);
    co_return "hello " + whom;
  };
  return create_task(greet, std::move(name));
}

AsyncGenerator<int> count_to(int last) {
  for (int i = 1; i <= last; ++i) {
    co_await sleep(1ms);
    co_yield i;
  }
}

}  // namespace units

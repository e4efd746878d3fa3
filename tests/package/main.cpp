// SPDX-License-Identifier: BSL-1.0
// What a stranger writes first. Built in three ways against the installed library and its sources.
#include <asyncio/asyncio.hpp>

using namespace std::chrono_literals;

asyncio::Coro<int> answer() {
  co_await asyncio::sleep(1ms);
  co_return 42;
}

int main() { return asyncio::run(answer()) == 42 ? 0 : 1; }

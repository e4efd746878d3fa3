// SPDX-License-Identifier: BSL-1.0
#include <asyncio/asyncio.hpp>

#include <iostream>

using namespace asyncio;
using namespace std::chrono_literals;

// [graph]
Coro<> read_reply() { co_await sleep(1h); }

Coro<> query() { co_await read_reply(); }

Coro<> transaction() { co_await query(); }

Coro<> program() {
  auto client = create_task(TaskOptions().name("client"), transaction);
  auto server = create_task(TaskOptions().name("server"),
                            [client]() -> Coro<> { co_await gather(client, sleep(2h)); });
  co_await sleep(1s);
  print_call_graph(CallGraphOptions().future(client));
  co_await sleep(0s);
}
// [/graph]

int main() { run(program()); }

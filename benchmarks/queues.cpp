// SPDX-License-Identifier: BSL-1.0
// What does it cost to hand an item to another task, and the answer back?
#include "in_loop.hpp"
#include <asyncio/queue.hpp>
#include <asyncio/task.hpp>

#include <cstdint>

namespace {

using namespace asyncio;
using bench::Count;

Coro<> answer(Queue<std::uint64_t>& questions, Queue<std::uint64_t>& answers) {
  for (;;) {
    auto value = co_await questions.next();
    if (!value) co_return;
    co_await answers.put(*value + 1);
  }
}

/// One round trip through two queues that hold one item each.
Coro<> queue_ping_pong(Count& count) {
  Queue<std::uint64_t> questions(1);
  Queue<std::uint64_t> answers(1);
  auto other = create_task(answer(questions, answers));
  std::uint64_t value = 0;
  while (count.more()) {
    co_await questions.put(value);
    value = co_await answers.get();
  }
  bench::keep(value);
  questions.shutdown();
  co_await other;
}

const bool added =
    bench::add(bench::Operation("queue_ping_pong", "asyncio", bench::in_loop<queue_ping_pong>));

}  // namespace

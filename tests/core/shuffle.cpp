// SPDX-License-Identifier: BSL-1.0
/// Fault 25: nothing depends on the order in which tasks that are ready in the same iteration run,
/// where no order is promised. tests/support/seeds.hpp shuffles the other random tests, too.
#include "asyncio/asyncio.hpp"
#include "virtual_loop.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <set>
#include <string>
#include <vector>

using namespace asyncio;
using namespace std::chrono_literals;

namespace {

using Trace = std::vector<int>;

template <class F>
void run_shuffled(std::uint64_t seed, F&& main) {
  run(main(), RunOptions().loop_factory([seed] {
    EventLoop loop = test::new_virtual_loop();
    loop.impl().shuffle_tasks(seed);
    return loop;
  }));
}

/// The order in which ten tasks take three steps each.
Trace order_of_tasks(std::uint64_t seed) {
  Trace trace;
  run_shuffled(seed, [&]() -> Coro<> {
    auto steps = [&trace](int number) -> Coro<> {
      for (int i = 0; i < 3; ++i) {
        trace.push_back(number);
        co_await sleep(0s);
      }
    };
    std::vector<Coro<>> tasks;
    for (int i = 0; i < 10; ++i) tasks.push_back(steps(i));
    co_await gather(std::move(tasks));
  });
  return trace;
}

TEST(Shuffle, fault25_the_seed_decides_the_order_of_tasks_and_each_step_is_taken_once) {
  std::set<Trace> orders;
  for (std::uint64_t seed = 1; seed <= 100; ++seed) {
    Trace trace = order_of_tasks(seed);
    EXPECT_EQ(trace, order_of_tasks(seed)) << "seed " << seed;
    ASSERT_EQ(trace.size(), 30u);
    for (std::size_t round = 0; round < 3; ++round)
      EXPECT_EQ(std::set<int>(trace.begin() + static_cast<std::ptrdiff_t>(10 * round),
                              trace.begin() + static_cast<std::ptrdiff_t>(10 * round + 10))
                    .size(),
                10u);
    orders.insert(trace);
  }
  EXPECT_EQ(orders.size(), 100u);
}

TEST(Shuffle, fault25_callbacks_keep_the_order_that_is_promised) {
  for (std::uint64_t seed = 1; seed <= 100; ++seed) {
    Trace trace;
    run_shuffled(seed, [&]() -> Coro<> {
      EventLoop loop = get_running_loop();
      auto future = loop.create_future();
      auto note = [&trace](int number) { trace.push_back(number); };
      for (int i = 0; i < 5; ++i) {
        create_task([]() -> Coro<> { co_await sleep(0s); });  // between them
        loop.call_soon(note, i);
        loop.call_at(loop.time() + 1s, note, 10 + i);
        future.add_done_callback([note, i] { note(5 + i); });
      }
      co_await sleep(0s);
      future.set_result();
      co_await sleep(2s);
    });
    Trace promised;
    for (int i = 0; i < 15; ++i) promised.push_back(i);
    EXPECT_EQ(trace, promised) << "seed " << seed;
  }
}

}  // namespace

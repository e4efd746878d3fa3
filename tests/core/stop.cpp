// SPDX-License-Identifier: BSL-1.0
/// Fault 201: stopping what stops already, or has not begun.
#include "asyncio/capture.hpp"
#include "asyncio/eventloop.hpp"
#include "asyncio/future.hpp"
#include "asyncio/runner.hpp"
#include "asyncio/sleep.hpp"
#include "asyncio/task.hpp"
#include "captures.hpp"
#include "virtual_loop.hpp"

#include <gtest/gtest.h>

#include <csignal>
#include <string>
#include <vector>

using namespace asyncio;
using namespace std::chrono_literals;
using test::Counted;
using test::thrown;

namespace {

TEST(Stop, fault201_three_requests_stop_the_loop_once) {
  EventLoop loop = test::new_virtual_loop();
  std::vector<int> trace;
  loop.call_soon([&] {
    for (int i = 0; i < 3; ++i) loop.stop();
    loop.call_soon([&] {
      trace.push_back(1);
      loop.call_soon([&] {
        trace.push_back(2);
        loop.stop();
        loop.stop();
      });
    });
  });
  loop.run_forever();
  EXPECT_TRUE(trace.empty());
  loop.run_forever();  // until the next request: those of before are used up
  EXPECT_EQ(trace, (std::vector<int>{1, 2}));
  loop.close();
}

TEST(Stop, fault201_stop_before_the_start_runs_one_iteration) {
  EventLoop loop = test::new_virtual_loop();
  int steps = 0;
  auto count = [&steps](Counted) -> Coro<int> {
    for (; steps < 5; ++steps) co_await sleep(0s);
    co_return steps;
  };
  int before = Counted::alive;
  Task<int> task = loop.create_task(count, Counted());
  loop.stop();
  loop.stop();
  EXPECT_EQ(thrown([&] { loop.run_until_complete(task); }),
            "asyncio::RuntimeError: Event loop stopped before Future completed.");
  EXPECT_EQ(steps, 0);  // begun, and waits
  EXPECT_FALSE(task.done());
  EXPECT_EQ(loop.run_until_complete(task), 5);
  EXPECT_EQ(Counted::alive, before);
  loop.close();
  loop.close();
  EXPECT_EQ(thrown([&] { loop.stop(); }), "nothing");
}

TEST(Stop, fault201_runner_is_closed_once_whenever_it_is_asked) {
  int loops = 0;
  auto factory = [&loops] {
    ++loops;
    return test::new_virtual_loop();
  };
  Runner unused(RunOptions().loop_factory(factory));
  unused.close();
  unused.close();
  EXPECT_EQ(loops, 0);

  Runner used(RunOptions().loop_factory(factory));
  EventLoop loop = used.get_loop();
  bool cleaned = false;
  used.run([&cleaned]() -> Coro<> {
    auto background = [&cleaned]() -> Coro<> {
      auto slept = co_await capture(sleep(1h));
      co_await sleep(1s);
      cleaned = true;
      slept.value();
    };
    create_task(background);  // keeps a copy
    co_await sleep(0s);
  });
  EXPECT_FALSE(cleaned);
  for (int i = 0; i < 3; ++i) used.close();
  EXPECT_TRUE(cleaned);
  EXPECT_TRUE(loop.is_closed());
  EXPECT_EQ(loops, 1);
  EXPECT_EQ(thrown([&] { used.run([]() -> Coro<> { co_return; }); }),
            "asyncio::RuntimeError: Runner is closed");
}

TEST(Stop, fault201_runner_whose_loop_cannot_be_made_may_try_again) {
  int attempts = 0;
  Runner runner(RunOptions().loop_factory([&attempts]() -> EventLoop {
    if (++attempts < 3) throw OSError(24, "a loop");
    return test::new_virtual_loop();
  }));
  auto main = []() -> Coro<int> { co_return 5; };
  for (int i = 0; i < 2; ++i)
    EXPECT_EQ(thrown([&] { runner.run(main); }), "asyncio::OSError: a loop: Too many open files");
  EXPECT_EQ(runner.run(main), 5);
  EXPECT_EQ(attempts, 3);
}

Coro<> stubborn() {
  std::raise(SIGINT);
  auto slept = co_await capture(sleep(1h));
  EXPECT_TRUE(slept.cancelled());
  std::raise(SIGINT);  // during the clean-up
  co_await sleep(1h);
}

TEST(Stop, fault201_A1_3_second_interrupt_ends_the_process) {
  EXPECT_EXIT(run(stubborn()), ::testing::KilledBySignal(SIGINT), "");
}

}  // namespace

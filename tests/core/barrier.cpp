// SPDX-License-Identifier: BSL-1.0
#include "asyncio/gather.hpp"
#include "asyncio/sleep.hpp"
#include "asyncio/sync.hpp"
#include "asyncio/task.hpp"
#include "asyncio/timeout.hpp"
#include "asyncio/with.hpp"
#include "captures.hpp"
#include "seeds.hpp"
#include "virtual_loop.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <numeric>
#include <string>
#include <vector>

using namespace asyncio;
using namespace std::chrono_literals;
using test::run_virtual;
using test::thrown;
using test::yields;

namespace {

using Trace = std::vector<std::string>;

/// "a 0", "a broken" or "a cancelled".
Coro<> pass(Barrier& barrier, std::string name, Trace& trace) {
  auto outcome = co_await capture(barrier.wait());
  if (outcome.has_value())
    trace.push_back(name + " " + std::to_string(outcome.value()));
  else
    trace.push_back(name + (outcome.cancelled() ? " cancelled" : " broken"));
}

TEST(Barrier, A4_6_at_least_one_party) {
  EXPECT_EQ(thrown([] { Barrier barrier(0); }), "asyncio::ValueError: parties must be >= 1");
  EXPECT_EQ(thrown([] { Barrier barrier(-5); }), "asyncio::ValueError: parties must be >= 1");
}

TEST(Barrier, A4_6_a_barrier_of_one_does_not_wait) {
  run_virtual([]() -> Coro<> {
    Barrier barrier(1);
    bool suspended = false;
    get_running_loop().call_soon([&] { suspended = true; });
    int position = co_await barrier.wait();
    EXPECT_EQ(position, 0);
    EXPECT_FALSE(suspended);
    co_await sleep(0s);
  });
}

TEST(Barrier, A4_6_the_parties_go_together_again_and_again) {
  run_virtual([]() -> Coro<> {
    Barrier barrier(3);
    EXPECT_EQ(barrier.parties(), 3);
    for (int round = 0; round < 3; ++round) {
      Trace trace;
      auto a = create_task(pass(barrier, "a", trace));
      co_await yields(3);
      EXPECT_EQ(barrier.n_waiting(), 1);
      auto b = create_task(pass(barrier, "b", trace));
      co_await yields(3);
      EXPECT_EQ(barrier.n_waiting(), 2);
      EXPECT_TRUE(trace.empty());
      auto c = create_task(pass(barrier, "c", trace));
      co_await gather(a, b, c);
      std::ranges::sort(trace);
      EXPECT_EQ(trace, (Trace{"a 0", "b 1", "c 2"}));
      EXPECT_EQ(barrier.n_waiting(), 0);
      EXPECT_FALSE(barrier.broken());
    }
  });
}

TEST(Barrier, A4_6_more_tasks_than_parties_wait_for_the_next_round) {
  run_virtual([]() -> Coro<> {
    Trace trace;
    Barrier barrier(2);
    std::vector<Task<>> tasks;
    for (const char* name : {"a", "b", "c", "d", "e"})
      tasks.push_back(create_task(pass(barrier, name, trace)));
    co_await yields(20);
    EXPECT_EQ(trace.size(), 4u);
    EXPECT_EQ(barrier.n_waiting(), 1);
    co_await barrier.wait();
    for (auto& task : tasks) co_await task;
    EXPECT_EQ(trace.size(), 5u);
    EXPECT_EQ(barrier.n_waiting(), 0);
  });
}

TEST(Barrier, A4_6_a_task_that_comes_while_others_leave_waits_until_all_have_left) {
  run_virtual([]() -> Coro<> {
    Trace trace;
    Barrier barrier(2);
    auto a = create_task(pass(barrier, "a", trace));
    co_await sleep(0s);
    int position = co_await barrier.wait();
    EXPECT_EQ(position, 1);
    EXPECT_EQ(barrier.n_waiting(), 0);  // a has not left yet
    auto b = create_task(pass(barrier, "b", trace));
    co_await yields(10);
    EXPECT_EQ(trace, (Trace{"a 0"}));
    EXPECT_EQ(barrier.n_waiting(), 1);
    co_await gather(a, pass(barrier, "c", trace), b);
  });
}

TEST(Barrier, A2_20_with_waits_on_entry) {
  run_virtual([]() -> Coro<> {
    Barrier barrier(2);
    std::vector<int> positions;
    auto body = [&]() -> Coro<> {
      co_await with(barrier, [&](int position) -> Coro<> {
        positions.push_back(position);
        co_return;
      });
    };
    co_await gather(body(), body());
    std::ranges::sort(positions);
    EXPECT_EQ(positions, (std::vector<int>{0, 1}));
  });
}

TEST(Barrier, A4_6_abort_breaks_it_for_all_and_reset_mends_it) {
  run_virtual([]() -> Coro<> {
    Trace trace;
    Barrier barrier(3);
    auto a = create_task(pass(barrier, "a", trace));
    auto b = create_task(pass(barrier, "b", trace));
    co_await yields(3);
    co_await barrier.abort();
    EXPECT_TRUE(barrier.broken());
    EXPECT_EQ(barrier.n_waiting(), 0);
    co_await gather(a, b);
    EXPECT_EQ(trace, (Trace{"a broken", "b broken"}));
    auto late = co_await capture(barrier.wait());
    EXPECT_EQ(describe_exception(late.exception()), "asyncio::BrokenBarrierError: Barrier aborted");
    co_await barrier.reset();
    EXPECT_FALSE(barrier.broken());
    trace.clear();
    co_await gather(pass(barrier, "a", trace), pass(barrier, "b", trace),
                    pass(barrier, "c", trace));
    std::ranges::sort(trace);
    EXPECT_EQ(trace, (Trace{"a 0", "b 1", "c 2"}));
  });
}

TEST(Barrier, A4_6_reset_breaks_those_who_wait_and_leaves_the_barrier_whole) {
  run_virtual([]() -> Coro<> {
    Trace trace;
    Barrier barrier(3);
    auto a = create_task(pass(barrier, "a", trace));
    auto b = create_task(pass(barrier, "b", trace));
    co_await yields(3);
    co_await barrier.reset();
    EXPECT_FALSE(barrier.broken());
    auto late = create_task(pass(barrier, "late", trace));
    co_await gather(a, b);
    EXPECT_EQ(trace, (Trace{"a broken", "b broken"}));
    co_await yields(5);
    EXPECT_EQ(barrier.n_waiting(), 1);
    co_await barrier.reset();
    co_await late;
    EXPECT_EQ(trace.back(), "late broken");
  });
}

TEST(Barrier, A4_6_a_cancelled_party_leaves_and_another_takes_its_place) {
  run_virtual([]() -> Coro<> {
    Trace trace;
    Barrier barrier(2);
    auto a = create_task(pass(barrier, "a", trace));
    co_await yields(2);
    a.cancel();
    co_await a;
    EXPECT_EQ(trace, (Trace{"a cancelled"}));
    EXPECT_EQ(barrier.n_waiting(), 0);
    EXPECT_FALSE(barrier.broken());
    co_await gather(pass(barrier, "b", trace), pass(barrier, "c", trace));
    EXPECT_EQ(trace.size(), 3u);
  });
}

TEST(Barrier, D2_wait_as_a_task_is_no_dangling_parameter) {
  test::LogCapture log;
  test::debug_virtual([]() -> Coro<> {
    Barrier barrier(2);
    auto a = create_task(barrier.wait());
    auto b = create_task(barrier.wait());
    co_await gather(a, b);
    co_await create_task(barrier.abort());
    co_await create_task(barrier.reset());
  });
  EXPECT_EQ(log.count("may outlive"), 0) << log.all();
}

TEST(Barrier, R16_a_barrier_that_is_destroyed_wakes_its_waiters_with_an_error) {
  test::LogCapture log;
  run_virtual([]() -> Coro<> {
    auto barrier = std::make_unique<Barrier>(3);
    auto a = create_task(barrier->wait());
    auto b = create_task(barrier->wait());
    co_await yields(3);
    barrier.reset();
    for (auto& task : {a, b}) {
      auto outcome = co_await capture(task);
      EXPECT_EQ(describe_exception(outcome.exception()),
                "asyncio::RuntimeError: the Barrier was destroyed while a task waited for it");
    }
  });
  EXPECT_EQ(log.count("Scoped"), 0) << log.all();
}

TEST(Barrier, R16_one_of_another_loop_is_named) {
  Barrier barrier(2);
  auto wait_a_while = [&]() -> Coro<Result<int>> {
    Task<int> waiting = create_task(barrier.wait());
    co_await yields(3);
    waiting.cancel();
    co_return co_await capture(waiting);
  };
  EXPECT_TRUE(run_virtual(wait_a_while).cancelled());
  EXPECT_EQ(describe_exception(run_virtual(wait_a_while).exception()),
            "asyncio::RuntimeError: <asyncio.Barrier> is bound to a different event loop");
}

Coro<> own_a_barrier_and_wait(std::vector<Task<int>>& tasks) {
  Barrier barrier(4);
  for (int i = 0; i < 3; ++i) tasks.push_back(create_task(barrier.wait()));
  co_await sleep(1h);
}

TEST(Barrier, R3_a_loop_may_be_closed_while_tasks_wait) {
  for (int iterations = 1; iterations < 10; ++iterations) {
    test::LogCapture log;
    std::vector<Task<int>> tasks;
    Barrier barrier(2);
    EventLoop loop = test::new_virtual_loop();
    auto owner = loop.create_task(own_a_barrier_and_wait(tasks));
    for (int i = 0; i < 5; ++i) tasks.push_back(loop.create_task(barrier.wait()));
    loop.run_until_complete(loop.create_task(yields(iterations)));
    loop.close();
    EXPECT_EQ(log.count("Scoped"), 0) << log.all();
    EXPECT_EQ(barrier.n_waiting(), 0);
  }
}

// --- Random ------------------------------------------------------------------------------------

TEST(Barrier, fault7_random_cancellations_and_resets_strand_nobody) {
  test::for_each_seed([](std::uint64_t seed) {
    run_virtual([seed]() -> Coro<> {
      test::Random random(seed);
      Trace trace;
      Barrier barrier(3);
      std::vector<Task<>> tasks;
      for (int i = 0; i < 12; ++i) {
        tasks.push_back(create_task(pass(barrier, std::to_string(i), trace)));
        co_await yields(random.below(4));
        auto& victim = tasks[static_cast<std::size_t>(random.below(i + 1))];
        if (random.one_in(3)) victim.cancel();
        if (random.one_in(8)) co_await barrier.reset();
        if (random.one_in(15)) co_await barrier.abort();
      }
      // Whoever still waits goes through with the next two, whatever happened.
      co_await yields(10);
      if (barrier.broken()) co_await barrier.reset();
      co_await yields(10);
      int left = barrier.n_waiting();
      EXPECT_LT(left, 3);
      for (int i = left; left > 0 && i < 3; ++i)
        tasks.push_back(create_task(pass(barrier, "last", trace)));
      for (auto& task : tasks) {
        auto outcome = co_await capture(task);
        EXPECT_TRUE(outcome.has_value() || outcome.cancelled());
      }
      EXPECT_EQ(barrier.n_waiting(), 0);
      EXPECT_FALSE(barrier.broken());
    });
  });
}

}  // namespace

// SPDX-License-Identifier: BSL-1.0
#include "allocation_count.hpp"
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

#include <memory>
#include <string>
#include <thread>
#include <vector>

using namespace asyncio;
using namespace std::chrono_literals;
using test::run_virtual;
using test::thrown;
using test::yields;

namespace {

using Trace = std::vector<std::string>;

Coro<> take(Semaphore& semaphore, std::string name, Trace& trace) {
  bool taken = co_await semaphore.acquire();
  trace.push_back(name + (taken ? "" : " false"));
}

TEST(Semaphore, A4_4_free_units_are_taken_without_suspending) {
  run_virtual([]() -> Coro<> {
    Semaphore semaphore(2);
    bool suspended = false;
    get_running_loop().call_soon([&] { suspended = true; });
    bool first = co_await semaphore.acquire();
    bool second = co_await semaphore.acquire();
    EXPECT_TRUE(first && second);
    EXPECT_TRUE(semaphore.locked());
    EXPECT_FALSE(suspended);
    semaphore.release();
    EXPECT_FALSE(semaphore.locked());
    co_await sleep(0s);
  });
}

TEST(Semaphore, A4_4_an_initial_value_below_zero_is_refused) {
  EXPECT_EQ(thrown([] { Semaphore semaphore(-1); }),
            "asyncio::ValueError: Semaphore initial value must be >= 0");
  EXPECT_EQ(thrown([] { BoundedSemaphore semaphore(-1); }),
            "asyncio::ValueError: Semaphore initial value must be >= 0");
}

TEST(Semaphore, A4_4_the_default_is_one_unit) {
  Semaphore semaphore;
  EXPECT_FALSE(semaphore.locked());
  EXPECT_TRUE(Semaphore(0).locked());
}

TEST(Semaphore, A4_4_a_plain_one_grows_by_releases) {
  run_virtual([]() -> Coro<> {
    Semaphore semaphore(0);
    semaphore.release();
    semaphore.release();
    co_await semaphore.acquire();
    co_await semaphore.acquire();
    EXPECT_TRUE(semaphore.locked());
  });
}

TEST(Semaphore, A4_5_a_bounded_one_refuses_to_grow) {
  run_virtual([]() -> Coro<> {
    BoundedSemaphore semaphore(1);
    EXPECT_EQ(thrown([&] { semaphore.release(); }),
              "asyncio::ValueError: BoundedSemaphore released too many times");
    co_await semaphore.acquire();
    Semaphore& plain = semaphore;
    plain.release();
    EXPECT_EQ(thrown([&] { plain.release(); }),
              "asyncio::ValueError: BoundedSemaphore released too many times");
  });
}

TEST(Semaphore, A4_4_waiters_get_units_in_order_of_arrival) {
  run_virtual([]() -> Coro<> {
    Trace trace;
    Semaphore semaphore(1);
    co_await semaphore.acquire();
    auto a = create_task(take(semaphore, "a", trace));
    auto b = create_task(take(semaphore, "b", trace));
    auto c = create_task(take(semaphore, "c", trace));
    co_await sleep(0s);
    semaphore.release();
    semaphore.release();
    EXPECT_TRUE(semaphore.locked());  // both units are promised
    co_await sleep(0s);
    EXPECT_EQ(trace, (Trace{"a", "b"}));
    semaphore.release();
    co_await gather(a, b, c);
    EXPECT_EQ(trace, (Trace{"a", "b", "c"}));
  });
}

TEST(Semaphore, A4_4_nobody_overtakes_a_woken_waiter) {
  run_virtual([]() -> Coro<> {
    Trace trace;
    Semaphore semaphore(0);
    auto a = create_task(take(semaphore, "a", trace));
    co_await sleep(0s);
    semaphore.release();
    semaphore.release();
    EXPECT_TRUE(semaphore.locked());  // a unit is left, but a comes first
    auto b = create_task(take(semaphore, "b", trace));
    co_await semaphore.acquire();
    trace.push_back("main");
    EXPECT_EQ(trace, (Trace{"a", "main"}));
    semaphore.release();
    co_await gather(a, b);
    EXPECT_EQ(trace, (Trace{"a", "main", "b"}));
  });
}

TEST(Semaphore, fault7_the_chosen_waiter_is_cancelled_and_the_next_gets_the_unit) {
  run_virtual([]() -> Coro<> {
    Trace trace;
    Semaphore semaphore(0);
    auto a = create_task(take(semaphore, "a", trace));
    auto b = create_task(take(semaphore, "b", trace));
    co_await sleep(0s);
    semaphore.release();
    a.cancel();
    co_await b;
    EXPECT_TRUE(a.cancelled());
    EXPECT_EQ(trace, (Trace{"b"}));
    EXPECT_TRUE(semaphore.locked());
  });
}

TEST(Semaphore, fault7_a_cancelled_waiter_is_passed_over) {
  run_virtual([]() -> Coro<> {
    Trace trace;
    Semaphore semaphore(0);
    auto a = create_task(take(semaphore, "a", trace));
    auto b = create_task(take(semaphore, "b", trace));
    co_await sleep(0s);
    a.cancel();
    semaphore.release();
    co_await sleep(0s);
    EXPECT_TRUE(a.cancelled());
    EXPECT_EQ(trace, (Trace{"b"}));
    co_await b;
  });
}

TEST(Semaphore, fault7_all_chosen_are_cancelled_and_the_units_come_back) {
  run_virtual([]() -> Coro<> {
    Trace trace;
    Semaphore semaphore(0);
    std::vector<Task<>> tasks;
    for (int i = 0; i < 3; ++i) tasks.push_back(create_task(take(semaphore, "x", trace)));
    co_await sleep(0s);
    for (int i = 0; i < 3; ++i) semaphore.release();
    for (auto& task : tasks) task.cancel();
    EXPECT_TRUE(semaphore.locked());
    co_await sleep(0s);
    EXPECT_FALSE(semaphore.locked());
    for (int i = 0; i < 3; ++i) co_await semaphore.acquire();
    EXPECT_TRUE(semaphore.locked());
    EXPECT_TRUE(trace.empty());
  });
}

TEST(Semaphore, A4_4_a_line_of_cancelled_waiters_is_no_line) {
  run_virtual([]() -> Coro<> {
    Trace trace;
    Semaphore semaphore(1);
    co_await semaphore.acquire();
    auto a = create_task(take(semaphore, "a", trace));
    co_await sleep(0s);
    a.cancel();
    semaphore.release();
    EXPECT_FALSE(semaphore.locked());
    bool suspended = false;
    get_running_loop().call_soon([&] { suspended = true; });
    co_await semaphore.acquire();
    EXPECT_FALSE(suspended);
    co_await sleep(0s);
    EXPECT_TRUE(a.cancelled());
  });
}

TEST(Semaphore, A2_20_with_and_scoped_give_the_unit_back) {
  run_virtual([]() -> Coro<> {
    BoundedSemaphore semaphore(2);
    co_await with(semaphore, [&]() -> Coro<> {
      auto one = co_await semaphore.scoped();
      EXPECT_TRUE(semaphore.locked());
      auto same = std::move(one);
      EXPECT_TRUE(semaphore.locked());
    });
    co_await semaphore.acquire();
    co_await semaphore.acquire();
    semaphore.release();
    semaphore.release();
    EXPECT_EQ(thrown([&] { semaphore.release(); }),
              "asyncio::ValueError: BoundedSemaphore released too many times");
  });
}

TEST(Semaphore, R9_a_scope_that_cannot_release_says_so_in_the_log) {
  test::LogCapture log;
  run_virtual([]() -> Coro<> {
    BoundedSemaphore semaphore(1);
    auto held = co_await semaphore.scoped();
    semaphore.release();
  });
  EXPECT_EQ(log.count("Scoped<Semaphore>", "released too many times"), 1) << log.all();
}

TEST(Semaphore, R16_a_semaphore_belongs_to_the_loop_of_its_first_wait) {
  Semaphore semaphore(0);
  Trace trace;
  auto first = [&]() -> Coro<> {
    auto task = create_task(take(semaphore, "a", trace));
    co_await sleep(0s);
    semaphore.release();
    co_await task;
  };
  run_virtual(first);
  auto second = [&]() -> Coro<> {
    auto outcome = co_await capture(semaphore.acquire());
    EXPECT_EQ(describe_exception(outcome.exception()),
              "asyncio::RuntimeError: <asyncio.Semaphore> is bound to a different event loop");
  };
  run_virtual(second);
}

TEST(Semaphore, R11_release_in_another_thread_is_reported_in_debug_mode) {
  test::debug_virtual([]() -> Coro<> {
    Trace trace;
    Semaphore semaphore(0);
    auto task = create_task(take, std::ref(semaphore), "a", std::ref(trace));
    co_await sleep(0s);
    std::string what;
    std::thread other([&] { what = thrown([&] { semaphore.release(); }); });
    other.join();
    EXPECT_NE(what.find("Non-thread-safe operation"), std::string::npos) << what;
    EXPECT_NE(what.find("waits for in Semaphore.acquire"), std::string::npos) << what;
    semaphore.release();
    co_await task;
    EXPECT_TRUE(semaphore.locked());
  });
}

TEST(Semaphore, R16_a_semaphore_that_is_destroyed_wakes_its_waiters_with_an_error) {
  run_virtual([]() -> Coro<> {
    Trace trace;
    auto semaphore = std::make_unique<Semaphore>(0);
    auto woken = create_task(take(*semaphore, "a", trace));
    auto waiting = create_task(take(*semaphore, "b", trace));
    auto cancelled = create_task(take(*semaphore, "c", trace));
    co_await sleep(0s);
    semaphore->release();
    cancelled.cancel();
    semaphore.reset();
    for (auto& task : {woken, waiting}) {
      auto outcome = co_await capture(task);
      EXPECT_EQ(describe_exception(outcome.exception()),
                "asyncio::RuntimeError: the Semaphore was destroyed while a task waited for it");
    }
    auto outcome = co_await capture(cancelled);
    EXPECT_TRUE(outcome.cancelled());
  });
}

Coro<> own_a_semaphore_and_wait(std::vector<Task<>>& tasks, Trace& trace) {
  Semaphore semaphore(1);
  auto held = co_await semaphore.scoped();
  for (int i = 0; i < 3; ++i) tasks.push_back(create_task(take(semaphore, "x", trace)));
  co_await sleep(1h);
}

Coro<> hold_for_an_hour(Semaphore& semaphore) {
  auto held = co_await semaphore.scoped();
  co_await sleep(1h);
}

TEST(Semaphore, R2_a_closed_loop_leaves_all_units_behind) {
  test::LogCapture log;
  Trace trace;
  std::vector<Task<>> tasks;
  BoundedSemaphore semaphore(2);
  EventLoop loop = test::new_virtual_loop();
  tasks.push_back(loop.create_task(own_a_semaphore_and_wait(tasks, trace)));
  for (int i = 0; i < 4; ++i) tasks.push_back(loop.create_task(hold_for_an_hour(semaphore)));
  loop.run_until_complete(loop.create_task(yields(3)));
  EXPECT_TRUE(semaphore.locked());
  loop.close();
  EXPECT_TRUE(trace.empty());
  EXPECT_EQ(log.count("Scoped"), 0) << log.all();
  run_virtual([&]() -> Coro<> {
    co_await semaphore.acquire();
    co_await semaphore.acquire();
    EXPECT_TRUE(semaphore.locked());
  });
}

Coro<> take_turns(Semaphore& semaphore, int rounds) {
  for (int i = 0; i < rounds; ++i) {
    co_await semaphore.acquire();
    co_await sleep(0s);
    semaphore.release();
  }
}

TEST(Semaphore, D12_waiting_allocates_nothing) {
  run_virtual([]() -> Coro<> {
    Semaphore semaphore(2);
    std::vector<Task<>> tasks;
    for (int i = 0; i < 5; ++i) tasks.push_back(create_task(take_turns(semaphore, 500)));
    co_await yields(20);
    test::AllocationCount count;
    for (int i = 0; i < 500; ++i) co_await sleep(0s);
    EXPECT_EQ(count.made(), 0u);
    for (auto& task : tasks) co_await task;
  });
}

TEST(Semaphore, permits_pass_over_a_hundred_thousand_cancelled_waiters) {
  run_virtual([]() -> Coro<> {
    Trace trace;
    Semaphore semaphore(0);
    std::vector<Task<>> tasks;
    for (int i = 0; i < 100'000; ++i) tasks.push_back(create_task(take(semaphore, "", trace)));
    co_await sleep(0s);
    for (auto& task : tasks) task.cancel();
    for (int i = 0; i < 1'000; ++i) semaphore.release();
    co_await sleep(0s);
    for (auto& task : tasks) EXPECT_TRUE(task.cancelled());
    EXPECT_FALSE(semaphore.locked());
  });
}

// --- Random ------------------------------------------------------------------------------------

/// Counts who is inside.
class Ledger {
 public:
  static constexpr int kUnits = 3;
  BoundedSemaphore semaphore{kUnits};
  int inside = 0;
  int peak = 0;
};

Coro<> visit(Ledger& ledger, std::uint64_t seed) {
  test::Random random(seed);
  for (int round = 0; round < 6; ++round) {
    co_await yields(random.below(3));
    auto held = co_await ledger.semaphore.scoped();
    ledger.peak = std::max(ledger.peak, ++ledger.inside);
    struct Leave {
      ~Leave() { --inside; }
      int& inside;
    } leave{ledger.inside};
    co_await yields(random.below(4));
  }
}

TEST(Semaphore, fault7_R2_random_cancellations_conserve_the_units) {
  test::for_each_seed([](std::uint64_t seed) {
    run_virtual([seed]() -> Coro<> {
      test::Random random(seed);
      Ledger ledger;
      std::vector<Task<>> tasks;
      for (int i = 0; i < 9; ++i) tasks.push_back(create_task(visit(ledger, random.next())));
      for (int i = 0; i < 15; ++i) {
        co_await yields(random.below(4));
        tasks[static_cast<std::size_t>(random.below(9))].cancel();
        if (random.one_in(2)) tasks[static_cast<std::size_t>(random.below(9))].cancel();
      }
      for (auto& task : tasks) {
        auto outcome = co_await capture(task);
        EXPECT_TRUE(outcome.has_value() || outcome.cancelled());
      }
      EXPECT_LE(ledger.peak, Ledger::kUnits);
      EXPECT_EQ(ledger.inside, 0);
      for (int i = 0; i < Ledger::kUnits; ++i) {
        EXPECT_FALSE(ledger.semaphore.locked());
        co_await ledger.semaphore.acquire();
      }
      EXPECT_TRUE(ledger.semaphore.locked());
    });
  });
}

}  // namespace

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

/// Takes the lock, keeps it for some iterations.
Coro<> hold(Lock& lock, std::string name, Trace& trace, int iterations = 1) {
  co_await lock.acquire();
  trace.push_back(name);
  co_await yields(iterations);
  lock.release();
}

TEST(Lock, A4_1_a_free_lock_is_taken_without_suspending) {
  run_virtual([]() -> Coro<> {
    Trace trace;
    get_running_loop().call_soon([&trace] { trace.push_back("another"); });
    Lock lock;
    EXPECT_FALSE(lock.locked());
    bool taken = co_await lock.acquire();
    EXPECT_TRUE(taken);
    EXPECT_TRUE(lock.locked());
    lock.release();
    EXPECT_FALSE(lock.locked());
    EXPECT_TRUE(trace.empty());
    co_await sleep(0s);
  });
}

TEST(Lock, A4_1_waiters_get_it_in_order_of_arrival) {
  run_virtual([]() -> Coro<> {
    Trace trace;
    Lock lock;
    co_await gather(hold(lock, "a", trace), hold(lock, "b", trace, 3), hold(lock, "c", trace, 0),
                    hold(lock, "d", trace));
    EXPECT_EQ(trace, (Trace{"a", "b", "c", "d"}));
    EXPECT_FALSE(lock.locked());
  });
}

TEST(Lock, A4_1_release_of_a_free_lock_is_refused) {
  Lock lock;
  EXPECT_EQ(thrown([&] { lock.release(); }), "asyncio::RuntimeError: Lock is not acquired.");
}

TEST(Lock, A4_1_who_releases_cannot_overtake_the_one_in_line) {
  run_virtual([]() -> Coro<> {
    Trace trace;
    Lock lock;
    co_await lock.acquire();
    auto patient = create_task(hold(lock, "patient", trace));
    co_await sleep(0s);
    lock.release();
    EXPECT_FALSE(lock.locked());
    co_await lock.acquire();  // has to stand in line
    trace.push_back("greedy");
    lock.release();
    co_await patient;
    EXPECT_EQ(trace, (Trace{"patient", "greedy"}));
  });
}

TEST(Lock, A4_1_release_hands_over_in_one_iteration) {
  run_virtual([]() -> Coro<> {
    Trace trace;
    Lock lock;
    co_await lock.acquire();
    auto first = create_task(hold(lock, "first", trace, 0));
    auto second = create_task(hold(lock, "second", trace, 0));
    co_await sleep(0s);
    lock.release();
    EXPECT_TRUE(trace.empty());
    co_await sleep(0s);
    EXPECT_EQ(trace, (Trace{"first"}));
    co_await sleep(0s);
    EXPECT_EQ(trace, (Trace{"first", "second"}));
    co_await gather(first, second);
  });
}

TEST(Lock, A4_1_a_cancelled_waiter_leaves_the_line) {
  run_virtual([]() -> Coro<> {
    Trace trace;
    Lock lock;
    co_await lock.acquire();
    auto a = create_task(hold(lock, "a", trace));
    auto b = create_task(hold(lock, "b", trace));
    co_await sleep(0s);
    a.cancel();
    co_await sleep(0s);
    EXPECT_TRUE(a.cancelled());
    EXPECT_TRUE(lock.locked());
    lock.release();
    co_await b;
    EXPECT_EQ(trace, (Trace{"b"}));
  });
}

TEST(Lock, fault7_the_chosen_waiter_is_cancelled_and_the_next_gets_the_lock) {
  run_virtual([]() -> Coro<> {
    Trace trace;
    Lock lock;
    co_await lock.acquire();
    auto a = create_task(hold(lock, "a", trace));
    auto b = create_task(hold(lock, "b", trace));
    co_await sleep(0s);
    lock.release();  // a is chosen
    a.cancel();
    co_await b;
    EXPECT_TRUE(a.cancelled());
    EXPECT_EQ(trace, (Trace{"b"}));
    EXPECT_FALSE(lock.locked());
  });
}

TEST(Lock, fault7_the_first_in_line_is_cancelled_and_then_the_lock_released) {
  run_virtual([]() -> Coro<> {
    Trace trace;
    Lock lock;
    co_await lock.acquire();
    auto a = create_task(hold(lock, "a", trace));
    auto b = create_task(hold(lock, "b", trace));
    co_await sleep(0s);
    a.cancel();
    lock.release();  // wakes nobody: a does when it runs
    co_await b;
    EXPECT_EQ(trace, (Trace{"b"}));
  });
}

TEST(Lock, A4_1_a_line_of_cancelled_waiters_is_no_line) {
  run_virtual([]() -> Coro<> {
    Trace trace;
    Lock lock;
    co_await lock.acquire();
    auto a = create_task(hold(lock, "a", trace));
    auto b = create_task(hold(lock, "b", trace));
    co_await sleep(0s);
    a.cancel();
    b.cancel();
    lock.release();
    bool suspended = false;
    get_running_loop().call_soon([&] { suspended = true; });
    co_await lock.acquire();
    EXPECT_FALSE(suspended);
    co_await sleep(0s);
    EXPECT_TRUE(lock.locked());
    lock.release();
    EXPECT_TRUE(trace.empty());
  });
}

TEST(Lock, A4_1_a_chosen_waiter_that_is_not_cancelled_keeps_the_line) {
  run_virtual([]() -> Coro<> {
    Trace trace;
    Lock lock;
    co_await lock.acquire();
    auto a = create_task(hold(lock, "a", trace));
    auto b = create_task(hold(lock, "b", trace));
    co_await sleep(0s);
    lock.release();
    b.cancel();
    co_await hold(lock, "main", trace);
    co_await a;
    EXPECT_EQ(trace, (Trace{"a", "main"}));
  });
}

TEST(Lock, R4_a_cancellation_before_the_wait_begins_is_delivered_at_it) {
  run_virtual([]() -> Coro<> {
    Trace trace;
    Lock lock;
    co_await lock.acquire();
    auto body = [](Lock& l) -> Coro<> {
      current_task()->cancel("early");
      co_await l.acquire();
    };
    auto task = create_task(body(lock));
    auto outcome = co_await capture(task);
    EXPECT_TRUE(outcome.cancelled());
    lock.release();
    bool taken = co_await lock.acquire();
    EXPECT_TRUE(taken);
  });
}

TEST(Lock, R4_the_message_of_the_cancellation_arrives) {
  run_virtual([]() -> Coro<> {
    Lock lock;
    Trace trace;
    co_await lock.acquire();
    auto task = create_task(hold(lock, "a", trace));
    co_await sleep(0s);
    task.cancel("enough");
    auto outcome = co_await capture(task);
    EXPECT_EQ(describe_exception(outcome.exception()), "asyncio::CancelledError: enough");
  });
}

TEST(Lock, A2_20_with_releases_after_the_body_and_after_its_exception) {
  run_virtual([]() -> Coro<> {
    Lock lock;
    int value = co_await with(lock, [&]() -> Coro<int> {
      EXPECT_TRUE(lock.locked());
      co_return 5;
    });
    EXPECT_EQ(value, 5);
    EXPECT_FALSE(lock.locked());
    auto failed = co_await capture(with(lock, [&](Lock& held) -> Coro<> {
      EXPECT_TRUE(held.locked());
      throw ValueError("body");
      co_return;
    }));
    EXPECT_TRUE(failed.holds<ValueError>());
    EXPECT_FALSE(lock.locked());
  });
}

Coro<> fail_with_scope(Lock& lock) {
  auto held = co_await lock.scoped();
  co_await sleep(0s);
  throw ValueError("in scope");
}

TEST(Lock, A4_1_scoped_releases_at_the_end_of_the_block) {
  run_virtual([]() -> Coro<> {
    Lock lock;
    {
      auto held = co_await lock.scoped();
      EXPECT_TRUE(lock.locked());
    }
    EXPECT_FALSE(lock.locked());
    auto failed = co_await capture(fail_with_scope(lock));
    EXPECT_TRUE(failed.holds<ValueError>());
    EXPECT_FALSE(lock.locked());
    {
      auto held = co_await lock.scoped();
      auto moved = std::move(held);
      held.release();
      EXPECT_TRUE(lock.locked());
      moved.release();
      EXPECT_FALSE(lock.locked());
    }
    EXPECT_FALSE(lock.locked());
  });
}

TEST(Lock, A4_1_scoped_waits_in_line_and_can_be_cancelled) {
  run_virtual([]() -> Coro<> {
    Lock lock;
    auto held = co_await lock.scoped();
    auto task = create_task(fail_with_scope(lock));
    co_await sleep(0s);
    task.cancel();
    auto outcome = co_await capture(task);
    EXPECT_TRUE(outcome.cancelled());
    EXPECT_TRUE(lock.locked());
  });
}

TEST(Lock, R9_a_scope_that_cannot_release_says_so_in_the_log) {
  test::LogCapture log;
  run_virtual([]() -> Coro<> {
    Lock lock;
    auto held = co_await lock.scoped();
    lock.release();
  });
  EXPECT_EQ(log.count("Scoped<Lock>", "Lock is not acquired."), 1) << log.all();
}

TEST(Lock, R16_a_lock_belongs_to_the_loop_of_its_first_wait) {
  Lock lock;
  Trace trace;
  auto contend = [&]() -> Coro<> {
    co_await gather(hold(lock, "a", trace), hold(lock, "b", trace));
  };
  run_virtual(contend);
  auto again = [&]() -> Coro<> {
    co_await lock.acquire();  // free: no wait, no complaint
    auto task = create_task(hold(lock, "c", trace));
    auto outcome = co_await capture(task);
    EXPECT_EQ(describe_exception(outcome.exception()),
              "asyncio::RuntimeError: <asyncio.Lock> is bound to a different event loop");
    lock.release();
  };
  run_virtual(again);
  EXPECT_EQ(trace, (Trace{"a", "b"}));
}

TEST(Lock, R11_release_in_another_thread_is_reported_in_debug_mode) {
  test::debug_virtual([]() -> Coro<> {
    Trace trace;
    Lock lock;
    co_await lock.acquire();
    auto task = create_task(hold, std::ref(lock), "a", std::ref(trace), 0);
    co_await sleep(0s);
    std::string what;
    std::thread other([&] { what = thrown([&] { lock.release(); }); });
    other.join();
    EXPECT_NE(what.find("Non-thread-safe operation"), std::string::npos) << what;
    EXPECT_NE(what.find("waits for in Lock.acquire"), std::string::npos) << what;
    EXPECT_TRUE(lock.locked());
    lock.release();
    co_await task;
  });
}

TEST(Lock, R16_a_lock_that_is_destroyed_wakes_its_waiters_with_an_error) {
  run_virtual([]() -> Coro<> {
    Trace trace;
    auto lock = std::make_unique<Lock>();
    co_await lock->acquire();
    auto a = create_task(hold(*lock, "a", trace));
    auto b = create_task(hold(*lock, "b", trace));
    auto c = create_task(hold(*lock, "c", trace));
    co_await sleep(0s);
    c.cancel();
    lock->release();
    lock.reset();
    for (auto& task : {a, b}) {
      auto outcome = co_await capture(task);
      EXPECT_EQ(describe_exception(outcome.exception()),
                "asyncio::RuntimeError: the Lock was destroyed while a task waited for it");
    }
    auto cancelled = co_await capture(c);
    EXPECT_TRUE(cancelled.cancelled());
  });
}

Coro<> own_a_lock_and_wait(std::vector<Task<>>& tasks, Trace& trace) {
  Lock lock;
  auto held = co_await lock.scoped();
  for (int i = 0; i < 3; ++i) tasks.push_back(create_task(hold(lock, "x", trace)));
  co_await sleep(1h);
}

TEST(Lock, R3_a_loop_may_be_closed_while_tasks_wait) {
  test::LogCapture log;
  Trace trace;
  std::vector<Task<>> tasks;
  Lock outer;
  {
    EventLoop loop = test::new_virtual_loop();
    // The lock dies with the first frame, before those who wait for it.
    tasks.push_back(loop.create_task(own_a_lock_and_wait(tasks, trace)));
    auto scoped = [](Lock& lock) -> Coro<> {
      auto held = co_await lock.scoped();
      co_await sleep(1h);
    };
    tasks.push_back(loop.create_task(scoped(outer)));
    tasks.push_back(loop.create_task(hold(outer, "y", trace)));
    loop.run_until_complete(loop.create_task(yields(3)));
    loop.close();
  }
  EXPECT_EQ(log.count("Lock is not acquired"), 0) << log.all();
  EXPECT_TRUE(trace.empty());
  EXPECT_FALSE(outer.locked());  // the scope was destroyed with its frame
  run_virtual([&]() -> Coro<> {
    bool taken = co_await outer.acquire();
    EXPECT_TRUE(taken);
  });
}

Coro<> take_turns(Lock& lock, int rounds) {
  for (int i = 0; i < rounds; ++i) {
    co_await lock.acquire();
    co_await sleep(0s);
    lock.release();
  }
}

TEST(Lock, D12_waiting_allocates_nothing) {
  run_virtual([]() -> Coro<> {
    Lock lock;
    auto a = create_task(take_turns(lock, 1000));
    auto b = create_task(take_turns(lock, 1000));
    auto c = create_task(take_turns(lock, 1000));
    co_await yields(100);
    test::AllocationCount count;
    co_await lock.acquire();
    for (int i = 0; i < 100; ++i) co_await sleep(0s);
    lock.release();
    for (int i = 0; i < 100; ++i) co_await sleep(0s);
    EXPECT_EQ(count.made(), 0u);
    co_await gather(a, b, c);
  });
}

TEST(Lock, fault2_a_million_free_acquisitions_do_not_grow_the_stack) {
  run_virtual([]() -> Coro<> {
    Lock lock;
    for (int i = 0; i < 1'000'000; ++i) {
      co_await lock.acquire();
      lock.release();
    }
  });
}

// --- Random ------------------------------------------------------------------------------------

/// Who holds the lock, and how often it was taken and given back.
class Ledger {
 public:
  Lock lock;
  int inside = 0;
  int peak = 0;
  int entered = 0;
};

Coro<> visit(Ledger& ledger, std::uint64_t seed) {
  test::Random random(seed);
  for (int round = 0; round < 6; ++round) {
    co_await yields(random.below(3));
    auto held = co_await ledger.lock.scoped();
    ++ledger.entered;
    ledger.peak = std::max(ledger.peak, ++ledger.inside);
    struct Leave {
      ~Leave() { --inside; }
      int& inside;
    } leave{ledger.inside};
    co_await yields(random.below(3));
  }
}

TEST(Lock, fault7_random_cancellations_lose_neither_lock_nor_waiter) {
  test::for_each_seed([](std::uint64_t seed) {
    run_virtual([seed]() -> Coro<> {
      test::Random random(seed);
      Ledger ledger;
      std::vector<Task<>> tasks;
      for (int i = 0; i < 6; ++i) tasks.push_back(create_task(visit(ledger, random.next())));
      for (int i = 0; i < 12; ++i) {
        co_await yields(random.below(4));
        tasks[static_cast<std::size_t>(random.below(6))].cancel();
        if (random.one_in(3)) tasks[static_cast<std::size_t>(random.below(6))].cancel();
        if (random.one_in(2)) {  // who takes what is free must not starve the line
          auto held = co_await ledger.lock.scoped();
          EXPECT_EQ(ledger.inside, 0);
        }
      }
      // If a wake-up were lost, nothing could happen any more: the virtual loop throws.
      for (auto& task : tasks) {
        auto outcome = co_await capture(task);
        EXPECT_TRUE(outcome.has_value() || outcome.cancelled());
      }
      EXPECT_EQ(ledger.peak, ledger.entered > 0 ? 1 : 0);
      EXPECT_EQ(ledger.inside, 0);
      EXPECT_FALSE(ledger.lock.locked());
    });
  });
}

}  // namespace

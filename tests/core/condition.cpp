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

namespace {

using Trace = std::vector<std::string>;

Coro<> yields(int count) {
  for (int i = 0; i < count; ++i) co_await sleep(0s);
}

Coro<> await_news(Condition& condition, std::string name, Trace& trace) {
  co_await condition.acquire();
  bool result = co_await condition.wait();
  trace.push_back(name + (result && condition.locked() ? "" : " without the lock"));
  condition.release();
}

Coro<> notify(Condition& condition, int count) {
  co_await condition.acquire();
  condition.notify(count);
  condition.release();
}

TEST(Condition, A4_3_notify_wakes_in_order_of_arrival_each_with_the_lock) {
  run_virtual([]() -> Coro<> {
    Trace trace;
    Condition condition;
    std::vector<Task<>> tasks;
    for (const char* name : {"a", "b", "c", "d"})
      tasks.push_back(create_task(await_news(condition, name, trace)));
    co_await yields(3);
    EXPECT_FALSE(condition.locked());
    co_await notify(condition, 1);
    co_await yields(5);
    EXPECT_EQ(trace, (Trace{"a"}));
    co_await notify(condition, 2);
    co_await yields(5);
    EXPECT_EQ(trace, (Trace{"a", "b", "c"}));
    co_await notify(condition, 0);
    co_await notify(condition, -1);
    co_await yields(5);
    EXPECT_EQ(trace.size(), 3u);
    co_await notify(condition, 2048);
    for (auto& task : tasks) co_await task;
    EXPECT_EQ(trace, (Trace{"a", "b", "c", "d"}));
  });
}

TEST(Condition, A4_3_notify_all) {
  run_virtual([]() -> Coro<> {
    Trace trace;
    Condition condition;
    auto a = create_task(await_news(condition, "a", trace));
    auto b = create_task(await_news(condition, "b", trace));
    co_await yields(2);
    co_await with(condition, [&]() -> Coro<> {
      condition.notify_all();
      co_await yields(3);
      EXPECT_TRUE(trace.empty());  // the lock is still here
    });
    co_await gather(a, b);
    EXPECT_EQ(trace, (Trace{"a", "b"}));
  });
}

TEST(Condition, A4_3_without_the_lock_wait_and_notify_are_refused) {
  run_virtual([]() -> Coro<> {
    Condition condition;
    auto outcome = co_await capture(condition.wait());
    EXPECT_EQ(describe_exception(outcome.exception()),
              "asyncio::RuntimeError: cannot wait on un-acquired lock");
    EXPECT_EQ(thrown([&] { condition.notify(); }),
              "asyncio::RuntimeError: cannot notify on un-acquired lock");
    EXPECT_EQ(thrown([&] { condition.notify_all(); }),
              "asyncio::RuntimeError: cannot notify on un-acquired lock");
    EXPECT_EQ(thrown([&] { condition.release(); }), "asyncio::RuntimeError: Lock is not acquired.");
  });
}

TEST(Condition, A4_3_a_notified_task_that_finds_the_lock_taken_stands_in_line) {
  run_virtual([]() -> Coro<> {
    Trace trace;
    Condition condition;
    auto a = create_task(await_news(condition, "a", trace));
    co_await yields(2);
    co_await condition.acquire();
    condition.notify();
    auto body = [](Condition& c, Trace& t) -> Coro<> {
      co_await c.acquire();
      t.push_back("other");
      c.release();
    };
    auto other = create_task(body(condition, trace));
    co_await yields(3);
    EXPECT_TRUE(trace.empty());
    condition.release();
    co_await gather(a, other);
    EXPECT_EQ(trace, (Trace{"a", "other"}));
  });
}

TEST(Condition, A4_3_two_conditions_may_share_a_lock) {
  run_virtual([]() -> Coro<> {
    Trace trace;
    Lock lock;
    Condition full(lock);
    Condition empty(lock);
    auto a = create_task(await_news(full, "full", trace));
    auto b = create_task(await_news(empty, "empty", trace));
    co_await yields(3);
    co_await lock.acquire();
    EXPECT_TRUE(full.locked() && empty.locked());
    empty.notify();
    lock.release();
    co_await b;
    EXPECT_EQ(trace, (Trace{"empty"}));
    co_await notify(full, 1);
    co_await a;
  });
}

TEST(Condition, A4_3_wait_for_gives_the_predicates_value) {
  run_virtual([]() -> Coro<> {
    Condition condition;
    std::vector<int> stock;
    auto consumer = [&]() -> Coro<std::size_t> {
      auto held = co_await condition.scoped();
      auto enough = [&] { return stock.size() < 3 ? 0 : stock.size(); };
      std::size_t size = co_await condition.wait_for(enough);
      EXPECT_TRUE(condition.locked());
      co_return size;
    };
    auto task = create_task(consumer());
    for (int i = 0; i < 3; ++i) {
      co_await yields(3);
      EXPECT_FALSE(task.done());
      co_await condition.acquire();
      stock.push_back(i);
      condition.notify_all();
      condition.release();
    }
    std::size_t size = co_await task;
    EXPECT_EQ(size, 3u);
    EXPECT_FALSE(condition.locked());
  });
}

TEST(Condition, A4_3_wait_for_something_that_is_true_does_not_wait) {
  run_virtual([]() -> Coro<> {
    Condition condition;
    co_await condition.acquire();
    bool value = co_await condition.wait_for([] { return true; });
    EXPECT_TRUE(value);
    auto failed = co_await capture(condition.wait_for([]() -> bool { throw ValueError("asked"); }));
    EXPECT_TRUE(failed.holds<ValueError>());
    EXPECT_TRUE(condition.locked());
    condition.release();
    auto refused = co_await capture(condition.wait_for([] { return false; }));
    EXPECT_EQ(describe_exception(refused.exception()),
              "asyncio::RuntimeError: cannot wait on un-acquired lock");
  });
}

TEST(Condition, D2_wait_for_as_a_task_is_no_dangling_parameter) {
  test::LogCapture log;
  test::debug_virtual([]() -> Coro<> {
    Condition condition;
    co_await condition.acquire();
    auto task = create_task(condition.wait_for([] { return 1; }));
    co_await task;
  });
  EXPECT_EQ(log.count("may outlive"), 0) << log.all();
}

// --- Cancellation ------------------------------------------------------------------------------

/// Waits; notes how that ended and whether the lock was there.
Coro<> await_and_tell(Condition& condition, std::string name, Trace& trace) {
  co_await condition.acquire();
  auto outcome = co_await capture(condition.wait());
  std::string how = outcome.has_value() ? "value" : describe_exception(outcome.exception());
  trace.push_back(name + " " + how + (condition.locked() ? " locked" : " unlocked"));
  condition.release();
  outcome.value();
}

TEST(Condition, A4_3_a_cancelled_wait_takes_the_lock_first) {
  run_virtual([]() -> Coro<> {
    Trace trace;
    Condition condition;
    auto a = create_task(await_and_tell(condition, "a", trace));
    co_await yields(2);
    a.cancel("first");
    auto outcome = co_await capture(a);
    EXPECT_TRUE(outcome.cancelled());
    EXPECT_EQ(trace, (Trace{"a asyncio::CancelledError: first locked"}));
    EXPECT_FALSE(condition.locked());
  });
}

TEST(Condition, A4_3_cancelled_again_while_it_waits_for_the_lock_it_goes_on_waiting) {
  run_virtual([]() -> Coro<> {
    Trace trace;
    Condition condition;
    auto a = create_task(await_and_tell(condition, "a", trace));
    co_await yields(2);
    co_await condition.acquire();
    a.cancel("first");
    co_await yields(3);
    a.cancel("second");
    co_await yields(3);
    a.cancel("third");
    a.cancel("fourth");
    co_await yields(3);
    EXPECT_FALSE(a.done());
    EXPECT_EQ(a.cancelling(), 4);
    condition.release();
    auto outcome = co_await capture(a);
    EXPECT_TRUE(outcome.cancelled());
    // The latest that was delivered; the fourth came while the third was on its way.
    EXPECT_EQ(trace, (Trace{"a asyncio::CancelledError: fourth locked"}));
    EXPECT_FALSE(condition.locked());
  });
}

TEST(Condition, fault7_notified_and_then_cancelled_passes_the_notification_on) {
  run_virtual([]() -> Coro<> {
    Trace trace;
    Condition condition;
    auto a = create_task(await_and_tell(condition, "a", trace));
    auto b = create_task(await_and_tell(condition, "b", trace));
    co_await yields(3);
    co_await notify(condition, 1);
    a.cancel();
    co_await b;
    EXPECT_TRUE(a.cancelled());
    EXPECT_EQ(trace, (Trace{"a asyncio::CancelledError locked", "b value locked"}));
  });
}

TEST(Condition, fault7_cancelled_while_waiting_for_the_lock_passes_the_notification_on) {
  run_virtual([]() -> Coro<> {
    Trace trace;
    Condition condition;
    auto a = create_task(await_and_tell(condition, "a", trace));
    auto b = create_task(await_and_tell(condition, "b", trace));
    co_await yields(3);
    co_await condition.acquire();
    condition.notify();
    co_await yields(3);  // a is in the lock's line
    a.cancel();
    co_await yields(3);
    EXPECT_FALSE(a.done());
    condition.release();
    co_await b;
    EXPECT_TRUE(a.cancelled());
    EXPECT_EQ(trace, (Trace{"a asyncio::CancelledError locked", "b value locked"}));
    EXPECT_FALSE(condition.locked());
  });
}

TEST(Condition, fault7_cancelled_when_the_lock_was_handed_over) {
  run_virtual([]() -> Coro<> {
    Trace trace;
    Condition condition;
    auto a = create_task(await_and_tell(condition, "a", trace));
    auto b = create_task(await_and_tell(condition, "b", trace));
    co_await yields(3);
    co_await condition.acquire();
    condition.notify_all();
    co_await yields(3);
    condition.release();  // chooses a
    a.cancel();
    auto outcome = co_await capture(a);
    EXPECT_TRUE(outcome.cancelled());
    EXPECT_TRUE(b.done());
    // b was woken in a's place, so a had to stand behind it.
    EXPECT_EQ(trace, (Trace{"b value locked", "a asyncio::CancelledError locked"}));
    EXPECT_FALSE(condition.locked());
  });
}

TEST(Condition, fault6_a_timeout_in_the_iteration_of_the_notification_loses_neither) {
  run_virtual([]() -> Coro<> {
    Trace trace;
    Condition condition;
    auto body = [](Condition& c, Trace& t) -> Coro<> {
      auto held = co_await c.scoped();
      auto outcome = co_await capture(wait_for(c.wait(), 1s));
      t.push_back(outcome.has_value() ? "value" : "timeout");
      EXPECT_TRUE(c.locked());
    };
    auto a = create_task(body(condition, trace));
    auto b = create_task(await_news(condition, "b", trace));
    co_await sleep(1s);
    co_await notify(condition, 1);
    co_await gather(a, b);
    EXPECT_EQ(trace.size(), 2u);
  });
}

// --- Ownership ---------------------------------------------------------------------------------

TEST(Condition, A4_3_a_scope_does_not_release_while_the_wait_has_released_for_it) {
  test::LogCapture log;
  run_virtual([]() -> Coro<> {
    Trace trace;
    Condition condition;
    auto body = [](Condition& c, Trace& t) -> Coro<> {
      auto held = co_await c.scoped();
      co_await c.wait();
      t.push_back(c.locked() ? "locked" : "unlocked");
    };
    auto a = create_task(body(condition, trace));
    auto b = create_task(body(condition, trace));
    co_await yields(3);
    b.cancel();
    co_await yields(3);
    EXPECT_TRUE(b.cancelled());
    EXPECT_FALSE(condition.locked());
    co_await notify(condition, 1);
    co_await a;
    EXPECT_EQ(trace, (Trace{"locked"}));
    EXPECT_FALSE(condition.locked());
  });
  EXPECT_EQ(log.count("Scoped"), 0) << log.all();
}

TEST(Condition, R16_a_condition_belongs_to_the_loop_of_its_first_wait) {
  Condition condition;
  Trace trace;
  auto first = [&]() -> Coro<> {
    auto task = create_task(await_news(condition, "a", trace));
    co_await sleep(0s);
    co_await notify(condition, 1);
    co_await task;
  };
  run_virtual(first);
  auto second = [&]() -> Coro<> {
    co_await condition.acquire();
    auto outcome = co_await capture(condition.wait());
    EXPECT_EQ(describe_exception(outcome.exception()),
              "asyncio::RuntimeError: <asyncio.Condition> is bound to a different event loop");
    EXPECT_TRUE(condition.locked());
    condition.release();
  };
  run_virtual(second);
}

TEST(Condition, R11_notify_in_another_thread_is_reported_in_debug_mode) {
  test::debug_virtual([]() -> Coro<> {
    Trace trace;
    Condition condition;
    auto task = create_task(await_news, std::ref(condition), "a", std::ref(trace));
    co_await sleep(0s);
    co_await condition.acquire();
    std::string what;
    std::thread other([&] { what = thrown([&] { condition.notify(); }); });
    other.join();
    EXPECT_NE(what.find("Non-thread-safe operation"), std::string::npos) << what;
    condition.notify();
    condition.release();
    co_await task;
  });
}

TEST(Condition, R16_a_condition_that_is_destroyed_wakes_its_waiters_with_an_error) {
  for (bool shared : {false, true}) {
    run_virtual([shared]() -> Coro<> {
      Trace trace;
      Lock lock;
      auto condition = shared ? std::make_unique<Condition>(lock) : std::make_unique<Condition>();
      auto waiting = create_task(await_news(*condition, "waiting", trace));
      co_await yields(2);
      condition.reset();
      auto outcome = co_await capture(waiting);
      EXPECT_EQ(describe_exception(outcome.exception()),
                "asyncio::RuntimeError: the Condition was destroyed while a task waited for it");
      EXPECT_FALSE(lock.locked());
    });
  }
}

Coro<> wait_in_scope(Condition& condition) {
  auto held = co_await condition.scoped();
  while (true) co_await condition.wait();
}

Coro<> own_a_condition_and_wait(std::vector<Task<>>& tasks, bool notify) {
  Condition condition;
  for (int i = 0; i < 4; ++i) tasks.push_back(create_task(wait_in_scope(condition)));
  co_await yields(2);
  auto held = co_await condition.scoped();
  if (notify) condition.notify(2);
  co_await sleep(1h);
}

TEST(Condition, R3_a_loop_may_be_closed_while_tasks_wait) {
  for (bool notified : {false, true}) {
    for (int iterations = 2; iterations < 8; ++iterations) {
      test::LogCapture log;
      std::vector<Task<>> tasks;
      Condition condition;
      EventLoop loop = test::new_virtual_loop();
      tasks.push_back(loop.create_task(own_a_condition_and_wait(tasks, notified)));
      for (int i = 0; i < 3; ++i) tasks.push_back(loop.create_task(wait_in_scope(condition)));
      tasks.push_back(loop.create_task(notify(condition, 1)));
      loop.run_until_complete(loop.create_task(yields(iterations)));
      loop.close();
      EXPECT_FALSE(condition.locked());
      EXPECT_EQ(log.count("Scoped"), 0) << log.all();
    }
  }
}

Coro<> ping(Condition& condition, int& turn, int own, int rounds) {
  auto held = co_await condition.scoped();
  for (int i = 0; i < rounds; ++i) {
    while (turn != own) co_await condition.wait();
    turn = 1 - own;
    condition.notify_all();
  }
}

TEST(Condition, D12_waiting_allocates_nothing) {
  run_virtual([]() -> Coro<> {
    Condition condition;
    int turn = 0;
    auto a = create_task(ping(condition, turn, 0, 1000));
    auto b = create_task(ping(condition, turn, 1, 1000));
    co_await yields(20);
    test::AllocationCount count;
    for (int i = 0; i < 100; ++i) co_await sleep(0s);
    EXPECT_EQ(count.made(), 0u);
    co_await gather(a, b);
  });
}

// --- Random ------------------------------------------------------------------------------------

/// A store of items that consumers wait for, under one condition.
class Store {
 public:
  Condition condition;
  int items = 0;
  int waiting = 0;
  int inside = 0;
  int taken = 0;
};

/// Counts one more while it lives.
class CountedStay {
 public:
  explicit CountedStay(int& count) : count_(count) { ++count_; }
  ~CountedStay() { --count_; }
  CountedStay(const CountedStay&) = delete;
  CountedStay& operator=(const CountedStay&) = delete;

 private:
  int& count_;
};

Coro<> consume(Store& store, int iterations) {
  auto held = co_await store.condition.scoped();
  EXPECT_EQ(store.inside, 0);
  {
    CountedStay waiting(store.waiting);
    while (store.items == 0) co_await store.condition.wait();
  }
  CountedStay inside(store.inside);
  --store.items;
  ++store.taken;
  co_await yields(iterations);
}

Coro<> random_store(std::uint64_t seed) {
  test::Random random(seed);
  Store store;
  std::vector<Task<>> tasks;
  for (int i = 0; i < 16; ++i) tasks.push_back(create_task(consume(store, random.below(3))));
  int made = 0;
  for (int i = 0; i < 8; ++i) {
    co_await yields(random.below(4));
    if (random.one_in(2)) tasks[static_cast<std::size_t>(random.below(16))].cancel();
    auto held = co_await store.condition.scoped();
    for (int items = random.below(3); items > 0; --items, ++made) {
      ++store.items;
      store.condition.notify();  // one for each item
    }
    co_await yields(random.below(3));
    if (random.one_in(2)) tasks[static_cast<std::size_t>(random.below(16))].cancel();
  }
  co_await yields(60);
  // If a notification were lost, an item would stay here while somebody waits for it.
  EXPECT_TRUE(store.items == 0 || store.waiting == 0);
  EXPECT_EQ(made, store.taken + store.items);
  for (auto& task : tasks) task.cancel();
  for (auto& task : tasks) {
    auto outcome = co_await capture(task);
    EXPECT_TRUE(outcome.has_value() || outcome.cancelled());
  }
  EXPECT_EQ(store.inside + store.waiting, 0);
  EXPECT_FALSE(store.condition.locked());
}

TEST(Condition, fault7_random_cancellations_lose_no_notification) {
  test::for_each_seed([](std::uint64_t seed) { run_virtual(random_store, seed); });
}

}  // namespace

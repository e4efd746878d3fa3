// SPDX-License-Identifier: BSL-1.0
/// Conditions whose tasks are cancelled at each moment.
#include "allocation_count.hpp"
#include "asyncio/gather.hpp"
#include "asyncio/sleep.hpp"
#include "asyncio/sync.hpp"
#include "asyncio/task.hpp"
#include "asyncio/timeout.hpp"
#include "asyncio/with.hpp"
#include "captures.hpp"
#include "condition_steps.hpp"
#include "seeds.hpp"
#include "virtual_loop.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <thread>
#include <vector>

using namespace asyncio;
using namespace std::chrono_literals;
using test::await_news;
using test::notify;
using test::run_virtual;
using test::thrown;
using test::yields;

namespace {

using Trace = std::vector<std::string>;

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
    EXPECT_EQ(trace, (Trace{"a asyncio::CancelledError: third locked"}));
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

// SPDX-License-Identifier: BSL-1.0
#include "asyncio/gather.hpp"
#include "asyncio/sleep.hpp"
#include "asyncio/sync.hpp"
#include "asyncio/task.hpp"
#include "asyncio/timeout.hpp"
#include "asyncio/with.hpp"
#include "captures.hpp"
#include "condition_steps.hpp"
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
    EXPECT_NE(what.find("waits for in Condition.wait"), std::string::npos) << what;
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

}  // namespace

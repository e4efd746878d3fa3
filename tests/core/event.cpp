// SPDX-License-Identifier: BSL-1.0
#include "allocation_count.hpp"
#include "asyncio/gather.hpp"
#include "asyncio/sleep.hpp"
#include "asyncio/sync.hpp"
#include "asyncio/task.hpp"
#include "asyncio/timeout.hpp"
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

Coro<> await_event(Event& event, std::string name, Trace& trace) {
  bool set = co_await event.wait();
  trace.push_back(name + (set ? " true" : " false"));
}

TEST(Event, A4_2_wait_on_a_set_event_does_not_suspend) {
  run_virtual([]() -> Coro<> {
    Event event;
    event.set();
    bool suspended = false;
    get_running_loop().call_soon([&] { suspended = true; });
    bool set = co_await event.wait();
    EXPECT_TRUE(set);
    EXPECT_FALSE(suspended);
    co_await sleep(0s);
  });
}

TEST(Event, A4_2_set_wakes_all_in_order_one_iteration_later) {
  run_virtual([]() -> Coro<> {
    Trace trace;
    Event event;
    auto a = create_task(await_event(event, "a", trace));
    auto b = create_task(await_event(event, "b", trace));
    auto c = create_task(await_event(event, "c", trace));
    co_await sleep(0s);
    EXPECT_FALSE(event.is_set());
    event.set();
    event.set();
    EXPECT_TRUE(event.is_set());
    EXPECT_TRUE(trace.empty());
    co_await sleep(0s);
    EXPECT_EQ(trace, (Trace{"a true", "b true", "c true"}));
    co_await gather(a, b, c);
  });
}

TEST(Event, A4_2_clear_before_the_waiters_turn_takes_nothing_back) {
  run_virtual([]() -> Coro<> {
    Trace trace;
    Event event;
    auto a = create_task(await_event(event, "a", trace));
    co_await sleep(0s);
    event.set();
    event.clear();
    co_await sleep(0s);
    EXPECT_EQ(trace, (Trace{"a true"}));
    auto late = create_task(await_event(event, "late", trace));
    co_await yields(3);
    EXPECT_FALSE(late.done());
    event.set();
    co_await gather(a, late);
  });
}

TEST(Event, A4_2_set_and_clear_twice_in_one_iteration_wakes_each_waiter_once) {
  run_virtual([]() -> Coro<> {
    Trace trace;
    Event event;
    auto a = create_task(await_event(event, "a", trace));
    co_await sleep(0s);
    event.set();
    event.clear();
    event.set();
    event.clear();
    co_await yields(3);
    EXPECT_EQ(trace, (Trace{"a true"}));
    co_await a;
  });
}

TEST(Event, fault7_a_woken_waiter_that_is_cancelled_is_cancelled) {
  run_virtual([]() -> Coro<> {
    Trace trace;
    Event event;
    auto a = create_task(await_event(event, "a", trace));
    auto b = create_task(await_event(event, "b", trace));
    co_await sleep(0s);
    event.set();
    a.cancel("late");
    auto outcome = co_await capture(a);
    EXPECT_EQ(describe_exception(outcome.exception()), "asyncio::CancelledError: late");
    co_await b;
    EXPECT_EQ(trace, (Trace{"b true"}));
  });
}

TEST(Event, S25_a_wait_for_ever_can_be_cancelled) {
  run_virtual([]() -> Coro<> {
    auto body = []() -> Coro<> { co_await Event().wait(); };
    auto task = create_task(body());
    co_await yields(5);
    EXPECT_FALSE(task.done());
    task.cancel();
    auto outcome = co_await capture(task);
    EXPECT_TRUE(outcome.cancelled());
  });
}

TEST(Event, A2_11_wait_with_a_timeout) {
  run_virtual([]() -> Coro<> {
    Event event;
    auto late = co_await capture(wait_for(event.wait(), 1s));
    EXPECT_TRUE(late.holds<TimeoutError>());
    get_running_loop().call_later(500ms, [&] { event.set(); });
    bool set = co_await wait_for(event.wait(), 1s);
    EXPECT_TRUE(set);
  });
}

TEST(Event, A2_3_an_awaitable_of_the_library_can_become_a_task) {
  run_virtual([]() -> Coro<> {
    Event event;
    Task<bool> task = ensure_future(event.wait());
    co_await sleep(0s);
    event.set();
    bool set = co_await task;
    EXPECT_TRUE(set);
  });
}

TEST(Event, R16_an_event_belongs_to_the_loop_of_its_first_wait) {
  Event event;
  Trace trace;
  auto first = [&]() -> Coro<> {
    auto task = create_task(await_event(event, "a", trace));
    co_await sleep(0s);
    event.set();
    co_await task;
  };
  run_virtual(first);
  auto second = [&]() -> Coro<> {
    co_await event.wait();
    event.clear();
    auto outcome = co_await capture(event.wait());
    EXPECT_EQ(describe_exception(outcome.exception()),
              "asyncio::RuntimeError: <asyncio.Event> is bound to a different event loop");
  };
  run_virtual(second);
}

TEST(Event, R11_set_in_another_thread_is_reported_in_debug_mode) {
  test::debug_virtual([]() -> Coro<> {
    Trace trace;
    Event event;
    auto task = create_task(await_event, std::ref(event), "a", std::ref(trace));
    co_await sleep(0s);
    std::string what;
    std::thread other([&] { what = thrown([&] { event.set(); }); });
    other.join();
    EXPECT_NE(what.find("Non-thread-safe operation"), std::string::npos) << what;
    EXPECT_NE(what.find("waits for in Event.wait"), std::string::npos) << what;
    EXPECT_FALSE(event.is_set());
    event.set();
    co_await task;
  });
}

TEST(Event, R16_destroyed_before_it_is_set_wakes_with_an_error_after_it_does_not) {
  run_virtual([]() -> Coro<> {
    Trace trace;
    auto event = std::make_unique<Event>();
    auto a = create_task(await_event(*event, "a", trace));
    co_await sleep(0s);
    event.reset();
    auto outcome = co_await capture(a);
    EXPECT_EQ(describe_exception(outcome.exception()),
              "asyncio::RuntimeError: the Event was destroyed while a task waited for it");
    event = std::make_unique<Event>();
    auto b = create_task(await_event(*event, "b", trace));
    co_await sleep(0s);
    event->set();
    event.reset();
    co_await b;
    EXPECT_EQ(trace, (Trace{"b true"}));
  });
}

Coro<> own_an_event_and_wait(std::vector<Task<>>& tasks, Trace& trace) {
  Event event;
  for (int i = 0; i < 3; ++i) tasks.push_back(create_task(await_event(event, "x", trace)));
  co_await sleep(1h);
}

TEST(Event, R3_a_loop_may_be_closed_while_tasks_wait) {
  test::LogCapture log;
  Trace trace;
  std::vector<Task<>> tasks;
  Event event;
  EventLoop loop = test::new_virtual_loop();
  tasks.push_back(loop.create_task(own_an_event_and_wait(tasks, trace)));
  tasks.push_back(loop.create_task(await_event(event, "y", trace)));
  loop.run_until_complete(loop.create_task(yields(3)));
  event.set();
  loop.close();
  EXPECT_TRUE(trace.empty());
}

Coro<> answer(Event& ask, Event& reply, int rounds) {
  for (int i = 0; i < rounds; ++i) {
    co_await ask.wait();
    ask.clear();
    reply.set();
  }
}

TEST(Event, D12_waiting_allocates_nothing) {
  run_virtual([]() -> Coro<> {
    Event ask;
    Event reply;
    auto task = create_task(answer(ask, reply, 1000));
    co_await sleep(0s);
    test::AllocationCount count;
    for (int i = 0; i < 1000; ++i) {
      ask.set();
      co_await reply.wait();
      reply.clear();
    }
    EXPECT_EQ(count.made(), 0u);
    co_await task;
  });
}

TEST(Event, a_hundred_thousand_waiters_cancelled_in_the_tick_of_set_end_cancelled) {
  run_virtual([]() -> Coro<> {
    Trace trace;
    Event event;
    std::vector<Task<>> tasks;
    for (int i = 0; i < 100'000; ++i) tasks.push_back(create_task(await_event(event, "", trace)));
    co_await sleep(0s);
    for (auto& task : tasks) task.cancel();
    event.set();
    co_await sleep(0s);
    for (auto& task : tasks) EXPECT_TRUE(task.cancelled());
  });
}

Coro<> await_rounds(Event& event, int rounds, int& passed) {
  for (int i = 0; i < rounds; ++i) {
    co_await event.wait();
    ++passed;
    co_await sleep(0s);
  }
}

TEST(Event, fault7_random_cancellations_lose_no_wake_up) {
  test::for_each_seed([](std::uint64_t seed) {
    run_virtual([seed]() -> Coro<> {
      test::Random random(seed);
      Event event;
      int passed = 0;
      std::vector<Task<>> tasks;
      for (int i = 0; i < 5; ++i) tasks.push_back(create_task(await_rounds(event, 4, passed)));
      auto cancel_one = [&] { tasks[static_cast<std::size_t>(random.below(5))].cancel(); };
      for (int i = 0; i < 10; ++i) {
        co_await yields(random.below(3));
        if (random.one_in(4)) cancel_one();
        event.set();
        if (random.one_in(4)) cancel_one();
        if (random.one_in(2)) event.clear();
      }
      event.set();
      int cancelled = 0;
      for (auto& task : tasks) {
        auto outcome = co_await capture(task);
        cancelled += outcome.cancelled();
      }
      EXPECT_GE(passed, 4 * (5 - cancelled));
    });
  });
}

}  // namespace

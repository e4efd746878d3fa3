// SPDX-License-Identifier: BSL-1.0
#include "asyncio/queue.hpp"

#include "asyncio/gather.hpp"
#include "asyncio/sleep.hpp"
#include "asyncio/task.hpp"
#include "asyncio/timeout.hpp"
#include "captures.hpp"
#include "queue_steps.hpp"
#include "seeds.hpp"
#include "virtual_loop.hpp"

#include <gtest/gtest.h>

#include <deque>
#include <memory>
#include <string>
#include <thread>
#include <vector>

using namespace asyncio;
using namespace std::chrono_literals;
using test::drain;
using test::get_one;
using test::put_one;
using test::run_virtual;
using test::thrown;
using test::Trace;
using test::yields;

namespace {

// --- Order and limits --------------------------------------------------------------------------

TEST(Queue, A6_1_items_come_out_in_order_and_nothing_suspends) {
  run_virtual([]() -> Coro<> {
    bool suspended = false;
    get_running_loop().call_soon([&] { suspended = true; });
    Queue<int> queue(3);
    EXPECT_TRUE(queue.empty());
    for (int i = 0; i < 3; ++i) co_await queue.put(i);
    EXPECT_TRUE(queue.full());
    EXPECT_EQ(queue.qsize(), 3u);
    EXPECT_EQ(queue.maxsize(), 3);
    for (int i = 0; i < 3; ++i) {
      int item = co_await queue.get();
      EXPECT_EQ(item, i);
    }
    EXPECT_TRUE(queue.empty());
    EXPECT_FALSE(suspended);
    co_await sleep(0s);
  });
}

TEST(Queue, A6_1_no_limit_without_a_positive_maxsize) {
  for (int maxsize : {0, -1}) {
    Queue<int> queue(maxsize);
    for (int i = 0; i < 100; ++i) queue.put_nowait(i);
    EXPECT_FALSE(queue.full());
    EXPECT_EQ(queue.qsize(), 100u);
    EXPECT_EQ(queue.maxsize(), maxsize);
  }
}

TEST(Queue, A6_1_nowait_refuses_an_empty_and_a_full_queue) {
  Queue<int> queue(1);
  EXPECT_EQ(thrown([&] { queue.get_nowait(); }), "asyncio::QueueEmpty: the queue is empty");
  queue.put_nowait(1);
  EXPECT_EQ(thrown([&] { queue.put_nowait(2); }), "asyncio::QueueFull: the queue is full");
  EXPECT_EQ(queue.get_nowait(), 1);
}

TEST(Queue, A6_1_the_ring_keeps_a_random_order_while_it_grows_and_wraps) {
  test::for_each_seed([](std::uint64_t seed) {
    test::Random random(seed);
    Queue<std::string> queue;
    std::deque<std::string> model;
    for (int i = 0; i < 200; ++i) {
      if (model.empty() || random.below(5) < 3) {
        std::string item = "a string that needs the heap, number " + std::to_string(i);
        queue.put_nowait(item);
        model.push_back(item);
      } else {
        EXPECT_EQ(queue.get_nowait(), model.front());
        model.pop_front();
      }
      EXPECT_EQ(queue.qsize(), model.size());
    }
  });
}

TEST(Queue, A6_2_the_smallest_first_and_ties_as_heapq_has_them) {
  PriorityQueue<int> plain;
  for (int i : {1, 3, 2}) plain.put_nowait(i);
  EXPECT_EQ(drain(plain), (std::vector<int>{1, 2, 3}));

  // The same keys, pushed in this order, come out of Python's heapq in this order.
  auto by_key = [](const std::pair<int, char>& a, const std::pair<int, char>& b) {
    return a.first < b.first;
  };
  PriorityQueue<std::pair<int, char>, decltype(by_key)> queue;
  const std::string names = "abcdefghij";
  for (std::size_t i = 0; i < names.size(); ++i)
    queue.put_nowait({static_cast<int>(i % 3), names[i]});
  std::string order;
  while (!queue.empty()) order += queue.get_nowait().second;
  EXPECT_EQ(order, "agdjebhfci");
}

TEST(Queue, A6_2_another_order_and_random_items_that_can_only_be_moved) {
  struct Greater {
    bool operator()(const std::unique_ptr<int>& a, const std::unique_ptr<int>& b) const {
      return *a > *b;
    }
  };
  test::for_each_seed([](std::uint64_t seed) {
    test::Random random(seed);
    PriorityQueue<std::unique_ptr<int>, Greater> queue;
    for (int i = 0; i < 50; ++i) queue.put_nowait(std::make_unique<int>(random.below(30)));
    int last = 30;
    while (!queue.empty()) {
      auto item = queue.get_nowait();
      EXPECT_LE(*item, last);
      last = *item;
    }
  });
}

TEST(Queue, A6_3_the_newest_first) {
  run_virtual([]() -> Coro<> {
    LifoQueue<int> queue(3);
    for (int i = 1; i <= 3; ++i) co_await queue.put(i);
    EXPECT_TRUE(queue.full());
    int item = co_await queue.get();
    EXPECT_EQ(item, 3);
    queue.put_nowait(9);
    EXPECT_EQ(drain(queue), (std::vector<int>{9, 2, 1}));
  });
}

TEST(Queue, A6_1_items_need_only_be_movable) {
  run_virtual([]() -> Coro<> {
    Queue<std::unique_ptr<int>> queue(1);
    auto getter = [&]() -> Coro<int> {
      auto item = co_await queue.get();
      co_return *item;
    };
    auto task = create_task(getter());
    co_await sleep(0s);
    co_await queue.put(std::make_unique<int>(5));
    int value = co_await task;
    EXPECT_EQ(value, 5);
    queue.put_nowait(std::make_unique<int>(6));
    Task<> putter = ensure_future(queue.put(std::make_unique<int>(7)));
    co_await sleep(0s);
    auto first = co_await queue.get();
    auto second = co_await queue.get();
    EXPECT_EQ(*first + *second, 13);
    co_await putter;
  });
}

// --- Waiting -----------------------------------------------------------------------------------

TEST(Queue, A6_1_getters_are_served_in_order_of_arrival) {
  run_virtual([]() -> Coro<> {
    Trace trace;
    Queue<int> queue;
    auto a = create_task(get_one(queue, "a", trace));
    auto b = create_task(get_one(queue, "b", trace));
    auto c = create_task(get_one(queue, "c", trace));
    co_await sleep(0s);
    queue.put_nowait(1);
    queue.put_nowait(2);
    co_await sleep(0s);
    EXPECT_EQ(trace, (Trace{"a 1", "b 2"}));
    queue.put_nowait(3);
    co_await gather(a, b, c);
    EXPECT_EQ(trace, (Trace{"a 1", "b 2", "c 3"}));
  });
}

TEST(Queue, A6_1_putters_are_admitted_in_order_of_arrival) {
  run_virtual([]() -> Coro<> {
    Trace trace;
    Queue<int> queue(1);
    queue.put_nowait(0);
    auto a = create_task(put_one(queue, 1, "a", trace));
    auto b = create_task(put_one(queue, 2, "b", trace));
    co_await sleep(0s);
    EXPECT_EQ(queue.get_nowait(), 0);
    co_await sleep(0s);
    EXPECT_EQ(trace, (Trace{"a"}));
    int one = co_await queue.get();
    int two = co_await queue.get();
    EXPECT_EQ(one, 1);
    EXPECT_EQ(two, 2);
    co_await gather(a, b);
  });
}

TEST(Queue, A6_1_a_getter_that_finds_its_item_gone_stands_in_line_again) {
  run_virtual([]() -> Coro<> {
    Trace trace;
    Queue<int> queue;
    auto a = create_task(get_one(queue, "a", trace));
    auto b = create_task(get_one(queue, "b", trace));
    co_await sleep(0s);
    queue.put_nowait(1);
    EXPECT_EQ(queue.get_nowait(), 1);  // faster than a
    co_await sleep(0s);                // a is behind b now
    queue.put_nowait(2);
    queue.put_nowait(3);
    co_await gather(a, b);
    EXPECT_EQ(trace, (Trace{"b 2", "a 3"}));
  });
}

TEST(Queue, A6_1_a_putter_that_finds_its_room_gone_stands_in_line_again) {
  run_virtual([]() -> Coro<> {
    Trace trace;
    Queue<int> queue(1);
    queue.put_nowait(0);
    auto a = create_task(put_one(queue, 1, "a", trace));
    auto b = create_task(put_one(queue, 2, "b", trace));
    co_await sleep(0s);
    queue.get_nowait();
    queue.put_nowait(9);
    co_await sleep(0s);
    EXPECT_TRUE(trace.empty());
    EXPECT_EQ(queue.get_nowait(), 9);
    int two = co_await queue.get();
    int one = co_await queue.get();
    EXPECT_EQ(two, 2);
    EXPECT_EQ(one, 1);
    EXPECT_EQ(trace, (Trace{"b", "a"}));
    co_await gather(a, b);
  });
}

TEST(Queue, A6_1_waits_as_often_as_others_are_faster) {
  run_virtual([]() -> Coro<> {
    Trace trace;
    Queue<int> queue;
    auto a = create_task(get_one(queue, "a", trace));
    co_await sleep(0s);
    for (int i = 0; i < 5; ++i) {
      queue.put_nowait(i);
      queue.get_nowait();
      co_await sleep(0s);
    }
    EXPECT_TRUE(trace.empty());
    queue.put_nowait(5);
    co_await a;
    EXPECT_EQ(trace, (Trace{"a 5"}));
  });
}

TEST(Queue, A6_1_a_full_queue_and_a_getter_that_frees_it) {
  run_virtual([]() -> Coro<> {
    Queue<int> queue(2);
    auto produce = [&]() -> Coro<> {
      for (int i = 0; i < 50; ++i) co_await queue.put(i);
    };
    auto consume = [&]() -> Coro<int> {
      int sum = 0;
      for (int i = 0; i < 50; ++i) {
        int item = co_await queue.get();
        EXPECT_EQ(item, i);
        sum += item;
      }
      co_return sum;
    };
    auto [unit, sum] = co_await gather(produce(), consume());
    (void)unit;
    EXPECT_EQ(sum, 50 * 49 / 2);
  });
}

// --- join and shutdown -------------------------------------------------------------------------

TEST(Queue, A6_4_join_waits_for_every_task_done) {
  run_virtual([]() -> Coro<> {
    Queue<int> queue;
    co_await queue.join();  // nothing was put
    for (int i = 0; i < 3; ++i) queue.put_nowait(i);
    Task<> joined = ensure_future(queue.join());
    for (int i = 0; i < 3; ++i) {
      co_await queue.get();
      co_await yields(3);
      EXPECT_FALSE(joined.done());
      queue.task_done();
    }
    co_await yields(2);
    EXPECT_TRUE(joined.done());
    EXPECT_EQ(thrown([&] { queue.task_done(); }),
              "asyncio::ValueError: task_done() called too many times");
    co_await queue.join();
    queue.put_nowait(1);
    auto late = co_await capture(wait_for(queue.join(), 1s));
    EXPECT_TRUE(late.holds<TimeoutError>());
  });
}

TEST(Queue, A6_5_shutdown_lets_getters_have_what_is_left) {
  run_virtual([]() -> Coro<> {
    Queue<int> queue;
    queue.put_nowait(1);
    queue.put_nowait(2);
    queue.shutdown();
    EXPECT_EQ(thrown([&] { queue.put_nowait(3); }),
              "asyncio::QueueShutDown: the queue is shut down");
    auto put = co_await capture(queue.put(3));
    EXPECT_TRUE(put.holds<QueueShutDown>());
    int item = co_await queue.get();
    EXPECT_EQ(item, 1);
    EXPECT_EQ(queue.get_nowait(), 2);
    auto get = co_await capture(queue.get());
    EXPECT_TRUE(get.holds<QueueShutDown>());
    EXPECT_EQ(thrown([&] { queue.get_nowait(); }),
              "asyncio::QueueShutDown: the queue is shut down");
    queue.task_done();
    queue.task_done();
    co_await queue.join();
  });
}

TEST(Queue, A6_5_shutdown_wakes_all_getters) {
  run_virtual([]() -> Coro<> {
    Trace trace;
    Queue<int> queue;
    auto a = create_task(get_one(queue, "a", trace));
    auto b = create_task(get_one(queue, "b", trace));
    auto c = create_task(get_one(queue, "c", trace));
    co_await sleep(0s);
    queue.put_nowait(1);
    queue.shutdown();
    co_await gather(a, b, c);
    EXPECT_EQ(trace, (Trace{"a 1", "b shut down", "c shut down"}));
  });
}

TEST(Queue, A6_5_shutdown_wakes_all_putters) {
  run_virtual([]() -> Coro<> {
    Trace trace;
    Queue<int> queue(1);
    queue.put_nowait(0);
    auto a = create_task(put_one(queue, 1, "a", trace));
    auto b = create_task(put_one(queue, 2, "b", trace));
    co_await sleep(0s);
    queue.get_nowait();  // wakes a, too late
    queue.shutdown();
    co_await gather(a, b);
    EXPECT_EQ(trace, (Trace{"a shut down", "b shut down"}));
    EXPECT_TRUE(queue.empty());
  });
}

TEST(Queue, A6_5_immediate_shutdown_drops_the_items_and_frees_join) {
  run_virtual([]() -> Coro<> {
    test::Counted::alive = 0;
    Queue<test::Counted> queue;
    for (int i = 0; i < 3; ++i) queue.put_nowait(test::Counted());
    Task<> joined = ensure_future(queue.join());
    (void)queue.get_nowait();
    co_await sleep(0s);
    queue.shutdown(true);
    EXPECT_EQ(queue.qsize(), 0u);
    EXPECT_EQ(test::Counted::alive, 0);
    co_await yields(2);
    EXPECT_FALSE(joined.done());  // one is in work
    queue.task_done();
    co_await joined;
    EXPECT_EQ(thrown([&] { (void)queue.get_nowait(); }),
              "asyncio::QueueShutDown: the queue is shut down");
    EXPECT_EQ(thrown([&] { queue.task_done(); }),
              "asyncio::ValueError: task_done() called too many times");
    queue.shutdown(true);
    queue.shutdown();
  });
}

TEST(Queue, A6_5_next_ends_with_the_queue) {
  run_virtual([]() -> Coro<> {
    Queue<std::unique_ptr<int>> queue(2);
    auto consume = [&]() -> Coro<int> {
      int sum = 0;
      while (auto item = co_await queue.next()) sum += **item;
      co_return sum;
    };
    auto a = create_task(consume());
    auto b = create_task(consume());
    for (int i = 1; i <= 20; ++i) co_await queue.put(std::make_unique<int>(i));
    queue.shutdown();
    auto [first, second] = co_await gather(a, b);
    EXPECT_EQ(first + second, 210);
    auto end = co_await queue.next();
    EXPECT_FALSE(end.has_value());
  });
}

}  // namespace

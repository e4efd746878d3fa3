// SPDX-License-Identifier: BSL-1.0
#include "asyncio/queue.hpp"

#include "allocation_count.hpp"
#include "asyncio/gather.hpp"
#include "asyncio/sleep.hpp"
#include "asyncio/task.hpp"
#include "asyncio/timeout.hpp"
#include "captures.hpp"
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
using test::run_virtual;
using test::thrown;

namespace {

using Trace = std::vector<std::string>;

Coro<> yields(int count) {
  for (int i = 0; i < count; ++i) co_await sleep(0s);
}

/// "a 1", "a shut down" or "a cancelled".
Coro<> get_one(Queue<int>& queue, std::string name, Trace& trace) {
  auto outcome = co_await capture(queue.get());
  if (outcome.has_value())
    trace.push_back(name + " " + std::to_string(outcome.value()));
  else
    trace.push_back(name + (outcome.cancelled() ? " cancelled" : " shut down"));
}

Coro<> put_one(Queue<int>& queue, int item, std::string name, Trace& trace) {
  auto outcome = co_await capture(queue.put(item));
  if (outcome.has_value())
    trace.push_back(name);
  else
    trace.push_back(name + (outcome.cancelled() ? " cancelled" : " shut down"));
}

template <class Q>
std::vector<int> drain(Q& queue) {
  std::vector<int> items;
  while (!queue.empty()) items.push_back(queue.get_nowait());
  return items;
}

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

TEST(Queue, A6_1_the_ring_keeps_the_order_while_it_grows_and_wraps) {
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

TEST(Queue, A6_2_another_order_and_items_that_can_only_be_moved) {
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

// --- Cancellation ------------------------------------------------------------------------------

TEST(Queue, fault8_a_woken_getter_that_is_cancelled_leaves_the_item_to_the_next) {
  run_virtual([]() -> Coro<> {
    Trace trace;
    Queue<int> queue;
    auto a = create_task(get_one(queue, "a", trace));
    auto b = create_task(get_one(queue, "b", trace));
    co_await sleep(0s);
    queue.put_nowait(1);
    a.cancel();
    co_await gather(a, b);
    EXPECT_EQ(trace, (Trace{"a cancelled", "b 1"}));
    EXPECT_TRUE(queue.empty());
  });
}

TEST(Queue, fault8_a_cancelled_getter_is_passed_over) {
  run_virtual([]() -> Coro<> {
    Trace trace;
    Queue<int> queue;
    auto a = create_task(get_one(queue, "a", trace));
    auto b = create_task(get_one(queue, "b", trace));
    co_await sleep(0s);
    a.cancel();
    queue.put_nowait(1);
    co_await gather(a, b);
    EXPECT_EQ(trace, (Trace{"a cancelled", "b 1"}));
  });
}

TEST(Queue, R2_a_woken_getter_that_is_cancelled_alone_leaves_the_item_in_the_queue) {
  run_virtual([]() -> Coro<> {
    Trace trace;
    Queue<int> queue;
    auto a = create_task(get_one(queue, "a", trace));
    co_await sleep(0s);
    queue.put_nowait(1);
    a.cancel();
    co_await a;
    EXPECT_EQ(queue.get_nowait(), 1);
  });
}

TEST(Queue, fault8_a_woken_putter_that_is_cancelled_leaves_the_room_to_the_next) {
  run_virtual([]() -> Coro<> {
    Trace trace;
    Queue<int> queue(1);
    queue.put_nowait(0);
    auto a = create_task(put_one(queue, 1, "a", trace));
    auto b = create_task(put_one(queue, 2, "b", trace));
    co_await sleep(0s);
    queue.get_nowait();
    a.cancel();
    co_await gather(a, b);
    EXPECT_EQ(trace, (Trace{"a cancelled", "b"}));
    EXPECT_EQ(drain(queue), (std::vector<int>{2}));
  });
}

TEST(Queue, fault8_a_getter_in_line_for_the_second_time_can_be_cancelled) {
  run_virtual([]() -> Coro<> {
    Trace trace;
    Queue<int> queue;
    auto a = create_task(get_one(queue, "a", trace));
    co_await sleep(0s);
    queue.put_nowait(1);
    queue.get_nowait();
    co_await sleep(0s);
    a.cancel();
    co_await a;
    EXPECT_EQ(trace, (Trace{"a cancelled"}));
    queue.put_nowait(2);
    EXPECT_EQ(drain(queue), (std::vector<int>{2}));
  });
}

TEST(Queue, fault6_a_timeout_in_the_iteration_of_the_put_gives_the_item_or_leaves_it) {
  for (bool put_first : {true, false}) {
    run_virtual([put_first]() -> Coro<> {
      Queue<int> queue;
      if (put_first) get_running_loop().call_later(1s, [&] { queue.put_nowait(1); });
      auto wait = [&]() -> Coro<int> { co_return co_await wait_for(queue.get(), 1s); };
      auto task = create_task(wait());
      co_await sleep(0s);
      if (!put_first) get_running_loop().call_later(1s, [&] { queue.put_nowait(1); });
      auto outcome = co_await capture(task);
      if (outcome.has_value()) {
        EXPECT_TRUE(queue.empty());
      } else {
        EXPECT_EQ(queue.get_nowait(), 1);
      }
    });
  }
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

// --- Ownership ---------------------------------------------------------------------------------

TEST(Queue, R16_a_queue_belongs_to_the_loop_of_its_first_wait) {
  Queue<int> queue;
  Trace trace;
  auto first = [&]() -> Coro<> {
    auto task = create_task(get_one(queue, "a", trace));
    co_await sleep(0s);
    queue.put_nowait(1);
    co_await task;
  };
  run_virtual(first);
  auto second = [&]() -> Coro<> {
    queue.put_nowait(2);
    int item = co_await queue.get();  // no wait, no complaint
    EXPECT_EQ(item, 2);
    auto outcome = co_await capture(queue.get());
    EXPECT_EQ(describe_exception(outcome.exception()),
              "asyncio::RuntimeError: <asyncio.Queue> is bound to a different event loop");
  };
  run_virtual(second);
}

TEST(Queue, R11_put_in_another_thread_is_reported_in_debug_mode) {
  test::debug_virtual([]() -> Coro<> {
    Trace trace;
    Queue<int> queue;
    auto task = create_task(get_one, std::ref(queue), "a", std::ref(trace));
    co_await sleep(0s);
    std::string what;
    std::thread other([&] { what = thrown([&] { queue.put_nowait(1); }); });
    other.join();
    EXPECT_NE(what.find("Non-thread-safe operation"), std::string::npos) << what;
    EXPECT_TRUE(queue.empty());
    queue.put_nowait(2);
    co_await task;
    EXPECT_EQ(trace, (Trace{"a 2"}));
  });
}

TEST(Queue, R16_a_queue_that_is_destroyed_wakes_its_waiters_with_an_error) {
  run_virtual([]() -> Coro<> {
    Trace trace;
    auto queue = std::make_unique<Queue<int>>();
    Task<int> woken = ensure_future(queue->get());
    Task<int> waiting = ensure_future(queue->get());
    Task<int> cancelled = ensure_future(queue->get());
    Task<std::optional<int>> next = ensure_future(queue->next());
    co_await sleep(0s);
    queue->put_nowait(1);
    cancelled.cancel();
    queue.reset();
    auto a = co_await capture(woken);
    auto b = co_await capture(waiting);
    auto c = co_await capture(cancelled);
    auto d = co_await capture(next);
    const std::string text =
        "asyncio::RuntimeError: the Queue was destroyed while a task waited for it";
    EXPECT_EQ(describe_exception(a.exception()), text);
    EXPECT_EQ(describe_exception(b.exception()), text);
    EXPECT_TRUE(c.cancelled());
    EXPECT_EQ(describe_exception(d.exception()), text);
  });
}

Coro<> own_a_queue_and_wait(std::vector<Task<>>& tasks, Trace& trace) {
  Queue<int> empty;
  Queue<int> full(1);
  full.put_nowait(0);
  for (int i = 0; i < 3; ++i) {
    tasks.push_back(create_task(get_one(empty, "x", trace)));
    tasks.push_back(create_task(put_one(full, i, "x", trace)));
    tasks.push_back(ensure_future(full.join()));
  }
  co_await yields(1);
  empty.put_nowait(1);
  full.get_nowait();
  co_await sleep(1h);
}

TEST(Queue, R2_R3_a_closed_loop_leaves_the_items_behind) {
  for (int iterations = 1; iterations < 6; ++iterations) {
    test::LogCapture log;
    Trace trace;
    std::vector<Task<>> tasks;
    Queue<int> queue;
    EventLoop loop = test::new_virtual_loop();
    tasks.push_back(loop.create_task(own_a_queue_and_wait(tasks, trace)));
    for (int i = 0; i < 3; ++i) tasks.push_back(loop.create_task(get_one(queue, "y", trace)));
    loop.run_until_complete(loop.create_task(yields(iterations)));
    queue.put_nowait(1);
    queue.put_nowait(2);
    loop.close();
    EXPECT_EQ(drain(queue), (std::vector<int>{1, 2}));
  }
}

Coro<> bounce(Queue<int>& in, Queue<int>& out, int rounds) {
  for (int i = 0; i < rounds; ++i) {
    int item = co_await in.get();
    co_await out.put(item + 1);
  }
}

TEST(Queue, D12_waiting_allocates_nothing) {
  run_virtual([]() -> Coro<> {
    Queue<int> ping(1);
    Queue<int> pong(1);
    auto task = create_task(bounce(ping, pong, 2000));
    for (int i = 0; i < 1000; ++i) {
      co_await ping.put(i);
      co_await pong.get();
    }
    test::AllocationCount count;
    for (int i = 0; i < 1000; ++i) {
      co_await ping.put(i);
      co_await pong.get();
    }
    EXPECT_EQ(count.made(), 0u);
    co_await task;
  });
}

TEST(Queue, D12_a_queue_in_steady_state_allocates_nothing) {
  Queue<int> ring;
  LifoQueue<int> stack;
  PriorityQueue<int> heap;
  for (int round = 0; round < 2; ++round) {
    test::AllocationCount count;
    for (int i = 0; i < 10'000; ++i) {
      ring.put_nowait(i);
      stack.put_nowait(i);
      heap.put_nowait(i);
      if (i % 100 < 50) continue;
      ring.get_nowait();
      stack.get_nowait();
      heap.get_nowait();
    }
    while (!ring.empty()) ring.get_nowait();
    while (!stack.empty()) stack.get_nowait();
    while (!heap.empty()) heap.get_nowait();
    if (round == 1) {
      EXPECT_EQ(count.made(), 0u);
    }
  }
}

TEST(Queue, fault2_a_million_items_without_a_wait_do_not_grow_the_stack) {
  run_virtual([]() -> Coro<> {
    Queue<int> queue(1);
    for (int i = 0; i < 1'000'000; ++i) {
      co_await queue.put(i);
      co_await queue.get();
    }
  });
}

/// Its move throws if it is bad and the time has come.
class Brittle {
 public:
  explicit Brittle(bool is_bad = false) : bad(is_bad) {}
  Brittle(Brittle&& other) : bad(other.bad) {
    if (bad && armed) throw ValueError("move");
  }
  Brittle& operator=(Brittle&&) = default;

  bool bad;
  static inline bool armed = false;
};

TEST(Queue, R1_an_item_whose_move_throws_leaves_the_queue_whole) {
  Queue<Brittle> queue;
  for (int i = 0; i < 4; ++i) queue.put_nowait(Brittle());
  queue.put_nowait(Brittle(true));
  for (int i = 0; i < 4; ++i) (void)queue.get_nowait();
  Brittle::armed = true;
  EXPECT_EQ(thrown([&] { (void)queue.get_nowait(); }), "asyncio::ValueError: move");
  EXPECT_EQ(queue.qsize(), 1u);
  Brittle::armed = false;
  (void)queue.get_nowait();
  EXPECT_TRUE(queue.empty());
}

// --- Random ------------------------------------------------------------------------------------

/// Producers number their items; what arrives is compared with what was put.
class Channel {
 public:
  static constexpr int kProducers = 3;

  explicit Channel(int maxsize) : queue(maxsize) {}

  Queue<std::pair<int, int>> queue;  // producer, number
  std::vector<int> put = std::vector<int>(kProducers, 0);
  std::vector<int> last = std::vector<int>(kProducers, -1);
  int got = 0;
};

Coro<> produce(Channel& channel, int producer, std::uint64_t seed) {
  test::Random random(seed);
  auto& put = channel.put[static_cast<std::size_t>(producer)];
  for (int i = 0; i < 8; ++i) {
    co_await yields(random.below(3));
    std::pair<int, int> item(producer, put);
    if (random.one_in(5)) {
      auto outcome = co_await capture(wait_for(channel.queue.put(item), 1ms));
      if (outcome.cancelled()) outcome.value();
      if (!outcome.has_value()) continue;
    } else {
      co_await channel.queue.put(item);
    }
    ++put;
  }
}

Coro<> consume(Channel& channel, std::uint64_t seed) {
  test::Random random(seed);
  while (true) {
    co_await yields(random.below(3));
    std::optional<std::pair<int, int>> item;
    if (random.one_in(5)) {
      auto outcome = co_await capture(wait_for(channel.queue.get(), 1ms));
      if (outcome.holds<TimeoutError>()) continue;
      item = outcome.value();
    } else {
      item = co_await channel.queue.get();
    }
    auto& last = channel.last[static_cast<std::size_t>(item->first)];
    EXPECT_EQ(item->second, last + 1);
    last = item->second;
    ++channel.got;
    channel.queue.task_done();
  }
}

Coro<> random_traffic(std::uint64_t seed) {
  test::Random random(seed);
  Channel channel(random.below(4));
  std::vector<Task<>> producers;
  std::vector<Task<>> consumers;
  for (int i = 0; i < Channel::kProducers; ++i)
    producers.push_back(create_task(produce(channel, i, random.next())));
  for (int i = 0; i < 4; ++i) consumers.push_back(create_task(consume(channel, random.next())));
  for (int i = 0; i < 12; ++i) {
    co_await yields(random.below(4));
    if (random.one_in(4)) co_await sleep(1ms);
    // The first producer and the first consumer stay, so that the rest can end.
    if (random.one_in(3)) producers[1 + static_cast<std::size_t>(random.below(2))].cancel();
    if (random.one_in(2)) consumers[1 + static_cast<std::size_t>(random.below(3))].cancel();
  }
  for (auto& task : producers) {
    auto outcome = co_await capture(task);
    EXPECT_TRUE(outcome.has_value() || outcome.cancelled());
  }
  co_await channel.queue.join();
  for (auto& task : consumers) task.cancel();
  for (auto& task : consumers) {
    auto outcome = co_await capture(task);
    EXPECT_TRUE(outcome.cancelled()) << describe_exception(outcome.exception());
  }
  int put = 0;
  for (int count : channel.put) put += count;
  EXPECT_EQ(put, channel.got);
  EXPECT_TRUE(channel.queue.empty());
}

TEST(Queue, fault8_R2_random_traffic_loses_duplicates_and_reorders_nothing) {
  test::for_each_seed([](std::uint64_t seed) { run_virtual(random_traffic, seed); });
}

}  // namespace

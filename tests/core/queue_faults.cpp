// SPDX-License-Identifier: BSL-1.0
/// Queues whose tasks are cancelled, or that end before their tasks do.
#include "allocation_count.hpp"
#include "asyncio/gather.hpp"
#include "asyncio/queue.hpp"
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

TEST(Queue, R16_join_of_a_queue_that_is_destroyed_or_of_another_loop_names_the_queue) {
  Queue<int> shared;
  shared.put_nowait(1);
  run_virtual([&]() -> Coro<> {
    auto queue = std::make_unique<Queue<int>>();
    queue->put_nowait(1);
    Task<> joined = create_task(queue->join());
    Task<> joined_shared = create_task(shared.join());
    co_await sleep(0s);
    queue.reset();
    auto outcome = co_await capture(joined);
    EXPECT_EQ(describe_exception(outcome.exception()),
              "asyncio::RuntimeError: the Queue was destroyed while a task waited for it");
    joined_shared.cancel();
  });
  run_virtual([&]() -> Coro<> {
    auto outcome = co_await capture(shared.join());
    EXPECT_EQ(describe_exception(outcome.exception()),
              "asyncio::RuntimeError: <asyncio.Queue> is bound to a different event loop");
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

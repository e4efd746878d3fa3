// SPDX-License-Identifier: BSL-1.0
// Several loops, each in its thread, and what goes from one to the other.
#include "asyncio/asyncio.hpp"
#include "captures.hpp"
#include "gate.hpp"
#include "loop_thread.hpp"
#include "rounds.hpp"
#include "seeds.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <barrier>
#include <cstddef>
#include <memory>
#include <numeric>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

using namespace asyncio;
using namespace std::chrono_literals;
using test::kPatience;
using test::LoopThread;
using test::Random;
using test::rounds;

namespace {

// --- Runs in threads -----------------------------------------------------------------------------

TEST(CrossLoop, S6_each_thread_runs_its_own_loop_with_its_own_tasks_and_executor) {
  constexpr int kThreads = 4;
  std::atomic<int> good{0};
  {
    std::vector<std::jthread> threads;
    for (int number = 0; number < kThreads; ++number)
      threads.emplace_back([number, &good] {
        for (int round = 0; round < 20; ++round) {
          auto main = [](int mine) -> Coro<int> {
            bool alone = all_tasks().size() == 1;
            create_task(sleep(1h));  // is not there in the next run
            auto twice = [](int n) { return 2 * n; };
            int value = co_await to_thread(twice, mine);
            co_return alone ? value : -1;
          };
          if (run(main(number)) == 2 * number) ++good;
        }
      });
  }
  EXPECT_EQ(good, kThreads * 20);
}

// --- Fault 46 ------------------------------------------------------------------------------------

/// What became of some futures, as the loop saw it that awaited them.
class Outcomes {
 public:
  std::vector<bool> cancelled;
  std::atomic<int> told{0};
};

Coro<> await_all(std::vector<ConcurrentFuture<int>> sources, Outcomes& out) {
  std::vector<Future<int>> futures;
  for (const auto& source : sources) futures.push_back(wrap_future(source));
  for (std::size_t i = 0; i < futures.size(); ++i) {
    Result<int> result = co_await capture(futures[i]);
    out.cancelled[i] = result.cancelled();
    if (!result.cancelled()) {
      EXPECT_EQ(result.value(), static_cast<int>(i));
    }
    ++out.told;
  }
}

TEST(CrossLoop, R1_fault46_completed_in_one_loop_awaited_in_another_cancelled_by_a_third_thread) {
  constexpr std::size_t kBatch = 500;
  LoopThread completing;
  LoopThread awaiting;
  Random random(46);
  std::size_t cancellations = 0;
  for (int done = 0; done < rounds(1'000'000); done += kBatch) {
    std::vector<ConcurrentFuture<int>> futures(kBatch);
    std::vector<bool> set(kBatch);
    Outcomes outcomes;
    outcomes.cancelled.resize(kBatch);
    auto awaited = run_coroutine_threadsafe(await_all(futures, outcomes), awaiting.loop);
    std::barrier<> begin(2);
    test::Gate completed;
    completing.loop.call_soon_threadsafe([&] {
      begin.arrive_and_wait();
      for (std::size_t i = 0; i < kBatch; ++i) {
        try {
          futures[i].set_result(static_cast<int>(i));
          set[i] = true;
        } catch (const InvalidStateError&) {
          // It was cancelled.
        }
      }
      completed.open();
    });
    std::vector<bool> cancelled(kBatch);
    // In an order that meets the other thread here and there; the first before that one begins.
    std::size_t at = static_cast<std::size_t>(random.below(kBatch));
    cancelled[at] = futures[at].cancel();
    begin.arrive_and_wait();
    for (std::size_t i = 2; i < kBatch; i += 2) {
      at = (at + 1) % kBatch;
      cancelled[at] = futures[at].cancel();
    }
    completed.wait();
    awaited.result(kPatience);
    ASSERT_EQ(outcomes.told, static_cast<int>(kBatch));
    for (std::size_t i = 0; i < kBatch; ++i) {
      ASSERT_NE(set[i], cancelled[i]) << "two outcomes, or none";
      ASSERT_EQ(outcomes.cancelled[i], cancelled[i]);
      cancellations += cancelled[i];
    }
  }
  EXPECT_GT(cancellations, 0u);
}

/// Counts its instances, in any thread.
class Shared {
 public:
  Shared() { ++alive; }
  Shared(const Shared&) { ++alive; }
  Shared& operator=(const Shared&) = default;
  ~Shared() { --alive; }
  static inline std::atomic<int> alive{0};
};

/// A coroutine of one loop that is awaited in another, while a third thread cancels it.
TEST(CrossLoop, R1_fault46_a_task_awaited_in_another_loop_and_cancelled_by_a_third_thread) {
  constexpr int kRounds = rounds(20'000);
  std::atomic<int> finished{0};
  std::atomic<int> cancelled{0};
  {
    LoopThread working;
    LoopThread awaiting;
    auto work = [](int turns, Shared shared) -> Coro<Shared> {
      for (int i = 0; i < turns; ++i) co_await sleep(0s);
      co_return shared;
    };
    auto wait_for_work = [&](ConcurrentFuture<Shared> source) -> Coro<> {
      Result<Shared> result = co_await capture(wrap_future(source));
      ++(result.cancelled() ? cancelled : finished);
    };
    for (int i = 0; i < kRounds; ++i) {
      auto task = run_coroutine_threadsafe(work(i % 4, Shared()), working.loop);
      auto waiter = run_coroutine_threadsafe(wait_for_work(task), awaiting.loop);
      for (int spin = 0; spin < i % 32; ++spin) std::this_thread::yield();
      task.cancel();
      waiter.result(kPatience);
    }
    EXPECT_EQ(finished + cancelled, kRounds);
  }
  EXPECT_EQ(Shared::alive, 0);
}

// --- Fault 47 ------------------------------------------------------------------------------------

/// What the threads of one round have in common, and what came of it.
class World {
 public:
  LoopThread one;
  LoopThread two;
  ThreadPoolExecutor pool{2};
  std::atomic<long> expected{0};
  std::atomic<long> came{0};
};

Coro<int> plus_one(int n, Shared) {
  co_await sleep(0s);
  co_return n + 1;
}

/// In one loop: waits for a coroutine of the other, for a job of the pool and for a thread.
Coro<int> everywhere(World& world, EventLoop other, int n) {
  Shared shared;
  int a = co_await wrap_future(run_coroutine_threadsafe(plus_one(n, shared), other));
  int b = co_await get_running_loop().run_in_executor(world.pool, [](int x) { return x + 1; }, a);
  co_return co_await to_thread([](int x) { return x + 1; }, b);
}

/// One random thing that any thread may do with a loop.
void act(World& world, Random& random, int n) {
  bool first = random.one_in(2);
  EventLoop loop = first ? world.one.loop : world.two.loop;
  EventLoop other = first ? world.two.loop : world.one.loop;
  auto count = [&world, shared = Shared()] { ++world.came; };
  switch (random.below(7)) {
    case 0:
      ++world.expected;
      loop.call_soon_threadsafe(count);
      break;
    case 1: {
      // Runs or not, but goes.
      Handle handle = loop.call_soon_threadsafe([shared = Shared()] {});
      handle.cancel();
      EXPECT_TRUE(handle.cancelled());
      break;
    }
    case 2:
      ++world.expected;
      loop.call_soon_threadsafe(copy_context(), [other, count]() mutable {
        other.call_soon_threadsafe(count);  // to and fro
      });
      break;
    case 3:
      EXPECT_EQ(run_coroutine_threadsafe(plus_one(n, Shared()), loop).result(kPatience), n + 1);
      break;
    case 4: {
      auto future = run_coroutine_threadsafe(everywhere(world, other, n), loop);
      if (random.one_in(3)) future.cancel();
      auto value = future.exception(kPatience) ? -1 : future.result();
      EXPECT_EQ(value, n + 3);
      break;
    }
    case 5: {
      ++world.expected;
      auto future = world.pool.submit(count);
      if (future.cancel()) --world.expected;
      break;
    }
    case 6: {
      ConcurrentFuture<int> source;
      auto waiting = [](ConcurrentFuture<int> awaited) -> Coro<int> {
        co_return co_await wrap_future(awaited);
      };
      auto future = run_coroutine_threadsafe(waiting(source), loop);
      other.call_soon_threadsafe([source, n] { source.set_result(n); });
      EXPECT_EQ(future.result(kPatience), n);
      break;
    }
  }
}

void act_for_a_while(World& world, std::uint64_t seed, int actions) {
  Random random(seed);
  for (int i = 0; i < actions; ++i) {
    try {
      act(world, random, i);
    } catch (const CancelledError&) {
      // Our own.
    }
  }
}

TEST(CrossLoop, R11_fault47_two_loops_and_random_thread_safe_calls) {
  constexpr std::uint64_t kSeeds = rounds(1000) > 20 ? rounds(1000) : 20;
  for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
    SCOPED_TRACE("SEED=" + std::to_string(seed));
    {
      World world;
      {
        std::vector<std::jthread> threads;
        for (std::uint64_t i = 0; i < 3; ++i)
          threads.emplace_back([&, i] { act_for_a_while(world, seed * 10 + i, 100); });
      }
      world.pool.shutdown();
      // What goes to and fro has come when both loops have run everything twice.
      auto turn = []() -> Coro<> { co_await sleep(0s); };
      for (int i = 0; i < 2; ++i)
        for (LoopThread* home : {&world.one, &world.two})
          run_coroutine_threadsafe(turn(), home->loop).result(kPatience);
      EXPECT_EQ(world.came, world.expected);
    }
    EXPECT_TRUE(test::eventually([] { return Shared::alive == 0; }));
    if (HasFailure()) return;
  }
}

}  // namespace

// SPDX-License-Identifier: BSL-1.0
// Everything that any thread may do with a loop, from many threads at once. What inbox_model.cpp
// proves of the algorithm is tried out here on the code.
#include "asyncio/asyncio.hpp"
#include "asyncio/testing/simulated.hpp"
#include "backends.hpp"
#include "captures.hpp"
#include "gate.hpp"
#include "loop_thread.hpp"
#include "rounds.hpp"
#include "seeds.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <coroutine>
#include <cstddef>
#include <pthread.h>
#include <sched.h>
#include <stop_token>
#include <string>
#include <sys/syscall.h>
#include <thread>
#include <unistd.h>
#include <vector>

using namespace asyncio;
using namespace std::chrono_literals;
using test::eventually;
using test::LoopThread;
using test::rounds;

namespace {

// --- call_soon_threadsafe ------------------------------------------------------------------------

EventLoop new_loop(const std::string& backend) {
  return backend == "epoll" ? new_epoll_event_loop() : asyncio::testing::new_simulated_event_loop();
}

class ThreadsafeTest : public ::testing::TestWithParam<std::string> {};
INSTANTIATE_TEST_SUITE_P(Backends, ThreadsafeTest, test::all_backends, test::backend_name);

TEST_P(ThreadsafeTest, A9_3_fault38_calls_of_many_threads_run_once_each_thread_in_order) {
  constexpr std::size_t kThreads = 8;
  constexpr int kCalls = rounds(1'000'000);
  constexpr long kMostAhead = 100'000;  // so that the memory that this takes has a bound
  std::atomic<long> posted{0};
  std::atomic<long> ran{0};
  std::array<int, kThreads> next{};
  long misplaced = 0;
  {
    LoopThread home(new_loop(GetParam()));
    std::vector<std::jthread> threads;
    for (std::size_t number = 0; number < kThreads; ++number)
      threads.emplace_back([&, number] {
        for (int i = 0; i < kCalls; ++i) {
          while (posted++ - ran > kMostAhead) {
            --posted;
            std::this_thread::yield();
          }
          home.loop.call_soon_threadsafe([&, number, i] {
            if (next[number]++ != i) ++misplaced;
            ++ran;
          });
        }
      });
  }
  EXPECT_EQ(misplaced, 0);
  EXPECT_EQ(ran, long{kThreads} * kCalls);
  for (int count : next) EXPECT_EQ(count, kCalls);
}

/// Lets a thread run on one processor only; on the first one where there is no second.
void pin(int which) {
  cpu_set_t allowed;
  cpu_set_t one;
  CPU_ZERO(&one);
  ASSERT_EQ(::sched_getaffinity(0, sizeof allowed, &allowed), 0);
  which %= CPU_COUNT(&allowed);
  for (std::size_t cpu = 0; cpu < CPU_SETSIZE; ++cpu)
    if (CPU_ISSET(cpu, &allowed) && which-- == 0) CPU_SET(cpu, &one);
  ASSERT_EQ(::pthread_setaffinity_np(::pthread_self(), sizeof one, &one), 0);
}

TEST_P(ThreadsafeTest, A9_3_fault39_a_call_that_meets_a_loop_going_to_sleep_wakes_it) {
  LoopThread home(new_loop(GetParam()));
  std::vector<std::chrono::nanoseconds> delays;
  std::jthread([&] {
    pin(1);
    home.loop.call_soon_threadsafe([] { pin(0); });
    test::Random random(39);
    for (int i = 0; i < rounds(100'000); ++i) {
      // The loop is busy with the call before this one, or about to sleep, or asleep.
      for (volatile int spin = random.below(2000); spin > 0;) spin = spin - 1;
      auto begin = std::chrono::steady_clock::now();
      std::atomic<bool> called{false};
      home.loop.call_soon_threadsafe([&] { called = true; });
      ASSERT_TRUE(eventually([&] { return called.load(); })) << "call " << i << " was lost";
      delays.push_back(std::chrono::steady_clock::now() - begin);
    }
  }).join();
  // Of single ones the machine's other work may have its share.
  auto median = delays.begin() + static_cast<std::ptrdiff_t>(delays.size() / 2);
  std::nth_element(delays.begin(), median, delays.end());
  EXPECT_LT(*median, 10ms);
}

TEST(Threadsafe, A9_3_a_context_goes_to_the_loop_and_is_let_go_of_here) {
  static ContextVar<int> variable("variable", 0);
  long sum = 0;
  constexpr int kCalls = rounds(100'000);
  run([](long& total) -> Coro<> {
    EventLoop loop = get_running_loop();
    auto post = [&] {
      for (int i = 0; i < kCalls; ++i) {
        Context context = copy_context();
        context.run([&] { variable.set(i); });
        loop.call_soon_threadsafe(context, [&] { total += variable.get(); });
      }
    };
    co_await to_thread(post);
    co_await sleep(0s);
  }(sum));
  EXPECT_EQ(sum, long{kCalls} * (kCalls - 1) / 2);
}

// --- What is not thread-safe ---------------------------------------------------------------------

std::string this_thread_text(const char* name) {
  ::pthread_setname_np(::pthread_self(), name);
  return "thread " + std::to_string(::syscall(SYS_gettid)) + " '" + name + "'";
}

TEST(Threadsafe, R11_R16_fault45_debug_mode_names_both_threads_when_a_future_is_used_elsewhere) {
  auto main = []() -> Coro<> {
    EventLoop loop = get_running_loop();
    constexpr int future_line = __LINE__ + 1;
    Future<int> future(loop), ended(loop);
    ended.set_result(1);
    constexpr int task_line = __LINE__ + 1;
    Task<> task = create_task(sleep(1h), TaskOptions().name("sleeper"));
    const std::string error =
        "asyncio::RuntimeError: Non-thread-safe operation invoked on an event loop other than the "
        "current one";
    std::string threads = ": the loop runs in " + this_thread_text("the owner") + ", this is ";
    std::vector<std::string> errors;
    std::thread([&] {
      threads += this_thread_text("an intruder");
      auto use = [&](auto function) { errors.push_back(test::thrown(function)); };
      use([&] { future.set_result(1); });
      use([&] { future.set_exception(ValueError("late")); });
      use([&] { future.cancel(); });
      use([&] { future.cancel("why"); });
      use([&] { future.add_done_callback([] {}); });
      use([&] { future.remove_done_callback(+[](Future<int>) {}); });
      use([&] { (void)ended.result(); });
      use([&] { (void)ended.exception(); });
      use([&] { task.cancel(); });
      use([&] { task.add_done_callback([] {}); });
      use([&] { (void)loop.create_future(); });
      use([&] { loop.stop(); });
      // These are noexcept: undefined without a word.
      (void)future.done();
      (void)future.cancelled();
    }).join();
    std::string of_future = error + " (a future, created at " + __FILE__ + ":" +
                            std::to_string(future_line) + ")" + threads;
    std::string of_task = error + " (task 'sleeper', created at " + __FILE__ + ":" +
                          std::to_string(task_line) + ")" + threads;
    std::vector<std::string> expected(8, of_future);
    expected.insert(expected.end(), 2, of_task);
    expected.insert(expected.end(), 2, error + threads);
    EXPECT_EQ(errors, expected);
    EXPECT_FALSE(future.done());
    task.cancel();  // in its own thread
    co_await sleep(0s);
  };
  run(main(), RunOptions().debug(true));
}

TEST(Threadsafe, R11_R16_fault45_debug_mode_finds_primitives_used_elsewhere_though_nobody_waits) {
  auto main = []() -> Coro<> {
    Event event;
    Lock lock;
    Semaphore semaphore(0);
    Queue<int> queue;
    auto wait_for_each = [&]() -> Coro<> {
      co_await event.wait();
      co_await lock.acquire();
      co_await semaphore.acquire();
      (void)co_await queue.get();
    };
    co_await lock.acquire();
    Task<> waiter = create_task(wait_for_each);
    co_await sleep(0s);
    event.set();
    co_await sleep(0s);
    lock.release();
    co_await sleep(0s);
    semaphore.release();
    co_await sleep(0s);
    queue.put_nowait(1);
    co_await waiter;
    queue.put_nowait(2);

    event.clear();
    std::vector<std::string> used;
    std::thread([&] {
      auto use = [&](auto function) {
        std::string error = test::thrown(function);
        std::size_t begin = error.find('('), end = error.find(", for which its tasks have waited)");
        used.push_back(end == std::string::npos ? error : error.substr(begin, end - begin));
      };
      use([&] { event.set(); });
      use([&] { lock.release(); });
      use([&] { semaphore.release(); });
      use([&] { queue.put_nowait(3); });
      use([&] { (void)queue.get_nowait(); });
      use([&] { queue.shutdown(); });
    }).join();
    EXPECT_EQ(used, (std::vector<std::string>{"(Event", "(Lock", "(Semaphore", "(Queue", "(Queue",
                                              "(Queue"}));
    EXPECT_FALSE(event.is_set());
    EXPECT_EQ(queue.qsize(), 1u);
    lock.release();  // in its own thread
  };
  run(main(), RunOptions().debug(true));
}

TEST(Threadsafe, A9_3_in_the_loops_own_thread_it_keeps_its_place_among_call_soon) {
  run([]() -> Coro<> {
    EventLoop loop = get_running_loop();
    std::vector<int> order;
    loop.call_soon_threadsafe([&] { order.push_back(1); });
    loop.call_soon([&] { order.push_back(2); });
    loop.call_soon_threadsafe([&] { order.push_back(3); });
    loop.call_soon([&] { order.push_back(4); });
    co_await sleep(0s);
    EXPECT_EQ(order, (std::vector<int>{1, 2, 3, 4}));
  }());
}

// --- Foreign awaiters ----------------------------------------------------------------------------

/// A thread that resumes one coroutine after another.
class Resumer {
 public:
  void resume(std::coroutine_handle<> frame) { next_.store(frame.address()); }

 private:
  std::atomic<void*> next_{nullptr};
  std::jthread thread_{[this](std::stop_token stop) {
    while (!stop.stop_requested()) {
      if (void* frame = next_.exchange(nullptr))
        std::coroutine_handle<>::from_address(frame).resume();
    }
  }};
};

struct OnOtherThread {
  bool await_ready() const noexcept { return false; }
  void await_suspend(std::coroutine_handle<> frame) const { resumer->resume(frame); }
  int await_resume() const noexcept { return 1; }
  Resumer* resumer;
};

TEST(Threadsafe, A2_1_R3_a_foreign_awaiter_may_be_resumed_by_any_thread) {
  Resumer resumer;
  int sum = run([](Resumer& other) -> Coro<int> {
    int count = 0;
    OnOtherThread awaiter{&other};
    for (int i = 0; i < rounds(100'000); ++i) count += co_await awaiter;
    co_return count;
  }(resumer));
  EXPECT_EQ(sum, rounds(100'000));
}

}  // namespace

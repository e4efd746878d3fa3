// SPDX-License-Identifier: BSL-1.0
#include "asyncio/executor.hpp"

#include "captures.hpp"
#include "gate.hpp"
#include "no_threads.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <deque>
#include <latch>
#include <memory>
#include <mutex>
#include <optional>
#include <pthread.h>
#include <string>
#include <thread>
#include <utility>
#include <vector>

using namespace asyncio;
using namespace std::chrono_literals;
using test::Counted;
using test::eventually;
using test::Gate;
using test::NoThreads;
using test::thrown;

namespace {

std::string name_of_this_thread() {
  char name[16] = {};
  ::pthread_getname_np(::pthread_self(), name, sizeof name);
  return name;
}

/// Notes the thread in which the last one of its copies is destroyed.
class Grave {
 public:
  explicit Grave(std::thread::id& where)
      : mark_(&where, [](std::thread::id* at) { *at = std::this_thread::get_id(); }) {}

 private:
  std::shared_ptr<std::thread::id> mark_;
};

// --- The pool ------------------------------------------------------------------------------------

TEST(ThreadPoolExecutor, A9_12_threads_are_started_when_no_idle_one_is_there) {
  ThreadPoolExecutor pool(3);
  EXPECT_EQ(pool.thread_count(), 0u);
  Gate gate;
  std::latch both(2);
  auto job = [&] {
    both.count_down();
    gate.wait();
  };
  auto first = pool.submit(job);
  auto second = pool.submit(job);
  both.wait();
  EXPECT_EQ(pool.thread_count(), 2u);
  gate.open();
  first.result();
  second.result();
  // An idle thread takes the next job; a thread is idle a moment after its job has ended.
  EXPECT_TRUE(eventually([&] { return pool.busy_threads().empty(); }));
}

TEST(ThreadPoolExecutor, A9_12_an_idle_thread_is_used_again) {
  ThreadPoolExecutor pool(8);
  for (int i = 0; i < 20; ++i) {
    pool.submit([] {}).result();
    ASSERT_TRUE(eventually([&] { return pool.busy_threads().empty(); }));
    std::this_thread::yield();
  }
  // Mostly one; a second one if a job came before the first thread had gone to wait.
  EXPECT_LE(pool.thread_count(), 3u);
}

TEST(ThreadPoolExecutor, A9_12_never_more_than_max_workers) {
  ThreadPoolExecutor pool(2);
  std::atomic<int> now{0};
  std::atomic<int> most{0};
  std::vector<ConcurrentFuture<>> jobs;
  for (int i = 0; i < 50; ++i)
    jobs.push_back(pool.submit([&] {
      int here = ++now;
      int seen = most;
      while (here > seen && !most.compare_exchange_weak(seen, here)) {
      }
      std::this_thread::yield();
      --now;
    }));
  for (auto& job : jobs) job.result();
  EXPECT_LE(most, 2);
  EXPECT_EQ(pool.thread_count(), 2u);
  EXPECT_EQ(thrown([] { ThreadPoolExecutor none(0); }),
            "asyncio::ValueError: max_workers must be greater than 0");
}

TEST(ThreadPoolExecutor, A9_12_jobs_run_in_the_order_of_submission) {
  std::vector<int> order;
  {
    ThreadPoolExecutor pool(1);
    for (int i = 0; i < 100; ++i) pool.submit([&order, i] { order.push_back(i); });
  }
  ASSERT_EQ(order.size(), 100u);  // the destructor waits
  for (int i = 0; i < 100; ++i) EXPECT_EQ(order[static_cast<std::size_t>(i)], i);
}

TEST(ThreadPoolExecutor, A9_12_results_of_every_kind_come_back) {
  ThreadPoolExecutor pool(1);
  int target = 1;
  EXPECT_EQ(pool.submit([](int a, int b) { return a + b; }, 2, 3).result(), 5);
  EXPECT_EQ(
      *pool.submit([](std::unique_ptr<int> p) { return p; }, std::make_unique<int>(4)).result(), 4);
  EXPECT_EQ(&pool.submit([&]() -> int& { return target; }).result(), &target);
  EXPECT_EQ(&pool.submit([](int& x) -> int& { return x; }, std::ref(target)).result(), &target);
  // The future lives while its exception is looked at: where the two are counted inside the C++
  // library, ThreadSanitizer sees no order.
  auto failing = pool.submit([] { throw ValueError("in a thread"); });
  EXPECT_EQ(thrown([&] { failing.result(); }), "asyncio::ValueError: in a thread");
  auto interrupted = pool.submit([] { throw KeyboardInterrupt(); });
  EXPECT_EQ(thrown([&] { interrupted.result(); }), "asyncio::KeyboardInterrupt");
  pool.submit([] {}).result();
}

TEST(ThreadPoolExecutor, A9_12_threads_have_names) {
  ThreadPoolExecutor named(1, "reader");
  EXPECT_EQ(named.submit(name_of_this_thread).result(), "reader_0");
  Gate gate;
  Gate running;
  ThreadPoolExecutor cut(1, "a-rather-long-prefix");
  EXPECT_EQ(cut.submit(name_of_this_thread).result(), "a-rather-long_0");
  cut.submit([&] {
    running.open();
    gate.wait();
  });
  running.wait();
  EXPECT_EQ(cut.busy_threads(), std::vector<std::string>{"a-rather-long-prefix_0"});
  gate.open();
}

TEST(ThreadPoolExecutor, A9_12_captures_are_destroyed_in_the_thread_before_the_outcome_is_seen) {
  ThreadPoolExecutor pool(1);
  std::thread::id worker = pool.submit([] { return std::this_thread::get_id(); }).result();
  std::thread::id ended;
  pool.submit([grave = Grave(ended)] {}).result();
  EXPECT_EQ(ended, worker);
  ended = {};
  auto failing = pool.submit([grave = Grave(ended)] { throw ValueError("job"); });
  EXPECT_EQ(thrown([&] { failing.result(); }), "asyncio::ValueError: job");
  EXPECT_EQ(ended, worker);
  // Arguments, too; and those of a job that is cancelled while it waits.
  Gate gate;
  pool.submit([&] { gate.wait(); });
  ended = {};
  bool ran = false;
  auto cancelled = pool.submit([&](const Grave&) { ran = true; }, Grave(ended));
  EXPECT_TRUE(cancelled.cancel());
  gate.open();
  pool.submit([] {}).result();
  EXPECT_FALSE(ran);
  EXPECT_EQ(ended, worker);
}

TEST(ThreadPoolExecutor, A9_12_shutdown_waits_for_every_job_and_refuses_more) {
  ThreadPoolExecutor pool(2);
  std::atomic<int> ran{0};
  for (int i = 0; i < 50; ++i) pool.submit([&] { ++ran; });
  pool.shutdown();
  EXPECT_EQ(ran, 50);
  pool.shutdown();
  EXPECT_EQ(thrown([&] { pool.submit([] {}); }),
            "asyncio::RuntimeError: cannot schedule new futures after shutdown");
}

TEST(ThreadPoolExecutor, A9_12_shutdown_may_cancel_what_has_not_begun) {
  ThreadPoolExecutor pool(1);
  Gate gate;
  Gate running;
  auto first = pool.submit([&] {
    running.open();
    gate.wait();
  });
  auto second = pool.submit([] {});
  bool told = false;
  second.add_done_callback([&](const ConcurrentFuture<>& future) { told = future.cancelled(); });
  running.wait();
  pool.shutdown(false, true);
  EXPECT_TRUE(told);
  EXPECT_TRUE(second.cancelled());
  EXPECT_TRUE(first.running());
  gate.open();
  pool.shutdown();  // joins after all
  EXPECT_TRUE(first.done());
}

TEST(ThreadPoolExecutor, A9_12_threads_may_shut_it_down_together) {
  for (int round = 0; round < 50; ++round) {
    ThreadPoolExecutor pool(4);
    std::atomic<int> ran{0};
    for (int i = 0; i < 8; ++i) pool.submit([&] { ++ran; });
    std::vector<std::jthread> threads;
    for (int i = 0; i < 3; ++i)
      threads.emplace_back([&] {
        pool.shutdown();
        EXPECT_EQ(ran, 8);
      });
  }
}

TEST(ThreadPoolExecutor,
     fault195_after_shutdown_without_waiting_the_destructor_leaves_the_threads) {
  auto gate = std::make_shared<Gate>();
  ConcurrentFuture<int> future;
  {
    ThreadPoolExecutor pool(1);
    future = pool.submit([gate] {
      gate->wait();
      return 3;
    });
    pool.shutdown(false);
  }
  EXPECT_FALSE(future.done());
  gate->open();
  EXPECT_EQ(future.result(), 3);
}

TEST(ThreadPoolExecutor, A9_12_a_job_cannot_wait_for_its_own_thread_but_may_drop_the_pool) {
  auto pool = std::make_shared<ThreadPoolExecutor>(2);
  auto refused = pool->submit([&] { return thrown([&] { pool->shutdown(); }); });
  EXPECT_EQ(refused.result(), "asyncio::RuntimeError: cannot join current thread");

  auto last = std::make_shared<ThreadPoolExecutor>(2);
  Gate gate;
  auto done = last->submit([&gate, last]() mutable {
    gate.wait();
    last.reset();  // the destructor runs in a thread of the pool
    return 1;
  });
  last.reset();
  gate.open();
  EXPECT_EQ(done.result(), 1);
}

TEST(ThreadPoolExecutor, A9_12_a_job_may_submit_and_wait_for_another) {
  ThreadPoolExecutor pool(2);
  auto outer = pool.submit([&] { return pool.submit([] { return 5; }).result() + 1; });
  EXPECT_EQ(outer.result(), 6);
}

TEST(ThreadPoolExecutor, A9_12_an_outcome_that_somebody_else_sets_counts) {
  ThreadPoolExecutor pool(1);
  Gate gate;
  Gate running;
  auto begun = pool.submit([&] {
    running.open();
    gate.wait();
    return 1;
  });
  auto waiting = pool.submit([] { return 1; });
  running.wait();
  begun.set_result(2);
  waiting.set_result(3);
  gate.open();
  pool.shutdown();
  EXPECT_EQ(begun.result(), 2);
  EXPECT_EQ(waiting.result(), 3);
}

// --- Fault 44 ------------------------------------------------------------------------------------

TEST(ThreadPoolExecutor, fault44_without_any_thread_submit_throws_and_later_works) {
  ThreadPoolExecutor pool(2, "pool");
  {
    NoThreads none;
    EXPECT_EQ(thrown([&] { pool.submit([counted = Counted()] {}); }),
              "asyncio::BlockingIOError: start thread pool_0: Resource temporarily unavailable");
    EXPECT_EQ(Counted::alive, 0);
    EXPECT_EQ(pool.thread_count(), 0u);
  }
  EXPECT_EQ(pool.submit([] { return 1; }).result(), 1);
}

TEST(ThreadPoolExecutor, fault44_from_the_nth_thread_on_those_that_there_are_do_the_work) {
  for (std::size_t started = 1; started < 5; ++started) {
    Gate gate;
    std::latch running(static_cast<std::ptrdiff_t>(started));
    ThreadPoolExecutor pool(8);
    std::vector<ConcurrentFuture<>> first;
    for (std::size_t i = 0; i < started; ++i)
      first.push_back(pool.submit([&] {
        running.count_down();
        gate.wait();
      }));
    running.wait();
    std::vector<ConcurrentFuture<std::size_t>> more;
    {
      NoThreads none;
      for (std::size_t i = 0; i < 5; ++i) more.push_back(pool.submit([i] { return i; }));
      EXPECT_EQ(pool.thread_count(), started);
    }
    // Later there may be more threads again, and the queue is served in order.
    auto last = pool.submit([] {});
    EXPECT_EQ(pool.thread_count(), started + 1);
    last.result();
    for (std::size_t i = 0; i < 5; ++i) EXPECT_EQ(more[i].result(), i);
    gate.open();
    for (auto& job : first) job.result();
  }
}

// --- Executors of one's own ----------------------------------------------------------------------

/// Runs each job in the thread that submits it.
class InlineExecutor final : public Executor {
 public:
  void submit_job(Job job) override { job(); }
  void shutdown(bool, bool) override {}
};

/// Keeps jobs until it is told.
class SlowExecutor final : public Executor {
 public:
  void submit_job(Job job) override { jobs.push_back(std::move(job)); }
  void shutdown(bool, bool) override { jobs.clear(); }
  std::deque<Job> jobs;
};

TEST(Executor, A9_12_an_implementation_only_has_to_call_or_drop_its_jobs) {
  InlineExecutor at_once;
  EXPECT_EQ(at_once.submit([] { return 2; }).result(), 2);

  SlowExecutor slow;
  auto first = slow.submit([counted = Counted()] { return 1; });
  auto second = slow.submit([counted = Counted()] { return 2; });
  EXPECT_FALSE(first.done());
  slow.jobs.front()();
  slow.jobs.front()();
  EXPECT_EQ(first.result(), 1);
  EXPECT_EQ(Counted::alive, 1);
  slow.shutdown(true, false);
  EXPECT_TRUE(second.cancelled());
  EXPECT_EQ(Counted::alive, 0);
}

}  // namespace

// SPDX-License-Identifier: BSL-1.0
#include "asyncio/threads.hpp"

#include "asyncio/asyncio.hpp"
#include "asyncio/testing/simulated.hpp"
#include "captures.hpp"
#include "gate.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <memory>
#include <stop_token>
#include <string>
#include <thread>
#include <utility>
#include <vector>

using namespace asyncio;
using namespace std::chrono_literals;
using test::eventually;
using test::Gate;
using test::thrown;

namespace {

ContextVar<std::string>& variable() {
  static ContextVar<std::string> instance("variable", "unset");
  return instance;
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

// --- run_in_executor -----------------------------------------------------------------------------

TEST(RunInExecutor, A9_12_gives_a_future_of_whatever_the_function_returns) {
  run([]() -> Coro<> {
    EventLoop loop = get_running_loop();
    int target = 1;
    int sum = co_await loop.run_in_executor(nullptr, [](int a, int b) { return a + b; }, 2, 3);
    EXPECT_EQ(sum, 5);
    auto make = [](int n) { return std::make_unique<int>(n); };
    std::unique_ptr<int> moved = co_await loop.run_in_executor(nullptr, make, 4);
    EXPECT_EQ(*moved, 4);
    int& same = co_await loop.run_in_executor(nullptr, [&]() -> int& { return target; });
    EXPECT_EQ(&same, &target);
    Future<> failing = loop.run_in_executor(nullptr, [] { throw ValueError("job"); });
    auto failure = co_await capture(failing);
    EXPECT_TRUE(failure.holds<ValueError>());
    ThreadPoolExecutor pool(1, "own");
    std::thread::id first =
        co_await loop.run_in_executor(pool, [] { return std::this_thread::get_id(); });
    EXPECT_NE(first, std::this_thread::get_id());
  }());
}

TEST(RunInExecutor, A9_12_the_future_is_done_one_iteration_before_its_task_goes_on) {
  run([]() -> Coro<> {
    std::vector<std::string> trace;
    Gate gate;
    Future<> job = get_running_loop().run_in_executor(nullptr, [&] { gate.wait(); });
    job.add_done_callback([&] { trace.push_back("callback"); });
    auto waiter = [](Future<> awaited, std::vector<std::string>& out) -> Coro<> {
      co_await awaited;
      out.push_back("task");
    };
    Task<> task = create_task(waiter, job, std::ref(trace));
    co_await sleep(0s);
    gate.open();
    co_await task;
    EXPECT_EQ(trace, (std::vector<std::string>{"callback", "task"}));
  }());
}

TEST(RunInExecutor, A9_12_cancelling_a_job_that_waits_keeps_it_from_running) {
  run([]() -> Coro<> {
    EventLoop loop = get_running_loop();
    ThreadPoolExecutor pool(1);
    Gate gate;
    Future<> busy = loop.run_in_executor(pool, [&] { gate.wait(); });
    bool ran = false;
    Future<> waiting = loop.run_in_executor(pool, [&] { ran = true; });
    EXPECT_TRUE(waiting.cancel());
    auto end = co_await capture(waiting);
    EXPECT_TRUE(end.cancelled());
    co_await sleep(0s);  // the cancellation goes on to the pool in a callback
    gate.open();
    co_await busy;
    pool.shutdown();
    EXPECT_FALSE(ran);
  }());
}

TEST(RunInExecutor, fault42_cancelling_a_task_that_waits_for_a_running_job_ends_it_now) {
  Gate gate;
  std::thread::id worker;
  std::thread::id ended;
  run([&]() -> Coro<> {
    Gate running;
    auto mark = std::shared_ptr<std::thread::id>(
        &ended, [](std::thread::id* at) { *at = std::this_thread::get_id(); });
    auto job = [&](const std::shared_ptr<std::thread::id>&) {
      worker = std::this_thread::get_id();
      running.open();
      gate.wait();
      return Shared();
    };
    auto wait_for_job = [](Future<Shared> future) -> Coro<> { co_await std::move(future); };
    Task<> task = create_task(wait_for_job,
                              get_running_loop().run_in_executor(nullptr, job, std::move(mark)));
    co_await sleep(0s);
    running.wait();
    task.cancel();
    auto end = co_await capture(task);
    EXPECT_TRUE(end.cancelled());
    EXPECT_EQ(ended, std::thread::id());  // the job goes on
    gate.open();
  }());  // joins the pool
  EXPECT_EQ(Shared::alive, 0);
  EXPECT_EQ(ended, worker);
}

TEST(RunInExecutor, fault42_the_loop_may_close_while_a_job_runs) {
  auto gate = std::make_shared<Gate>();
  auto ended = std::make_shared<Gate>();
  {
    EventLoop loop = new_event_loop();
    auto job = [gate, ended, shared = Shared()] {
      gate->wait();
      ended->open();
      return Shared();
    };
    Future<Shared> future = loop.run_in_executor(nullptr, job);
    loop.close();  // does not wait
    EXPECT_FALSE(future.done());
  }
  EXPECT_FALSE(ended->is_open());
  gate->open();
  ended->wait();
  EXPECT_TRUE(eventually([] { return Shared::alive == 0; }));
}

TEST(RunInExecutor, A9_12_after_close_it_throws) {
  EventLoop loop = new_event_loop();
  loop.close();
  EXPECT_EQ(thrown([&] { loop.run_in_executor(nullptr, [] {}); }),
            "asyncio::RuntimeError: Event loop is closed");
}

TEST(RunInExecutor, A11_a_virtual_clock_does_not_jump_while_a_thread_works) {
  Gate gate;
  asyncio::testing::run_simulated([&]() -> Coro<> {
    EventLoop loop = get_running_loop();
    auto job = [] { std::this_thread::sleep_for(20ms); };
    // Not a timeout: the clock would have jumped to it at once.
    co_await wait_for(loop.run_in_executor(nullptr, job), 60s);
    EXPECT_LT(loop.time().time_since_epoch(), 60s);
    // Afterwards it jumps again; also if the work was given up.
    Future<> given_up = loop.run_in_executor(nullptr, [&] { gate.wait(); });
    given_up.cancel();
    co_await sleep(24h);
    gate.open();
  });
}

// --- to_thread -----------------------------------------------------------------------------------

TEST(ToThread, A2_14_calls_in_another_thread_and_gives_the_result) {
  run([]() -> Coro<> {
    std::thread::id here = std::this_thread::get_id();
    auto where = [] { return std::this_thread::get_id(); };
    std::thread::id there = co_await to_thread(where);
    EXPECT_NE(here, there);
    auto add = [](std::unique_ptr<int> a, int b) { return std::make_unique<int>(*a + b); };
    std::unique_ptr<int> sum = co_await to_thread(add, std::make_unique<int>(2), 3);
    EXPECT_EQ(*sum, 5);
    int target = 0;
    int& same = co_await to_thread([](int& x) -> int& { return x; }, std::ref(target));
    EXPECT_EQ(&same, &target);
    auto failure = co_await capture(to_thread([] { throw ValueError("in the thread"); }));
    EXPECT_TRUE(failure.holds<ValueError>());
  }());
}

TEST(ToThread, A2_14_fault26_the_thread_sees_a_copy_of_the_context) {
  run([]() -> Coro<> {
    variable().set("from main");
    auto work = [] {
      std::string seen = variable().get();
      variable().set("changed in the thread");
      return seen;
    };
    std::string seen = co_await to_thread(work);
    EXPECT_EQ(seen, "from main");
    EXPECT_EQ(variable().get(), "from main");
    // run_in_executor gives no context, and the one of to_thread did not stay behind.
    std::string plain =
        co_await get_running_loop().run_in_executor(nullptr, [] { return variable().get(); });
    EXPECT_EQ(plain, "unset");
  }());
}

TEST(ToThread, A2_14_does_nothing_until_it_is_awaited) {
  run([]() -> Coro<> {
    bool ran = false;
    {
      auto unused = to_thread([&] { ran = true; });
      (void)unused;
    }
    Task<int> task = create_task(to_thread([&] { return 3; }));
    EXPECT_EQ(get_running_loop().impl().default_executor, nullptr);
    int value = co_await task;
    EXPECT_EQ(value, 3);
    auto [a, b] = co_await gather(to_thread([] { return 1; }), to_thread([] { return 2; }));
    EXPECT_EQ(a + b, 3);
    EXPECT_FALSE(ran);
  }());
}

TEST(ToThread, A2_14_a_second_await_is_refused) {
  run([]() -> Coro<> {
    auto once = to_thread([] { return 1; });
    int value = co_await std::move(once);
    EXPECT_EQ(value, 1);
    auto again = co_await capture(std::move(once));
    EXPECT_TRUE(again.holds<RuntimeError>());
  }());
}

TEST(ToThread, A2_14_cancelling_requests_stop_and_ends_the_await_now) {
  Gate running;
  Gate stopped;
  run([&]() -> Coro<> {
    auto work = [&](std::stop_token stop, int value) {
      running.open();
      if (!eventually([&] { return stop.stop_requested(); })) return -1;
      stopped.open();
      return value;
    };
    auto body = [&]() -> Coro<> { co_await to_thread(work, 5); };
    Task<> task = create_task(body());
    co_await sleep(0s);
    running.wait();
    task.cancel("enough");
    auto end = co_await capture(task);
    EXPECT_TRUE(end.cancelled());
    stopped.wait();
  }());
}

TEST(ToThread, A2_14_a_timeout_requests_stop_too_and_an_undisturbed_call_gets_none) {
  Gate running;
  Gate stopped;
  run([&]() -> Coro<> {
    auto work = [&](std::stop_token stop) {
      std::stop_callback tell(stop, [&] { stopped.open(); });
      running.open();
      stopped.wait();
    };
    Task<> call = create_task(to_thread(work));
    co_await sleep(0s);
    running.wait();
    auto end = co_await capture(wait_for(call, 10ms));
    EXPECT_TRUE(end.holds<TimeoutError>());
    EXPECT_TRUE(stopped.is_open());
    bool asked = co_await to_thread([](std::stop_token stop) { return stop.stop_requested(); });
    EXPECT_FALSE(asked);
    // A function that can do without a token gets none.
    auto generic = [](auto... values) { return sizeof...(values); };
    std::size_t count = co_await to_thread(generic, 1, 2);
    EXPECT_EQ(count, 2u);
  }());
}

TEST(ToThread, A2_14_closing_the_loop_requests_stop) {
  auto running = std::make_shared<Gate>();
  auto stopped = std::make_shared<Gate>();
  {
    EventLoop loop = new_event_loop();
    loop.set_exception_handler([](EventLoop, const ExceptionContext&) {});
    auto work = [running, stopped](std::stop_token stop) {
      running->open();
      if (eventually([&] { return stop.stop_requested(); })) stopped->open();
    };
    auto body = [](std::function<void(std::stop_token)> job) -> Coro<> { co_await to_thread(job); };
    loop.create_task(body, work);
    loop.run_until_complete([](const Gate& begun) -> Coro<> {
      co_await sleep(0s);
      begun.wait();
    }(*running));
    loop.close();
  }
  stopped->wait();
}

TEST(RunInExecutor, A2_14_cancelling_the_future_requests_stop) {
  Gate running;
  Gate stopped;
  ThreadPoolExecutor pool(1);
  run([&]() -> Coro<> {
    EventLoop loop = get_running_loop();
    auto work = [&](std::stop_token stop, int value) {
      running.open();
      if (!eventually([&] { return stop.stop_requested(); })) return -1;
      stopped.open();
      return value;
    };
    Future<int> call = loop.run_in_executor(pool, work, 5);
    running.wait();
    call.cancel();
    auto end = co_await capture(call);
    EXPECT_TRUE(end.cancelled());
    co_await sleep(0s);  // as in Python, a done callback tells the executor
    stopped.wait();
    auto asked = [](std::stop_token stop) { return stop.stop_requested(); };
    bool of_pool = co_await loop.run_in_executor(pool, asked);
    bool of_default = co_await loop.run_in_executor(nullptr, asked);
    EXPECT_FALSE(of_pool || of_default);
  }());
}

TEST(ToThread, A2_14_captures_and_results_leak_nowhere) {
  Shared::alive = 0;
  run([]() -> Coro<> {
    auto work = [shared = Shared()](const Shared&) { return Shared(); };
    for (int i = 0; i < 100; ++i) {
      Shared result = co_await to_thread(work, Shared());
    }
    // Cancelled at any point of their way.
    for (int i = 0; i < 100; ++i) {
      auto body = [&]() -> Coro<> { Shared result = co_await to_thread(work, Shared()); };
      Task<> task = create_task(body());
      for (int turns = 0; turns < i % 5; ++turns) co_await sleep(0s);
      task.cancel();
      (void)co_await capture(task);
    }
  }());
  EXPECT_TRUE(eventually([] { return Shared::alive == 0; }));
}

TEST(WrapFuture, A10_a_std_future_is_waited_for_in_a_thread) {
  run([]() -> Coro<> {
    std::promise<int> promise;
    Future<int> wrapped = wrap_future(promise.get_future());
    promise.set_value(6);
    int value = co_await wrapped;
    EXPECT_EQ(value, 6);
    std::promise<void> broken;
    Future<void> failing = wrap_future(broken.get_future());
    broken.set_exception(std::make_exception_ptr(ValueError("promise")));
    auto failure = co_await capture(failing);
    EXPECT_TRUE(failure.holds<ValueError>());
  }());
}

}  // namespace

// SPDX-License-Identifier: BSL-1.0
// The default executor of a loop: how it is replaced and how it ends.
#include "asyncio/asyncio.hpp"
#include "captures.hpp"
#include "gate.hpp"
#include "no_threads.hpp"
#include "virtual_loop.hpp"

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>
#include <utility>

using namespace asyncio;
using namespace std::chrono_literals;
using test::eventually;
using test::Gate;
using test::NoThreads;
using test::thrown;

namespace {

TEST(DefaultExecutor, A9_12_can_be_replaced_without_waiting_for_the_old_one) {
  Gate gate;
  run([&]() -> Coro<> {
    EventLoop loop = get_running_loop();
    Future<> old = loop.run_in_executor(nullptr, [&] { gate.wait(); });
    loop.set_default_executor(std::make_shared<ThreadPoolExecutor>(1, "second"));
    int value = co_await loop.run_in_executor(nullptr, [] { return 9; });
    EXPECT_EQ(value, 9);
    EXPECT_FALSE(old.done());
    EXPECT_EQ(thrown([&] { loop.set_default_executor(nullptr); }),
              "asyncio::TypeError: set_default_executor: the executor is null");
    gate.open();
    co_await old;
  }());
}

TEST(DefaultExecutor, S4_waits_for_the_jobs_and_refuses_more) {
  run([]() -> Coro<> {
    EventLoop loop = get_running_loop();
    Gate gate;
    bool ended = false;
    Future<> job = loop.run_in_executor(nullptr, [&] {
      gate.wait();
      ended = true;
    });
    loop.call_soon([&] { gate.open(); });
    co_await loop.shutdown_default_executor();
    EXPECT_TRUE(ended);
    EXPECT_EQ(thrown([&] { loop.run_in_executor(nullptr, [] {}); }),
              "asyncio::RuntimeError: Executor shutdown has been called");
    auto refused = co_await capture(to_thread([] {}));
    EXPECT_TRUE(refused.holds<RuntimeError>());
    co_await loop.shutdown_default_executor();  // a second time
    co_await job;
  }());
}

TEST(DefaultExecutor, S4_without_an_executor_there_is_nothing_to_wait_for) {
  run([]() -> Coro<> {
    co_await get_running_loop().shutdown_default_executor();
    EXPECT_THROW(get_running_loop().run_in_executor(nullptr, [] {}), RuntimeError);
  }());
}

TEST(DefaultExecutor, S4_fault195_a_stuck_job_is_left_behind_with_a_warning) {
  auto gate = std::make_shared<Gate>();
  auto ended = std::make_shared<Gate>();
  test::LogCapture log;
  run([&]() -> Coro<> {
    EventLoop loop = get_running_loop();
    auto running = std::make_shared<Gate>();
    auto stuck = [gate, ended, running] {
      running->open();
      gate->wait();
      ended->open();
    };
    loop.run_in_executor(nullptr, stuck);
    running->wait();
    co_await loop.shutdown_default_executor(50ms);
  }());
  EXPECT_EQ(log.count("The executor did not finishing joining its threads within 0.05 seconds. "
                      "Still at work: asyncio_0."),
            1)
      << log.all();
  EXPECT_FALSE(ended->is_open());
  gate->open();
  ended->wait();
}

TEST(DefaultExecutor, S4_fault195_run_gives_up_after_five_minutes_and_names_the_thread) {
  auto gate = std::make_shared<Gate>();
  auto ended = std::make_shared<Gate>();
  test::LogCapture log;
  EventLoop loop = test::run_virtual([&]() -> Coro<EventLoop> {
    auto stuck = [gate, ended] {
      gate->wait();
      ended->open();
    };
    get_running_loop().run_in_executor(nullptr, stuck);
    EXPECT_TRUE(eventually(
        [] { return !get_running_loop().impl().default_executor->busy_threads().empty(); }));
    co_return get_running_loop();
  });
  EXPECT_EQ(loop.time().time_since_epoch(), 1h + 300s);
  EXPECT_EQ(log.count("The executor did not finishing joining its threads within 300 seconds. "
                      "Still at work: asyncio_0."),
            1)
      << log.all();
  EXPECT_FALSE(ended->is_open());
  gate->open();
  ended->wait();
}

TEST(DefaultExecutor, fault44_without_threads_calls_and_shutdown_say_so_and_work_later) {
  run([]() -> Coro<> {
    EventLoop loop = get_running_loop();
    {
      NoThreads none;
      const char* expected =
          "asyncio::BlockingIOError: start thread asyncio_0: Resource temporarily unavailable";
      EXPECT_EQ(thrown([&] { loop.run_in_executor(nullptr, [] {}); }), expected);
      Result<> refused = co_await capture(to_thread([] {}));
      EXPECT_EQ(thrown([&] { refused.value(); }), expected);
    }
    co_await to_thread([] {});
    {
      NoThreads none;
      Result<> refused = co_await capture(loop.shutdown_default_executor());
      EXPECT_EQ(thrown([&] { refused.value(); }),
                "asyncio::BlockingIOError: start a thread to join the default executor: Resource "
                "temporarily unavailable");
    }
    co_await loop.shutdown_default_executor();
  }());
}

TEST(DefaultExecutor, S4_may_be_cancelled_or_dropped_while_it_waits) {
  auto gate = std::make_shared<Gate>();
  auto stuck = [gate] { gate->wait(); };
  EventLoop loop = new_event_loop();
  auto main = [](EventLoop home, std::function<void()> job) -> Coro<> {
    home.run_in_executor(nullptr, job);
    Task<> task = create_task(home.shutdown_default_executor());
    co_await sleep(0s);
    task.cancel();
    auto end = co_await capture(task);
    EXPECT_TRUE(end.cancelled());
    // This one is suspended when the loop closes.
    create_task(home.shutdown_default_executor());
    co_await sleep(0s);
  };
  loop.set_exception_handler([](EventLoop, const ExceptionContext&) {});
  loop.run_until_complete(main(loop, stuck));
  loop.close();
  gate->open();
}

}  // namespace

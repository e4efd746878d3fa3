// SPDX-License-Identifier: BSL-1.0
// Coroutines that another thread gives to a loop.
#include "asyncio/asyncio.hpp"
#include "captures.hpp"
#include "gate.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <utility>

using namespace asyncio;
using namespace std::chrono_literals;
using test::Gate;
using test::kPatience;
using test::thrown;

namespace {

ContextVar<std::string>& variable() {
  static ContextVar<std::string> instance("variable", "unset");
  return instance;
}

/// Calls `function(loop)` in a thread while a loop runs `main`, if that is given.
template <class F>
void in_thread(F function) {
  run([](F call) -> Coro<> {
    EventLoop loop = get_running_loop();
    co_await to_thread([&] { call(loop); });
  }(std::move(function)));
}

Coro<int> add(int a, int b) {
  co_await sleep(0s);
  co_return a + b;
}

TEST(RunCoroutineThreadsafe, A2_15_brings_result_exception_and_move_only_values) {
  in_thread([](EventLoop loop) {
    EXPECT_EQ(run_coroutine_threadsafe(add(1, 2), loop).result(kPatience), 3);
    auto fail = []() -> Coro<> {
      co_await sleep(0s);
      throw ValueError("in the loop");
    };
    auto failing = run_coroutine_threadsafe(fail(), loop);
    EXPECT_EQ(thrown([&] { failing.result(kPatience); }), "asyncio::ValueError: in the loop");
    auto make = []() -> Coro<std::unique_ptr<int>> { co_return std::make_unique<int>(4); };
    EXPECT_EQ(*run_coroutine_threadsafe(make(), loop).result(kPatience), 4);
    auto name = []() -> Coro<std::string> { co_return current_task()->get_name(); };
    EXPECT_EQ(run_coroutine_threadsafe(name(), loop).result(kPatience).rfind("Task-", 0), 0u);
  });
}

TEST(RunCoroutineThreadsafe, fault210_of_a_function_the_task_keeps_a_copy) {
  in_thread([](EventLoop loop) {
    auto start = [&loop](std::string name) {
      auto greet = [name]() -> Coro<std::string> {
        co_await sleep(0s);
        co_return "hello " + name;
      };
      return run_coroutine_threadsafe(greet, loop);
    };
    auto greeting = start("a name that is too long for the string object");
    EXPECT_EQ(greeting.result(kPatience), "hello a name that is too long for the string object");
    std::atomic<bool> ran = false;
    run_coroutine_threadsafe([&ran]() -> Coro<> { co_return ran.store(true); }, loop)
        .result(kPatience);
    EXPECT_TRUE(ran);
  });
}

TEST(RunCoroutineThreadsafe, D2_fault210_a_called_lambda_is_reported_a_reference_is_not) {
  test::LogCapture log;
  auto main = []() -> Coro<> {
    EventLoop loop = get_running_loop();
    co_await to_thread([&loop] {
      auto value = std::make_shared<int>(1);
      auto lambda = [value]() -> Coro<int> { co_return *value; };
      EXPECT_EQ(run_coroutine_threadsafe(lambda, loop).result(kPatience), 1);
      auto size_of = [](const std::string& name) -> Coro<std::size_t> { co_return name.size(); };
      std::string name = "local";
      EXPECT_EQ(run_coroutine_threadsafe(size_of(name), loop).result(kPatience), 5u);
      EXPECT_EQ(run_coroutine_threadsafe(lambda(), loop).result(kPatience), 1);
    });
  };
  run(main(), RunOptions().debug(true));
  EXPECT_EQ(log.count("task created from coroutine with capturing lambda at ",
                      "run_coroutine_threadsafe.cpp:"),
            1)
      << log.all();
  EXPECT_EQ(log.count("task created from"), 1) << log.all();
}

TEST(RunCoroutineThreadsafe, A2_15_cancelling_the_future_cancels_the_task) {
  in_thread([](EventLoop loop) {
    Gate started;
    Gate ended;
    auto hang = [](Gate& begin, Gate& end) -> Coro<> {
      begin.open();
      auto outcome = co_await capture(Event().wait());
      if (outcome.cancelled()) end.open();
      outcome.value();
    };
    ConcurrentFuture<> future = run_coroutine_threadsafe(hang(started, ended), loop);
    started.wait();
    EXPECT_TRUE(future.cancel());
    EXPECT_TRUE(future.cancelled());
    ended.wait();
  });
}

TEST(RunCoroutineThreadsafe, A2_15_a_task_that_is_cancelled_in_the_loop_cancels_the_future) {
  in_thread([](EventLoop loop) {
    auto cancels_itself = []() -> Coro<int> {
      current_task()->cancel();
      co_await sleep(0s);
      co_return 1;
    };
    auto future = run_coroutine_threadsafe(cancels_itself(), loop);
    EXPECT_EQ(thrown([&] { future.result(kPatience); }), "asyncio::CancelledError");
    EXPECT_TRUE(future.cancelled());
  });
}

TEST(RunCoroutineThreadsafe, A2_15_the_task_begins_in_the_context_of_the_thread) {
  in_thread([](EventLoop loop) {
    variable().set("of the thread");
    auto read = []() -> Coro<std::string> { co_return variable().get(); };
    EXPECT_EQ(run_coroutine_threadsafe(read(), loop).result(kPatience), "of the thread");
  });
}

TEST(RunCoroutineThreadsafe, R11_on_a_closed_loop_it_throws_and_reports_the_coroutine) {
  test::LogCapture log;
  EventLoop loop = new_event_loop();
  loop.close();
  EXPECT_EQ(thrown([&] { run_coroutine_threadsafe(add(1, 2), loop); }),
            "asyncio::RuntimeError: Event loop is closed");
  EXPECT_EQ(log.count("coroutine 'add'", "was never awaited"), 1) << log.all();
}

TEST(RunCoroutineThreadsafe, R11_R7_a_loop_that_closes_first_gives_an_error_instead_of_a_hang) {
  test::LogCapture log;
  EventLoop loop = new_event_loop();
  loop.set_exception_handler([](EventLoop, const ExceptionContext&) {});
  auto hang = []() -> Coro<int> {
    co_await Event().wait();
    co_return 1;
  };
  auto started = run_coroutine_threadsafe(hang(), loop);
  loop.run_until_complete([]() -> Coro<> {
    co_await sleep(0s);
    co_await sleep(0s);
  }());
  auto waiting = run_coroutine_threadsafe(add(1, 2), loop);
  loop.close();
  for (auto& future : {started, waiting})
    EXPECT_EQ(thrown([&] { future.result(kPatience); }),
              "asyncio::RuntimeError: Event loop is closed");
  EXPECT_EQ(log.count("coroutine 'add'", "was never awaited"), 1) << log.all();
}

TEST(RunCoroutineThreadsafe, A2_15_a_task_factory_that_throws_gives_its_error_to_both_sides) {
  EventLoop loop = new_event_loop();
  test::ReportCapture reports(loop);
  loop.set_task_factory([](EventLoop, TaskOptions&) { throw ValueError("no more tasks"); });
  auto future = run_coroutine_threadsafe(add(1, 2), loop);
  loop.call_later(0s, [&] { loop.stop(); });
  loop.run_forever();
  loop.close();
  EXPECT_EQ(thrown([&] { future.result(kPatience); }), "asyncio::ValueError: no more tasks");
  ASSERT_EQ(reports.reports.size(), 1u);
  EXPECT_EQ(reports.reports[0], "Exception in callback: asyncio::ValueError: no more tasks");
}

TEST(RunCoroutineThreadsafe, A2_15_a_thread_may_cancel_at_any_moment) {
  std::atomic<int> ended{0};
  constexpr int kRounds = 300;
  run([&]() -> Coro<> {
    EventLoop loop = get_running_loop();
    co_await to_thread([&] {
      auto body = [](std::atomic<int>& count, int turns) -> Coro<int> {
        for (int i = 0; i < turns; ++i) co_await sleep(0s);
        ++count;
        co_return turns;
      };
      int finished = 0;
      int cancelled = 0;
      for (int i = 0; i < kRounds; ++i) {
        auto future = run_coroutine_threadsafe(body(ended, i % 4), loop);
        for (int spin = 0; spin < i % 64; ++spin) std::this_thread::yield();
        if (future.cancel())
          ++cancelled;
        else if (future.result() == i % 4)
          ++finished;
      }
      EXPECT_EQ(finished + cancelled, kRounds);
    });
  }());
}

}  // namespace

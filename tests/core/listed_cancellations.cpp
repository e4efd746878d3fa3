// SPDX-License-Identifier: BSL-1.0
/// What CPython's tests of cancelled tasks look at and our other tests do not:
/// docs/internals/cpython-wait-and-task-tests.md
#include "asyncio/asyncio.hpp"
#include "captures.hpp"
#include "listed.hpp"
#include "virtual_loop.hpp"

#include <gtest/gtest.h>

#include <exception>
#include <functional>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

using namespace listed;
using test::run_virtual;
using test::thrown;

namespace {

Coro<int> value_when(Future<> future, int value) {
  co_await future;
  co_return value;
}

TimePoint now() { return get_running_loop().time(); }

// Requests ---------------------------------------------------------------------------------------

TEST(ListedTasks, A2_18_D4_requests_before_the_first_step_are_counted) {
  run_virtual([]() -> Coro<> {
    Task<> task = create_task(sleep(10s));
    EXPECT_EQ(task.cancelling(), 0);
    EXPECT_TRUE(task.cancel());
    EXPECT_EQ(task.cancelling(), 1);
    EXPECT_TRUE(task.cancel());
    EXPECT_EQ(task.cancelling(), 2);
    auto outcome = co_await capture(task);
    EXPECT_TRUE(outcome.cancelled());
  });
}

TEST(ListedTasks, A2_18_D4_message_of_a_request_before_the_first_step) {
  run_virtual([]() -> Coro<> {
    Task<> task = create_task(sleep(10s));
    task.cancel("my message");
    co_await wait(task);
    EXPECT_EQ(thrown([&] { (void)task.exception(); }), "asyncio::CancelledError: my message");
    EXPECT_EQ(thrown([&] { task.result(); }), "asyncio::CancelledError: my message");
  });
}

TEST(ListedTasks, A2_18_D4_uncancel_between_two_requests_and_after_the_end) {
  run_virtual([]() -> Coro<> {
    auto body = []() -> Coro<> {
      auto first = co_await capture(sleep(10s));
      EXPECT_TRUE(first.cancelled());
      current_task()->uncancel();
      co_await sleep(10s);
    };
    Task<> task = create_task(body);
    co_await sleep(10ms);
    EXPECT_TRUE(task.cancel());
    EXPECT_EQ(task.cancelling(), 1);
    EXPECT_FALSE(task.cancelled());
    co_await sleep(10ms);
    EXPECT_EQ(task.cancelling(), 0);
    EXPECT_FALSE(task.cancelled());
    EXPECT_TRUE(task.cancel());
    EXPECT_EQ(task.cancelling(), 1);
    EXPECT_FALSE(task.cancelled());
    auto outcome = co_await capture(task);
    EXPECT_TRUE(outcome.cancelled());
    EXPECT_TRUE(task.cancelled());
    EXPECT_TRUE(task.done());
    task.uncancel();
    EXPECT_TRUE(task.cancelled());
    EXPECT_TRUE(task.done());
  });
}

struct Request {
  bool timed_out = false;
  bool block_finished = false;
  bool outer_code_reached = false;
};

/// A time limit made by hand of `cancel` and `uncancel`, by the rules of asyncio.timeout.
Coro<> request_with_limit(Delay work, Delay limit, Request& seen) {
  TaskHandle task = *current_task();
  auto on_timeout = [task, &seen]() mutable {
    seen.timed_out = true;
    task.cancel();
  };
  TimerHandle expiry = get_running_loop().call_later(limit, on_timeout);
  try {
    Result<> block = co_await capture(sleep(work));
    seen.block_finished = block.has_value();
    expiry.cancel();
    if (seen.timed_out && task.uncancel() == 0 && block.cancelled()) throw TimeoutError("request");
    block.value();
  } catch (const TimeoutError&) {
    EXPECT_TRUE(seen.timed_out);
  }
  seen.outer_code_reached = true;
  co_await sleep(0s);
}

TEST(ListedTasks, A2_18_D4_uncancel_makes_a_structured_block) {
  run_virtual([]() -> Coro<> {
    Request late;
    Task<> first = create_task(request_with_limit, 10s, 100ms, std::ref(late));
    co_await first;
    EXPECT_TRUE(late.timed_out);
    EXPECT_FALSE(late.block_finished);
    EXPECT_TRUE(late.outer_code_reached);
    EXPECT_EQ(first.cancelling(), 0);
    Request timely;
    Task<> second = create_task(request_with_limit, 0s, 10s, std::ref(timely));
    co_await second;
    EXPECT_FALSE(timely.timed_out);
    EXPECT_TRUE(timely.block_finished);
    EXPECT_TRUE(timely.outer_code_reached);
    EXPECT_EQ(second.cancelling(), 0);
  });
}

TEST(ListedTasks, A2_18_D4_uncancel_of_a_task_that_is_about_to_resume) {
  run_virtual([]() -> Coro<> {
    auto future = get_running_loop().create_future();
    Task<int> task = create_task(value_when(future, 42));
    co_await settle();
    future.set_result();
    task.cancel();
    EXPECT_EQ(task.cancelling(), 1);
    EXPECT_EQ(task.uncancel(), 0);
    EXPECT_EQ(task.cancelling(), 0);
    int value = co_await task;
    EXPECT_EQ(value, 42);
  });
}

TEST(ListedTasks, A2_18_D4_an_error_thrown_because_of_a_cancellation_has_it_within) {
  run_virtual([]() -> Coro<> {
    auto body = []() -> Coro<> {
      Task<> inner = create_task(sleep(10s));
      get_running_loop().call_later(1ms, [inner]() mutable { inner.cancel("msg"); });
      try {
        co_await inner;
      } catch (const CancelledError&) {
        std::throw_with_nested(std::runtime_error("cancelled"));
      }
    };
    Task<> task = create_task(body);
    co_await wait(task);
    EXPECT_FALSE(task.cancelled());
    std::string text;
    std::string within;
    try {
      task.result();
    } catch (const std::runtime_error& error) {
      text = error.what();
      within = thrown([&] { std::rethrow_if_nested(error); });
    }
    EXPECT_EQ(text, "cancelled");
    EXPECT_EQ(within, "asyncio::CancelledError: msg");
  });
}

Coro<> nested() { co_await sleep(10s); }
Coro<> cancels_nested() {
  Task<> task = create_task(nested());
  co_await settle();
  task.cancel();
  co_await task;
}

TEST(ListedTasks, A2_18_D4_traceback_of_a_cancellation) {
  ::testing::internal::CaptureStderr();
  EXPECT_EQ(run_main(cancels_nested(), test::virtual_options()), 1);
  std::string text = ::testing::internal::GetCapturedStderr();
  std::size_t outer = text.find(", in cancels_nested\n");
  std::size_t inner = text.find(", in nested\n");
  EXPECT_NE(outer, std::string::npos) << text;
  EXPECT_NE(inner, std::string::npos) << text;
  EXPECT_LT(outer, inner) << text;
  EXPECT_NE(text.find("CancelledError", inner), std::string::npos) << text;
}

// What the task waits for ------------------------------------------------------------------------

TEST(ListedTasks, A2_18_D4_cancelled_at_a_yield) {
  run_virtual([]() -> Coro<> {
    auto body = []() -> Coro<int> {
      co_await sleep(0s);
      co_await sleep(0s);
      co_return 12;
    };
    Task<int> task = create_task(body);
    co_await sleep(0s);
    task.cancel();
    auto outcome = co_await capture(task);
    EXPECT_TRUE(outcome.cancelled());
    EXPECT_TRUE(task.done());
    EXPECT_TRUE(task.cancelled());
    EXPECT_FALSE(task.cancel());
  });
}

TEST(ListedTasks, A2_18_D4_the_future_that_it_waits_for_or_the_task_or_both_are_cancelled) {
  run_virtual([]() -> Coro<> {
    for (int which = 1; which <= 3; ++which) {
      auto future = get_running_loop().create_future();
      Task<int> task = create_task(value_when(future, 12));
      co_await settle();
      if (which & 1) future.cancel();
      if (which & 2) task.cancel();
      auto outcome = co_await capture(task);
      EXPECT_TRUE(outcome.cancelled());
      EXPECT_TRUE(task.done());
      EXPECT_TRUE(future.cancelled());
      EXPECT_TRUE(task.cancelled());
      EXPECT_EQ(task.cancelling(), which / 2);
    }
  });
}

TEST(ListedTasks, A2_18_D4_a_task_that_catches_the_cancellation_of_its_second_wait) {
  run_virtual([]() -> Coro<> {
    auto first = get_running_loop().create_future();
    auto second = get_running_loop().create_future();
    auto body = [&]() -> Coro<int> {
      co_await first;
      try {
        co_await second;
      } catch (const CancelledError&) {
        co_return 42;
      }
      co_return 0;
    };
    Task<int> task = create_task(body);
    co_await settle();
    first.set_result();
    co_await settle();
    task.cancel();
    EXPECT_TRUE(second.cancelled());
    int value = co_await task;
    EXPECT_EQ(value, 42);
    EXPECT_FALSE(task.cancelled());
  });
}

TEST(ListedTasks, A2_18_D4_a_task_that_ignores_the_cancellation_goes_on_to_its_third_wait) {
  run_virtual([]() -> Coro<> {
    auto first = get_running_loop().create_future();
    auto second = get_running_loop().create_future();
    auto third = get_running_loop().create_future<int>();
    auto body = [&]() -> Coro<int> {
      co_await first;
      (void)co_await capture(second);
      int value = co_await third;
      co_return value;
    };
    Task<int> task = create_task(body);
    co_await settle();
    first.set_result();
    co_await settle();
    task.cancel();
    EXPECT_TRUE(second.cancelled());
    co_await settle();
    third.set_result(42);
    int value = co_await task;
    EXPECT_EQ(value, 42);
    EXPECT_FALSE(third.cancelled());
    EXPECT_FALSE(task.cancelled());
  });
}

TEST(ListedTasks, A2_18_D4_a_request_to_oneself_cancels_the_task_that_is_awaited_next) {
  run_virtual([]() -> Coro<> {
    auto future = get_running_loop().create_future();
    auto nested = [&]() -> Coro<> { co_await future; };
    std::optional<Task<>> nested_task;
    auto body = [&]() -> Coro<> {
      nested_task = create_task(nested);
      co_await settle();
      current_task()->cancel();
      co_await *nested_task;
    };
    Task<> task = create_task(body);
    auto outcome = co_await capture(task);
    EXPECT_TRUE(outcome.cancelled());
    EXPECT_TRUE(task.cancelled());
    EXPECT_TRUE(nested_task->cancelled());
    EXPECT_TRUE(future.cancelled());
  });
}

TEST(ListedTasks, A2_18_D4_a_timer_cancels_a_task_that_sleeps) {
  run_virtual([]() -> Coro<> {
    TimePoint begin = now();
    auto sleeps = [](Delay delay) -> Coro<> { co_await sleep(delay); };
    auto body = [&]() -> Coro<std::string> {
      Task<> sleeper = create_task(sleeps, 5000s);
      get_running_loop().call_later(100ms, [sleeper]() mutable { sleeper.cancel(); });
      try {
        co_await sleeper;
      } catch (const CancelledError&) {
        co_return "cancelled";
      }
      co_return "slept in";
    };
    std::string text = co_await body();
    EXPECT_EQ(text, "cancelled");
    EXPECT_EQ(now() - begin, 100ms);
  });
}

TEST(ListedTasks, A2_18_D4_a_request_passes_through_a_coroutine_to_its_future) {
  run_virtual([]() -> Coro<> {
    int proof = 0;
    auto waiter = get_running_loop().create_future();
    auto inner = [&]() -> Coro<> {
      try {
        co_await waiter;
        ADD_FAILURE() << "got past the wait";
      } catch (const CancelledError&) {
        proof += 1;
        throw;
      }
    };
    auto outer = [&]() -> Coro<> {
      try {
        co_await inner();
        proof += 10;
      } catch (const CancelledError&) {
        proof += 100;
      }
    };
    Task<> task = create_task(outer);
    co_await settle();
    task.cancel();
    co_await task;
    EXPECT_EQ(proof, 101);
    EXPECT_TRUE(waiter.cancelled());
  });
}

TEST(ListedTasks, A2_18_D4_an_interrupt_thrown_at_a_cancellation_leaves_the_loop) {
  EventLoop loop = test::new_virtual_loop();
  auto body = []() -> Coro<> {
    try {
      co_await sleep(10s);
    } catch (const CancelledError&) {
      throw KeyboardInterrupt("base");
    }
  };
  Task<> task = loop.create_task(body);
  loop.run_until_complete(settle());
  task.cancel();
  EXPECT_FALSE(task.done());
  EXPECT_EQ(thrown([&] { loop.run_until_complete(task); }), "asyncio::KeyboardInterrupt: base");
  EXPECT_TRUE(task.done());
  EXPECT_FALSE(task.cancelled());
  EXPECT_EQ(describe_exception(task.exception()), "asyncio::KeyboardInterrupt: base");
  loop.close();
}

TEST(ListedTasks, A2_18_D4_cancelled_after_its_loop_was_stopped) {
  EventLoop loop = test::new_virtual_loop();
  TimePoint begin = loop.time();
  int turns = 0;
  auto body = [&]() -> Coro<> {
    while (turns < 10) {
      co_await sleep(100ms);
      turns += 1;
      if (turns == 2) get_running_loop().stop();
    }
  };
  Task<> task = loop.create_task(body);
  EXPECT_EQ(thrown([&] { loop.run_until_complete(task); }),
            "asyncio::RuntimeError: Event loop stopped before Future completed.");
  EXPECT_FALSE(task.done());
  EXPECT_EQ(turns, 2);
  EXPECT_EQ(loop.time() - begin, 200ms);
  task.cancel();
  EXPECT_EQ(thrown([&] { loop.run_until_complete(task); }), "asyncio::CancelledError");
  loop.close();
}

TEST(ListedTasks, A2_18_D4_cancel_of_a_task_that_has_failed_does_not_hide_its_error) {
  run_virtual([]() -> Coro<> {
    test::ReportCapture reports(get_running_loop());
    {
      auto fails = []() -> Coro<> {
        throw TypeError("failed");
        co_return;
      };
      Task<> task = create_task(fails);
      co_await sleep(50ms);
      EXPECT_FALSE(task.cancel());
    }
    co_await settle();
    // CPython takes the cancel for a look at the error; here no exception is lost (D3).
    EXPECT_EQ(reports.reports,
              std::vector<std::string>(
                  1, "Task exception was never retrieved: asyncio::TypeError: failed"));
    get_running_loop().set_exception_handler({});
  });
}

}  // namespace

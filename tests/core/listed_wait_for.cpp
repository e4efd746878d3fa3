// SPDX-License-Identifier: BSL-1.0
/// What CPython's tests of wait_for look at and our other tests do not:
/// docs/internals/cpython-wait-and-task-tests.md
#include "asyncio/asyncio.hpp"
#include "captures.hpp"
#include "listed.hpp"
#include "virtual_loop.hpp"

#include <gtest/gtest.h>

#include <exception>
#include <optional>
#include <string>

using namespace listed;
using test::run_virtual;

namespace {

TimePoint now() { return get_running_loop().time(); }

std::string cause_of(const std::exception_ptr& exception) {
  try {
    if (exception) std::rethrow_exception(exception);
  } catch (const TimeoutError& error) {
    return error.cause() ? describe_exception(error.cause()) : "none";
  } catch (...) {  // Described: that is what the test asks for.
    return "no timeout: " + describe_exception(std::current_exception());
  }
  return "no error";
}

/// Goes on until `end`, whatever is asked of it.
Coro<> ignores_requests(TimePoint end, bool& exited) {
  while (now() < end) (void)co_await capture(sleep_until(end));
  exited = true;
}

TEST(ListedWaitFor, A2_18_D4_cancelled_it_waits_for_a_body_that_ignores_that) {
  run_virtual([]() -> Coro<> {
    TimePoint end = now() + 200ms;
    bool exited = false;
    auto body = [&]() -> Coro<> { co_await wait_for(ignores_requests(end, exited), 400ms); };
    Task<> task = create_task(body);
    co_await settle();
    task.cancel();
    co_await wait(task);
    EXPECT_TRUE(exited);
    EXPECT_EQ(now(), end);
    EXPECT_FALSE(task.cancelled());
    EXPECT_EQ(task.cancelling(), 1);
  });
}

TEST(ListedWaitFor, A2_18_D4_after_its_time_it_waits_for_a_body_that_ignores_that) {
  run_virtual([]() -> Coro<> {
    TimePoint end = now() + 200ms;
    bool exited = false;
    co_await wait_for(ignores_requests(end, exited), 100ms);
    EXPECT_TRUE(exited);
    EXPECT_EQ(now(), end);
    EXPECT_EQ(current_task()->cancelling(), 0);
  });
}

TEST(ListedWaitFor, A2_18_D4_no_time_at_all_ends_a_task_that_runs) {
  run_virtual([]() -> Coro<> {
    for (int limit = 0; limit >= -1; --limit) {
      bool running = false;
      auto started = get_running_loop().create_future();
      auto body = [&]() -> Coro<std::string> {
        running = true;
        started.set_result();
        try {
          co_await sleep(10s);
        } catch (const CancelledError&) {
          running = false;
          throw;
        }
        co_return "done";
      };
      Task<std::string> task = create_task(body);
      co_await started;
      auto outcome = co_await capture(wait_for(task, std::chrono::seconds(limit)));
      EXPECT_TRUE(outcome.holds<TimeoutError>());
      EXPECT_TRUE(task.cancelled());
      EXPECT_FALSE(running);
    }
  });
}

TEST(ListedWaitFor, A2_18_D4_a_future_that_is_set_while_it_waits) {
  run_virtual([]() -> Coro<> {
    auto future = get_running_loop().create_future<std::string>();
    TimePoint begin = now();
    get_running_loop().call_soon([future]() mutable { future.set_result("ok"); });
    std::string text = co_await wait_for(future, 200ms);
    EXPECT_EQ(text, "ok");
    EXPECT_EQ(now(), begin);
  });
}

TEST(ListedWaitFor, A2_18_D4_the_cancellation_of_a_task_is_the_cause_of_the_timeout) {
  run_virtual([]() -> Coro<> {
    for (bool at_once : {false, true}) {
      bool ended = false;
      auto inner = [&]() -> Coro<> {
        auto slept = co_await capture(sleep(10s));
        co_await sleep(100us);
        ended = true;
        slept.value();
      };
      Task<> task = create_task(inner);
      co_await settle();
      auto outcome = co_await capture(wait_for(task, at_once ? Delay(0s) : Delay(100us)));
      EXPECT_TRUE(ended);
      EXPECT_EQ(cause_of(outcome.exception()), "asyncio::CancelledError");
    }
  });
}

TEST(ListedWaitFor, A2_18_D4_an_error_of_a_cancelled_task_comes_out_in_place_of_the_timeout) {
  run_virtual([]() -> Coro<> {
    auto inner = []() -> Coro<> {
      (void)co_await capture(sleep(200ms));
      throw ValueError("in the clean-up");
    };
    Task<> task = create_task(inner);
    auto outcome = co_await capture(wait_for(task, 100us));
    EXPECT_EQ(describe_exception(outcome.exception()), "asyncio::ValueError: in the clean-up");
  });
}

TEST(ListedWaitFor, A2_18_D4_cancelled_it_cancels_its_task_with_a_limit_and_without) {
  run_virtual([]() -> Coro<> {
    for (bool limited : {false, true}) {
      auto blocks = []() -> Coro<> {
        auto never = get_running_loop().create_future();
        co_await never;
      };
      Task<> task = create_task(blocks);
      std::optional<Delay> limit;
      if (limited) limit = Delay(60s);
      Task<> waiting = create_task(wait_for(task, limit));
      get_running_loop().call_later(1ms, [waiting]() mutable { waiting.cancel(); });
      auto outcome = co_await capture(waiting);
      EXPECT_TRUE(outcome.cancelled());
      EXPECT_TRUE(task.cancelled());
    }
  });
}

TEST(ListedWaitFor, A2_18_D4_a_request_after_or_in_the_tick_in_which_the_task_ends_is_not_lost) {
  run_virtual([]() -> Coro<> {
    for (bool in_the_tick : {false, true}) {
      auto gate = get_running_loop().create_future();
      auto inner = [&]() -> Coro<std::string> {
        co_await gate;
        co_return "done";
      };
      Task<std::string> task = create_task(inner);
      std::optional<Task<>> waiting;
      // Before wait_for hears of it.
      if (in_the_tick) task.add_done_callback([&] { EXPECT_TRUE(waiting->cancel()); });
      bool reached_end = false;
      auto body = [&]() -> Coro<> {
        co_await wait_for(task, 100s);
        co_await sleep(1s);
        reached_end = true;
      };
      waiting = create_task(body);
      co_await settle();
      EXPECT_FALSE(waiting->done());
      gate.set_result();
      co_await settle();
      if (!in_the_tick) waiting->cancel();
      auto outcome = co_await capture(*waiting);
      EXPECT_TRUE(outcome.cancelled());
      EXPECT_TRUE(task.done());
      std::string text = co_await task;
      EXPECT_EQ(text, "done");
      EXPECT_FALSE(reached_end);
    }
  });
}

Coro<std::string> done_after(Delay delay) {
  co_await sleep(delay);
  co_return "done";
}

TEST(ListedWaitFor, A2_18_D4_no_time_at_all_for_a_shield_leaves_its_task_alone) {
  run_virtual([]() -> Coro<> {
    Task<std::string> task = create_task(done_after, 10ms);
    Future<std::string> shielded = shield(task);
    auto outcome = co_await capture(wait_for(shielded, 0s));
    EXPECT_TRUE(outcome.holds<TimeoutError>());
    EXPECT_FALSE(task.done());
    EXPECT_FALSE(task.cancelled());
    EXPECT_TRUE(shielded.cancelled());
    co_await sleep(100ms);
    EXPECT_EQ(task.result(), "done");
  });
}

TEST(ListedWaitFor, A2_18_D4_no_limit_for_a_shield) {
  run_virtual([]() -> Coro<> {
    Task<std::string> task = create_task(done_after, 100ms);
    co_await wait_for(shield(task), std::nullopt);
    EXPECT_TRUE(task.done());
    std::string text = co_await task;
    EXPECT_EQ(text, "done");
  });
}

}  // namespace

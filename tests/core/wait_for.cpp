// SPDX-License-Identifier: BSL-1.0
#include "asyncio/capture.hpp"
#include "asyncio/gather.hpp"
#include "asyncio/sleep.hpp"
#include "asyncio/task.hpp"
#include "asyncio/timeout.hpp"
#include "captures.hpp"
#include "virtual_loop.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <string>

using namespace asyncio;
using namespace std::chrono_literals;
using test::run_virtual;

namespace {

std::size_t armed_timers() { return get_running_loop().impl().armed_timers(); }

Coro<std::string> done_at_once() { co_return "value"; }
Coro<int> later(Delay delay, int value) {
  co_await sleep(delay);
  co_return value;
}

TEST(WaitFor, S23_the_value_of_a_coroutine_that_ends_in_time) {
  run_virtual([]() -> Coro<> {
    std::string text = co_await wait_for(done_at_once(), 1s);
    EXPECT_EQ(text, "value");
    int value = co_await wait_for(later(1s, 5), 2s);
    EXPECT_EQ(value, 5);
    EXPECT_EQ(armed_timers(), 0u);
  });
}

TEST(WaitFor, S23_the_coroutine_is_cancelled_and_cleans_up_before_the_timeout_is_thrown) {
  run_virtual([]() -> Coro<> {
    TimePoint start = get_running_loop().time();
    bool cleaned = false;
    auto body = [&]() -> Coro<> {
      auto slept = co_await capture(sleep(1h));
      EXPECT_TRUE(slept.cancelled());
      co_await sleep(1s);
      cleaned = true;
      slept.value();
    };
    auto outcome = co_await capture(wait_for(body(), 3s));
    EXPECT_TRUE(cleaned);
    EXPECT_EQ(get_running_loop().time() - start, 4s);
    EXPECT_THROW(outcome.value(), TimeoutError);
    EXPECT_EQ(current_task()->cancelling(), 0);
    EXPECT_EQ(armed_timers(), 0u);
  });
}

TEST(WaitFor, A2_11_the_value_of_a_body_that_swallows_its_cancellation) {
  run_virtual([]() -> Coro<> {
    auto body = []() -> Coro<int> {
      auto slept = co_await capture(sleep(1h));
      EXPECT_TRUE(slept.cancelled());
      co_return 7;
    };
    int value = co_await wait_for(body(), 3s);
    EXPECT_EQ(value, 7);
    EXPECT_EQ(current_task()->cancelling(), 0);
  });
}

TEST(WaitFor, A2_11_time_that_the_body_computes_counts) {
  run_virtual([]() -> Coro<> {
    TimePoint start = get_running_loop().time();
    auto body = []() -> Coro<> {
      test::block_for(2s);
      co_await sleep(1h);
    };
    auto outcome = co_await capture(wait_for(body(), 1s));
    EXPECT_THROW(outcome.value(), TimeoutError);
    EXPECT_EQ(get_running_loop().time() - start, 2s);
  });
}

TEST(WaitFor, A2_11_no_limit_and_no_time_at_all) {
  run_virtual([]() -> Coro<> {
    int value = co_await wait_for(later(1h, 7), std::nullopt);
    EXPECT_EQ(value, 7);
    bool ran = false;
    auto body = [&]() -> Coro<int> {
      ran = true;
      co_return 1;
    };
    auto outcome = co_await capture(wait_for(body(), 0s));
    EXPECT_THROW(outcome.value(), TimeoutError);
    EXPECT_FALSE(ran);
  });
}

// Found by the differential run. A gather that is cancelled has the CancelledError of a child as
// its exception.
TEST(WaitFor, A2_11_no_time_at_all_for_a_gather) {
  run_virtual([]() -> Coro<> {
    auto all = gather(sleep(1h), sleep(1h));
    auto outcome = co_await capture(wait_for(all, 0s));
    EXPECT_TRUE(outcome.holds<TimeoutError>());
  });
}

TEST(WaitFor, A2_11_as_a_task_and_gathered) {
  run_virtual([]() -> Coro<> {
    auto task = create_task(wait_for(later(1s, 1), 2s));
    auto [first, second] = co_await gather(wait_for(later(2s, 2), 3s), wait_for(later(1s, 3), 3s));
    EXPECT_EQ(first + second, 5);
    int value = co_await task;
    EXPECT_EQ(value, 1);
    auto late = create_task(wait_for(later(2s, 1), 1s));
    auto outcome = co_await capture(late);
    EXPECT_THROW(outcome.value(), TimeoutError);
  });
}

TEST(WaitFor, fault6_ends_in_the_iteration_in_which_the_time_is_over) {
  run_virtual([]() -> Coro<> {
    // The sleep's timer was armed later, so the timeout comes first; but a value that is there
    // wins.
    auto equal = co_await capture(wait_for(later(1s, 1), 1s));
    EXPECT_THROW(equal.value(), TimeoutError);
    auto future = get_running_loop().create_future<int>();
    get_running_loop().call_later(1s, [future]() mutable { future.set_result(4); });
    auto body = [](Future<int> given) -> Coro<int> { co_return co_await given; };
    auto raced = co_await capture(wait_for(body(future), 1s));
    EXPECT_THROW(raced.value(), TimeoutError);
    EXPECT_EQ(future.result(), 4);
  });
}

TEST(WaitFor, fault12_each_of_nested_limits_converts_only_its_own_cancellation) {
  run_virtual([]() -> Coro<> {
    auto inner = []() -> Coro<std::string> {
      auto outcome = co_await capture(wait_for(later(1h, 0), 1s));
      co_await sleep(1s);
      co_return test::thrown([&] { outcome.value(); }).substr(0, 21);
    };
    std::string text = co_await wait_for(inner(), 3s);
    EXPECT_EQ(text, "asyncio::TimeoutError");
    auto slow = []() -> Coro<int> { co_return co_await wait_for(later(1h, 0), 3s); };
    TimePoint start = get_running_loop().time();
    auto outer = co_await capture(wait_for(slow(), 1s));
    EXPECT_THROW(outer.value(), TimeoutError);
    EXPECT_EQ(get_running_loop().time() - start, 1s);
  });
}

TEST(WaitFor, A2_11_a_cancellation_from_outside_stays_one) {
  run_virtual([]() -> Coro<> {
    auto body = []() -> Coro<> { co_await wait_for(later(1h, 0), 1min); };
    auto task = create_task(body());
    co_await sleep(1s);
    task.cancel("enough");
    auto outcome = co_await capture(task);
    EXPECT_EQ(test::thrown([&] { outcome.value(); }), "asyncio::CancelledError: enough");
    EXPECT_EQ(armed_timers(), 0u);
  });
}

TEST(WaitFor, S13_a_coroutine_that_was_awaited_is_refused) {
  run_virtual([]() -> Coro<> {
    auto coro = later(1s, 1);
    (void)co_await std::move(coro);
    auto outcome = co_await capture(wait_for(std::move(coro), 1s));
    EXPECT_EQ(test::thrown([&] { outcome.value(); }),
              "asyncio::RuntimeError: cannot reuse already awaited coroutine");
    EXPECT_EQ(armed_timers(), 0u);
  });
}

TEST(WaitFor, R3_a_closed_loop_destroys_body_and_timer) {
  auto alive = std::make_shared<int>();
  auto body = [](std::shared_ptr<int>) -> Coro<> { co_await sleep(1h); };
  auto waiting = [&]() -> Coro<> { co_await wait_for(body(alive), 1min); };
  auto loop = test::new_virtual_loop();
  auto main = [&]() -> Coro<> {
    create_task(waiting());
    co_await sleep(1s);
  };
  test::LogCapture log;
  loop.run_until_complete(main());
  EXPECT_EQ(alive.use_count(), 2);
  loop.close();
  EXPECT_EQ(alive.use_count(), 1);
  EXPECT_EQ(log.count("Task was destroyed but it is pending!"), 1);
}

}  // namespace

// SPDX-License-Identifier: BSL-1.0
// A2.9: shield.
#include "asyncio/asyncio.hpp"
#include "captures.hpp"
#include "virtual_loop.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

using namespace asyncio;
using namespace std::chrono_literals;
using test::ReportCapture;
using test::run_virtual;

namespace {

Coro<int> work(Delay delay, int value) {
  co_await sleep(delay);
  co_return value;
}
Coro<int> fails(Delay delay) {
  co_await sleep(delay);
  throw ValueError("inner");
}
Coro<int> protect(Task<int> inner) { co_return co_await shield(inner); }

TEST(Shield, A2_9_a_cancelled_await_leaves_the_inner_task_running) {
  run_virtual([]() -> Coro<> {
    Task<int> inner = create_task(work(2s, 7));
    Task<int> outer = create_task(protect(inner));
    co_await sleep(1s);
    outer.cancel("enough");
    auto ended = co_await capture(outer);
    EXPECT_TRUE(ended.cancelled());
    EXPECT_FALSE(inner.done());
    EXPECT_EQ(inner.cancelling(), 0);
    int value = co_await inner;
    EXPECT_EQ(value, 7);
  });
}

TEST(Shield, A2_9_gives_the_value_of_a_coroutine_and_of_what_is_done) {
  run_virtual([]() -> Coro<> {
    int value = co_await shield(work(1s, 1));
    EXPECT_EQ(value, 1);
    Task<int> done = create_task(work(0s, 2));
    co_await done;
    Future<int> again = shield(done);
    EXPECT_EQ(again, done);  // itself
    EXPECT_EQ(again.result(), 2);
    auto only = []() -> Coro<std::unique_ptr<int>> { co_return std::make_unique<int>(3); };
    std::unique_ptr<int> moved = co_await shield(only());
    EXPECT_EQ(*moved, 3);
  });
}

TEST(Shield, A2_9_R4_cancelling_the_inner_task_cancels_the_await) {
  run_virtual([]() -> Coro<> {
    Task<int> inner = create_task(work(1h, 7));
    Task<int> outer = create_task(protect(inner));
    co_await sleep(1s);
    inner.cancel();
    auto ended = co_await capture(outer);
    EXPECT_TRUE(ended.cancelled());
    EXPECT_EQ(outer.cancelling(), 0);  // nobody asked the outer one
  });
}

TEST(Shield, A2_9_D3_an_error_that_is_awaited_is_not_reported) {
  run_virtual([]() -> Coro<> {
    ReportCapture reports(get_running_loop());
    auto ended = co_await capture(shield(fails(2s)));
    EXPECT_TRUE(ended.holds<ValueError>());
    co_await sleep(1s);
    EXPECT_TRUE(reports.reports.empty());
    get_running_loop().set_exception_handler({});
  });
}

TEST(Shield, A2_9_of_a_shield_and_within_a_timeout) {
  run_virtual([]() -> Coro<> {
    Task<int> inner = create_task(work(3s, 7));
    auto late = co_await capture(wait_for(shield(shield(inner)), 1s));
    EXPECT_TRUE(late.holds<TimeoutError>());
    EXPECT_FALSE(inner.done());
    int value = co_await inner;
    EXPECT_EQ(value, 7);
  });
}

// Fault 10 ------------------------------------------------------------------------------------

TEST(Shield, fault10_outer_cancelled_inner_runs_on_and_its_error_is_reported_once) {
  run_virtual([]() -> Coro<> {
    ReportCapture reports(get_running_loop());
    {
      Task<int> inner = create_task(fails, 1s);
      Task<int> outer = create_task(protect, inner);
      co_await sleep(100ms);
      outer.cancel();
      auto ended = co_await capture(outer);
      EXPECT_TRUE(ended.cancelled());
      EXPECT_FALSE(inner.done());
    }  // nobody has a handle on the inner task now
    co_await sleep(10s);
    EXPECT_EQ(reports.reports,
              std::vector<std::string>(
                  1, "ValueError exception in shielded future: asyncio::ValueError: inner"));
    get_running_loop().set_exception_handler({});
  });
}

TEST(Shield, fault10_error_that_somebody_else_awaits_is_not_lost_either) {
  run_virtual([]() -> Coro<> {
    ReportCapture reports(get_running_loop());
    Task<int> inner = create_task(fails, 1s);
    Task<int> outer = create_task(protect, inner);
    co_await sleep(100ms);
    outer.cancel();
    auto other = co_await capture(inner);
    EXPECT_TRUE(other.holds<ValueError>());
    EXPECT_TRUE(outer.cancelled());
    // CPython 3.14 says so all the same.
    EXPECT_EQ(reports.reports,
              std::vector<std::string>(
                  1, "ValueError exception in shielded future: asyncio::ValueError: inner"));
    get_running_loop().set_exception_handler({});
  });
}

TEST(Shield, fault10_a_dropped_shield_reports_the_error_once) {
  run_virtual([]() -> Coro<> {
    ReportCapture reports(get_running_loop());
    (void)shield(fails(1s));
    co_await sleep(10s);
    EXPECT_EQ(reports.reports,
              std::vector<std::string>(
                  1, "Future exception was never retrieved: asyncio::ValueError: inner"));
    get_running_loop().set_exception_handler({});
  });
}

TEST(Shield, fault10_success_after_the_cancellation_is_no_report) {
  run_virtual([]() -> Coro<> {
    ReportCapture reports(get_running_loop());
    std::optional<Task<int>> inner = create_task(work, 1s, 5);
    Task<int> outer = create_task(protect, *inner);
    co_await sleep(100ms);
    outer.cancel();
    co_await sleep(10s);
    EXPECT_TRUE(outer.cancelled());
    EXPECT_EQ(inner->result(), 5);
    EXPECT_TRUE(reports.reports.empty());
    get_running_loop().set_exception_handler({});
  });
}

TEST(Shield, fault6_timeout_of_a_shield_leaves_the_value_obtainable) {
  run_virtual([]() -> Coro<> {
    Task<int> inner = create_task(work, 1s, 5);
    auto late = co_await capture(wait_for(shield(inner), 1s));  // in the tick of its completion
    EXPECT_TRUE(late.has_value() || late.holds<TimeoutError>());
    int value = co_await inner;
    EXPECT_EQ(value, 5);
  });
}

}  // namespace

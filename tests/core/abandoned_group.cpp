// SPDX-License-Identifier: BSL-1.0
/// A2.4: a TaskGroup that is entered by hand and destroyed without aexit loses nothing.
#include "asyncio/asyncio.hpp"
#include "captures.hpp"
#include "virtual_loop.hpp"

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <vector>

using namespace asyncio;
using namespace std::chrono_literals;

namespace {

Coro<> fail() {
  co_await sleep(1s);
  throw ValueError("lost");
}

const char* const kReport = "TaskGroup was destroyed without aexit: its tasks are cancelled";

/// The reports of a run of `main`.
template <class F>
std::vector<std::string> reports_of(F main) {
  EventLoop loop = test::new_virtual_loop();
  test::ReportCapture reports(loop);
  loop.run_until_complete(main());
  loop.close();
  return reports.reports;
}

TEST(AbandonedGroup, A2_4_its_tasks_are_cancelled_and_it_is_reported) {
  auto main = []() -> Coro<> {
    std::optional<Task<>> task;
    {
      TaskGroup group;
      group.aenter();
      task = group.create_task(sleep(1h));
      co_await sleep(1s);
    }
    co_await wait(*task);
    EXPECT_TRUE(task->cancelled());
    EXPECT_EQ(current_task()->cancelling(), 0);
  };
  EXPECT_EQ(reports_of(main), std::vector<std::string>{kReport});
}

TEST(AbandonedGroup, A2_4_the_errors_of_its_tasks_are_in_the_report) {
  auto main = []() -> Coro<> {
    Result<> result = co_await capture([]() -> Coro<> {
      TaskGroup group;
      group.aenter();
      group.create_task(fail);
      co_await sleep(1h);
    }());
    EXPECT_TRUE(result.cancelled());  // by the group: its task failed
  };
  std::string report = std::string(kReport) +
                       ": asyncio::ExceptionGroup: unhandled errors in a TaskGroup "
                       "(1 sub-exception)\n  asyncio::ValueError: lost";
  EXPECT_EQ(reports_of(main), std::vector<std::string>(1, report));
}

TEST(AbandonedGroup, A2_4_one_that_was_left_or_never_entered_is_silent) {
  auto main = []() -> Coro<> {
    TaskGroup never;
    TaskGroup left;
    left.aenter();
    left.create_task(sleep(1s));
    bool swallowed = co_await left.aexit(nullptr);
    EXPECT_TRUE(swallowed);
    TaskGroup moved(std::move(never));
    co_await with(std::move(moved), [](TaskGroup& group) -> Coro<> {
      group.create_task(sleep(1s));
      co_return;
    });
  };
  EXPECT_EQ(reports_of(main), std::vector<std::string>{});
}

TEST(AbandonedGroup, A2_4_a_loop_that_is_closed_over_one_reports_its_tasks_only) {
  auto main = []() -> Coro<> {
    create_task([]() -> Coro<> {
      co_await with(TaskGroup(), [](TaskGroup& group) -> Coro<> {
        group.create_task(sleep(1h));
        co_await sleep(1h);
      });
    });
    co_await sleep(1s);
  };
  EXPECT_EQ(reports_of(main), std::vector<std::string>(2, "Task was destroyed but it is pending!"));
}

}  // namespace

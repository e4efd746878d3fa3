// SPDX-License-Identifier: BSL-1.0
// A2.13: as_completed.
#include "asyncio/asyncio.hpp"
#include "captures.hpp"
#include "virtual_loop.hpp"

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <utility>
#include <vector>

using namespace asyncio;
using namespace std::chrono_literals;
using test::run_virtual;

namespace {

using Values = std::vector<int>;

Coro<int> after(int seconds) {
  co_await sleep(std::chrono::seconds(seconds));
  if (seconds < 0) throw ValueError("negative");
  co_return seconds;
}

std::vector<Task<int>> tasks_of(const Values& seconds) {
  std::vector<Task<int>> tasks;
  for (int value : seconds) tasks.push_back(create_task(after(value)));
  return tasks;
}

TEST(AsCompleted, A2_13_gives_the_tasks_themselves_as_they_get_done) {
  run_virtual([]() -> Coro<> {
    auto tasks = tasks_of({3, 1, 2});
    Values order;
    auto completed = as_completed(tasks);
    while (auto task = co_await completed.next()) {
      EXPECT_TRUE(task->done());
      EXPECT_TRUE(*task == tasks[0] || *task == tasks[1] || *task == tasks[2]);
      order.push_back(co_await *task);
    }
    EXPECT_EQ(order, (Values{1, 2, 3}));
    auto nothing = co_await completed.next();
    EXPECT_EQ(nothing, std::nullopt);
  });
}

TEST(AsCompleted, A2_13_takes_coroutines_and_nothing_at_all) {
  run_virtual([]() -> Coro<> {
    std::vector<Coro<int>> coroutines;
    coroutines.push_back(after(2));
    coroutines.push_back(after(1));
    auto completed = as_completed(std::move(coroutines));
    Values order;
    while (auto task = co_await completed.next()) order.push_back(task->result());
    EXPECT_EQ(order, (Values{1, 2}));
    auto none = as_completed(std::vector<Task<int>>());
    auto first = co_await none.next();
    EXPECT_EQ(first, std::nullopt);
  });
}

TEST(AsCompleted, A2_13_plain_iteration_gives_coroutines_of_the_results) {
  run_virtual([]() -> Coro<> {
    auto tasks = tasks_of({2, -1, 1});
    Values order;
    int failed = 0;
    for (auto& next : as_completed(tasks)) {
      auto result = co_await capture(std::move(next));
      if (result.has_exception())
        failed += result.holds<ValueError>();
      else
        order.push_back(result.value());
    }
    EXPECT_EQ(order, (Values{1, 2}));
    EXPECT_EQ(failed, 1);
  });
}

TEST(AsCompleted, A2_13_after_the_deadline_each_missing_one_is_a_timeout_and_runs_on) {
  run_virtual([]() -> Coro<> {
    auto tasks = tasks_of({1, 5, 6});
    auto completed = as_completed(tasks, 2s);
    auto first = co_await completed.next();
    EXPECT_EQ(first->result(), 1);
    for (int i = 0; i < 2; ++i) {
      auto late = co_await capture(completed.next());
      EXPECT_TRUE(late.holds<TimeoutError>());
    }
    auto end = co_await completed.next();
    EXPECT_EQ(end, std::nullopt);
    EXPECT_FALSE(tasks[1].done());
    EXPECT_EQ(tasks[1].cancelling(), 0);
    int value = co_await tasks[2];
    EXPECT_EQ(value, 6);
  });
}

TEST(AsCompleted, A2_13_R2_a_cancelled_next_loses_no_task) {
  run_virtual([]() -> Coro<> {
    auto tasks = tasks_of({2});
    auto completed = as_completed(tasks);
    auto late = co_await capture(wait_for(completed.next(), 1s));
    EXPECT_TRUE(late.holds<TimeoutError>());
    auto task = co_await completed.next();
    EXPECT_TRUE(task.has_value());
    if (task) {
      EXPECT_EQ(task->result(), 2);
    }
  });
}

TEST(AsCompleted, A2_13_several_tasks_share_one_progress) {
  run_virtual([]() -> Coro<> {
    auto completed = as_completed(tasks_of({1, 2, 3, 4}));
    auto consume = [&]() -> Coro<Values> {
      Values mine;
      while (auto task = co_await completed.next()) mine.push_back(task->result());
      co_return mine;
    };
    auto [odd, even] = co_await gather(consume(), consume());
    EXPECT_EQ(odd, (Values{1, 3}));
    EXPECT_EQ(even, (Values{2, 4}));
  });
}

}  // namespace

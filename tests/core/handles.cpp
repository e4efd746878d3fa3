// SPDX-License-Identifier: BSL-1.0
/// Handles that do not know the type of the result (A2.12, A2.16, A2.17, A10).
#include "asyncio/asyncio.hpp"
#include "captures.hpp"
#include "virtual_loop.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

using namespace asyncio;
using namespace std::chrono_literals;
using test::run_virtual;

namespace {

using Trace = std::vector<std::string>;

Coro<int> give(int value) {
  co_await sleep(1s);
  co_return value;
}
Coro<std::string> cleans_up() {
  auto slept = co_await capture(sleep(1h));
  co_await sleep(1s);
  slept.value();
  co_return "not cancelled";
}

std::vector<TaskHandle> other_tasks() {
  std::vector<TaskHandle> others = all_tasks();
  std::erase(others, *current_task());
  return others;
}

TEST(Handles, A2_12_A2_16_all_other_tasks_are_cancelled_and_waited_for) {
  run_virtual([]() -> Coro<> {
    Task<int> number = create_task(give, 1);
    Task<std::string> text = create_task(cleans_up);
    co_await sleep(0s);
    for (auto& task : other_tasks()) task.cancel();
    auto [done, pending] = co_await wait(other_tasks());
    EXPECT_EQ(done.size(), 2u);
    EXPECT_TRUE(pending.empty());
    EXPECT_TRUE(number.cancelled() && text.cancelled());
    EXPECT_EQ(all_tasks().size(), 1u);
  });
}

TEST(Handles, A2_7_A2_13_handles_are_gathered_and_iterated) {
  run_virtual([]() -> Coro<> {
    create_task(give, 1);
    Task<std::string> cancelled = create_task(cleans_up);
    co_await sleep(0s);
    cancelled.cancel();
    std::vector<Result<Unit>> results = co_await gather(return_exceptions, other_tasks());
    EXPECT_EQ(results.size(), 2u);
    EXPECT_TRUE(results.at(0).has_value());
    EXPECT_TRUE(results.at(1).cancelled());

    Task<int> task = create_task(give, 2);
    auto completed = as_completed(other_tasks());
    auto first = co_await completed.next();
    EXPECT_TRUE(*first == task);
    co_await *first;
  });
}

TEST(Handles, A2_17_callbacks_get_the_handle_that_they_were_added_to) {
  run_virtual([]() -> Coro<> {
    Trace trace;
    ContextVar<std::string> user("user", "nobody");
    Task<int> task = create_task(give(7), TaskOptions().name("seven"));
    TaskHandle handle = task;
    FutureHandle future = task;
    task.add_done_callback([&](Task<int> done) {
      trace.push_back(done.get_name() + " " + std::to_string(done.result()));
    });
    handle.add_done_callback([&](TaskHandle done) { trace.push_back(done.get_name()); });
    Context context = copy_context();
    context.run([&] { user.set("ann"); });
    handle.add_done_callback([&] { trace.push_back(user.get()); }, context);
    future.add_done_callback(
        [&](FutureHandle done) { trace.push_back(done.exception() ? "failed" : "has a value"); });
    future.add_done_callback([&] { trace.push_back(user.get()); }, context);
    co_await handle;
    co_await future;
    co_await sleep(0s);
    EXPECT_EQ(trace, (Trace{"seven 7", "seven", "ann", "has a value", "ann"}));
  });
}

int calls = 0;
void count_call() { ++calls; }

TEST(Handles, A2_17_callbacks_are_removed_through_any_handle) {
  run_virtual([]() -> Coro<> {
    Task<int> task = create_task(give, 1);
    TaskHandle handle = task;
    FutureHandle future = task;
    handle.add_done_callback(count_call);
    future.add_done_callback(count_call);
    task.add_done_callback(count_call);
    // Equal functions, whatever handle they are called with: as in Python, one object.
    std::size_t removed = future.remove_done_callback(count_call);
    removed += handle.remove_done_callback(count_call);
    removed += task.remove_done_callback(count_call);
    EXPECT_EQ(removed, 3u);
    co_await task;
    EXPECT_EQ(calls, 0);
  });
}

TEST(Handles, A10_an_error_is_seen_through_a_handle) {
  run_virtual([]() -> Coro<> {
    test::ReportCapture reports(get_running_loop());
    auto fails = []() -> Coro<int> {
      co_await sleep(1s);
      throw ValueError("seen");
    };
    {
      TaskHandle handle = create_task(fails);
      auto outcome = co_await capture(handle);
      EXPECT_EQ(describe_exception(outcome.exception()), "asyncio::ValueError: seen");
    }
    EXPECT_TRUE(reports.reports.empty());
    get_running_loop().set_exception_handler({});
  });
}

}  // namespace

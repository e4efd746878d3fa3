// SPDX-License-Identifier: BSL-1.0
/// D3: several exceptions at once, and those that meet a clean-up, a shutdown or a thread.
/// exception_matrix.cpp has the ways of one.
#include "asyncio/asyncio.hpp"
#include "captures.hpp"
#include "virtual_loop.hpp"

#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <utility>
#include <vector>

using namespace asyncio;
using namespace std::chrono_literals;
using test::run_virtual;

namespace {

Coro<int> fail_after(Delay delay, std::string text) {
  co_await sleep(delay);
  throw ValueError(text);
}

TEST(SeveralExceptions, D3_three_children_and_the_body_of_a_group_fail) {
  run_virtual([]() -> Coro<> {
    test::ReportCapture reports(get_running_loop());
    auto stubborn = [](std::string text) -> Coro<> {
      (void)co_await capture(sleep(1h));
      throw ValueError(text);
    };
    auto body = [&](TaskGroup& group) -> Coro<> {
      for (const char* name : {"first", "second", "third"})
        group.create_task(stubborn, std::string(name));
      co_await sleep(1s);
      throw LookupError("body");
    };
    auto outcome = co_await capture(with(TaskGroup(), body));
    std::string tree;
    try {
      outcome.value();
    } catch (const ExceptionGroup& errors) {
      tree = errors.tree();
      EXPECT_EQ(errors.exceptions().size(), 4u) << tree;
    }
    for (const char* text : {"first", "second", "third", "body"})
      EXPECT_NE(tree.find(text), std::string::npos) << text;
    co_await sleep(1s);
    EXPECT_TRUE(reports.reports.empty());
    get_running_loop().set_exception_handler({});
  });
}

TEST(SeveralExceptions, D3_two_children_of_a_gather_fail_in_one_tick_or_one_after_the_other) {
  for (Delay second : {Delay(1s), Delay(2s)}) {
    run_virtual([second]() -> Coro<> {
      test::ReportCapture reports(get_running_loop());
      auto outcome =
          co_await capture(gather(fail_after(1s, "first"), fail_after(second, "second")));
      std::string caught = describe_exception(outcome.exception());
      co_await sleep(1h);
      const char* lost = "Task exception was never retrieved: asyncio::ValueError: ";
      bool in_order = caught == "asyncio::ValueError: first";
      EXPECT_TRUE(in_order || caught == "asyncio::ValueError: second") << caught;
      EXPECT_EQ(reports.reports,
                std::vector<std::string>(1, std::string(lost) + (in_order ? "second" : "first")));
      get_running_loop().set_exception_handler({});
    });
  }
}

TEST(SeveralExceptions, D3_every_attempt_of_a_race_and_every_task_of_a_wait_keeps_its_error) {
  run_virtual([]() -> Coro<> {
    test::ReportCapture reports(get_running_loop());
    std::vector<std::function<Coro<int>()>> attempts;
    attempts.emplace_back([] { return fail_after(1s, "first"); });
    attempts.emplace_back([] { return fail_after(2s, "second"); });
    auto result = co_await staggered_race(std::move(attempts), std::nullopt);
    EXPECT_FALSE(result.winner);
    EXPECT_EQ(describe_exception(result.errors.at(0)), "asyncio::ValueError: first");
    EXPECT_EQ(describe_exception(result.errors.at(1)), "asyncio::ValueError: second");
    std::vector<Task<int>> tasks(1, create_task(fail_after, 1s, std::string("third")));
    tasks.push_back(create_task(fail_after, 2s, std::string("fourth")));
    auto [done, pending] = co_await wait(tasks, FIRST_EXCEPTION);
    tasks.clear();
    EXPECT_EQ(describe_exception(done.at(0).exception()), "asyncio::ValueError: third");
    done.clear();
    auto other = co_await capture(std::move(pending.at(0)));
    EXPECT_EQ(describe_exception(other.exception()), "asyncio::ValueError: fourth");
    pending.clear();
    co_await sleep(1s);
    EXPECT_TRUE(reports.reports.empty()) << reports.reports[0];
    get_running_loop().set_exception_handler({});
  });
}

TEST(SeveralExceptions, D3_error_of_a_clean_up_takes_the_place_of_the_timeout_or_the_cancellation) {
  run_virtual([]() -> Coro<> {
    auto stubborn = []() -> Coro<> {
      (void)co_await capture(sleep(1h));
      co_await sleep(1s);
      throw ValueError("in the clean-up");
    };
    auto limited = co_await capture(wait_for(stubborn(), 1s));
    EXPECT_EQ(describe_exception(limited.exception()), "asyncio::ValueError: in the clean-up");
    Task<> task = create_task(stubborn);
    co_await sleep(1s);
    task.cancel();
    auto ended = co_await capture(task);
    EXPECT_EQ(describe_exception(ended.exception()), "asyncio::ValueError: in the clean-up");
    EXPECT_EQ(current_task()->cancelling(), 0);
  });
}

TEST(SeveralExceptions, D3_errors_of_what_run_has_to_cancel_are_reported_each_once) {
  std::vector<std::string> reports;
  run_virtual([&]() -> Coro<> {
    get_running_loop().set_exception_handler([&](EventLoop, const ExceptionContext& context) {
      reports.push_back(context.message + ": " + describe_exception(context.exception));
    });
    auto stubborn = [](std::string text) -> Coro<> {
      (void)co_await capture(sleep(1h));
      throw ValueError(text);
    };
    create_task(stubborn, std::string("first"));
    create_task(stubborn, std::string("second"));
    co_await sleep(0s);
  });
  EXPECT_EQ(reports, (std::vector<std::string>{
                         "unhandled exception during asyncio.run() shutdown: asyncio::ValueError: "
                         "first",
                         "unhandled exception during asyncio.run() shutdown: asyncio::ValueError: "
                         "second"}));
}

TEST(SeveralExceptions, D3_error_from_a_thread_arrives_or_is_reported) {
  run([]() -> Coro<> {
    test::ReportCapture reports(get_running_loop());
    auto fails = []() -> int { throw ValueError("in a thread"); };
    auto outcome = co_await capture(to_thread(fails));
    EXPECT_EQ(describe_exception(outcome.exception()), "asyncio::ValueError: in a thread");
    EXPECT_TRUE(reports.reports.empty());
    Event done;
    {
      auto future = get_running_loop().run_in_executor(nullptr, fails);
      future.add_done_callback([&] { done.set(); });
    }
    co_await done.wait();
    co_await sleep(0s);
    EXPECT_EQ(reports.reports,
              std::vector<std::string>(
                  1, "Future exception was never retrieved: asyncio::ValueError: in a thread"));
    get_running_loop().set_exception_handler({});
  });
}

}  // namespace

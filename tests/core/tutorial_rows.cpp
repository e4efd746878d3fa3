// SPDX-License-Identifier: BSL-1.0
// What the tutorials say of the combinators, statement by statement (the rows S19 to S22, S29 to
// S32, S50, S52, and S3). examples/tutorial has failures and structured as programs.
#include "asyncio/asyncio.hpp"
#include "captures.hpp"
#include "virtual_loop.hpp"

#include <gtest/gtest.h>

#include <string>
#include <tuple>
#include <utility>
#include <vector>

using namespace asyncio;
using namespace std::chrono_literals;
using test::run_virtual;
using test::thrown;

namespace {

using Lines = std::vector<std::string>;

Coro<std::string> worker(std::string name, Delay delay, Lines& printed) {
  co_await sleep(delay);
  printed.push_back(name);
  co_return name;
}

TEST(TutorialRows, S19_gather_gives_results_in_the_order_of_its_arguments) {
  run_virtual([]() -> Coro<> {
    EventLoop loop = get_running_loop();
    Lines printed;
    TimePoint begin = loop.time();
    auto [a, b, c] = co_await gather(worker("A", 300ms, printed), worker("B", 200ms, printed),
                                     worker("C", 100ms, printed));
    EXPECT_EQ(loop.time() - begin, 300ms);
    EXPECT_EQ(printed, (Lines{"C", "B", "A"}));
    EXPECT_EQ(a + b + c, "ABC");
  });
}

Coro<int> number() { co_return 7; }
Coro<> nothing() { co_return; }

TEST(TutorialRows, S19_gather_of_several_types_is_a_tuple_and_of_a_range_a_vector) {
  run_virtual([]() -> Coro<> {
    Lines printed;
    std::tuple<int, std::string, Unit> mixed =
        co_await gather(number(), worker("A", 1s, printed), nothing());
    EXPECT_EQ(std::get<0>(mixed), 7);
    EXPECT_EQ(std::get<1>(mixed), "A");
    std::vector<Coro<std::string>> range;
    for (int i = 3; i > 0; --i)
      range.push_back(worker(std::to_string(i), std::chrono::seconds(i), printed));
    std::vector<std::string> results = co_await gather(std::move(range));
    EXPECT_EQ(results, (Lines{"3", "2", "1"}));
    EXPECT_EQ(printed, (Lines{"A", "1", "2", "3"}));
  });
}

Coro<int> fails(Delay delay) {
  co_await sleep(delay);
  throw ValueError("it failed");
}

TEST(TutorialRows, S20_gather_with_return_exceptions_has_a_result_in_each_slot) {
  run_virtual([]() -> Coro<> {
    auto [good, bad] = co_await gather(return_exceptions, number(), fails(1s));
    EXPECT_FALSE(good.has_exception());
    EXPECT_EQ(good.value(), 7);
    EXPECT_TRUE(bad.has_exception());
    EXPECT_TRUE(bad.holds<ValueError>());
    EXPECT_FALSE(bad.holds<TimeoutError>());
    EXPECT_EQ(thrown([&] { (void)bad.value(); }), "asyncio::ValueError: it failed");
  });
}

TEST(TutorialRows, S21_gather_is_a_future_whose_cancel_reaches_every_child) {
  run_virtual([]() -> Coro<> {
    int cancelled = 0;
    auto body = [&]() -> Coro<int> {
      auto slept = co_await capture(sleep(1h));
      cancelled += slept.cancelled();
      slept.value();
      co_return 0;
    };
    auto future = gather(body(), body(), body());
    co_await sleep(1s);
    EXPECT_FALSE(future.done());
    EXPECT_TRUE(future.cancel());
    auto result = co_await capture(future);
    EXPECT_TRUE(result.cancelled());
    EXPECT_EQ(cancelled, 3);
  });
}

TEST(TutorialRows, S22_wait_gives_the_done_and_the_pending_which_run_on) {
  run_virtual([]() -> Coro<> {
    Lines printed;
    std::vector<Task<std::string>> tasks;
    tasks.push_back(create_task(worker("slow", 2s, printed)));
    tasks.push_back(create_task(worker("fast", 1s, printed)));
    auto [done, pending] = co_await wait(tasks, FIRST_COMPLETED);
    EXPECT_EQ(done.size(), 1u);
    EXPECT_EQ(done.at(0).result(), "fast");
    EXPECT_EQ(pending.size(), 1u);
    EXPECT_FALSE(pending.at(0).done());
    EXPECT_EQ(pending.at(0).cancelling(), 0);
    std::string last = co_await pending.at(0);
    EXPECT_EQ(last, "slow");
    EXPECT_EQ(printed, (Lines{"fast", "slow"}));
  });
}

TEST(TutorialRows, S29_a_group_waits_for_its_tasks_and_a_timeout_ends_it) {
  run_virtual([]() -> Coro<> {
    Lines printed;
    co_await with(TaskGroup(), [&](TaskGroup& group) -> Coro<> {
      group.create_task(worker("A", 2s, printed));
      group.create_task(worker("B", 1s, printed));
      co_return;
    });
    EXPECT_EQ(printed, (Lines{"B", "A"}));
    auto late = co_await capture(with(timeout(1s), [&]() -> Coro<> {
      co_await with(TaskGroup(), [&](TaskGroup& group) -> Coro<> {
        group.create_task(worker("C", 500ms, printed));
        group.create_task(worker("D", 2s, printed));
        co_return;
      });
    }));
    EXPECT_TRUE(late.holds<TimeoutError>());
    EXPECT_EQ(printed, (Lines{"B", "A", "C"}));
  });
}

TEST(TutorialRows, S30_then_calls_with_the_value_and_gives_a_future_of_what_is_returned) {
  run_virtual([]() -> Coro<> {
    Task<int> task = create_task(number());
    int doubled = co_await task.then([](int value) { return 2 * value; });
    EXPECT_EQ(doubled, 14);
    int calls = 0;
    co_await create_task(sleep(0s)).then([&] { ++calls; });
    EXPECT_EQ(calls, 1);
    auto failed = co_await capture(create_task(fails(1s)).then([&](int) { ++calls; }));
    EXPECT_TRUE(failed.holds<ValueError>());
    EXPECT_EQ(calls, 1);
  });
}

TEST(TutorialRows, S31_callbacks_are_first_in_first_out_and_timers_come_after_what_is_ready) {
  run_virtual([]() -> Coro<> {
    EventLoop loop = get_running_loop();
    std::vector<int> order;
    auto print = [&](int n) { order.push_back(n); };
    print(1);
    loop.call_later(0s, print, 2);
    loop.call_soon(print, 3);
    Future<int> ready = loop.create_future<int>();
    ready.set_result(4);
    int value = co_await ready;  // is done: goes on at once
    print(value);
    co_await sleep(1s);
    EXPECT_EQ(order, (std::vector<int>{1, 4, 3, 2}));
  });
}

TEST(TutorialRows, S32_a_call_runs_nothing_an_await_runs_it_and_leaves_the_others_their_turn) {
  run_virtual([]() -> Coro<> {
    Lines printed;
    auto paused = [&]() -> Coro<int> {
      printed.push_back("begins");
      co_await sleep(1s);
      printed.push_back("goes on");
      co_return 42;
    };
    Coro<int> coroutine = paused();
    EXPECT_TRUE(printed.empty());
    get_running_loop().call_later(500ms, [&] { printed.push_back("meanwhile"); });
    int value = co_await std::move(coroutine);
    EXPECT_EQ(value, 42);
    EXPECT_EQ(printed, (Lines{"begins", "meanwhile", "goes on"}));
  });
}

Coro<int> risky_operation(int i) {
  co_await sleep(10ms);
  if (i % 4 == 3) throw ValueError("operation " + std::to_string(i) + " failed");
  co_return 10 * i;
}

TEST(TutorialRows, S50_the_failures_of_ten_tasks_are_collected_and_the_others_unaffected) {
  run_virtual([]() -> Coro<> {
    std::vector<Coro<int>> operations;
    for (int i = 0; i < 10; ++i) operations.push_back(risky_operation(i));
    auto results = co_await gather(return_exceptions, std::move(operations));
    Lines printed;
    for (const auto& result : results)
      printed.push_back(result.has_exception() ? describe_exception(result.exception())
                                               : std::to_string(*result));
    EXPECT_EQ(printed, (Lines{"0", "10", "20", "asyncio::ValueError: operation 3 failed", "40",
                              "50", "60", "asyncio::ValueError: operation 7 failed", "80", "90"}));
  });
}

Coro<std::string> fetch_user(int id) {
  co_await sleep(10ms);
  co_return "user_" + std::to_string(id);
}

Coro<Lines> fetch_posts(std::string user) {
  co_await sleep(10ms);
  Lines posts;
  for (int i = 0; i < 3; ++i) posts.push_back(user + "'s post " + std::to_string(i));
  co_return posts;
}

TEST(TutorialRows, S52_a_structured_main_fetches_the_user_and_then_the_posts) {
  run_virtual([]() -> Coro<> {
    TimePoint begin = get_running_loop().time();
    std::string user = co_await fetch_user(1);
    Lines posts = co_await fetch_posts(user);
    EXPECT_EQ(posts, (Lines{"user_1's post 0", "user_1's post 1", "user_1's post 2"}));
    EXPECT_EQ(get_running_loop().time() - begin, 20ms);
  });
}

AsyncGenerator<int> count(Lines& printed) {
  bool closed = false;
  for (int i = 0; !closed; ++i) {
    try {
      co_yield i;
    } catch (const GeneratorExit&) {
      closed = true;
    }
  }
  co_await sleep(1s);
  printed.push_back("cleaned up");
}

TEST(TutorialRows, S3_the_cleanup_of_an_abandoned_generator_runs_before_run_returns) {
  Lines printed;
  AsyncGenerator<int> numbers = count(printed);
  run_virtual([&]() -> Coro<> {
    auto first = co_await numbers.next();
    EXPECT_EQ(first, 0);
  });
  EXPECT_EQ(printed, Lines{"cleaned up"});
}

}  // namespace

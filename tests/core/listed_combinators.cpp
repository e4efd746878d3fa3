// SPDX-License-Identifier: BSL-1.0
/// What CPython's tests of shield, of gather and of threads that give a loop coroutines look at
/// when something is cancelled, and our other tests do not:
/// docs/internals/cpython-wait-and-task-tests.md
#include "asyncio/asyncio.hpp"
#include "captures.hpp"
#include "listed.hpp"
#include "virtual_loop.hpp"

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <tuple>

using namespace listed;
using test::run_virtual;
using test::thrown;

namespace {

Coro<std::string> done_after(Delay delay) {
  co_await sleep(delay);
  co_return "done";
}

// shield -----------------------------------------------------------------------------------------

TEST(ListedCombinators, A2_18_D4_a_shield_that_is_cancelled_itself_leaves_its_future_alone) {
  run_virtual([]() -> Coro<> {
    auto inner = get_running_loop().create_future<int>();
    Future<int> outer = shield(inner);
    co_await settle();
    EXPECT_TRUE(outer.cancel());
    co_await settle();
    EXPECT_TRUE(outer.cancelled());
    EXPECT_FALSE(inner.done());
    inner.set_result(42);
    co_await settle();
    EXPECT_TRUE(outer.cancelled());
    EXPECT_EQ(inner.result(), 42);
  });
}

TEST(ListedCombinators, A2_18_D4_a_shield_of_a_future_passes_its_end_on) {
  run_virtual([]() -> Coro<> {
    auto value = get_running_loop().create_future<int>();
    Future<int> first = shield(value);
    value.set_result(42);
    int got = co_await first;
    EXPECT_EQ(got, 42);
    auto error = get_running_loop().create_future<int>();
    Future<int> second = shield(error);
    co_await settle();
    error.set_exception(RuntimeError("expected"));
    co_await settle();
    EXPECT_EQ(second.exception(), error.exception());
    auto cancelled = get_running_loop().create_future<int>();
    Future<int> third = shield(cancelled);
    co_await settle();
    cancelled.cancel();
    co_await settle();
    EXPECT_TRUE(third.cancelled());
  });
}

TEST(ListedCombinators, A2_18_D4_a_shield_of_a_gather) {
  run_virtual([]() -> Coro<> {
    auto child1 = get_running_loop().create_future<int>();
    auto child2 = get_running_loop().create_future<int>();
    auto parent = gather(child1, child2);
    auto outer = shield(parent);
    co_await settle();
    outer.cancel();
    co_await settle();
    EXPECT_TRUE(outer.cancelled());
    child1.set_result(1);
    child2.set_result(2);
    co_await settle();
    EXPECT_EQ(parent.result(), std::make_tuple(1, 2));
  });
}

TEST(ListedCombinators, A2_18_D4_a_gather_of_shields) {
  run_virtual([]() -> Coro<> {
    auto child1 = get_running_loop().create_future<int>();
    auto child2 = get_running_loop().create_future<int>();
    Future<int> inner1 = shield(child1);
    Future<int> inner2 = shield(child2);
    auto parent = gather(inner1, inner2);
    co_await settle();
    EXPECT_TRUE(parent.cancel());
    co_await settle();
    EXPECT_FALSE(parent.cancelled());
    EXPECT_EQ(describe_exception(parent.exception()), "asyncio::CancelledError");
    EXPECT_TRUE(inner1.cancelled());
    EXPECT_TRUE(inner2.cancelled());
    EXPECT_FALSE(child1.done());
    EXPECT_FALSE(child2.done());
    child1.set_result(1);
    child2.set_result(2);
    co_await settle();
  });
}

TEST(ListedCombinators, A2_18_D4_a_shield_of_a_coroutine_is_of_the_running_loop) {
  run_virtual([]() -> Coro<> {
    Future<std::string> outer = shield(done_after(1s));
    EXPECT_TRUE(outer.get_loop() == get_running_loop());
    std::string text = co_await outer;
    EXPECT_EQ(text, "done");
  });
}

TEST(ListedCombinators, A2_18_D4_a_shield_of_a_coroutine_without_a_loop) {
  test::LogCapture log;
  EXPECT_EQ(thrown([] { (void)shield(done_after(1s)); }),
            "asyncio::RuntimeError: no running event loop");
  EXPECT_EQ(log.count("coroutine 'done_after'", "was never awaited"), 1) << log.all();
  // CPython takes the loop of set_event_loop here; a task is made in a running loop.
  EventLoop named = new_event_loop();
  set_event_loop(named);
  EXPECT_EQ(thrown([] { (void)shield(done_after(1s)); }),
            "asyncio::RuntimeError: no running event loop");
  set_event_loop(std::nullopt);
  named.close();
}

// gather -----------------------------------------------------------------------------------------

TEST(ListedCombinators, A2_18_D4_a_gather_whose_children_are_done_refuses_to_be_cancelled) {
  run_virtual([]() -> Coro<> {
    auto future = get_running_loop().create_future<int>();
    auto body = [&]() -> Coro<int> {
      int value = co_await future;
      co_return value;
    };
    Task<int> child = create_task(body);
    std::optional<Future<std::tuple<int>>> gathered;
    std::optional<bool> result;
    // Before the gather hears of it.
    child.add_done_callback([&] { result = gathered->cancel(); });
    gathered = gather(child);
    co_await settle();
    future.set_result(42);
    std::tuple<int> values = co_await *gathered;
    EXPECT_EQ(result, false);
    EXPECT_FALSE(gathered->cancelled());
    EXPECT_EQ(values, std::make_tuple(42));
  });
}

Future<int> a_future() { return get_running_loop().create_future<int>(); }

/// Those of a gather, the first with its result.
class FiveFutures {
 public:
  FiveFutures() {
    all.add_done_callback([this] { ++calls; });
    a.set_result(1);
  }
  /// The gather is done before, and is told nothing more.
  Coro<> end_the_others() {
    c.set_result(3);
    d.cancel();
    e.set_exception(RuntimeError("late"));
    (void)e.exception();
    co_await settle();
    EXPECT_EQ(calls, 1);
  }

  Future<int> a = a_future(), b = a_future(), c = a_future(), d = a_future(), e = a_future();
  Future<std::tuple<int, int, int, int, int>> all = gather(a, b, c, d, e);
  int calls = 0;
};

TEST(ListedCombinators, A2_18_D4_one_future_of_a_gather_is_cancelled) {
  run_virtual([]() -> Coro<> {
    FiveFutures five;
    five.b.cancel();
    co_await settle();
    EXPECT_TRUE(five.all.done());
    EXPECT_EQ(five.calls, 1);
    EXPECT_FALSE(five.all.cancelled());
    EXPECT_EQ(describe_exception(five.all.exception()), "asyncio::CancelledError");
    co_await five.end_the_others();
  });
}

TEST(ListedCombinators,
     A2_18_D4_children_that_end_after_the_first_error_of_a_gather_change_nothing) {
  run_virtual([]() -> Coro<> {
    FiveFutures five;
    five.b.set_exception(ValueError("b"));
    co_await settle();
    EXPECT_TRUE(five.all.done());
    EXPECT_EQ(five.calls, 1);
    EXPECT_EQ(five.all.exception(), five.b.exception());
    co_await five.end_the_others();
    EXPECT_EQ(describe_exception(five.all.exception()), "asyncio::ValueError: b");
  });
}

TEST(ListedCombinators, A2_18_D4_cancelled_futures_are_results_with_return_exceptions) {
  run_virtual([]() -> Coro<> {
    auto a = a_future(), b = a_future(), c = a_future();
    auto d = a_future(), e = a_future(), f = a_future();
    auto all = gather(return_exceptions, a, b, c, d, e, f);
    int calls = 0;
    all.add_done_callback([&] { ++calls; });
    a.set_result(1);
    b.set_exception(ValueError("b"));
    c.cancel();
    co_await settle();
    EXPECT_FALSE(all.done());
    d.set_result(3);
    e.cancel();
    f.set_exception(RuntimeError("f"));
    auto results = co_await all;
    EXPECT_EQ(*std::get<0>(results), 1);
    EXPECT_TRUE(std::get<1>(results).holds<ValueError>());
    EXPECT_TRUE(std::get<2>(results).cancelled());
    EXPECT_EQ(*std::get<3>(results), 3);
    EXPECT_TRUE(std::get<4>(results).cancelled());
    EXPECT_TRUE(std::get<5>(results).holds<RuntimeError>());
    co_await settle();
    EXPECT_EQ(calls, 1);
  });
}

TEST(ListedCombinators, A2_18_D4_who_awaits_a_gather_is_cancelled_with_all_children) {
  run_virtual([]() -> Coro<> {
    int proof = 0;
    auto waiter = get_running_loop().create_future();
    auto inner = [&]() -> Coro<> {
      co_await waiter;
      proof += 1;
    };
    Task<> child1 = create_task(inner);
    Task<> child2 = create_task(inner);
    auto gatherer = gather(child1, child2);
    auto outer = [&]() -> Coro<> {
      co_await gatherer;
      proof += 100;
    };
    Task<> task = create_task(outer);
    co_await settle();
    EXPECT_TRUE(task.cancel());
    auto outcome = co_await capture(task);
    EXPECT_TRUE(outcome.cancelled());
    EXPECT_FALSE(gatherer.cancel());
    EXPECT_TRUE(waiter.cancelled());
    EXPECT_TRUE(child1.cancelled());
    EXPECT_TRUE(child2.cancelled());
    co_await settle();
    EXPECT_EQ(proof, 0);
  });
}

// Threads ----------------------------------------------------------------------------------------

TEST(ListedCombinators, A2_18_D4_a_thread_that_gives_up_cancels_its_task) {
  run([]() -> Coro<> {
    EventLoop loop = get_running_loop();
    auto body = []() -> Coro<int> {
      co_await sleep(1h);
      co_return 3;
    };
    auto target = [&] {
      auto future = run_coroutine_threadsafe(body(), loop);
      EXPECT_TRUE(thrown([&] { future.result(0s); }).starts_with("asyncio::TimeoutError"));
      EXPECT_TRUE(future.cancel());
    };
    co_await to_thread(target);
    for (int i = 0; i < 10'000 && all_tasks().size() > 1; ++i) co_await sleep(1ms);
    EXPECT_EQ(all_tasks().size(), 1u);
  });
}

}  // namespace

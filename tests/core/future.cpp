// SPDX-License-Identifier: BSL-1.0
#include "asyncio/future.hpp"

#include "asyncio/gather.hpp"
#include "asyncio/sleep.hpp"
#include "asyncio/task.hpp"
#include "captures.hpp"
#include "virtual_loop.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

using namespace asyncio;
using namespace std::chrono_literals;
using test::Counted;
using test::run_virtual;
using test::thrown;

namespace {

TEST(Future, fault206_an_outcome_is_set_once_and_the_first_one_stays) {
  EventLoop loop = test::new_virtual_loop();
  Future<int> value = loop.create_future<int>();
  value.set_result(1);
  EXPECT_EQ(thrown([&] { value.set_result(2); }),
            "asyncio::InvalidStateError: set_result: the future is done already");
  EXPECT_EQ(thrown([&] { value.set_exception(ValueError("late")); }),
            "asyncio::InvalidStateError: set_exception: the future is done already");
  EXPECT_FALSE(value.cancel());
  EXPECT_EQ(value.result(), 1);
  EXPECT_EQ(value.result(), 1);  // a second time
  EXPECT_EQ(value.exception(), nullptr);

  Future<int> gone = loop.create_future<int>();
  EXPECT_TRUE(gone.cancel());
  EXPECT_FALSE(gone.cancel());
  EXPECT_EQ(thrown([&] { gone.set_result(2); }),
            "asyncio::InvalidStateError: set_result: the future is cancelled");
  EXPECT_TRUE(gone.cancelled());
  loop.close();
}

TEST(Future, fault206_result_before_done_is_an_invalid_state) {
  EventLoop loop = test::new_virtual_loop();
  Future<int> future = loop.create_future<int>();
  EXPECT_FALSE(future.done());
  EXPECT_EQ(thrown([&] { future.result(); }), "asyncio::InvalidStateError: Result is not set.");
  EXPECT_EQ(thrown([&] { (void)future.exception(); }),
            "asyncio::InvalidStateError: Exception is not set.");
  loop.close();
}

TEST(Future, A10_exception_and_result_of_each_outcome) {
  EventLoop loop = test::new_virtual_loop();
  Future<> failed = loop.create_future();
  failed.set_exception(ValueError("no"));
  EXPECT_EQ(thrown([&] { failed.result(); }), "asyncio::ValueError: no");
  EXPECT_EQ(describe_exception(failed.exception()), "asyncio::ValueError: no");
  EXPECT_FALSE(failed.cancelled());

  Future<> cancelled = loop.create_future();
  cancelled.cancel("why");
  EXPECT_EQ(thrown([&] { cancelled.result(); }), "asyncio::CancelledError: why");
  EXPECT_EQ(thrown([&] { (void)cancelled.exception(); }), "asyncio::CancelledError: why");

  Future<> none = loop.create_future();
  EXPECT_EQ(thrown([&] { none.set_exception(std::exception_ptr()); }),
            "asyncio::TypeError: set_exception: the exception is null");
  EXPECT_EQ(none.get_loop(), loop);
  loop.close();
}

TEST(Future, A10_await_gives_a_reference_to_the_value_or_moves_it_out) {
  run_virtual([]() -> Coro<> {
    auto future = get_running_loop().create_future<std::string>();
    future.set_result("a string that is too long for the small buffer");
    const std::string& first = co_await future;
    const std::string& second = co_await future;
    EXPECT_EQ(&first, &second);
    auto copy = future;
    std::string kept = co_await std::move(copy);  // `future` still names it: copied
    EXPECT_EQ(kept, co_await future);
    auto only = get_running_loop().create_future<std::unique_ptr<int>>();
    only.set_result(std::make_unique<int>(7));
    std::unique_ptr<int> moved = co_await std::move(only);
    EXPECT_EQ(*moved, 7);
  });
}

TEST(Future, R1_awaiting_a_done_future_does_not_suspend) {
  run_virtual([]() -> Coro<> {
    auto future = get_running_loop().create_future<int>();
    future.set_result(1);
    bool ran = false;
    get_running_loop().call_soon([&] { ran = true; });
    int value = co_await future;
    EXPECT_EQ(value, 1);
    EXPECT_FALSE(ran);
    co_await sleep(0s);
    EXPECT_TRUE(ran);
  });
}

TEST(Future, D3_exception_that_nobody_retrieves_is_reported_once_with_its_origin) {
  EventLoop loop = test::new_virtual_loop();
  test::ReportCapture reports(loop);
  unsigned line = 0;
  {
    line = __LINE__ + 1;
    Future<int> lost(loop);
    lost.set_exception(ValueError("lost"));
    auto copy = lost;
  }
  ASSERT_EQ(reports.reports.size(), 1u);
  EXPECT_EQ(reports.reports[0], "Future exception was never retrieved: asyncio::ValueError: lost");
  EXPECT_TRUE(reports.sources[0].ends_with("future.cpp:" + std::to_string(line)))
      << reports.sources[0];
  loop.close();
}

TEST(Future, D3_each_way_to_see_an_exception_retrieves_it) {
  EventLoop loop = test::new_virtual_loop();
  test::ReportCapture reports(loop);
  auto failed = [&] {
    Future<int> future(loop);
    future.set_exception(ValueError("seen"));
    return future;
  };
  (void)failed().exception();
  thrown([&] { failed().result(); });
  loop.run_until_complete([](Future<int> future) -> Coro<> {
    std::string text;
    try {
      co_await future;
    } catch (const ValueError& e) {
      text = e.what();
    }
    EXPECT_EQ(text, "seen");
  }(failed()));
  EXPECT_TRUE(reports.reports.empty());
  loop.close();
}

TEST(Future, fault22_done_callback_added_at_any_time_is_called_once_through_the_ready_queue) {
  run_virtual([]() -> Coro<> {
    std::vector<std::string> trace;
    auto future = get_running_loop().create_future<>();
    future.add_done_callback([&](Future<> done) {
      trace.push_back("first");
      done.add_done_callback([&] { trace.push_back("added inside"); });
    });
    future.add_done_callback([&] { trace.push_back("second"); });
    future.set_exception(ValueError("no"));
    future.add_done_callback([&] { trace.push_back("added when done"); });
    EXPECT_TRUE(trace.empty());
    co_await sleep(0s);
    EXPECT_EQ(trace, (std::vector<std::string>{"first", "second", "added when done"}));
    co_await sleep(0s);
    EXPECT_EQ(trace.back(), "added inside");
    co_await sleep(0s);
    EXPECT_EQ(trace.size(), 4u);
    (void)future.exception();
  });
}

void noted() {}
void other() {}

struct Equal {
  int id;
  int* calls;
  void operator()() const { ++*calls; }
  bool operator==(const Equal& right) const { return id == right.id; }
};

TEST(Future, A10_remove_done_callback_removes_all_equal_ones) {
  run_virtual([]() -> Coro<> {
    int calls = 0;
    auto future = get_running_loop().create_future<>();
    future.add_done_callback(noted);
    future.add_done_callback(other);
    future.add_done_callback(noted);
    future.add_done_callback(Equal{1, &calls});
    future.add_done_callback(Equal{2, &calls});
    EXPECT_EQ(future.remove_done_callback(noted), 2u);
    EXPECT_EQ(future.remove_done_callback(noted), 0u);
    EXPECT_EQ(future.remove_done_callback(Equal{2, nullptr}), 1u);
    future.set_result();
    EXPECT_EQ(future.remove_done_callback(other), 0u);  // scheduled already
    co_await sleep(0s);
    EXPECT_EQ(calls, 1);
  });
}

TEST(Future, R3_callbacks_of_a_future_without_outcome_are_freed_uncalled) {
  EventLoop loop = test::new_virtual_loop();
  int before = Counted::alive;
  {
    Future<> future(loop);
    future.add_done_callback([counted = Counted()] { ADD_FAILURE() << "called"; });
    EXPECT_EQ(Counted::alive, before + 1);
  }
  EXPECT_EQ(Counted::alive, before);
  loop.close();
}

TEST(Future, R3_callbacks_that_are_ready_at_close_are_freed_uncalled) {
  EventLoop loop = test::new_virtual_loop();
  int before = Counted::alive;
  Future<> future(loop);
  future.add_done_callback([counted = Counted()] { ADD_FAILURE() << "called"; });
  future.set_result();
  loop.close();
  EXPECT_EQ(Counted::alive, before);
}

TEST(Future, fault208_future_of_another_loop_is_refused_with_both_names) {
  EventLoop other_loop = test::new_virtual_loop();
  Future<int> foreign(other_loop);
  std::string text = run_virtual(
      [](Future<int> future) -> Coro<std::string> {
        std::string error;
        try {
          co_await future;
        } catch (const RuntimeError& e) {
          error = e.what();
        }
        co_return error;
      },
      foreign);
  EXPECT_TRUE(text.starts_with("Task 'Task-")) << text;
  EXPECT_TRUE(text.ends_with("' got a Future attached to a different loop")) << text;
  // One that is done has nothing to wait for, as in Python.
  foreign.set_result(3);
  int value =
      run_virtual([](Future<int> future) -> Coro<int> { co_return co_await future; }, foreign);
  EXPECT_EQ(value, 3);
  other_loop.close();
}

TEST(Future, fault208_gather_of_another_loops_future_is_refused) {
  EventLoop other_loop = test::new_virtual_loop();
  Future<int> foreign(other_loop);
  std::string text = run_virtual(
      [](Future<int> future) -> Coro<std::string> {
        auto own = get_running_loop().create_future<int>();
        std::string error;
        try {
          co_await gather(own, future);
        } catch (const ValueError& e) {
          error = e.what();
        }
        co_return error;
      },
      foreign);
  EXPECT_EQ(text,
            "The future belongs to a different loop than the one specified as the loop argument");
  other_loop.close();
}

TEST(Future, fault46_outcome_and_handles_outlive_the_loop) {
  Future<std::string> future = [] {
    EventLoop loop = test::new_virtual_loop();
    Future<std::string> made(loop);
    made.set_result("value");
    loop.close();
    return made;
  }();
  EXPECT_EQ(future.result(), "value");
  EXPECT_TRUE(future.get_loop().is_closed());
}

TEST(Future, R16_set_exception_of_nothing_is_a_type_error) {
  run_virtual([]() -> Coro<> {
    auto future = get_running_loop().create_future<int>();
    const char* expected = "asyncio::TypeError: set_exception: the exception is null";
    EXPECT_EQ(thrown([&] { future.set_exception(nullptr); }), expected);
    EXPECT_EQ(thrown([&] { future.set_exception(std::exception_ptr()); }), expected);
    EXPECT_FALSE(future.done());
    ConcurrentFuture<> concurrent;
    EXPECT_EQ(thrown([&] { concurrent.set_exception(nullptr); }), expected);
    co_return;
  });
}

TEST(Future, R16_fault204_a_handle_that_was_moved_from_says_so) {
  run_virtual([]() -> Coro<> {
    auto number = []() -> Coro<int> { co_return 7; };
    Task<int> task = create_task(number());
    Task<int> other = std::move(task);
    const char* expected = "asyncio::RuntimeError: the task or future has been moved from";
    EXPECT_EQ(thrown([&] { (void)task.done(); }), expected);
    EXPECT_EQ(thrown([&] { (void)task.cancelled(); }), expected);
    EXPECT_EQ(thrown([&] { task.cancel(); }), expected);
    EXPECT_EQ(thrown([&] { (void)task.result(); }), expected);
    EXPECT_EQ(thrown([&] { (void)task.exception(); }), expected);
    EXPECT_EQ(thrown([&] { (void)task.get_name(); }), expected);
    EXPECT_EQ(thrown([&] { (void)task.get_loop(); }), expected);
    EXPECT_EQ(thrown([&] { (void)task.then([](int) {}); }), expected);
    EXPECT_EQ(thrown([&] { task.add_done_callback([] {}); }), expected);
    EXPECT_EQ(thrown([&] { (void)shield(task); }), expected);
    EXPECT_EQ(thrown([&] { (void)gather(task); }), expected);
    auto awaited = co_await capture([&]() -> Coro<int> { co_return co_await task; }());
    EXPECT_EQ(describe_exception(awaited.exception()), expected);
    auto waited = co_await capture([&]() -> Coro<int> { co_return co_await wait_for(task, 1s); }());
    EXPECT_EQ(describe_exception(waited.exception()), expected);
    int value = co_await other;
    EXPECT_EQ(value, 7);
    ConcurrentFuture<> concurrent;
    ConcurrentFuture<> taken = std::move(concurrent);
    EXPECT_EQ(thrown([&] { (void)concurrent.done(); }),
              "asyncio::RuntimeError: the ConcurrentFuture has been moved from");
  });
}

}  // namespace

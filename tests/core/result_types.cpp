// SPDX-License-Identifier: BSL-1.0
/// Fault 211: results that a careless template trips over, on every way a result takes: what is a
/// reference, what looks like an error, what takes anything for its value.
#include "asyncio/capture.hpp"
#include "asyncio/gather.hpp"
#include "asyncio/result.hpp"
#include "asyncio/shield.hpp"
#include "asyncio/sleep.hpp"
#include "asyncio/task.hpp"
#include "asyncio/timeout.hpp"
#include "asyncio/try.hpp"
#include "asyncio/with.hpp"
#include "captures.hpp"
#include "virtual_loop.hpp"

#include <gtest/gtest.h>

#include <any>
#include <exception>
#include <memory>
#include <string>
#include <type_traits>

using namespace asyncio;
using namespace std::chrono_literals;
using test::run_virtual;
using test::thrown;

namespace {

int number = 0;

Coro<int&> refers() {
  co_await sleep(0s);
  co_return number;
}
Coro<int&> refuses() {
  co_await sleep(0s);
  throw ValueError("no number");
}

TEST(ResultTypes, fault211_a_reference_stays_one_through_await_task_and_future) {
  auto main = []() -> Coro<> {
    int& awaited = co_await refers();
    EXPECT_EQ(&awaited, &number);
    Task<int&> task = create_task(refers);
    int& of_task = co_await task;
    EXPECT_EQ(&of_task, &number);
    EXPECT_EQ(&task.result(), &number);
    auto future = get_running_loop().create_future<int&>();
    future.set_result(number);
    int& of_future = co_await future;
    EXPECT_EQ(&of_future, &number);
  };
  run_virtual(main);
  int& of_run = run(refers(), test::virtual_options());
  EXPECT_EQ(&of_run, &number);
}

TEST(ResultTypes, fault211_a_reference_stays_one_through_wait_for_timeout_shield_and_with) {
  auto main = []() -> Coro<> {
    int& limited = co_await wait_for(refers(), 1s);
    EXPECT_EQ(&limited, &number);
    Task<int&> task = create_task(refers);
    int& limited_task = co_await wait_for(task, 1s);
    EXPECT_EQ(&limited_task, &number);
    auto second = create_task(wait_for(refers(), 1s));
    static_assert(std::is_same_v<decltype(second), Task<int&>>);
    int& of_second = co_await second;
    EXPECT_EQ(&of_second, &number);
    int& shielded = co_await shield(refers());
    EXPECT_EQ(&shielded, &number);
    int& inside = co_await with(timeout(1s), []() -> Coro<int&> { return refers(); });
    EXPECT_EQ(&inside, &number);
    int& plain = co_await with(timeout(1s), []() -> int& { return number; });
    EXPECT_EQ(&plain, &number);
    int& tried = co_await try_([]() -> Coro<int&> {
                   return refuses();
                 }).except<ValueError>([]() -> Coro<int&> { return refers(); });
    EXPECT_EQ(&tried, &number);
  };
  run_virtual(main);
}

TEST(ResultTypes, fault211_a_captured_reference_is_a_result_of_a_reference) {
  auto main = []() -> Coro<> {
    Result<int&> coro = co_await capture(refers());
    EXPECT_EQ(&coro.value(), &number);
    EXPECT_EQ(&*coro, &number);
    EXPECT_EQ(&*std::as_const(coro), &number);
    EXPECT_EQ(&std::move(coro).value(), &number);
    Task<int&> task = create_task(refers);
    Result<int&> of_task = co_await capture(task);
    EXPECT_EQ(&of_task.value(), &number);
    Result<int&> refused = co_await capture(refuses());
    EXPECT_TRUE(refused.holds<ValueError>());
    EXPECT_EQ(thrown([&] { refused.value(); }), "asyncio::ValueError: no number");
    // The reference that a handle gives is no result: it refers into the task.
    Task<std::string> text = create_task([]() -> Coro<std::string> { co_return "text"; });
    Result<std::string> copied = co_await capture(text);
    EXPECT_EQ(*copied, "text");
    EXPECT_EQ(copied->size(), 4u);
  };
  run_virtual(main);
}

TEST(ResultTypes, fault211_gather_gives_references_as_reference_wrappers) {
  auto main = []() -> Coro<> {
    auto [first, second] = co_await gather(refers(), refers());
    EXPECT_EQ(&first.get(), &number);
    EXPECT_EQ(&second.get(), &number);
    auto [found, refused] = co_await gather(return_exceptions, refers(), refuses());
    EXPECT_EQ(&found.value().get(), &number);
    EXPECT_TRUE(refused.template holds<ValueError>());
  };
  run_virtual(main);
}

/// An exception that is a value, not thrown.
Coro<std::exception_ptr> finds() {
  co_await sleep(0s);
  co_return std::make_exception_ptr(ValueError("found"));
}
Coro<std::exception_ptr> fails() {
  co_await sleep(0s);
  throw ValueError("failed");
}

TEST(ResultTypes, fault211_an_exception_ptr_as_a_value_is_no_error) {
  auto main = []() -> Coro<> {
    auto awaited = co_await finds();
    EXPECT_EQ(describe_exception(awaited), "asyncio::ValueError: found");
    Task<std::exception_ptr> task = create_task(finds);
    auto of_task = co_await task;
    EXPECT_EQ(of_task, task.result());
    auto future = get_running_loop().create_future<std::exception_ptr>();
    future.set_result(awaited);
    auto of_future = co_await future;
    EXPECT_EQ(of_future, awaited);
    auto limited = co_await wait_for(finds(), 1s);
    EXPECT_EQ(describe_exception(limited), "asyncio::ValueError: found");
    auto shielded = co_await shield(finds());
    EXPECT_EQ(describe_exception(shielded), "asyncio::ValueError: found");
    auto inside = co_await with(timeout(1s), []() -> Coro<std::exception_ptr> { return finds(); });
    EXPECT_EQ(describe_exception(inside), "asyncio::ValueError: found");
  };
  run_virtual(main);
}

TEST(ResultTypes, fault211_a_captured_exception_ptr_is_told_from_a_thrown_one) {
  auto main = []() -> Coro<> {
    Result<std::exception_ptr> found = co_await capture(finds());
    EXPECT_TRUE(found.has_value());
    EXPECT_EQ(describe_exception(*found), "asyncio::ValueError: found");
    Result<std::exception_ptr> failed = co_await capture(fails());
    EXPECT_TRUE(failed.has_exception());
    EXPECT_EQ(describe_exception(failed.exception()), "asyncio::ValueError: failed");
    auto [value, error] = co_await gather(return_exceptions, finds(), fails());
    EXPECT_TRUE(value.has_value());
    EXPECT_TRUE(error.has_exception());
    auto handled = co_await try_([]() -> Coro<std::exception_ptr> {
                     return fails();
                   }).except<ValueError>([]() -> Coro<std::exception_ptr> { return finds(); });
    EXPECT_EQ(describe_exception(handled), "asyncio::ValueError: found");
  };
  run_virtual(main);
}

TEST(ResultTypes, fault211_a_result_made_by_hand_takes_values_and_exceptions) {
  auto error = std::make_exception_ptr(ValueError("failed"));
  EXPECT_TRUE(Result<int>(error).has_exception());
  EXPECT_TRUE(Result<std::any>(error).has_exception());
  EXPECT_TRUE(Result<>(error).has_exception());
  EXPECT_TRUE(Result<std::exception_ptr>(error).has_value());
  EXPECT_EQ(*Result<std::string>("text"), "text");
  EXPECT_EQ(&*Result<int&>(number), &number);
  static_assert(!std::is_convertible_v<std::string, Result<int>>);
  static_assert(!std::is_constructible_v<Result<int&>, int>);
}

Coro<std::any> anything() {
  co_await sleep(0s);
  co_return std::any(5);
}

TEST(ResultTypes, fault211_an_any_is_a_value_like_others) {
  auto main = []() -> Coro<> {
    auto awaited = co_await anything();
    EXPECT_EQ(std::any_cast<int>(awaited), 5);
    Task<std::any> task = create_task(anything);
    auto of_task = co_await task;
    EXPECT_EQ(std::any_cast<int>(of_task), 5);
    Result<std::any> captured = co_await capture(anything());
    EXPECT_EQ(std::any_cast<int>(*captured), 5);
    Result<std::any> copied = captured;
    EXPECT_EQ(std::any_cast<int>(*copied), 5);
    auto limited = co_await wait_for(anything(), 1s);
    EXPECT_EQ(std::any_cast<int>(limited), 5);
    auto shielded = co_await shield(anything());
    EXPECT_EQ(std::any_cast<int>(shielded), 5);
    auto [slot] = co_await gather(return_exceptions, anything());
    EXPECT_EQ(std::any_cast<int>(slot.value()), 5);
    auto inside = co_await with(timeout(1s), []() -> Coro<std::any> { return anything(); });
    EXPECT_EQ(std::any_cast<int>(inside), 5);
  };
  run_virtual(main);
}

TEST(ResultTypes, fault211_const_and_nested_results) {
  auto main = []() -> Coro<> {
    auto constant = []() -> Coro<const int> { co_return 5; };
    Result<const int> kept = co_await capture(constant());
    EXPECT_EQ(*kept, 5);
    auto task = create_task(constant);
    int of_task = co_await task;
    EXPECT_EQ(of_task, 5);
    auto nested = []() -> Coro<Result<int>> { co_return 5; };
    Result<Result<int>> captured = co_await capture(nested());
    EXPECT_EQ(**captured, 5);
    auto owned = []() -> Coro<std::unique_ptr<int>> { co_return std::make_unique<int>(5); };
    Result<std::unique_ptr<int>> pointer = co_await capture(owned());
    EXPECT_EQ(**pointer, 5);
    auto taken = std::move(pointer).value();
    EXPECT_EQ(*taken, 5);
  };
  run_virtual(main);
}

}  // namespace

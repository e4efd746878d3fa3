// SPDX-License-Identifier: BSL-1.0
/// A2.12: wait of single tasks takes a condition and a limit.
#include "asyncio/asyncio.hpp"
#include "virtual_loop.hpp"

#include <gtest/gtest.h>

#include <type_traits>

using namespace asyncio;
using namespace std::chrono_literals;
using test::run_virtual;

namespace {

Coro<int> after(Delay delay, int value) {
  co_await sleep(delay);
  co_return value;
}

TEST(WaitOperands, A2_12_first_completed) {
  run_virtual([]() -> Coro<> {
    Task<int> slow = create_task(after, 2s, 1);
    Task<int> fast = create_task(after, 1s, 2);
    auto result = co_await wait(slow, fast, FIRST_COMPLETED);
    static_assert(std::is_same_v<decltype(result), WaitResult<Task<int>>>);
    EXPECT_EQ(result.done, std::vector<Task<int>>{fast});
    EXPECT_EQ(result.pending, std::vector<Task<int>>{slow});
  });
}

TEST(WaitOperands, A2_12_first_exception_of_different_types) {
  run_virtual([]() -> Coro<> {
    Task<int> number = create_task(after, 1s, 1);
    Task<> fails = create_task([]() -> Coro<> {
      co_await sleep(2s);
      throw ValueError("first");
    });
    Task<int> last = create_task(after, 3s, 3);
    auto result = co_await wait(number, fails, last, FIRST_EXCEPTION);
    static_assert(std::is_same_v<decltype(result), WaitResult<FutureHandle>>);
    EXPECT_EQ(result.done.size(), 2u);
    EXPECT_EQ(result.pending.size(), 1u);
    EXPECT_TRUE(fails.exception());
  });
}

TEST(WaitOperands, A2_12_a_limit_with_and_without_a_condition) {
  run_virtual([]() -> Coro<> {
    Task<int> slow = create_task(after, 1h, 1);
    auto began = get_running_loop().time();
    auto result = co_await wait(slow, 5s);
    EXPECT_EQ(result.pending.size(), 1u);
    EXPECT_EQ(get_running_loop().time() - began, 5s);
    result = co_await wait(slow, FIRST_COMPLETED, 5s);
    EXPECT_EQ(result.pending.size(), 1u);
    EXPECT_EQ(get_running_loop().time() - began, 10s);
    result = co_await wait(slow);
    EXPECT_EQ(result.done.size(), 1u);
  });
}

}  // namespace

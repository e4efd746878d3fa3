// SPDX-License-Identifier: BSL-1.0
// A2.9: shield.
#include "asyncio/asyncio.hpp"
#include "captures.hpp"
#include "virtual_loop.hpp"

#include <gtest/gtest.h>

#include <memory>
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
Coro<> shielded(Task<int> inner) { co_await shield(inner); }

TEST(Shield, A2_9_a_cancelled_await_leaves_the_inner_task_running) {
  run_virtual([]() -> Coro<> {
    Task<int> inner = create_task(work(2s, 7));
    Task<> outer = create_task(shielded(inner));
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
    EXPECT_TRUE(again.done());
    EXPECT_EQ(again.result(), 2);
    auto only = []() -> Coro<std::unique_ptr<int>> { co_return std::make_unique<int>(3); };
    std::unique_ptr<int> moved = co_await shield(only());
    EXPECT_EQ(*moved, 3);
  });
}

TEST(Shield, A2_9_cancelling_the_inner_task_cancels_the_await) {
  run_virtual([]() -> Coro<> {
    Task<int> inner = create_task(work(1h, 7));
    Task<> outer = create_task(shielded(inner));
    co_await sleep(1s);
    inner.cancel();
    auto ended = co_await capture(outer);
    EXPECT_TRUE(ended.cancelled());
    EXPECT_EQ(outer.cancelling(), 0);  // nobody asked the outer one
  });
}

Coro<int> fails_later() {
  co_await sleep(2s);
  throw ValueError("too late");
}

TEST(Shield, A2_9_D3_an_error_after_the_cancelled_await_is_reported) {
  run_virtual([]() -> Coro<> {
    ReportCapture reports(get_running_loop());
    Task<int> inner = create_task(fails_later());
    Task<> outer = create_task(shielded(inner));
    co_await sleep(1s);
    outer.cancel();
    auto ended = co_await capture(outer);
    EXPECT_TRUE(ended.cancelled());
    co_await sleep(2s);
    EXPECT_EQ(reports.reports, (std::vector<std::string>{"ValueError exception in shielded future: "
                                                         "asyncio::ValueError: too late"}));
    inner.exception();
    get_running_loop().set_exception_handler({});
  });
}

TEST(Shield, A2_9_D3_an_error_that_is_awaited_is_not_reported) {
  run_virtual([]() -> Coro<> {
    ReportCapture reports(get_running_loop());
    auto ended = co_await capture(shield(fails_later()));
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

}  // namespace

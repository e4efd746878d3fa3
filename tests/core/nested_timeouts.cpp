// SPDX-License-Identifier: BSL-1.0
// Fault 12: a timeout within another converts only the cancellation that it asked for.
#include "asyncio/capture.hpp"
#include "asyncio/sleep.hpp"
#include "asyncio/timeout.hpp"
#include "timeout_cases.hpp"
#include "virtual_loop.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

using namespace asyncio;
using namespace std::chrono_literals;
using test::Case;
using test::leaving;
using test::name_of;
using test::now;
using test::sleep_long;
using test::Timeouts;

namespace {

Coro<> equal_deadlines_only_the_outermost_throws() {
  TimePoint deadline = now() + 10ms;
  Timeout outer = timeout_at(deadline);
  Timeout inner = timeout_at(deadline);
  std::string inner_left;
  std::string left = co_await leaving(outer, [&]() -> Coro<> {
    auto outcome = co_await capture(with(inner, sleep_long));
    inner_left = outcome.cancelled() ? "CancelledError" : "something else";
    outcome.value();
  });
  EXPECT_EQ(inner_left, "CancelledError");
  EXPECT_EQ(left, "TimeoutError");
  EXPECT_TRUE(outer.expired() && inner.expired());
}

Coro<> both_expire_while_the_loop_is_blocked() {
  Timeout outer = timeout(2ms);
  Timeout inner = timeout(100ms);
  std::string left = co_await leaving(outer, [&]() -> Coro<> {
    std::string inside = co_await leaving(inner, []() -> Coro<> {
      test::block_for(10ms);
      co_await sleep(1s);
    });
    EXPECT_EQ(inside, "CancelledError");  // only the outer one has expired
    throw CancelledError();
  });
  EXPECT_EQ(left, "TimeoutError");
  EXPECT_FALSE(inner.expired());
}

Coro<> inner_is_caught_then_the_outer_expires() {
  TimePoint begin = now();
  Timeout outer = timeout(100ms);
  Timeout inner = timeout(10ms);
  std::string left = co_await leaving(outer, [&]() -> Coro<> {
    std::string inside = co_await leaving(inner, []() -> Coro<> {
      test::block_for(50ms);
      co_await sleep(1s);
    });
    EXPECT_EQ(inside, "TimeoutError");
    co_await sleep(10s);
  });
  EXPECT_EQ(left, "TimeoutError");
  EXPECT_EQ(now(), begin + 100ms);
}

Coro<> inner_in_the_clean_up_of_the_outer() {
  Timeout outer = timeout(10ms);
  std::string inside;
  std::string left = co_await leaving(outer, [&]() -> Coro<> {
    auto slept = co_await capture(sleep(1s));
    Timeout inner = timeout(10ms);
    inside = co_await leaving(inner, sleep_long);
    slept.value();
  });
  EXPECT_EQ(inside, "TimeoutError");
  EXPECT_EQ(left, "TimeoutError");
}

Coro<> inner_swallows_and_goes_on_to_its_own_expiry() {
  Timeout outer = timeout(10ms);
  Timeout inner = timeout(20ms);
  int requests = 0;
  std::string left = co_await leaving(outer, [&]() -> Coro<> {
    co_await with(inner, [&]() -> Coro<> {
      for (int i = 0; i < 2; ++i) {
        auto slept = co_await capture(sleep(10s));
        if (slept.cancelled()) ++requests;
      }
    });
  });
  EXPECT_EQ(left, "nothing");  // both requests were swallowed
  EXPECT_EQ(requests, 2);
  EXPECT_TRUE(outer.expired() && inner.expired());
}

Coro<> ten_deep_and_each_converts_its_own() {
  std::vector<int> converted;
  auto nest = [&converted](int depth, auto& self) -> Coro<> {
    if (depth == 0) co_return co_await sleep_long();
    Timeout scope = timeout(Delay(depth * 10ms));
    auto outcome =
        co_await capture(with(scope, [&]() -> Coro<> { co_await self(depth - 1, self); }));
    if (outcome.template holds<TimeoutError>()) converted.push_back(depth);
    co_await sleep(10s);  // catches it and goes on, until the next scope ends this
  };
  co_await nest(10, nest);
  EXPECT_EQ(converted, (std::vector<int>{1, 2, 3, 4, 5, 6, 7, 8, 9, 10}));
}

#define CASE(function) \
  Case { #function, function }

INSTANTIATE_TEST_SUITE_P(Nested, Timeouts,
                         ::testing::Values(CASE(equal_deadlines_only_the_outermost_throws),
                                           CASE(both_expire_while_the_loop_is_blocked),
                                           CASE(inner_is_caught_then_the_outer_expires),
                                           CASE(inner_in_the_clean_up_of_the_outer),
                                           CASE(inner_swallows_and_goes_on_to_its_own_expiry),
                                           CASE(ten_deep_and_each_converts_its_own)),
                         name_of);

#undef CASE

}  // namespace

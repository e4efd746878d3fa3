// SPDX-License-Identifier: BSL-1.0
/// What the tables of situations with timeouts have in common.
#pragma once

#include "asyncio/capture.hpp"
#include "asyncio/sleep.hpp"
#include "asyncio/timeout.hpp"
#include "asyncio/with.hpp"
#include "virtual_loop.hpp"

#include <gtest/gtest.h>

#include <string>

namespace test {

using namespace std::chrono_literals;
using asyncio::Coro;
using asyncio::get_running_loop;

inline asyncio::TimePoint now() { return get_running_loop().time(); }

inline Coro<> sleep_long() { co_await asyncio::sleep(10s); }

/// "TimeoutError", "CancelledError", "nothing" or what else leaves a `with`.
template <class Manager, class Body>
Coro<std::string> leaving(Manager& scope, Body body) {
  auto outcome = co_await asyncio::capture(asyncio::with(scope, body));
  if (outcome.template holds<asyncio::TimeoutError>()) co_return "TimeoutError";
  if (outcome.cancelled()) co_return "CancelledError";
  if (outcome.has_exception()) co_return asyncio::describe_exception(outcome.exception());
  co_return "nothing";
}

struct Case {
  const char* name;
  Coro<> (*body)();
};

/// Every case leaves the task without a cancellation request.
class Timeouts : public ::testing::TestWithParam<Case> {};

TEST_P(Timeouts, fault12) {
  run_virtual([]() -> Coro<> {
    co_await GetParam().body();
    EXPECT_EQ(asyncio::current_task()->cancelling(), 0);
    EXPECT_EQ(get_running_loop().impl().armed_timers(), 0u);
    co_await asyncio::sleep(1s);  // no request is left over
  });
}

inline std::string name_of(const ::testing::TestParamInfo<Case>& info) { return info.param.name; }

}  // namespace test

// SPDX-License-Identifier: BSL-1.0
// Fault 6: a timeout expires about when the operation under it completes. For every awaitable and
// so many ticks between the two, in both orders: a value, or a timeout with the value still there
// (R1, R2); never neither.
#include "asyncio/testing/simulated.hpp"
#include "sweep_case.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <vector>

namespace {

using namespace asyncio;
using namespace std::chrono_literals;

constexpr int kTicks = 8;

Coro<> ticks(int count) {
  for (int i = 0; i < count; ++i) co_await sleep(0s);
}

/// With a negative distance the timeout comes first.
Coro<> race(sweep::Entry entry, int distance) {
  auto subject = entry.make();
  co_await subject->prepare();
  bool timed_out = false;
  auto limited = [&]() -> Coro<> {
    try {
      co_await with(timeout(1s), [&]() -> Coro<> { co_await subject->operation(); });
    } catch (const TimeoutError&) {
      timed_out = true;
    }
    EXPECT_EQ(current_task()->cancelling(), 0);
  };
  Task<> task = create_task(limited);
  co_await ticks(kTicks);
  EXPECT_FALSE(task.done()) << "it did not have to wait";
  if (distance >= 0) subject->complete();
  co_await ticks(distance);
  asyncio::testing::block_for(1s);
  co_await ticks(-distance);
  if (distance < 0) subject->complete();

  auto ended = co_await capture(wait_for(task, 1h));
  EXPECT_TRUE(ended.has_value()) << describe_exception(ended.exception());
  auto again = co_await capture(wait_for(subject->use_again(), 1h));
  EXPECT_TRUE(again.has_value()) << (timed_out ? "after a timeout: " : "after a value: ")
                                 << describe_exception(again.exception());
}

class TimeoutSweep : public ::testing::TestWithParam<sweep::Entry> {};

TEST_P(TimeoutSweep, fault6_value_or_timeout_with_the_value_still_obtainable) {
  for (int distance = -kTicks; distance <= kTicks; ++distance) {
    SCOPED_TRACE("completed " + std::to_string(distance) + " ticks before the timeout");
    asyncio::testing::run_simulated(race(GetParam(), distance));
  }
}

std::vector<sweep::Entry> entries() {
  std::vector<sweep::Entry> all;
  for (const sweep::Entry& entry : sweep::all_entries())
    if (entry.loops != sweep::On::system) all.push_back(entry);
  return all;
}

INSTANTIATE_TEST_SUITE_P(EveryAwaitable, TimeoutSweep, ::testing::ValuesIn(entries()),
                         [](const ::testing::TestParamInfo<sweep::Entry>& each) {
                           return std::string(each.param.name);
                         });

}  // namespace

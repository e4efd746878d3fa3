// SPDX-License-Identifier: BSL-1.0
// Fault 212: debug checks are switched on and off at run time (EventLoop::set_debug), never by a
// macro, so differently compiled units of one program agree.
#include "abi.hpp"

#include "virtual_loop.hpp"

#include <gtest/gtest.h>

using namespace asyncio;
using test::run_virtual;

namespace {

constexpr bool kAssertions =
#ifdef NDEBUG
    false;
#else
    true;
#endif

TEST(Abi, fault212_units_with_and_without_NDEBUG_agree_on_every_layout) {
  ASSERT_NE(units::other_unit_has_assertions(), kAssertions);
  EXPECT_EQ(units::layout_in_other_unit(), units::layout());
}

TEST(Abi, fault212_coroutines_tasks_and_generators_cross_the_border) {
  auto main = []() -> Coro<> {
    Queue<int> queue(1);
    Task<int> sum = create_task(units::sum_of, std::ref(queue));
    auto numbers = units::count_to(10);
    while (auto number = co_await numbers.next()) co_await queue.put(*number);
    queue.shutdown();
    int total = co_await sum;
    EXPECT_EQ(total, 55);

    Task<std::string> greeting = units::start_greeting("unit");
    auto [text, again] = co_await gather(greeting, wait_for(greeting, std::chrono::seconds(1)));
    EXPECT_EQ(text, "hello unit");
    EXPECT_EQ(again, "hello unit");
  };
  run_virtual(main);
}

}  // namespace

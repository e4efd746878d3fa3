// SPDX-License-Identifier: BSL-1.0
// Fault 12: a timeout converts only the cancellation that it asked for, however scopes are nested
// and whatever the code inside does with it. A table of the situations that CPython's own tests of
// asyncio.timeout look at, and some more; nested_timeouts.cpp has those of one in another.
#include "asyncio/sleep.hpp"
#include "asyncio/task_group.hpp"
#include "asyncio/timeout.hpp"
#include "asyncio/try.hpp"
#include "captures.hpp"
#include "timeout_cases.hpp"
#include "virtual_loop.hpp"

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <vector>

using namespace asyncio;
using namespace std::chrono_literals;
using test::Case;
using test::leaving;
using test::name_of;
using test::now;
using test::sleep_long;
using test::thrown;
using test::Timeouts;

namespace {

// One scope -----------------------------------------------------------------------------------

Coro<> expires() {
  Timeout scope = timeout(10ms);
  TimePoint deadline = now() + 10ms;
  std::string left = co_await leaving(scope, sleep_long);
  EXPECT_EQ(left, "TimeoutError");
  EXPECT_TRUE(scope.expired());
  EXPECT_EQ(now(), deadline);
}

Coro<> expires_at_a_point_in_time() {
  TimePoint deadline = now() + 10ms;
  Timeout scope = timeout_at(deadline);
  std::string left = co_await leaving(scope, sleep_long);
  EXPECT_EQ(left, "TimeoutError");
  EXPECT_TRUE(scope.expired());
  EXPECT_EQ(scope.when(), deadline);
}

Coro<> body_sees_the_cancellation() {
  bool cancelled = false;
  Timeout scope = timeout(10ms);
  std::string left = co_await leaving(scope, [&]() -> Coro<> {
    auto slept = co_await capture(sleep(10s));
    cancelled = slept.cancelled();
    EXPECT_TRUE(scope.expired());
    slept.value();
  });
  EXPECT_EQ(left, "TimeoutError");
  EXPECT_TRUE(cancelled);
}

Coro<> does_not_expire() {
  Timeout scope = timeout(10s);
  std::string left = co_await leaving(scope, []() -> Coro<> { co_await sleep(10ms); });
  EXPECT_EQ(left, "nothing");
  EXPECT_FALSE(scope.expired());
  EXPECT_GT(scope.when(), now());
}

Coro<> without_a_limit() {
  Timeout scope = timeout(std::nullopt);
  std::string left = co_await leaving(scope, sleep_long);
  EXPECT_EQ(left, "nothing");
  EXPECT_FALSE(scope.expired());
  EXPECT_EQ(scope.when(), std::nullopt);
}

Coro<> without_a_point_in_time() {
  Timeout scope = timeout_at(std::nullopt);
  std::string left = co_await leaving(scope, sleep_long);
  EXPECT_EQ(left, "nothing");
  EXPECT_FALSE(scope.expired());
  EXPECT_EQ(scope.when(), std::nullopt);
}

Coro<> zero_ends_a_long_wait() {
  TimePoint begin = now();
  Timeout scope = timeout(0s);
  std::string left = co_await leaving(scope, sleep_long);
  EXPECT_EQ(left, "TimeoutError");
  EXPECT_TRUE(scope.expired());
  EXPECT_EQ(scope.when(), begin);
  EXPECT_EQ(now(), begin);
}

Coro<> zero_ends_a_yield() {
  Timeout scope = timeout(0s);
  std::string left = co_await leaving(scope, []() -> Coro<> { co_await sleep(0s); });
  EXPECT_EQ(left, "TimeoutError");
  EXPECT_TRUE(scope.expired());
}

Coro<> past_ends_a_yield() {
  TimePoint begin = now();
  Timeout scope = timeout(-11s);
  std::string left = co_await leaving(scope, []() -> Coro<> { co_await sleep(0s); });
  EXPECT_EQ(left, "TimeoutError");
  EXPECT_TRUE(scope.expired());
  EXPECT_EQ(scope.when(), begin - 11s);
}

Coro<> cause_is_the_cancellation() {
  auto outcome = co_await capture(with(timeout(0s), sleep_long));
  std::exception_ptr cause;
  try {
    outcome.value();
  } catch (const TimeoutError& error) {
    cause = error.cause();
  }
  EXPECT_EQ(describe_exception(cause), "asyncio::CancelledError");
}

Coro<> task_of_the_scope_is_not_cancelled() {
  auto body = []() -> Coro<std::string> {
    Timeout scope = timeout(1ms);
    co_return co_await leaving(scope, sleep_long);
  };
  Task<std::string> task = create_task(body);
  std::string left = co_await task;
  EXPECT_EQ(left, "TimeoutError");
  EXPECT_FALSE(task.cancelled());
  EXPECT_EQ(task.cancelling(), 0);
}

// Other errors and cancellations ----------------------------------------------------------------

Coro<> other_exception_passes() {
  Timeout scope = timeout(10ms);
  std::string left = co_await leaving(scope, []() -> Coro<> {
    throw LookupError("key");
    co_return;
  });
  EXPECT_EQ(left, "asyncio::LookupError: key");
  EXPECT_FALSE(scope.expired());
}

Coro<> other_exception_on_expiry_passes() {
  Timeout scope = timeout(10ms);
  std::string left = co_await leaving(scope, []() -> Coro<> {
    auto slept = co_await capture(sleep(1s));
    EXPECT_TRUE(slept.cancelled());
    throw ValueError("in the clean-up");
  });
  EXPECT_EQ(left, "asyncio::ValueError: in the clean-up");
  EXPECT_TRUE(scope.expired());
}

Coro<> group_in_a_scope_reports_its_errors() {
  auto child = []() -> Coro<> {
    auto slept = co_await capture(sleep(10s));
    EXPECT_TRUE(slept.cancelled());
    throw ValueError("child");
  };
  Timeout scope = timeout(10ms);
  std::string left = co_await leaving(scope, [&]() -> Coro<> {
    co_await with(TaskGroup(), [&](TaskGroup& group) -> Coro<> {
      group.create_task(child);
      co_await sleep(10s);
    });
  });
  EXPECT_EQ(left,
            "asyncio::ExceptionGroup: unhandled errors in a TaskGroup (1 sub-exception)\n  "
            "asyncio::ValueError: child");
  EXPECT_TRUE(scope.expired());
}

Coro<> cancellation_by_others_stays_one() {
  Timeout scope = timeout(10s);
  std::string left = co_await leaving(scope, []() -> Coro<> {
    current_task()->cancel();
    co_await sleep(10s);
  });
  EXPECT_EQ(left, "CancelledError");
  EXPECT_FALSE(scope.expired());
  EXPECT_EQ(current_task()->uncancel(), 0);
}

Coro<> cancellation_by_others_in_the_tick_of_expiry_wins() {
  Timeout scope = timeout(10ms);
  TaskHandle self = *current_task();
  get_running_loop().call_at(*scope.when(), [self]() mutable { self.cancel("theirs"); });
  std::string left = co_await leaving(scope, sleep_long);
  EXPECT_EQ(left, "CancelledError");
  EXPECT_TRUE(scope.expired());
  EXPECT_EQ(current_task()->cancelling(), 1);
  EXPECT_EQ(current_task()->uncancel(), 0);
}

Coro<> expiry_after_a_cancellation_that_was_caught() {
  current_task()->cancel();
  auto slept = co_await capture(sleep(1s));
  EXPECT_TRUE(slept.cancelled());
  Timeout scope = timeout(0s);  // some clean-up
  std::string left = co_await leaving(scope, sleep_long);
  EXPECT_EQ(left, "TimeoutError");
  EXPECT_EQ(current_task()->uncancel(), 0);
}

Coro<> cancellation_inside_after_one_that_was_caught() {
  current_task()->cancel();
  auto slept = co_await capture(sleep(1s));
  EXPECT_TRUE(slept.cancelled());
  Timeout scope = timeout(1s);
  std::string left = co_await leaving(scope, []() -> Coro<> {
    current_task()->cancel();
    co_await sleep(2s);
  });
  EXPECT_EQ(left, "CancelledError");
  EXPECT_EQ(current_task()->uncancel(), 1);
  EXPECT_EQ(current_task()->uncancel(), 0);
}

Coro<> body_that_swallows_the_expiry_goes_on() {
  Timeout scope = timeout(10ms);
  std::string left = co_await leaving(scope, []() -> Coro<> {
    auto slept = co_await capture(sleep(10s));
    EXPECT_TRUE(slept.cancelled());
    co_await sleep(1s);  // there is no second request
  });
  EXPECT_EQ(left, "nothing");
  EXPECT_TRUE(scope.expired());
}

// Rescheduling and misuse -----------------------------------------------------------------------

Coro<> rescheduled_to_never_and_cancelled() {
  TimePoint first = now() + 10s;
  Timeout scope = timeout_at(first);
  auto body = [&]() -> Coro<> { co_await with(scope, []() -> Coro<> { co_await sleep(50s); }); };
  Task<> task = create_task(body);
  co_await sleep(0s);
  EXPECT_EQ(scope.when(), first);
  scope.reschedule(first + 20s);
  EXPECT_EQ(scope.when(), first + 20s);
  scope.reschedule(std::nullopt);
  EXPECT_EQ(scope.when(), std::nullopt);
  task.cancel();
  auto ended = co_await capture(task);
  EXPECT_TRUE(ended.cancelled());
  EXPECT_FALSE(scope.expired());
}

Coro<> rescheduled_to_the_past() {
  Timeout scope = timeout(10s);
  TimePoint begin = now();
  std::string left = co_await leaving(scope, [&]() -> Coro<> {
    scope.reschedule(begin - 1s);
    co_await sleep(10s);
  });
  EXPECT_EQ(left, "TimeoutError");
  EXPECT_EQ(now(), begin);
}

Coro<> entered_twice() {
  Timeout scope = timeout(10ms);
  std::string again;
  co_await with(scope, [&]() -> Coro<> { again = co_await leaving(scope, sleep_long); });
  EXPECT_EQ(again, "asyncio::RuntimeError: Timeout has already been entered");
}

Coro<> entered_again_after_its_end() {
  Timeout scope = timeout(10ms);
  co_await with(scope, [] {});
  std::string again = co_await leaving(scope, sleep_long);
  EXPECT_EQ(again, "asyncio::RuntimeError: Timeout has already been entered");
}

Coro<> rescheduled_after_its_end() {
  Timeout scope = timeout(10ms);
  co_await with(scope, [] {});
  EXPECT_EQ(thrown([&] { scope.reschedule(now()); }),
            "asyncio::RuntimeError: Cannot change state of finished Timeout");
}

Coro<> rescheduled_before_it_is_entered() {
  Timeout scope = timeout(10ms);
  EXPECT_EQ(thrown([&] { scope.reschedule(now()); }),
            "asyncio::RuntimeError: Timeout has not been entered");
  co_return;
}

Coro<> rescheduled_while_and_after_it_expires() {
  Timeout scope = timeout(10ms);
  co_await leaving(scope, [&]() -> Coro<> {
    auto slept = co_await capture(sleep(1s));
    EXPECT_EQ(thrown([&] { scope.reschedule(now()); }),
              "asyncio::RuntimeError: Cannot change state of expiring Timeout");
    slept.value();
  });
  EXPECT_EQ(thrown([&] { scope.reschedule(now()); }),
            "asyncio::RuntimeError: Cannot change state of expired Timeout");
}

Coro<> entered_outside_a_task() {
  Timeout scope = timeout(10ms);
  std::string text;
  get_running_loop().call_soon([&] { text = thrown([&] { scope.aenter(); }); });
  co_await sleep(0s);
  EXPECT_EQ(text, "asyncio::RuntimeError: Timeout should be used inside a task");
  EXPECT_EQ(thrown([&] { scope.reschedule(now()); }),
            "asyncio::RuntimeError: Timeout has not been entered");
}

// Texts ---------------------------------------------------------------------------------------

Coro<> text_while_active() {
  Timeout scope = timeout_at(TimePoint(3700s + 1500ms));
  EXPECT_EQ(scope.repr(), "<Timeout [created]>");
  co_await with(scope, [&] { EXPECT_EQ(scope.repr(), "<Timeout [active] when=3701.5>"); });
}

Coro<> text_when_expired() {
  Timeout scope = timeout(10ms);
  co_await leaving(scope, [&]() -> Coro<> {
    auto slept = co_await capture(sleep(1s));
    EXPECT_EQ(scope.repr(), "<Timeout [expiring]>");
    slept.value();
  });
  EXPECT_EQ(scope.repr(), "<Timeout [expired]>");
}

Coro<> text_when_finished() {
  Timeout scope = timeout(10s);
  co_await with(scope, []() -> Coro<> { co_await sleep(0s); });
  EXPECT_EQ(scope.repr(), "<Timeout [finished]>");
}

Coro<> text_without_a_limit() {
  Timeout scope = timeout(std::nullopt);
  co_await with(scope, [&] { EXPECT_EQ(scope.repr(), "<Timeout [active] when=None>"); });
}

#define CASE(function) \
  Case { #function, function }

INSTANTIATE_TEST_SUITE_P(One, Timeouts,
                         ::testing::Values(CASE(expires), CASE(expires_at_a_point_in_time),
                                           CASE(body_sees_the_cancellation), CASE(does_not_expire),
                                           CASE(without_a_limit), CASE(without_a_point_in_time),
                                           CASE(zero_ends_a_long_wait), CASE(zero_ends_a_yield),
                                           CASE(past_ends_a_yield), CASE(cause_is_the_cancellation),
                                           CASE(task_of_the_scope_is_not_cancelled)),
                         name_of);

INSTANTIATE_TEST_SUITE_P(Others, Timeouts,
                         ::testing::Values(CASE(other_exception_passes),
                                           CASE(other_exception_on_expiry_passes),
                                           CASE(group_in_a_scope_reports_its_errors),
                                           CASE(cancellation_by_others_stays_one),
                                           CASE(cancellation_by_others_in_the_tick_of_expiry_wins),
                                           CASE(expiry_after_a_cancellation_that_was_caught),
                                           CASE(cancellation_inside_after_one_that_was_caught),
                                           CASE(body_that_swallows_the_expiry_goes_on)),
                         name_of);

INSTANTIATE_TEST_SUITE_P(
    Misuse, Timeouts,
    ::testing::Values(CASE(rescheduled_to_never_and_cancelled), CASE(rescheduled_to_the_past),
                      CASE(entered_twice), CASE(entered_again_after_its_end),
                      CASE(rescheduled_after_its_end), CASE(rescheduled_before_it_is_entered),
                      CASE(rescheduled_while_and_after_it_expires), CASE(entered_outside_a_task)),
    name_of);

INSTANTIATE_TEST_SUITE_P(Text, Timeouts,
                         ::testing::Values(CASE(text_while_active), CASE(text_when_expired),
                                           CASE(text_when_finished), CASE(text_without_a_limit)),
                         name_of);

#undef CASE

}  // namespace

// SPDX-License-Identifier: BSL-1.0
/// D4: CPython's tests of TaskGroup and timeout that no other test of ours shows, statement by
/// statement; docs/internals/cpython-cancellation-tests.md has the list.
#include "asyncio/asyncio.hpp"
#include "captures.hpp"
#include "listed.hpp"
#include "virtual_loop.hpp"

#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <utility>

using namespace listed;
using test::Counted;
using test::run_virtual;
using test::thrown;

namespace {

// A group in a group ------------------------------------------------------------------------------

// test_taskgroup_11, test_taskgroup_12
TEST(ListedGroups, A2_4_D4_a_group_of_the_errors_of_the_inner_group) {
  for (bool outer_has_a_task : {false, true}) {
    run_virtual([outer_has_a_task]() -> Coro<> {
      auto inner = [](TaskGroup& group) -> Coro<> {
        for (int i = 0; i < 2; ++i) group.create_task(stubborn("task"));
        co_await sleep(10s);
      };
      auto runner = [&]() -> Coro<> {
        co_await with(TaskGroup(), [&](TaskGroup& group) -> Coro<> {
          if (outer_has_a_task) group.create_task(sleep(10s));
          co_await with(TaskGroup(), inner);
        });
      };
      std::string ended = co_await cancelled_soon(runner);
      EXPECT_EQ(ended, "[[task, task]]");
    });
  }
}

// test_taskgroup_13, test_taskgroup_14
TEST(ListedGroups, A2_4_D4_a_task_of_the_outer_or_of_the_inner_group_fails) {
  for (bool outer : {false, true}) {
    run_virtual([outer]() -> Coro<> {
      auto runner = [&]() -> Coro<> {
        co_await with(TaskGroup(), [&](TaskGroup& first) -> Coro<> {
          first.create_task(fail_after(outer ? Delay(100ms) : Delay(10s), "task"));
          co_await with(TaskGroup(), [&](TaskGroup& second) -> Coro<> {
            second.create_task(fail_after(outer ? Delay(10s) : Delay(100ms), "task"));
            co_return;
          });
        });
      };
      Task<> task = create_task(std::ref(runner));
      auto ended = co_await capture(task);
      EXPECT_EQ(shape_of(ended), outer ? "[task]" : "[[task]]");
    });
  }
}

// test_nested_groups_both_cancelled
TEST(ListedGroups, A2_4_D4_both_groups_fail_in_one_tick) {
  run_virtual([]() -> Coro<> {
    auto ended = co_await capture(with(TaskGroup(), [](TaskGroup& outer) -> Coro<> {
      auto left = co_await capture(with(TaskGroup(), [&](TaskGroup& inner) -> Coro<> {
        inner.create_task(fail_after(0s, "inner"));
        outer.create_task(fail_after(0s, "outer"));
        co_return;
      }));
      EXPECT_EQ(shape_of(left), "[inner]");
      EXPECT_EQ(current_task()->cancelling(), 1);
    }));
    EXPECT_EQ(shape_of(ended), "[outer]");
    EXPECT_EQ(current_task()->cancelling(), 0);
    co_await sleep(1s);  // no request is left over
  });
}

// Misuse ------------------------------------------------------------------------------------------

// test_taskgroup_already_entered
TEST(ListedGroups, A2_4_D4_a_group_is_entered_within_itself) {
  run_virtual([]() -> Coro<> {
    TaskGroup group;
    co_await with(group, [&]() -> Coro<> {
      auto again = co_await capture(with(group, [] { ADD_FAILURE() << "entered"; }));
      EXPECT_EQ(describe_exception(again.exception()),
                "asyncio::RuntimeError: TaskGroup has already been entered");
    });
  });
}

// test_taskgroup_without_parent_task
TEST(ListedGroups, A2_4_D4_a_group_is_entered_outside_of_a_task) {
  test::LogCapture log;
  run_virtual([]() -> Coro<> {
    TaskGroup group;
    std::string text;
    get_running_loop().call_soon([&] { text = thrown([&] { group.aenter(); }); });
    co_await sleep(0s);
    EXPECT_EQ(text, "asyncio::RuntimeError: TaskGroup cannot determine the parent task");
    EXPECT_EQ(thrown([&] { group.create_task(sleep(0s)); }),
              "asyncio::RuntimeError: TaskGroup has not been entered");
  });
  EXPECT_TRUE(log.records.empty()) << log.all();
}

// test_taskgroup_not_entered, test_taskgroup_finished, test_coro_closed_when_tg_closed
TEST(ListedGroups, A2_4_D4_a_coroutine_that_is_refused_is_closed) {
  test::LogCapture log;
  run_virtual([]() -> Coro<> {
    TaskGroup group;
    auto refuse = [&](const std::string& reason) {
      int before = Counted::alive;
      auto body = [](Counted) -> Coro<> { co_return; };
      std::string text = "asyncio::RuntimeError: TaskGroup " + reason;
      auto coro = body(Counted());
      EXPECT_EQ(thrown([&] { group.create_task(std::move(coro)); }), text);
      EXPECT_EQ(Counted::alive, before);
      EXPECT_EQ(thrown([&] { group.create_task(body(Counted()), TaskOptions().name("x")); }), text);
      EXPECT_EQ(thrown([&] { group.create_task(TaskOptions().name("x"), body(Counted())); }), text);
      EXPECT_EQ(thrown([&] { group.create_task(body, Counted()); }), text);
      EXPECT_EQ(Counted::alive, before);
    };
    refuse("has not been entered");
    co_await with(group, [&]() -> Coro<> {
      group.cancel();
      refuse("is shutting down");
      co_return;
    });
    refuse("is finished");
  });
  EXPECT_TRUE(log.records.empty()) << log.all();
}

// Timeouts ----------------------------------------------------------------------------------------

// test_timeout_exception_context
TEST(ListedTimeouts, A2_10_D4_expires_in_the_clean_up_after_an_error) {
  run_virtual([]() -> Coro<> {
    auto left = co_await capture(with(timeout(10ms), []() -> Coro<> {
      co_await try_([]() -> Coro<> {
        throw ValueError("body");
        co_return;
      }).finally_([]() -> Coro<> { co_await sleep(1s); });
    }));
    EXPECT_TRUE(left.holds<TimeoutError>());
    std::exception_ptr cause;
    try {
      left.value();
    } catch (const TimeoutError& error) {
      cause = error.cause();
    }
    EXPECT_EQ(shape_of(cause), "cancelled");
  });
}

// test_foreign_exception_on_timeout_2
TEST(ListedTimeouts, A2_10_D4_of_errors_in_clean_ups_the_last_one_leaves) {
  run_virtual([]() -> Coro<> {
    auto fails = [](const char* text) -> Coro<> {
      throw ValueError(text);
      co_return;
    };
    Timeout scope = timeout(10ms);
    auto left = co_await capture(with(scope, [&]() -> Coro<> {
      co_await try_([&]() -> Coro<> {
        co_await try_([&]() -> Coro<> { co_await fails("first"); }).finally_([]() -> Coro<> {
          co_await sleep(1s);
        });
      }).finally_([&]() -> Coro<> {
        co_await try_([&]() -> Coro<> { co_await fails("second"); }).finally_([&]() -> Coro<> {
          co_await fails("third");
        });
      });
    }));
    EXPECT_EQ(shape_of(left), "third");
    EXPECT_TRUE(scope.expired());
    EXPECT_EQ(current_task()->cancelling(), 0);
  });
}

// test_nested_timeouts_loop_busy
TEST(ListedTimeouts, A2_10_D4_both_expire_while_the_loop_is_busy) {
  run_virtual([]() -> Coro<> {
    TimePoint begin = get_running_loop().time();
    auto left = co_await capture(with(timeout(100ms), []() -> Coro<> {
      auto inside = co_await capture(with(timeout(10ms), []() -> Coro<> {
        test::block_for(100ms);
        co_await sleep(1s);
      }));
      EXPECT_TRUE(inside.cancelled());  // both have asked: it is the outer one's
      inside.value();
      co_await sleep(10s);
    }));
    EXPECT_TRUE(left.holds<TimeoutError>());
    EXPECT_EQ(get_running_loop().time(), begin + 100ms);
    EXPECT_EQ(current_task()->cancelling(), 0);
  });
}

// test_timeout_taskgroup
TEST(ListedTimeouts, A2_10_D4_errors_of_a_group_leave_a_scope_that_expired) {
  run_virtual([]() -> Coro<> {
    Timeout scope = timeout(10ms);
    auto left = co_await capture(with(scope, []() -> Coro<> {
      co_await with(TaskGroup(), [](TaskGroup& group) -> Coro<> {
        group.create_task(stubborn("task"));
        co_await try_([]() -> Coro<> {
          throw LookupError("body");
          co_return;
        }).finally_([]() -> Coro<> { co_await sleep(1s); });
      });
    }));
    EXPECT_EQ(shape_of(left), "[task]");
    EXPECT_TRUE(scope.expired());
    EXPECT_EQ(current_task()->cancelling(), 0);
  });
}

}  // namespace

// SPDX-License-Identifier: BSL-1.0
/// D4: CPython's tests of TaskGroup and timeout that no other test of ours shows, statement by
/// statement; docs/internals/cpython-cancellation-tests.md has the list.
#include "asyncio/asyncio.hpp"
#include "captures.hpp"
#include "listed.hpp"
#include "virtual_loop.hpp"

#include <gtest/gtest.h>

#include <functional>
#include <optional>
#include <string>

using namespace listed;
using test::Counted;
using test::run_virtual;
using test::thrown;

namespace {

// Tasks that are added late, or end early ---------------------------------------------------------

TEST(ListedGroups, A2_4_D4_a_task_is_added_when_the_body_has_waited) {  // test_taskgroup_02
  run_virtual([]() -> Coro<> {
    std::optional<Task<int>> first, second;
    co_await with(TaskGroup(), [&](TaskGroup& group) -> Coro<> {
      first = group.create_task(value_after(100ms, 42));
      co_await sleep(150ms);
      EXPECT_TRUE(first->done());
      second = group.create_task(value_after(200ms, 11));
    });
    EXPECT_EQ(first->result(), 42);
    EXPECT_EQ(second->result(), 11);
  });
}

TEST(ListedGroups, A2_4_D4_a_task_is_added_after_another_was_cancelled) {  // test_taskgroup_03
  run_virtual([]() -> Coro<> {
    std::optional<Task<int>> first, second;
    co_await with(TaskGroup(), [&](TaskGroup& group) -> Coro<> {
      first = group.create_task(value_after(1s, 42));
      co_await sleep(150ms);
      first->cancel();
      second = group.create_task(value_after(200ms, 11));
    });
    EXPECT_TRUE(first->cancelled());
    EXPECT_EQ(second->result(), 11);
  });
}

TEST(ListedGroups, A2_4_D4_tasks_that_have_ended_are_let_go) {  // test_taskgroup_23
  run_virtual([]() -> Coro<> {
    int before = Counted::alive;
    auto job = []() -> Coro<Counted> {
      co_await sleep(300ms);
      co_return Counted();
    };
    co_await with(TaskGroup(), [&](TaskGroup& group) -> Coro<> {
      for (int count = 0; count < 10; ++count) {
        co_await sleep(100ms);
        group.create_task(job());
        if (count == 5) {
          EXPECT_LT(all_tasks().size(), 1u + 5u);
        }
      }
      co_await sleep(1350ms);
      EXPECT_EQ(all_tasks().size(), 1u);
      EXPECT_EQ(Counted::alive, before);  // nor are their results kept
    });
  });
}

TEST(ListedGroups,
     A2_4_D4_tasks_that_add_two_each_are_ended_by_one_that_fails) {  // test_taskgroup_25
  run_virtual([]() -> Coro<> {
    int hydras = 0;
    std::function<Coro<>(TaskGroup&)> hydra = [&](TaskGroup& group) -> Coro<> {
      ++hydras;
      co_await sleep(10ms);
      group.create_task(hydra(group));
      group.create_task(hydra(group));
    };
    auto hercules = [&]() -> Coro<> {
      while (hydras < 10) co_await sleep(15ms);
      throw ValueError("club");
    };
    auto ended = co_await capture(with(TaskGroup(), [&](TaskGroup& group) -> Coro<> {
      group.create_task(hydra(group));
      group.create_task(hercules());
      co_return;
    }));
    EXPECT_EQ(shape_of(ended), "[club]");
    EXPECT_GE(hydras, 10);
    EXPECT_EQ(all_tasks().size(), 1u);
  });
}

TEST(ListedGroups, A2_4_D4_a_task_has_the_name_that_it_was_given) {  // test_taskgroup_task_name
  run_virtual([]() -> Coro<> {
    co_await with(TaskGroup(), [](TaskGroup& group) -> Coro<> {
      Task<> task = group.create_task(sleep(0s), TaskOptions().name("yolo"));
      EXPECT_EQ(task.get_name(), "yolo");
      Task<> other = group.create_task(TaskOptions().name("too"), sleep(0s));
      EXPECT_EQ(other.get_name(), "too");
      co_return;
    });
  });
}

ContextVar<int> variable("cvar");

TEST(ListedGroups, A2_4_D4_tasks_may_share_a_context) {  // test_taskgroup_task_context
  run_virtual([]() -> Coro<> {
    auto body = [](int value) -> Coro<> {
      co_await sleep(0s);
      variable.set(value);
    };
    co_await with(TaskGroup(), [&](TaskGroup& group) -> Coro<> {
      Context context = copy_context();
      auto value = [&] { return context.run([] { return variable.get(-1); }); };
      EXPECT_EQ(value(), -1);
      Task<> first = group.create_task(body(1), TaskOptions().context(context));
      co_await first;
      EXPECT_EQ(value(), 1);
      Task<> second = group.create_task(body(2), TaskOptions().context(context));
      co_await second;
      EXPECT_EQ(value(), 2);
    });
    EXPECT_EQ(variable.get(-1), -1);
  });
}

// A task fails ------------------------------------------------------------------------------------

TEST(ListedGroups, A2_4_D4_a_task_fails_when_the_body_has_ended) {  // test_taskgroup_04
  run_virtual([]() -> Coro<> {
    int cancelled = 0;
    bool after = false;
    std::optional<Task<>> other;
    auto runner = [&]() -> Coro<> {
      co_await with(TaskGroup(), [&](TaskGroup& group) -> Coro<> {
        group.create_task(fail_after(100ms, "failed"));
        other = group.create_task(counting(cancelled, 1));
        co_return;
      });
      after = true;
    };
    Task<> task = create_task(std::ref(runner));
    auto ended = co_await capture(task);
    EXPECT_EQ(shape_of(ended), "[failed]");
    EXPECT_FALSE(after);
    EXPECT_EQ(cancelled, 1);
    EXPECT_TRUE(other->cancelled());
  });
}

// test_cancel_children_on_child_error
TEST(ListedGroups, A2_4_D4_three_tasks_fail_in_one_tick) {
  run_virtual([]() -> Coro<> {
    int cancelled = 0;
    bool after = false;
    auto runner = [&]() -> Coro<> {
      co_await with(TaskGroup(), [&](TaskGroup& group) -> Coro<> {
        for (int i = 0; i < 3; ++i) group.create_task(fail_after(100ms, "failed"));
        group.create_task(counting(cancelled, 1));
        co_await counting(cancelled, 10);
      });
      after = true;
    };
    Task<> task = create_task(std::ref(runner));
    auto ended = co_await capture(task);
    EXPECT_EQ(shape_of(ended), "[failed, failed, failed]");
    EXPECT_FALSE(after);
    EXPECT_EQ(cancelled, 11);
  });
}

// test_taskgroup_no_create_task_after_failure
TEST(ListedGroups, A2_4_D4_a_task_in_its_clean_up_cannot_add_one) {
  run_virtual([]() -> Coro<> {
    std::string text;
    auto cleaning = [&](TaskGroup& group) -> Coro<> {
      auto slept = co_await capture(sleep(1s));
      EXPECT_TRUE(slept.cancelled());
      text = thrown([&] { group.create_task(fail_after(1ms, "late")); });
    };
    auto ended = co_await capture(with(TaskGroup(), [&](TaskGroup& group) -> Coro<> {
      group.create_task(fail_after(1ms, "failed"));
      group.create_task(cleaning(group));
      co_return;
    }));
    EXPECT_EQ(text, "asyncio::RuntimeError: TaskGroup is shutting down");
    EXPECT_EQ(shape_of(ended), "[failed]");
  });
}

// The body fails ----------------------------------------------------------------------------------

TEST(ListedGroups, A2_4_D4_the_body_fails_before_its_tasks_have_begun) {  // test_taskgroup_10
  run_virtual([]() -> Coro<> {
    std::optional<Task<int>> first, second;
    auto ended = co_await capture(with(TaskGroup(), [&](TaskGroup& group) -> Coro<> {
      first = group.create_task(value_after(1s, 42));
      second = group.create_task(value_after(2s, 11));
      throw ValueError("body");
      co_return;
    }));
    EXPECT_EQ(shape_of(ended), "[body]");
    EXPECT_TRUE(first->cancelled());
    EXPECT_TRUE(second->cancelled());
  });
}

TEST(ListedGroups,
     A2_4_D4_a_task_fails_and_so_does_the_clean_up_of_the_body) {  // test_taskgroup_19
  run_virtual([]() -> Coro<> {
    auto runner = []() -> Coro<> {
      co_await with(TaskGroup(), [](TaskGroup& group) -> Coro<> {
        group.create_task(fail_after(100ms, "task"));
        co_await stubborn("body");
      });
    };
    Task<> task = create_task(std::ref(runner));
    auto ended = co_await capture(task);
    EXPECT_EQ(shape_of(ended), "[task, body]");
  });
}

TEST(ListedGroups, A2_4_D4_an_interrupt_in_the_clean_up_comes_out_alone) {  // test_taskgroup_20
  auto runner = []() -> Coro<> {
    co_await with(TaskGroup(), [](TaskGroup& group) -> Coro<> {
      group.create_task(fail_after(100ms, "task"));
      (void)co_await capture(sleep(10s));
      throw KeyboardInterrupt("stop");
    });
  };
  EXPECT_EQ(thrown([&] { run_virtual(runner); }), "asyncio::KeyboardInterrupt: stop");
}

// test_taskgroup_20a, test_taskgroup_21a
TEST(ListedGroups, A2_4_D4_what_is_no_exception_is_in_the_group_too) {
  run_virtual([]() -> Coro<> {
    auto of_the_body = co_await capture(with(TaskGroup(), [](TaskGroup& group) -> Coro<> {
      group.create_task(fail_after(100ms, "task"));
      (void)co_await capture(sleep(10s));
      throw NoException();
    }));
    EXPECT_EQ(shape_of(of_the_body), "[task, no exception]");
    auto fails = []() -> Coro<> {
      co_await sleep(100ms);
      throw NoException();
    };
    auto of_a_task = co_await capture(with(TaskGroup(), [&](TaskGroup& group) -> Coro<> {
      group.create_task(fails());
      co_await stubborn("body");
    }));
    EXPECT_EQ(shape_of(of_a_task), "[no exception, body]");
  });
}

/// A context manager whose end fails: `finally: raise CustomException`.
class Database {
 public:
  Database& aenter() { return *this; }
  Coro<bool> aexit(std::exception_ptr) {
    throw ValueError("database");
    co_return false;
  }
};

// test_taskgroup_context_manager_exit_raises
TEST(ListedGroups, A2_4_D4_the_end_of_a_manager_in_the_body_fails) {
  run_virtual([]() -> Coro<> {
    auto main = []() -> Coro<> {
      auto ended = co_await capture(with(TaskGroup(), [](TaskGroup& group) -> Coro<> {
        co_await with(Database(), [&]() -> Coro<> {
          group.create_task(fail_after(0s, "task"));
          co_await sleep(1s);
        });
      }));
      EXPECT_EQ(shape_of(ended), "[task, database]");
      EXPECT_EQ(current_task()->cancelling(), 0);
    };
    Task<> task = create_task(std::ref(main));
    co_await task;
  });
}

// The group's task is cancelled -------------------------------------------------------------------

TEST(ListedGroups, A2_4_D4_a_body_that_waits_is_cancelled_with_its_tasks) {  // test_taskgroup_07
  run_virtual([]() -> Coro<> {
    int count = 0;
    auto runner = [&]() -> Coro<> {
      co_await with(TaskGroup(), [&](TaskGroup& group) -> Coro<> {
        for (int i = 0; i < 5; ++i) group.create_task(counting(count, 1));
        co_await counting(count, 10);
      });
    };
    std::string ended = co_await cancelled_soon(runner);
    EXPECT_EQ(ended, "cancelled");
    EXPECT_EQ(count, 15);
  });
}

TEST(ListedGroups,
     A2_4_D4_errors_of_clean_ups_take_the_place_of_the_request) {  // test_taskgroup_08
  run_virtual([]() -> Coro<> {
    auto runner = []() -> Coro<> {
      co_await with(TaskGroup(), [](TaskGroup& group) -> Coro<> {
        for (int i = 0; i < 5; ++i) group.create_task(stubborn("task"));
        co_await sleep(10s);
      });
    };
    std::string ended = co_await cancelled_soon(runner);
    EXPECT_EQ(ended, "[task, task, task, task, task]");
  });
}

TEST(ListedGroups, A2_4_D4_a_group_without_tasks_is_cancelled) {  // test_taskgroup_17
  run_virtual([]() -> Coro<> {
    int count = 0;
    auto runner = [&]() -> Coro<> {
      co_await with(TaskGroup(), [&](TaskGroup&) -> Coro<> { co_await counting(count, 10); });
    };
    std::string ended = co_await cancelled_soon(runner);
    EXPECT_EQ(ended, "cancelled");
    EXPECT_EQ(count, 10);
  });
}

TEST(ListedGroups,
     A2_4_D4_a_body_that_fails_for_its_cancellation_is_an_error) {  // test_taskgroup_18
  run_virtual([]() -> Coro<> {
    auto runner = []() -> Coro<> {
      co_await with(TaskGroup(), [](TaskGroup&) -> Coro<> { co_await stubborn("body"); });
    };
    std::string ended = co_await cancelled_soon(runner);
    EXPECT_EQ(ended, "[body]");
  });
}

/// The body cleans up for half a second when it is cancelled; a task fails meanwhile.
Coro<> slow_body_and_a_task_that_fails() {
  co_await with(TaskGroup(), [](TaskGroup& group) -> Coro<> {
    group.create_task(fail_after(300ms, "task"));
    auto slept = co_await capture(sleep(10s));
    (void)co_await capture(sleep(500ms));
    slept.value();
  });
}

// test_taskgroup_15, test_taskgroup_16
TEST(ListedGroups, A2_4_D4_a_task_fails_while_the_cancelled_body_cleans_up) {
  run_virtual([]() -> Coro<> {
    std::string ended = co_await cancelled_soon(slow_body_and_a_task_that_fails);
    EXPECT_EQ(ended, "[task]");
    auto runner = []() -> Coro<> {
      Task<> task = create_task(slow_body_and_a_task_that_fails());
      co_await task;
    };
    std::string of_the_one_who_waits = co_await cancelled_soon(runner);
    EXPECT_EQ(of_the_one_who_waits, "[task]");
  });
}

TEST(ListedGroups, A2_4_D4_a_task_fails_in_the_tick_of_the_request) {  // test_error_and_cancel
  run_virtual([]() -> Coro<> {
    Event event;
    auto raise_error = [&]() -> Coro<> {
      event.set();
      co_await sleep(0s);
      throw ValueError("task");
    };
    auto inner = [&]() -> Coro<> {
      auto left = co_await capture(with(TaskGroup(), [&](TaskGroup& group) -> Coro<> {
        group.create_task(raise_error());
        co_await sleep(1s);
        ADD_FAILURE() << "the sleep in the group was not cancelled";
      }));
      EXPECT_EQ(shape_of(left), "[task]");
      EXPECT_EQ(current_task()->cancelling(), 1);
      co_await sleep(1s);
      ADD_FAILURE() << "the sleep after the group was not cancelled";
    };
    Task<> task = create_task(std::ref(inner));
    co_await event.wait();
    EXPECT_EQ(task.cancelling(), 0);
    task.cancel();
    EXPECT_EQ(task.cancelling(), 1);
    auto ended = co_await capture(task);
    EXPECT_EQ(shape_of(ended), "cancelled");
    EXPECT_TRUE(task.cancelled());
  });
}

}  // namespace

// SPDX-License-Identifier: BSL-1.0
#include "asyncio/task_group.hpp"

#include "asyncio/sleep.hpp"
#include "asyncio/sync.hpp"
#include "asyncio/try.hpp"
#include "captures.hpp"
#include "virtual_loop.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

using namespace asyncio;
using namespace std::chrono_literals;
using test::Counted;
using test::run_virtual;
using test::thrown;

namespace {

Coro<> fail_after(Delay delay, std::string text) {
  co_await sleep(delay);
  throw ValueError(text);
}

/// The texts of what an ExceptionGroup holds; what else was thrown; "nothing".
std::vector<std::string> errors_of(const std::exception_ptr& error) {
  if (!error) return {"nothing"};
  try {
    std::rethrow_exception(error);
  } catch (const ExceptionGroup& group) {
    std::vector<std::string> texts;
    for (const auto& each : group.exceptions()) texts.push_back(describe_exception(each));
    return texts;
  } catch (...) {  // Described: that is what the test asks for.
    return {describe_exception(error)};
  }
}

// Fault 9 -------------------------------------------------------------------------------------

/// What happens in one tick: a child fails, another task cancels the parent.
enum class First { child_fails, parent_is_cancelled, parent_is_cancelled_a_tick_later };

class GroupOfThree {
 public:
  int alive = 0;
  bool ended_with_children_alive = false;

  /// The group's task: one child that fails at 1s, and two whose clean-up takes time and fails.
  Coro<> run() {
    auto outcome = co_await capture(with(TaskGroup(), [&](TaskGroup& group) -> Coro<> {
      group.create_task(child("first", 1s));
      group.create_task(stubborn("second"));
      group.create_task(stubborn("third"));
      co_await sleep(1h);
    }));
    ended_with_children_alive = alive != 0;
    errors = errors_of(outcome.exception());
    requests = current_task()->cancelling();
    auto next = co_await capture(sleep(1h));  // a request from outside is delivered here
    next_await_cancelled = next.cancelled();
    if (next_await_cancelled) next.value();
  }

  std::vector<std::string> errors;
  int requests = 0;
  bool next_await_cancelled = false;

 private:
  Coro<> child(std::string name, Delay delay) {
    ++alive;
    auto slept = co_await capture(sleep(delay));
    --alive;
    slept.value();
    throw ValueError(name);
  }
  Coro<> stubborn(std::string name) {
    ++alive;
    auto slept = co_await capture(sleep(1h));
    EXPECT_TRUE(slept.cancelled());
    co_await sleep(2s);  // a clean-up that awaits
    --alive;
    throw ValueError(name);
  }
};

Coro<> both_in_one_tick(First first) {
  GroupOfThree group;
  Task<> parent = create_task(&GroupOfThree::run, std::ref(group));
  EventLoop loop = get_running_loop();
  // The first child's timer is armed when it begins, two iterations from now.
  TimePoint when = loop.time() + 1s;
  auto cancel = [parent]() mutable { parent.cancel("from outside"); };
  if (first == First::parent_is_cancelled) loop.call_at(when, cancel);
  co_await sleep(0s);
  co_await sleep(0s);
  co_await sleep(0s);
  if (first == First::child_fails) loop.call_at(when, cancel);
  if (first == First::parent_is_cancelled_a_tick_later)
    loop.call_at(when, [loop, cancel]() mutable { loop.call_soon(cancel); });

  auto ended = co_await capture(parent);
  EXPECT_TRUE(ended.cancelled()) << "the cancellation from outside got lost";
  EXPECT_FALSE(group.ended_with_children_alive);
  std::vector<std::string> all = {"asyncio::ValueError: first", "asyncio::ValueError: second",
                                  "asyncio::ValueError: third"};
  // Cancelled by the group before its turn, the first child has no error.
  if (first == First::parent_is_cancelled) all.erase(all.begin());
  EXPECT_EQ(group.errors, all);
  EXPECT_EQ(group.requests, 1);
  EXPECT_TRUE(group.next_await_cancelled);
  EXPECT_EQ(all_tasks().size(), 1u);
}

TEST(TaskGroup, fault9_child_fails_then_the_parent_is_cancelled_in_one_tick) {
  run_virtual(both_in_one_tick, First::child_fails);
}
TEST(TaskGroup, fault9_parent_is_cancelled_then_a_child_fails_in_one_tick) {
  run_virtual(both_in_one_tick, First::parent_is_cancelled);
}
TEST(TaskGroup, fault9_parent_is_cancelled_a_tick_after_a_child_failed) {
  run_virtual(both_in_one_tick, First::parent_is_cancelled_a_tick_later);
}

TEST(TaskGroup, fault9_parent_cancelled_while_children_clean_up_twice) {
  run_virtual([]() -> Coro<> {
    GroupOfThree group;
    Task<> parent = create_task(&GroupOfThree::run, std::ref(group));
    co_await sleep(1500ms);  // the first child has failed, the others clean up
    parent.cancel();
    co_await sleep(500ms);
    parent.cancel();
    auto ended = co_await capture(parent);
    EXPECT_TRUE(ended.cancelled());
    EXPECT_FALSE(group.ended_with_children_alive);
    EXPECT_EQ(group.errors.size(), 3u);
    EXPECT_EQ(group.requests, 2);
  });
}

TEST(TaskGroup, fault9_error_of_the_body_comes_last_and_an_interrupt_alone) {
  run_virtual([]() -> Coro<> {
    auto outcome = co_await capture(with(TaskGroup(), [](TaskGroup& group) -> Coro<> {
      group.create_task(fail_after(0s, "child"));
      co_await sleep(0s);
      co_await sleep(0s);
      throw LookupError("body");
    }));
    EXPECT_EQ(
        errors_of(outcome.exception()),
        (std::vector<std::string>{"asyncio::ValueError: child", "asyncio::LookupError: body"}));
  });
  auto interrupted = []() -> Coro<> {
    co_await with(TaskGroup(), [](TaskGroup& group) -> Coro<> {
      group.create_task(fail_after(1s, "child"));
      throw KeyboardInterrupt("stop");
      co_return;
    });
  };
  EXPECT_EQ(thrown([&] { run_virtual(interrupted); }), "asyncio::KeyboardInterrupt: stop");
}

TEST(TaskGroup, fault4_R1_children_cancelled_before_their_first_step_never_run) {
  run_virtual([]() -> Coro<> {
    int before = Counted::alive;
    auto child = [](Counted) -> Coro<> {
      ADD_FAILURE() << "ran";
      co_return;
    };
    auto outcome = co_await capture(with(TaskGroup(), [&](TaskGroup& group) -> Coro<> {
      for (int i = 0; i < 100; ++i) group.create_task(child, Counted());
      throw ValueError("at once");
      co_return;
    }));
    EXPECT_EQ(errors_of(outcome.exception()),
              std::vector<std::string>(1, "asyncio::ValueError: at once"));
    EXPECT_EQ(Counted::alive, before);
    EXPECT_EQ(all_tasks().size(), 1u);
  });
}

TEST(TaskGroup, A2_4_cancel_before_during_and_after) {
  run_virtual([]() -> Coro<> {
    TaskGroup early;
    early.cancel();
    bool ran = false;
    co_await with(early, [&](TaskGroup&) -> Coro<> {
      co_await sleep(1h);
      ran = true;
    });
    EXPECT_FALSE(ran);
    TaskGroup group;
    co_await with(group, [&]() -> Coro<> {
      group.create_task(fail_after(1h, "never"));
      group.cancel();
      EXPECT_EQ(thrown([&] { group.create_task(fail_after(0s, "late")); }),
                "asyncio::RuntimeError: TaskGroup is shutting down");
      co_await sleep(1h);
      ran = true;
    });
    EXPECT_FALSE(ran);
    group.cancel();
    EXPECT_EQ(current_task()->cancelling(), 0);
    EXPECT_EQ(thrown([&] { group.create_task(fail_after(0s, "late")); }),
              "asyncio::RuntimeError: TaskGroup is finished");
    co_await sleep(1s);
  });
}

TEST(TaskGroup, R3_a_loop_may_be_closed_while_a_group_waits) {
  test::LogCapture log;
  int before = Counted::alive;
  {
    EventLoop loop = test::new_virtual_loop();
    auto child = [](Counted) -> Coro<> { co_await sleep(1h); };
    auto body = [&]() -> Coro<> {
      co_await with(TaskGroup(), [&](TaskGroup& group) -> Coro<> {
        for (int i = 0; i < 10; ++i) group.create_task(child, Counted());
        co_return;
      });
    };
    auto begin = [&]() -> Coro<> {
      create_task(body());
      co_await sleep(1s);
    };
    loop.run_until_complete(begin());
    EXPECT_GT(Counted::alive, before);
    loop.close();
  }
  EXPECT_EQ(Counted::alive, before);
  EXPECT_EQ(log.count("Task was destroyed but it is pending"), 11) << log.all();
}

}  // namespace

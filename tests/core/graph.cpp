// SPDX-License-Identifier: BSL-1.0
// A8.1 and A8.2: the call graph of a task.
#include "asyncio/asyncio.hpp"
#include "virtual_loop.hpp"

#include <gtest/gtest.h>

#include <optional>
#include <source_location>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

using namespace asyncio;
using namespace std::chrono_literals;
using test::run_virtual;

namespace {

using Names = std::vector<std::string>;

Names functions_of(const FutureCallGraph& graph) {
  Names names;
  for (const auto& frame : graph.call_stack) names.push_back(frame.function);
  return names;
}
Names waiters_of(const FutureCallGraph& graph) {
  Names names;
  for (const auto& waiter : graph.awaited_by) names.push_back(waiter.name);
  return names;
}
FutureCallGraph graph_of(FutureHandle future) {
  return capture_call_graph(CallGraphOptions().future(std::move(future))).value();
}

constexpr unsigned kInner = std::source_location::current().line() + 1;
Coro<> inner() { co_await sleep(1h); }
Coro<> middle() { co_await inner(); }
Coro<> outer() { co_await middle(); }
Coro<> waits_for(Task<> task) { co_await task; }

Task<> named(const char* name, Coro<> coroutine) {
  return create_task(std::move(coroutine), TaskOptions().name(name));
}

TEST(Graph, A8_1_frames_innermost_first_and_who_awaits_whom) {
  run_virtual([]() -> Coro<> {
    Task<> task = named("task", outer());
    Task<> first = named("first", waits_for(task));
    Task<> second = named("second", waits_for(task));
    Task<> third = named("third", waits_for(first));
    co_await sleep(1s);
    FutureCallGraph graph = graph_of(task);
    EXPECT_EQ(graph.name, "task");
    EXPECT_TRUE(graph.future == task);
    EXPECT_EQ(functions_of(graph), (Names{"inner", "middle", "outer"}));
    EXPECT_EQ(graph.call_stack.at(0).line, kInner);
    EXPECT_NE(graph.call_stack.at(0).file.find("graph.cpp"), std::string::npos);
    EXPECT_EQ(waiters_of(graph), (Names{"first", "second"}));
    EXPECT_EQ(waiters_of(graph.awaited_by.at(0)), (Names{"third"}));
    EXPECT_TRUE(graph.awaited_by.at(1).awaited_by.empty());
  });
}

TEST(Graph, A8_1_limit_takes_the_innermost_or_the_outermost_frames) {
  run_virtual([]() -> Coro<> {
    Task<> task = named("task", outer());
    co_await sleep(1s);
    auto limited = [&](std::ptrdiff_t limit) {
      return functions_of(*capture_call_graph(CallGraphOptions().future(task).limit(limit)));
    };
    EXPECT_EQ(limited(2), (Names{"inner", "middle"}));
    EXPECT_EQ(limited(-2), (Names{"middle", "outer"}));
    EXPECT_EQ(limited(0), Names());
    EXPECT_EQ(limited(9).size(), 3u);
  });
}

Coro<std::optional<FutureCallGraph>> capture_here(std::size_t depth) {
  co_return capture_call_graph(CallGraphOptions().depth(depth));
}

TEST(Graph, A8_1_begins_with_the_current_task_and_skips_its_depth_innermost_frames) {
  EXPECT_EQ(capture_call_graph(), std::nullopt);
  EXPECT_EQ(format_call_graph(), "");
  run_virtual([]() -> Coro<> {
    auto all = co_await capture_here(0);
    EXPECT_EQ(all.value().name, current_task()->get_name());
    EXPECT_EQ(functions_of(*all).at(0), "capture_here");
    auto skipped = co_await capture_here(1);
    EXPECT_EQ(skipped.value().call_stack.size() + 1, all->call_stack.size());
  });
}

TEST(Graph, A8_1_the_text) {
  run_virtual([]() -> Coro<> {
    Task<> task = named("worker", inner());
    Task<> waiter = named("waiter", waits_for(task));
    co_await sleep(1s);
    std::string text = format_call_graph(CallGraphOptions().future(task));
    EXPECT_NE(text.find("* Task(name='worker')\n  + Call stack:\n  |   File '"), std::string::npos);
    EXPECT_NE(text.find("line " + std::to_string(kInner) + ", in async inner()\n"),
              std::string::npos);
    EXPECT_NE(text.find("  + Awaited by:\n    * Task(name='waiter')\n"), std::string::npos);
    std::ostringstream printed;
    print_call_graph(printed, CallGraphOptions().future(task));
    EXPECT_EQ(printed.str(), text);
  });
}

TEST(Graph, A8_1_sees_through_each_combinator) {
  run_virtual([]() -> Coro<> {
    std::vector<Task<>> tasks;
    for (int i = 0; i < 6; ++i) tasks.push_back(create_task(inner()));
    auto by_gather = [&]() -> Coro<> { co_await gather(tasks[0]); };
    auto by_shield = [&]() -> Coro<> { co_await shield(tasks[1]); };
    auto by_wait = [&]() -> Coro<> { co_await wait(std::vector<Task<>>(1, tasks[2])); };
    auto by_wait_for = [&]() -> Coro<> { co_await wait_for(tasks[3], 2h); };
    auto by_as_completed = [&]() -> Coro<> {
      auto completed = as_completed(std::vector<Task<>>(1, tasks[4]));
      co_await completed.next();
    };
    std::optional<Task<>> child;
    auto by_group = [&]() -> Coro<> {
      co_await with(TaskGroup(), [&](TaskGroup& group) -> Coro<> {
        child = group.create_task(inner());
        co_return;
      });
    };
    named("gather", by_gather());
    named("shield", by_shield());
    named("wait", by_wait());
    named("wait_for", by_wait_for());
    named("as_completed", by_as_completed());
    named("group", by_group());
    co_await sleep(1s);
    auto waiter_of = [](const Task<>& task) {
      FutureCallGraph graph = graph_of(task);
      while (graph.awaited_by.size() == 1) {
        FutureCallGraph next = std::move(graph.awaited_by[0]);
        graph = std::move(next);
      }
      return graph.name;
    };
    EXPECT_EQ(waiter_of(tasks[0]), "gather");
    EXPECT_EQ(waiter_of(tasks[1]), "shield");
    EXPECT_EQ(waiter_of(tasks[2]), "wait");
    EXPECT_EQ(waiter_of(tasks[3]), "wait_for");
    EXPECT_EQ(waiter_of(tasks[4]), "as_completed");
    EXPECT_EQ(waiter_of(*child), "group");
  });
}

TEST(Graph, A8_2_what_a_combinator_of_ones_own_records) {
  run_virtual([]() -> Coro<> {
    Task<> task = named("task", inner());
    Task<> waiter = named("waiter", inner());
    future_add_to_awaited_by(task, waiter);
    EXPECT_EQ(waiters_of(graph_of(task)), Names{"waiter"});
    future_add_to_awaited_by(task, waiter);
    EXPECT_EQ(waiters_of(graph_of(task)), Names{"waiter"});
    future_discard_from_awaited_by(task, waiter);
    future_discard_from_awaited_by(task, waiter);  // a second time is harmless, as in Python
    EXPECT_EQ(waiters_of(graph_of(task)), Names());
    co_return;
  });
}

TEST(Graph, A8_2_waiting_in_a_circle_ends_where_it_began) {
  run_virtual([]() -> Coro<> {
    Task<> one = named("one", inner());
    Task<> two = named("two", inner());
    future_add_to_awaited_by(one, two);
    future_add_to_awaited_by(two, one);
    FutureCallGraph graph = graph_of(one);
    EXPECT_EQ(waiters_of(graph), Names{"two"});
    EXPECT_EQ(waiters_of(graph.awaited_by[0]), Names{"one"});
    EXPECT_TRUE(graph.awaited_by[0].awaited_by[0].awaited_by.empty());
    future_discard_from_awaited_by(one, two);
    future_discard_from_awaited_by(two, one);
    co_return;
  });
}

TEST(Graph, D12_A8_1_a_very_long_chain_of_waiters_is_cut) {
  run_virtual([]() -> Coro<> {
    constexpr int kLong = 3'000;
    Task<> first = named("first", inner());
    Task<> last = first;
    for (int i = 0; i < kLong; ++i) last = create_task(waits_for(last));
    co_await sleep(1s);
    FutureCallGraph graph = graph_of(first);
    int levels = 0;
    for (const FutureCallGraph* at = &graph; !at->awaited_by.empty(); at = &at->awaited_by[0])
      ++levels;
    EXPECT_EQ(levels, 1000);
    EXPECT_FALSE(format_call_graph(CallGraphOptions().future(first)).empty());
  });
}

}  // namespace

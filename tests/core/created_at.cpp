// SPDX-License-Identifier: BSL-1.0
/// D1, D2: reports say where the user made a task, whatever made it.
#include "asyncio/asyncio.hpp"
#include "captures.hpp"
#include "virtual_loop.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <source_location>
#include <string>
#include <utility>
#include <vector>

using namespace asyncio;
using namespace std::chrono_literals;
using test::run_virtual;

namespace {

// Far from where they are made tasks.
constexpr unsigned kNoneLine = __LINE__ + 1;
Coro<int> none() { co_return 0; }
constexpr auto sum = [](auto... numbers) -> Coro<int> { co_return (0 + ... + numbers); };

/// The lines at which the tasks of the loop were made, but that of this one.
std::vector<unsigned> lines() {
  std::vector<unsigned> made;
  auto current = current_task();
  for (const TaskHandle& task : all_tasks()) {
    if (task == *current) continue;
    std::source_location where = task.state()->created();
    EXPECT_TRUE(std::string(where.file_name()).ends_with("created_at.cpp"));
    made.push_back(where.line());
  }
  return made;
}

constexpr unsigned here(std::source_location where = std::source_location::current()) {
  return where.line();
}

TEST(CreatedAt, D1_create_task_of_a_function_says_the_callers_line) {
  run_virtual([]() -> Coro<> {
    unsigned line = here();
    create_task(none);
    create_task(sum, 1);
    create_task(sum, 1, 2);
    create_task(sum, 1, 2, 3);
    create_task(TaskOptions().name("x"), sum, 1, 2);
    create_task(none());
    create_task(none(), TaskOptions().name("y"));
    create_task(sleep(0s));
    create_task(sleep(0s), TaskOptions().name("z"));
    std::vector<unsigned> expected;
    for (unsigned i = 1; i <= 9; ++i) expected.push_back(line + i);
    EXPECT_EQ(lines(), expected);
    co_return;
  });
}

TEST(CreatedAt, D1_so_do_those_of_a_loop_and_a_group) {
  run_virtual([]() -> Coro<> {
    EventLoop loop = get_running_loop();
    TaskGroup group;
    group.aenter();
    unsigned line = here();
    loop.create_task(none);
    loop.create_task(sum, 1);
    loop.create_task(sum, 1, 2);
    loop.create_task(TaskOptions().name("x"), sum, 1, 2);
    loop.create_task(none());
    group.create_task(none);
    group.create_task(sum, 1);
    group.create_task(sum, 1, 2);
    group.create_task(TaskOptions().name("x"), sum, 1, 2);
    group.create_task(none());
    std::vector<unsigned> expected;
    for (unsigned i = 1; i <= 10; ++i) expected.push_back(line + i);
    EXPECT_EQ(lines(), expected);
    co_await group.aexit(nullptr);
  });
}

TEST(CreatedAt, D1_so_do_combinators) {
  run_virtual([]() -> Coro<> {
    std::vector<Coro<int>> some;
    some.push_back(none());
    std::vector<Coro<int>> others;
    others.push_back(none());
    unsigned line = here();
    auto one = gather(none());
    auto two = gather(none(), sleep(0s));
    auto four = gather(none(), none(), none(), none());
    auto caught = gather(return_exceptions, none(), none());
    auto range = gather(std::move(some));
    auto shielded = shield(none());
    auto ensured = ensure_future(none());
    auto completed = as_completed(std::move(others));
    unsigned completed_line = here() - 1;
    std::vector<unsigned> expected;
    for (unsigned count : {1u, 2u, 4u, 2u, 1u, 1u, 1u, 1u}) {
      ++line;
      expected.insert(expected.end(), count, line);
    }
    EXPECT_EQ(lines(), expected);
    EXPECT_EQ(one.state()->created().line(), expected.front());
    EXPECT_EQ(shielded.state()->created().line(), completed_line - 2);
    auto chained = ensured.then([](int value) { return value; });
    EXPECT_EQ(chained.state()->created().line(), here() - 1);
    co_await caught;
  });
}

TEST(CreatedAt, D1_with_more_arguments_the_line_is_the_functions) {
  run_virtual([]() -> Coro<> {
    create_task(sum, 1, 2, 3, 4);
    auto five = gather(none(), none(), none(), none(), none());
    EXPECT_EQ(five.state()->created().line(), 0u);
    std::vector<unsigned> made = lines();
    EXPECT_EQ(made.size(), 6u);
    EXPECT_EQ(made.front(), kNoneLine + 1);
    EXPECT_EQ(made.back(), kNoneLine);
    co_await five;
  });
}

}  // namespace

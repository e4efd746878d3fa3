// SPDX-License-Identifier: BSL-1.0
// The dangling detector (D2, fault 210): debug mode reports a task made of a coroutine whose
// parameters or captures may die before it, and says nothing of the forms that are safe.
#include "asyncio/asyncio.hpp"
#include "captures.hpp"
#include "virtual_loop.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <ranges>
#include <span>
#include <string>
#include <string_view>
#include <vector>

using namespace asyncio;
using namespace std::chrono_literals;
using test::debug_virtual;
using test::LogCapture;
using test::run_virtual;

namespace {

Coro<std::size_t> greet(const std::string& name) { co_return co_await sleep(1s, name.size()); }
Coro<std::size_t> greet_copy(std::string name) {
  co_await sleep(1s);
  co_return name.size();
}
Coro<std::size_t> greet_view(std::string_view name) {
  co_await sleep(1s);
  co_return name.size();
}

struct Session {
  std::string name = "session";
  Coro<std::size_t> run() { co_return name.size(); }
};

/// The reports of dangling parameters in `log` that contain all of `words`.
template <class... Words>
std::ptrdiff_t reports(const LogCapture& log, const Words&... words) {
  return log.count("task created from coroutine with", words...);
}

std::string at(int line) { return "dangling.cpp:" + std::to_string(line) + ": "; }

// What is reported ---------------------------------------------------------------------------

TEST(Dangling, D2_called_lambda_with_captures_is_reported_where_the_task_is_made) {
  LogCapture log;
  debug_virtual([]() -> Coro<> {
    auto shared = std::make_shared<int>(1);
    auto lambda = [shared]() -> Coro<int> { co_return *shared; };  // outlives its task here
    Task<int> task = create_task(lambda());
    co_await task;
  });
  EXPECT_EQ(reports(log, "capturing lambda at", at(__LINE__ - 3), "'<lambda>'",
                    "hand over function and arguments, not the coroutine"),
            1)
      << log.all();
  EXPECT_EQ(log.records.size(), 1u) << log.all();
}

TEST(Dangling, fault210_captures_by_reference_are_captures) {
  LogCapture log;
  debug_virtual([]() -> Coro<> {
    int value = 1;
    auto lambda = [&]() -> Coro<int> { co_return value; };
    co_await create_task(lambda());
  });
  EXPECT_EQ(reports(log, "capturing lambda"), 1) << log.all();
}

TEST(Dangling, D2_reference_parameter_is_reported_where_the_task_is_made) {
  LogCapture log;
  debug_virtual([]() -> Coro<> {
    std::string name = "local";
    Task<std::size_t> task = create_task(greet(name));
    co_await task;
  });
  EXPECT_EQ(reports(log, "reference parameter at", at(__LINE__ - 3), "'greet'"), 1) << log.all();
}

TEST(Dangling, D2_each_way_to_make_a_task_reports) {
  LogCapture log;
  std::string name = "local";
  debug_virtual([&]() -> Coro<> {
    EventLoop loop = get_running_loop();
    co_await create_task(greet(name), TaskOptions().name("options"));
    EXPECT_EQ(reports(log, at(__LINE__ - 1)), 1);
    co_await loop.create_task(greet(name));
    EXPECT_EQ(reports(log, at(__LINE__ - 1)), 1);
    co_await ensure_future(greet(name));
    EXPECT_EQ(reports(log, at(__LINE__ - 1)), 1);
    // When one of them fails the others run on, while the caller leaves with what they refer to.
    co_await gather(greet(name), greet(name));
    EXPECT_EQ(reports(log, at(__LINE__ - 1)), 2);
    co_await shield(greet(name));
    EXPECT_EQ(reports(log, at(__LINE__ - 1)), 1);
    std::vector<Coro<std::size_t>> coros;
    coros.push_back(greet(name));
    auto completed = as_completed(std::move(coros));
    EXPECT_EQ(reports(log, at(__LINE__ - 1)), 1);
    auto first = co_await completed.next();
    EXPECT_TRUE(first.has_value());
  });
  EXPECT_EQ(reports(log), 7) << log.all();
}

TEST(Dangling, fault210_a_called_lambda_is_reported_by_a_group_as_well) {
  LogCapture log;
  debug_virtual([]() -> Coro<> {
    co_await with(TaskGroup(), [](TaskGroup& group) -> Coro<> {
      auto value = std::make_shared<int>(1);
      auto lambda = [value]() -> Coro<int> { co_return *value; };
      co_await group.create_task(lambda());
      EXPECT_EQ(*value, 1);
    });
  });
  EXPECT_EQ(reports(log, "capturing lambda at", at(__LINE__ - 4)), 1) << log.all();
  EXPECT_EQ(log.records.size(), 1u) << log.all();
}

TEST(Dangling, fault210_views_are_reported_with_what_to_pass_instead) {
  auto numbers = [](std::span<const int>) -> Coro<> { co_return; };
  auto words = [](std::initializer_list<int>) -> Coro<> { co_return; };
  auto range = [](std::ranges::ref_view<std::vector<int>>) -> Coro<> { co_return; };
  auto part = [](std::ranges::subrange<std::vector<int>::iterator>) -> Coro<> { co_return; };
  auto view_by_reference = [](const std::string_view&) -> Coro<> { co_return; };
  LogCapture log;
  debug_virtual([&]() -> Coro<> {
    std::vector<int> vector(3, 1);
    co_await create_task(greet_view("text"));
    co_await create_task(numbers(vector));
    std::initializer_list<int> list = {1, 2};
    co_await create_task(words(list));
    co_await create_task(range(std::ranges::ref_view(vector)));
    co_await create_task(part(std::ranges::subrange(vector)));
    co_await create_task(view_by_reference("text"));
  });
  EXPECT_EQ(reports(log, "view parameter", "arguments that own (std::string, std::vector)"), 6)
      << log.all();
}

TEST(Dangling, D2_object_of_a_member_function_is_a_reference) {
  LogCapture log;
  debug_virtual([]() -> Coro<> {
    Session session;
    co_await create_task(session.run());
  });
  EXPECT_EQ(reports(log, "reference parameter", "Session::run"), 1) << log.all();
}

TEST(Dangling, fault210_function_form_with_a_view_of_something_else_is_reported) {
  LogCapture log;
  debug_virtual([]() -> Coro<> {
    std::string name = "local";
    Task<std::size_t> task = create_task(greet_view, std::string_view(name));
    co_await task;
  });
  EXPECT_EQ(reports(log, "view parameter", "arguments that own"), 1) << log.all();
}

// What is not --------------------------------------------------------------------------------

Task<std::size_t> start_with(std::string name) {
  return create_task(greet, name);  // by reference to the copy in the task
}
Task<std::size_t> start_view_of(std::string name) { return create_task(greet_view, name); }
Task<std::size_t> start_method() {
  auto session = std::make_unique<Session>();
  return create_task(&Session::run, std::move(session));
}
Task<std::size_t> start_lambda(std::string name) {
  auto lambda = [name](std::size_t more) -> Coro<std::size_t> {
    co_await sleep(1s);
    co_return name.size() + more;
  };
  return create_task(lambda, 1u);
}

TEST(Dangling, D2_function_form_is_clean_and_outlives_its_caller) {
  LogCapture log;
  debug_virtual([]() -> Coro<> {
    Task<std::size_t> name = start_with("a name that is too long for the string object");
    Task<std::size_t> view = start_view_of("another name that is too long for it");
    Task<std::size_t> method = start_method();
    Task<std::size_t> lambda = start_lambda("and one more that is too long for the object");
    std::size_t sizes[] = {co_await name, co_await view, co_await method, co_await lambda};
    EXPECT_EQ(sizes[0], 45u);
    EXPECT_EQ(sizes[1], 36u);
    EXPECT_EQ(sizes[2], 7u);
    EXPECT_EQ(sizes[3], 45u);
    // A literal lives for ever; std::ref is a promise that the object lives long enough.
    std::string mine = "mine";
    co_await create_task(greet_view, "literal");
    co_await create_task(greet, std::ref(mine));
  });
  EXPECT_TRUE(log.records.empty()) << log.all();
}

TEST(Dangling, D2_values_and_stateless_things_are_clean) {
  struct Empty {};
  auto captures_nothing = [](int value) -> Coro<int> { co_return value; };
  auto takes_empty = [](const Empty&) -> Coro<> { co_return; };
  auto takes_owner = [](std::vector<int>, std::unique_ptr<int>) -> Coro<> { co_return; };
  auto takes_pointer = [](const Session* session) -> Coro<std::size_t> {
    co_return session->name.size();
  };
  LogCapture log;
  debug_virtual([&]() -> Coro<> {
    co_await create_task(greet_copy("text"));
    co_await create_task(captures_nothing(1));
    co_await create_task(takes_empty(Empty()));
    std::vector<int> numbers(3, 1);
    co_await create_task(takes_owner(numbers, nullptr));
    Session session;
    co_await create_task(takes_pointer(&session));
  });
  EXPECT_TRUE(log.records.empty()) << log.all();
}

TEST(Dangling, D2_whoever_waits_for_the_coroutine_may_refer_to_its_own) {
  LogCapture log;
  std::string name = "outer";
  auto main = [&]() -> Coro<std::size_t> {  // a capturing lambda itself: run() waits for it
    std::size_t sum = co_await greet(name);
    sum += co_await wait_for(greet(name), 10s);
    co_await with(TaskGroup(), [&](TaskGroup& group) -> Coro<> {
      group.create_task(greet(name));
      group.create_task(greet, std::ref(name));
      co_return;
    });
    auto outcome = co_await capture(greet(name));
    co_return sum + outcome.value();
  };
  EXPECT_EQ(debug_virtual(main), 15u);
  Runner runner(test::virtual_options().debug(true));
  EXPECT_EQ(runner.run(greet(name)), 5u);
  EXPECT_TRUE(log.records.empty()) << log.all();
}

TEST(Dangling, D2_without_debug_mode_nothing_is_said) {
  LogCapture log;
  run_virtual([]() -> Coro<> {
    std::string name = "local";
    co_await create_task(greet(name));
  });
  EXPECT_TRUE(log.records.empty()) << log.all();
}

// A coroutine may refer to what is only declared where it is defined.
struct Declared;
Coro<bool> takes_declared(Declared&, const Declared*) { co_return true; }
struct Declared {};

TEST(Dangling, D2_reference_to_a_declared_type_counts_as_one) {
  LogCapture log;
  bool value = debug_virtual([]() -> Coro<bool> {
    Declared object;
    co_return co_await create_task(takes_declared(object, &object));
  });
  EXPECT_TRUE(value);
  EXPECT_EQ(reports(log, "reference parameter"), 1) << log.all();
}

TEST(Dangling, D3_group_and_loop_tasks_know_where_they_were_made) {
  run_virtual([]() -> Coro<> {
    EventLoop loop = get_running_loop();
    test::ReportCapture reported(loop);
    auto fails = []() -> Coro<> {
      throw ValueError("lost");
      co_return;
    };
    loop.create_task(fails());
    int line = __LINE__ - 1;
    co_await sleep(1s);
    EXPECT_EQ(reported.reports.size(), 1u);
    EXPECT_TRUE(reported.sources.at(0).ends_with("dangling.cpp:" + std::to_string(line)))
        << reported.sources.at(0);
    loop.set_exception_handler({});
  });
}

}  // namespace

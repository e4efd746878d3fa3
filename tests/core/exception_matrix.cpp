// SPDX-License-Identifier: BSL-1.0
/// D3, R1: wherever an exception comes from and however it is awaited, it arrives once: at the
/// caller, or in the loop's exception handler if nobody asks for it.
#include "asyncio/asyncio.hpp"
#include "captures.hpp"
#include "virtual_loop.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <coroutine>
#include <functional>
#include <string>
#include <utility>
#include <vector>

using namespace asyncio;
using namespace std::chrono_literals;
using test::run_virtual;

namespace {

// Where it comes from ---------------------------------------------------------------------------

Coro<int> before_the_first_wait() {
  throw ValueError("here");
  co_return 0;
}
Coro<int> after_a_wait() {
  co_await sleep(1s);
  throw ValueError("here");
}
Coro<int> nested() {
  int value = co_await after_a_wait();
  co_return value + 1;
}
Coro<int> of_another_type() {
  co_await sleep(1s);
  throw 42;
}
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wreturn-type"  // clang sees it, g++ does not
Coro<int> without_co_return() { co_await sleep(1s); }
#pragma GCC diagnostic pop
Coro<int> future_set_by_a_callback() {
  auto future = get_running_loop().create_future<int>();
  get_running_loop().call_later(1s,
                                [future]() mutable { future.set_exception(ValueError("here")); });
  co_return co_await future;
}
Coro<int> task_that_failed_before() {
  Task<int> task = create_task(before_the_first_wait);
  co_await sleep(1s);
  co_return co_await task;
}
Coro<int> then_function() {
  Task<int> task = create_task([]() -> Coro<int> { co_return 1; });
  auto next = task.then([](int) -> int { throw ValueError("here"); });
  co_return co_await next;
}

AsyncGenerator<int> fails_after_an_item() {
  co_yield 1;
  co_await sleep(1s);
  throw ValueError("here");
}
AsyncGenerator<int> fails_when_closed() {
  try {
    co_yield 1;
  } catch (const GeneratorExit&) {
    throw ValueError("here");
  }
}
Coro<int> generator() {
  auto items = fails_after_an_item();
  while (auto item = co_await items.next()) co_await sleep(1s);
  co_return 0;
}
Coro<int> generator_that_is_closed() {
  auto items = fails_when_closed();
  auto first = co_await items.next();
  co_await items.aclose();
  co_return *first;
}

enum class Part { aenter, body, aexit };
class Manager {
 public:
  explicit Manager(Part part) : part_(part) {}
  Coro<int> aenter() {
    co_await sleep(1s);
    if (part_ == Part::aenter) throw ValueError("here");
    co_return 1;
  }
  Coro<bool> aexit(std::exception_ptr) {
    co_await sleep(1s);
    if (part_ == Part::aexit) throw ValueError("here");
    co_return false;
  }

 private:
  Part part_;
};
template <Part part>
Coro<int> with_manager() {
  co_return co_await with(Manager(part), [](int value) -> Coro<int> {
    co_await sleep(1s);
    if (part == Part::body) throw ValueError("here");
    co_return value;
  });
}
Coro<int> finally_part() {
  co_return co_await try_([]() -> Coro<int> { co_return 1; }).finally_([]() -> Coro<> {
    co_await sleep(1s);
    throw ValueError("here");
  });
}
Coro<int> except_part() {
  co_return co_await try_(before_the_first_wait).except<ValueError>([](ValueError&) -> int {
    throw LookupError("here");
  });
}
Coro<int> child_of_a_group() {
  co_await with(TaskGroup(), [](TaskGroup& group) -> Coro<> {
    group.create_task(after_a_wait());
    co_await sleep(1h);
  });
  co_return 0;
}

struct ForeignAwaiter {
  bool await_ready() const noexcept { return true; }
  void await_suspend(std::coroutine_handle<>) const noexcept {}
  int await_resume() const { throw ValueError("here"); }
};
Coro<int> foreign_awaiter() { co_return co_await ForeignAwaiter(); }

Coro<int> predicate() {
  Condition condition;
  auto held = co_await condition.scoped();
  co_await condition.wait_for([]() -> bool { throw ValueError("here"); });
  co_return 0;
}

struct Source {
  const char* name;
  Coro<int> (*make)();
  const char* text = "asyncio::ValueError: here";
};

const Source kSources[] = {
    {"before the first wait", before_the_first_wait},
    {"after a wait", after_a_wait},
    {"nested coroutine", nested},
    {"of another type", of_another_type, "int"},
    {"no co_return", without_co_return, "without co_return"},
    {"future set by a callback", future_set_by_a_callback},
    {"task that failed before", task_that_failed_before},
    {"function of then", then_function},
    {"generator", generator},
    {"clean-up of a generator", generator_that_is_closed},
    {"aenter", with_manager<Part::aenter>},
    {"body of a with", with_manager<Part::body>},
    {"aexit", with_manager<Part::aexit>},
    {"finally part", finally_part},
    {"except part", except_part, "asyncio::LookupError: here"},
    {"child of a group", child_of_a_group, "asyncio::ExceptionGroup: unhandled errors"},
    {"foreign awaiter", foreign_awaiter},
    {"predicate", predicate},
};

// How it is awaited -----------------------------------------------------------------------------

/// The exceptions that reached the one who awaits.
using Caught = std::vector<std::exception_ptr>;
using Way = Coro<Caught> (*)(Coro<int>);

template <class A>
Coro<Caught> caught_from(A awaitable) {
  Caught caught;
  try {
    (void)co_await std::move(awaitable);
  } catch (...) {  // Counted by the test.
    caught.push_back(std::current_exception());
  }
  co_return caught;
}

Coro<Caught> await_it(Coro<int> coro) { return caught_from(std::move(coro)); }
Coro<Caught> capture_it(Coro<int> coro) {
  auto outcome = co_await capture(std::move(coro));
  co_return Caught{outcome.exception()};
}
Coro<Caught> task(Coro<int> coro) { return caught_from(create_task(std::move(coro))); }
Coro<Caught> eager_task(Coro<int> coro) {
  return caught_from(create_task(std::move(coro), TaskOptions().eager_start(true)));
}
Coro<Caught> task_handle(Coro<int> coro) {
  TaskHandle handle = create_task(std::move(coro));
  return caught_from(handle);
}
Coro<Caught> task_of_a_task(Coro<int> coro) {
  auto outer = [](Task<int> inner) -> Coro<int> { co_return co_await inner; };
  return caught_from(create_task(outer, create_task(std::move(coro))));
}
Coro<Caught> exception_of_a_task(Coro<int> coro) {
  Task<int> failing = create_task(std::move(coro));
  co_await sleep(1h);
  co_return Caught{failing.exception()};
}
Coro<Caught> done_callback(Coro<int> coro) {
  Caught caught;
  Task<int> failing = create_task(std::move(coro));
  failing.add_done_callback([&](Task<int> done) { caught.push_back(done.exception()); });
  co_await sleep(1h);
  co_return caught;
}
Coro<int> succeed() {
  co_await sleep(1s);
  co_return 1;
}
Coro<Caught> gather_it(Coro<int> coro) { return caught_from(gather(std::move(coro), succeed())); }
Coro<Caught> gather_range(Coro<int> coro) {
  std::vector<Coro<int>> coros;
  coros.push_back(std::move(coro));
  return caught_from(gather(std::move(coros)));
}
Coro<Caught> gather_results(Coro<int> coro) {
  auto [outcome, other] = co_await gather(return_exceptions, std::move(coro), succeed());
  EXPECT_EQ(other.value(), 1);
  co_return Caught{outcome.exception()};
}
Coro<Caught> shield_it(Coro<int> coro) { return caught_from(shield(std::move(coro))); }
Coro<Caught> wait_for_it(Coro<int> coro) { return caught_from(wait_for(std::move(coro), 1h)); }
Coro<Caught> wait_for_task(Coro<int> coro) {
  return caught_from(wait_for(create_task(std::move(coro)), 1h));
}
Coro<Caught> inside_a_timeout(Coro<int> coro) {
  auto body = [&coro]() -> Coro<int> { co_return co_await std::move(coro); };
  auto outcome = co_await capture(with(timeout(1h), body));
  co_return Caught{outcome.exception()};
}
Coro<Caught> group(Coro<int> coro) {
  auto body = [&coro](TaskGroup& tasks) -> Coro<> {
    tasks.create_task(std::move(coro));
    co_return;
  };
  auto outcome = co_await capture(with(TaskGroup(), body));
  Caught caught;
  try {
    outcome.value();
  } catch (const ExceptionGroup& errors) {
    caught = errors.exceptions();
  }
  co_return caught;
}
Coro<Caught> body_of_a_group(Coro<int> coro) {
  auto body = [&coro](TaskGroup& tasks) -> Coro<> {
    tasks.create_task(sleep(2h));
    co_await std::move(coro);
  };
  auto outcome = co_await capture(with(TaskGroup(), body));
  Caught caught;
  try {
    outcome.value();
  } catch (const ExceptionGroup& errors) {
    caught = errors.exceptions();
  }
  co_return caught;
}
Coro<Caught> wait_it(Coro<int> coro) {
  auto [done, pending] = co_await wait(create_task(std::move(coro)));
  EXPECT_TRUE(pending.empty());
  co_return Caught{done[0].exception()};
}
std::vector<Coro<int>> one(Coro<int> coro) {
  std::vector<Coro<int>> coros;
  coros.push_back(std::move(coro));
  return coros;
}
Coro<Caught> next_completed(Coro<int> coro) {
  auto completed = as_completed(one(std::move(coro)));
  auto first = co_await completed.next();
  Caught caught = co_await caught_from(*first);
  co_return caught;
}
Coro<Caught> iterate_completed(Coro<int> coro) {
  Caught all;
  for (auto& next : as_completed(one(std::move(coro)))) {
    Caught caught = co_await caught_from(std::move(next));
    all.insert(all.end(), caught.begin(), caught.end());
  }
  co_return all;
}
Coro<Caught> then_it(Coro<int> coro) {
  return caught_from(create_task(std::move(coro)).then([](int value) { return value; }));
}
Coro<Caught> exit_stack(Coro<int> coro) {
  auto body = [&coro](AsyncExitStack& stack) -> Coro<> {
    stack.push_async_callback([] {});
    co_await std::move(coro);
  };
  auto outcome = co_await capture(with(AsyncExitStack(), body));
  co_return Caught{outcome.exception()};
}
Coro<Caught> staggered(Coro<int> coro) {
  auto attempt = [&coro]() -> Coro<int> { co_return co_await std::move(coro); };
  std::vector<std::function<Coro<int>()>> attempts(1, attempt);
  auto result = co_await staggered_race(std::move(attempts), std::nullopt);
  co_return result.errors;
}
Coro<Caught> generator_that_awaits_it(Coro<int> coro) {
  auto items = [](Coro<int> inner) -> AsyncGenerator<int> {
    int value = co_await std::move(inner);
    co_yield value;
  };
  auto generator = items(std::move(coro));
  Caught caught = co_await caught_from(generator.next());
  co_return caught;
}
Coro<Caught> awaited_twice(Coro<int> coro) {
  Task<int> failing = create_task(std::move(coro));
  Caught first = co_await caught_from(failing);
  Caught second = co_await caught_from(failing);
  EXPECT_EQ(describe_exception(first.at(0)), describe_exception(second.at(0)));
  co_return first;
}

// Nobody asks for it: it is reported.
Coro<Caught> lost(Caught nothing = {}) {
  co_await sleep(1h);
  co_return nothing;
}
Coro<Caught> detached_task(Coro<int> coro) {
  create_task(std::move(coro));
  return lost();
}
Coro<Caught> dropped_task(Coro<int> coro) {
  {
    Task<int> failing = create_task(std::move(coro));
    co_await sleep(1h);
    EXPECT_TRUE(failing.done());
  }
  co_return Caught();
}
Coro<Caught> dropped_gather(Coro<int> coro) {
  (void)gather(std::move(coro), succeed());
  return lost();
}
Coro<Caught> dropped_shield(Coro<int> coro) {
  (void)shield(std::move(coro));
  return lost();
}
Coro<Caught> dropped_then(Coro<int> coro) {
  (void)create_task(std::move(coro)).then([](int value) { return value; });
  return lost();
}
Coro<Caught> dropped_completions(Coro<int> coro) {
  {
    auto completed = as_completed(one(std::move(coro)));
  }
  return lost();
}
Coro<Caught> wait_and_never_look(Coro<int> coro) {
  co_await wait(create_task(std::move(coro)));
  co_return Caught();
}
Coro<Caught> first_exception_and_never_look(Coro<int> coro) {
  co_await wait(std::vector<Task<int>>(1, create_task(std::move(coro))), FIRST_EXCEPTION);
  co_return Caught();
}
Coro<Caught> cancelled_after_it_failed(Coro<int> coro) {
  Task<int> failing = create_task(std::move(coro));
  co_await sleep(1h);
  EXPECT_FALSE(failing.cancel());
  co_return Caught();
}
Coro<Caught> cancelled_race(Coro<int> coro) {
  auto attempt = [&coro](int number) -> Coro<int> {
    if (number == 0) co_return co_await std::move(coro);
    co_await sleep(24h);
    co_return number;
  };
  std::vector<std::function<Coro<int>()>> attempts;
  for (int i = 0; i < 2; ++i) attempts.emplace_back([&attempt, i] { return attempt(i); });
  auto race = create_task(staggered_race(std::move(attempts), std::nullopt));
  co_await sleep(1h);
  race.cancel();
  auto ended = co_await capture(std::move(race));
  EXPECT_TRUE(ended.cancelled());
  co_return Caught();
}
Coro<Caught> awaiter_cancelled_while_shielded(Coro<int> coro) {
  auto awaits = [](Task<int> inner) -> Coro<int> { co_return co_await shield(inner); };
  Task<int> awaiting = create_task(awaits, create_task(std::move(coro)));
  co_await sleep(0s);
  awaiting.cancel();
  Caught none = co_await lost();
  co_return none;
}

struct Await {
  const char* name;
  Way way;
  bool reported = false;  // instead of caught
};

const Await kAwaits[] = {
    {"co_await", await_it},
    {"capture", capture_it},
    {"task", task},
    {"eager task", eager_task},
    {"TaskHandle", task_handle},
    {"task of a task", task_of_a_task},
    {"task.exception()", exception_of_a_task},
    {"done callback", done_callback},
    {"gather", gather_it},
    {"gather of a range", gather_range},
    {"gather with return_exceptions", gather_results},
    {"shield", shield_it},
    {"wait_for", wait_for_it},
    {"wait_for of a task", wait_for_task},
    {"timeout", inside_a_timeout},
    {"TaskGroup", group},
    {"body of a TaskGroup", body_of_a_group},
    {"wait", wait_it},
    {"as_completed", next_completed},
    {"iteration of as_completed", iterate_completed},
    {"then", then_it},
    {"AsyncExitStack", exit_stack},
    {"staggered_race", staggered},
    {"generator", generator_that_awaits_it},
    {"twice", awaited_twice},
    {"detached task", detached_task, true},
    {"dropped task", dropped_task, true},
    {"dropped gather", dropped_gather, true},
    {"dropped shield", dropped_shield, true},
    {"dropped then", dropped_then, true},
    {"dropped as_completed", dropped_completions, true},
    {"wait, result ignored", wait_and_never_look, true},
    {"wait for an exception, result ignored", first_exception_and_never_look, true},
    {"cancelled after it failed", cancelled_after_it_failed, true},
    {"cancelled race", cancelled_race, true},
    {"shielded, awaiter cancelled", awaiter_cancelled_while_shielded, true},
};

class ExceptionMatrix : public ::testing::TestWithParam<Await> {};

TEST_P(ExceptionMatrix, D3_R1_each_exception_arrives_once) {
  for (const Source& source : kSources) {
    SCOPED_TRACE(source.name);
    test::LogCapture log;
    std::vector<std::string> caught;
    std::vector<std::string> reports;
    run_virtual([&]() -> Coro<> {
      test::ReportCapture capture_reports(get_running_loop());
      Caught errors = co_await GetParam().way(source.make());
      for (const auto& error : errors) caught.push_back(describe_exception(error));
      errors.clear();
      co_await sleep(1h);
      reports = capture_reports.reports;
      get_running_loop().set_exception_handler({});
    });
    const auto& arrived = GetParam().reported ? reports : caught;
    const auto& others = GetParam().reported ? caught : reports;
    ASSERT_EQ(arrived.size(), 1u);
    EXPECT_NE(arrived[0].find(source.text), std::string::npos) << arrived[0];
    EXPECT_TRUE(others.empty()) << others[0];
    EXPECT_TRUE(log.records.empty()) << log.all();
  }
}

std::string name_of(const ::testing::TestParamInfo<Await>& info) {
  std::string name = info.param.name;
  std::ranges::replace_if(name, [](char c) { return !std::isalnum(c); }, '_');
  return name;
}
INSTANTIATE_TEST_SUITE_P(Ways, ExceptionMatrix, ::testing::ValuesIn(kAwaits), name_of);

}  // namespace

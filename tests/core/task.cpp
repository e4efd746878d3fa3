// SPDX-License-Identifier: BSL-1.0
#include "asyncio/task.hpp"

#include "asyncio/capture.hpp"
#include "asyncio/gather.hpp"
#include "asyncio/sleep.hpp"
#include "captures.hpp"
#include "virtual_loop.hpp"

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

using namespace asyncio;
using namespace std::chrono_literals;
using test::Counted;
using test::run_virtual;
using test::thrown;

namespace {

Coro<int> give(int value) { co_return value; }
Coro<> fail(std::string text) {
  co_await sleep(0s);
  throw ValueError(text);
}
Coro<> sleep_long(Counted = Counted()) { co_await sleep(10s); }

TEST(Task, S12_create_task_returns_before_the_body_runs) {
  run_virtual([]() -> Coro<> {
    std::vector<std::string> trace;
    auto body = [](std::vector<std::string>& out) -> Coro<int> {
      out.push_back("body");
      co_return 1;
    };
    Task<int> task = create_task(body, std::ref(trace));
    trace.push_back("created");
    int value = co_await task;
    EXPECT_EQ(value, 1);
    EXPECT_EQ(trace, (std::vector<std::string>{"created", "body"}));
  });
}

TEST(Task, S13_create_task_without_a_loop_throws_and_reports_the_coroutine) {
  test::LogCapture log;
  EXPECT_EQ(thrown([] { create_task(give(1)); }), "asyncio::RuntimeError: no running event loop");
  EXPECT_EQ(log.count("coroutine 'give'", "was never awaited"), 1) << log.all();
  EXPECT_EQ(thrown([] { create_task(give, 1); }), "asyncio::RuntimeError: no running event loop");
  EXPECT_EQ(thrown([] { (void)all_tasks(); }), "asyncio::RuntimeError: no running event loop");
  EXPECT_EQ(thrown([] { (void)current_task(); }), "asyncio::RuntimeError: no running event loop");
  EXPECT_EQ(log.records.size(), 1u);  // the function form made no coroutine yet
}

TEST(Task, S14_ensure_future_takes_each_kind_of_awaitable) {
  run_virtual([]() -> Coro<> {
    Task<int> from_coro = ensure_future(give(1));
    Task<int> same = ensure_future(from_coro);
    EXPECT_EQ(same, from_coro);
    auto future = get_running_loop().create_future<int>();
    EXPECT_EQ(ensure_future(future), future);
    Task<int> from_awaiter = ensure_future(sleep(1s, 5));
    int sum = co_await from_coro + co_await from_awaiter;
    EXPECT_EQ(sum, 6);
    EXPECT_TRUE(isfuture(future));
    static_assert(is_future_v<Task<int>> && !is_future_v<Coro<int>>);
  });
}

TEST(Task, A2_2_create_task_takes_what_is_a_coroutine_in_python) {
  run_virtual([]() -> Coro<> {
    TimePoint begin = get_running_loop().time();
    Task<int> first = create_task(sleep(1s, 5));
    Task<int> named = create_task(sleep(1s, 6), TaskOptions().name("sleeper"));
    Task<> third = create_task(TaskOptions().name("third"), sleep(1s));
    Task<> fourth = get_running_loop().create_task(sleep(1s));
    EXPECT_EQ(named.get_name(), "sleeper");
    EXPECT_EQ(third.get_name(), "third");
    int sum = co_await first + co_await named;
    EXPECT_EQ(sum, 11);
    EXPECT_TRUE(third.done() && fourth.done());
    EXPECT_EQ(get_running_loop().time() - begin, 1s);
    Task<> cancelled = create_task(sleep(1s));
    co_await sleep(0s);
    cancelled.cancel();
    Result<> end = co_await capture(cancelled);
    EXPECT_TRUE(end.cancelled());
  });
}

TEST(Task, S16_lost_exception_is_reported_once_with_the_place_of_creation) {
  run_virtual([]() -> Coro<> {
    test::ReportCapture reports(get_running_loop());
    unsigned line = __LINE__ + 1;
    create_task(fail("lost"));
    create_task(fail, "lost, too");
    co_await sleep(1s);
    EXPECT_EQ(reports.reports,
              (std::vector<std::string>{
                  "Task exception was never retrieved: asyncio::ValueError: lost",
                  "Task exception was never retrieved: asyncio::ValueError: lost, too"}));
    EXPECT_TRUE(reports.sources[0].ends_with("task.cpp:" + std::to_string(line)));
    // create_task(fn, args...) cannot see its caller: it tells where fn is.
    EXPECT_NE(reports.sources[1].find("task.cpp:"), std::string::npos) << reports.sources[1];
    get_running_loop().set_exception_handler({});
  });
}

TEST(Task, S18_states_before_and_after) {
  run_virtual([]() -> Coro<> {
    Task<int> task = create_task(give(3), TaskOptions().name("three"));
    EXPECT_FALSE(task.done());
    EXPECT_EQ(task.get_name(), "three");
    EXPECT_EQ(thrown([&] { task.result(); }), "asyncio::InvalidStateError: Result is not set.");
    EXPECT_TRUE(task.get_coro());
    co_await task;
    EXPECT_TRUE(task.done());
    EXPECT_FALSE(task.cancelled());
    EXPECT_EQ(task.result(), 3);
    EXPECT_EQ(task.exception(), nullptr);
    EXPECT_FALSE(task.get_coro());
    EXPECT_FALSE(task.cancel());
    EXPECT_EQ(thrown([&] { task.set_result(4); }),
              "asyncio::RuntimeError: Task does not support set_result operation");
    EXPECT_EQ(thrown([&] { task.set_exception(ValueError("x")); }),
              "asyncio::RuntimeError: Task does not support set_exception operation");
  });
}

TEST(Task, fault4_cancelled_before_its_first_step_the_body_never_runs) {
  run_virtual([]() -> Coro<> {
    int before = Counted::alive;
    bool ran = false;
    auto body = [](Counted, bool& flag) -> Coro<> {
      flag = true;
      co_return;
    };
    Task<> task = create_task(body, Counted(), std::ref(ran));
    EXPECT_EQ(Counted::alive, before + 2);  // the task's copy and the frame's
    EXPECT_TRUE(task.cancel("early"));
    EXPECT_FALSE(task.done());
    std::string text;
    try {
      co_await task;
    } catch (const CancelledError& e) {
      text = e.what();
    }
    EXPECT_EQ(text, "early");
    EXPECT_FALSE(ran);
    EXPECT_TRUE(task.cancelled());
    EXPECT_EQ(Counted::alive, before);
  });
}

TEST(Task, fault15_task_that_awaits_itself_gets_an_error) {
  run_virtual([]() -> Coro<> {
    std::optional<Task<>> self;
    auto body = [](std::optional<Task<>>& me) -> Coro<> { co_await *me; };
    self = create_task(body(self), TaskOptions().name("narcissus"));
    co_await sleep(0s);
    EXPECT_EQ(describe_exception(self->exception()),
              "asyncio::RuntimeError: Task cannot await on itself: 'narcissus'");
  });
}

TEST(Task, fault15_tasks_that_await_each_other_get_an_error_that_names_them) {
  run_virtual([]() -> Coro<> {
    std::optional<Task<>> tasks[3];
    auto body = [](std::optional<Task<>>& next) -> Coro<> { co_await *next; };
    const char* names[] = {"a", "b", "c"};
    for (int i = 0; i < 3; ++i)
      tasks[i] = create_task(body(tasks[(i + 1) % 3]), TaskOptions().name(names[i]));
    auto results = co_await gather(return_exceptions, *tasks[0], *tasks[1], *tasks[2]);
    EXPECT_EQ(describe_exception(std::get<0>(results).exception()),
              "asyncio::RuntimeError: Tasks await each other in a cycle: 'c' awaits 'a', which "
              "waits, directly or not, for 'c'");
  });
}

TEST(Task, fault21_detached_task_runs_to_its_end_without_a_handle) {
  run_virtual([]() -> Coro<> {
    bool ended = false;
    auto body = [](bool& flag) -> Coro<> {
      co_await sleep(5s);
      flag = true;
    };
    create_task(body, std::ref(ended));
    EXPECT_EQ(all_tasks().size(), 2u);
    co_await sleep(6s);
    EXPECT_TRUE(ended);
    EXPECT_EQ(all_tasks().size(), 1u);
  });
}

TEST(Task, fault204_handle_dropped_while_another_task_awaits_it) {
  run_virtual([]() -> Coro<> {
    auto waits = [](Task<int> inner) -> Coro<int> { co_return co_await std::move(inner); };
    auto slow = []() -> Coro<int> { co_return co_await sleep(1s, 9); };
    Task<int> outer = create_task(waits(create_task(slow)));
    int value = co_await outer;
    EXPECT_EQ(value, 9);
  });
}

TEST(Task, A2_2_function_form_owns_copies_of_function_and_arguments) {
  run_virtual([]() -> Coro<> {
    int before = Counted::alive;
    auto owned = std::make_unique<int>(5);
    Task<int> task = [&] {
      Counted counted;
      std::string text = "a local that dies before the task runs";
      auto body = [counted, text](const std::string& argument,
                                  std::unique_ptr<int> number) -> Coro<int> {
        co_await sleep(1s);
        co_return static_cast<int>(argument == text) + *number;
      };
      return create_task(body, text, std::move(owned));
    }();
    EXPECT_EQ(Counted::alive, before + 1);
    int value = co_await task;
    EXPECT_EQ(value, 6);
    EXPECT_EQ(Counted::alive, before);  // although the handle lives
  });
}

struct Service {
  Coro<int> twice(int value) const { co_return value* factor; }
  int factor = 2;
};

TEST(Task, A2_2_member_functions_and_options_first) {
  run_virtual([]() -> Coro<> {
    Service service;
    Task<int> task = create_task(TaskOptions().name("named"), &Service::twice, &service, 21);
    EXPECT_EQ(task.get_name(), "named");
    Task<int> on_loop = get_running_loop().create_task(give(1), TaskOptions().name("on loop"));
    EXPECT_EQ(on_loop.get_name(), "on loop");
    int sum = co_await task + co_await on_loop;
    EXPECT_EQ(sum, 43);
  });
}

TEST(Task, A2_8_eager_task_runs_up_to_its_first_suspension_inside_create_task) {
  run_virtual([]() -> Coro<> {
    Task<int> done = create_task(give(1), TaskOptions().eager_start(true));
    EXPECT_TRUE(done.done());
    auto current = [](std::string& name) -> Coro<> {
      name = current_task()->get_name();
      co_await sleep(1s);
    };
    std::string name;
    Task<> eager = create_task(current(name), TaskOptions().eager_start(true).name("eager"));
    EXPECT_EQ(name, "eager");
    EXPECT_NE(current_task()->get_name(), "eager");
    co_await eager;
    get_running_loop().set_task_factory(create_eager_task_factory(
        [](EventLoop, TaskOptions& options) { options.name("by factory"); }));
    Task<int> made = create_task(give(2));
    EXPECT_TRUE(made.done());
    EXPECT_EQ(made.get_name(), "by factory");
    get_running_loop().set_task_factory({});
  });
}

/// It was never in the list of what is ready.
TEST(Task, A2_8_R3_eager_task_that_waits_when_its_loop_closes) {
  int before = Counted::alive;
  test::LogCapture log;  // of the task that was pending
  auto wait_on = [](Counted) -> Coro<> { co_await sleep(1h); };
  EventLoop loop = new_event_loop();
  Task<> eager = loop.create_task(TaskOptions().eager_start(true), wait_on, Counted());
  loop.run_until_complete([&]() -> Coro<> {
    Task<> inside = create_task(TaskOptions().eager_start(true), wait_on, Counted());
    co_return;
  }());
  loop.close();
  EXPECT_FALSE(eager.done());
  EXPECT_EQ(Counted::alive, before);
}

TEST(Task, A2_8_factory_that_throws_starts_nothing_and_frees_the_coroutine) {
  run_virtual([]() -> Coro<> {
    int before = Counted::alive;
    get_running_loop().set_task_factory(
        [](EventLoop, TaskOptions&) { throw ValueError("no tasks today"); });
    EXPECT_EQ(thrown([] { create_task(sleep_long()); }), "asyncio::ValueError: no tasks today");
    EXPECT_EQ(thrown([] { create_task(sleep_long, Counted()); }),
              "asyncio::ValueError: no tasks today");
    EXPECT_EQ(Counted::alive, before);
    EXPECT_EQ(all_tasks().size(), 1u);
    get_running_loop().set_task_factory({});
    co_return;
  });
}

TEST(Task, A2_17_stack_names_the_frames_and_their_lines) {
  run_virtual([]() -> Coro<> {
    auto outer = []() -> Coro<> { co_await sleep_long(); };
    Task<> task = create_task(outer(), TaskOptions().name("nested"));
    co_await sleep(1s);
    auto stack = task.get_stack();
    EXPECT_EQ(stack.size(), 2u);
    EXPECT_EQ(stack.back().function, "sleep_long");
    EXPECT_TRUE(stack.back().file.ends_with("task.cpp"));
    EXPECT_EQ(task.get_stack(1).at(0).function, "sleep_long");
    std::ostringstream out;
    task.print_stack(out);
    EXPECT_TRUE(out.str().starts_with("Stack for 'nested' (most recent call last):\n  File \""));
    task.cancel();
    co_await sleep(0s);
    co_await sleep(0s);
    EXPECT_TRUE(task.get_stack().empty());
  });
}

struct Hooks : TaskHooks {
  void on_create(const TaskHandle& task) noexcept override { note("create ", task); }
  void on_enter(const TaskHandle& task) noexcept override { note("enter ", task); }
  void on_leave(const TaskHandle& task) noexcept override { note("leave ", task); }
  void on_done(const TaskHandle& task) noexcept override { note("done ", task); }
  void note(const char* what, const TaskHandle& task) {
    if (task.get_name() == "watched") trace.push_back(what + task.get_name());
  }
  std::vector<std::string> trace;
};

TEST(Task, A12_3_hooks_see_every_step) {
  Hooks hooks;
  run_virtual(
      [](Hooks& watch) -> Coro<> {
        get_running_loop().set_task_hooks(&watch);
        Task<> task = create_task(TaskOptions().name("watched"), fail, "seen");
        Result<> result = co_await capture(task);
        EXPECT_TRUE(result.holds<ValueError>());
        get_running_loop().set_task_hooks(nullptr);
      },
      hooks);
  EXPECT_EQ(hooks.trace,
            (std::vector<std::string>{"create watched", "enter watched", "leave watched",
                                      "enter watched", "leave watched", "done watched"}));
}

TEST(Task, fault211_ranges_of_what_can_only_be_moved) {
  using Owned = std::unique_ptr<int>;
  run_virtual([]() -> Coro<> {
    auto make = [](int value) -> Coro<Owned> {
      co_await sleep(0s);
      co_return std::make_unique<int>(value);
    };
    std::vector<Coro<Owned>> coros;
    coros.push_back(make(1));
    coros.push_back(make(2));
    std::vector<Owned> values = co_await gather(std::move(coros));
    EXPECT_EQ(*values[0] + *values[1], 3);
    std::vector<Coro<Owned>> more;
    more.push_back(make(3));
    std::vector<Result<Owned>> results = co_await gather(return_exceptions, std::move(more));
    EXPECT_EQ(*results[0].value(), 3);
    auto several = []() -> Coro<std::vector<Owned>> {
      std::vector<Owned> all;
      all.push_back(std::make_unique<int>(4));
      co_return all;
    };
    Task<std::vector<Owned>> task = create_task(several);
    std::vector<Owned> taken = co_await std::move(task);
    EXPECT_EQ(*taken[0], 4);
  });
}

// --- Which tasks there are, and who makes them ---------------------------------------------------

TEST(Task, A2_16_current_task_and_all_tasks) {
  EXPECT_EQ(thrown([] { current_task(); }), "asyncio::RuntimeError: no running event loop");
  EXPECT_EQ(thrown([] { all_tasks(); }), "asyncio::RuntimeError: no running event loop");
  run_virtual([]() -> Coro<> {
    EventLoop loop = get_running_loop();
    TaskHandle main = current_task().value();
    EXPECT_EQ(all_tasks(), (std::vector<TaskHandle>{main}));
    std::optional<TaskHandle> seen;
    auto body = [&]() -> Coro<> {
      seen = current_task();
      co_return;
    };
    Task<> first = create_task(sleep(1s));
    Task<> second = loop.create_task(body());
    EXPECT_EQ(all_tasks(), (std::vector<TaskHandle>{main, first, second}));
    co_await second;
    EXPECT_EQ(seen, std::optional<TaskHandle>(second));
    EXPECT_EQ(all_tasks(loop), (std::vector<TaskHandle>{main, first}));
    bool in_callback = true;
    loop.call_soon([&] { in_callback = current_task().has_value(); });
    co_await first;
    EXPECT_FALSE(in_callback);
  });
  EventLoop idle = test::new_virtual_loop();
  EXPECT_FALSE(current_task(idle));
  EXPECT_TRUE(all_tasks(idle).empty());
  idle.close();
}

TEST(Task, A9_4_A2_8_a_task_factory_sees_each_task_and_may_start_it_eagerly) {
  run_virtual([]() -> Coro<> {
    EventLoop loop = get_running_loop();
    EXPECT_FALSE(loop.get_task_factory());
    int made = 0;
    loop.set_task_factory(
        [&](EventLoop, TaskOptions& options) { options.name("made " + std::to_string(++made)); });
    EXPECT_TRUE(loop.get_task_factory());
    Task<> slow = create_task(sleep(1s));
    EXPECT_EQ(slow.get_name(), "made 1");
    loop.set_task_factory(create_eager_task_factory(loop.get_task_factory()));
    auto number = []() -> Coro<int> { co_return 7; };
    Task<int> eager = create_task(number());
    EXPECT_TRUE(eager.done());
    EXPECT_EQ(eager.get_name(), "made 2");
    loop.set_task_factory(eager_task_factory);
    EXPECT_TRUE(create_task(number()).done());
    loop.set_task_factory({});
    EXPECT_FALSE(create_task(number()).done());
    co_await slow;
  });
}

TEST(Task, A9_4_create_future_belongs_to_the_loop_and_begins_pending) {
  run_virtual([]() -> Coro<> {
    EventLoop loop = get_running_loop();
    Future<std::string> future = loop.create_future<std::string>();
    EXPECT_FALSE(future.done());
    EXPECT_TRUE(future.get_loop() == loop);
    loop.call_later(1s, [&] { future.set_result("done"); });
    std::string text = co_await future;
    EXPECT_EQ(text, "done");
  });
}

}  // namespace

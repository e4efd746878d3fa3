// SPDX-License-Identifier: BSL-1.0
#include "asyncio/capture.hpp"
#include "asyncio/gather.hpp"
#include "asyncio/runner.hpp"
#include "asyncio/sleep.hpp"
#include "asyncio/task.hpp"
#include "backends.hpp"
#include "captures.hpp"
#include "virtual_loop.hpp"

#include <gtest/gtest.h>

#include <csignal>
#include <cstdlib>
#include <memory>
#include <string>
#include <thread>
#include <vector>

using namespace asyncio;
using namespace std::chrono_literals;
using test::debug_virtual;
using test::run_virtual;
using test::thrown;

namespace {

Coro<int> give(int value) { co_return value; }
Coro<> fail(std::string text) {
  co_await sleep(0s);
  throw ValueError(text);
}
Coro<> nothing() { co_return; }

TEST(Run, S1_returns_the_value_of_main) {
  EXPECT_EQ(run(give(42)), 42);
  EXPECT_EQ(*run([]() -> Coro<std::unique_ptr<int>> { co_return std::make_unique<int>(7); }), 7);
  static int object = 0;
  int& reference = run([]() -> Coro<int&> { co_return object; });
  EXPECT_EQ(&reference, &object);
  run(nothing());
}

TEST(Run, S1_each_call_has_a_loop_of_its_own_and_leaves_nothing_open) {
  auto before = test::open_descriptors();
  std::optional<EventLoop> last;
  for (int i = 0; i < 1000; ++i) {
    EventLoop loop = run([]() -> Coro<EventLoop> { co_return get_running_loop(); });
    EXPECT_TRUE(loop.is_closed());
    if (last) {
      EXPECT_FALSE(loop == *last);
    }
    last = loop;
  }
  EXPECT_EQ(test::open_descriptors(), before);
  EXPECT_EQ(thrown([] { get_running_loop(); }), "asyncio::RuntimeError: no running event loop");
}

TEST(Run, S2_leftover_task_is_cancelled_and_its_awaiting_cleanup_runs) {
  std::vector<std::string> trace;
  TimePoint end = run_virtual(
      [](std::vector<std::string>& out) -> Coro<TimePoint> {
        auto job = [](std::vector<std::string>& notes) -> Coro<> {
          Result<> result = co_await capture(sleep(10s));
          notes.push_back(result.cancelled() ? "cancelled" : "not cancelled");
          co_await sleep(100ms);
          notes.push_back("cleaned up");
          result.value();
        };
        create_task(job, std::ref(out));
        co_await sleep(1s);
        co_return get_running_loop().time();
      },
      trace);
  EXPECT_EQ(trace, (std::vector<std::string>{"cancelled", "cleaned up"}));
  EXPECT_EQ(end.time_since_epoch(), 1h + 1s);
}

Coro<> job() { co_await sleep(10s); }

TEST(Run, S15_debug_mode_names_the_ghost_task_and_where_it_was_made) {
  test::LogCapture log;
  unsigned line = 0;
  auto main = [&]() -> Coro<> {
    line = __LINE__ + 1;
    create_task(job(), TaskOptions().name("ghost"));
    co_await sleep(1s);
  };
  run_virtual(main);
  EXPECT_TRUE(log.records.empty()) << log.all();  // nothing without debug
  debug_virtual(main);
  EXPECT_EQ(log.count("'ghost'", "'job'", "run.cpp:" + std::to_string(line), "cancelled"), 1)
      << log.all();
  EXPECT_EQ(log.records.size(), 1u);
}

TEST(Run, S5_fault202_nested_run_is_refused_and_the_outer_loop_unharmed) {
  test::LogCapture log;
  run_virtual([]() -> Coro<> {
    EXPECT_EQ(thrown([] { run(give(1)); }),
              "asyncio::RuntimeError: asyncio.run() cannot be called from a running event loop");
    EXPECT_EQ(thrown([] { run(give, 1); }),
              "asyncio::RuntimeError: asyncio.run() cannot be called from a running event loop");
    Runner runner(test::virtual_options());
    EXPECT_EQ(thrown([&] { runner.run(give(1)); }),
              "asyncio::RuntimeError: Runner.run() cannot be called from a running event loop");
    co_await sleep(1s);
    EXPECT_TRUE(get_running_loop().is_running());
  });
  EXPECT_EQ(log.count("coroutine 'give'", "was never awaited"), 2) << log.all();
}

TEST(Run, fault202_running_a_loop_from_a_callback_or_another_loop_is_refused) {
  test::LogCapture log;
  EventLoop other = test::new_virtual_loop();
  run_virtual(
      [](EventLoop second) -> Coro<> {
        EventLoop loop = get_running_loop();
        std::vector<std::string> errors;
        loop.call_soon([&] {
          errors.push_back(thrown([&] { loop.run_until_complete(give(1)); }));
          errors.push_back(thrown([&] { loop.run_forever(); }));
          errors.push_back(thrown([&] { second.run_forever(); }));
          errors.push_back(thrown([&] { loop.close(); }));
        });
        co_await sleep(1s);
        EXPECT_EQ(errors,
                  (std::vector<std::string>{
                      "asyncio::RuntimeError: This event loop is already running",
                      "asyncio::RuntimeError: This event loop is already running",
                      "asyncio::RuntimeError: Cannot run the event loop while another loop is "
                      "running",
                      "asyncio::RuntimeError: Cannot close a running event loop"}));
        EXPECT_EQ(get_running_loop(), loop);
      },
      other);
  other.close();
}

TEST(Run, S6_runs_follow_one_another_and_share_no_tasks) {
  for (int i = 0; i < 3; ++i) {
    run_virtual([]() -> Coro<> {
      EXPECT_EQ(all_tasks().size(), 1u);
      create_task(job());
      co_await sleep(1s);
      EXPECT_EQ(all_tasks().size(), 2u);
    });
  }
}

TEST(Run, S6_each_thread_may_have_its_own) {
  std::vector<int> results(4);
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([i, &results] {
      for (int round = 0; round < 50; ++round) {
        auto main = [](int number) -> Coro<int> {
          auto [a, b] = co_await gather(give(number), sleep(1s, number));
          co_return a + b;
        };
        results[static_cast<std::size_t>(i)] = run_virtual(main, i);
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(results, (std::vector<int>{0, 2, 4, 6}));
}

TEST(Run, S7_debug_mode_by_option_and_by_environment) {
  auto debug = []() -> Coro<bool> { co_return get_running_loop().get_debug(); };
  EXPECT_FALSE(run(debug()));
  EXPECT_TRUE(run(debug(), RunOptions().debug(true)));
  ::setenv("ASYNCIODEBUG", "1", 1);
  EXPECT_TRUE(run(debug()));
  EXPECT_FALSE(run(debug(), RunOptions().debug(false)));
  ::setenv("ASYNCIODEBUG", "0", 1);
  EXPECT_FALSE(run(debug()));
  ::unsetenv("ASYNCIODEBUG");
}

TEST(Run, S8_the_loop_factory_makes_the_loop) {
  int made = 0;
  auto factory = [&made] {
    ++made;
    return test::new_virtual_loop();
  };
  auto name = []() -> Coro<std::string> {
    co_return std::string(get_running_loop().backend_name());
  };
  EXPECT_EQ(run(name(), RunOptions().loop_factory(factory)), "virtual");
  EXPECT_EQ(made, 1);
  EXPECT_EQ(run(name(), RunOptions().loop_factory(new_epoll_event_loop)), "epoll");
  ::setenv("ASYNCIO_BACKEND", "none", 1);
  EXPECT_EQ(thrown([] { new_event_loop(); }),
            "asyncio::ValueError: ASYNCIO_BACKEND: no backend 'none'; there are epoll, io_uring "
            "and simulated");
  ::unsetenv("ASYNCIO_BACKEND");
}

class OwnError : public std::runtime_error {
 public:
  explicit OwnError(int number) : std::runtime_error("own"), code(number) {}
  int code;
};

TEST(Run, S9_the_exception_of_main_comes_out_with_its_type) {
  int code = 0;
  try {
    run_virtual([]() -> Coro<> {
      co_await sleep(1s);
      throw OwnError(5);
    });
  } catch (const OwnError& error) {
    code = error.code;
  }
  EXPECT_EQ(code, 5);
  test::LogCapture log;  // of the coroutine that is never awaited
  EXPECT_EQ(thrown([] {
              run(give(1),
                  RunOptions().loop_factory([]() -> EventLoop { throw ValueError("no loop"); }));
            }),
            "asyncio::ValueError: no loop");
}

TEST(Run, A1_3_interrupt_in_the_last_step_is_not_lost) {
  auto body = []() -> Coro<int> {
    co_await sleep(0s);
    std::raise(SIGINT);
    co_return 5;
  };
  EXPECT_THROW(asyncio::run(body()), KeyboardInterrupt);
}

TEST(Run, S9_run_main_prints_what_the_function_itself_throws) {
  ::testing::internal::CaptureStderr();
  int status = run_main([]() -> Coro<> { throw ValueError("no coroutine"); });
  EXPECT_NE(::testing::internal::GetCapturedStderr().find("no coroutine"), std::string::npos);
  EXPECT_EQ(status, 1);
  EXPECT_EQ(run_main([]() -> Coro<bool> { co_return true; }), 0);
}

TEST(Run, S9_run_main_gives_the_exit_status_and_prints_the_error) {
  EXPECT_EQ(run_main(nothing(), test::virtual_options()), 0);
  EXPECT_EQ(run_main(give(3), test::virtual_options()), 3);
  ::testing::internal::CaptureStderr();
  EXPECT_EQ(run_main(fail("boom"), test::virtual_options()), 1);
  EXPECT_EQ(run_main(
                []() -> Coro<> {
                  throw KeyboardInterrupt();
                  co_return;
                },
                test::virtual_options()),
            130);
  std::string text = ::testing::internal::GetCapturedStderr();
  EXPECT_NE(text.find("run.cpp\", line "), std::string::npos) << text;
  EXPECT_NE(text.find(", in fail\n"), std::string::npos) << text;
  EXPECT_NE(text.find("asyncio::ValueError: boom\n"), std::string::npos) << text;
  EXPECT_NE(text.find("asyncio::KeyboardInterrupt\n"), std::string::npos) << text;
}

Coro<> bottom() {
  co_await sleep(0s);
  throw ValueError("went wrong");
}
Coro<> middle() { co_await bottom(); }
Coro<> top() {
  Task<> task = create_task(middle());
  co_await wait_for(shield(task), 1s);
}

TEST(Run, S9_the_traceback_goes_on_from_task_to_task) {
  ::testing::internal::CaptureStderr();
  EXPECT_EQ(run_main(top(), test::virtual_options()), 1);
  std::string text = ::testing::internal::GetCapturedStderr();
  std::size_t at = 0;
  for (const char* frame : {", in top\n", ", in middle\n", ", in bottom\n", "went wrong\n"}) {
    std::size_t found = text.find(frame, at);
    ASSERT_NE(found, std::string::npos) << frame << " is missing in\n" << text;
    at = found;
  }
  EXPECT_EQ(text.find(", in bottom", at), std::string::npos) << text;
}

TEST(Run, A1_1_function_and_arguments_live_as_long_as_the_run) {
  auto main = [](const std::string& text, std::unique_ptr<int> number) -> Coro<std::size_t> {
    co_await sleep(0s);
    co_return text.size() + static_cast<std::size_t>(*number);
  };
  EXPECT_EQ(run(main, std::string(100, 'x'), std::make_unique<int>(1)), 101u);
}

TEST(Run, A1_2_runner_keeps_loop_and_context_until_it_is_closed) {
  static ContextVar<int> variable("number", 0);
  Runner runner(test::virtual_options());
  EventLoop loop = runner.get_loop();
  runner.run([]() -> Coro<> {
    variable.set(5);
    co_return;
  });
  EXPECT_EQ(runner.run([]() -> Coro<int> { co_return variable.get(); }), 5);
  EXPECT_EQ(variable.get(), 0);
  EXPECT_EQ(runner.get_loop(), loop);
  runner.close();
  runner.close();
  EXPECT_TRUE(loop.is_closed());
  EXPECT_EQ(thrown([&] { runner.get_loop(); }), "asyncio::RuntimeError: Runner is closed");
  test::LogCapture log;
  Coro<int> late = give(1);
  EXPECT_EQ(thrown([&] { runner.run(std::move(late)); }),
            "asyncio::RuntimeError: Runner is closed");
}

TEST(Run, A1_2_tasks_are_frozen_between_two_runs_and_cancelled_by_the_destructor) {
  bool cancelled = false;
  {
    Runner runner(test::virtual_options());
    auto body = [](bool& flag) -> Coro<> {
      Result<> result = co_await capture(sleep(10s));
      flag = result.cancelled();
    };
    Task<> task =
        runner.run([&]() -> Coro<Task<>> { co_return create_task(body, std::ref(cancelled)); });
    runner.run([]() -> Coro<> { co_await sleep(1s); });
    EXPECT_FALSE(task.done());
  }
  EXPECT_TRUE(cancelled);
}

TEST(Run, A1_4_error_of_a_leftover_goes_to_the_exception_handler) {
  std::vector<std::string> reports;
  run_virtual([&]() -> Coro<> {
    get_running_loop().set_exception_handler([&](EventLoop, const ExceptionContext& context) {
      reports.push_back(context.message + ": " + describe_exception(context.exception));
    });
    auto body = []() -> Coro<> {
      Result<> result = co_await capture(sleep(10s));
      if (result.cancelled()) throw ValueError("in the clean-up");
    };
    create_task(body);
    co_await sleep(0s);
  });
  EXPECT_EQ(reports,
            std::vector<std::string>{
                "unhandled exception during asyncio.run() shutdown: asyncio::ValueError: in "
                "the clean-up"});
}

TEST(Run, S27_a_run_made_by_hand) {
  EventLoop loop = new_event_loop();
  EXPECT_EQ(thrown([] { get_event_loop(); }),
            "asyncio::RuntimeError: There is no current event loop in this thread.");
  set_event_loop(loop);
  EXPECT_EQ(get_event_loop(), loop);
  EXPECT_EQ(loop.run_until_complete(give(1)), 1);
  EXPECT_EQ(loop.run_until_complete(loop.create_task(give(2))), 2);
  EXPECT_EQ(thrown([&] { loop.run_until_complete(fail("three")); }), "asyncio::ValueError: three");
  set_event_loop(std::nullopt);
  EXPECT_FALSE(loop.is_closed());
  loop.close();
  EXPECT_TRUE(loop.is_closed());
}

TEST(Run, A9_2_loop_stopped_before_its_future_is_done) {
  EventLoop loop = test::new_virtual_loop();
  auto stops = []() -> Coro<> {
    get_running_loop().stop();
    co_await sleep(1s);
  };
  EXPECT_EQ(thrown([&] { loop.run_until_complete(stops()); }),
            "asyncio::RuntimeError: Event loop stopped before Future completed.");
  loop.run_until_complete(nothing());  // it can be run again
  loop.close();
}

TEST(Run, S26_a_loop_prints_its_state) {
  EventLoop loop = test::new_virtual_loop();
  EXPECT_EQ(loop.repr(), "<EventLoop running=False closed=False debug=False backend=virtual>");
  loop.run_until_complete([]() -> Coro<> {
    EXPECT_EQ(get_running_loop().repr(),
              "<EventLoop running=True closed=False debug=False backend=virtual>");
    co_return;
  }());
  loop.close();
  EXPECT_EQ(loop.repr(), "<EventLoop running=False closed=True debug=False backend=virtual>");
}

}  // namespace

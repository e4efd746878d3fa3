// SPDX-License-Identifier: BSL-1.0
/// Callbacks and their handles, and what becomes of errors that nobody awaits.
#include "asyncio/context.hpp"
#include "asyncio/eventloop.hpp"
#include "asyncio/future.hpp"
#include "asyncio/gather.hpp"
#include "asyncio/runner.hpp"
#include "asyncio/sleep.hpp"
#include "asyncio/task.hpp"
#include "captures.hpp"
#include "virtual_loop.hpp"

#include <gtest/gtest.h>

#include <csignal>
#include <fcntl.h>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <unistd.h>
#include <utility>
#include <vector>

using namespace asyncio;
using namespace std::chrono_literals;
using test::Counted;
using test::run_virtual;
using test::thrown;

namespace {

TEST(Callbacks, R9_fault16_each_kind_of_callback_may_throw_and_the_rest_of_the_batch_runs) {
  run_virtual([]() -> Coro<> {
    EventLoop loop = get_running_loop();
    test::ReportCapture reports(loop);
    int ran = 0;
    auto count = [&ran] { ++ran; };
    loop.call_soon([] { throw ValueError("soon"); });
    loop.call_soon(count);
    loop.call_soon_threadsafe([] { throw ValueError("threadsafe"); });
    loop.call_soon_threadsafe(count);
    auto future = loop.create_future();
    future.add_done_callback([] { throw ValueError("done callback"); });
    future.add_done_callback(count);
    future.set_result();
    TimePoint when = loop.time() + 1s;
    loop.call_at(when, [] { throw ValueError("timer"); });
    loop.call_at(when, count);
    loop.call_soon([] { throw 42; });
    loop.call_soon([] { throw CancelledError("not a task's"); });
    loop.call_soon(count);
    co_await sleep(2s);
    EXPECT_EQ(ran, 5);
    EXPECT_EQ(reports.reports, (std::vector<std::string>{
                                   "Exception in callback: asyncio::ValueError: soon",
                                   "Exception in callback: asyncio::ValueError: threadsafe",
                                   "Exception in done callback: asyncio::ValueError: done callback",
                                   "Exception in callback: exception of type int",
                                   "Exception in callback: asyncio::CancelledError: not a task's",
                                   "Exception in callback: asyncio::ValueError: timer"}));
    loop.set_exception_handler({});
  });
}

std::string place(int line) { return std::string(__FILE__) + ":" + std::to_string(line); }

void fail() { throw ValueError("broken"); }

TEST(Callbacks, S7_fault27_errors_are_reported_with_the_place_of_their_callback) {
  std::vector<std::string> expected;
  auto main = [&expected]() -> Coro<> {
    EventLoop loop = get_running_loop();
    auto future = loop.create_future();
    int first = __LINE__ + 1;
    Handle handle = loop.call_soon(fail);
    future.add_done_callback(fail);
    loop.call_soon_threadsafe(fail);
    loop.call_later(1s, fail);
    for (int line = first; line < first + 4; ++line) expected.push_back(place(line));
    EXPECT_EQ(handle.source(), place(first));
    future.set_result();
    co_await sleep(2s);
  };
  test::LogCapture log;
  run_virtual(main);
  test::debug_virtual(main);
  for (const auto& where : expected)
    EXPECT_EQ(log.count("Exception in ", "created at: " + where + "\n", "broken"), 2) << log.all();
  EXPECT_EQ(log.records.size(), expected.size());
}

TEST(Callbacks, S7_fault27_exception_context_has_the_place_with_debug_on_as_in_Python) {
  std::vector<std::string> keys;
  auto main = [&keys]() -> Coro<> {
    EventLoop loop = get_running_loop();
    loop.set_exception_handler([&keys](EventLoop, const ExceptionContext& context) {
      keys = context.keys();
      EXPECT_EQ(context.source.empty() ? context.handle->source() : context.source,
                context.handle->source());
    });
    loop.call_soon(fail);
    co_await sleep(0s);
    loop.set_exception_handler({});
  };
  run_virtual(main);
  EXPECT_EQ(keys, (std::vector<std::string>{"exception", "handle", "message"}));
  test::debug_virtual(main);
  EXPECT_EQ(keys, (std::vector<std::string>{"exception", "handle", "message", "source"}));
}

TEST(Callbacks, S7_fault27_callbacks_of_descriptors_and_signals_are_reported_with_their_place) {
  std::vector<int> lines;
  test::LogCapture log;
  run(
      [&lines]() -> Coro<> {
        EventLoop loop = get_running_loop();
        loop.set_slow_callback_duration(10ms);
        int ends[2];
        EXPECT_EQ(::pipe2(ends, O_NONBLOCK), 0);
        auto slow_and_broken = [loop](int fd, int signal) mutable {
          if (fd >= 0) loop.remove_writer(fd);
          if (signal > 0) loop.remove_signal_handler(signal);
          std::this_thread::sleep_for(20ms);
          fail();
        };
        int first = __LINE__ + 1;
        loop.add_writer(ends[1], slow_and_broken, ends[1], 0);
        loop.add_signal_handler(SIGUSR1, slow_and_broken, -1, SIGUSR1);
        lines = {first, first + 1};
        std::raise(SIGUSR1);
        co_await sleep(50ms);
        ::close(ends[0]);
        ::close(ends[1]);
      }(),
      RunOptions().debug(true));
  for (int line : lines) {
    EXPECT_EQ(log.count("Executing callback ", ", scheduled at " + place(line)), 1) << log.all();
    EXPECT_EQ(log.count("Exception in callback", "created at: " + place(line)), 1) << log.all();
  }
}

TEST(Callbacks, A9_any_context_may_come_before_the_function) {
  run_virtual([]() -> Coro<> {
    EventLoop loop = get_running_loop();
    ContextVar<int> number("number", 0);
    Context changeable = copy_context();
    changeable.run([&] { number.set(1); });
    const Context constant = changeable;
    auto temporary = [&] { return Context(changeable); };
    int sum = 0;
    auto add = [&](int factor) { sum += factor * number.get(); };
    TimePoint when = loop.time() + 1s;
    loop.call_soon(changeable, add, 1);
    loop.call_soon(constant, add, 10);
    loop.call_soon(temporary(), add, 100);
    co_await sleep(0s);
    EXPECT_EQ(std::exchange(sum, 0), 111);
    loop.call_soon_threadsafe(changeable, add, 1);
    loop.call_soon_threadsafe(constant, add, 10);
    loop.call_soon_threadsafe(temporary(), add, 100);
    co_await sleep(1ms);
    EXPECT_EQ(std::exchange(sum, 0), 111);
    loop.call_later(1s, changeable, add, 1);
    loop.call_later(1s, constant, add, 10);
    loop.call_later(1s, temporary(), add, 100);
    loop.call_at(when, changeable, add, 1000);
    loop.call_at(when, constant, add, 10000);
    loop.call_at(when, temporary(), add, 100000);
    co_await sleep(2s);
    EXPECT_EQ(sum, 111111);
  });
}

TEST(Callbacks, fault16_exception_handler_that_throws_falls_back_to_the_log) {
  test::LogCapture log;
  run_virtual([]() -> Coro<> {
    EventLoop loop = get_running_loop();
    loop.set_exception_handler(
        [](EventLoop, const ExceptionContext&) { throw std::logic_error("broken handler"); });
    bool ran = false;
    loop.call_soon([] { throw ValueError("first"); });
    loop.call_soon([&] { ran = true; });
    co_await sleep(1s);
    EXPECT_TRUE(ran);
  });
  EXPECT_EQ(log.count("Unhandled error in exception handler", "broken handler"), 1) << log.all();
  EXPECT_EQ(log.count("Exception in callback", "ValueError: first"), 1) << log.all();
}

TEST(Callbacks, fault214_exception_handler_replaced_inside_its_own_call) {
  run_virtual([]() -> Coro<> {
    EventLoop loop = get_running_loop();
    std::vector<std::string> trace;
    int before = Counted::alive;
    loop.set_exception_handler([&, counted = Counted()](EventLoop self, const ExceptionContext&) {
      self.set_exception_handler([&](EventLoop, const ExceptionContext& context) {
        trace.push_back("new: " + describe_exception(context.exception));
      });
      EXPECT_GT(Counted::alive, before);  // the old one lives until it returns
      trace.push_back("old");
    });
    loop.call_soon([] { throw ValueError("one"); });
    loop.call_soon([] { throw ValueError("two"); });
    co_await sleep(0s);
    co_await sleep(0s);
    EXPECT_EQ(trace, (std::vector<std::string>{"old", "new: asyncio::ValueError: two"}));
    EXPECT_EQ(Counted::alive, before);
    loop.set_exception_handler({});
  });
}

TEST(Callbacks, A9_13_default_handler_logs_message_and_exception) {
  test::LogCapture log;
  run_virtual([]() -> Coro<> {
    EventLoop loop = get_running_loop();
    EXPECT_FALSE(loop.get_exception_handler());
    ExceptionContext context("something broke");
    context.set_exception(std::make_exception_ptr(ValueError("why"))).set_source("here.cpp:1");
    EXPECT_EQ(context.keys(), (std::vector<std::string>{"exception", "message", "source"}));
    loop.call_exception_handler(context);
    loop.default_exception_handler(ExceptionContext("only text"));
    co_return;
  });
  EXPECT_EQ(log.count("something broke", "asyncio::ValueError: why", "here.cpp:1"), 1);
  EXPECT_EQ(log.count("only text"), 1);
  EXPECT_EQ(log.records[0].level, LogLevel::error);
}

TEST(Callbacks, fault18_callbacks_of_one_batch_that_cancel_each_other) {
  run_virtual([]() -> Coro<> {
    EventLoop loop = get_running_loop();
    std::vector<std::string> trace;
    std::optional<Handle> second;
    std::optional<TimerHandle> due;
    std::optional<TimerHandle> later;
    auto future = loop.create_future();
    loop.call_soon([&] {
      trace.push_back("first");
      second->cancel();
      due->cancel();
      later->cancel();
      loop.call_soon([&] { trace.push_back("new"); });
    });
    second = loop.call_soon([&] { trace.push_back("second"); });
    due = loop.call_later(-1s, [&] { trace.push_back("due"); });
    later = loop.call_later(1s, [&] { trace.push_back("later"); });
    loop.call_soon([&] { trace.push_back("third"); });
    co_await sleep(0s);
    co_await sleep(2s);
    EXPECT_EQ(trace, (std::vector<std::string>{"first", "third", "new"}));
    EXPECT_TRUE(second->cancelled() && due->cancelled() && later->cancelled());
  });
}

TEST(Callbacks, fault18_callback_that_cancels_itself_and_drops_its_handle) {
  run_virtual([]() -> Coro<> {
    EventLoop loop = get_running_loop();
    std::optional<Handle> self;
    int before = Counted::alive;
    int ran = 0;
    self = loop.call_soon([&, counted = Counted()] {
      self->cancel();
      self.reset();
      ran += Counted::alive - before;  // the callable lives while it runs
    });
    co_await sleep(0s);
    EXPECT_EQ(ran, 1);
    EXPECT_EQ(Counted::alive, before);
  });
}

TEST(Callbacks, A9_3_cancel_frees_the_callable_at_once_and_twice_is_harmless) {
  run_virtual([]() -> Coro<> {
    EventLoop loop = get_running_loop();
    int before = Counted::alive;
    Handle soon = loop.call_soon([counted = Counted()] { ADD_FAILURE() << "called"; });
    TimerHandle timer = loop.call_later(1s, [counted = Counted()] { ADD_FAILURE() << "called"; });
    EXPECT_EQ(Counted::alive, before + 2);
    soon.cancel();
    timer.cancel();
    EXPECT_EQ(Counted::alive, before);
    soon.cancel();
    timer.cancel();
    EXPECT_EQ(loop.impl().armed_timers(), 0u);
    co_await sleep(2s);
    Handle done = loop.call_soon([] {});
    co_await sleep(0s);
    done.cancel();  // after the call
    EXPECT_TRUE(done.cancelled());
  });
}

TEST(Callbacks, A9_3_arguments_are_copied_or_moved_into_the_loop) {
  run_virtual([]() -> Coro<> {
    EventLoop loop = get_running_loop();
    std::string result;
    {
      std::string text = "a text that is longer than a small string";
      loop.call_soon(
          [&result](std::string given, std::unique_ptr<int> number) {
            result = given + std::to_string(*number);
          },
          text, std::make_unique<int>(5));
      text = "changed";
    }
    co_await sleep(0s);
    EXPECT_EQ(result, "a text that is longer than a small string5");
  });
}

TEST(Callbacks, fault17_callable_whose_copy_throws_schedules_nothing) {
  struct CopyThrows {
    CopyThrows() = default;
    CopyThrows(const CopyThrows&) { throw std::length_error("copy"); }
    void operator()() const { ADD_FAILURE() << "called"; }
  };
  run_virtual([]() -> Coro<> {
    EventLoop loop = get_running_loop();
    CopyThrows bad;
    EXPECT_EQ(thrown([&] { loop.call_soon(bad); }), "std::length_error: copy");
    EXPECT_EQ(thrown([&] { loop.call_later(1s, bad); }), "std::length_error: copy");
    EXPECT_EQ(loop.impl().armed_timers(), 0u);
    co_await sleep(2s);
  });
}

TEST(Callbacks, fault16_interrupt_from_a_callback_leaves_the_loop_and_the_rest_runs_later) {
  EventLoop loop = test::new_virtual_loop();
  std::vector<int> trace;
  loop.call_soon([] { throw KeyboardInterrupt("stop"); });
  loop.call_soon([&] { trace.push_back(1); });
  loop.call_soon([&] {
    trace.push_back(2);
    loop.stop();
  });
  EXPECT_EQ(thrown([&] { loop.run_forever(); }), "asyncio::KeyboardInterrupt: stop");
  EXPECT_FALSE(loop.is_running());
  EXPECT_TRUE(trace.empty());
  loop.run_forever();
  EXPECT_EQ(trace, (std::vector<int>{1, 2}));
  loop.close();
}

Coro<> fails_with(std::string text) {
  throw ValueError(text);
  co_return;
}

// D3: whatever the place, an exception reaches its caller or the handler, once.
TEST(Callbacks, D3_no_exception_is_lost) {
  run_virtual([]() -> Coro<> {
    EventLoop loop = get_running_loop();
    test::ReportCapture reports(loop);
    create_task(fails_with("detached"));
    loop.call_soon([] { throw ValueError("callback"); });
    auto future = loop.create_future();
    future.add_done_callback([] { throw ValueError("done callback"); });
    future.set_exception(ValueError("future"));
    future = loop.create_future();
    std::string caught;
    try {
      co_await gather(fails_with("first of a gather"), fails_with("second of a gather"));
    } catch (const ValueError& error) {
      caught = error.what();
    }
    EXPECT_EQ(caught, "first of a gather");
    co_await sleep(1s);
    std::ranges::sort(reports.reports);
    EXPECT_EQ(reports.reports,
              (std::vector<std::string>{
                  "Exception in callback: asyncio::ValueError: callback",
                  "Exception in done callback: asyncio::ValueError: done callback",
                  "Future exception was never retrieved: asyncio::ValueError: future",
                  "Task exception was never retrieved: asyncio::ValueError: detached",
                  "Task exception was never retrieved: asyncio::ValueError: second of a gather"}));
    loop.set_exception_handler({});
  });
}

}  // namespace

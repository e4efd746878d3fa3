// SPDX-License-Identifier: BSL-1.0
#include "asyncio/eventloop.hpp"
#include "asyncio/future.hpp"
#include "asyncio/gather.hpp"
#include "asyncio/shield.hpp"
#include "asyncio/sleep.hpp"
#include "asyncio/task.hpp"
#include "captures.hpp"
#include "virtual_loop.hpp"

#include <gtest/gtest.h>

#include <functional>
#include <optional>
#include <string>
#include <thread>
#include <vector>

using namespace asyncio;
using namespace std::chrono_literals;
using test::Counted;
using test::run_virtual;
using test::thrown;

namespace {

Coro<> nothing() { co_return; }
Coro<> forever(Counted = Counted()) {
  for (;;) co_await sleep(1h);
}

// --- The phases of an iteration -----------------------------------------------------------------

TEST(Loop, S33_an_iteration_polls_then_takes_due_timers_then_runs_what_was_ready) {
  EventLoop loop = test::new_virtual_loop();
  std::vector<std::string> trace;
  test::poller_of(loop).on_poll = [&](TimePoint deadline) {
    trace.push_back(deadline == TimePoint::min()   ? "poll without waiting"
                    : deadline == TimePoint::max() ? "poll for ever"
                                                   : "poll until a deadline");
  };
  loop.call_soon([&] {
    trace.push_back("start");
    loop.call_later(1s, [&] {
      trace.push_back("timer");
      loop.call_soon([&] { trace.push_back("ready"); });
      loop.call_later(2s, [&] {
        trace.push_back("last timer");
        loop.stop();
      });
    });
  });
  loop.run_forever();
  EXPECT_EQ(trace, (std::vector<std::string>{"start", "poll until a deadline", "timer", "ready",
                                             "poll until a deadline", "last timer"}));
  loop.close();
}

TEST(Loop, S33_what_a_callback_schedules_runs_in_the_next_iteration) {
  run_virtual([]() -> Coro<> {
    EventLoop loop = get_running_loop();
    std::vector<int> trace;
    loop.call_soon([&] {
      loop.call_soon([&] { trace.push_back(3); });
      trace.push_back(1);
    });
    loop.call_soon([&] { trace.push_back(2); });
    co_await sleep(1s);
    EXPECT_EQ(trace, (std::vector<int>{1, 2, 3}));
  });
}

TEST(Loop, fault1_a_task_that_yields_for_ever_delays_polls_and_timers_by_a_bounded_number) {
  run_virtual([]() -> Coro<> {
    auto spin = [](long& turns) -> Coro<> {
      for (;;) {
        ++turns;
        test::block_for(1us);
        co_await sleep(0s);
      }
    };
    long turns = 0;
    std::vector<long> polls;
    test::poller().on_poll = [&](TimePoint) { polls.push_back(turns); };
    Task<> spinner = create_task(spin, std::ref(turns));
    co_await sleep(1ms);
    EXPECT_LE(turns, 1002);
    EXPECT_GE(polls.size(), 14u);
    for (std::size_t i = 1; i < polls.size(); ++i) {
      EXPECT_LE(polls[i] - polls[i - 1], long{detail::Loop::kHandlesBetweenPolls});
    }
    test::poller().on_poll = nullptr;
    spinner.cancel();
  });
}

TEST(Loop, A12_5_debug_mode_reports_a_poll_that_takes_too_long) {
  test::LogCapture log;
  EventLoop loop = test::new_virtual_loop();
  auto sleeps_past_its_deadline = [&](TimePoint) { test::poller_of(loop).advance(150ms); };
  for (bool debug : {false, true}) {
    loop.set_debug(debug);
    test::poller_of(loop).on_poll = sleeps_past_its_deadline;
    loop.call_later(50ms, [&] {
      test::poller_of(loop).on_poll = nullptr;
      loop.call_later(1s, [&] { loop.stop(); });  // a long wait that ends in time
    });
    loop.run_forever();
  }
  EXPECT_EQ(log.records.size(), 1u) << log.all();
  EXPECT_EQ(log.count("Polling took 0.1", "seconds longer than it was to wait"), 1) << log.all();
  loop.close();
}

TEST(Loop, A9_2_stop_lets_the_scheduled_callbacks_run_and_the_next_run_goes_on) {
  EventLoop loop = test::new_virtual_loop();
  std::vector<int> trace;
  loop.call_soon([&] {
    loop.stop();
    loop.call_soon([&] { trace.push_back(2); });
  });
  loop.call_soon([&] { trace.push_back(1); });
  loop.run_forever();
  EXPECT_EQ(trace, (std::vector<int>{1}));
  loop.stop();
  loop.run_forever();  // one iteration
  EXPECT_EQ(trace, (std::vector<int>{1, 2}));
  loop.close();
}

// --- Closing ------------------------------------------------------------------------------------

const char* const kClosed = "asyncio::RuntimeError: Event loop is closed";

TEST(Loop, S28_fault203_each_member_of_a_closed_loop_says_so_or_is_harmless) {
  test::LogCapture log;
  EventLoop loop = test::new_virtual_loop();
  Future<> future(loop);
  loop.close();
  EXPECT_EQ(thrown([&] { loop.run_forever(); }), kClosed);
  EXPECT_EQ(thrown([&] { loop.run_until_complete(future); }), kClosed);
  Coro<> coro = nothing();
  EXPECT_EQ(thrown([&] { loop.run_until_complete(std::move(coro)); }), kClosed);
  EXPECT_EQ(thrown([&] { loop.call_soon([] {}); }), kClosed);
  EXPECT_EQ(thrown([&] { loop.call_soon(Context(), [] {}); }), kClosed);
  EXPECT_EQ(thrown([&] { loop.call_later(1s, [] {}); }), kClosed);
  EXPECT_EQ(thrown([&] { loop.call_at(loop.time(), [] {}); }), kClosed);
  EXPECT_EQ(thrown([&] { loop.call_soon_threadsafe([] {}); }), kClosed);
  EXPECT_EQ(thrown([&] { loop.create_task(nothing()); }), kClosed);
  EXPECT_EQ(thrown([&] { loop.create_task(nothing); }), kClosed);
  EXPECT_EQ(log.count("coroutine 'nothing'", "was never awaited"), 2) << log.all();
  // As in Python, these do no harm.
  loop.close();
  loop.stop();
  EXPECT_FALSE(loop.is_running());
  loop.create_future().cancel();
  future.set_result();
  loop.set_debug(true);
  EXPECT_TRUE(loop.get_debug());
  loop.set_exception_handler({});
  loop.call_exception_handler(ExceptionContext("still heard"));
  EXPECT_EQ(log.count("still heard"), 1);
}

TEST(Loop, A1_1_a_callback_that_a_closed_loop_would_never_run_is_refused) {
  EventLoop loop = test::new_virtual_loop();
  Future<> early = loop.create_future();
  Future<> failing = loop.create_future();
  auto call = [] { ADD_FAILURE() << "called"; };
  early.add_done_callback(call);
  failing.add_done_callback(call);
  loop.close();
  Future<> late = early;
  EXPECT_EQ(thrown([&] { early.set_result(); }), kClosed);
  EXPECT_TRUE(early.done());
  EXPECT_EQ(thrown([&] { failing.set_exception(ValueError("seen")); }), kClosed);
  EXPECT_EQ(thrown([&] { std::rethrow_exception(failing.exception()); }),
            "asyncio::ValueError: seen");
  EXPECT_EQ(thrown([&] { late.add_done_callback(call); }), kClosed);
}

TEST(Loop, fault196_close_frees_tasks_timers_and_callbacks_once_and_reports_each_pending_task) {
  int before = Counted::alive;
  EventLoop loop = test::new_virtual_loop();
  test::ReportCapture reports(loop);
  {
    loop.create_task(forever());
    loop.create_task(forever(Counted()), TaskOptions().name("second"));
    loop.call_soon([counted = Counted()] { ADD_FAILURE() << "called"; });
    loop.call_later(1h, [counted = Counted()] { ADD_FAILURE() << "called"; });
    loop.call_soon_threadsafe([counted = Counted()] { ADD_FAILURE() << "called"; });
    loop.call_later(2h, [counted = Counted()] {}).cancel();
    Future<> pending(loop);
    pending.add_done_callback([counted = Counted()] { ADD_FAILURE() << "called"; });
  }
  EXPECT_EQ(Counted::alive, before + 5);
  loop.close();
  EXPECT_EQ(Counted::alive, before);
  EXPECT_EQ(reports.reports,
            (std::vector<std::string>(2, "Task was destroyed but it is pending!")));
  EXPECT_EQ(test::poller_of(loop).closed, 1);
}

TEST(Loop, fault196_close_breaks_the_circles_of_what_waits_for_futures) {
  int before = Counted::alive;
  EventLoop loop = test::new_virtual_loop();
  {
    Future<int> inner(loop);
    Future<int> other(loop);
    inner.add_done_callback([counted = Counted()] { ADD_FAILURE() << "called"; });
    // Each of them holds the future that it waits for, and is held by it.
    loop.call_soon([&] {
      gather(inner, other).add_done_callback([counted = Counted()] {});
      shield(inner).add_done_callback([counted = Counted()] {});
      auto next = [counted = Counted()](int) { ADD_FAILURE() << "called"; };
      inner.then(next).add_done_callback([counted = Counted()] {});
      loop.stop();
    });
    loop.run_forever();
  }
  EXPECT_EQ(Counted::alive, before + 5);
  loop.close();
  EXPECT_EQ(Counted::alive, before);
  EXPECT_EQ(loop.impl().live_futures(), 0u);
}

TEST(Loop, fault196_a_callback_ends_when_the_loop_closes_whoever_has_its_handle) {
  int before = Counted::alive;
  EventLoop loop = test::new_virtual_loop();
  Handle soon = loop.call_soon([counted = Counted()] { ADD_FAILURE() << "called"; });
  Handle later = loop.call_later(1h, [counted = Counted()] { ADD_FAILURE() << "called"; });
  Handle posted = loop.call_soon_threadsafe([counted = Counted()] { ADD_FAILURE() << "called"; });
  loop.close();
  EXPECT_EQ(Counted::alive, before);
  soon.cancel();
  later.cancel();
  posted.cancel();
  EXPECT_TRUE(posted.cancelled());
}

TEST(Loop, fault203_a_future_of_a_closed_loop_drops_its_callbacks) {
  int before = Counted::alive;
  {
    EventLoop loop = test::new_virtual_loop();
    Future<> first(loop);
    Future<> second(loop);
    loop.close();
    first.add_done_callback([first, counted = Counted()] { ADD_FAILURE() << "called"; });
    EXPECT_EQ(thrown([&] { first.set_result(); }), kClosed);
    second.cancel();
    auto late = [second, counted = Counted()] { ADD_FAILURE() << "called"; };
    EXPECT_EQ(thrown([&] { second.add_done_callback(late); }), kClosed);
    EXPECT_EQ(loop.impl().live_futures(), 2u);
  }
  EXPECT_EQ(Counted::alive, before);
}

struct UsesTheLoop {
  EventLoop loop;
  std::vector<std::string>* errors;
  ~UsesTheLoop() {
    errors->push_back(thrown([this] { loop.call_soon([] {}); }));
    errors->push_back(thrown([this] { loop.create_task(nothing()); }));
  }
};
Coro<> holds(UsesTheLoop) { co_await sleep(1h); }

TEST(Loop, fault197_destructors_at_close_that_use_the_loop_get_an_error) {
  test::LogCapture log;
  std::vector<std::string> errors;
  EventLoop loop = test::new_virtual_loop();
  loop.run_until_complete([](EventLoop self, std::vector<std::string>& out) -> Coro<> {
    create_task(holds, UsesTheLoop{self, &out});
    co_await sleep(1s);
    out.clear();  // of the copies
  }(loop, errors));
  loop.close();
  EXPECT_EQ(errors, (std::vector<std::string>(errors.size(), kClosed)));
  EXPECT_GE(errors.size(), 2u);
}

TEST(Loop, fault209_last_handle_dropped_in_a_callback) {
  bool later = false;
  std::optional<EventLoop> loop = test::new_virtual_loop();
  detail::Loop& impl = loop->impl();
  impl.handle().call_soon([&] {
    impl.handle().call_soon([&] {
      later = true;
      impl.stop();
    });
    loop.reset();
  });
  impl.run_forever();  // keeps the loop alive until it returns
  EXPECT_TRUE(later);
}

TEST(Loop, fault209_unclosed_loop_closes_itself_and_debug_mode_says_so) {
  test::LogCapture log;
  int before = Counted::alive;
  test::new_virtual_loop().call_soon([counted = Counted()] { ADD_FAILURE() << "called"; });
  EXPECT_EQ(Counted::alive, before);
  EXPECT_TRUE(log.records.empty()) << log.all();
  test::new_virtual_loop().set_debug(true);
  EXPECT_EQ(log.count("unclosed event loop"), 1) << log.all();
}

TEST(Loop, fault209_a_loop_dropped_with_pending_tasks_closes_itself) {
  test::LogCapture log;
  int before = Counted::alive;
  auto start = [](EventLoop loop, bool debug) {
    loop.set_debug(debug);
    return loop.create_task(forever());
  };
  {
    EventLoop loop = test::new_virtual_loop();
    start(loop, true).set_name("left");
    loop.call_soon([&loop] { loop.stop(); });
    loop.run_forever();
    EXPECT_EQ(Counted::alive, before + 1);
  }
  EXPECT_EQ(Counted::alive, before);
  EXPECT_EQ(log.count("unclosed event loop"), 1) << log.all();
  EXPECT_EQ(log.count("Task was destroyed but it is pending!", "created at: ", "loop.cpp:"), 1)
      << log.all();

  // A handle to one of its tasks keeps nothing but the task alive.
  Task<void> kept = start(test::new_virtual_loop(), false);
  EXPECT_EQ(Counted::alive, before);
  EXPECT_TRUE(kept.get_loop().is_closed());
  EXPECT_FALSE(kept.done());
}

TEST(Loop, fault209_a_loop_whose_last_handle_goes_while_it_runs_closes_itself_after_that) {
  test::LogCapture log;
  int before = Counted::alive;
  std::optional<EventLoop> loop = test::new_virtual_loop();
  detail::Loop& impl = loop->impl();
  loop->create_task(forever());
  loop->call_soon([&] {
    loop.reset();
    impl.stop();
  });
  impl.run_forever();
  EXPECT_EQ(Counted::alive, before);
}

TEST(Loop, fault198_loop_and_future_as_static_objects) {
  EXPECT_EXIT(
      {
        static EventLoop loop = test::new_virtual_loop();
        static Future<int> future(loop);
        static ContextVar<int> variable("static");
        future.add_done_callback([] {});
        loop.call_later(1h, [] {});
        loop.run_until_complete(nothing());
        std::exit(7);
      },
      ::testing::ExitedWithCode(7), "");
}

TEST(Loop, fault198_exit_inside_a_callback_and_a_task) {
  EXPECT_EXIT(run_virtual([]() -> Coro<> {
                auto background = forever();
                create_task(std::move(background));
                co_await sleep(1s);
                std::exit(3);
              }),
              ::testing::ExitedWithCode(3), "");
}

// --- Threads ------------------------------------------------------------------------------------

TEST(Loop, R11_A9_14_debug_mode_refuses_calls_from_a_wrong_thread) {
  EventLoop loop = test::new_virtual_loop();
  loop.set_debug(true);
  const char* expected =
      "asyncio::RuntimeError: Non-thread-safe operation invoked on an event loop other than the "
      "current one";
  test::LogCapture log;
  loop.run_until_complete([](EventLoop self, const char* text) -> Coro<> {
    std::vector<std::string> errors;
    std::thread([&] {
      errors.push_back(thrown([&] { self.call_soon([] {}); }));
      errors.push_back(thrown([&] { self.call_later(1s, [] {}); }));
      errors.push_back(thrown([&] { self.call_at(self.time(), [] {}); }));
      errors.push_back(thrown([&] { self.create_task(nothing); }));
    }).join();
    EXPECT_EQ(errors, std::vector<std::string>(4, text));
    co_return;
  }(loop, expected));
  loop.close();
}

}  // namespace

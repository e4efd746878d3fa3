// SPDX-License-Identifier: BSL-1.0
/// Task.cancel and what follows from it. The sweep over every awaitable is tests/sweep.
#include "asyncio/capture.hpp"
#include "asyncio/gather.hpp"
#include "asyncio/queue.hpp"
#include "asyncio/shield.hpp"
#include "asyncio/sleep.hpp"
#include "asyncio/task.hpp"
#include "asyncio/timeout.hpp"
#include "asyncio/try.hpp"
#include "captures.hpp"
#include "virtual_loop.hpp"

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <vector>

using namespace asyncio;
using namespace std::chrono_literals;
using test::Counted;
using test::run_virtual;
using test::thrown;
using test::yields;

namespace {

using Trace = std::vector<std::string>;

Coro<> sleeper(Trace& trace) {
  try {
    co_await sleep(1h);
  } catch (const CancelledError& error) {
    trace.push_back("cancelled: " + std::string(error.what()));
    throw;
  }
}

TEST(Cancellation, S17_the_error_arrives_at_the_suspended_await_and_at_who_awaits_the_task) {
  run_virtual([]() -> Coro<> {
    Trace trace;
    Task<> task = create_task(sleeper, std::ref(trace));
    co_await sleep(1s);
    EXPECT_TRUE(task.cancel("enough"));
    EXPECT_FALSE(task.done());
    EXPECT_EQ(task.cancelling(), 1);
    Result<> result = co_await capture(task);
    EXPECT_TRUE(result.cancelled());
    EXPECT_EQ(describe_exception(result.exception()), "asyncio::CancelledError: enough");
    EXPECT_EQ(trace, (Trace{"cancelled: enough"}));
    EXPECT_TRUE(task.cancelled());
    EXPECT_EQ(thrown([&] { task.result(); }), "asyncio::CancelledError: enough");
    EXPECT_EQ(thrown([&] { (void)task.exception(); }), "asyncio::CancelledError: enough");
  });
}

TEST(Cancellation, R4_catch_of_std_exception_never_swallows_a_cancellation) {
  static_assert(!std::is_base_of_v<std::exception, CancelledError>);
  run_virtual([]() -> Coro<> {
    auto careless = []() -> Coro<> {
      try {
        co_await sleep(1h);
      } catch (const std::exception&) {
        ADD_FAILURE() << "swallowed";
      }
    };
    Task<> task = create_task(careless);
    co_await sleep(1s);
    task.cancel();
    (void)co_await capture(task);
    EXPECT_TRUE(task.cancelled());
  });
}

// --- fault 5: the outcome and the request in the same tick --------------------------------------

/// Awaits a future, then sleeps; records what it saw.
Coro<> two_awaits(Future<int> future, Trace& trace) {
  Result<int> first = co_await capture(future);
  trace.push_back(first.cancelled() ? "first cancelled" : "value " + std::to_string(*first));
  Result<> second = co_await capture(sleep(1s));
  trace.push_back(second.cancelled() ? "second cancelled" : "slept");
}

TEST(Cancellation, fault5_value_first_then_cancel_the_request_is_delivered_at_this_await) {
  run_virtual([]() -> Coro<> {
    Trace trace;
    auto future = get_running_loop().create_future<int>();
    Task<> task = create_task(two_awaits, future, std::ref(trace));
    co_await sleep(1s);
    future.set_result(5);
    EXPECT_TRUE(task.cancel());
    co_await task;
    // As in Python: the task had not resumed yet, so the request wins; the value is in the future.
    EXPECT_EQ(trace, (Trace{"first cancelled", "slept"}));
    EXPECT_EQ(future.result(), 5);
    EXPECT_EQ(task.cancelling(), 1);
  });
}

TEST(Cancellation, fault5_cancel_first_then_value_is_refused) {
  run_virtual([]() -> Coro<> {
    Trace trace;
    auto future = get_running_loop().create_future<int>();
    Task<> task = create_task(two_awaits, future, std::ref(trace));
    co_await sleep(1s);
    EXPECT_TRUE(task.cancel());
    EXPECT_EQ(thrown([&] { future.set_result(5); }),
              "asyncio::InvalidStateError: set_result: the future is cancelled");
    co_await task;
    EXPECT_EQ(trace, (Trace{"first cancelled", "slept"}));
  });
}

TEST(Cancellation, fault5_cancel_by_itself_is_delivered_at_the_next_suspension) {
  run_virtual([]() -> Coro<> {
    Trace trace;
    auto body = [](Trace& out) -> Coro<> {
      current_task()->cancel();
      auto ready = get_running_loop().create_future<int>();
      ready.set_result(1);
      int value = co_await ready;  // does not suspend
      out.push_back("ready " + std::to_string(value));
      Result<> result = co_await capture(sleep(0s));
      out.push_back(result.cancelled() ? "cancelled" : "not cancelled");
    };
    co_await create_task(body, std::ref(trace));
    EXPECT_EQ(trace, (Trace{"ready 1", "cancelled"}));
  });
}

TEST(Cancellation, fault5_cancel_right_before_the_coroutine_returns_makes_the_task_cancelled) {
  run_virtual([]() -> Coro<> {
    auto body = []() -> Coro<int> {
      current_task()->cancel("too late");
      co_return 5;
    };
    Task<int> task = create_task(body);
    Result<int> result = co_await capture(task);
    EXPECT_TRUE(result.cancelled());
    EXPECT_TRUE(task.cancelled());
  });
}

/// What the task of the random test waits for; `complete` lets it go on.
class RandomWait {
 public:
  explicit RandomWait(int kind) : kind_(kind) {}

  Coro<> wait() {
    if (kind_ == 0) co_await future_;
    if (kind_ == 1) co_await event_.wait();
    if (kind_ == 2) co_await queue_.get();
    if (kind_ == 3) co_await shield(future_);
  }
  void complete() {
    if (!future_.done()) future_.set_result();
    event_.set();
    queue_.put_nowait(1);
  }
  static constexpr int kKinds = 4;

 private:
  int kind_;
  Future<> future_ = get_running_loop().create_future();
  Event event_;
  Queue<int> queue_;
};

/// One task, some requests and a completion about one tick, in any order and number. Each request
/// is counted, and no more than one is seen for each; one that came before the end is seen.
Coro<> outcomes_and_requests(std::uint64_t seed) {
  test::Random random(seed);
  RandomWait first(random.below(RandomWait::kKinds));
  RandomWait second(random.below(RandomWait::kKinds));
  int seen = 0;
  int values = 0;
  auto body = [&]() -> Coro<> {
    for (RandomWait* each : {&first, &second}) {
      Result<> result = co_await capture(each->wait());
      ++(result.cancelled() ? seen : values);
    }
    co_await sleep(1h);
  };
  Task<> task = create_task(body);
  co_await test::yields(2 + random.below(2));
  int requests = 0;
  int last = random.below(8);
  for (int step = 0; step < 8; ++step) {
    if (random.one_in(3)) requests += task.cancel();
    if (step == last) first.complete();
    if (random.one_in(2)) co_await sleep(0s);
  }
  second.complete();
  co_await test::yields(4);
  EXPECT_EQ(task.cancelling(), requests);
  // Requests that come before the task has seen the one before are one.
  EXPECT_EQ(seen > 0 || task.cancelled(), requests > 0) << "swallowed or invented";
  EXPECT_LE(seen, requests);
  if (!task.done()) {
    EXPECT_EQ(seen + values, 2) << "an await had no outcome, or two";
  }
  task.cancel();
  Result<> ended = co_await capture(task);
  EXPECT_TRUE(ended.cancelled());
}

TEST(Cancellation, fault5_R1_R4_random_requests_about_the_tick_of_the_outcome) {
  test::for_each_seed([](std::uint64_t seed) { run_virtual(outcomes_and_requests, seed); });
}

// --- fault 6: a timeout that expires in the tick of the completion ------------------------------

/// Awaits what `take` gives under a timeout that expires when `provide` is called: before or after
/// it. The value comes out, or a timeout does and the value is there for `take` again.
template <class Take, class Provide>
Coro<> race_with_timeout(bool value_first, Take take, Provide provide) {
  EventLoop loop = get_running_loop();
  TimePoint when = loop.time() + 1s;
  std::optional<int> value;
  auto body = [&]() -> Coro<> {
    // Timers that are due together run in the order of their making.
    if (!value_first) loop.call_at(when, provide);
    value = co_await take();
  };
  if (value_first) loop.call_at(when, provide);
  bool timed_out = false;
  try {
    co_await with(timeout_at(when), body);
  } catch (const TimeoutError&) {
    timed_out = true;
  }
  EXPECT_EQ(loop.time(), when);
  EXPECT_NE(value.has_value(), timed_out) << "neither value nor timeout, or both";
  EXPECT_EQ(current_task()->cancelling(), 0);
  if (!value) value = co_await take();
  EXPECT_EQ(value, 5);
}

TEST(Cancellation, fault6_timeout_and_completion_in_one_tick_future) {
  for (bool value_first : {true, false}) {
    SCOPED_TRACE(value_first ? "value first" : "timeout first");
    run_virtual([&]() -> Coro<> {
      auto future = get_running_loop().create_future<int>();
      auto take = [=]() -> Coro<int> { co_return co_await shield(future); };
      co_await race_with_timeout(value_first, take, [=]() mutable { future.set_result(5); });
    });
  }
}

TEST(Cancellation, fault6_timeout_and_completion_in_one_tick_queue) {
  for (bool value_first : {true, false}) {
    SCOPED_TRACE(value_first ? "value first" : "timeout first");
    run_virtual([&]() -> Coro<> {
      Queue<int> queue;
      auto take = [&]() -> Coro<int> { co_return co_await queue.get(); };
      co_await race_with_timeout(value_first, take, [&] { queue.put_nowait(5); });
      EXPECT_TRUE(queue.empty()) << "doubled";
    });
  }
}

// --- fault 13: cleanup --------------------------------------------------------------------------

Coro<> cleans_up(Trace& trace) {
  Result<> work = co_await capture(sleep(1h));
  trace.push_back(work.cancelled() ? "work cancelled" : "work done");
  Result<> first = co_await capture(sleep(1s));
  trace.push_back(first.cancelled() ? "first step cancelled" : "first step");
  Result<> second = co_await capture(sleep(1s));
  trace.push_back(second.cancelled() ? "second step cancelled" : "second step");
  work.value();
}

TEST(Cancellation, fault13_awaits_in_a_cleanup_work_and_a_second_cancel_interrupts_one_of_them) {
  run_virtual([]() -> Coro<> {
    Trace trace;
    Task<> task = create_task(cleans_up, std::ref(trace));
    co_await sleep(1s);
    task.cancel();
    (void)co_await capture(task);
    EXPECT_EQ(trace, (Trace{"work cancelled", "first step", "second step"}));
    EXPECT_TRUE(task.cancelled());

    trace.clear();
    task = create_task(cleans_up, std::ref(trace));
    co_await sleep(1s);
    task.cancel();
    co_await sleep(500ms);
    task.cancel();
    (void)co_await capture(task);
    EXPECT_EQ(trace, (Trace{"work cancelled", "first step cancelled", "second step"}));
    EXPECT_EQ(task.cancelling(), 2);
    EXPECT_TRUE(task.cancelled());
  });
}

TEST(Cancellation, fault13_finally_with_an_await_runs_at_every_exit) {
  run_virtual([]() -> Coro<> {
    Trace trace;
    auto body = [](Trace& out, Delay work) -> Coro<> {
      co_await try_([&]() -> Coro<> { co_await sleep(work.duration()); }).finally_([&]() -> Coro<> {
        co_await sleep(1s);
        out.push_back("finally");
      });
      out.push_back("after");
    };
    Task<> task = create_task(body, std::ref(trace), Delay(1h));
    co_await sleep(1s);
    task.cancel();
    (void)co_await capture(task);
    EXPECT_EQ(trace, (Trace{"finally"}));
    co_await create_task(body, std::ref(trace), Delay(1s));
    EXPECT_EQ(trace, (Trace{"finally", "finally", "after"}));
  });
}

// --- Requests -----------------------------------------------------------------------------------

TEST(Cancellation, A2_18_swallowed_request_lets_the_task_go_on_and_counts_until_uncancel) {
  run_virtual([]() -> Coro<> {
    auto body = []() -> Coro<int> {
      Result<> result = co_await capture(sleep(1h));
      EXPECT_TRUE(result.cancelled());
      EXPECT_EQ(current_task()->cancelling(), 1);
      EXPECT_EQ(current_task()->uncancel(), 0);
      EXPECT_EQ(current_task()->uncancel(), 0);
      co_await sleep(1s);
      co_return 5;
    };
    Task<int> task = create_task(body);
    co_await sleep(1s);
    task.cancel();
    int value = co_await task;
    EXPECT_EQ(value, 5);
    EXPECT_FALSE(task.cancelled());
  });
}

TEST(Cancellation, A2_18_uncancel_before_delivery_takes_the_request_back) {
  run_virtual([]() -> Coro<> {
    auto body = []() -> Coro<> {
      current_task()->cancel();
      EXPECT_EQ(current_task()->uncancel(), 0);
      co_await sleep(1s);
    };
    Task<> task = create_task(body);
    co_await task;
    EXPECT_FALSE(task.cancelled());
  });
}

TEST(Cancellation, fault14_a_million_requests_are_one_error) {
  run_virtual([]() -> Coro<> {
    Trace trace;
    Task<> task = create_task(sleeper, std::ref(trace));
    co_await sleep(1s);
    for (int i = 0; i < 1'000'000; ++i) task.cancel();
    (void)co_await capture(task);
    EXPECT_EQ(trace.size(), 1u);
    EXPECT_EQ(task.cancelling(), 1'000'000);
  });
}

// Found by the differential run.
TEST(Cancellation, A2_18_of_two_requests_before_the_step_the_wait_throws_the_first) {
  run_virtual([]() -> Coro<> {
    Trace trace;
    Task<> task = create_task(sleeper, std::ref(trace));
    co_await sleep(1s);
    task.cancel("first");
    task.cancel("second");
    auto ended = co_await capture(task);
    EXPECT_TRUE(ended.cancelled());
    EXPECT_EQ(trace, Trace{"cancelled: first"});
    EXPECT_EQ(task.cancelling(), 2);
  });
}

// The same.
TEST(Cancellation, A2_18_request_that_comes_after_a_cancelled_gather_keeps_its_error) {
  run_virtual([]() -> Coro<> {
    test::ReportCapture reports(get_running_loop());
    {
      auto waits = [] { return sleep(1h); };
      auto body = [&]() -> Coro<> { co_await gather(return_exceptions, waits()); };
      Task<> task = create_task(std::ref(body));
      co_await yields(2);
      task.cancel("first");
      co_await yields(2);  // the gather is done, its awaiter is on its way
      task.cancel("second");
      auto outcome = co_await capture(task);
      EXPECT_EQ(describe_exception(outcome.exception()), "asyncio::CancelledError: first");
    }
    EXPECT_TRUE(reports.reports.empty());
    get_running_loop().set_exception_handler({});
  });
}

TEST(Cancellation, A2_18_request_passes_through_a_chain_to_the_innermost_await) {
  run_virtual([]() -> Coro<> {
    Trace trace;
    auto outer = [](Trace& out) -> Coro<> {
      Task<> inner = create_task(sleeper, std::ref(out));
      co_await inner;
    };
    Task<> task = create_task(outer, std::ref(trace));
    co_await sleep(1s);
    task.cancel("from outside");
    Result<> result = co_await capture(task);
    EXPECT_EQ(describe_exception(result.exception()), "asyncio::CancelledError: from outside");
    EXPECT_EQ(trace, (Trace{"cancelled: from outside"}));
  });
}

TEST(Cancellation, fault15_cancelling_a_circle_through_a_gather_comes_to_an_end) {
  EventLoop loop = test::new_virtual_loop();
  loop.set_exception_handler([](EventLoop, const ExceptionContext&) {});
  loop.run_until_complete([]() -> Coro<> {
    std::optional<Task<>> a;
    auto waits = [](std::optional<Task<>>& other) -> Coro<> { co_await *other; };
    auto gathers = [](Task<> other) -> Coro<> { co_await gather(other); };
    Task<> b = create_task(waits(a));
    a = create_task(gathers(b));
    co_await sleep(1s);
    EXPECT_TRUE(a->cancel());
    co_await sleep(1s);
    EXPECT_FALSE(b.done());
  }());
  loop.close();
}

TEST(Cancellation, R1_frames_and_arguments_of_a_cancelled_task_are_freed_once) {
  run_virtual([]() -> Coro<> {
    int before = Counted::alive;
    auto inner = [](Counted) -> Coro<> {
      Counted local;
      co_await sleep(1h);
    };
    auto outer = [](Counted counted, decltype(inner) next) -> Coro<> {
      Counted local;
      co_await next(counted);
    };
    Task<> task = create_task(outer, Counted(), inner);
    co_await sleep(1s);
    EXPECT_GT(Counted::alive, before);
    task.cancel();
    (void)co_await capture(task);
    EXPECT_EQ(Counted::alive, before);
  });
}

TEST(Cancellation, A2_18_a_cancelled_error_thrown_by_hand_cancels_the_task) {
  run_virtual([]() -> Coro<> {
    auto body = []() -> Coro<> {
      co_await sleep(0s);
      throw CancelledError("by hand");
    };
    Task<> task = create_task(body);
    Result<> result = co_await capture(task);
    EXPECT_TRUE(task.cancelled());
    EXPECT_EQ(task.cancelling(), 0);
    EXPECT_EQ(describe_exception(result.exception()), "asyncio::CancelledError: by hand");
  });
}

}  // namespace

// SPDX-License-Identifier: BSL-1.0
#include "asyncio/concurrent_future.hpp"

#include "asyncio/asyncio.hpp"
#include "captures.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <latch>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

using namespace asyncio;
using namespace std::chrono_literals;
using test::Counted;
using test::thrown;

namespace {

/// Neither default-constructible nor copyable.
class Token {
 public:
  explicit Token(int n) : number(n) {}
  Token(Token&&) = default;
  Token& operator=(Token&&) = default;
  int number;
};

TEST(ConcurrentFuture, A10_is_pending_then_running_then_finished) {
  ConcurrentFuture<int> future;
  EXPECT_FALSE(future.done());
  EXPECT_FALSE(future.running());
  EXPECT_TRUE(future.set_running_or_notify_cancel());
  EXPECT_TRUE(future.running());
  EXPECT_FALSE(future.cancel());
  future.set_result(7);
  EXPECT_TRUE(future.done());
  EXPECT_FALSE(future.running());
  EXPECT_FALSE(future.cancelled());
  EXPECT_EQ(future.result(), 7);
  EXPECT_EQ(future.result(), 7);  // a copy each time
  EXPECT_EQ(future.exception(), nullptr);
}

TEST(ConcurrentFuture, A10_cancel_before_the_work_begins_is_seen_by_who_would_do_it) {
  ConcurrentFuture<> future;
  EXPECT_TRUE(future.cancel());
  EXPECT_TRUE(future.cancel());
  EXPECT_TRUE(future.cancelled());
  EXPECT_TRUE(future.done());
  EXPECT_FALSE(future.set_running_or_notify_cancel());
  EXPECT_TRUE(future.cancelled());
  EXPECT_EQ(thrown([&] { future.set_running_or_notify_cancel(); }),
            "asyncio::RuntimeError: Future in unexpected state");
  EXPECT_EQ(thrown([&] { future.result(); }), "asyncio::CancelledError");
  EXPECT_EQ(thrown([&] { (void)future.exception(); }), "asyncio::CancelledError");
}

TEST(ConcurrentFuture, fault206_a_second_outcome_is_refused_and_the_first_one_stays) {
  ConcurrentFuture<int> future;
  future.set_result(1);
  EXPECT_EQ(thrown([&] { future.set_result(2); }),
            "asyncio::InvalidStateError: the ConcurrentFuture has an outcome already");
  EXPECT_EQ(thrown([&] { future.set_exception(ValueError("late")); }),
            "asyncio::InvalidStateError: the ConcurrentFuture has an outcome already");
  EXPECT_EQ(future.result(), 1);
  ConcurrentFuture<int> cancelled;
  cancelled.cancel();
  EXPECT_EQ(thrown([&] { cancelled.set_result(2); }),
            "asyncio::InvalidStateError: the ConcurrentFuture is cancelled");
  EXPECT_TRUE(cancelled.cancelled());
}

TEST(ConcurrentFuture, A10_an_exception_is_thrown_by_result_and_given_by_exception) {
  ConcurrentFuture<int> future;
  future.set_exception(ValueError("bad"));
  EXPECT_EQ(thrown([&] { future.result(); }), "asyncio::ValueError: bad");
  EXPECT_EQ(describe_exception(future.exception()), "asyncio::ValueError: bad");
  EXPECT_EQ(thrown([] { ConcurrentFuture<>().set_exception(std::exception_ptr()); }),
            "asyncio::TypeError: set_exception: the exception is null");
}

TEST(ConcurrentFuture, A2_15_result_blocks_until_another_thread_brings_it) {
  ConcurrentFuture<std::string> future;
  std::jthread worker([future] { future.set_result("from the worker"); });
  EXPECT_EQ(future.result(), "from the worker");
}

TEST(ConcurrentFuture, A2_15_result_gives_up_after_its_limit) {
  ConcurrentFuture<> future;
  for (Delay limit : {Delay(-1s), Delay(0s), Delay(1ms)}) {
    EXPECT_THROW(future.result(limit), TimeoutError);
    EXPECT_THROW((void)future.exception(limit), TimeoutError);
  }
  std::jthread worker([future] { future.set_result(); });
  future.result(Delay::never());
}

TEST(ConcurrentFuture, A10_values_of_every_kind) {
  ConcurrentFuture<Token> moved;
  moved.set_result(Token(3));
  EXPECT_EQ(moved.result().number, 3);
  EXPECT_EQ(thrown([&] { moved.result(); }),
            "asyncio::InvalidStateError: the value of the ConcurrentFuture was moved out before");
  int target = 5;
  ConcurrentFuture<int&> reference;
  reference.set_result(target);
  EXPECT_EQ(&reference.result(), &target);
  ConcurrentFuture<> nothing;
  nothing.set_result();
  nothing.result();
}

TEST(ConcurrentFuture, A10_callbacks_run_in_order_in_the_thread_that_brings_the_outcome) {
  ConcurrentFuture<int> future;
  std::vector<std::string> trace;
  std::thread::id caller;
  future.add_done_callback([&](ConcurrentFuture<int> done) {
    trace.push_back("first " + std::to_string(done.result()));
    caller = std::this_thread::get_id();
  });
  // Move-only, and without a parameter.
  future.add_done_callback(
      [&, text = std::make_unique<std::string>("second")] { trace.push_back(*text); });
  std::thread worker([future] { future.set_result(1); });
  std::thread::id id = worker.get_id();
  worker.join();
  future.add_done_callback([&] { trace.push_back("at once"); });
  EXPECT_EQ(trace, (std::vector<std::string>{"first 1", "second", "at once"}));
  EXPECT_EQ(caller, id);
}

TEST(ConcurrentFuture, A10_a_callback_that_throws_is_logged_and_the_others_run) {
  test::LogCapture log;
  ConcurrentFuture<> future;
  bool ran = false;
  future.add_done_callback([] { throw ValueError("callback"); });
  future.add_done_callback([&] { ran = true; });
  future.set_result();
  EXPECT_TRUE(ran);
  EXPECT_EQ(log.count("exception calling callback", "ValueError: callback"), 1) << log.all();
}

TEST(ConcurrentFuture, A10_callbacks_end_with_a_future_that_never_gets_an_outcome) {
  {
    ConcurrentFuture<> future;
    future.add_done_callback([counted = Counted()] {});
    EXPECT_EQ(Counted::alive, 1);
  }
  EXPECT_EQ(Counted::alive, 0);
}

TEST(ConcurrentFuture, A10_threads_that_race_for_the_outcome_agree_on_one) {
  constexpr int kThreads = 4;
  for (int round = 0; round < 300; ++round) {
    ConcurrentFuture<int> future;
    std::atomic<int> set{0};
    std::atomic<int> called{0};
    std::latch begin(kThreads);
    std::vector<std::jthread> threads;
    for (int i = 0; i < kThreads; ++i)
      threads.emplace_back([&, i, future] {
        future.add_done_callback([&] { ++called; });
        begin.arrive_and_wait();
        if (i == 0) {
          future.cancel();
          return;
        }
        try {
          future.set_result(i);
          ++set;
        } catch (const InvalidStateError&) {
          // Another one was faster.
        }
      });
    threads.clear();
    EXPECT_EQ(called, kThreads);
    EXPECT_EQ(set + (future.cancelled() ? 1 : 0), 1);
  }
}

TEST(ConcurrentFuture, fault207_waiting_on_the_thread_that_has_to_bring_the_outcome_throws) {
  run([]() -> Coro<> {
    auto give = []() -> Coro<int> { co_return 3; };
    ConcurrentFuture<int> future = run_coroutine_threadsafe(give(), get_running_loop());
    EXPECT_EQ(thrown([&] { future.result(); }),
              "asyncio::RuntimeError: ConcurrentFuture: waiting on the thread of the loop that has "
              "to bring the outcome would deadlock");
    EXPECT_EQ(thrown([&] { (void)future.exception(1s); }),
              "asyncio::RuntimeError: ConcurrentFuture: waiting on the thread of the loop that has "
              "to bring the outcome would deadlock");
    EXPECT_THROW(future.result(0s), TimeoutError);  // only asks
    co_await wrap_future(future);
    EXPECT_EQ(future.result(), 3);
  }());
}

TEST(ConcurrentFuture, A10_wrap_future_brings_value_exception_and_cancellation_into_the_loop) {
  run([]() -> Coro<> {
    ConcurrentFuture<Token> value;
    Future<Token> wrapped = wrap_future(value);
    value.set_result(Token(4));
    EXPECT_FALSE(wrapped.done());  // arrives through the inbox
    Token token = co_await std::move(wrapped);
    EXPECT_EQ(token.number, 4);

    ConcurrentFuture<> failed;
    failed.set_exception(ValueError("bad"));
    auto failure = co_await capture(wrap_future(failed, get_running_loop()));
    EXPECT_TRUE(failure.holds<ValueError>());

    ConcurrentFuture<> cancelled;
    Future<> pending = wrap_future(cancelled);
    cancelled.cancel();
    auto end = co_await capture(pending);
    EXPECT_TRUE(end.cancelled());
    EXPECT_TRUE(pending.cancelled());

    int target = 1;
    ConcurrentFuture<int&> reference;
    reference.set_result(target);
    int& same = co_await wrap_future(reference);
    EXPECT_EQ(&same, &target);
  }());
}

TEST(ConcurrentFuture, A10_cancelling_the_wrapped_future_cancels_one_iteration_later) {
  run([]() -> Coro<> {
    ConcurrentFuture<> source;
    Future<> wrapped = wrap_future(source);
    wrapped.cancel();
    EXPECT_FALSE(source.cancelled());  // futures._call_check_cancel is a callback
    co_await sleep(0s);
    EXPECT_TRUE(source.cancelled());

    ConcurrentFuture<> begun;
    begun.set_running_or_notify_cancel();
    Future<> second = wrap_future(begun);
    second.cancel();
    co_await sleep(0s);
    EXPECT_FALSE(begun.cancelled());
    begun.set_result();  // nobody is there to get it
    co_await sleep(0s);
    EXPECT_TRUE(second.cancelled());
  }());
}

TEST(ConcurrentFuture, A10_a_wrapped_future_with_an_outcome_of_its_own_keeps_it) {
  run([]() -> Coro<> {
    ConcurrentFuture<int> source;
    Future<int> wrapped = wrap_future(source);
    wrapped.set_result(1);
    source.set_result(2);
    co_await sleep(0s);
    co_await sleep(0s);
    EXPECT_EQ(wrapped.result(), 1);
    EXPECT_TRUE(wrap_future(wrapped) == wrapped);
  }());
}

TEST(ConcurrentFuture, A10_the_loop_may_close_before_the_outcome_or_while_it_is_on_its_way) {
  for (bool posted : {false, true}) {
    ConcurrentFuture<Counted> source;
    {
      EventLoop loop = new_event_loop();
      Future<Counted> wrapped = wrap_future(source, loop);
      if (posted) source.set_result(Counted());
      loop.close();
      EXPECT_FALSE(wrapped.done());
    }
    if (!posted) source.set_result(Counted());
    EXPECT_EQ(Counted::alive, 1);
  }
  EXPECT_EQ(Counted::alive, 0);
}

TEST(ConcurrentFuture, A10_a_source_that_is_dropped_without_an_outcome_goes_with_the_loop) {
  EventLoop loop = new_event_loop();
  std::weak_ptr<detail::ConcurrentState<int>> state;
  {
    ConcurrentFuture<int> source;
    state = source.state();
    wrap_future(source, loop);
  }
  EXPECT_FALSE(state.expired());  // a future of the loop still follows it
  loop.close();
  EXPECT_TRUE(state.expired());
}

}  // namespace

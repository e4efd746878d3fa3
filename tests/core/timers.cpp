// SPDX-License-Identifier: BSL-1.0
/// call_later, call_at, sleep, and the clock behind them.
#include "asyncio/context.hpp"
#include "asyncio/detail/backend/backend.hpp"
#include "asyncio/eventloop.hpp"
#include "asyncio/future.hpp"
#include "asyncio/runner.hpp"
#include "asyncio/sleep.hpp"
#include "asyncio/task.hpp"
#include "asyncio/time.hpp"
#include "captures.hpp"
#include "virtual_loop.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <cstdlib>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <vector>

using namespace asyncio;
using namespace std::chrono_literals;
using test::run_virtual;
using test::thrown;

namespace {

TimePoint now() { return get_running_loop().time(); }

// --- Deadlines ----------------------------------------------------------------------------------

TEST(Timers, A9_3_fire_in_the_order_of_their_deadlines_and_equal_ones_in_the_order_of_calls) {
  run_virtual([]() -> Coro<> {
    EventLoop loop = get_running_loop();
    std::vector<int> trace;
    TimePoint start = loop.time();
    for (int i : {5, 1, 4, 1, 3}) loop.call_at(start + i * 1s, [&trace, i] { trace.push_back(i); });
    TimerHandle first = loop.call_at(start + 2s, [&trace] { trace.push_back(20); });
    loop.call_at(start + 2s, [&trace] { trace.push_back(21); });
    EXPECT_EQ(first.when(), start + 2s);
    co_await sleep(1min);
    EXPECT_EQ(trace, (std::vector<int>{1, 1, 20, 21, 3, 4, 5}));
  });
}

TEST(Timers, A9_3_ten_thousand_random_timers_with_removals_fire_in_order) {
  run_virtual([]() -> Coro<> {
    EventLoop loop = get_running_loop();
    std::uint32_t random = 1;
    std::vector<TimerHandle> handles;
    std::vector<TimePoint> fired;
    for (int i = 0; i < 10'000; ++i) {
      random = random * 1664525 + 1013904223;
      handles.push_back(loop.call_later(std::chrono::microseconds(random >> 12),
                                        [&fired] { fired.push_back(now()); }));
    }
    for (std::size_t i = 0; i < handles.size(); i += 3) handles[i].cancel();
    co_await sleep(1h);
    EXPECT_EQ(fired.size(), 6666u);
    EXPECT_TRUE(std::ranges::is_sorted(fired));
  });
}

template <class D>
std::string after(D delay) {
  return run_virtual(
      [](D amount) -> Coro<std::string> {
        EventLoop loop = get_running_loop();
        TimePoint start = loop.time();
        bool fired = false;
        loop.call_later(Delay(amount), [&fired] { fired = true; });
        co_await sleep(0s);
        co_await sleep(0s);
        if (fired) co_return loop.time() == start ? "at once" : "late";
        co_await sleep(24h * 365);
        co_return fired ? "later" : "never";
      },
      delay);
}

TEST(Timers, fault31_delays_at_the_ends_of_their_range) {
  using Seconds = std::chrono::duration<double>;
  constexpr double infinity = std::numeric_limits<double>::infinity();
  EXPECT_EQ(after(0s), "at once");
  EXPECT_EQ(after(-1ns), "at once");
  EXPECT_EQ(after(1ns), "later");
  EXPECT_EQ(after(Seconds(-infinity)), "at once");
  EXPECT_EQ(after(Seconds(infinity)), "never");
  EXPECT_EQ(after(Seconds(1e300)), "never");
  EXPECT_EQ(after(Seconds(1e-12)), "later");  // rounded up: never early
  EXPECT_EQ(after(std::chrono::nanoseconds::max()), "never");
  EXPECT_EQ(after(std::chrono::nanoseconds::min()), "at once");
  EXPECT_EQ(after(std::chrono::hours::max()), "never");
  EXPECT_EQ(after(std::chrono::hours::min()), "at once");
  EXPECT_EQ(after(Delay::never().duration()), "never");
  EXPECT_EQ(after(std::chrono::duration<std::int64_t, std::ratio<1, 30>>(3)), "later");
  EXPECT_EQ(thrown([] { after(Seconds(std::numeric_limits<double>::quiet_NaN())); }),
            "asyncio::ValueError: Invalid delay: NaN (not a number)");
}

TEST(Timers, fault31_delay_converts_any_duration_without_overflow) {
  using Frames = std::chrono::duration<std::int64_t, std::ratio<1, 30>>;
  static_assert(Delay(1ms).nanoseconds() == 1'000'000);
  static_assert(Delay(std::chrono::duration<float>(0.5F)).nanoseconds() == 500'000'000);
  static_assert(!Delay(0s).positive() && !Delay(-1s).positive());
  EXPECT_TRUE(Delay(1ns).positive());
  EXPECT_EQ(Delay(Frames(30)).nanoseconds(), 1'000'000'000);
  EXPECT_EQ(Delay(Frames(20'000'000'000)).nanoseconds(), 666'666'666'666'666'667);
  EXPECT_EQ(Delay(std::chrono::years(200)).nanoseconds(),
            200 * std::int64_t{31'556'952'000'000'000});
  EXPECT_EQ(Delay(std::chrono::years(100'000)).nanoseconds(), Delay::never().nanoseconds());
}

TEST(Timers, fault31_points_in_time_at_the_ends_of_their_range) {
  run_virtual([]() -> Coro<> {
    EventLoop loop = get_running_loop();
    TimePoint start = loop.time();
    int fired = 0;
    loop.call_at(TimePoint::min(), [&fired] { ++fired; });
    loop.call_at(TimePoint(), [&fired] { ++fired; });
    loop.call_at(TimePoint::max(), [] { ADD_FAILURE() << "called"; });
    co_await sleep_until(TimePoint::min());
    co_await sleep(-std::chrono::hours::max());
    EXPECT_EQ(loop.time(), start);
    EXPECT_EQ(fired, 2);
    Task<> never = create_task([]() -> Coro<> { co_await sleep_until(TimePoint::max()); });
    Task<> neither = create_task([]() -> Coro<> { co_await sleep(Delay::never().duration()); });
    co_await sleep(24h);
    EXPECT_FALSE(never.done() || neither.done());
  });
}

// --- Clocks that do strange things --------------------------------------------------------------

TEST(Timers, fault29_the_clock_is_monotonic) {
  static_assert(Clock::is_steady);  // wall time is not consulted at all
}

TEST(Timers, fault30_after_a_jump_of_a_day_due_timers_fire_once_each_in_order) {
  run_virtual([]() -> Coro<> {
    EventLoop loop = get_running_loop();
    std::vector<std::string> trace;
    auto heartbeat = [](std::vector<std::string>& out) -> Coro<> {
      for (;;) {
        co_await sleep(1s);
        out.push_back("heartbeat");
      }
    };
    Task<> periodic = create_task(heartbeat, std::ref(trace));
    loop.call_later(3s, [&] { trace.push_back("three"); });
    loop.call_later(2s, [&] { trace.push_back("two"); });
    co_await sleep(500ms);
    test::block_for(24h);
    for (int i = 0; i < 3; ++i)
      co_await sleep(0s);  // a sleep that is over wakes its task a turn later
    EXPECT_EQ(trace, (std::vector<std::string>{"two", "three", "heartbeat"}));
    co_await sleep(1500ms);
    EXPECT_EQ(trace.size(), 4u);  // no burst
  });
}

TEST(Timers, fault30_while_the_clock_stands_still_nothing_is_early) {
  run_virtual([]() -> Coro<> {
    EventLoop loop = get_running_loop();
    bool fired = false;
    loop.call_later(1s, [&] { fired = true; });
    test::poller().frozen = true;
    int polls = test::poller().polls;
    test::poller().on_poll = [&, polls](TimePoint) {
      EXPECT_TRUE(!fired || !test::poller().frozen);
      if (test::poller().polls == polls + 10) test::poller().frozen = false;
    };
    co_await sleep(2s);
    EXPECT_TRUE(fired);
    test::poller().on_poll = nullptr;
  });
}

// --- Fairness and cost --------------------------------------------------------------------------

TEST(Timers, fault34_a_timer_that_arms_itself_at_now_starves_nobody) {
  int turns = 0;  // the timer outlives the main task
  run_virtual([&turns]() -> Coro<> {
    EventLoop loop = get_running_loop();
    struct Again {
      EventLoop loop;
      int* turns;
      void operator()() {
        ++*turns;
        test::block_for(1us);
        loop.call_at(loop.time(), *this);
      }
    };
    std::vector<int> polls;
    test::poller().on_poll = [&](TimePoint) { polls.push_back(turns); };
    loop.call_soon(Again{loop, &turns});
    co_await sleep(1ms);
    EXPECT_LE(turns, 1002);
    EXPECT_GE(polls.size(), 10u);
    test::poller().on_poll = nullptr;
  });
}

class CountingPoller final : public detail::Poller {
 public:
  explicit CountingPoller(std::unique_ptr<detail::Poller> inner) : inner_(std::move(inner)) {}
  std::string_view name() const noexcept override { return inner_->name(); }
  TimePoint now() noexcept override { return inner_->now(); }
  int wake() noexcept override { return inner_->wake(); }
  void close() noexcept override { inner_->close(); }
  void poll(TimePoint deadline) override {
    ++polls;
    inner_->poll(deadline);
  }
  int polls = 0;

 private:
  std::unique_ptr<detail::Poller> inner_;
};

TEST(Timers, fault32_short_delays_on_the_real_clock_are_never_early_and_do_not_spin) {
  int timers = 500;
  if (const char* text = std::getenv("ASYNCIO_TIMERS")) timers = std::stoi(text);
  auto owned = std::make_unique<CountingPoller>(detail::make_epoll_backend());
  CountingPoller& poller = *owned;
  EventLoop loop(std::make_shared<detail::Loop>(std::move(owned)));
  auto sleep_often = [timers]() -> Coro<> {
    for (int i = 0; i < timers; ++i) {
      TimePoint start = now();
      co_await sleep(300us);
      EXPECT_GE(now() - start, 300us);
    }
  };
  loop.run_until_complete(sleep_often());
  EXPECT_LE(poller.polls, 3 * timers);
  loop.close();
}

// --- sleep --------------------------------------------------------------------------------------

TEST(Timers, S24_sleep_waits_as_long_as_it_says_and_gives_its_value) {
  run_virtual([]() -> Coro<> {
    TimePoint start = now();
    co_await sleep(1500ms);
    EXPECT_EQ(now() - start, 1500ms);
    std::string value = co_await sleep(1s, std::string("value"));
    EXPECT_EQ(value, "value");
    co_await sleep_until(start + 10s);
    EXPECT_EQ(now() - start, 10s);
    co_await sleep_until(start);  // in the past
    EXPECT_EQ(now() - start, 10s);
  });
}

TEST(Timers, S24_sleep_of_zero_yields_one_turn) {
  run_virtual([]() -> Coro<> {
    std::vector<int> trace;
    auto turns = [](std::vector<int>& out, int id) -> Coro<> {
      for (int i = 0; i < 3; ++i) {
        out.push_back(id);
        co_await sleep(0s);
      }
    };
    Task<> a = create_task(turns, std::ref(trace), 1);
    Task<> b = create_task(turns, std::ref(trace), 2);
    co_await a;
    co_await b;
    EXPECT_EQ(trace, (std::vector<int>{1, 2, 1, 2, 1, 2}));
  });
}

TEST(Timers, R3_a_cancelled_or_destroyed_sleep_leaves_no_timer) {
  EventLoop loop = test::new_virtual_loop();
  loop.run_until_complete([]() -> Coro<> {
    EventLoop self = get_running_loop();
    Task<> task = create_task([]() -> Coro<> { co_await sleep(1h); });
    co_await sleep(0s);
    EXPECT_EQ(self.impl().armed_timers(), 1u);
    task.cancel();
    co_await sleep(0s);
    co_await sleep(0s);
    EXPECT_TRUE(task.cancelled());
    EXPECT_EQ(self.impl().armed_timers(), 0u);
    create_task([]() -> Coro<> { co_await sleep(1h); });
    co_await sleep(0s);
  }());
  loop.set_exception_handler([](EventLoop, const ExceptionContext&) {});
  loop.close();
  EXPECT_EQ(loop.impl().armed_timers(), 0u);
}

TEST(Timers, fault27_slow_callbacks_and_steps_are_reported_in_debug_with_their_place) {
  auto main = []() -> Coro<> {
    EventLoop loop = get_running_loop();
    loop.call_soon([] { test::block_for(200ms); });
    co_await sleep(1s);
    test::block_for(200ms);
    co_await sleep(1s);
    loop.set_slow_callback_duration(1s);
    test::block_for(200ms);
    co_await sleep(1s);
  };
  test::LogCapture log;
  run_virtual(main);
  EXPECT_TRUE(log.records.empty());
  test::debug_virtual(main);
  EXPECT_EQ(log.count("Executing callback ", "took 0.2"), 1) << log.all();
  EXPECT_EQ(log.count("Executing task 'Task-", "timers.cpp:", "took 0.2"), 1) << log.all();
  EXPECT_EQ(log.records.size(), 2u);
}

std::string at_line(const char* file, int line) {
  return std::string(file) + ":" + std::to_string(line) + " took 0.2";
}

void block() { test::block_for(200ms); }
void block_with(int, int) { block(); }

TEST(Timers, S7_fault27_slow_callbacks_of_every_kind_are_reported_with_their_place) {
  std::vector<int> lines;
  auto main = [&lines]() -> Coro<> {
    EventLoop loop = get_running_loop();
    Context context = copy_context();
    auto future = loop.create_future();
    Task<> task = create_task([]() -> Coro<> { co_return; });
    TaskHandle handle = task;
    int first = __LINE__ + 1;
    loop.call_soon(block);
    loop.call_soon(context, block);
    loop.call_soon(block_with, 1, 2);
    loop.call_soon(context, block_with, 1, 2);
    loop.call_soon_threadsafe(block);
    loop.call_soon_threadsafe(context, block_with, 1, 2);
    loop.call_later(1s, block);
    loop.call_later(1s, context, block_with, 1, 2);
    loop.call_at(loop.time() + 2s, block_with, 1, 2);
    future.add_done_callback(block);
    future.add_done_callback(block, context);
    task.add_done_callback(block);
    handle.add_done_callback(block);
    for (int line = first; line < first + 13; ++line) lines.push_back(line);
    future.set_result();
    co_await sleep(9s);
  };
  test::LogCapture log;
  test::debug_virtual(main);
  for (int line : lines)
    EXPECT_EQ(log.count("Executing callback ", ", scheduled at ", at_line(__FILE__, line)), 1)
        << line << "\n"
        << log.all();
  EXPECT_EQ(log.records.size(), lines.size()) << log.all();
}

TEST(Timers, fault27_more_arguments_than_a_place_is_known_for_are_called_all_the_same) {
  test::LogCapture log;
  test::debug_virtual([]() -> Coro<> {
    EventLoop loop = get_running_loop();
    int sum = 0;
    auto add = [&sum](int a, int b, int c, int d) {
      sum += a + b + c + d;
      block();
    };
    loop.call_soon(add, 1, 2, 3, 4);
    loop.call_soon_threadsafe(copy_context(), add, 1, 2, 3, 4);
    co_await sleep(1s);
    EXPECT_EQ(sum, 20);
  });
  EXPECT_EQ(log.count("Executing callback ", " took 0.2"), 2) << log.all();
  EXPECT_EQ(log.count("scheduled at"), 0) << log.all();
}

TEST(Timers, A2_6_sleep_gives_its_result_and_sleep_until_meets_a_point_in_time) {
  run_virtual([]() -> Coro<> {
    EventLoop loop = get_running_loop();
    TimePoint begin = loop.time();
    std::string result = co_await sleep(1s, std::string("rested"));
    EXPECT_EQ(result, "rested");
    EXPECT_EQ(loop.time() - begin, 1s);
    co_await sleep_until(begin + 5s);
    EXPECT_EQ(loop.time() - begin, 5s);
    int turns = 0;
    loop.call_soon([&] { ++turns; });
    co_await sleep_until(begin);  // is past: one turn
    EXPECT_EQ(turns, 1);
    EXPECT_EQ(loop.time() - begin, 5s);
  });
}

}  // namespace

// SPDX-License-Identifier: BSL-1.0
// A2.22: staggered_race.
#include "asyncio/asyncio.hpp"
#include "captures.hpp"
#include "virtual_loop.hpp"

#include <gtest/gtest.h>

#include <functional>
#include <optional>
#include <string>
#include <vector>

using namespace asyncio;
using namespace std::chrono_literals;
using test::run_virtual;

namespace {

/// What attempts do, and when.
class Attempts {
 public:
  /// One that succeeds, or fails, `seconds` after its start.
  void add(int seconds, bool succeeds) {
    std::size_t number = functions.size();
    functions.push_back(
        [this, seconds, succeeds, number]() { return run_one(*this, seconds, succeeds, number); });
    cancelled.push_back(false);
  }
  std::vector<std::function<Coro<int>()>> functions;
  std::vector<bool> cancelled;
  std::vector<std::string> started;  // "number at seconds"

 private:
  static Coro<int> run_one(Attempts& self, int seconds, bool succeeds, std::size_t number) {
    self.started.push_back(std::to_string(number) + " at " + std::to_string(self.now()));
    auto slept = co_await capture(sleep(std::chrono::seconds(seconds)));
    self.cancelled[number] = slept.cancelled();
    slept.value();
    if (!succeeds) throw ValueError("attempt " + std::to_string(number));
    co_return static_cast<int>(number) * 10;
  }
  long now() const {
    return std::chrono::round<std::chrono::seconds>(loop_.time() - begin_).count();
  }

  EventLoop loop_ = get_running_loop();
  TimePoint begin_ = loop_.time();
};

using Started = std::vector<std::string>;

/// No coroutine: throws at once.
Coro<int> refuse() { throw ValueError("no coroutine"); }
Coro<int> answer() { co_return 7; }

/// As in CPython, an attempt may fail before there is a coroutine.
TEST(Staggered, A2_22_a_function_that_throws_is_an_attempt_that_failed) {
  run_virtual([]() -> Coro<> {
    Attempts attempts;
    attempts.add(100, false);
    attempts.functions.push_back(refuse);
    attempts.functions.push_back(answer);
    auto result = co_await staggered_race(attempts.functions, 1s);
    EXPECT_EQ(result.winner, 2u);
    EXPECT_NE(describe_exception(result.errors.at(1)).find("no coroutine"), std::string::npos);
    EXPECT_TRUE(attempts.cancelled.at(0)) << "an attempt was left behind";
  });
}

TEST(Staggered, A2_22_the_next_starts_after_the_delay_and_the_first_success_wins) {
  run_virtual([]() -> Coro<> {
    Attempts attempts;
    attempts.add(100, true);
    attempts.add(3, true);
    attempts.add(1, true);
    attempts.add(1, true);
    auto result = co_await staggered_race(attempts.functions, 2s);
    EXPECT_EQ(attempts.started, (Started{"0 at 0", "1 at 2", "2 at 4"}));
    EXPECT_EQ(result.winner, 1u);  // both at 5 s; the first of them
    EXPECT_EQ(result.value, 10);
    EXPECT_TRUE(attempts.cancelled[0]);
    EXPECT_EQ(all_tasks().size(), 1u);
  });
}

TEST(Staggered, A2_22_a_failure_starts_the_next_at_once) {
  run_virtual([]() -> Coro<> {
    Attempts attempts;
    attempts.add(1, false);
    attempts.add(1, false);
    attempts.add(1, true);
    auto result = co_await staggered_race(attempts.functions, 10s);
    EXPECT_EQ(attempts.started, (Started{"0 at 0", "1 at 1", "2 at 2"}));
    EXPECT_EQ(result.winner, 2u);
    EXPECT_EQ(result.errors.size(), 3u);
    EXPECT_EQ(describe_exception(result.errors[1]), "asyncio::ValueError: attempt 1");
    EXPECT_FALSE(result.errors[2]);
  });
}

TEST(Staggered, A2_22_D3_if_all_fail_each_error_is_there) {
  run_virtual([]() -> Coro<> {
    Attempts attempts;
    attempts.add(5, false);
    attempts.add(1, false);
    auto result = co_await staggered_race(attempts.functions, 1s);
    EXPECT_EQ(result.winner, std::nullopt);
    EXPECT_EQ(result.value, std::nullopt);
    EXPECT_EQ(result.errors.size(), 2u);
    for (const auto& error : result.errors) EXPECT_TRUE(error);
  });
}

TEST(Staggered, A2_22_without_a_delay_only_failures_start_the_next) {
  run_virtual([]() -> Coro<> {
    Attempts attempts;
    attempts.add(100, true);
    attempts.add(1, true);
    auto result = co_await staggered_race(attempts.functions, std::nullopt);
    EXPECT_EQ(attempts.started, (Started{"0 at 0"}));
    EXPECT_EQ(result.winner, 0u);
  });
}

TEST(Staggered, A2_22_R1_cancelling_it_cancels_and_waits_for_all_attempts) {
  run_virtual([]() -> Coro<> {
    Attempts attempts;
    attempts.add(100, true);
    attempts.add(100, true);
    auto race = create_task(staggered_race(attempts.functions, 1s));
    co_await sleep(2s);
    race.cancel();
    auto ended = co_await capture(race);
    EXPECT_TRUE(ended.cancelled());
    EXPECT_EQ(attempts.cancelled, (std::vector<bool>{true, true}));
    EXPECT_EQ(all_tasks().size(), 1u);
  });
}

TEST(Staggered, A2_22_no_attempts_no_winner) {
  run_virtual([]() -> Coro<> {
    auto result = co_await staggered_race(std::vector<std::function<Coro<int>()>>(), 1s);
    EXPECT_EQ(result.winner, std::nullopt);
    EXPECT_TRUE(result.errors.empty());
  });
}

}  // namespace

// SPDX-License-Identifier: BSL-1.0
/// Fault 29: the wall clock jumps. This program has clocks of its own in place of the C library's:
/// CLOCK_REALTIME goes where the test says, the others are the kernel's.
#include "asyncio/asyncio.hpp"
#include "backends.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <ctime>
#include <string>
#include <sys/syscall.h>
#include <sys/time.h>
#include <type_traits>
#include <unistd.h>
#include <vector>

namespace {

std::atomic<std::int64_t> wall_offset{0};  // seconds

int kernel_time(clockid_t clock, timespec* now) {
  int status = static_cast<int>(::syscall(SYS_clock_gettime, clock, now));
  bool wall = clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE || clock == CLOCK_TAI;
  if (wall && now) now->tv_sec += wall_offset;
  return status;
}

}  // namespace

extern "C" int clock_gettime(clockid_t clock, timespec* now) noexcept {
  return kernel_time(clock, now);
}
extern "C" int gettimeofday(timeval* now, void*) noexcept {
  timespec fine{};
  int status = kernel_time(CLOCK_REALTIME, &fine);
  now->tv_sec = fine.tv_sec;
  now->tv_usec = fine.tv_nsec / 1000;
  return status;
}
extern "C" time_t time(time_t* place) noexcept {
  timespec now{};
  kernel_time(CLOCK_REALTIME, &now);
  if (place) *place = now.tv_sec;
  return now.tv_sec;
}

namespace {

using namespace asyncio;
using namespace std::chrono_literals;
using WallTime = std::chrono::system_clock::time_point;

// There are no deadlines by the wall clock that could be wrong afterwards: the compiler refuses
// them.
template <class T>
concept Deadline =
    requires(T when, EventLoop loop) { sleep_until(when); } || requires(T when, EventLoop loop) {
      timeout_at(when);
    } || requires(T when, EventLoop loop, void (*callback)()) { loop.call_at(when, callback); };
static_assert(Deadline<TimePoint>);
static_assert(!Deadline<WallTime>);
static_assert(Clock::is_steady);

class WallClock : public test::BackendTest {
 protected:
  void TearDown() override {
    wall_offset = 0;
    BackendTest::TearDown();
  }
};

/// Everything that waits for a time, begun before the clock jumps, and again after it.
Coro<> wait_in_every_way(std::int64_t jump, std::vector<std::string>& order) {
  EventLoop loop = get_running_loop();
  auto begin = std::chrono::steady_clock::now();
  auto note = [&order](const char* what) { order.push_back(what); };
  loop.call_later(20ms, note, "call_later");
  loop.call_at(loop.time() + 30ms, note, "call_at");
  auto sleeper = [&]() -> Coro<> {
    co_await sleep(40ms);
    note("sleep");
  };
  auto limited = [&]() -> Coro<> {
    auto outcome = co_await capture(wait_for(sleep(24h), 50ms));
    note(outcome.holds<TimeoutError>() ? "wait_for" : "wait_for did not time out");
  };
  Task<> first = create_task(sleeper);
  Task<> second = create_task(limited);
  co_await sleep(1ms);
  wall_offset += jump;
  co_await first;
  EXPECT_GE(std::chrono::steady_clock::now() - begin, 40ms) << "early";
  co_await second;
  EXPECT_GE(std::chrono::steady_clock::now() - begin, 50ms) << "early";
}

TEST_P(WallClock, fault29_jumps_of_an_hour_and_of_ten_years_do_not_move_timers) {
  constexpr std::int64_t kHour = 3600;
  constexpr std::int64_t kTenYears = 10 * 365 * 24 * kHour;
  for (std::int64_t jump : {kHour, -kHour, kTenYears, -kTenYears}) {
    SCOPED_TRACE(jump);
    WallTime wall = std::chrono::system_clock::now();
    auto begin = std::chrono::steady_clock::now();
    std::vector<std::string> order;
    run([&]() -> Coro<> { co_await wait_in_every_way(jump, order); });
    EXPECT_EQ(order, (std::vector<std::string>{"call_later", "call_at", "sleep", "wait_for"}));
    auto took = std::chrono::steady_clock::now() - begin;
    EXPECT_LT(took, 20s) << "a timer waited for the wall clock";
    auto moved = std::chrono::system_clock::now() - wall - std::chrono::seconds(jump);
    EXPECT_LT(moved < 0s ? -moved : moved, took + 1s) << "the clock of the test did not jump";
  }
}

INSTANTIATE_TEST_SUITE_P(Every, WallClock, test::real_backends, test::backend_name);

}  // namespace

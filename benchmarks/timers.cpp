// SPDX-License-Identifier: BSL-1.0
// What do sleeping and time limits cost?
#include "in_loop.hpp"
#include <asyncio/eventloop.hpp>
#include <asyncio/gather.hpp>
#include <asyncio/sleep.hpp>
#include <asyncio/timeout.hpp>
#include <asyncio/with.hpp>

#include <chrono>
#include <cstdint>
#include <random>
#include <vector>

namespace {

using namespace asyncio;
using namespace std::chrono_literals;
using bench::Count;

Coro<> sleep_zero(Count& count) {
  while (count.more()) {
    co_await sleep(0s);
  }
}

/// Each turn looks whether the timer is due.
Coro<> sleep_zero_beside_timer(Count& count) {
  TimerHandle timer = get_running_loop().call_later(1h, [] {});
  co_await sleep_zero(count);
  timer.cancel();
}

Coro<> sleeper(std::chrono::microseconds delay) { co_await sleep(delay); }

/// As tasks, each for a time of its own up to 10 ms.
Coro<> sleep_in_tasks(Count& count) {
  std::minstd_rand random(1);
  while (std::int64_t size = count.batch(10'000)) {
    std::vector<Coro<>> children;
    for (std::int64_t i = 0; i < size; ++i)
      children.push_back(sleeper(std::chrono::microseconds(random() % 10'000)));
    co_await gather(std::move(children));
  }
}

Coro<> arm_and_cancel(Count& count) {
  auto loop = get_running_loop();
  std::minstd_rand random(1);
  auto delay = [&random] { return 30s + std::chrono::microseconds(random() % 60'000'000); };
  std::vector<TimerHandle> others;
  for (int i = 0; i < 10'000; ++i) others.push_back(loop.call_later(delay(), [] {}));
  while (count.more()) loop.call_later(delay(), [] {}).cancel();
  for (auto& other : others) other.cancel();
  co_return;
}

Coro<std::uint64_t> done_at_once(std::uint64_t value) { co_return value; }
Coro<std::uint64_t> suspends_once(std::uint64_t value) {
  co_await sleep(0s);
  co_return value;
}

Coro<> wait_for_done(Count& count) {
  std::uint64_t sum = 0;
  while (count.more()) sum += co_await wait_for(done_at_once(sum), 10s);
  bench::keep(sum);
}

Coro<> wait_for_suspension(Count& count) {
  std::uint64_t sum = 0;
  while (count.more()) sum += co_await wait_for(suspends_once(sum), 10s);
  bench::keep(sum);
}

Coro<> with_timeout(Count& count) {
  std::uint64_t sum = 0;
  while (count.more())
    co_await with(timeout(10s), [&]() -> Coro<> {
      ++sum;
      co_return;
    });
  bench::keep(sum);
}

using bench::add;
using bench::in_loop;
using bench::in_simulated_loop;
using bench::Operation;

const bool added[] = {
    add(Operation("sleep_zero", "asyncio", in_loop<sleep_zero>)),
    add(Operation("sleep_zero_beside_timer", "asyncio", in_loop<sleep_zero_beside_timer>)),
    add(Operation("sleep_10000_virtual", "asyncio", in_simulated_loop<sleep_in_tasks>)
            .batches(10'000)),
    add(Operation("sleep_10000", "asyncio", in_loop<sleep_in_tasks>).batches(10'000).clocked()),
    add(Operation("timer_arm_cancel", "asyncio", in_loop<arm_and_cancel>)),
    add(Operation("wait_for_done", "asyncio", in_loop<wait_for_done>)),
    add(Operation("wait_for_suspension", "asyncio", in_loop<wait_for_suspension>)),
    add(Operation("with_timeout", "asyncio", in_loop<with_timeout>)),
};

}  // namespace

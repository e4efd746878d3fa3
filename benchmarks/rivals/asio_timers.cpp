// SPDX-License-Identifier: BSL-1.0
// Boost.Asio: yielding, sleeping, time limits, and timers that are cancelled.
#include "in_context.hpp"
#include "memory.hpp"

#include <boost/asio/detached.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <cstdint>
#include <random>
#include <vector>

namespace {

namespace asio = boost::asio;
using asio::awaitable;
using asio::use_awaitable;
using bench::Count;
using boost::system::error_code;
using namespace std::chrono_literals;

awaitable<void> yield(Count& count) {
  while (count.more()) co_await asio::post(use_awaitable);
}

awaitable<void> sleeper(std::chrono::nanoseconds delay) {
  asio::steady_timer timer(co_await asio::this_coro::executor, delay);
  error_code error;
  co_await timer.async_wait(asio::redirect_error(use_awaitable, error));
}

/// As coroutines of their own, each for a time of its own up to 10 ms.
void sleep_spawned(Count& count) {
  asio::io_context context(1);
  std::minstd_rand random(1);
  while (std::int64_t size = count.batch(10'000)) {
    for (std::int64_t i = 0; i < size; ++i)
      asio::co_spawn(context, sleeper(std::chrono::microseconds(random() % 10'000)),
                     asio::detached);
    context.run();
    context.restart();
  }
}

void arm_and_cancel(Count& count) {
  asio::io_context context(1);
  std::minstd_rand random(1);
  auto delay = [&random] { return 30s + std::chrono::microseconds(random() % 60'000'000); };
  std::vector<asio::steady_timer> others;
  for (int i = 0; i < 10'000; ++i) {
    others.emplace_back(context, delay());
    others.back().async_wait([](error_code) {});
  }
  while (std::int64_t size = count.batch(1000)) {
    for (std::int64_t i = 0; i < size; ++i) {
      asio::steady_timer timer(context, delay());
      timer.async_wait([](error_code) {});
      timer.cancel();
    }
    context.poll();  // the handlers, which are called also for a cancelled timer
  }
}

awaitable<std::uint64_t> done_at_once(std::uint64_t value) { co_return value; }
awaitable<std::uint64_t> suspends_once(std::uint64_t value) {
  co_await asio::post(use_awaitable);
  co_return value;
}
awaitable<void> time_limit(asio::steady_timer& timer) {
  timer.expires_after(10s);
  co_await timer.async_wait(use_awaitable);
}

template <awaitable<std::uint64_t> (*limited)(std::uint64_t)>
awaitable<void> wait_for(Count& count) {
  using namespace asio::experimental::awaitable_operators;
  asio::steady_timer timer(co_await asio::this_coro::executor);
  std::uint64_t sum = 0;
  while (count.more()) {
    auto first = co_await (limited(sum) || time_limit(timer));
    sum += std::get<0>(first);
  }
  bench::keep(sum);
}

/// What a sleeping coroutine takes, with its frame and timer.
void sleeping(Count& count) {
  asio::io_context context(1);
  while (std::int64_t size = count.batch(1'000'000)) {
    bench::Resident resident;
    for (std::int64_t i = 0; i < size; ++i) asio::co_spawn(context, sleeper(1h), asio::detached);
    context.poll();
    resident.report(count, size);
    context.stop();
  }
}

using bench::add;
using bench::in_context;
using bench::Operation;

const bool added[] = {
    add(Operation("sleep_zero", "asio", in_context<yield>)),
    add(Operation("sleep_10000", "asio", sleep_spawned).batches(10'000).clocked()),
    add(Operation("timer_arm_cancel", "asio", arm_and_cancel)),
    add(Operation("wait_for_done", "asio", in_context<wait_for<done_at_once>>)),
    add(Operation("wait_for_suspension", "asio", in_context<wait_for<suspends_once>>)),
    add(Operation("sleeping_task", "asio", sleeping).batches(1'000'000).memory()),
};

}  // namespace

// SPDX-License-Identifier: BSL-1.0
// What does a callback cost: each scheduling the next, many at once, posted by another thread?
#include "in_loop.hpp"
#include "latencies.hpp"
#include <asyncio/eventloop.hpp>
#include <asyncio/future.hpp>

#include <cstdint>
#include <semaphore>
#include <thread>

namespace {

using namespace asyncio;
using bench::Count;

/// Each call schedules the next; the last one ends the chain's future.
class Chain {
 public:
  Chain(EventLoop loop, std::int64_t length, Future<> end)
      : loop_(std::move(loop)), left_(length), end_(std::move(end)) {}
  void step() {
    if (--left_ > 0)
      loop_.call_soon([this] { step(); });
    else
      end_.set_result();
  }

 private:
  EventLoop loop_;
  std::int64_t left_;
  Future<> end_;
};

Coro<> call_soon_chain(Count& count) {
  auto loop = get_running_loop();
  while (std::int64_t size = count.batch(1000)) {
    auto end = loop.create_future();
    Chain chain(loop, size, end);
    chain.step();
    co_await end;
  }
}

Coro<> call_soon_batch(Count& count) {
  auto loop = get_running_loop();
  while (std::int64_t size = count.batch(1000)) {
    auto end = loop.create_future();
    std::int64_t calls = 0;
    for (std::int64_t i = 1; i < size; ++i) loop.call_soon([&calls] { ++calls; });
    loop.call_soon([end]() mutable { end.set_result(); });
    co_await end;
  }
}

/// From the loop's own thread, where it is call_soon with the price of being safe.
Coro<> post_from_loop(Count& count) {
  auto loop = get_running_loop();
  while (std::int64_t size = count.batch(1000)) {
    auto end = loop.create_future();
    for (std::int64_t i = 1; i < size; ++i) loop.call_soon_threadsafe([] {});
    loop.call_soon_threadsafe([end]() mutable { end.set_result(); });
    co_await end;
  }
}

Coro<> post_from_thread(Count& count) {
  auto loop = get_running_loop();
  while (std::int64_t size = count.batch(100'000)) {
    auto end = loop.create_future();
    std::int64_t left = size;
    std::thread poster([&] {
      for (std::int64_t i = 0; i < size; ++i)
        loop.call_soon_threadsafe([&left, &end] {
          if (--left == 0) end.set_result();
        });
    });
    co_await end;
    poster.join();
  }
}

/// The poster sleeps until its callback has run.
Coro<> post_round_trip(Count& count) {
  auto loop = get_running_loop();
  bench::Latencies latencies;
  while (std::int64_t size = count.batch(1000)) {
    auto end = loop.create_future();
    std::thread poster([&] {
      std::binary_semaphore answered(0);
      for (std::int64_t i = 0; i < size; ++i) {
        latencies.measure([&] {
          loop.call_soon_threadsafe([&answered] { answered.release(); });
          answered.acquire();
        });
      }
      loop.call_soon_threadsafe([&end] { end.set_result(); });
    });
    co_await end;
    poster.join();
  }
  latencies.report(count);
}

using bench::add;
using bench::in_loop;
using bench::Operation;

const bool added[] = {
    add(Operation("call_soon_chain", "asyncio", in_loop<call_soon_chain>)),
    add(Operation("call_soon_batch", "asyncio", in_loop<call_soon_batch>)),
    add(Operation("post_from_loop", "asyncio", in_loop<post_from_loop>)),
    add(Operation("post_from_thread", "asyncio", in_loop<post_from_thread>)
            .batches(100'000)
            .threads()),
    add(Operation("post_round_trip", "asyncio", in_loop<post_round_trip>).threads()),
};

}  // namespace

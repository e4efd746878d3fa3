// SPDX-License-Identifier: BSL-1.0
// Boost.Asio: posted functions, each posting the next, many at once, from another thread.
#include "in_context.hpp"
#include "latencies.hpp"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <cstdint>
#include <semaphore>
#include <thread>

namespace {

namespace asio = boost::asio;
using bench::Count;

class Chain {
 public:
  Chain(asio::io_context& context, std::int64_t& left) : context_(context), left_(left) {}
  void operator()() const {
    if (--left_ > 0) asio::post(context_, *this);
  }

 private:
  asio::io_context& context_;
  std::int64_t& left_;
};

void post_chain(Count& count) {
  asio::io_context context(1);
  while (std::int64_t left = count.batch(1000)) {
    asio::post(context, Chain(context, left));
    context.run();
    context.restart();
  }
}

void post_batch(Count& count) {
  asio::io_context context(1);
  while (std::int64_t size = count.batch(1000)) {
    std::uint64_t calls = 0;
    for (std::int64_t i = 0; i < size; ++i) asio::post(context, [&calls] { ++calls; });
    context.run();
    context.restart();
    bench::keep(calls);
  }
}

/// A context that takes part in two threads.
void post_from_thread(Count& count) {
  asio::io_context context;
  while (std::int64_t size = count.batch(100'000)) {
    auto work = asio::make_work_guard(context);
    std::int64_t left = size;
    std::thread poster([&] {
      for (std::int64_t i = 0; i < size; ++i)
        asio::post(context, [&] {
          if (--left == 0) work.reset();
        });
    });
    context.run();
    context.restart();
    poster.join();
  }
}

void post_round_trip(Count& count) {
  asio::io_context context;
  bench::Latencies latencies;
  while (std::int64_t size = count.batch(1000)) {
    auto work = asio::make_work_guard(context);
    std::thread poster([&] {
      std::binary_semaphore answered(0);
      for (std::int64_t i = 0; i < size; ++i) {
        latencies.measure([&] {
          asio::post(context, [&answered] { answered.release(); });
          answered.acquire();
        });
      }
      work.reset();
    });
    context.run();
    context.restart();
    poster.join();
  }
  latencies.report(count);
}

using bench::add;
using bench::Operation;

const bool added[] = {
    add(Operation("call_soon_chain", "asio", post_chain)),
    add(Operation("call_soon_batch", "asio", post_batch)),
    add(Operation("post_from_thread", "asio", post_from_thread).batches(100'000).threads()),
    add(Operation("post_round_trip", "asio", post_round_trip).threads()),
};

}  // namespace

// SPDX-License-Identifier: BSL-1.0
// Boost.Asio (C++20 awaitable) on workloads M1-M5, M9, M10. One workload per process.
#include "../bench.h"

#include <boost/asio.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/experimental/channel.hpp>
#include <boost/asio/experimental/deferred.hpp>
#include <boost/asio/experimental/parallel_group.hpp>
#include <functional>
#include <memory>
#include <optional>
#include <semaphore>
#include <string>
#include <thread>
#include <vector>
namespace asio = boost::asio;
using asio::awaitable;
using asio::use_awaitable;
using namespace asio::experimental::awaitable_operators;
using boost::system::error_code;
using namespace std::chrono_literals;

static volatile uint64_t g_sink;
struct Span {
  double w0 = bench_wall(), c0 = bench_cpu(), w = 0, c = 0;
  void stop() {
    w = bench_wall() - w0;
    c = bench_cpu() - c0;
  }
};
using Res = std::pair<Span, std::string>;

static awaitable<uint64_t> trivial(uint64_t i) { co_return i; }

template <class F>
static void run_main(asio::io_context& io, F f) {
  std::exception_ptr ep;
  co_spawn(io, f(), [&](std::exception_ptr e) { ep = e; });
  io.run();
  if (ep) std::rethrow_exception(ep);
}

// M1d: await a plain child coroutine
static Res m1d(long n) {
  asio::io_context io(1);
  Span s;
  run_main(io, [&]() -> awaitable<void> {
    uint64_t x = 0;
    s = Span{};
    for (long i = 0; i < n; i++) x += co_await trivial(i);
    s.stop();
    g_sink = x;
  });
  return {s, ""};
}
// M1s: spawn a task and await it, one after another
static Res m1s(long n) {
  asio::io_context io(1);
  Span s;
  run_main(io, [&]() -> awaitable<void> {
    uint64_t x = 0;
    s = Span{};
    auto ex = co_await asio::this_coro::executor;
    for (long i = 0; i < n; i++) x += co_await co_spawn(ex, trivial(i), use_awaitable);
    s.stop();
    g_sink = x;
  });
  return {s, ""};
}
// M1b: spawn n tasks, then wait for all results (ranged parallel group = asio's gather)
static Res m1b(long n) {
  asio::io_context io(1);
  Span s;
  run_main(io, [&]() -> awaitable<void> {
    s = Span{};
    auto ex = co_await asio::this_coro::executor;
    auto one = [&](long i) { return co_spawn(ex, trivial(i), asio::experimental::deferred); };
    std::vector<decltype(one(0))> v;
    v.reserve(n);
    for (long i = 0; i < n; i++) v.push_back(one(i));
    auto [order, ex_, vals] = co_await asio::experimental::make_parallel_group(std::move(v))
                                  .async_wait(asio::experimental::wait_for_all(), use_awaitable);
    uint64_t x = 0;
    for (auto q : vals) x += q;
    s.stop();
    g_sink = x;
  });
  return {s, ""};
}
// M1c: same, with detached co_spawn and a hand-written counter (asio's cheapest)
static awaitable<void> cnt(uint64_t i, uint64_t& sum) {
  sum += i;
  co_return;
}
static Res m1c(long n) {
  asio::io_context io(1);
  uint64_t x = 0;
  Span s;
  for (long i = 0; i < n; i++) co_spawn(io, cnt(i, x), asio::detached);
  io.run();
  s.stop();
  g_sink = x;
  return {s, ""};
}
// M1m: n tasks blocked on one event: bytes each; then wake all
static awaitable<void> blocked(asio::steady_timer& ev, uint64_t& k) {
  error_code ec;
  co_await ev.async_wait(asio::redirect_error(use_awaitable, ec));
  ++k;
}
static Res m1m(long n) {
  asio::io_context io(1);
  asio::steady_timer ev(io, asio::steady_timer::time_point::max());
  uint64_t k = 0;
  long r0 = bench_rss();
  double w0 = bench_wall();
  for (long i = 0; i < n; i++) co_spawn(io, blocked(ev, k), asio::detached);
  io.poll();
  double t_spawn = bench_wall() - w0;
  long r1 = bench_rss();
  Span s;
  ev.cancel();
  io.run();
  s.stop();
  if (k != (uint64_t)n) abort();
  char b[128];
  snprintf(b, sizeof b, ",\"bytes\":%.1f,\"spawn_wall\":%.9f", double(r1 - r0) / n, t_spawn);
  return {s, b};
}
// M2a: chain of posts; M2b: batch of posts
struct Chain {
  asio::io_context* io;
  long* left;
  void operator()() const {
    if (--*left > 0) asio::post(*io, *this);
  }
};
static Res m2a(long n) {
  asio::io_context io(1);
  long left = n;
  Span s;
  asio::post(io, Chain{&io, &left});
  io.run();
  s.stop();
  return {s, ""};
}
static Res m2b(long n) {
  asio::io_context io(1);
  uint64_t k = 0;
  Span s;
  for (long i = 0; i < n; i++) asio::post(io, [&k] { ++k; });
  io.run();
  s.stop();
  if (k != (uint64_t)n) abort();
  return {s, ""};
}
// M3: ping-pong through two channels of capacity 1
using Chan = asio::experimental::channel<void(error_code, uint64_t)>;
static Res m3(long n) {
  asio::io_context io(1);
  Chan a(io, 1), b(io, 1);
  Span s;
  co_spawn(
      io,
      [&]() -> awaitable<void> {
        for (long i = 0; i < n; i++) {
          uint64_t v = co_await a.async_receive(use_awaitable);
          co_await b.async_send(error_code{}, v + 1, use_awaitable);
        }
      },
      asio::detached);
  run_main(io, [&]() -> awaitable<void> {
    s = Span{};
    uint64_t v = 0;
    for (long i = 0; i < n; i++) {
      co_await a.async_send(error_code{}, v, use_awaitable);
      v = co_await b.async_receive(use_awaitable);
    }
    s.stop();
    if (v != (uint64_t)n) abort();
  });
  return {s, ""};
}
// M4a: n concurrent sleeps 0..100 ms
static awaitable<void> sleeper(std::chrono::microseconds d, uint64_t& k) {
  asio::steady_timer t(co_await asio::this_coro::executor, d);
  co_await t.async_wait(use_awaitable);
  ++k;
}
static Res m4a(long n) {
  asio::io_context io(1);
  uint64_t k = 0, r = 88172645463325252ULL;
  Span s;
  for (long i = 0; i < n; i++)
    co_spawn(io, sleeper(std::chrono::microseconds(bench_rng(&r) % 100000), k), asio::detached);
  io.run();
  s.stop();
  if (k != (uint64_t)n) abort();
  return {s, ""};
}
// M4b: wait_for(immediate); M4y: wait_for(one suspension)
static awaitable<uint64_t> yield_once(uint64_t i) {
  co_await asio::post(use_awaitable);
  co_return i;
}
static awaitable<void> timeout(asio::steady_timer& t) {
  t.expires_after(10s);
  co_await t.async_wait(use_awaitable);
}
template <class Op>
static Res m4_wait_for(long n, Op op) {
  asio::io_context io(1);
  Span s;
  run_main(io, [&]() -> awaitable<void> {
    s = Span{};
    uint64_t x = 0;
    asio::steady_timer t(io);
    for (long i = 0; i < n; i++) {
      auto r = co_await (op(i) || timeout(t));
      if (r.index() != 0) abort();
      x += std::get<0>(r);
    }
    s.stop();
    g_sink = x;
  });
  return {s, ""};
}
// M4c: call_later + cancel with 10000 other live timers
static Res m4c(long n) {
  asio::io_context io(1);
  std::vector<asio::steady_timer> bg;
  bg.reserve(10000);
  uint64_t r = 88172645463325252ULL, k = 0;
  for (int i = 0; i < 10000; i++) {
    bg.emplace_back(io, 30s + std::chrono::microseconds(bench_rng(&r) % 60000000));
    bg.back().async_wait([](error_code) {});
  }
  Span s;
  for (long i = 0; i < n; i++) {
    asio::steady_timer t(io, 10s + std::chrono::microseconds(bench_rng(&r) % 60000000));
    t.async_wait([&k](error_code) { ++k; });
    t.cancel();
    if ((i & 1023) == 1023) io.poll();
  }
  io.poll();
  s.stop();
  if (k != (uint64_t)n) abort();
  for (auto& t : bg) t.cancel();
  io.run();
  return {s, ""};
}
// M5: gather of n tasks that each yield once, 10 rounds
static awaitable<void> yielder() { co_await asio::post(use_awaitable); }
static Res m5(long n) {
  asio::io_context io(1);
  Span s;
  run_main(io, [&]() -> awaitable<void> {
    s = Span{};
    auto ex = co_await asio::this_coro::executor;
    for (int r = 0; r < 10; r++) {
      auto one = [&] { return co_spawn(ex, yielder(), asio::experimental::deferred); };
      std::vector<decltype(one())> v;
      v.reserve(n);
      for (long i = 0; i < n; i++) v.push_back(one());
      co_await asio::experimental::make_parallel_group(std::move(v))
          .async_wait(asio::experimental::wait_for_all(), use_awaitable);
    }
    s.stop();
  });
  return {s, ""};
}
// M9: cancel n tasks, each suspended 3 coroutine frames deep
static awaitable<void> leaf(asio::steady_timer& t) { co_await t.async_wait(use_awaitable); }
static awaitable<void> mid(asio::steady_timer& t) { co_await leaf(t); }
static awaitable<void> outer() {
  asio::steady_timer t(co_await asio::this_coro::executor, 1h);
  co_await mid(t);
}
static Res m9(long n) {
  asio::io_context io(1);
  uint64_t k = 0;
  std::vector<asio::cancellation_signal> sig(n);
  for (long i = 0; i < n; i++)
    co_spawn(io, outer(), asio::bind_cancellation_slot(sig[i].slot(), [&k](std::exception_ptr e) {
               if (e) ++k;
             }));
  io.poll();
  Span s;
  for (auto& g : sig) g.emit(asio::cancellation_type::terminal);
  io.run();
  s.stop();
  if (k != (uint64_t)n) abort();
  return {s, ""};
}
// M10a: n posts from another thread; M10b: post + blocking wait round trips
static Res m10a(long n) {
  asio::io_context io;
  auto g = asio::make_work_guard(io);
  uint64_t k = 0;
  Span s;
  std::thread th([&] {
    bench_pin_self(1);
    for (long i = 0; i < n; i++)
      asio::post(io, [&] {
        if (++k == (uint64_t)n) g.reset();
      });
  });
  io.run();
  s.stop();
  th.join();
  return {s, ""};
}
static Res m10b(long n) {
  asio::io_context io;
  auto g = asio::make_work_guard(io);
  std::vector<double> lat(n);
  Span s;
  std::thread th([&] {
    bench_pin_self(1);
    std::binary_semaphore sem(0);
    for (long i = 0; i < n; i++) {
      double t = bench_wall();
      asio::post(io, [&] { sem.release(); });
      sem.acquire();
      lat[i] = bench_wall() - t;
    }
    g.reset();
  });
  io.run();
  s.stop();
  th.join();
  qsort(lat.data(), n, sizeof(double), bench_cmp_double);
  char b[128];
  snprintf(b, sizeof b, ",\"p50\":%.9f,\"p99\":%.9f", lat[n / 2], lat[n * 99 / 100]);
  return {s, b};
}
int main(int argc, char** argv) {
  std::string w = argc > 1 ? argv[1] : "";
  struct {
    const char* w;
    long n;
    bool warm;
    std::function<Res(long)> f;
  } T[] = {{"M1d", 10000000, true, m1d},
           {"M1s", 1000000, true, m1s},
           {"M1b", 1000000, true, m1b},
           {"M1c", 1000000, true, m1c},
           {"M1m", 1000000, false, m1m},
           {"M2a", 10000000, true, m2a},
           {"M2b", 1000000, true, m2b},
           {"M3", 1000000, true, m3},
           {"M4a", 1000000, false, m4a},
           {"M4b", 1000000, true, [](long n) { return m4_wait_for(n, trivial); }},
           {"M4y", 1000000, true, [](long n) { return m4_wait_for(n, yield_once); }},
           {"M4c", 1000000, true, m4c},
           {"M5", 100000, true, m5},
           {"M9", 100000, false, m9},
           {"M10a", 1000000, true, m10a},
           {"M10b", 100000, true, m10b}};
  for (auto& t : T)
    if (w == t.w) {
      long n = argc > 2 ? atol(argv[2]) : t.n;
      if (t.warm && bench_warm()) t.f(n / 10);
      auto [s, x] = t.f(n);
      bench_report(t.w, n, s.w, s.c, x.c_str());
      return 0;
    }
  fprintf(stderr, "unknown workload\n");
  return 2;
}

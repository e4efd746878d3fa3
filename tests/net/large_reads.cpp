// SPDX-License-Identifier: BSL-1.0
// Large messages are received in the turn of the task that reads them, not when they arrive: what
// happens between the two, and how little memory they are.
#include "allocation_count.hpp"
#include "asyncio/asyncio.hpp"
#include "backends.hpp"
#include "connected.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

namespace {

using namespace asyncio;
using namespace std::chrono_literals;
using test::connected;
using test::Connected;
using test::pattern;
using test::settle;

constexpr std::size_t kLarge = 20'000;
class LargeReads : public test::BackendTest {};
INSTANTIATE_TEST_SUITE_P(Backends, LargeReads, test::all_backends, test::backend_name);

Coro<std::string> read_some(StreamReader reader) {
  std::string bytes = co_await reader.read(1 << 16);
  co_return bytes;
}

/// A connection whose last read was large.
Coro<Connected> warm() {
  Connected both = co_await connected();
  co_await both.peer_writer().send(pattern(kLarge));
  co_await both.reader().readexactly(kLarge);
  co_return both;
}

/// Two connections, so that something can happen in the iteration in which bytes arrive.
class Moment {
 public:
  static Coro<Moment> make() {
    Connected signal = co_await connected();
    Connected both = co_await warm();
    Moment moment(std::move(signal), std::move(both));
    co_return moment;
  }
  StreamReader& reader() { return both_.reader(); }
  StreamWriter& writer() { return both_.writer(); }
  StreamWriter& peer_writer() { return both_.peer_writer(); }

  /// Sends, and calls `act` when the bytes have arrived: before their reader has its turn, or then.
  /// In simulated time they may still be on their way.
  template <class F>
  Coro<> upon_arrival(const std::string& sent, bool before_turn, F act) {
    auto wait = [&]() -> Coro<> {
      co_await signal_.reader().readexactly(1);
      act();
    };
    Task<> acting = create_task(wait);
    co_await settle();
    if (before_turn) signal_.peer_writer().write("x");
    both_.peer_writer().write(sent);
    if (!before_turn) signal_.peer_writer().write("x");
    co_await acting;
  }
  Coro<> close() {
    co_await signal_.close();
    co_await both_.close();
  }

 private:
  Moment(Connected signal, Connected both) : signal_(std::move(signal)), both_(std::move(both)) {}
  Connected signal_, both_;
};

TEST_P(LargeReads, R2_fault65_cancelled_when_its_bytes_have_arrived_it_leaves_them) {
  run([]() -> Coro<> {
    Moment moment = co_await Moment::make();
    const std::string sent = pattern(kLarge, 2);
    for (bool before_turn : {true, false}) {
      Task<std::string> reading = create_task(read_some(moment.reader()));
      co_await moment.upon_arrival(sent, before_turn, [&] { reading.cancel(); });
      auto outcome = co_await capture(reading);
      std::string got = outcome ? outcome.value() : "";
      got += co_await moment.reader().readexactly(kLarge - got.size());
      EXPECT_TRUE(got == sent) << before_turn;
    }
    co_await moment.close();
  });
}

TEST_P(LargeReads, A3_4_paused_when_its_bytes_have_arrived) {
  run([]() -> Coro<> {
    Moment moment = co_await Moment::make();
    const std::string sent = pattern(kLarge, 2);
    auto transport = moment.writer().transport();
    for (bool before_turn : {true, false}) {
      Task<std::string> reading = create_task(read_some(moment.reader()));
      co_await moment.upon_arrival(sent, before_turn, [&] { transport->pause_reading(); });
      co_await settle();
      transport->resume_reading();
      std::string got = co_await reading;
      got += co_await moment.reader().readexactly(kLarge - got.size());
      EXPECT_TRUE(got == sent) << before_turn;
    }
    co_await moment.close();
  });
}

/// What a read gives whose connection is closed when its bytes have arrived.
Coro<std::string> close_upon_arrival(const std::string& sent, bool by_peer, bool before_turn) {
  Moment moment = co_await Moment::make();
  Task<std::string> reading = create_task(read_some(moment.reader()));
  StreamWriter& closing = by_peer ? moment.peer_writer() : moment.writer();
  co_await moment.upon_arrival(sent, before_turn, [&] { closing.close(); });
  std::string got = co_await reading;
  EXPECT_TRUE(sent.starts_with(got)) << before_turn;
  co_await moment.close();
  co_return got;
}

TEST_P(LargeReads, R7_closed_when_its_bytes_have_arrived_it_has_them) {
  run([is_simulated = simulated()]() -> Coro<> {
    const std::string sent = pattern(kLarge, 2);
    for (bool before_turn : {true, false}) {
      std::string got = co_await close_upon_arrival(sent, true, before_turn);
      EXPECT_FALSE(got.empty());
      if (is_simulated) continue;
      // The system may be late to tell: but not always.
      got.clear();
      for (int i = 0; i < 20 && got.empty(); ++i)
        got = co_await close_upon_arrival(sent, false, before_turn);
      EXPECT_FALSE(got.empty()) << before_turn;
    }
  });
}

TEST_P(LargeReads, A3_4_a_read_that_needs_more_than_one_arrival) {
  run([]() -> Coro<> {
    Connected both = co_await warm();
    const std::string sent = pattern(10 * kLarge, 3) + "\n";
    auto body = [&]() -> Coro<std::string> {
      std::string first = co_await both.reader().readexactly(4 * kLarge);
      std::string rest = co_await both.reader().readexactly(6 * kLarge + 1);
      co_return first + rest;
    };
    Task<std::string> reading = create_task(body);
    for (std::size_t at = 0; at < sent.size(); at += kLarge) {
      co_await both.peer_writer().send(sent.substr(at, kLarge));
      co_await settle();
    }
    std::string got = co_await reading;
    EXPECT_TRUE(got == sent);
    co_await both.close();
  });
}

/// What readers together have read, and the most that they had in their hands at once.
struct Taken {
  test::AllocationCount count;
  std::ptrdiff_t before = 0;
  std::size_t bytes = 0;
  std::ptrdiff_t most = 0;
};

Coro<> consume(StreamReader reader, int messages, Taken& taken) {
  for (std::size_t left = static_cast<std::size_t>(messages) * kLarge; left > 0;) {
    std::string bytes = co_await reader.read(1 << 16);
    left -= bytes.size();
    taken.bytes += bytes.size();
    taken.most = std::max(taken.most, taken.count.live_bytes() - taken.before);
  }
}

/// Of the second round: a connection has to have had a large message to expect one.
Coro<std::ptrdiff_t> most_at_once() {
  std::vector<Connected> connections;
  for (int i = 0; i < 32; ++i) connections.push_back(co_await connected());
  Taken taken;
  co_await with(TaskGroup(), [&](TaskGroup& readers) -> Coro<> {
    for (Connected& each : connections) readers.create_task(consume(each.reader(), 2, taken));
    const std::string message = pattern(kLarge);
    for (std::size_t round = 0; round < 2; ++round) {
      while (taken.bytes < round * connections.size() * kLarge) co_await sleep(1ms);
      co_await settle();
      taken.before = taken.count.live_bytes();
      taken.most = 0;
      for (Connected& each : connections) each.peer_writer().write(message);
    }
  });
  for (Connected& each : connections) co_await each.close();
  co_return taken.most;
}

TEST_P(LargeReads, M6_of_many_readable_connections_one_at_a_time_has_its_bytes) {
  if (!test::kCountsAllocations) GTEST_SKIP() << "nothing is counted";
  if (simulated()) GTEST_SKIP() << "its network is memory of this process";
  const std::ptrdiff_t most = run(most_at_once);
  EXPECT_LT(most, static_cast<std::ptrdiff_t>(10 * kLarge));
}

/// A read of bytes that are there already, whose allocation of that number fails; and the one after
/// it. Returns whether there was such an allocation.
Coro<bool> read_without_memory(std::uint64_t which) {
  Connected both = co_await connected();
  co_await both.peer_writer().send(pattern(1000));
  co_await settle();
  bool happened = false;
  std::string first;
  {
    test::AllocationFailure failure(which);
    try {
      first = co_await both.reader().readexactly(500);
    } catch (const std::bad_alloc&) {  // The connection may end with it.
      first.clear();
    }
    happened = failure.happened();
  }
  auto rest = co_await capture(wait_for(both.reader().readexactly(1000 - first.size()), 10s));
  EXPECT_TRUE(rest ? first + rest.value() == pattern(1000) : rest.holds<std::bad_alloc>())
      << describe_exception(rest.exception());
  auto closed = co_await capture(both.close());
  EXPECT_TRUE(closed || closed.holds<std::bad_alloc>());
  co_return happened;
}

TEST_P(LargeReads, fault191_a_read_at_once_that_finds_no_memory_loses_nothing) {
  if (!test::kCountsAllocations) GTEST_SKIP() << "the sanitizer's operators do not fail";
  for (std::uint64_t which = 1; which < 1000; ++which)
    if (!run([&] { return read_without_memory(which); })) return;
  FAIL() << "there is no end";
}

}  // namespace

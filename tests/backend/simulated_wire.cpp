// SPDX-License-Identifier: BSL-1.0
// D8: the network between simulated hosts.
#include "asyncio/asyncio.hpp"
#include "asyncio/testing/network.hpp"
#include "asyncio/testing/simulated.hpp"
#include "captures.hpp"
#include "seeds.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <optional>
#include <string>
#include <vector>

namespace {

using namespace asyncio;
using namespace std::chrono_literals;
using asyncio::testing::Network;
using asyncio::testing::run_simulated;
using asyncio::testing::Seed;
using test::thrown;

const std::string kServer = "10.0.0.1";
const std::string kClient = "10.0.0.2";

TimePoint now() { return get_running_loop().time(); }

/// Sends back what it gets until the end.
Coro<> echo(StreamReader reader, StreamWriter writer) {
  while (true) {
    std::string data = co_await reader.read(100);
    if (data.empty()) break;
    co_await writer.send(data);
  }
  writer.close();
}

Coro<Server> start_echo() { return start_server(echo, kServer, 7); }

Coro<Streams> connect(std::string from = kClient) {
  return open_connection(kServer, 7, ConnectOptions().local_addr(from, 0));
}

TEST(SimulatedWire, D8_latency_is_paid_by_connections_and_bytes_in_each_direction) {
  run_simulated([]() -> Coro<> {
    Server server = co_await start_echo();
    Network network;
    network.latency(50ms);
    TimePoint begin = now();
    auto [reader, writer] = co_await connect();
    EXPECT_EQ(now() - begin, 100ms);
    begin = now();
    co_await writer.send("ping");
    EXPECT_EQ(now(), begin);
    std::string answer = co_await reader.readexactly(4);
    EXPECT_EQ(answer, "ping");
    EXPECT_EQ(now() - begin, 100ms);
    begin = now();
    writer.write_eof();
    std::string rest = co_await reader.read();
    EXPECT_EQ(rest, "");
    EXPECT_EQ(now() - begin, 100ms);  // our end there, its end back
    writer.close();
  });
}

/// What an exchange of 100 lines takes with a latency of 1 to 100 ms.
Coro<TimePoint> exchange_lines() {
  Server server = co_await start_echo();
  Network().latency(1ms, 100ms).slices(true);
  auto [reader, writer] = co_await connect();
  std::string sent;
  for (int i = 0; i < 100; ++i) {
    sent += std::to_string(i) + "\n";
    writer.write(std::to_string(i) + "\n");
    co_await writer.drain();
  }
  std::string received = co_await reader.readexactly(sent.size());
  EXPECT_EQ(received, sent);  // in order, whatever each piece took
  TimePoint end = now();
  writer.close();
  co_return end;
}

TEST(SimulatedWire, D8_the_seed_decides_and_the_same_seed_decides_the_same) {
  TimePoint first = run_simulated(exchange_lines(), 1);
  EXPECT_EQ(run_simulated(exchange_lines(), 1), first);
  EXPECT_NE(run_simulated(exchange_lines(), 2), first);
}

TEST(SimulatedWire, D8_random_slices_lose_nothing) {
  test::for_each_seed([](std::uint64_t seed) {
    run_simulated(Seed(seed), []() -> Coro<> {
      Server server = co_await start_echo();
      Network().slices(true);
      auto [reader, writer] = co_await connect();
      std::string sent;
      for (int i = 0; i < 300; ++i) sent += static_cast<char>(i);
      co_await writer.send(sent);
      std::string first = co_await reader.read(300);
      EXPECT_LE(first.size(), 300u);
      std::string rest = co_await reader.readexactly(300 - first.size());
      EXPECT_EQ(first + rest, sent);
      writer.close();
    });
  });
}

TEST(SimulatedWire, D8_a_partition_holds_what_is_sent_until_it_heals) {
  run_simulated([]() -> Coro<> {
    Server server = co_await start_echo();
    auto [reader, writer] = co_await connect();
    Network network;
    network.partition(kServer, kClient);
    co_await writer.send("held");
    auto held = co_await capture(wait_for(reader.readexactly(4), 1h));
    EXPECT_TRUE(held.holds<TimeoutError>());
    auto unanswered = co_await capture(wait_for(connect(), 1min));
    EXPECT_TRUE(unanswered.holds<TimeoutError>());
    auto [third_reader, third_writer] = co_await connect("10.0.0.3");  // is not cut off
    third_writer.close();
    auto late = create_task(connect());
    co_await sleep(1s);
    EXPECT_FALSE(late.done());
    network.heal();
    std::string answer = co_await reader.readexactly(4);
    EXPECT_EQ(answer, "held");
    auto [late_reader, late_writer] = co_await late;
    late_writer.close();
    writer.close();
  });
}

TEST(SimulatedWire, D8_an_isolated_host_is_cut_off_from_everybody_and_writers_have_to_wait) {
  run_simulated([]() -> Coro<> {
    Server server = co_await start_echo();
    auto [reader, writer] = co_await connect();
    Network().isolate(kServer);
    std::string much(1 << 20, 'x');
    auto stuck = co_await capture(wait_for(writer.send(much), 1h));
    EXPECT_TRUE(stuck.holds<TimeoutError>());
    writer.abort();
  });
}

TEST(SimulatedWire, D8_reset_breaks_every_connection_of_a_host) {
  run_simulated([]() -> Coro<> {
    Server server = co_await start_echo();
    Network network;
    auto first = co_await connect();
    auto second = co_await connect("10.0.0.3");
    EXPECT_EQ(network.reset("10.0.0.9"), 0u);
    EXPECT_EQ(network.reset("10.0.0.3"), 1u);
    auto broken = co_await capture(second.first.read(1));
    EXPECT_TRUE(broken.holds<ConnectionResetError>());
    co_await first.second.send("x");
    std::string alive = co_await first.first.read(1);
    EXPECT_EQ(alive, "x");
    EXPECT_EQ(network.reset(kServer), 1u);
    auto gone = co_await capture(first.first.read(1));
    EXPECT_TRUE(gone.holds<ConnectionResetError>());
    first.second.close();
    second.second.close();
  });
}

TEST(SimulatedWire, D8_random_sends_reset_their_connection) {
  int broken = 0;
  test::LogCapture log;  // the server's handler fails, too
  test::for_each_seed([&](std::uint64_t seed) {
    run_simulated(Seed(seed), [&]() -> Coro<> {
      Server server = co_await start_echo();
      Network().resets(20);
      auto [reader, writer] = co_await connect();
      for (int i = 0; i < 10; ++i) {
        auto sent = co_await capture(writer.send("x"));
        auto got = co_await capture(reader.read(1));
        if (sent.has_exception() || got.has_exception()) {
          ++broken;
          break;
        }
        if (got.value().empty()) break;
      }
      writer.close();
    });
  });
  EXPECT_GT(broken, 0);
}

/// What makes room in a backlog, or heals, does not shorten the way of others.
TEST(SimulatedWire, D8_a_connection_on_its_way_is_not_hurried_by_another_one) {
  run_simulated([]() -> Coro<> {
    Server server = co_await start_echo();
    Network network;
    network.latency(50ms);
    for (int i = 0; i < 3; ++i) {
      TimePoint begin = now();
      auto [reader, writer] = co_await connect();  // the one before is accepted meanwhile
      EXPECT_EQ(now() - begin, 100ms);
      writer.abort();
    }
    auto connecting = create_task(connect());
    TimePoint begin = now();
    co_await sleep(10ms);
    network.heal();
    Streams streams = co_await connecting;
    EXPECT_EQ(now() - begin, 100ms);
    streams.second.abort();
    server.close();
  });
}

TEST(SimulatedWire, D8_what_cannot_be_is_refused) {
  auto without = []() -> Coro<> {
    Network();
    co_return;
  };
  EXPECT_EQ(thrown([&] { run(without()); }),
            "asyncio::RuntimeError: the running loop has no simulated network");
  run_simulated([]() -> Coro<> {
    Network network;
    EXPECT_EQ(thrown([&] { network.isolate("example.org"); }),
              "asyncio::ValueError: a host of a simulated network is an IP address, not "
              "'example.org'");
    EXPECT_EQ(thrown([&] { network.latency(2ms, 1ms); }),
              "asyncio::ValueError: a latency goes from a least to a most, neither negative");
    network.isolate("::0001");
    co_return;
  });
}

}  // namespace

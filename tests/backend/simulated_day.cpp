// SPDX-License-Identifier: BSL-1.0
// D8: a day of a service with a thousand clients, which the seed decides to the byte.
#include "asyncio/asyncio.hpp"
#include "asyncio/testing/network.hpp"
#include "asyncio/testing/simulated.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

namespace {

using namespace asyncio;
using namespace std::chrono_literals;
using asyncio::testing::Network;
using asyncio::testing::run_simulated;

constexpr int kClients = 1000;

/// How many heartbeats a client sends in its day; a day of minutes has 1,440.
int beats_per_day() {
  const char* text = std::getenv("ASYNCIO_BEATS");
  return text ? std::stoi(text) : 24;
}

/// Each heartbeat that arrives: when, from whom, and its number.
struct Trace {
  void note(const std::string& beat) {
    lines += std::to_string(get_running_loop().time().time_since_epoch().count()) + ' ' + beat;
    ++beats;
  }
  std::string lines;
  int beats = 0;
};

Coro<> beat_for_a_day(int number, int beats) {
  auto [reader, writer] = co_await open_connection("192.168.0.1", 7000);
  for (int i = 0; i < beats; ++i) {
    co_await writer.send(std::to_string(number) + ' ' + std::to_string(i) + '\n');
    co_await sleep(std::chrono::nanoseconds(24h) / beats);
  }
  writer.close();
  co_await writer.wait_closed();
}

Coro<> serve_for_a_day(Trace& trace, int beats) {
  Network network;
  network.latency(1ms, 400ms).slices(true);
  auto handler = [&](StreamReader reader, StreamWriter) -> Coro<> {
    while (auto line = co_await reader.next()) trace.note(*line);
  };
  Server server =
      co_await start_server(handler, "192.168.0.1", 7000, ServerOptions().backlog(kClients));
  co_await with(TaskGroup(), [&](TaskGroup& group) {
    for (int i = 0; i < kClients; ++i) group.create_task(beat_for_a_day, i, beats);
  });
  EXPECT_GE(get_running_loop().time().time_since_epoch(), 24h);
  server.close();
  co_await server.wait_closed();
  EXPECT_EQ(network.sockets(), 0u);
}

Trace day_of(std::uint64_t seed) {
  Trace trace;
  int beats = beats_per_day();
  run_simulated(serve_for_a_day(trace, beats), seed);
  EXPECT_EQ(trace.beats, kClients * beats);
  return trace;
}

/// The rest of the line in which they begin to differ; nothing if they do not.
std::string difference(const std::string& one, const std::string& other) {
  auto [at, there] = std::ranges::mismatch(one, other);
  if (at == one.end() && there == other.end()) return "";
  return std::string(at, std::find(at, one.end(), '\n')) + " | " +
         std::string(there, std::find(there, other.end(), '\n'));
}

TEST(SimulatedDay, D8_of_heartbeats_with_a_thousand_clients_is_what_the_seed_decides) {
  Trace first = day_of(1);
  Trace again = day_of(1);
  Trace other = day_of(2);
  EXPECT_EQ(difference(first.lines, again.lines), "");
  EXPECT_NE(difference(first.lines, other.lines), "");
}

}  // namespace

// SPDX-License-Identifier: BSL-1.0
// The public kit for simulated loops, and what only they do.
#include "asyncio/testing/simulated.hpp"

#include "asyncio/sleep.hpp"
#include "asyncio/streams.hpp"
#include "asyncio/task.hpp"
#include "captures.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <string>
#include <vector>

namespace {

using namespace asyncio;
using namespace std::chrono_literals;
using asyncio::testing::block_for;
using asyncio::testing::run_simulated;
using asyncio::testing::Seed;

Coro<std::int64_t> hours_passed(int count) {
  co_await sleep(std::chrono::hours(count));
  co_return get_running_loop().time().time_since_epoch() / 1h;
}

TEST(Simulated, D8_time_passes_at_once) {
  auto began = std::chrono::steady_clock::now();
  EXPECT_EQ(run_simulated(hours_passed(24 * 365)), 24 * 365);
  EXPECT_EQ(run_simulated(hours_passed, 5), 5);
  EXPECT_EQ(run_simulated(Seed(3), hours_passed, 5), 5);
  EXPECT_LT(std::chrono::steady_clock::now() - began, 5s);
}

TEST(Simulated, D8_results_of_every_kind) {
  auto number = [](std::unique_ptr<int> value) -> Coro<std::unique_ptr<int>> { co_return value; };
  EXPECT_EQ(*run_simulated(number(std::make_unique<int>(7))), 7);
  EXPECT_EQ(*run_simulated(number, std::make_unique<int>(8)), 8);
  auto fails = []() -> Coro<> {
    co_await sleep(1s);
    throw ValueError("out");
  };
  EXPECT_EQ(test::thrown([&] { run_simulated(fails); }), "asyncio::ValueError: out");
}

TEST(Simulated, D8_blocking_code_moves_the_clock) {
  run_simulated([]() -> Coro<> {
    auto began = get_running_loop().time();
    block_for(10min);
    block_for(-1s);
    EXPECT_EQ(get_running_loop().time() - began, 10min);
    co_return;
  });
  auto began = std::chrono::steady_clock::now();
  block_for(2ms);
  EXPECT_GE(std::chrono::steady_clock::now() - began, 2ms);
}

TEST(Simulated, D8_a_day_of_heartbeats) {
  int beats = run_simulated([]() -> Coro<int> {
    int received = 0;
    auto handler = [&](StreamReader reader, StreamWriter) -> Coro<> {
      while (auto line = co_await reader.next()) ++received;
    };
    Server server = co_await start_server(handler, "0.0.0.0", 7000);
    auto client = [](int number) -> Coro<> {
      auto [reader, writer] = co_await open_connection("192.168.0.1", 7000);
      for (int i = 0; i < 24 * 60; ++i) {
        co_await writer.send("beat\n");
        co_await sleep(1min);
      }
      (void)number;
    };
    std::vector<Task<void>> clients;
    for (int i = 0; i < 10; ++i) clients.push_back(create_task(client, i));
    for (auto& task : clients) co_await task;
    server.close();
    co_await server.wait_closed();
    co_return received;
  });
  EXPECT_EQ(beats, 10 * 24 * 60);
}

TEST(Simulated, addresses_are_taken_and_freed) {
  run_simulated([]() -> Coro<> {
    auto handler = [](StreamReader, StreamWriter) {};
    Server any = co_await start_server(handler, "0.0.0.0", 80);
    std::string taken;
    try {
      co_await start_server(handler, "10.0.0.1", 80);
    } catch (const OSError& e) {
      taken = e.what();
    }
    EXPECT_EQ(taken, "bind 10.0.0.1:80: Address already in use");
    any.close();
    co_await any.wait_closed();
    Server one = co_await start_server(handler, "10.0.0.1", 80);
    std::string refused;
    try {
      co_await open_connection("10.0.0.2", 80);
    } catch (const ConnectionRefusedError& e) {
      refused = e.what();
    }
    EXPECT_EQ(refused, "connect 10.0.0.2:80: Connection refused");
    Streams streams = co_await open_connection("10.0.0.1", 80);
    EXPECT_EQ(streams.second.peername().str(), "10.0.0.1:80");
    one.close();
    co_await one.wait_closed();
  });
}

TEST(Simulated, D8_reuse_port_is_refused) {
  run_simulated([]() -> Coro<> {
    ServerOptions options;
    options.reuse_port(true);
    auto handler = [](StreamReader, StreamWriter) {};
    std::string error;
    try {
      co_await start_server(handler, "10.0.0.1", 80, options);
    } catch (const OSError& e) {
      error = e.what();
    }
    EXPECT_EQ(error, "setsockopt: Protocol not available");
  });
}

/// Who connects while the backlog is full waits for a place.
TEST(Simulated, full_backlog_delays_connections) {
  run_simulated([]() -> Coro<> {
    auto handler = [](StreamReader, StreamWriter) {};
    ServerOptions options;
    options.backlog(0).start_serving(false);
    Server server = co_await start_server(handler, "10.0.0.1", 80, options);
    std::string refused;
    try {  // bound, but not listening
      co_await open_connection("10.0.0.1", 80);
    } catch (const ConnectionRefusedError&) {
      refused = "refused";
    }
    EXPECT_EQ(refused, "refused");
    co_await server.start_serving();
    std::vector<Task<Streams>> clients;
    for (int i = 0; i < 5; ++i)
      clients.push_back(create_task(
          []() -> Coro<Streams> { co_return co_await open_connection("10.0.0.1", 80); }));
    for (auto& task : clients) co_await task;
    server.close();
    co_await server.wait_closed();
  });
}

}  // namespace

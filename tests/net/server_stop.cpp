// SPDX-License-Identifier: BSL-1.0
// Fault 201: servers that are stopped again, while they start, or that could not start.
#include "asyncio/capture.hpp"
#include "asyncio/server.hpp"
#include "asyncio/sleep.hpp"
#include "asyncio/streams.hpp"
#include "asyncio/task.hpp"
#include "backends.hpp"
#include "captures.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <string>

namespace {

using namespace asyncio;
using namespace std::chrono_literals;

class ServerStop : public test::BackendTest {};
INSTANTIATE_TEST_SUITE_P(Backends, ServerStop, test::all_backends, test::backend_name);

Coro<> echo(StreamReader reader, StreamWriter writer) {
  while (auto line = co_await reader.next()) co_await writer.send(*line);
  writer.close();
}

Coro<> expect_echo(std::uint16_t port) {
  auto [reader, writer] = co_await open_connection("127.0.0.1", port);
  co_await writer.send("hello\n");
  std::string answer = co_await reader.readline();
  EXPECT_EQ(answer, "hello\n");
  writer.close();
  co_await writer.wait_closed();
}

TEST_P(ServerStop, fault201_closing_again_does_nothing_and_forcing_ends_the_connections) {
  run([]() -> Coro<> {
    Server server = co_await start_server(echo, "127.0.0.1", 0);
    auto [reader, writer] = co_await open_connection("127.0.0.1", server.sockets().at(0).port());
    co_await writer.send("hello\n");
    co_await reader.readline();
    for (int i = 0; i < 3; ++i) server.close();
    EXPECT_FALSE(server.is_serving());
    auto closed = create_task(server.wait_closed());
    co_await sleep(10ms);
    EXPECT_FALSE(closed.done());  // the connection is still there
    for (int i = 0; i < 3; ++i) server.abort_clients();
    co_await closed;
    co_await server.wait_closed();
    server.close();
    server.close_clients();
    auto end = co_await capture(reader.read());
    EXPECT_TRUE(end.holds<ConnectionError>() || end.value().empty());
    writer.close();
  });
}

TEST_P(ServerStop, fault201_a_port_that_was_in_use_can_be_had_later) {
  run([]() -> Coro<> {
    Server first = co_await start_server(echo, "127.0.0.1", 0);
    std::uint16_t port = first.sockets().at(0).port();
    for (int i = 0; i < 3; ++i) {
      auto refused = co_await capture(start_server(echo, "127.0.0.1", port));
      EXPECT_TRUE(refused.holds<OSError>());
    }
    co_await expect_echo(port);
    first.close();
    co_await first.wait_closed();
    Server second = co_await start_server(echo, "127.0.0.1", port);
    co_await expect_echo(port);
    second.close();
    co_await second.wait_closed();
  });
}

Coro<Server> starts(std::string host, std::uint16_t port) {
  co_return co_await start_server(echo, host, port);
}

TEST_P(ServerStop, fault201_cancelled_while_it_starts_it_leaves_nothing_open) {
  run([]() -> Coro<> {
    int cancelled = 0;
    for (int steps = 0; steps < 6; ++steps) {
      auto starting = create_task(starts("localhost", 0));
      for (int i = 0; i < steps; ++i) co_await sleep(0s);
      starting.cancel();
      starting.cancel();
      auto outcome = co_await capture(starting);
      if (outcome.cancelled()) {
        ++cancelled;
        continue;
      }
      Server server = outcome.value();
      EXPECT_TRUE(server.is_serving());
      server.close();
      co_await server.wait_closed();
    }
    EXPECT_GE(cancelled, 1);
    Server server = co_await start_server(echo, "127.0.0.1", 0);
    co_await expect_echo(server.sockets().at(0).port());
    server.close();
    co_await server.wait_closed();
  });
}

}  // namespace

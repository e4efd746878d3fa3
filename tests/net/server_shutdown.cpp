// SPDX-License-Identifier: BSL-1.0
// Server::shutdown and ServerOptions::grace, on every backend (D6).
#include "asyncio/capture.hpp"
#include "asyncio/server.hpp"
#include "asyncio/sleep.hpp"
#include "asyncio/streams.hpp"
#include "asyncio/sync.hpp"
#include "asyncio/task.hpp"
#include "backends.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <string>

namespace {

using namespace asyncio;
using namespace std::chrono_literals;

class ServerShutdown : public test::BackendTest {};
INSTANTIATE_TEST_SUITE_P(Backends, ServerShutdown, test::all_backends, test::backend_name);

/// Answers each line after 50 ms.
Coro<> answer_slowly(StreamReader reader, StreamWriter writer) {
  while (auto line = co_await reader.next()) {
    co_await sleep(50ms);
    co_await writer.send(*line);
  }
}

std::uint16_t port_of(const Server& server) { return server.sockets().at(0).port(); }

Coro<Streams> connect(std::uint16_t port) { return open_connection("127.0.0.1", port); }

Clock::duration since(TimePoint begin) { return get_running_loop().time() - begin; }

TEST_P(ServerShutdown, D6_what_was_asked_is_answered_and_what_is_idle_ends_at_once) {
  run([]() -> Coro<> {
    Server server = co_await start_server(answer_slowly, "127.0.0.1", 0);
    auto idle = co_await connect(port_of(server));
    auto silent = co_await connect(port_of(server));  // has never said anything
    auto busy = co_await connect(port_of(server));
    co_await idle.second.send("a\n");
    std::string first = co_await idle.first.readline();
    EXPECT_EQ(first, "a\n");
    co_await busy.second.send("1\n2\n");
    co_await sleep(10ms);

    TimePoint begin = get_running_loop().time();
    auto stopping = create_task(server.shutdown(10s));
    std::string end = co_await idle.first.read();
    EXPECT_EQ(end, "");
    end = co_await silent.first.read();
    EXPECT_EQ(end, "");
    EXPECT_FALSE(stopping.done());
    std::string answers = co_await busy.first.read();
    EXPECT_EQ(answers, "1\n2\n");
    co_await stopping;
    EXPECT_LT(since(begin), 2s);
    EXPECT_FALSE(server.is_serving());
  });
}

TEST_P(ServerShutdown, D6_a_request_that_has_begun_to_arrive_may_be_finished) {
  run([]() -> Coro<> {
    Server server = co_await start_server(answer_slowly, "127.0.0.1", 0);
    auto [reader, writer] = co_await connect(port_of(server));
    co_await writer.send("half a ");
    co_await sleep(10ms);
    auto stopping = create_task(server.shutdown(10s));
    co_await sleep(30ms);
    EXPECT_FALSE(stopping.done());
    co_await writer.send("line\n");
    std::string answer = co_await reader.read();
    EXPECT_EQ(answer, "half a line\n");
    co_await stopping;
  });
}

TEST_P(ServerShutdown, D6_a_request_that_the_handler_has_not_read_yet_is_answered) {
  run([]() -> Coro<> {
    Event go;
    auto late = [&go](StreamReader reader, StreamWriter writer) -> Coro<> {
      co_await go.wait();
      while (auto line = co_await reader.next()) co_await writer.send(*line);
    };
    Server server = co_await start_server(late, "127.0.0.1", 0);
    auto [reader, writer] = co_await connect(port_of(server));
    co_await writer.send("early\n");
    co_await sleep(10ms);
    auto stopping = create_task(server.shutdown(10s));
    co_await sleep(10ms);
    go.set();
    std::string answer = co_await reader.read();
    EXPECT_EQ(answer, "early\n");
    co_await stopping;
  });
}

TEST_P(ServerShutdown, D6_what_does_not_end_is_closed_after_the_grace_period) {
  run([]() -> Coro<> {
    auto deaf = [](StreamReader, StreamWriter writer) -> Coro<> { co_await writer.wait_closed(); };
    auto flood = [](StreamReader, StreamWriter writer) -> Coro<> {
      std::string megabytes(8 << 20, 'x');
      co_await writer.send(std::string_view(megabytes));  // ends with the connection
    };
    Server first = co_await start_server(deaf, "127.0.0.1", 0);
    Server second = co_await start_server(flood, "127.0.0.1", 0);
    auto unheard = co_await connect(port_of(first));
    auto stalled = co_await connect(port_of(second));
    co_await sleep(10ms);

    TimePoint begin = get_running_loop().time();
    co_await first.shutdown(100ms);
    EXPECT_GE(since(begin), 100ms);
    EXPECT_LT(since(begin), 600ms);
    std::string end = co_await unheard.first.read();
    EXPECT_EQ(end, "");

    begin = get_running_loop().time();
    co_await second.shutdown(100ms);
    EXPECT_GE(since(begin), 100ms);
    EXPECT_LT(since(begin), 600ms);
    stalled.second.abort();
  });
}

TEST_P(ServerShutdown, D6_serve_forever_shuts_down_and_a_second_cancellation_hurries_it) {
  run([]() -> Coro<> {
    for (bool hurried : {false, true}) {
      Server server =
          co_await start_server(answer_slowly, "127.0.0.1", 0, ServerOptions().grace(10s));
      std::uint16_t port = port_of(server);
      auto serving = create_task(server.serve_forever());
      auto [reader, writer] = co_await connect(port);
      co_await writer.send("x\n");
      co_await sleep(10ms);
      serving.cancel();
      co_await sleep(10ms);
      EXPECT_FALSE(serving.done());
      if (hurried) serving.cancel();
      auto outcome = co_await capture(serving);
      EXPECT_TRUE(outcome.cancelled());
      auto answer = co_await capture(reader.read());
      bool answered = answer.has_value() && answer.value() == "x\n";
      EXPECT_EQ(answered, !hurried);
      co_await server.wait_closed();
    }
  });
}

}  // namespace

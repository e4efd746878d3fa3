// SPDX-License-Identifier: BSL-1.0
// StreamReader and StreamWriter over connections, on every backend.
#include "asyncio/streams.hpp"

#include "asyncio/exception_group.hpp"
#include "asyncio/gather.hpp"
#include "asyncio/pipes.hpp"
#include "asyncio/sleep.hpp"
#include "asyncio/subprocess.hpp"
#include "asyncio/task.hpp"
#include "asyncio/timeout.hpp"
#include "backends.hpp"
#include "blackhole.hpp"
#include "captures.hpp"
#include "connected.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <optional>
#include <ranges>
#include <string>
#include <utility>
#include <vector>

namespace {

using namespace asyncio;
using namespace std::chrono_literals;
using test::connected;
using test::Connected;
using test::drain;
using test::error_of;
using test::pattern;
using test::read;
using test::read_exactly;
using test::settle;
using test::wait_closed;

class StreamsTest : public test::BackendTest {};
INSTANTIATE_TEST_SUITE_P(Backends, StreamsTest, test::all_backends, test::backend_name);

TEST_P(StreamsTest, A3_1_lines_there_and_back) {
  run([]() -> Coro<> {
    Connected both = co_await connected();
    both.writer().write("one\n");
    both.writer().write(std::string("two\n"));
    std::string one = co_await both.peer_reader().readline();
    std::string two = co_await both.peer_reader().readline();
    EXPECT_EQ(one, "one\n");
    EXPECT_EQ(two, "two\n");
    both.writer().write_eof();
    std::string end = co_await both.peer_reader().read();
    EXPECT_EQ(end, "");
    EXPECT_TRUE(both.peer_reader().at_eof());
    co_await both.close();
  });
}

TEST_P(StreamsTest, A3_1_ends_know_their_addresses) {
  run([]() -> Coro<> {
    Connected both = co_await connected();
    EXPECT_EQ(both.writer().peername(), both.server.sockets().at(0));
    EXPECT_EQ(both.writer().sockname(), both.peer_writer().peername());
    EXPECT_EQ(both.writer().get_extra_info("peername"),
              both.peer_writer().get_extra_info("sockname"));
    EXPECT_EQ(both.writer().peername().host(), "127.0.0.1");
    EXPECT_EQ(both.writer().get_extra_info("nothing"), std::nullopt);
    EXPECT_GE(both.writer().fileno(), 0);
    co_await both.close();
    EXPECT_EQ(both.writer().fileno(), -1);
    EXPECT_EQ(both.writer().sockname(), std::nullopt);
  });
}

TEST_P(StreamsTest, A3_1_refused_names_operation_address_and_reason) {
  run([]() -> Coro<> {
    Connected both = co_await connected();
    std::string port = std::to_string(both.writer().peername().port());
    auto number = both.writer().peername().port();
    co_await both.close();
    std::string error = co_await error_of(open_connection("127.0.0.1", number));
    EXPECT_EQ(error, "asyncio::ConnectionRefusedError: connect 127.0.0.1:" + port +
                         ": Connection refused");
    ConnectOptions all;
    all.all_errors(true);
    bool grouped = false;
    try {
      co_await open_connection("127.0.0.1", number, all);
    } catch (const ExceptionGroup& group) {
      grouped = group.message() == "create_connection failed" && group.exceptions().size() == 1 &&
                detail::holds<ConnectionRefusedError>(group.exceptions().front());
    }
    EXPECT_TRUE(grouped);
  });
}

TEST_P(StreamsTest, A3_1_a_limit_of_zero_is_refused_before_anything_happens) {
  run([this]() -> Coro<> {
    ConnectOptions none;
    none.limit(0);
    auto ignore = [](StreamReader, StreamWriter) {};
    std::vector<std::string> errors;
    // Nobody listens there: it does not come to that.
    errors.push_back(co_await error_of(open_connection("127.0.0.1", 1, none)));
    errors.push_back(co_await error_of(open_unix_connection("/nowhere", none)));
    errors.push_back(co_await error_of(open_connection(-1, none)));
    errors.push_back(co_await error_of(connect_read_pipe(-1, 0)));
    ServerOptions server;
    server.limit(0);
    errors.push_back(co_await error_of(start_server(ignore, "no.such.host.invalid", 0, server)));
    errors.push_back(co_await error_of(start_server(ignore, -1, server)));
    errors.push_back(co_await error_of(start_unix_server(ignore, "/nowhere/at/all", server)));
    if (!simulated())
      errors.push_back(co_await error_of(
          create_subprocess_exec(SubprocessOptions().stdout(PIPE).limit(0), "no such program")));
    for (const std::string& error : errors)
      EXPECT_EQ(error, "asyncio::ValueError: Limit cannot be <= 0");
  });
}

TEST_P(StreamsTest, A3_1_local_address) {
  run([]() -> Coro<> {
    ConnectOptions options;
    options.local_addr("127.0.0.2", 0);
    Connected both = co_await connected(options);
    EXPECT_EQ(both.peer_writer().peername().host(), "127.0.0.2");
    co_await both.close();
  });
}

TEST_P(StreamsTest, R10_fault60_connections_that_fail_say_where) {
  if (simulated()) GTEST_SKIP() << "every address can be reached";
  run([]() -> Coro<> {
    ConnectOptions gone, taken;
    gone.local_addr("198.51.100.77", 0);
    std::string error = co_await error_of(open_connection("127.0.0.1", 1, gone));
    EXPECT_EQ(error, "asyncio::OSError: bind 198.51.100.77:0: Cannot assign requested address");
    error = co_await error_of(open_connection("255.255.255.255", 1));
    EXPECT_EQ(error, "asyncio::OSError: connect 255.255.255.255:1: Network is unreachable");
    Connected both = co_await connected();
    SocketAddress own = *both.writer().sockname();
    taken.local_addr(own.host(), own.port());
    error = co_await error_of(open_connection("127.0.0.1", both.writer().peername().port(), taken));
    EXPECT_EQ(error, "asyncio::OSError: bind " + own.str() + ": Address already in use");
    co_await both.close();
  });
}

/// In the state SYN_SENT; what is left open is counted at the end.
TEST_P(StreamsTest, R3_fault60_cancelled_while_nobody_answers) {
  if (simulated()) GTEST_SKIP() << "everybody answers";
  run([]() -> Coro<> {
    test::Blackhole blackhole;
    std::ptrdiff_t before = test::open_descriptors();
    std::string error =
        co_await error_of(wait_for(open_connection("127.0.0.1", blackhole.port()), 30ms));
    EXPECT_EQ(error, "asyncio::TimeoutError: timed out");
    EXPECT_EQ(test::open_descriptors(), before);
  });
}

TEST_P(StreamsTest, A3_4_read_into_the_callers_memory) {
  run([]() -> Coro<> {
    Connected both = co_await connected();
    std::string sent = pattern(300000);
    both.peer_writer().write(sent);
    std::vector<char> room(sent.size());
    std::size_t got = 0;
    while (got < room.size()) {
      std::size_t count = co_await both.reader().read_into(std::span(room).subspan(got));
      if (count == 0) break;
      got += count;
    }
    EXPECT_EQ(std::string(room.data(), got), sent);
    co_await both.close();
  });
}

TEST_P(StreamsTest, A3_5_write_after_eof_is_an_error) {
  run([]() -> Coro<> {
    Connected both = co_await connected();
    EXPECT_TRUE(both.writer().can_write_eof());
    both.writer().write("last");
    both.writer().write_eof();
    both.writer().write_eof();
    EXPECT_EQ(test::thrown([&] { both.writer().write("more"); }),
              "asyncio::RuntimeError: Cannot call write() after write_eof()");
    std::string got = co_await both.peer_reader().read();
    EXPECT_EQ(got, "last");
    co_await both.close();
  });
}

TEST_P(StreamsTest, A3_5_close_sends_what_is_queued) {
  run([]() -> Coro<> {
    Connected both = co_await connected();
    std::string sent = pattern(5'000'000);
    both.writer().write(sent);
    EXPECT_GT(both.writer().get_write_buffer_size(), 0u);
    both.writer().close();
    EXPECT_TRUE(both.writer().is_closing());
    std::string got = co_await both.peer_reader().read();
    EXPECT_EQ(got == sent, true);
    co_await both.writer().wait_closed();
    co_await both.close();
  });
}

TEST_P(StreamsTest, A3_5_closed_writer) {
  run([]() -> Coro<> {
    test::LogCapture logs;
    Connected both = co_await connected();
    both.writer().close();
    both.writer().close();
    for (int i = 0; i < 8; ++i) both.writer().write("ignored");
    EXPECT_EQ(logs.count("socket.send() raised exception."), 1);
    co_await both.writer().wait_closed();
    co_await both.writer().wait_closed();
    std::string error = co_await error_of(drain(both.writer()));
    EXPECT_EQ(error.substr(0, 46), "asyncio::ConnectionResetError: Connection lost");
    std::string end = co_await both.reader().read(1);
    EXPECT_EQ(end, "");
    co_await both.close();
  });
}

TEST_P(StreamsTest, A3_5_abort_drops_what_is_queued) {
  run([]() -> Coro<> {
    Connected both = co_await connected();
    both.writer().write(pattern(5'000'000));
    both.writer().abort();
    EXPECT_EQ(both.writer().get_write_buffer_size(), 0u);
    co_await both.writer().wait_closed();
    std::string got = co_await both.peer_reader().read();
    EXPECT_LT(got.size(), 5'000'000u);
    co_await both.close();
  });
}

/// As in Python, close has no limit of its own: there is one for the wait, and then abort.
TEST_P(StreamsTest, R7_fault67_close_with_bytes_that_the_peer_never_reads) {
  run([]() -> Coro<> {
    Connected both = co_await connected();
    for (StreamWriter writer : {both.writer(), both.peer_writer()}) {
      writer.write(pattern(8'000'000));
      writer.close();
    }
    std::string error = co_await error_of(wait_for(wait_closed(both.writer()), 50ms));
    EXPECT_EQ(error, "asyncio::TimeoutError: timed out");
    EXPECT_GT(both.writer().get_write_buffer_size(), 0u);
    both.writer().abort();
    co_await both.writer().wait_closed();
    EXPECT_EQ(both.writer().fileno(), -1);
    EXPECT_EQ(both.writer().get_write_buffer_size(), 0u);
    co_await both.close();
  });
}

/// A server has one for all its connections.
TEST_P(StreamsTest, R7_fault67_server_with_bytes_that_the_peer_never_reads) {
  run([]() -> Coro<> {
    Connected both = co_await connected();
    both.peer_writer().write(pattern(8'000'000));
    both.peer_writer().close();
    TimePoint begin = get_running_loop().time();
    co_await both.server.shutdown(50ms);
    EXPECT_LT(get_running_loop().time() - begin, 5s);
    EXPECT_EQ(both.peer_writer().fileno(), -1);
    co_await both.close();
  });
}

TEST_P(StreamsTest, A3_5_dropped_handles_close_the_connection) {
  run([]() -> Coro<> {
    Connected both = co_await connected();
    both.writer().write("farewell");
    both.client = both.accepted;
    std::string got = co_await both.peer_reader().read();
    EXPECT_EQ(got, "farewell");
    co_await both.close();
  });
}

TEST_P(StreamsTest, A3_6_high_and_low_water) {
  run([]() -> Coro<> {
    Connected both = co_await connected();
    StreamWriter& writer = both.writer();
    EXPECT_EQ(writer.get_write_buffer_limits(), std::make_pair(16384ul, 65536ul));
    writer.set_write_buffer_limits(200);
    EXPECT_EQ(writer.get_write_buffer_limits(), std::make_pair(50ul, 200ul));
    writer.set_write_buffer_limits();
    EXPECT_EQ(writer.get_write_buffer_limits(), std::make_pair(16384ul, 65536ul));
    writer.set_write_buffer_limits(1000, 10);
    EXPECT_THROW(writer.set_write_buffer_limits(10, 1000), ValueError);
    EXPECT_EQ(writer.get_write_buffer_limits(), std::make_pair(10ul, 1000ul));
    writer.write(pattern(8'000'000));
    auto draining = create_task(drain, writer);
    co_await settle();
    EXPECT_FALSE(draining.done());
    EXPECT_GT(writer.get_write_buffer_size(), 1000u);
    auto receiving = create_task(read_exactly, both.peer_reader(), 8'000'000u);
    co_await draining;
    EXPECT_LE(writer.get_write_buffer_size(), 10u);
    co_await receiving;
    co_await both.close();
  });
}

/// CPython: StreamWriter.drain and FlowControlMixin._drain_helper.
TEST_P(StreamsTest, A3_4_drain_of_a_connection_that_this_side_has_closed) {
  const std::string lost =
      "asyncio::ConnectionResetError: Connection lost: Connection reset by peer";
  run([&]() -> Coro<> {
    Connected idle = co_await connected();
    idle.writer().close();
    Result<> first = co_await capture(idle.writer().drain());
    EXPECT_EQ(describe_exception(first.exception()), lost);
    Result<> second = co_await capture(idle.writer().drain());
    EXPECT_EQ(describe_exception(second.exception()), lost);
    co_await idle.writer().wait_closed();
    co_await idle.close();

    // Who waits for the peer is let go when the connection ends without an error.
    Connected aborted = co_await connected();
    aborted.writer().write(pattern(8'000'000));
    Task<> waiting = create_task(aborted.writer().drain());
    co_await settle();
    EXPECT_FALSE(waiting.done());
    aborted.writer().abort();
    Result<> let_go = co_await capture(waiting);
    EXPECT_TRUE(let_go.has_value());
    Result<> afterwards = co_await capture(aborted.writer().drain());
    EXPECT_EQ(describe_exception(afterwards.exception()), lost);
    co_await aborted.close();
  });
}

TEST_P(StreamsTest, A3_4_drain_after_close_waits_for_what_is_left) {
  run([]() -> Coro<> {
    Connected both = co_await connected();
    both.writer().write(pattern(8'000'000));
    both.writer().close();
    Task<> draining = create_task(both.writer().drain());
    co_await settle();
    EXPECT_FALSE(draining.done());
    auto receiving = create_task(read_exactly, both.peer_reader(), 8'000'000u);
    Result<> drained = co_await capture(draining);
    EXPECT_TRUE(drained.has_value());
    co_await receiving;
    co_await both.writer().wait_closed();
    co_await both.close();
  });
}

TEST_P(StreamsTest, A3_4_a_drain_is_cancelled_in_each_of_its_waits) {
  run([]() -> Coro<> {
    Connected both = co_await connected();
    both.writer().write(pattern(8'000'000));
    both.writer().close();
    for (bool early : {true, false}) {
      Task<> draining = create_task(both.writer().drain());
      co_await sleep(0s);
      if (!early) co_await settle();
      draining.cancel();
      Result<> outcome = co_await capture(draining);
      EXPECT_TRUE(outcome.cancelled());
    }
    both.writer().abort();
    co_await both.writer().wait_closed();
    co_await both.close();
  });
}

/// The awaitables of streams are values: they go where every other awaitable goes.
TEST_P(StreamsTest, A2_11_reads_in_wait_for_and_gather) {
  run([]() -> Coro<> {
    Connected both = co_await connected();
    bool timed_out = false;
    try {
      co_await wait_for(both.reader().readline(), 1ms);
    } catch (const TimeoutError&) {
      timed_out = true;
    }
    EXPECT_TRUE(timed_out);
    both.peer_writer().write("line\nrest");
    std::string line = co_await wait_for(both.reader().readline(), 10s);
    EXPECT_EQ(line, "line\n");
    auto [rest, exactly, drained] = co_await gather(
        both.reader().readexactly(4), both.peer_reader().readexactly(2), both.writer().send("ab"));
    EXPECT_EQ(rest, "rest");
    EXPECT_EQ(exactly, "ab");
    co_await both.close();
  });
}

Coro<> echo(StreamReader reader, StreamWriter writer) {
  while (true) {
    std::string data = co_await reader.read(10000);
    if (data.empty()) break;
    co_await writer.send(std::move(data));
  }
  writer.close();
}

Coro<bool> echo_client(std::uint16_t port, unsigned number) {
  auto [reader, writer] = co_await open_connection("127.0.0.1", port);
  std::string sent = pattern(100 * 1024, number);
  auto receiving = create_task(read_exactly, reader, sent.size());
  for (std::size_t at = 0; at < sent.size(); at += 7777)
    co_await writer.send(std::string_view(sent).substr(at, 7777));
  writer.write_eof();
  std::string got = co_await receiving;
  std::string end = co_await reader.read();
  writer.close();
  co_await writer.wait_closed();
  co_return got == sent&& end.empty();
}

TEST_P(StreamsTest, A3_1_200_clients_echo_100_KiB) {
  run([]() -> Coro<> {
    Server server = co_await start_server(echo, "127.0.0.1", 0);
    std::uint16_t port = server.sockets().at(0).port();
    std::vector<Coro<bool>> clients;
    for (unsigned i = 0; i < 200; ++i) clients.push_back(echo_client(port, i));
    std::vector<bool> right = co_await gather(std::move(clients));
    EXPECT_EQ(std::count(right.begin(), right.end(), true), 200);
    server.close();
    co_await server.wait_closed();
  });
}

TEST(Streams, A3_1_simulated_is_the_same_for_the_same_seed) {
  auto trace = [](std::uint64_t seed) {
    std::string order;
    asyncio::testing::run_simulated(asyncio::testing::Seed(seed), [&]() -> Coro<> {
      Server server = co_await start_server(echo, "10.1.2.3", 80);
      auto client = [&](char name) -> Coro<> {
        auto [reader, writer] = co_await open_connection("10.1.2.3", 80);
        for (int i = 0; i < 5; ++i) {
          writer.write("x");
          std::string got = co_await reader.readexactly(1);
          order += name;
        }
        writer.close();
      };
      std::vector<Coro<>> clients;
      for (char name = 'a'; name < 'h'; ++name) clients.push_back(client(name));
      co_await gather(std::move(clients));
      server.close();
      co_await server.wait_closed();
    });
    return order;
  };
  EXPECT_EQ(trace(0), trace(0));
  EXPECT_EQ(trace(7), trace(7));
  EXPECT_NE(trace(7), trace(8));
}

}  // namespace

// SPDX-License-Identifier: BSL-1.0
// What a bad peer or network does to TLS; tls_truncation.cpp has ends that come too early.
#include "asyncio/capture.hpp"
#include "asyncio/testing/faults.hpp"
#include "asyncio/timeout.hpp"
#include "backends.hpp"
#include "captures.hpp"
#include "tls.hpp"
#include "tls_relay.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace {

using namespace asyncio;
using namespace std::chrono_literals;
using test::Connected;
using test::error_of;
using test::pattern;
using test::pki;
using test::read;
using test::read_exactly;
using test::Relayed;
using test::settle;
using test::tls_connected;
using test::wait_closed;

class TlsFaultsTest : public test::BackendTest {};
INSTANTIATE_TEST_SUITE_P(Backends, TlsFaultsTest, test::all_backends, test::backend_name);

/// A plain server that the test plays by hand, for clients over TLS.
class Silent {
 public:
  Coro<> open() {
    auto handler = [this](StreamReader reader, StreamWriter writer) {
      peers.emplace_back(std::move(reader), std::move(writer));
    };
    server = co_await start_server(handler, "127.0.0.1", 0);
    port = server->sockets().at(0).port();
  }
  Coro<> close() {
    server->close();
    server->abort_clients();
    co_await server->wait_closed();
  }

  std::optional<Server> server;
  std::uint16_t port = 0;
  std::vector<Streams> peers;
};

TEST_P(TlsFaultsTest, fault91_R7_handshake_has_a_deadline) {
  run([&]() -> Coro<> {
    Silent silent;
    co_await silent.open();
    ConnectOptions options;
    options.ssl(pki().client()).ssl_handshake_timeout(50ms);
    auto begin = get_running_loop().time();
    std::string error = co_await error_of(open_connection("127.0.0.1", silent.port, options));
    auto took = get_running_loop().time() - begin;
    EXPECT_EQ(error, "asyncio::ConnectionAbortedError: SSL handshake with 127.0.0.1:" +
                         std::to_string(silent.port) +
                         " is taking longer than 0.05 seconds: aborting the connection: Software "
                         "caused connection abort");
    EXPECT_GE(took, 50ms);
    EXPECT_LT(took, simulated() ? 60ms : 5s);
    co_await silent.close();
  });
}

/// A client that trickles does not move the deadline.
TEST_P(TlsFaultsTest, fault91_R7_deadline_is_absolute_for_servers) {
  run([&]() -> Coro<> {
    int served = 0;
    auto handler = [&](StreamReader, StreamWriter) { ++served; };
    Server server = co_await start_server(
        handler, "127.0.0.1", 0, ServerOptions().ssl(pki().server()).ssl_handshake_timeout(100ms));
    auto begin = get_running_loop().time();  // the server's deadline runs from the connection on
    auto [reader, writer] = co_await open_connection("127.0.0.1", server.sockets().at(0).port());
    std::string hello = std::string("\x16\x03\x01\x01\x00\x01\x00\x00\xfc\x03\x03", 11);
    auto trickle = create_task(
        [](StreamWriter to, std::string bytes) -> Coro<> {
          while (true) {
            for (char byte : bytes) {
              to.write(std::string_view(&byte, 1));
              co_await asyncio::sleep(20ms);
            }
          }
        },
        writer, hello);
    auto end = co_await capture(reader.read());
    auto took = get_running_loop().time() - begin;
    EXPECT_GE(took, 90ms);
    EXPECT_LT(took, simulated() ? 130ms : 5s);
    EXPECT_EQ(served, 0);
    trickle.cancel();
    writer.abort();
    server.close();
    co_await server.wait_closed();
  });
}

TEST_P(TlsFaultsTest, fault91_peer_leaves_during_the_handshake) {
  run([&]() -> Coro<> {
    Silent silent;
    co_await silent.open();
    ConnectOptions options;
    options.ssl(pki().client()).server_hostname("localhost");
    auto opening = create_task(open_connection("127.0.0.1", silent.port, options));
    co_await settle();
    silent.peers.at(0).second.close();
    auto ended = co_await capture(opening);
    std::string error = describe_exception(ended.exception());
    EXPECT_NE(error.find("asyncio::ConnectionResetError: TLS handshake with 127.0.0.1:"),
              std::string::npos)
        << error;
    co_await silent.close();
  });
}

TEST_P(TlsFaultsTest, R10_a_plain_server_is_named_as_what_it_is) {
  run([&]() -> Coro<> {
    Silent silent;
    co_await silent.open();
    ConnectOptions options;
    options.ssl(pki().client()).server_hostname("localhost");
    auto opening = create_task(open_connection("127.0.0.1", silent.port, options));
    co_await settle();
    silent.peers.at(0).second.write("220 mail.example.org ESMTP\r\n");
    auto ended = co_await capture(opening);
    EXPECT_EQ(describe_exception(ended.exception()),
              "asyncio::SSLError: TLS handshake with 127.0.0.1:" + std::to_string(silent.port) +
                  ": [SSL: WRONG_VERSION_NUMBER] wrong version number");
    co_await silent.close();
  });
}

TEST_P(TlsFaultsTest, fault91_failed_handshakes_are_reported_in_debug_mode_only) {
  for (bool debug : {false, true}) {
    run([&]() -> Coro<> {
      get_running_loop().set_debug(debug);
      test::ReportCapture capture(get_running_loop());
      auto handler = [](StreamReader, StreamWriter) { ADD_FAILURE() << "served"; };
      Server server =
          co_await start_server(handler, "127.0.0.1", 0, ServerOptions().ssl(pki().server()));
      auto [reader, writer] = co_await open_connection("127.0.0.1", server.sockets().at(0).port());
      writer.write("GET / HTTP/1.0\r\n\r\n");
      auto got = co_await asyncio::capture(reader.read());
      writer.close();
      server.close();
      co_await server.wait_closed();
      EXPECT_EQ(capture.reports.size(), debug ? 1u : 0u);
      if (debug) {
        EXPECT_TRUE(capture.reports.at(0).starts_with(
            "Error on transport creation for incoming connection: asyncio::SSLError: TLS "
            "handshake with 127.0.0.1:"))
            << capture.reports.at(0);
        EXPECT_TRUE(capture.reports.at(0).ends_with("[SSL: HTTP_REQUEST] http request"));
      }
    });
  }
}

TEST_P(TlsFaultsTest, fault89_R7_peer_that_never_says_goodbye) {
  run([&]() -> Coro<> {
    Relayed both;
    both.shutdown_timeout = 50ms;
    co_await both.open();
    both.filter = [](std::string) { return std::optional<std::string>(""); };
    auto begin = get_running_loop().time();
    both.writer->close();
    EXPECT_TRUE(both.writer->is_closing());
    std::string error = co_await error_of(wait_closed(*both.writer));
    auto took = get_running_loop().time() - begin;
    EXPECT_EQ(error, "asyncio::TimeoutError: SSL shutdown with " + both.writer->peername().str() +
                         ": timed out");
    EXPECT_GE(took, 50ms);
    EXPECT_LT(took, simulated() ? 60ms : 5s);
    co_await both.close();
  });
}

Coro<> flood(StreamWriter writer, std::size_t& sent) {
  std::string chunk(64 * 1024, 'f');
  while (sent < (std::size_t{1} << 30)) {
    writer.write(chunk);
    sent += chunk.size();
    co_await writer.drain();
  }
}

TEST_P(TlsFaultsTest, fault67_R7_goodbye_behind_bytes_that_the_peer_never_reads) {
  run([]() -> Coro<> {
    Connected both = co_await tls_connected(pki().server(), pki().client(), {},
                                            ConnectOptions().ssl_shutdown_timeout(50ms));
    both.writer().write(pattern(8'000'000));
    both.writer().close();
    std::string error = co_await error_of(wait_closed(both.writer()));
    EXPECT_EQ(error, "asyncio::TimeoutError: SSL shutdown with " + both.writer().peername().str() +
                         ": timed out");
    EXPECT_EQ(both.writer().get_write_buffer_size(), 0u);
    EXPECT_EQ(both.writer().fileno(), -1);
    both.peer_writer().abort();
    co_await both.close();
  });
}

TEST_P(TlsFaultsTest, fault89_R6_peer_that_keeps_sending_after_our_goodbye) {
  run([&]() -> Coro<> {
    Connected both = co_await tls_connected();
    std::size_t sent = 0;
    auto flooding = create_task(flood(both.peer_writer(), sent));
    co_await both.reader().readexactly(100);
    both.writer().close();
    std::string error = co_await error_of(wait_closed(both.writer()));
    EXPECT_EQ(error, "nothing");
    auto flooded = co_await capture(flooding);
    EXPECT_FALSE(flooded.has_value());
    EXPECT_LT(sent, std::size_t{64} << 20);
    co_await both.close();
  });
}

TEST_P(TlsFaultsTest, fault92_R3_cancelled_handshake_closes_the_connection) {
  run([&]() -> Coro<> {
    Silent silent;
    co_await silent.open();
    ConnectOptions options;
    options.ssl(pki().client()).server_hostname("localhost");
    auto opening = create_task(open_connection("127.0.0.1", silent.port, options));
    co_await settle();
    std::string hello = co_await silent.peers.at(0).first.read(3);
    EXPECT_EQ(hello, std::string("\x16\x03\x01"));
    opening.cancel();
    auto ended = co_await capture(opening);
    EXPECT_TRUE(opening.cancelled());
    auto rest = co_await capture(silent.peers.at(0).first.read());
    EXPECT_TRUE(rest.has_value()) << "the peer sees the end";
    co_await silent.close();
  });
}

/// Reads, writes and drains are cancelled at random; no byte is lost or doubled.
TEST_P(TlsFaultsTest, fault92_R2_cancelled_reads_and_drains_lose_nothing) {
  run([]() -> Coro<> {
    Connected both = co_await tls_connected();
    std::string sent = pattern(1'000'000), got;
    both.peer_writer().write(sent);
    unsigned state = 7;
    std::vector<char> room(40'000);
    while (got.size() < sent.size()) {
      state = state * 1664525u + 1013904223u;
      std::size_t wanted = std::min<std::size_t>(sent.size() - got.size(), state % 30'000 + 1);
      if (state >> 31) {
        auto reading = create_task(read_exactly(both.reader(), wanted));
        co_await asyncio::sleep(0s);
        if ((state >> 29 & 1) != 0) reading.cancel();
        auto part = co_await capture(reading);
        if (part.has_value()) got += part.value();
      } else {
        auto reading = create_task(
            [](StreamReader from, std::span<char> into) -> Coro<std::size_t> {
              co_return co_await from.read_into(into);
            },
            both.reader(), std::span(room));
        co_await asyncio::sleep(0s);
        if ((state >> 29 & 1) != 0) reading.cancel();
        auto part = co_await capture(reading);
        if (part.has_value()) got.append(room.data(), part.value());
      }
    }
    EXPECT_TRUE(got == sent);
    co_await both.close();
  });
}

TEST_P(TlsFaultsTest, fault92_R3_streams_dropped_during_the_handshake_or_shutdown) {
  run([&]() -> Coro<> {
    Silent silent;
    co_await silent.open();
    {
      auto [reader, writer] = co_await open_connection("127.0.0.1", silent.port);
      auto starting = create_task(
          writer.start_tls(pki().client(), TlsStartOptions().server_hostname("localhost")));
      co_await settle();
      starting.cancel();
    }
    co_await settle();
    auto rest = co_await capture(silent.peers.at(0).first.read());
    EXPECT_TRUE(rest.has_value());
    co_await silent.close();
    Connected both = co_await tls_connected();
    {
      Streams dropped = std::move(both.client);
      both.client = both.accepted;
    }
    std::string end = co_await both.peer_reader().read();
    EXPECT_EQ(end, "") << "a dropped stream says goodbye";
    co_await both.close();
  });
}

TEST_P(TlsFaultsTest, fault94_records_changed_on_the_way_are_an_error) {
  run([]() -> Coro<> {
    Relayed both;
    co_await both.open();
    both.filter = [](std::string chunk) {
      chunk.back() = static_cast<char>(chunk.back() ^ 1);
      return std::optional(chunk);
    };
    both.peer_writer->write("forged");
    std::string error = co_await error_of(read(*both.reader, 6));
    EXPECT_EQ(error, "asyncio::SSLError: TLS recv from " + both.writer->peername().str() +
                         ": [SSL: DECRYPTION_FAILED_OR_BAD_RECORD_MAC] decryption failed or bad "
                         "record mac");
    co_await both.close();
  });
}

TEST_P(TlsFaultsTest, fault94_oversized_record) {
  run([]() -> Coro<> {
    Relayed both;
    co_await both.open();
    both.filter = [](std::string) {
      return std::optional(std::string("\x17\x03\x03\xff\xff", 5) + std::string(1000, 'x'));
    };
    both.peer_writer->write("x");
    std::string error = co_await error_of(read(*both.reader, 6));
    EXPECT_NE(error.find("asyncio::SSLError"), std::string::npos) << error;
    EXPECT_NE(error.find("PACKET_LENGTH_TOO_LONG"), std::string::npos) << error;
    co_await both.close();
  });
}

TEST_P(TlsFaultsTest, fault100_R6_stalled_reader_bounds_both_layers) {
  run([]() -> Coro<> {
    Connected both = co_await tls_connected();
    std::size_t sent = 0;
    auto writing = create_task(flood(both.writer(), sent));
    co_await settle();
    std::size_t before = sent;
    co_await settle();
    EXPECT_EQ(sent, before) << "the writer waits";
    EXPECT_LT(both.writer().get_write_buffer_size(), 256u * 1024);
    EXPECT_LT(sent, std::size_t{16} << 20);
    std::string some = co_await both.peer_reader().readexactly(before / 2);
    co_await settle();
    EXPECT_GT(sent, before) << "and goes on";
    writing.cancel();
    (void)co_await capture(writing);
    both.writer().abort();
    co_await both.close();
  });
}

TEST_P(TlsFaultsTest, fault194_server_shuts_down_during_handshakes) {
  run([]() -> Coro<> {
    auto handler = [](StreamReader, StreamWriter) { ADD_FAILURE() << "served"; };
    Server server =
        co_await start_server(handler, "127.0.0.1", 0, ServerOptions().ssl(pki().server()));
    std::vector<Streams> half_dead;
    for (int i = 0; i < 20; ++i) {
      Streams one = co_await open_connection("127.0.0.1", server.sockets().at(0).port());
      half_dead.push_back(one);
    }
    co_await settle();
    server.close();
    server.close_clients();
    co_await server.wait_closed();
    for (Streams& one : half_dead) {
      auto end = co_await capture(one.first.read());
      EXPECT_TRUE(end.has_value());
      one.second.close();
    }
  });
}

TEST_P(TlsFaultsTest, R5_loop_ends_with_connections_in_every_state) {
  run([]() -> Coro<> {
    auto handler = [](StreamReader, StreamWriter) {};
    Server server =
        co_await start_server(handler, "127.0.0.1", 0, ServerOptions().ssl(pki().server()));
    Streams shaking = co_await open_connection("127.0.0.1", server.sockets().at(0).port());
    Connected open = co_await tls_connected();
    Relayed closing;
    co_await closing.open();
    closing.filter = [](std::string) { return std::optional<std::string>(""); };
    closing.writer->close();
    co_await settle();
  });
}

// --- Sliced input, by the system calls --------------------------------------------------------

Coro<> exchange() {
  Connected both = co_await tls_connected();
  std::string sent = pattern(40'000);
  both.writer().write(sent);
  std::string got = co_await both.peer_reader().readexactly(sent.size());
  EXPECT_TRUE(got == sent);
  both.peer_writer().write(sent);
  got = co_await both.reader().readexactly(sent.size());
  EXPECT_TRUE(got == sent);
  co_await both.close();
}

TEST(TlsFaults, fault94_records_split_at_each_byte) {
  for (std::size_t bytes : {1u, 2u, 3u, 7u, 1000u, 16'383u}) {
    asyncio::testing::Faults faults;
    faults.shorten(asyncio::testing::SystemCall::recv, 1, bytes, asyncio::testing::Faults::kAlways);
    RunOptions options;
    options.loop_factory([&] { return faults.new_epoll_event_loop(); });
    asyncio::run(exchange(), options);
  }
}

TEST(TlsFaults, fault94_writes_that_take_a_few_bytes) {
  asyncio::testing::Faults faults;
  for (auto call : {asyncio::testing::SystemCall::send, asyncio::testing::SystemCall::sendmsg})
    faults.shorten(call, 1, 100, asyncio::testing::Faults::kAlways);
  RunOptions options;
  options.loop_factory([&] { return faults.new_epoll_event_loop(); });
  asyncio::run(exchange(), options);
}

/// A server that echoes, a client that sends: whatever fails, both come to an end.
Coro<> echo_once() {
  auto handler = [](StreamReader reader, StreamWriter writer) -> Coro<> {
    auto echoed = co_await capture(reader.readexactly(50'000));
    if (echoed.has_value()) writer.write(echoed.value());
    writer.close();
  };
  Server server =
      co_await start_server(handler, "127.0.0.1", 0, ServerOptions().ssl(pki().server()));
  ConnectOptions options;
  options.ssl(pki().client()).server_hostname("localhost");
  try {
    auto [reader, writer] =
        co_await open_connection("127.0.0.1", server.sockets().at(0).port(), options);
    writer.write(pattern(50'000));
    co_await writer.drain();  // throws if the write has failed
    std::string got = co_await reader.readexactly(50'000);
    EXPECT_TRUE(got == pattern(50'000));
    writer.close();
    co_await writer.wait_closed();
  } catch (const OSError&) {
    // The fault, or what it did to the peer.
  } catch (const IncompleteReadError&) {
    // The peer gave up, and said so.
  }
  server.close();
  co_await server.wait_closed();
}

/// Each transfer of a whole connection fails once: an error or success, no hang, nothing left open.
TEST(TlsFaults, fault191_each_system_call_fails_once) {
  using asyncio::testing::SystemCall;
  test::LogCapture quiet;
  for (SystemCall call : {SystemCall::recv, SystemCall::send, SystemCall::sendmsg}) {
    for (int error : {ECONNRESET, ENOMEM}) {
      for (std::uint64_t k = 1;; ++k) {
        asyncio::testing::Faults faults;
        faults.fail(call, k, error);
        RunOptions options;
        options.loop_factory([&] { return faults.new_epoll_event_loop(); });
        auto descriptors = test::open_descriptors();
        auto main = []() -> Coro<std::string> {
          std::string outcome = co_await error_of(wait_for(echo_once(), 10s));
          co_return outcome;
        };
        EXPECT_EQ(asyncio::run(main(), options), "nothing")
            << "call " << k << " of kind " << static_cast<int>(call);
        EXPECT_EQ(test::open_descriptors(), descriptors) << "call " << k;
        if (faults.injected() == 0) break;
      }
    }
  }
}

}  // namespace

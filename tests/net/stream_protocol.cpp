// SPDX-License-Identifier: BSL-1.0
/// A11: StreamReaderProtocol.
#include "asyncio/stream_protocol.hpp"

#include "asyncio/asyncio.hpp"
#include "backends.hpp"
#include "captures.hpp"
#include "connected.hpp"
#include "protocols.hpp"
#include "tls.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace {

using namespace asyncio;
using namespace std::chrono_literals;
using test::Connected;
using test::error_of;
using test::pattern;
using test::pki;
using test::settle;

std::shared_ptr<StreamReaderProtocol> streams() {
  return std::make_shared<StreamReaderProtocol>(StreamReader(1000));
}

class StreamProtocolTest : public test::BackendTest {};
INSTANTIATE_TEST_SUITE_P(Backends, StreamProtocolTest, test::all_backends, test::backend_name);

/// Calls `body(protocol, peer's reader, peer's writer)`.
template <class F>
Coro<> between(F body) {
  Future<Streams> accepted = get_running_loop().create_future<Streams>();
  auto handler = [accepted](StreamReader reader, StreamWriter writer) mutable {
    accepted.set_result(Streams(std::move(reader), std::move(writer)));
  };
  Server server = co_await start_server(handler, "127.0.0.1", 0);
  auto [transport, protocol] = co_await get_running_loop().create_connection(
      &streams, "127.0.0.1", server.sockets().at(0).port());
  auto [reader, writer] = co_await accepted;
  co_await body(protocol, reader, writer);
  transport->close();
  writer.close();
  server.close();
  server.abort_clients();
  co_await server.wait_closed();
  co_await test::settle();
}

TEST_P(StreamProtocolTest, A11_streams_on_a_transport) {
  auto body = [](std::shared_ptr<StreamReaderProtocol> protocol, StreamReader their_reader,
                 StreamWriter their_writer) -> Coro<> {
    StreamReader reader = protocol->reader();
    StreamWriter writer = protocol->writer();
    co_await their_writer.send("one\ntwo\n");
    std::string line = co_await reader.readline();
    EXPECT_EQ(line, "one\n");
    co_await writer.send("answer\n");
    line = co_await their_reader.readline();
    EXPECT_EQ(line, "answer\n");
    their_writer.write_eof();
    std::string rest = co_await reader.read();
    EXPECT_EQ(rest, "two\n");
    EXPECT_TRUE(reader.at_eof());
    co_await writer.send("still\n");  // the other direction goes on
    line = co_await their_reader.readline();
    EXPECT_EQ(line, "still\n");
    writer.close();
    co_await writer.wait_closed();
  };
  run([&] { return between(body); });
}

TEST_P(StreamProtocolTest, R6_a_reader_that_does_not_read_stops_the_transport) {
  auto body = [](std::shared_ptr<StreamReaderProtocol> protocol, StreamReader,
                 StreamWriter their_writer) -> Coro<> {
    std::string data = pattern(8 << 20);
    their_writer.write(data);
    co_await test::settle();
    EXPECT_GT(their_writer.get_write_buffer_size(), 0u) << "the peer has to wait";
    // Also a read of more than twice the limit gets everything.
    std::string got = co_await protocol->reader().readexactly(data.size());
    EXPECT_TRUE(got == data);
  };
  run([&] { return between(body); });
}

TEST_P(StreamProtocolTest, A11_whoever_pauses_the_transport_resumes_it) {
  auto body = [](std::shared_ptr<StreamReaderProtocol> protocol, StreamReader,
                 StreamWriter their_writer) -> Coro<> {
    auto transport = protocol->writer().transport();
    transport->pause_reading();
    co_await their_writer.send("later");
    auto reading = create_task(protocol->reader().readexactly(5));
    co_await settle();
    EXPECT_FALSE(reading.done());
    EXPECT_FALSE(transport->is_reading());
    transport->resume_reading();
    std::string got = co_await reading;
    EXPECT_EQ(got, "later");
  };
  run([&] { return between(body); });
}

TEST_P(StreamProtocolTest, A11_feeds_the_reader_that_it_is_given) {
  run([]() -> Coro<> {
    StreamReader reader(100);
    auto factory = [&] { return std::make_shared<StreamReaderProtocol>(reader); };
    auto accepted = std::make_shared<std::optional<Streams>>();
    auto handler = [accepted](StreamReader r, StreamWriter w) { accepted->emplace(r, w); };
    Server server = co_await start_server(handler, "127.0.0.1", 0);
    std::uint16_t port = server.sockets().at(0).port();
    auto [transport, protocol] =
        co_await get_running_loop().create_connection(factory, "127.0.0.1", port);
    EXPECT_EQ(protocol->reader(), reader);
    while (!*accepted) co_await settle();
    (*accepted)->second.write("to the reader\n");
    std::string line = co_await reader.readline();
    EXPECT_EQ(line, "to the reader\n");
    accepted->reset();
    line = co_await reader.readline();
    EXPECT_EQ(line, "");
    transport->close();
    server.close();
    co_await server.wait_closed();
    co_await settle();
  });
}

/// A server of protocols whose connections have streams.
template <class F>
Coro<Server> serve(F handler) {
  auto factory = [handler] {
    return std::make_shared<StreamReaderProtocol>(StreamReader(1000), handler);
  };
  Server server = co_await get_running_loop().create_server(factory, "127.0.0.1", 0);
  co_return server;
}

Coro<Streams> open(Server server) {
  return open_connection("127.0.0.1", server.sockets().at(0).port());
}

Coro<> end(Server server) {
  server.close();
  server.abort_clients();
  co_await server.wait_closed();
  co_await settle();
}

TEST_P(StreamProtocolTest, A11_client_connected_cb_serves_each_connection) {
  run([]() -> Coro<> {
    auto handler = [](StreamReader reader, StreamWriter writer) -> Coro<> {
      while (auto line = co_await reader.next()) co_await writer.send("> " + *line);
      writer.close();
    };
    Server server = co_await serve(handler);
    for (int i = 0; i < 3; ++i) {
      auto [reader, writer] = co_await open(server);
      writer.write("one\ntwo\n");
      writer.write_eof();
      std::string got = co_await reader.read();
      EXPECT_EQ(got, "> one\n> two\n");
      writer.close();
      co_await writer.wait_closed();
    }
    co_await end(server);
  });
}

TEST_P(StreamProtocolTest, A11_client_connected_cb_that_fails_is_reported_and_closes) {
  run([]() -> Coro<> {
    test::ReportCapture reports(get_running_loop());
    auto failing = [](StreamReader reader, StreamWriter) -> Coro<> {
      co_await reader.readline();
      throw ValueError("not that line");
    };
    Server server = co_await serve(failing);
    auto [reader, writer] = co_await open(server);
    writer.write("line\n");
    std::string got = co_await reader.read();
    EXPECT_EQ(got, "");
    writer.close();
    co_await end(server);
    EXPECT_EQ(reports.reports.size(), 1u);
    EXPECT_NE(reports.reports.at(0).find("Unhandled exception in client_connected_cb"),
              std::string::npos)
        << reports.reports.at(0);
    auto function = [](StreamReader, StreamWriter) { throw ValueError("at once"); };
    server = co_await serve(function);
    auto [second_reader, second_writer] = co_await open(server);
    got = co_await second_reader.read();
    EXPECT_EQ(got, "");
    second_writer.close();
    co_await end(server);
    EXPECT_EQ(reports.reports.size(), 2u);
  });
}

/// Both ends of a protocol's connection turn to TLS and go on with the same streams.
TEST_P(StreamProtocolTest, A9_6_loop_start_tls_under_streams) {
  run([]() -> Coro<> {
    std::string data = pattern(1 << 20);
    auto handler = [](StreamReader reader, StreamWriter writer) -> Coro<> {
      std::string line = co_await reader.readline();
      EXPECT_EQ(line, "STARTTLS\n");
      std::string error = co_await error_of(writer.start_tls(pki().server()));
      EXPECT_EQ(error,
                "asyncio::RuntimeError: the connection has a protocol; use loop.start_tls()");
      auto transport = writer.transport();
      transport->pause_reading();
      writer.write("ready\n");
      co_await get_running_loop().start_tls(transport, transport->get_protocol(), pki().server());
      EXPECT_TRUE(writer.ssl_object());
      while (true) {
        std::string some = co_await reader.read(10'000);
        if (some.empty()) break;
        co_await writer.send(std::move(some));
      }
      writer.close();
    };
    Server server = co_await serve(handler);
    auto [plain, protocol] = co_await get_running_loop().create_connection(
        &streams, "127.0.0.1", server.sockets().at(0).port());
    StreamReader reader = protocol->reader();
    StreamWriter writer = protocol->writer();
    writer.write("STARTTLS\n");
    std::string line = co_await reader.readline();
    EXPECT_EQ(line, "ready\n");
    auto secured = co_await get_running_loop().start_tls(
        plain, protocol, pki().client(), TlsStartOptions().server_hostname("localhost"));
    EXPECT_EQ(writer.transport(), secured);
    writer.write(data);
    co_await settle();  // more than the limit lies here, and has to be asked for
    std::string echoed = co_await reader.readexactly(data.size());
    EXPECT_TRUE(echoed == data);
    writer.close();
    co_await writer.wait_closed();
    co_await end(server);
  });
}

TEST_P(StreamProtocolTest, fault53_an_error_comes_to_the_reader) {
  auto body = [](std::shared_ptr<StreamReaderProtocol> protocol, StreamReader,
                 StreamWriter their_writer) -> Coro<> {
    auto reading = create_task(protocol->reader().readexactly(5));
    co_await protocol->writer().send("nobody will read this");
    co_await test::settle();
    their_writer.abort();
    std::string error = co_await error_of(reading);
    EXPECT_NE(error.find("Connection reset by peer"), std::string::npos) << error;
  };
  run([&] { return between(body); });
}

/// A transport that is not the library's: it notes what it is asked.
class ForeignTransport final : public Transport {
 public:
  void close() override { closed = true; }
  bool is_closing() const noexcept override { return closed; }
  std::optional<std::string> get_extra_info(std::string_view) const override { return {}; }
  void set_protocol(std::shared_ptr<BaseProtocol>) override {}
  std::shared_ptr<BaseProtocol> get_protocol() const override { return nullptr; }
  bool is_reading() const noexcept override { return reading; }
  void pause_reading() override { reading = false; }
  void resume_reading() override { reading = true; }
  void abort() override { closed = true; }
  void write(std::string_view) override {}
  void write(std::string&&) override {}
  void write_pieces(std::span<const std::string_view>) override {}
  void write_eof() override {}
  bool can_write_eof() const noexcept override { return false; }
  std::size_t get_write_buffer_size() const noexcept override { return 0; }
  std::pair<std::size_t, std::size_t> get_write_buffer_limits() const noexcept override {
    return {0, 0};
  }
  void set_write_buffer_limits(std::optional<std::ptrdiff_t>,
                               std::optional<std::ptrdiff_t>) override {}
  int fileno() const noexcept override { return -1; }
  std::optional<TransportSocket> socket() const override { return {}; }
  std::optional<TlsInfo> ssl_object() const override { return {}; }
  std::optional<TlsContext> sslcontext() const override { return {}; }

  bool closed = false;
  bool reading = true;
};

TEST(StreamProtocol, A11_a_transport_of_somebody_else_gives_a_reader_alone) {
  asyncio::run([]() -> Coro<> {
    auto transport = std::make_shared<ForeignTransport>();
    auto protocol = streams();
    protocol->connection_made(transport);
    EXPECT_EQ(test::thrown([&] { protocol->writer(); }),
              "asyncio::TypeError: a StreamWriter needs a transport of the library's own");
    EXPECT_EQ(test::thrown([&] {
                auto sending =
                    get_running_loop().sendfile(std::static_pointer_cast<Transport>(transport), 0);
              }),
              "asyncio::TypeError: sendfile is not supported for this transport");
    protocol->data_received("line\n" + pattern(3000));
    EXPECT_FALSE(transport->reading) << "more than twice the limit";
    StreamReader reader = protocol->reader();
    std::string line = co_await reader.readline();
    EXPECT_EQ(line, "line\n");
    auto rest = create_task(reader.readexactly(4000));
    co_await sleep(0s);
    EXPECT_TRUE(transport->reading) << "a read waits";
    protocol->data_received(pattern(1000, 2));
    std::string bytes = co_await rest;
    EXPECT_TRUE(bytes == pattern(3000) + pattern(1000, 2));
    EXPECT_TRUE(protocol->eof_received()) << "open for writing";
    protocol->connection_lost(nullptr);
    EXPECT_TRUE(reader.at_eof());
  });
}

TEST(StreamProtocol, A11_misuse) {
  asyncio::run([]() -> Coro<> {
    Connected both = co_await test::connected();
    EXPECT_EQ(test::thrown([&] { StreamReaderProtocol{both.reader()}; }),
              "asyncio::TypeError: a StreamReaderProtocol cannot feed the reader of a connection");
    auto protocol = streams();
    protocol->connection_made(std::make_shared<ForeignTransport>());
    EXPECT_EQ(
        test::thrown([&] { protocol->connection_made(std::make_shared<ForeignTransport>()); }),
        "asyncio::RuntimeError: Transport already set");
    co_await both.close();
    EXPECT_EQ(test::thrown([] { StreamReaderProtocol().writer(); }),
              "asyncio::RuntimeError: there is no transport before connection_made()");
  });
}

}  // namespace

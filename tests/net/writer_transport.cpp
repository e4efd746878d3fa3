// SPDX-License-Identifier: BSL-1.0
/// A3.5: StreamWriter.transport.
#include "asyncio/asyncio.hpp"
#include "backends.hpp"
#include "captures.hpp"
#include "connected.hpp"
#include "descriptors.hpp"
#include "protocols.hpp"
#include "tls.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <unistd.h>

using namespace asyncio;
using namespace std::chrono_literals;
using test::connected;
using test::Connected;
using test::error_of;
using test::pattern;
using test::pki;
using test::settle;
using test::TemporaryFile;
using test::thrown;

namespace {

class WriterTransport : public test::BackendTest {};
INSTANTIATE_TEST_SUITE_P(Backends, WriterTransport, test::all_backends, test::backend_name);

TEST_P(WriterTransport, A3_5_is_one_object_that_says_what_the_writer_says) {
  run([]() -> Coro<> {
    Connected both = co_await connected();
    std::shared_ptr<Transport> transport = both.writer().transport();
    StreamWriter copy = both.writer();
    EXPECT_EQ(copy.transport(), transport);
    EXPECT_NE(both.peer_writer().transport(), transport);
    EXPECT_EQ(transport->get_extra_info("peername"), both.writer().get_extra_info("peername"));
    EXPECT_EQ(transport->get_extra_info("sockname"), both.writer().get_extra_info("sockname"));
    EXPECT_EQ(transport->fileno(), both.writer().fileno());
    EXPECT_FALSE(transport->ssl_object());
    EXPECT_TRUE(transport->can_write_eof());
    EXPECT_TRUE(transport->is_reading());
    transport->set_write_buffer_limits(200, 100);
    auto limits = both.writer().get_write_buffer_limits();
    EXPECT_EQ(limits, (std::pair<std::size_t, std::size_t>(100, 200)));
    EXPECT_EQ(transport->get_write_buffer_limits(), limits);
    transport->close();
    EXPECT_TRUE(both.writer().is_closing() && transport->is_closing());
    EXPECT_FALSE(transport->is_reading());
    co_await both.close();
    EXPECT_EQ(transport->fileno(), -1);
  });
}

TEST_P(WriterTransport, A3_5_writes_in_turn_with_the_writer) {
  run([]() -> Coro<> {
    Connected both = co_await connected();
    auto transport = both.writer().transport();
    both.writer().write("one ");
    transport->write("two ");
    transport->writelines(std::vector<std::string>{"three ", "four "});
    both.writer().write("five");
    std::string big = pattern(8 << 20);
    transport->write(big);
    EXPECT_GT(transport->get_write_buffer_size(), 0u);
    EXPECT_EQ(transport->get_write_buffer_size(), both.writer().get_write_buffer_size());
    transport->write_eof();
    std::string got = co_await both.peer_reader().read();
    EXPECT_TRUE(got == "one two three four five" + big);
    co_await both.close();
  });
}

TEST_P(WriterTransport, A3_5_abort_drops_what_was_not_sent) {
  run([]() -> Coro<> {
    Connected both = co_await connected();
    both.writer().write(pattern(8 << 20));
    both.writer().transport()->abort();
    EXPECT_EQ(both.writer().get_write_buffer_size(), 0u);
    std::string error = co_await error_of(test::wait_closed(both.writer()));
    EXPECT_EQ(error, "nothing");
    co_await both.close();
  });
}

TEST_P(WriterTransport, A3_5_pause_reading_makes_reads_wait) {
  run([]() -> Coro<> {
    Connected both = co_await connected();
    auto transport = both.writer().transport();
    both.peer_writer().write("first\nsecond\n");
    std::string line = co_await both.reader().readline();
    EXPECT_EQ(line, "first\n");
    transport->pause_reading();
    transport->pause_reading();  // harmless
    EXPECT_FALSE(transport->is_reading());
    line = co_await both.reader().readline();
    EXPECT_EQ(line, "second\n") << "had arrived before";
    auto reading = create_task(both.reader().readline());
    both.peer_writer().write("third\n");
    co_await settle();
    EXPECT_FALSE(reading.done());
    transport->resume_reading();
    transport->resume_reading();
    EXPECT_TRUE(transport->is_reading());
    line = co_await reading;
    EXPECT_EQ(line, "third\n");
    co_await both.close();
  });
}

/// Also of a read that waits already, whose bytes and end then come too late.
TEST_P(WriterTransport, A3_5_pause_reading_under_a_waiting_read) {
  run([]() -> Coro<> {
    Connected both = co_await connected();
    auto transport = both.writer().transport();
    auto reading = create_task(both.reader().read());
    co_await settle();
    transport->pause_reading();
    both.peer_writer().write("late");
    both.peer_writer().write_eof();
    co_await settle();
    EXPECT_FALSE(reading.done());
    transport->resume_reading();
    std::string got = co_await reading;
    EXPECT_EQ(got, "late");
    co_await both.close();
  });
}

TEST_P(WriterTransport, R3_a_paused_read_is_cancelled_and_takes_nothing) {
  run([]() -> Coro<> {
    Connected both = co_await connected();
    auto transport = both.writer().transport();
    transport->pause_reading();
    both.peer_writer().write("kept");
    auto reading = create_task(both.reader().read(4));
    co_await settle();
    reading.cancel();
    std::string outcome = co_await error_of(reading);
    EXPECT_EQ(outcome, "cancelled");
    transport->resume_reading();
    std::string got = co_await both.reader().read(4);
    EXPECT_EQ(got, "kept");
    transport->pause_reading();
    auto last = create_task(both.reader().read(4));
    co_await settle();
    both.writer().close();
    got = co_await last;
    EXPECT_EQ(got, "") << "our own end is no secret";
    transport->resume_reading();  // of a closed one: nothing
    co_await both.close();
  });
}

TEST_P(WriterTransport, R5_keeps_the_connection_as_a_writer_does) {
  run([]() -> Coro<> {
    Connected both = co_await connected();
    std::optional<Streams> ends = both.client;
    both.client = both.accepted;  // which drops the handles of the client
    auto transport = ends->second.transport();
    ends.reset();
    auto reading = create_task(both.peer_reader().read(1));
    co_await settle();
    EXPECT_FALSE(reading.done());
    std::weak_ptr<Transport> gone = transport;
    transport.reset();
    EXPECT_TRUE(gone.expired());
    std::string end = co_await reading;
    EXPECT_EQ(end, "") << "nobody has it any more";
    EXPECT_TRUE(both.peer_writer().transport());
    EXPECT_TRUE(both.peer_writer().transport()) << "made anew";
    co_await both.close();
  });
}

TEST_P(WriterTransport, A3_5_has_no_protocol) {
  run([]() -> Coro<> {
    Connected both = co_await connected();
    auto transport = both.writer().transport();
    EXPECT_EQ(transport->get_protocol(), nullptr);
    EXPECT_EQ(thrown([&] { transport->set_protocol(std::make_shared<test::Client>()); }),
              "asyncio::RuntimeError: the transport of streams has no protocol; use "
              "loop.create_connection()");
    std::string error = co_await error_of(
        get_running_loop().start_tls(transport, std::make_shared<test::Client>(), pki().client()));
    EXPECT_EQ(error, "asyncio::TypeError: the transport is not supported by start_tls()");
    both.writer().write("still here");
    std::string got = co_await both.peer_reader().readexactly(10);
    EXPECT_EQ(got, "still here");
    co_await both.close();
  });
}

TEST_P(WriterTransport, A9_6_sendfile_takes_it) {
  run([]() -> Coro<> {
    std::string content = pattern(100'000);
    TemporaryFile file(content);
    Connected both = co_await connected();
    auto sending = create_task([&]() -> Coro<std::size_t> {
      return get_running_loop().sendfile(both.writer().transport(), file.fd);
    });
    std::string got = co_await both.peer_reader().readexactly(content.size());
    EXPECT_TRUE(got == content);
    std::size_t sent = co_await sending;
    EXPECT_EQ(sent, content.size());
    co_await both.close();
  });
}

TEST_P(WriterTransport, A11_a_StreamReaderProtocol_gives_the_transport_it_was_made_with) {
  run([]() -> Coro<> {
    auto handler = [](StreamReader, StreamWriter writer) { writer.close(); };
    Server server = co_await start_server(handler, "127.0.0.1", 0);
    auto factory = [] { return std::make_shared<StreamReaderProtocol>(); };
    auto [transport, protocol] = co_await get_running_loop().create_connection(
        factory, "127.0.0.1", server.sockets().at(0).port());
    EXPECT_EQ(protocol->writer().transport(), transport);
    EXPECT_EQ(transport->get_protocol(), protocol);
    transport->close();
    server.close();
    co_await server.wait_closed();
    co_await settle();
  });
}

/// Reading stops on the near side of TLS; the wire goes on.
TEST_P(WriterTransport, A3_5_over_tls) {
  run([]() -> Coro<> {
    Connected both = co_await connected();
    auto transport = both.writer().transport();
    auto serving = create_task(both.peer_writer().start_tls(pki().server()));
    co_await both.writer().start_tls(pki().client(),
                                     TlsStartOptions().server_hostname("localhost"));
    co_await serving;
    EXPECT_EQ(both.writer().transport(), transport) << "the streams stay, and so does this";
    EXPECT_EQ(transport->ssl_object()->version, "TLSv1.3");
    EXPECT_FALSE(transport->can_write_eof());
    transport->pause_reading();
    both.peer_writer().write("secret");
    auto reading = create_task(both.reader().readexactly(6));
    co_await settle();
    EXPECT_FALSE(reading.done());
    transport->resume_reading();
    std::string got = co_await reading;
    EXPECT_EQ(got, "secret");
    co_await both.close();
  });
}

TEST(PipeTransport, A3_5_of_a_pipe) {
  run([]() -> Coro<> {
    int ends[2];
    EXPECT_EQ(::pipe(ends), 0);
    StreamReader reader = co_await connect_read_pipe(ends[0]);
    StreamWriter writer = co_await connect_write_pipe(ends[1]);
    auto transport = writer.transport();
    EXPECT_FALSE(transport->is_reading());
    transport->pause_reading();  // there is nothing to pause
    transport->resume_reading();
    transport->write("through the pipe");
    transport->close();
    std::string got = co_await reader.read();
    EXPECT_EQ(got, "through the pipe");
    co_await writer.wait_closed();
  });
}

}  // namespace

// SPDX-License-Identifier: BSL-1.0
/// A9.6, A9.8, A9.9: sendfile, sock_sendfile, getaddrinfo and getnameinfo.
#include "asyncio/asyncio.hpp"
#include "asyncio/testing/faults.hpp"
#include "backends.hpp"
#include "captures.hpp"
#include "connected.hpp"
#include "descriptors.hpp"

#include <gtest/gtest.h>

#include <csignal>
#include <cstdlib>
#include <fcntl.h>
#include <netdb.h>
#include <string>
#include <sys/socket.h>
#include <unistd.h>

using namespace asyncio;
using namespace std::chrono_literals;
using test::connected;
using test::Connected;
using test::error_of;
using test::pattern;
using test::TemporaryFile;

namespace {

class Sendfile : public test::BackendTest {};
class RealSendfile : public test::BackendTest {};

Coro<std::size_t> send(StreamWriter writer, int file, std::int64_t offset = 0,
                       std::optional<std::size_t> count = std::nullopt, bool fallback = true) {
  std::size_t sent = co_await get_running_loop().sendfile(writer, file, offset, count, fallback);
  co_return sent;
}

TEST_P(Sendfile, A9_6_whole_file_between_other_bytes) {
  run([]() -> Coro<> {
    Connected both = co_await connected();
    std::string content = pattern(3 << 20);
    TemporaryFile file(content);
    Task<std::string> reading = create_task(test::read(both.peer_reader(), -1));
    std::string before = pattern(300'000, 7);
    both.writer().write(before);
    std::size_t sent = co_await send(both.writer(), file.fd);
    EXPECT_EQ(sent, content.size());
    EXPECT_EQ(file.position(), static_cast<off_t>(content.size()));
    both.writer().write("after");
    both.writer().write_eof();
    std::string got = co_await reading;
    EXPECT_TRUE(got == before + content + "after") << got.size();
    co_await both.close();
  });
}

TEST_P(Sendfile, A9_6_part_of_a_file) {
  run([]() -> Coro<> {
    Connected both = co_await connected();
    TemporaryFile file("0123456789");
    std::size_t sent = co_await send(both.writer(), file.fd, 2, 5);
    EXPECT_EQ(sent, 5u);
    EXPECT_EQ(file.position(), 7);
    sent = co_await send(both.writer(), file.fd, 8, 100);
    EXPECT_EQ(sent, 2u);
    sent = co_await send(both.writer(), file.fd, 50);
    EXPECT_EQ(sent, 0u);
    std::string got = co_await both.peer_reader().readexactly(7);
    EXPECT_EQ(got, "2345689");
    std::string error = co_await error_of(send(both.writer(), file.fd, 0, 0));
    EXPECT_EQ(error, "asyncio::ValueError: count must be a positive integer (got 0)");
    error = co_await error_of(send(both.writer(), file.fd, -1));
    EXPECT_EQ(error, "asyncio::ValueError: offset must be a non-negative integer (got -1)");
    both.writer().close();
    error = co_await error_of(send(both.writer(), file.fd));
    EXPECT_EQ(error, "asyncio::RuntimeError: Transport is closing");
    co_await both.close();
  });
}

TEST_P(Sendfile, A9_6_fallback_for_what_is_no_file) {
  run([]() -> Coro<> {
    Connected both = co_await connected();
    int ends[2];
    EXPECT_EQ(::pipe2(ends, O_CLOEXEC), 0);
    EXPECT_EQ(::write(ends[1], "from a pipe", 11), 11);
    ::close(ends[1]);
    std::string error = co_await error_of(send(both.writer(), ends[0], 0, std::nullopt, false));
    EXPECT_EQ(error, "asyncio::SendfileNotAvailableError: not a regular file");
    std::size_t sent = co_await send(both.writer(), ends[0]);
    EXPECT_EQ(sent, 11u);
    ::close(ends[0]);
    std::string got = co_await both.peer_reader().readexactly(11);
    EXPECT_EQ(got, "from a pipe");
    error = co_await error_of(send(both.writer(), 9999));
    EXPECT_NE(error.find("descriptor 9999: Bad file descriptor"), std::string::npos) << error;
    co_await both.close();
  });
}

INSTANTIATE_TEST_SUITE_P(Backends, Sendfile, test::all_backends, test::backend_name);

TEST_P(RealSendfile, fault69_offset_beyond_4_GiB_and_a_peer_that_stalls) {
  run([]() -> Coro<> {
    Connected both = co_await connected();
    std::string content = pattern(8 << 20);
    constexpr std::int64_t kFar = 5LL << 30;
    TemporaryFile file(content, kFar);
    Task<std::size_t> sending = create_task(send(both.writer(), file.fd, kFar));
    co_await sleep(20ms);  // nobody reads
    EXPECT_FALSE(sending.done());
    EXPECT_EQ(test::thrown([&] { both.writer().write("x"); }),
              "asyncio::RuntimeError: unable to write; sendfile is in progress");
    std::string second = co_await error_of(send(both.writer(), file.fd));
    EXPECT_EQ(second, "asyncio::RuntimeError: unable to write; sendfile is in progress");
    std::string got = co_await both.peer_reader().readexactly(content.size());
    EXPECT_TRUE(got == content);
    std::size_t sent = co_await sending;
    EXPECT_EQ(sent, content.size());
    co_await both.close();
  });
}

TEST_P(RealSendfile, fault69_cancel_midway_shrunk_file_and_lost_peer) {
  run([]() -> Coro<> {
    Connected both = co_await connected();
    std::string content = pattern(32 << 20);
    TemporaryFile file(content);
    Task<std::size_t> sending = create_task(send(both.writer(), file.fd));
    co_await sleep(20ms);
    sending.cancel();
    std::string error = co_await error_of(sending);
    EXPECT_EQ(error, "cancelled");
    // Its position says how far it came, and the connection is usable.
    auto sent = static_cast<std::size_t>(file.position());
    EXPECT_GT(sent, 0u);
    both.writer().write("after");
    std::string got = co_await both.peer_reader().readexactly(sent + 5);
    EXPECT_TRUE(got == content.substr(0, sent) + "after");

    Task<std::size_t> shrinking = create_task(send(both.writer(), file.fd));
    co_await sleep(20ms);
    EXPECT_EQ(::ftruncate(file.fd, 4 << 20), 0);
    Task<std::string> reading = create_task(test::read(both.peer_reader(), -1));
    std::size_t count = co_await shrinking;
    both.writer().write_eof();
    got = co_await reading;
    EXPECT_EQ(got.size(), count);
    EXPECT_LT(count, content.size());
    co_await both.close();

    Connected other = co_await connected();
    TemporaryFile again(content);
    Task<std::size_t> failing = create_task(send(other.writer(), again.fd));
    co_await sleep(20ms);
    other.peer_writer().abort();
    error = co_await error_of(failing);
    EXPECT_TRUE(error.find("ConnectionResetError") != std::string::npos ||
                error.find("BrokenPipeError") != std::string::npos)
        << error;
    co_await other.close();
  });
}

TEST_P(RealSendfile, R5_connection_closed_meanwhile) {
  run([]() -> Coro<> {
    Connected both = co_await connected();
    TemporaryFile file(pattern(32 << 20));
    Task<std::size_t> sending = create_task(send(both.writer(), file.fd));
    co_await sleep(20ms);
    both.writer().abort();
    std::string error = co_await error_of(sending);
    EXPECT_TRUE(error.starts_with("asyncio::ConnectionResetError: Connection lost")) << error;
    co_await both.close();
  });
}

TEST_P(RealSendfile, A9_8_sock_sendfile) {
  run([]() -> Coro<> {
    EventLoop loop = get_running_loop();
    int ends[2];
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends), 0);
    auto [reader, writer] = co_await open_connection(ends[0]);
    std::string content = pattern(2 << 20);
    TemporaryFile file(content);
    Task<std::string> reading = create_task(test::read_exactly(reader, content.size()));
    std::size_t sent = co_await loop.sock_sendfile(ends[1], file.fd);
    EXPECT_EQ(sent, content.size());
    std::string got = co_await reading;
    EXPECT_TRUE(got == content);
    int null = ::open("/dev/zero", O_RDONLY | O_CLOEXEC);
    std::string error =
        co_await error_of(loop.sock_sendfile(ends[1], null, 0, std::size_t(5), false));
    EXPECT_EQ(error, "asyncio::SendfileNotAvailableError: not a regular file");
    sent = co_await loop.sock_sendfile(ends[1], null, 0, std::size_t(5));
    EXPECT_EQ(sent, 5u);
    got = co_await reader.readexactly(5);
    EXPECT_EQ(got, std::string(5, '\0'));
    ::close(null);
    ::close(ends[1]);
    writer.close();
    co_await writer.wait_closed();
  });
}

TEST_P(RealSendfile, A9_6_transport) {
  run([]() -> Coro<> {
    EventLoop loop = get_running_loop();
    Connected both = co_await connected();
    int copy = ::fcntl(both.writer().fileno(), F_DUPFD_CLOEXEC, 3);
    auto [transport, protocol] =
        co_await loop.create_connection([] { return std::make_shared<Protocol>(); }, copy);
    TemporaryFile file("the file");
    std::size_t sent =
        co_await loop.sendfile(std::static_pointer_cast<Transport>(transport), file.fd);
    EXPECT_EQ(sent, 8u);
    std::string got = co_await both.peer_reader().readexactly(8);
    EXPECT_EQ(got, "the file");
    transport->close();
    int ends[2];
    EXPECT_EQ(::pipe2(ends, O_CLOEXEC), 0);
    StreamWriter pipe = co_await connect_write_pipe(ends[1]);
    std::string error = co_await error_of(send(pipe, file.fd));
    EXPECT_EQ(error, "asyncio::RuntimeError: sendfile is not supported for transport of a pipe");
    pipe.close();
    co_await pipe.wait_closed();
    ::close(ends[0]);
    co_await both.close();
  });
}

TEST_P(RealSendfile, A9_9_names) {
  run([]() -> Coro<> {
    EventLoop loop = get_running_loop();
    SocketAddress address = SocketAddress::numeric("127.0.0.1", 80);
    auto [host, port] = co_await loop.getnameinfo(address, NI_NUMERICHOST | NI_NUMERICSERV);
    EXPECT_EQ(host + " " + port, "127.0.0.1 80");
    auto [name, service] = co_await loop.getnameinfo(address, NI_NUMERICHOST);
    EXPECT_EQ(name, "127.0.0.1");
    EXPECT_TRUE(service == "http" || service == "80") << service;  // without /etc/services
    auto [own, number] = co_await loop.getnameinfo(address, NI_NUMERICSERV);
    EXPECT_FALSE(own.empty());
    AddressInfoOptions inet = AddressInfoOptions().family(AddressFamily::inet);
    std::vector<AddressInfo> local = co_await loop.getaddrinfo("localhost", 80, inet);
    EXPECT_EQ(local.at(0).sockaddr.str(), "127.0.0.1:80");
    std::string error = co_await error_of(loop.getaddrinfo("::1", 80, inet));
    EXPECT_EQ(error.find("asyncio::GaiError: getaddrinfo '::1'"), 0u) << error;
  });
}

INSTANTIATE_TEST_SUITE_P(Backends, RealSendfile, test::real_backends, test::backend_name);

/// sendfile(2) that the system refuses or that takes one byte at a time (faults 48, 79).
TEST(SendfileFaults, fault48_short_and_refused) {
  using asyncio::testing::Faults;
  using asyncio::testing::SystemCall;
  for (bool refused : {false, true}) {
    Faults faults;
    if (refused)
      faults.fail(SystemCall::sendfile, 1, EINVAL, Faults::kAlways);
    else
      faults.shorten(SystemCall::sendfile, 1, 1000, Faults::kAlways);
    RunOptions options;
    options.loop_factory([&] { return faults.new_epoll_event_loop(); });
    auto body = []() -> Coro<> {
      Connected both = co_await connected();
      std::string content = pattern(200'000);
      TemporaryFile file(content);
      Task<std::string> reading = create_task(test::read(both.peer_reader(), -1));
      std::size_t sent = co_await send(both.writer(), file.fd);
      EXPECT_EQ(sent, content.size());
      both.writer().write_eof();
      std::string got = co_await reading;
      EXPECT_TRUE(got == content);
      co_await both.close();
    };
    asyncio::run(body(), options);
    EXPECT_GT(faults.injected(), 0u);
  }
}

}  // namespace

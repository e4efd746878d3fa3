// SPDX-License-Identifier: BSL-1.0
/// A3.5, A11: what get_extra_info tells, and its names that are members here.
#include "asyncio/asyncio.hpp"
#include "backends.hpp"
#include "captures.hpp"
#include "connected.hpp"
#include "protocols.hpp"
#include "tls.hpp"

#include <gtest/gtest.h>

#include <cstring>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <optional>
#include <string>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

using namespace asyncio;
using test::Client;
using test::connected;
using test::Connected;
using test::made;
using test::pki;
using test::thrown;

namespace {

class ExtraInfo : public test::BackendTest {};
class RealExtraInfo : public test::BackendTest {};
INSTANTIATE_TEST_SUITE_P(Backends, ExtraInfo, test::all_backends, test::backend_name);
INSTANTIATE_TEST_SUITE_P(Backends, RealExtraInfo, test::real_backends, test::backend_name);

TEST_P(ExtraInfo, A3_5_socket_tells_of_the_connection) {
  run([]() -> Coro<> {
    Connected both = co_await connected();
    TransportSocket socket = *both.writer().socket();
    EXPECT_EQ(socket.fileno(), both.writer().fileno());
    EXPECT_EQ(socket.family(), AddressFamily::inet);
    EXPECT_EQ(socket.type(), SOCK_STREAM);
    EXPECT_EQ(socket.proto(), IPPROTO_TCP);
    EXPECT_EQ(socket.getsockname(), *both.writer().sockname());
    EXPECT_EQ(socket.getpeername(), both.writer().peername());
    EXPECT_EQ(socket.getsockopt(SOL_SOCKET, SO_ERROR), 0);
    EXPECT_EQ(both.writer().transport()->socket()->fileno(), socket.fileno());
    EXPECT_EQ(both.writer().get_extra_info("compression"), std::nullopt);
    EXPECT_EQ(both.writer().sslcontext(), std::nullopt);
    co_await both.close();
  });
}

TEST_P(ExtraInfo, A3_5_socket_that_is_closed) {
  run([]() -> Coro<> {
    Connected both = co_await connected();
    TransportSocket socket = *both.writer().socket();
    co_await both.close();
    co_await both.writer().wait_closed();
    EXPECT_EQ(socket.fileno(), -1);
    const std::string bad = ": Bad file descriptor";
    EXPECT_EQ(thrown([&] { socket.type(); }), "asyncio::OSError: getsockopt" + bad);
    EXPECT_EQ(thrown([&] { socket.getsockopt(SOL_SOCKET, SO_TYPE, 4); }),
              "asyncio::OSError: getsockopt" + bad);
    EXPECT_EQ(thrown([&] { socket.setsockopt(SOL_SOCKET, SO_RCVBUF, 1); }),
              "asyncio::OSError: setsockopt" + bad);
    EXPECT_EQ(thrown([&] { socket.family(); }), "asyncio::OSError: getsockname" + bad);
    EXPECT_EQ(thrown([&] { socket.getpeername(); }), "asyncio::OSError: getpeername" + bad);
  });
}

TEST_P(ExtraInfo, A3_5_socket_outlives_the_loop) {
  std::optional<TransportSocket> kept;
  run([&]() -> Coro<> {
    Connected both = co_await connected();
    kept = both.writer().socket();
  });
  EXPECT_EQ(kept->fileno(), -1);
  EXPECT_EQ(thrown([&] { kept->type(); }), "asyncio::OSError: getsockopt: Bad file descriptor");
}

/// Python: TransportSocket.shutdown, which asks nobody.
TEST_P(ExtraInfo, A3_5_shutdown_of_the_socket) {
  run([]() -> Coro<> {
    Connected both = co_await connected();
    TransportSocket socket = *both.writer().socket();
    socket.shutdown(SHUT_WR);
    std::string end = co_await both.peer_reader().read();
    EXPECT_EQ(end, "");
    both.peer_writer().write("answer");
    std::string answer = co_await both.reader().readexactly(6);
    EXPECT_EQ(answer, "answer");
    co_await both.close();
    co_await both.writer().wait_closed();
    EXPECT_EQ(thrown([&] { socket.shutdown(SHUT_WR); }),
              "asyncio::OSError: shutdown: Bad file descriptor");
  });
}

TEST_P(ExtraInfo, A3_5_dup_of_the_socket) {
  run([this]() -> Coro<> {
    Connected both = co_await connected();
    TransportSocket socket = *both.writer().socket();
    int copy = -1;
    std::string error = thrown([&] { copy = socket.dup(); });
    EXPECT_EQ(error, simulated() ? "asyncio::OSError: dup: Operation not supported" : "nothing");
    co_await both.close();
    co_await both.writer().wait_closed();
    EXPECT_EQ(thrown([&] { socket.dup(); }), "asyncio::OSError: dup: Bad file descriptor");
    if (simulated()) co_return;
    EXPECT_EQ(::fcntl(copy, F_GETFD), FD_CLOEXEC) << "the caller's, to close";
    ::close(copy);
  });
}

TEST_P(RealExtraInfo, A3_5_options_of_the_socket) {
  run([]() -> Coro<> {
    Connected both = co_await connected();
    TransportSocket socket = *both.writer().socket();
    EXPECT_EQ(socket.getsockopt(IPPROTO_TCP, TCP_NODELAY), 1);
    socket.setsockopt(SOL_SOCKET, SO_KEEPALIVE, 1);
    EXPECT_EQ(socket.getsockopt(SOL_SOCKET, SO_KEEPALIVE), 1);
    linger wanted{1, 7};
    socket.setsockopt(SOL_SOCKET, SO_LINGER,
                      std::string_view(reinterpret_cast<const char*>(&wanted), sizeof wanted));
    std::string bytes = socket.getsockopt(SOL_SOCKET, SO_LINGER, 100);
    linger got{};
    EXPECT_EQ(bytes.size(), sizeof got);
    std::memcpy(&got, bytes.data(), std::min(bytes.size(), sizeof got));
    EXPECT_EQ(got.l_linger, 7);
    EXPECT_EQ(thrown([&] { socket.getsockopt(SOL_SOCKET, 9999); }),
              "asyncio::OSError: getsockopt: Protocol not available");
    co_await both.close();
  });
}

TEST_P(ExtraInfo, A11_socket_of_transports) {
  run([]() -> Coro<> {
    EventLoop loop = get_running_loop();
    Server server = co_await loop.create_server(&made<Client>, "127.0.0.1", 0);
    std::uint16_t port = server.sockets().at(0).port();
    auto [transport, client] = co_await loop.create_connection(&made<Client>, "127.0.0.1", port);
    TransportSocket socket = *transport->socket();
    EXPECT_EQ(socket.getpeername().port(), port);
    transport->abort();
    co_await client->lost.wait();
    EXPECT_EQ(socket.fileno(), -1);
    server.close_clients();
    server.close();
    co_await server.wait_closed();
  });
}

TEST_P(ExtraInfo, A11_socket_of_datagrams) {
  run([]() -> Coro<> {
    auto [transport, protocol] = co_await get_running_loop().create_datagram_endpoint(
        [] { return std::make_shared<DatagramProtocol>(); },
        DatagramOptions().local_addr("127.0.0.1", 0));
    TransportSocket socket = transport->socket();
    EXPECT_EQ(socket.type(), SOCK_DGRAM);
    EXPECT_EQ(socket.proto(), IPPROTO_UDP);
    EXPECT_EQ(socket.getsockname(), *transport->sockname());
    transport->close();
    co_await test::settle();
    EXPECT_EQ(socket.fileno(), -1);
    EXPECT_THROW(socket.type(), OSError);
  });
}

/// Python: "pipe".
TEST_P(RealExtraInfo, A11_a_pipe_has_a_descriptor_and_no_socket) {
  run([]() -> Coro<> {
    int ends[2];
    EXPECT_EQ(::pipe(ends), 0);
    StreamWriter writer = co_await connect_write_pipe(ends[1]);
    EXPECT_FALSE(writer.socket());
    EXPECT_FALSE(writer.transport()->socket());
    EXPECT_EQ(writer.fileno(), ends[1]);
    writer.close();
    co_await writer.wait_closed();
    ::close(ends[0]);
  });
}

TEST_P(ExtraInfo, A3_5_sslcontext_of_both_ends) {
  run([]() -> Coro<> {
    TlsContext ours = pki().client();
    TlsContext theirs = pki().server();
    Connected both = co_await test::tls_connected(theirs, ours);
    EXPECT_EQ(both.writer().sslcontext(), ours);
    EXPECT_EQ(both.peer_writer().sslcontext(), theirs);
    EXPECT_EQ(both.writer().transport()->sslcontext(), ours);
    EXPECT_EQ(both.writer().get_extra_info("compression"), std::nullopt);
    EXPECT_EQ(both.writer().socket()->fileno(), both.writer().fileno());
    co_await both.close();
  });
}

/// As in Python, the context stays the one that it began with.
TEST_P(ExtraInfo, A11_start_tls_keeps_the_socket) {
  run([]() -> Coro<> {
    EventLoop loop = get_running_loop();
    TlsContext theirs = pki().server();
    TlsContext other = pki().server();
    theirs.sni_callback([other](const std::string&) { return other; });
    auto peer = made<Client>();
    Server server = co_await loop.create_server([&] { return peer; }, "127.0.0.1", 0,
                                                ServerOptions().ssl(theirs));
    auto [plain, client] =
        co_await loop.create_connection(&made<Client>, "127.0.0.1", server.sockets().at(0).port());
    int number = plain->fileno();
    TlsContext ours = pki().client();
    std::shared_ptr<Transport> secured = co_await loop.start_tls(
        plain, client, ours, TlsStartOptions().server_hostname("localhost"));
    EXPECT_EQ(secured->sslcontext(), ours);
    EXPECT_EQ(secured->socket()->fileno(), number);
    EXPECT_EQ(plain->socket()->fileno(), number);
    secured->write("x");
    std::string got = co_await peer->bytes(1);
    EXPECT_EQ(got, "x");
    EXPECT_EQ(peer->transport->sslcontext(), theirs);
    secured->close();
    co_await client->lost.wait();
    server.close();
    co_await server.wait_closed();
  });
}

}  // namespace

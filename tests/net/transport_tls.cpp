// SPDX-License-Identifier: BSL-1.0
/// A9.6: loop.start_tls.
#include "asyncio/asyncio.hpp"
#include "backends.hpp"
#include "captures.hpp"
#include "connected.hpp"
#include "program_output.hpp"
#include "protocols.hpp"
#include "tls.hpp"

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <sys/socket.h>
#include <unistd.h>
#include <utility>
#include <vector>

using namespace asyncio;
using namespace std::chrono_literals;
using test::Buffered;
using test::Client;
using test::error_of;
using test::made;
using test::pattern;
using test::pki;
using test::Program;
using test::thrown;

namespace {

/// Echoes; a line "STARTTLS" is answered in plain text, and what follows is TLS.
class Upgrading : public Client {
 public:
  void data_received(std::string data) override {
    if (data != "STARTTLS\n") return transport->write(std::move(data));
    transport->pause_reading();
    transport->write("ready\n");
    upgrade_ = create_task(&Upgrading::upgrade, this);
  }
  /// Of a handshake that fails connection_lost is told as well.
  Coro<> upgrade() {
    auto self = transport->get_protocol();
    auto made = co_await capture(get_running_loop().start_tls(transport, self, pki().server()));
    if (made.has_value()) transport = made.value();
  }

 private:
  std::optional<Task<>> upgrade_;
};

TlsStartOptions localhost() { return TlsStartOptions().server_hostname("localhost"); }

Coro<std::shared_ptr<Transport>> secured(std::shared_ptr<Transport> transport,
                                         TlsStartOptions options = localhost()) {
  std::shared_ptr<Transport> result = co_await get_running_loop().start_tls(
      transport, transport->get_protocol(), pki().client(), options);
  co_return result;
}
Coro<> secure(std::shared_ptr<Transport> transport, TlsStartOptions options = localhost()) {
  (void)co_await secured(transport, options);
}

template <class P>
Coro<> until_received(std::shared_ptr<P> protocol, std::size_t count) {
  while (protocol->received.size() < count) {
    protocol->arrived.clear();
    co_await protocol->arrived.wait();
  }
}

/// A server with the protocols of a factory, and a client in plain text.
template <class P>
struct Linked {
  Linked(Server s, std::shared_ptr<Transport> t, std::shared_ptr<P> p)
      : server(std::move(s)), plain(std::move(t)), client(std::move(p)) {}
  Server server;
  std::shared_ptr<Transport> plain;
  std::shared_ptr<P> client;
};

template <class P = Client, class F>
Coro<Linked<P>> linked(F factory) {
  EventLoop loop = get_running_loop();
  Server server = co_await loop.create_server(factory, "127.0.0.1", 0);
  auto [plain, client] =
      co_await loop.create_connection(&made<P>, "127.0.0.1", server.sockets().at(0).port());
  co_return Linked<P>(server, plain, client);
}

/// The same, and both ends have agreed to upgrade.
template <class P = Client>
Coro<Linked<P>> agreed() {
  Linked<P> both = co_await linked<P>(&made<Upgrading>);
  both.plain->write("STARTTLS\n");
  co_await until_received(both.client, 6);
  co_return both;
}

Coro<> end(Server server) {
  server.close();
  server.abort_clients();
  co_await server.wait_closed();
}

class StartTls : public test::BackendTest {};
INSTANTIATE_TEST_SUITE_P(Backends, StartTls, test::all_backends, test::backend_name);

/// Both ends upgrade by agreement.
template <class P>
Coro<> upgrade_and_echo() {
  auto [server, plain, client] = co_await agreed<P>();
  EXPECT_FALSE(plain->ssl_object());
  EXPECT_EQ(std::exchange(client->received, ""), "ready\n");
  std::shared_ptr<Transport> transport = co_await secured(plain);
  EXPECT_NE(transport, plain);
  EXPECT_EQ(transport->ssl_object()->version, "TLSv1.3");
  EXPECT_EQ(transport->get_extra_info("peercert"), "commonName=localhost");
  EXPECT_EQ(transport->get_protocol(), client);
  EXPECT_TRUE(transport->is_reading());
  EXPECT_FALSE(transport->can_write_eof());
  std::string input = pattern(500'000);
  transport->write(input);
  co_await until_received(client, input.size());
  EXPECT_TRUE(client->received == input);
  transport->close();
  co_await client->lost.wait();
  std::erase_if(client->events, [](auto& event) { return event == "pause" || event == "resume"; });
  EXPECT_EQ(client->events, (std::vector<std::string>{"made", "lost no exception"}));
  co_await end(server);
}

TEST_P(StartTls, A9_6_by_agreement) { run(upgrade_and_echo<Client>); }
TEST_P(StartTls, A9_6_by_agreement_with_a_buffered_protocol) { run(upgrade_and_echo<Buffered>); }

TEST_P(StartTls, A9_6_the_old_transport_can_only_close) {
  run([]() -> Coro<> {
    auto [server, plain, client] = co_await agreed();
    std::shared_ptr<Transport> transport = co_await secured(plain);
    const std::string refused =
        "asyncio::RuntimeError: start_tls() has replaced this transport by another one";
    EXPECT_EQ(thrown([t = plain] { t->write("plain text"); }), refused);
    EXPECT_EQ(thrown([t = plain] { t->writelines(std::vector<std::string>(1, "x")); }), refused);
    EXPECT_EQ(thrown([t = plain] { t->write_eof(); }), refused);
    EXPECT_EQ(thrown([t = plain, c = client] { t->set_protocol(c); }), refused);
    std::string again = co_await error_of(secure(plain));
    EXPECT_EQ(again, refused);
    EXPECT_EQ(plain->get_protocol(), nullptr);
    plain->resume_reading();
    EXPECT_FALSE(plain->is_reading());
    again = co_await error_of(secure(transport));
    EXPECT_EQ(again, "asyncio::RuntimeError: the connection speaks TLS already");
    transport->write("goes on");
    co_await until_received(client, 13);
    EXPECT_EQ(client->received, "ready\ngoes on");
    plain->close();
    co_await client->lost.wait();
    EXPECT_TRUE(transport->is_closing());
    co_await end(server);
  });
}

TEST_P(StartTls, A9_6_another_protocol_pauses_and_resumes) {
  run([]() -> Coro<> {
    EventLoop loop = get_running_loop();
    auto peer = made<Client>();
    auto [server, plain, first] = co_await linked([&] { return peer; });
    co_await test::settle();
    auto second = made<Client>();
    Task<std::shared_ptr<Transport>> theirs =
        loop.create_task(loop.start_tls(peer->transport, peer, pki().server()));
    std::shared_ptr<Transport> transport =
        co_await loop.start_tls(plain, second, pki().client(), localhost());
    std::shared_ptr<Transport> their_transport = co_await theirs;
    their_transport->pause_reading();
    transport->set_write_buffer_limits(4000);
    std::string input = pattern(16 << 20);
    transport->write(input);
    EXPECT_EQ(second->events, std::vector<std::string>(1, "pause"));
    their_transport->resume_reading();
    co_await until_received(peer, input.size());
    EXPECT_TRUE(peer->received == input);
    co_await test::settle();
    EXPECT_EQ(second->events, (std::vector<std::string>{"pause", "resume"}));
    transport->close();
    co_await second->lost.wait();
    EXPECT_EQ(second->events.back(), "lost no exception");
    EXPECT_EQ(first->events, std::vector<std::string>(1, "made")) << "it is out of the game";
    co_await end(server);
  });
}

TEST_P(StartTls, R14_wrong_name_is_told_to_the_caller_and_the_protocol) {
  run([]() -> Coro<> {
    auto [server, plain, client] = co_await agreed();
    std::string error =
        co_await error_of(secure(plain, TlsStartOptions().server_hostname("example.org")));
    EXPECT_NE(error.find("Hostname mismatch"), std::string::npos) << error;
    co_await client->lost.wait();
    EXPECT_EQ(client->events.back(), "lost " + error);
    co_await end(server);
  });
}

TEST_P(StartTls, A9_6_what_does_not_fit_is_refused_and_changes_nothing) {
  run([]() -> Coro<> {
    EventLoop loop = get_running_loop();
    auto [server, plain, client] = co_await linked(&made<Upgrading>);
    std::string error = co_await error_of(secure(plain, TlsStartOptions()));
    EXPECT_EQ(error,
              "asyncio::ValueError: You must set server_hostname when using ssl without a host");
    error = co_await error_of(secure(plain, localhost().ssl_handshake_timeout(-1s)));
    EXPECT_EQ(error,
              "asyncio::ValueError: ssl_handshake_timeout should be a positive number, got -1.0");
    error = co_await error_of(
        loop.start_tls(plain, made<DatagramProtocol>(), pki().client(), localhost()));
    EXPECT_EQ(error.find("asyncio::TypeError"), 0u) << error;
    plain->write("still plain");
    co_await until_received(client, 11);
    EXPECT_EQ(client->received, "still plain");
    plain->close();
    co_await client->lost.wait();
    error = co_await error_of(loop.start_tls(plain, client, pki().client(), localhost()));
    EXPECT_EQ(error.find("asyncio::ConnectionResetError"), 0u) << error;
    co_await end(server);
  });
}

TEST_P(StartTls, fault91_R7_handshake_has_a_deadline) {
  run([]() -> Coro<> {
    auto silent = made<Client>();
    auto [server, plain, client] = co_await linked([&] { return silent; });
    std::string error = co_await error_of(secure(plain, localhost().ssl_handshake_timeout(30ms)));
    EXPECT_EQ(error.find("asyncio::ConnectionAbortedError"), 0u) << error;
    EXPECT_NE(error.find("is taking longer than 0.03 seconds"), std::string::npos) << error;
    co_await client->lost.wait();
    EXPECT_EQ(client->events.back(), "lost " + error);
    co_await end(server);
  });
}

TEST_P(StartTls, fault89_R7_goodbye_has_a_deadline) {
  run([]() -> Coro<> {
    EventLoop loop = get_running_loop();
    auto peer = made<Client>();
    auto [server, plain, client] = co_await linked([&] { return peer; });
    co_await test::settle();
    Task<std::shared_ptr<Transport>> theirs =
        loop.create_task(loop.start_tls(peer->transport, peer, pki().server()));
    std::shared_ptr<Transport> transport =
        co_await secured(plain, localhost().ssl_shutdown_timeout(30ms));
    std::shared_ptr<Transport> their_transport = co_await theirs;
    their_transport->pause_reading();
    transport->close();
    co_await client->lost.wait();
    EXPECT_EQ(client->events.back().find("lost asyncio::TimeoutError: SSL shutdown"), 0u)
        << client->events.back();
    co_await end(server);
  });
}

TEST_P(StartTls, fault92_R3_cancelled_at_each_turn) {
  run([]() -> Coro<> {
    EventLoop loop = get_running_loop();
    for (int hops = 0; hops < 12; ++hops) {
      Server server = co_await loop.create_server(&made<Upgrading>, "127.0.0.1", 0);
      auto [plain, client] = co_await loop.create_connection(&made<Client>, "127.0.0.1",
                                                             server.sockets().at(0).port());
      plain->write("STARTTLS\n");
      co_await until_received(client, 6);
      Task<> task = loop.create_task(secure(plain));
      for (int i = 0; i < hops; ++i) co_await asyncio::sleep(0s);
      task.cancel();
      std::string outcome = co_await error_of(task);
      if (outcome == "nothing" || hops == 0) plain->close();
      co_await client->lost.wait();
      EXPECT_EQ(client->events.front(), "made");
      co_await end(server);
    }
  });
}

TEST_P(StartTls, fault196_loop_closes_during_the_handshake) {
  EventLoop loop = test::factory_of(GetParam())();
  auto client = made<Client>();
  auto silent = made<Client>();
  auto begin = [&]() -> Coro<> {
    Server server = co_await loop.create_server([&] { return silent; }, "127.0.0.1", 0);
    auto [plain, same] = co_await loop.create_connection([&] { return client; }, "127.0.0.1",
                                                         server.sockets().at(0).port());
    loop.create_task(secure(plain));
    co_await test::settle();
  };
  loop.run_until_complete(begin());
  client->transport.reset();
  silent->transport.reset();
  loop.close();
  EXPECT_EQ(client.use_count(), 1);
  EXPECT_EQ(silent.use_count(), 1);
}

// --- With others --------------------------------------------------------------------------------

class StartTlsPeers : public test::BackendTest {};
INSTANTIATE_TEST_SUITE_P(Backends, StartTlsPeers, test::real_backends, test::backend_name);

/// The end that has accepted is the server.
TEST_P(StartTlsPeers, A9_5_accepted_socket_over_TLS) {
  run([]() -> Coro<> {
    EventLoop loop = get_running_loop();
    int ends[2];
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    auto accepting = loop.create_task(loop.connect_accepted_socket(
        &made<test::EchoProtocol>, ends[0], ConnectOptions().ssl(pki().server())));
    auto [transport, client] = co_await loop.create_connection(
        &made<Client>, ends[1], ConnectOptions().ssl(pki().client()).server_hostname("localhost"));
    auto [accepted, echo] = co_await accepting;
    EXPECT_TRUE(accepted->ssl_object()->server_side);
    EXPECT_FALSE(transport->ssl_object()->server_side);
    transport->write("secret");
    co_await until_received(client, 6);
    EXPECT_EQ(client->received, "secret");
    transport->close();
    co_await client->lost.wait();
    co_await test::settle();
  });
}

TEST_P(StartTlsPeers, fault73_pipes_are_refused) {
  run([]() -> Coro<> {
    EventLoop loop = get_running_loop();
    int ends[2];
    EXPECT_EQ(::pipe2(ends, O_CLOEXEC), 0);
    auto [from, reader] = co_await loop.connect_read_pipe(&made<Client>, ends[0]);
    std::string error = co_await error_of(secure(from));
    EXPECT_EQ(error, "asyncio::TypeError: the transport is not supported by start_tls()");
    ::close(ends[1]);
    co_await reader->lost.wait();
  });
}

TEST_P(StartTlsPeers, A9_6_openssl_s_server) {
  run([]() -> Coro<> {
    for (std::string version : {"-tls1_2", "-tls1_3"}) {
      Program server({"openssl", "s_server", "-accept", "127.0.0.1:0", "-rev", version, "-cert",
                      pki().localhost.certfile, "-key", pki().localhost.keyfile});
      std::uint16_t port = co_await test::port_of(server, "ACCEPT [^ ]*:([0-9]+)\n");
      auto [plain, client] =
          co_await get_running_loop().create_connection(&made<Client>, "127.0.0.1", port);
      std::shared_ptr<Transport> transport = co_await secured(plain);
      EXPECT_EQ(transport->ssl_object()->version, version == "-tls1_2" ? "TLSv1.2" : "TLSv1.3");
      transport->write("hello\n");
      co_await until_received(client, 6);
      EXPECT_EQ(client->received, "olleh\n");
      transport->close();
      co_await client->lost.wait();
      EXPECT_EQ(client->events.back(), "lost no exception");
    }
  });
}

/// Speaks TLS from the first byte on.
class AtOnce : public Client {
 public:
  void connection_made(std::shared_ptr<Transport> its_transport) override {
    its_transport->pause_reading();
    Client::connection_made(its_transport);
    upgrade_ = create_task(&AtOnce::upgrade, this);
  }
  void data_received(std::string data) override { transport->write(std::move(data)); }

 private:
  Coro<> upgrade() {
    auto self = transport->get_protocol();
    transport = co_await get_running_loop().start_tls(transport, self, pki().server());
  }
  std::optional<Task<>> upgrade_;
};

TEST_P(StartTlsPeers, A9_6_openssl_s_client) {
  run([]() -> Coro<> {
    auto protocol = made<AtOnce>();
    Server server =
        co_await get_running_loop().create_server([&] { return protocol; }, "127.0.0.1", 0);
    Program client({"openssl", "s_client", "-connect",
                    "127.0.0.1:" + std::to_string(server.sockets().at(0).port()), "-servername",
                    "localhost", "-CAfile", pki().root.certfile, "-verify_return_error"});
    co_await test::output_until(client, "Verify return code: 0");
    client.write("from openssl\n");
    co_await test::output_until(client, "from openssl\n");
    client.close_input();
    co_await protocol->lost.wait();
    EXPECT_EQ(protocol->events, (std::vector<std::string>{"made", "eof", "lost no exception"}));
    co_await end(server);
  });
}

constexpr char kPython[] = R"(
import asyncio, ssl, sys
class Peer(asyncio.Protocol):
    def __init__(self):
        self.received, self.done = b"", asyncio.Event()
    def connection_made(self, transport):
        self.transport = transport
    def data_received(self, data):
        self.received += data
        if self.received == b"STARTTLS\n":
            self.transport.pause_reading()
            self.transport.write(b"ready\n")
            self.upgrading = asyncio.create_task(self.upgrade(server_context(), server_side=True))
        elif data.endswith(b"\n"):
            self.done.set()
            if server: self.answering = asyncio.create_task(self.answer(data))
    async def answer(self, data):
        await self.upgrading
        self.transport.write(data)
    async def upgrade(self, context, **options):
        self.received = b""
        self.transport = await asyncio.get_running_loop().start_tls(
            self.transport, self, context, **options)
def server_context():
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(sys.argv[2], sys.argv[3])
    return context
async def serve():
    listening = await asyncio.get_running_loop().create_server(Peer, "127.0.0.1", 0)
    print(listening.sockets[0].getsockname()[1], flush=True)
    await listening.serve_forever()
async def connect():
    loop = asyncio.get_running_loop()
    _, peer = await loop.create_connection(Peer, "127.0.0.1", int(sys.argv[2]))
    peer.transport.write(b"STARTTLS\n")
    await peer.done.wait()
    peer.done.clear()
    await peer.upgrade(ssl.create_default_context(cafile=sys.argv[3]), server_hostname="localhost")
    data = b"x" * 300000 + b"\n"
    peer.transport.write(data)
    while peer.received != data: await asyncio.sleep(0.01)
    print("same", peer.transport.get_extra_info("cipher")[1], flush=True)
    peer.transport.close()
server = sys.argv[1] == "server"
asyncio.run(serve() if server else connect())
)";

TEST_P(StartTlsPeers, A9_6_pythons_start_tls_as_server) {
  run([]() -> Coro<> {
    Program python(
        {"python3", "-c", kPython, "server", pki().localhost.certfile, pki().localhost.keyfile});
    std::uint16_t port = co_await test::port_of(python, "([0-9]+)\n");
    auto [plain, client] =
        co_await get_running_loop().create_connection(&made<Client>, "127.0.0.1", port);
    plain->write("STARTTLS\n");
    co_await until_received(client, 6);
    std::shared_ptr<Transport> transport = co_await secured(plain);
    client->received.clear();
    transport->write("secret\n");
    co_await until_received(client, 7);
    EXPECT_EQ(client->received, "secret\n");
    transport->close();
    co_await client->lost.wait();
    EXPECT_EQ(client->events.back(), "lost no exception");
  });
}

TEST_P(StartTlsPeers, A9_6_pythons_start_tls_as_client) {
  run([]() -> Coro<> {
    auto protocol = made<Upgrading>();
    Server server =
        co_await get_running_loop().create_server([&] { return protocol; }, "127.0.0.1", 0);
    Program python({"python3", "-c", kPython, "client",
                    std::to_string(server.sockets().at(0).port()), pki().root.certfile});
    co_await test::output_until(python, "same TLSv1.3\n");
    co_await protocol->lost.wait();
    EXPECT_EQ(protocol->events.back(), "lost no exception");
    co_await end(server);
  });
}

}  // namespace

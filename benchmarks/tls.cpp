// SPDX-License-Identifier: BSL-1.0
// What does a round trip over TLS cost, and what memory does an idle connection take? Both ends are
// in this process, on one loop; TLS 1.3 with AES-256 and an EC certificate.
#include "certificates.hpp"
#include "in_loop.hpp"
#include "memory.hpp"
#include <asyncio/sleep.hpp>
#include <asyncio/streams.hpp>
#include <asyncio/task.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace {

using namespace asyncio;
using bench::Count;

class Contexts {
 public:
  Contexts() {
    server.load_cert_chain(identity.certfile, identity.keyfile);
    client.load_verify_locations(identity.certfile);
  }

  test::Folder folder;
  test::Identity identity{folder, test::CertificateSpec("localhost").alternatives("DNS:localhost")};
  TlsContext server{TlsPurpose::client_auth};
  TlsContext client{TlsPurpose::server_auth};
};

Coro<Server> start_echo(const Contexts& contexts, std::size_t size) {
  auto echo = [size](StreamReader reader, StreamWriter writer) -> Coro<> {
    std::vector<char> room(size);
    while (std::size_t got = co_await reader.read_into(room))
      co_await writer.send(std::string_view(room.data(), got));
    writer.close();
  };
  co_return co_await start_server(echo, "127.0.0.1", 0,
                                  ServerOptions().ssl(contexts.server).backlog(4096));
}

Coro<Streams> connect(const Contexts& contexts, const Server& server) {
  ConnectOptions options;
  options.ssl(contexts.client).server_hostname("localhost");
  co_return co_await open_connection("127.0.0.1", server.sockets().front().port(), options);
}

template <std::size_t size>
Coro<> tls_echo(Count& count) {
  Contexts contexts;
  Server server = co_await start_echo(contexts, size);
  auto [reader, writer] = co_await connect(contexts, server);
  std::string message(size, 'x');
  std::vector<char> room(size);
  while (count.more()) {
    co_await writer.send(std::string_view(message));
    for (std::size_t got = 0; got < size;)
      got += co_await reader.read_into(std::span(room).subspan(got));
  }
  writer.close();
  server.close();
  co_await server.wait_closed();
}

Coro<> tls_handshake(Count& count) {
  Contexts contexts;
  Server server = co_await start_echo(contexts, 64);
  while (count.more()) {
    auto [reader, writer] = co_await connect(contexts, server);
    writer.abort();
    co_await sleep(std::chrono::seconds(0));
  }
  server.close();
  server.abort_clients();
  co_await server.wait_closed();
}

/// Of one end, with a task that waits in read: half of what both ends take.
Coro<> idle_tls(Count& count) {
  Contexts contexts;
  Server server = co_await start_echo(contexts, 64);
  while (std::int64_t size = count.batch(2000)) {
    std::vector<Streams> clients;
    std::vector<char> room(64);
    bench::Resident resident;
    for (std::int64_t i = 0; i < size; ++i) {
      Streams client = co_await connect(contexts, server);
      co_await client.second.send(std::string_view("x"));
      co_await client.first.read_into(room);
      clients.push_back(client);
    }
    resident.report(count, 2 * size);
    for (Streams& client : clients) client.second.abort();
  }
  server.close();
  server.abort_clients();
  co_await server.wait_closed();
}

using bench::add;
using bench::in_loop;
using bench::Operation;

const bool added[] = {
    add(Operation("tls_echo_64", "asyncio", in_loop<tls_echo<64>>).batches(100)),
    add(Operation("tls_echo_16k", "asyncio", in_loop<tls_echo<16 * 1024>>).batches(20)),
    add(Operation("tls_echo_256k", "asyncio", in_loop<tls_echo<256 * 1024>>).batches(20)),
    add(Operation("tls_handshake", "asyncio", in_loop<tls_handshake>).batches(20)),
    add(Operation("idle_tls", "asyncio", in_loop<idle_tls>).batches(2000).memory()),
};

}  // namespace

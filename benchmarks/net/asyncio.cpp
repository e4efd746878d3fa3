// SPDX-License-Identifier: BSL-1.0
// Our echo servers. usage: echo_asyncio streams|bytes|protocol|sock tcp|tls|unix|udp PATH [CERT
// KEY]
#include "listening.hpp"
#include <asyncio/address.hpp>
#include <asyncio/datagrams.hpp>
#include <asyncio/protocols.hpp>
#include <asyncio/runner.hpp>
#include <asyncio/server.hpp>
#include <asyncio/streams.hpp>
#include <asyncio/task.hpp>
#include <asyncio/transports.hpp>

#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace {

using namespace asyncio;

// --- Streams ----------------------------------------------------------------------------------

Coro<> echo_stream(StreamReader reader, StreamWriter writer) {
  std::vector<char> room(echo::kRoom);
  while (std::size_t count = co_await reader.read_into(room))
    co_await writer.send(std::string_view(room.data(), count));
}

/// As in Python: each read gives bytes of its own.
Coro<> echo_bytes(StreamReader reader, StreamWriter writer) {
  while (true) {
    Bytes data = co_await reader.read(echo::kRoom);
    if (data.empty()) co_return;
    co_await writer.send(std::move(data));
  }
}

// --- Transports and protocols -----------------------------------------------------------------

/// Stops reading while the peer does not read.
class EchoProtocol : public BufferedProtocol {
 public:
  void connection_made(std::shared_ptr<Transport> transport) override {
    transport_ = std::move(transport);
  }
  // One room for all: the bytes leave it before the next call.
  std::span<char> get_buffer(std::size_t) override {
    static std::vector<char> room(echo::kRoom);
    return room_ = room;
  }
  void buffer_updated(std::size_t count) override {
    transport_->write(std::string_view(room_.data(), count));
  }
  void pause_writing() override { transport_->pause_reading(); }
  void resume_writing() override { transport_->resume_reading(); }
  void connection_lost(std::exception_ptr) override { transport_.reset(); }

 private:
  std::shared_ptr<Transport> transport_;
  std::span<char> room_;
};

class EchoDatagrams : public DatagramProtocol {
 public:
  void connection_made(std::shared_ptr<DatagramTransport> transport) override {
    transport_ = std::move(transport);
  }
  void datagram_received(std::string data, const SocketAddress& sender) override {
    transport_->sendto(data, sender);
  }

 private:
  std::shared_ptr<DatagramTransport> transport_;
};

// --- Sockets ----------------------------------------------------------------------------------

Coro<> echo_socket(int sock) {
  EventLoop loop = get_running_loop();
  std::vector<char> room(echo::kRoom);
  try {
    while (std::size_t count = co_await loop.sock_recv_into(sock, room))
      co_await loop.sock_sendall(sock, std::string_view(room.data(), count));
  } catch (const OSError&) {
    // The peer is gone.
  }
  ::close(sock);
}

Coro<> accept_sockets(int listener) {
  EventLoop loop = get_running_loop();
  while (true) {
    auto [sock, peer] = co_await loop.sock_accept(listener);
    create_task(echo_socket(sock));
  }
}

Coro<> echo_datagrams(int sock) {
  EventLoop loop = get_running_loop();
  std::vector<char> room(echo::kRoom);
  while (true) {
    auto [count, sender] = co_await loop.sock_recvfrom_into(sock, room);
    co_await loop.sock_sendto(sock, std::string_view(room.data(), count), sender);
  }
}

Coro<> serve(std::string style, int sock, bool datagrams, ServerOptions options) {
  EventLoop loop = get_running_loop();
  if (style == "sock") {
    if (datagrams) co_await echo_datagrams(sock);
    co_await accept_sockets(sock);
  } else if (datagrams) {
    auto made = [] { return std::make_shared<EchoDatagrams>(); };
    auto endpoint = co_await loop.create_datagram_endpoint(made, DatagramOptions().sock(sock));
    co_await loop.create_future<void>();
  } else if (style == "protocol") {
    auto made = [] { return std::make_shared<EchoProtocol>(); };
    Server server = co_await loop.create_server(made, sock, options);
    co_await server.serve_forever();
  } else {
    auto handler = style == "bytes" ? echo_bytes : echo_stream;
    Server server = co_await start_server(handler, sock, options);
    co_await server.serve_forever();
  }
}

}  // namespace

int main(int count, char** words) {
  if (count < 4) return 2;
  std::string kind = words[2];
  int sock = echo::listening_socket(kind, words[3]);
  ServerOptions options;
  options.backlog(4096);
  if (kind == "tls") {
    TlsContext context(TlsPurpose::client_auth);
    context.load_cert_chain(words[4], words[5]);
    options.ssl(context);
  }
  return run_main(serve(words[1], sock, kind == "udp", options));
}

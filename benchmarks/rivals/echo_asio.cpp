// SPDX-License-Identifier: BSL-1.0
// An echo server on coroutines of Boost.Asio, on one thread.
// usage: echo_asio tcp|tls|unix|udp PATH [CERT KEY]
#include "listening.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ip/udp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <string>
#include <utility>
#include <vector>

namespace {

namespace asio = boost::asio;
namespace ssl = asio::ssl;
using asio::awaitable;
using asio::use_awaitable;
using asio::ip::tcp;
using asio::ip::udp;
constexpr auto quiet = asio::as_tuple(use_awaitable);

template <class Stream>
awaitable<void> echo_bytes(Stream& stream) {
  std::vector<char> room(echo::kRoom);
  while (true) {
    auto [ended, got] = co_await stream.async_read_some(asio::buffer(room), quiet);
    if (ended) co_return;
    auto [failed, sent] = co_await asio::async_write(stream, asio::buffer(room.data(), got), quiet);
    if (failed) co_return;
  }
}

template <class Socket>
awaitable<void> serve_plain(Socket socket) {
  co_await echo_bytes(socket);
}

awaitable<void> serve_tls(tcp::socket socket, ssl::context& context) {
  ssl::stream<tcp::socket> stream(std::move(socket), context);
  auto [failed] = co_await stream.async_handshake(ssl::stream_base::server, quiet);
  if (!failed) co_await echo_bytes(stream);
}

template <class Protocol>
awaitable<void> accept_all(int listener, Protocol protocol, ssl::context* context) {
  auto executor = co_await asio::this_coro::executor;
  typename Protocol::acceptor acceptor(executor, protocol, listener);
  while (true) {
    auto socket = co_await acceptor.async_accept(use_awaitable);
    if constexpr (std::is_same_v<Protocol, tcp>)
      if (context) {
        asio::co_spawn(executor, serve_tls(std::move(socket), *context), asio::detached);
        continue;
      }
    asio::co_spawn(executor, serve_plain(std::move(socket)), asio::detached);
  }
}

awaitable<void> echo_datagrams(int sock) {
  udp::socket socket(co_await asio::this_coro::executor, udp::v4(), sock);
  std::vector<char> room(echo::kRoom);
  udp::endpoint sender;
  while (true) {
    std::size_t got = co_await socket.async_receive_from(asio::buffer(room), sender, use_awaitable);
    co_await socket.async_send_to(asio::buffer(room.data(), got), sender, use_awaitable);
  }
}

}  // namespace

int main(int count, char** words) {
  if (count < 3) return 2;
  std::string kind = words[1];
  int sock = echo::listening_socket(kind, words[2]);
  asio::io_context io(1);
  ssl::context context(ssl::context::tls_server);
  if (kind == "tls") {
    context.use_certificate_chain_file(words[3]);
    context.use_private_key_file(words[4], ssl::context::pem);
    SSL_CTX_set_mode(context.native_handle(), SSL_MODE_RELEASE_BUFFERS);
  }
  if (kind == "udp")
    asio::co_spawn(io, echo_datagrams(sock), asio::detached);
  else if (kind == "unix")
    asio::co_spawn(io, accept_all(sock, asio::local::stream_protocol(), nullptr), asio::detached);
  else
    asio::co_spawn(io, accept_all(sock, tcp::v4(), kind == "tls" ? &context : nullptr),
                   asio::detached);
  io.run();
}

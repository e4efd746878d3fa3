// SPDX-License-Identifier: BSL-1.0
// Boost.Asio over TLS, as tls.cpp.
#include "certificates.hpp"
#include "in_context.hpp"
#include "memory.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/asio/write.hpp>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace {

namespace asio = boost::asio;
namespace ssl = asio::ssl;
using asio::awaitable;
using asio::use_awaitable;
using asio::ip::tcp;
using bench::Count;
using Stream = ssl::stream<tcp::socket>;

class Contexts {
 public:
  Contexts() {
    server.use_certificate_chain_file(identity.certfile);
    server.use_private_key_file(identity.keyfile, ssl::context::pem);
    client.load_verify_file(identity.certfile);
    client.set_verify_mode(ssl::verify_peer);
    for (ssl::context* context : {&server, &client})
      SSL_CTX_set_mode(context->native_handle(), SSL_MODE_RELEASE_BUFFERS);
  }

  test::Folder folder;
  test::Identity identity{folder, test::CertificateSpec("localhost").alternatives("DNS:localhost")};
  ssl::context server{ssl::context::tls_server};
  ssl::context client{ssl::context::tls_client};
};

awaitable<void> echo(std::shared_ptr<Stream> stream, std::size_t size) {
  constexpr auto quiet = asio::as_tuple(use_awaitable);
  auto [failed] = co_await stream->async_handshake(Stream::server, quiet);
  std::vector<char> room(size);
  while (!failed) {
    auto [ended, got] = co_await stream->async_read_some(asio::buffer(room), quiet);
    if (ended) break;
    co_await asio::async_write(*stream, asio::buffer(room.data(), got), quiet);
  }
}

/// Accepts until the acceptor is closed.
awaitable<void> serve(tcp::acceptor& acceptor, Contexts& contexts, std::size_t size) {
  while (true) {
    auto [failed, socket] = co_await acceptor.async_accept(asio::as_tuple(use_awaitable));
    if (failed) co_return;
    socket.set_option(tcp::no_delay(true));
    auto stream = std::make_shared<Stream>(std::move(socket), contexts.server);
    asio::co_spawn(acceptor.get_executor(), echo(std::move(stream), size), asio::detached);
  }
}

awaitable<void> connect(Stream& stream, tcp::endpoint to) {
  co_await stream.next_layer().async_connect(to, use_awaitable);
  stream.next_layer().set_option(tcp::no_delay(true));
  stream.set_verify_callback(ssl::host_name_verification("localhost"));
  SSL_set_tlsext_host_name(stream.native_handle(), "localhost");
  co_await stream.async_handshake(Stream::client, use_awaitable);
}

/// Runs `body(count, acceptor, contexts)` beside a server.
template <std::size_t size, class Body>
awaitable<void> with_server(Count& count, Body body) {
  auto executor = co_await asio::this_coro::executor;
  Contexts contexts;
  tcp::acceptor acceptor(executor, {asio::ip::address_v4::loopback(), 0});
  asio::co_spawn(executor, serve(acceptor, contexts, size), asio::detached);
  co_await body(count, acceptor, contexts);
  acceptor.close();
  co_await asio::post(executor, use_awaitable);
}

template <std::size_t size>
awaitable<void> exchange(Count& count, tcp::acceptor& acceptor, Contexts& contexts) {
  Stream stream(acceptor.get_executor(), contexts.client);
  co_await connect(stream, acceptor.local_endpoint());
  std::string message(size, 'x');
  std::vector<char> room(size);
  while (count.more()) {
    co_await asio::async_write(stream, asio::buffer(message), use_awaitable);
    co_await asio::async_read(stream, asio::buffer(room), use_awaitable);
  }
}

template <std::size_t size>
awaitable<void> tls_echo(Count& count) {
  co_await with_server<size>(count, &exchange<size>);
}

awaitable<void> handshakes(Count& count, tcp::acceptor& acceptor, Contexts& contexts) {
  while (count.more()) {
    Stream stream(acceptor.get_executor(), contexts.client);
    co_await connect(stream, acceptor.local_endpoint());
  }
}

awaitable<void> tls_handshake(Count& count) { co_await with_server<64>(count, &handshakes); }

awaitable<void> hold(Count& count, tcp::acceptor& acceptor, Contexts& contexts) {
  while (std::int64_t size = count.batch(2000)) {
    std::vector<std::unique_ptr<Stream>> streams;
    bench::Resident resident;
    for (std::int64_t i = 0; i < size; ++i) {
      streams.push_back(std::make_unique<Stream>(acceptor.get_executor(), contexts.client));
      co_await connect(*streams.back(), acceptor.local_endpoint());
      char byte = 'x';
      co_await asio::async_write(*streams.back(), asio::buffer(&byte, 1), use_awaitable);
      co_await asio::async_read(*streams.back(), asio::buffer(&byte, 1), use_awaitable);
    }
    resident.report(count, 2 * size);
  }
}

awaitable<void> idle_tls(Count& count) { co_await with_server<64>(count, &hold); }

using bench::add;
using bench::in_context;
using bench::Operation;

const bool added[] = {
    add(Operation("tls_echo_64", "asio", in_context<tls_echo<64>>).batches(100)),
    add(Operation("tls_echo_16k", "asio", in_context<tls_echo<16 * 1024>>).batches(20)),
    add(Operation("tls_echo_256k", "asio", in_context<tls_echo<256 * 1024>>).batches(20)),
    add(Operation("tls_handshake", "asio", in_context<tls_handshake>).batches(20)),
    add(Operation("idle_tls", "asio", in_context<idle_tls>).batches(2000).memory()),
};

}  // namespace

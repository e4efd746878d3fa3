// SPDX-License-Identifier: BSL-1.0
// M7w: a WebSocket echo with Boost.Beast and C++20 awaitables. asio-websocket PORT
#include <boost/asio.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/websocket.hpp>
#include <string>
namespace asio = boost::asio;
namespace beast = boost::beast;
namespace websocket = beast::websocket;
using tcp = asio::ip::tcp;
static asio::awaitable<void> serve(tcp::socket s) {
  boost::system::error_code ec;
  s.set_option(tcp::no_delay(true), ec);
  websocket::stream<tcp::socket> ws(std::move(s));
  co_await ws.async_accept(asio::redirect_error(asio::use_awaitable, ec));
  beast::flat_buffer buf;
  while (!ec) {
    co_await ws.async_read(buf, asio::redirect_error(asio::use_awaitable, ec));
    if (ec) co_return;
    ws.text(ws.got_text());
    co_await ws.async_write(buf.data(), asio::redirect_error(asio::use_awaitable, ec));
    buf.clear();
  }
}
static asio::awaitable<void> listen_co(unsigned short port) {
  auto ex = co_await asio::this_coro::executor;
  tcp::acceptor a(ex, {asio::ip::address_v4::loopback(), port});
  for (;;) asio::co_spawn(ex, serve(co_await a.async_accept(asio::use_awaitable)), asio::detached);
}
int main(int, char** argv) {
  asio::io_context io(1);
  asio::co_spawn(io, listen_co(static_cast<unsigned short>(std::stoi(argv[1]))), asio::detached);
  io.run();
}

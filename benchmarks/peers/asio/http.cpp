// SPDX-License-Identifier: BSL-1.0
// Boost.Beast: "Hello, World!" at /, 1 KiB of JSON at /json, with C++20 awaitables, keep-alive.
#include <boost/asio.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <string>
namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using tcp = asio::ip::tcp;
static const std::string kJson = R"({"message":")" + std::string(1010, 'x') + R"("})";
static asio::awaitable<void> serve(tcp::socket s) {
  beast::flat_buffer buf;
  boost::system::error_code ec;
  s.set_option(tcp::no_delay(true), ec);
  for (;;) {
    http::request<http::string_body> q;
    co_await http::async_read(s, buf, q, asio::redirect_error(asio::use_awaitable, ec));
    if (ec) co_return;
    http::response<http::string_body> r{http::status::ok, q.version()};
    const bool json = q.target() == "/json";
    r.set(http::field::content_type, json ? "application/json" : "text/plain");
    r.keep_alive(q.keep_alive());
    r.body() = json ? kJson : "Hello, World!";
    r.prepare_payload();
    co_await http::async_write(s, r, asio::redirect_error(asio::use_awaitable, ec));
    if (ec || !q.keep_alive()) co_return;
  }
}
static asio::awaitable<void> listen_co(unsigned short port) {
  auto ex = co_await asio::this_coro::executor;
  tcp::acceptor a(ex, {asio::ip::address_v4::loopback(), port});
  for (;;) asio::co_spawn(ex, serve(co_await a.async_accept(asio::use_awaitable)), asio::detached);
}
int main(int, char** argv) {
  asio::io_context io(1);
  asio::co_spawn(io, listen_co(std::stoi(argv[1])), asio::detached);
  io.run();
}

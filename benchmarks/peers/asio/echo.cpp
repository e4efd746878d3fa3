// SPDX-License-Identifier: BSL-1.0
// Boost.Asio echo server; argv[2] = "co" (awaitable, with any_io_executor as its documentation has
// it), "concrete" (the same without type erasure) or "cb" (callbacks).
#include <boost/asio.hpp>
#include <memory>
#include <string>
namespace asio = boost::asio;
using tcp = asio::ip::tcp;
using Concrete = asio::io_context::executor_type;
using Sock = asio::basic_stream_socket<tcp, Concrete>;
template <class Ex>
static asio::awaitable<void, Ex> serve(asio::basic_stream_socket<tcp, Ex> s) {
  std::vector<char> b(65536);
  boost::system::error_code ec;
  asio::use_awaitable_t<Ex> use_awaitable;
  s.set_option(tcp::no_delay(true), ec);
  for (;;) {
    auto n = co_await s.async_read_some(asio::buffer(b), asio::redirect_error(use_awaitable, ec));
    if (ec) co_return;
    co_await asio::async_write(s, asio::buffer(b.data(), n),
                               asio::redirect_error(use_awaitable, ec));
    if (ec) co_return;
  }
}
template <class Ex>
static asio::awaitable<void, Ex> listen_co(unsigned short port) {
  Ex ex = co_await asio::this_coro::executor;
  asio::basic_socket_acceptor<tcp, Ex> a(ex, {asio::ip::address_v4::loopback(), port});
  asio::use_awaitable_t<Ex> use_awaitable;
  for (;;) {
    asio::basic_stream_socket<tcp, Ex> s = co_await a.async_accept(use_awaitable);
    asio::co_spawn(ex, serve<Ex>(std::move(s)), asio::detached);
  }
}
struct Conn : std::enable_shared_from_this<Conn> {
  Sock s;
  std::vector<char> b = std::vector<char>(65536);
  explicit Conn(Sock q) : s(std::move(q)) {
    boost::system::error_code ec;
    s.set_option(tcp::no_delay(true), ec);
  }
  void read() {
    s.async_read_some(asio::buffer(b),
                      [p = shared_from_this()](boost::system::error_code ec, std::size_t n) {
                        if (!ec) p->write(n);
                      });
  }
  void write(std::size_t n) {
    asio::async_write(s, asio::buffer(b.data(), n),
                      [p = shared_from_this()](boost::system::error_code ec, std::size_t) {
                        if (!ec) p->read();
                      });
  }
};
struct Listener {
  asio::basic_socket_acceptor<tcp, Concrete> a;
  void go() {
    a.async_accept([this](boost::system::error_code ec, Sock s) {
      if (!ec) std::make_shared<Conn>(std::move(s))->read();
      go();
    });
  }
};
int main(int, char** argv) {
  asio::io_context io(1);
  unsigned short port = std::stoi(argv[1]);
  std::string kind = argv[2];
  if (kind == "co") {
    asio::co_spawn(io, listen_co<asio::any_io_executor>(port), asio::detached);
    io.run();
  } else if (kind == "concrete") {
    asio::co_spawn(io.get_executor(), listen_co<Concrete>(port), asio::detached);
    io.run();
  } else {
    Listener l{{io, tcp::endpoint{asio::ip::address_v4::loopback(), port}}};
    l.go();
    io.run();
  }
}

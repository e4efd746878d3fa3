// SPDX-License-Identifier: BSL-1.0
// M8 with Boost.Beast awaitables: C workers, each on its own keep-alive connection. client PORT N C
#include "../bench.h"

#include <boost/asio.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <string>
namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using tcp = asio::ip::tcp;
struct St {
  long left;
  size_t total = 0;
};
static asio::awaitable<void> worker(tcp::socket& s, St& st) {
  beast::flat_buffer buf;
  while (st.left-- > 0) {
    http::request<http::empty_body> q{http::verb::get, "/1k", 11};
    q.set(http::field::host, "127.0.0.1");
    co_await http::async_write(s, q, asio::use_awaitable);
    http::response<http::string_body> r;
    co_await http::async_read(s, buf, r, asio::use_awaitable);
    st.total += r.body().size();
  }
}
int main(int, char** argv) {
  asio::io_context io(1);
  unsigned short port = std::stoi(argv[1]);
  long n = atol(argv[2]);
  int c = atoi(argv[3]);
  std::vector<tcp::socket> v;
  for (int i = 0; i < c; i++) {
    v.emplace_back(io);
    v.back().connect({asio::ip::address_v4::loopback(), port});
    v.back().set_option(tcp::no_delay(true));
  }
  auto go = [&](long k) {
    St st{k};
    io.restart();
    for (auto& s : v) asio::co_spawn(io, worker(s, st), asio::detached);
    io.run();
    return st.total;
  };
  go(n / 10);
  double w = bench_wall(), p = bench_cpu();
  size_t t = go(n);
  w = bench_wall() - w;
  p = bench_cpu() - p;
  if (t != size_t(n) * 1024) abort();
  bench_report("M8", n, w, p, "");
}

// SPDX-License-Identifier: BSL-1.0
/// Applications for tests.
#pragma once

#include "asyncio/http/url.hpp"
#include "asyncio/web/runner.hpp"
#include "asyncio/web/stream_response.hpp"

#include <cstdint>
#include <string>
#include <utility>

namespace test {

/// An application on a port of its own.
class Served {
 public:
  Served(asyncio::web::AppRunner runner, asyncio::http::URL url)
      : runner_(std::move(runner)), url_(std::move(url)) {}
  const asyncio::http::URL& url() const noexcept { return url_; }
  const asyncio::web::AppRunner& runner() const noexcept { return runner_; }
  asyncio::Coro<> cleanup() const { return runner_.cleanup(); }
  std::uint16_t port() const { return url_.port().value(); }

 private:
  asyncio::web::AppRunner runner_;
  asyncio::http::URL url_;
};

inline asyncio::Coro<Served> serve(asyncio::web::Application app,
                                   asyncio::web::RunnerOptions options = {}) {
  asyncio::web::AppRunner runner(std::move(app), options);
  co_await runner.setup();
  asyncio::web::TCPSite site(runner, "127.0.0.1", 0);
  co_await site.start();
  std::uint16_t port = runner.addresses().at(0).port();
  co_return Served(runner, asyncio::http::URL("http://127.0.0.1:" + std::to_string(port) + "/"));
}

/// A handler that says what it is told, piece by piece.
inline asyncio::Coro<asyncio::web::Response> stream_back(asyncio::web::Request& request) {
  asyncio::web::StreamResponse stream;
  co_await stream.prepare(request);
  while (true) {
    std::string part(co_await request.read_some());
    if (part.empty()) break;
    co_await stream.write(part);
  }
  asyncio::web::Response sent = co_await stream.write_eof();
  co_return sent;
}

}  // namespace test

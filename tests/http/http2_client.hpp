// SPDX-License-Identifier: BSL-1.0
/// A client of HTTP/2 whose frames are written by hand, and applications for it.
#pragma once

#include "asyncio/asyncio.hpp"
#include "http2_frames.hpp"
#include "served.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <utility>

namespace test {

namespace h2 {

inline asyncio::web::RunnerOptions with_http2() {
  return asyncio::web::RunnerOptions().http2_prior_knowledge(true);
}

/// A client that says what it is told to.
class Client {
 public:
  explicit Client(asyncio::Streams streams)
      : reader_(std::move(streams.first)), writer_(std::move(streams.second)) {}

  void send(const std::string& bytes) { writer_.write(bytes); }
  /// Awaits: that the server has said it, or has ended.
  /// Returns: all that it has said.
  asyncio::Coro<std::string> until(std::string what) {
    co_await take_until(reader_, said_.get(), std::move(what));
    co_return said_->text();
  }
  asyncio::Coro<std::string> until_end() { return until("nothing says this"); }
  const Said& said() const { return *said_; }
  std::string field(const std::string& name) const {
    for (const auto& field : said_->fields())
      if (field.first == name) return field.second;
    return "none";
  }
  void close() { writer_.close(); }

 private:
  asyncio::StreamReader reader_;
  asyncio::StreamWriter writer_;
  std::unique_ptr<Said> said_ = std::make_unique<Said>();
};

inline asyncio::Coro<Client> connected_to(std::uint16_t port, std::string first) {
  asyncio::Streams streams = co_await asyncio::open_connection("127.0.0.1", port);
  Client client(std::move(streams));
  client.send(hello() + first);
  co_return client;
}

/// What a server with that application says to these frames until it ends the connection.
inline asyncio::Coro<std::string> all_said(asyncio::web::Application app, std::string frames,
                                           asyncio::web::RunnerOptions options = with_http2()) {
  Served served = co_await test::serve(std::move(app), options);
  Client client = co_await connected_to(served.port(), std::move(frames));
  std::string said = co_await client.until_end();
  client.close();
  co_await served.cleanup();
  co_return said;
}

inline asyncio::web::Application echoing() {
  asyncio::web::Application app;
  app.add_route("*", "/{rest...}",
                [](asyncio::web::Request& request) -> asyncio::Coro<asyncio::web::Response> {
                  std::string body = co_await request.read();
                  co_return asyncio::web::Response(std::string(request.method().str()) + body);
                });
  return app;
}

inline asyncio::web::Application answering(asyncio::web::Handler handler) {
  asyncio::web::Application app;
  app.add_route("*", "/{rest...}", std::move(handler));
  return app;
}

}  // namespace h2

}  // namespace test

// SPDX-License-Identifier: BSL-1.0
/// Servers that say what a test wants them to say, byte by byte if need be.
#pragma once

#include "asyncio/asyncio.hpp"
#include "asyncio/http/client.hpp"

#include <algorithm>
#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace test {

using asyncio::Coro;
using asyncio::StreamReader;
using asyncio::StreamWriter;

/// A server whose handler has the bytes of each connection. That a connection breaks off is no
/// error of it.
class RawServer {
 public:
  using Handler = std::function<Coro<>(StreamReader, StreamWriter)>;

  static Coro<RawServer> start(Handler handler, std::string host = "127.0.0.1",
                               asyncio::ServerOptions options = {}) {
    auto counted = std::make_shared<int>(0);
    auto serve_one = [handler = std::move(handler), counted](StreamReader reader,
                                                             StreamWriter writer) -> Coro<> {
      ++*counted;
      return serve(handler, std::move(reader), std::move(writer));
    };
    bool secure = options.get_ssl().has_value();
    auto server = co_await asyncio::start_server(serve_one, host, 0, options);
    RawServer raw(std::move(server), counted, (secure ? "https://" : "http://") + host);
    co_return raw;
  }

  std::uint16_t port() const { return server_.sockets().at(0).port(); }
  asyncio::http::URL url(const std::string& path = "/") const {
    return asyncio::http::URL(base_ + ":" + std::to_string(port()) + path);
  }
  int connections() const { return *connections_; }
  Coro<> stop() {
    server_.close();
    server_.abort_clients();
    co_await server_.wait_closed();
  }

 private:
  RawServer(asyncio::Server server, std::shared_ptr<int> connections, std::string base)
      : server_(std::move(server)), connections_(std::move(connections)), base_(std::move(base)) {}

  static Coro<> serve(Handler handler, StreamReader reader, StreamWriter writer) {
    auto outcome = co_await asyncio::capture(handler(reader, writer));
    writer.close();
    bool broken_off =
        outcome.holds<asyncio::IncompleteReadError>() || outcome.holds<asyncio::OSError>();
    if (!outcome && !broken_off) outcome.rethrow();
  }

  asyncio::Server server_;
  std::shared_ptr<int> connections_;
  std::string base_;
};

/// The next head, with its end. Its body is read and dropped.
inline Coro<std::string> read_request(StreamReader reader) {
  std::string head = co_await reader.readuntil("\r\n\r\n");
  if (head.find("Transfer-Encoding: chunked") != std::string::npos) {
    co_await reader.readuntil("0\r\n\r\n");
  } else if (std::size_t at = head.find("Content-Length: "); at != std::string::npos) {
    co_await reader.readexactly(std::stoul(head.substr(at + 16)));
  }
  co_return head;
}

/// What stands between the method and the version.
inline std::string target_of(const std::string& head) {
  std::size_t begin = head.find(' ') + 1;
  return head.substr(begin, head.find(' ', begin) - begin);
}

/// The value of a field; "-" if there is none.
inline std::string field_of(const std::string& head, const std::string& name) {
  std::size_t at = head.find("\r\n" + name + ": ");
  if (at == std::string::npos) return "-";
  at += name.size() + 4;
  return head.substr(at, head.find("\r\n", at) - at);
}

inline std::string response_with(const std::string& body, const std::string& fields = {}) {
  return "HTTP/1.1 200 OK\r\n" + fields + "Content-Length: " + std::to_string(body.size()) +
         "\r\n\r\n" + body;
}

/// Says this to the first request, and then closes.
inline RawServer::Handler saying(std::string bytes) {
  return [bytes = std::move(bytes)](StreamReader reader, StreamWriter writer) -> Coro<> {
    co_await read_request(reader);
    co_await writer.send(bytes);
  };
}

/// Says to each request its own target.
inline Coro<> say_target(StreamReader reader, StreamWriter writer) {
  for (;;) {
    std::string head = co_await read_request(reader);
    co_await writer.send(response_with(target_of(head)));
  }
}

/// The body of the answer.
inline Coro<std::string> text_of(asyncio::http::ClientSession session, asyncio::http::URL url,
                                 asyncio::http::RequestOptions options = {}) {
  asyncio::http::ClientResponse response = co_await session.get(std::move(url), std::move(options));
  std::string text = co_await response.text();
  co_return text;
}

/// How many are inside at once, and how many that were at most.
class Crowd {
 public:
  void enter() { most = std::max(most, ++now); }
  void leave() { --now; }
  int now = 0;
  int most = 0;
};

using Strings = std::vector<std::string>;

/// Keeps the heads that come; answers "/to?URL" with a redirect there, and else "end".
class Recorder {
 public:
  RawServer::Handler handler() {
    return [this](StreamReader reader, StreamWriter writer) -> Coro<> {
      for (;;) {
        std::string head = co_await read_request(reader);
        heads.push_back(head);
        std::string target = target_of(head);
        std::size_t at = target.find("/to?");
        if (at == std::string::npos) {
          co_await writer.send(response_with("end"));
        } else {
          co_await writer.send("HTTP/1.1 " + status + " Go\r\nLocation: " + target.substr(at + 4) +
                               "\r\nContent-Length: 0\r\n\r\n");
        }
      }
    };
  }
  std::string status = "302";
  Strings heads;
};

inline asyncio::AsyncGenerator<std::string> pieces(Strings all) {
  for (std::string& piece : all) {
    co_await asyncio::sleep(std::chrono::milliseconds(1));
    co_yield std::move(piece);
  }
}

}  // namespace test

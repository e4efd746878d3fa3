// SPDX-License-Identifier: BSL-1.0
/// A site on a simulated loop that answers as it is told, and keeps what it was asked.
#pragma once

#include "asyncio/asyncio.hpp"
#include "asyncio/http/client.hpp"
#include "asyncio/testing/simulated.hpp"
#include "raw_server.hpp"

#include <functional>
#include <map>
#include <string>
#include <utility>

namespace test {

/// Keeps the requests that come, and answers each target with its own answer, or else with "end".
class Site {
 public:
  RawServer::Handler handler() {
    return [this](StreamReader reader, StreamWriter writer) -> Coro<> {
      for (;;) {
        std::string head = co_await reader.readuntil("\r\n\r\n");
        std::string body = co_await body_of(reader, head);
        heads.push_back(head);
        bodies.push_back(body);
        auto answer = answers.find(target_of(head));
        std::string bytes = answer == answers.end() ? response_with("end") : answer->second;
        if (bytes.empty()) co_return;
        if (head.starts_with("HEAD ")) bytes.resize(bytes.find("\r\n\r\n") + 4);
        co_await writer.send(bytes);
      }
    };
  }
  void redirect(const std::string& from, const std::string& status, const std::string& to,
                const std::string& fields = {}) {
    answers[from] = "HTTP/1.1 " + status + " Go\r\nLocation: " + to + "\r\n" + fields +
                    "Content-Length: 0\r\n\r\n";
  }
  /// "METHOD target|Content-Type|Content-Length|body" of the last one.
  std::string last() const {
    const std::string& head = heads.back();
    return head.substr(0, head.find(" HTTP/")) + "|" + field_of(head, "Content-Type") + "|" +
           field_of(head, "Content-Length") + "|" + bodies.back();
  }

  std::map<std::string, std::string> answers;  // "": the connection is closed instead
  Strings heads, bodies;

 private:
  static Coro<std::string> body_of(StreamReader reader, std::string head) {
    std::string body;
    if (field_of(head, "Content-Length") != "-")
      co_return co_await reader.readexactly(std::stoul(field_of(head, "Content-Length")));
    std::size_t size = field_of(head, "Transfer-Encoding") == "chunked" ? 1 : 0;
    while (size > 0) {
      std::string line = co_await reader.readuntil("\r\n");
      size = std::stoul(line, nullptr, 16);
      std::string piece = co_await reader.readexactly(size + 2);
      body += piece.substr(0, size);
    }
    co_return body;
  }
};

/// What a test needs, on a simulated loop: a site, and a session of these options.
inline void with_site(std::function<Coro<>(Site&, RawServer&, asyncio::http::ClientSession&)> test,
                      std::function<void(asyncio::http::SessionOptions&)> configure = {}) {
  asyncio::testing::run_simulated([&]() -> Coro<> {
    Site site;
    RawServer server = co_await RawServer::start(site.handler());
    asyncio::http::SessionOptions options;
    options.base_url(server.url());
    if (configure) configure(options);
    asyncio::http::ClientSession session(options);
    co_await test(site, server, session);
    session.close();
    co_await server.stop();
  });
}

inline Coro<> ask(asyncio::http::ClientSession session, asyncio::http::Method method,
                  std::string path, asyncio::http::RequestOptions options = {}) {
  asyncio::http::ClientResponse response =
      co_await session.request(method, asyncio::http::URL(path), std::move(options));
  co_await response.read();
}

}  // namespace test

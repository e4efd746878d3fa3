// SPDX-License-Identifier: BSL-1.0
/// Bytes for a whole server, and what it answers.
#pragma once

#include "asyncio/asyncio.hpp"
#include "served.hpp"

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace test {

using namespace std::chrono_literals;

inline std::size_t count_of(std::string_view text, std::string_view what) {
  std::size_t count = 0;
  for (std::size_t at = text.find(what); at != std::string_view::npos; at = text.find(what, at + 1))
    ++count;
  return count;
}

/// An answer without what differs from one second to the next.
inline std::string without_dates(std::string text) {
  for (std::size_t at; (at = text.find("Date: ")) != std::string::npos;)
    text.erase(at, text.find('\n', at) + 1 - at);
  return text;
}

inline std::string get(std::string_view path, std::string_view fields = "") {
  return "GET " + std::string(path) + " HTTP/1.1\r\nHost: h\r\n" + std::string(fields) + "\r\n";
}
inline std::string post(std::string_view path, std::string_view fields,
                        std::string_view body = "") {
  return "POST " + std::string(path) + " HTTP/1.1\r\nHost: h\r\n" + std::string(fields) + "\r\n" +
         std::string(body);
}

/// All that a server says to these pieces, a millisecond apart, until it closes. The end of our
/// side comes only after its end.
inline asyncio::Coro<std::string> exchange(std::uint16_t port, std::vector<std::string> pieces) {
  auto [reader, writer] = co_await asyncio::open_connection("127.0.0.1", port);
  for (std::string& piece : pieces) {
    writer.write(std::move(piece));
    co_await asyncio::sleep(1ms);
  }
  std::string answer;
  try {
    while (true) {
      std::string part = co_await reader.read(65536);
      if (part.empty()) break;
      answer += part;
    }
  } catch (const asyncio::OSError&) {
    answer += "[reset]";
  }
  writer.close();
  co_return answer;
}

inline asyncio::Coro<std::string> exchange(std::uint16_t port, std::string bytes) {
  std::vector<std::string> pieces;
  pieces.push_back(std::move(bytes));
  return exchange(port, std::move(pieces));
}

/// What its requests are is noted: "GET /path body".
class Notes {
 public:
  asyncio::web::Application application() {
    asyncio::web::Application app;
    app.add_route(
        "*", "/{rest...}",
        [this](asyncio::web::Request& request) -> asyncio::Coro<asyncio::web::Response> {
          std::string body = co_await request.read();
          lines.push_back(std::string(request.method().str()) + " " + request.path() + " " + body);
          co_return asyncio::web::Response("ok");
        });
    return app;
  }

  std::vector<std::string> lines;
};

/// A second request, which ends the connection. Its answer is always the same.
inline std::string last() { return get("/last", "Connection: close\r\n"); }
inline constexpr std::string_view kLast = "\r\n\r\nlast";

inline asyncio::Coro<asyncio::web::Response> say_last(asyncio::web::Request&) {
  co_return asyncio::web::Response("last");
}

}  // namespace test

// SPDX-License-Identifier: BSL-1.0
/// Servers of HTTP/2 that do what a test wants, by streams or frame by frame.
#pragma once

#include "asyncio/asyncio.hpp"
#include "http/http2_connection.hpp"
#include "http2_frames.hpp"
#include "raw_server.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace test {

using H2Link = std::shared_ptr<asyncio::http::detail::Http2Connection>;
using H2Stream = std::shared_ptr<asyncio::http::detail::Http2Stream>;
using asyncio::http::detail::Http2Code;
using asyncio::http::detail::Http2Role;
using asyncio::http::detail::Http2Terms;

/// For sessions that speak to them.
inline asyncio::http::SessionOptions over_http2() {
  return asyncio::http::SessionOptions().http2(asyncio::http::Http2::PriorKnowledge);
}

inline Http2Terms streams_at_most(std::uint32_t count) {
  Http2Terms terms;
  terms.limits.streams(count);
  return terms;
}

/// Answers a stream in a task of its own.
using H2Handler = std::function<Coro<>(H2Link, H2Stream)>;

/// That a stream breaks off is no error of it.
inline Coro<> answer(H2Handler& handler, H2Link link, H2Stream stream) {
  auto outcome = co_await asyncio::capture(handler(std::move(link), std::move(stream)));
  if (!outcome && !outcome.holds<asyncio::OSError>() && !outcome.cancelled()) outcome.rethrow();
}

/// For RawServer.
inline RawServer::Handler speaking_http2(H2Handler handler, Http2Terms terms = {}) {
  auto shared = std::make_shared<H2Handler>(std::move(handler));
  return [shared, terms](StreamReader reader, StreamWriter writer) -> Coro<> {
    auto link = std::make_shared<asyncio::http::detail::Http2Connection>(
        reader, writer, Http2Role::server, terms, std::chrono::seconds(30));
    std::function<void()> received = [shared, weak = link->weak_from_this()] {
      auto self = weak.lock();
      while (auto stream = self->session().next_request())
        asyncio::create_task(answer(*shared, self, stream));
    };
    co_await link->run(received);
  };
}

inline void respond(const H2Link& link, const H2Stream& stream, std::string body,
                    asyncio::http::Status status = 200, asyncio::http::Headers fields = {}) {
  link->session().respond(*stream, status, fields, true);
  link->session().write(*stream, std::move(body));
  link->session().end(*stream);
  link->flush_soon();
}

/// Says to each request its own target.
inline Coro<> echo_target(H2Link link, H2Stream stream) {
  respond(link, stream, stream->request.target);
  co_return;
}

inline const std::string kStatus200 = "\x88";  // HPACK's index

/// The head and the body of an answer.
inline std::string whole_answer(std::uint32_t id, std::string_view body) {
  return h2::frame(h2::headers, h2::end_headers, id, kStatus200) +
         h2::frame(h2::data, h2::end_stream, id, body);
}

/// Until a frame of that type has come; its stream.
inline Coro<std::uint32_t> read_until(StreamReader reader, int type) {
  for (;;) {
    std::string head = co_await reader.readexactly(9);
    const auto byte = [&head](std::size_t at) {
      return static_cast<std::uint32_t>(static_cast<unsigned char>(head[at]));
    };
    co_await reader.readexactly(byte(0) << 16 | byte(1) << 8 | byte(2));
    if (head[3] == static_cast<char>(type))
      co_return byte(5) << 24 | byte(6) << 16 | byte(7) << 8 | byte(8);
  }
}

/// What a client begins with, up to its first request.
inline Coro<std::uint32_t> read_first_request(StreamReader reader) {
  co_await reader.readexactly(24);
  std::uint32_t id = co_await read_until(reader, h2::headers);
  co_return id;
}

}  // namespace test

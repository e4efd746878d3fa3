// SPDX-License-Identifier: BSL-1.0
/// Responses that are sent piece by piece: aiohttp's web.StreamResponse.
#pragma once

#include "asyncio/coro.hpp"
#include "asyncio/web/request.hpp"
#include "asyncio/web/response.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace asyncio::http::detail {
class Encoder;
}

namespace asyncio::web {

/// Sends its head with prepare(), its body with write(), and ends with write_eof():
///
///   Coro<web::Response> handler(web::Request& request) {
///     web::StreamResponse stream;
///     co_await stream.prepare(request);
///     for (int i = 0; i < 3; ++i) co_await stream.write(std::to_string(i));
///     co_return co_await stream.write_eof();
///   }
///
/// Without a content_length the body goes in chunks, or to the end of the connection for a client
/// of HTTP/1.0. A handler that returns Response::sent() before write_eof() has the library end
/// the stream; one that throws, or returns another response, ends the connection, and the log has
/// an error.
class StreamResponse {
 public:
  explicit StreamResponse(Response head = {}) : head_(std::move(head)) {}

  Response& head() noexcept { return head_; }
  StreamResponse& content_length(std::uint64_t bytes) noexcept {
    return content_length_ = bytes, *this;
  }
  /// As Response::enable_compression, but also where that gains nothing. What write() was given can
  /// be read at once, which costs a few bytes each time; content_length is not said.
  StreamResponse& enable_compression() noexcept { return head_.enable_compression(), *this; }

  /// Awaits   room, when the client does not read; the head is sent also if that is cancelled.
  /// Throws   RuntimeError a second time.
  Coro<> prepare(Request& request);
  /// Awaits   room, when the client does not read.
  /// Throws   RuntimeError before prepare() or after write_eof(); ValueError beyond content_length;
  ///          ConnectionResetError if the client has gone, or the handler has ended.
  Coro<> write(std::string_view data);
  /// Awaits   room, as `write`; after a cancellation it can be called again.
  /// Returns  what the handler has to return.
  /// Throws   ValueError if there was less than content_length.
  Coro<Response> write_eof();

 private:
  Response head_;
  std::optional<std::uint64_t> content_length_;
  std::weak_ptr<http::detail::ServerExchange> exchange_;
  std::shared_ptr<http::detail::Encoder> encoder_;  // null if the body goes as it is
  /// `ending` until the end is on its way: write_eof can be cancelled in between.
  enum class State : std::uint8_t { fresh, open, ending, ended } state_ = State::fresh;
};

}  // namespace asyncio::web

// SPDX-License-Identifier: BSL-1.0
/// The answer to a request: ClientResponse, and its body as a stream, ResponseContent.
#pragma once

#include "asyncio/coro.hpp"
#include "asyncio/generator.hpp"
#include "asyncio/http/head.hpp"
#include "asyncio/http/headers.hpp"
#include "asyncio/http/json.hpp"
#include "asyncio/http/method.hpp"
#include "asyncio/http/status.hpp"
#include "asyncio/http/url.hpp"

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace asyncio::http {

namespace detail {
class ClientExchange;
}

/// The body of a response as a stream, decompressed. A handle: copies name the same body, and what
/// one has read the others do not.
///
/// Every member that awaits:
/// Throws   ClientPayloadError if the body ends too early, is not what the headers say, or if the
///          response was closed; ServerTimeoutError; RuntimeError if another task is reading it.
/// Cancel   closes the connection.
/// Thread   the loop's.
/// asyncio  aiohttp: StreamReader
class ResponseContent {
 public:
  explicit ResponseContent(std::shared_ptr<detail::ClientExchange> exchange) noexcept
      : exchange_(std::move(exchange)) {}

  /// Awaits   a byte at least, or the end.
  /// Returns  up to `count` bytes; none at the end.
  /// Throws   ValueError if `count` is 0.
  Coro<std::string> read(std::size_t count) const;
  /// Returns  a line with its '\n'; without it at the end of the body; nothing after that.
  /// Throws   ValueError for a line of more than `limit` bytes.
  Coro<std::string> readline(std::size_t limit = std::size_t{64} << 10) const;
  /// The body in pieces of at most `count` bytes:
  ///
  ///     auto pieces = response.content().iter_chunked(4096);
  ///     while (auto piece = co_await pieces.next()) use(*piece);
  ///
  /// Throws   ValueError if `count` is 0.
  AsyncGenerator<std::string> iter_chunked(std::size_t count) const;

 private:
  std::shared_ptr<detail::ClientExchange> exchange_;
};

/// The answer to a request, whose body may still be on its way. A handle: copies name the same.
/// Once the body is read to its end the connection goes back to the session; when the last handle
/// goes before, it is closed, unless all of the body is there already.
///
/// Thread   the loop's.
/// asyncio  aiohttp: ClientResponse
class ClientResponse {
 public:
  explicit ClientResponse(std::shared_ptr<detail::ClientExchange> exchange) noexcept
      : exchange_(std::move(exchange)) {}

  Status status() const noexcept;
  std::string_view reason() const noexcept;
  /// Whether the status is below 400.
  bool ok() const noexcept { return status().code() < 400; }
  /// Of HTTP, that the response came by.
  Version version() const noexcept;
  const Headers& headers() const noexcept;
  /// The last one, after redirects.
  const URL& url() const noexcept;
  const Method& method() const noexcept;
  /// The responses that led here.
  const std::vector<ClientResponse>& history() const noexcept;
  /// Without parameters; "application/octet-stream" if there is none.
  std::string_view content_type() const noexcept;

  /// The body as a stream.
  ResponseContent content() const noexcept { return ResponseContent(exchange_); }
  /// The next part of the body as it arrives, decompressed; empty at its end.
  ///
  /// Awaits   a byte at least, or the end.
  /// Throws   as ResponseContent.
  /// Cancel   closes the connection.
  Coro<std::string> read_some() const;
  /// The whole body, or what of it was not read yet; the same as often as it is called.
  ///
  /// Awaits   the end of the body.
  /// Throws   as ResponseContent; ClientPayloadError beyond `limit` bytes, 64 MiB.
  /// Cancel   closes the connection.
  Coro<std::string> read(std::size_t limit = std::size_t{64} << 20) const;
  /// The same; text is not converted.
  Coro<std::string> text() const { return read(); }
  /// The body as JSON: see JsonCodec.
  ///
  /// Awaits   the end of the body.
  /// Throws   as read(); ContentTypeError unless the content type is JSON's; ValueError for what is
  ///          none.
  /// Cancel   closes the connection.
  template <Json T>
  Coro<T> json() const {
    return json_of<T>(*this);
  }
  /// Throws   ClientResponseError for a status from 400.
  void raise_for_status() const;
  /// Closes the connection unless the body has been read. Who reads on gets a ClientPayloadError.
  void close() const noexcept;

 private:
  template <Json T>
  static Coro<T> json_of(ClientResponse self) {
    self.require_json();
    std::string body = co_await self.read();
    co_return JsonCodec<T>::parse(body);
  }
  void require_json() const;

  std::shared_ptr<detail::ClientExchange> exchange_;
};

}  // namespace asyncio::http

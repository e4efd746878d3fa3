// SPDX-License-Identifier: BSL-1.0
/// What a handler answers: aiohttp's web.Response.
#pragma once

#include "asyncio/http/cookies.hpp"
#include "asyncio/http/headers.hpp"
#include "asyncio/http/json.hpp"
#include "asyncio/http/status.hpp"

#include <string>
#include <string_view>
#include <utility>

namespace asyncio::web {

/// A whole response. A value type.
class Response {
 public:
  Response() = default;
  /// With that body; its content type is text/plain in UTF-8.
  Response(std::string text) { this->text(std::move(text)); }
  Response(const char* text) : Response(std::string(text)) {}
  explicit Response(http::Status status) : status_(status) {}

  Response& status(http::Status status) noexcept { return status_ = status, *this; }
  /// Text in UTF-8.
  Response& text(std::string text) {
    body_ = std::move(text);
    content_type_ = "text/plain; charset=utf-8";
    return *this;
  }
  Response& html(std::string text) {
    body_ = std::move(text);
    content_type_ = "text/html; charset=utf-8";
    return *this;
  }
  /// Text that is JSON already.
  Response& json(std::string text) {
    body_ = std::move(text);
    content_type_ = "application/json; charset=utf-8";
    return *this;
  }
  /// Bytes; application/octet-stream unless a content type is set.
  Response& body(std::string bytes) {
    body_ = std::move(bytes);
    if (content_type_.empty()) content_type_ = "application/octet-stream";
    return *this;
  }
  Response& content_type(std::string_view type) {
    headers_.set("Content-Type", type);
    return *this;
  }
  /// Throws   ValueError if that cannot be a field.
  Response& header(std::string_view name, std::string_view value) {
    headers_.add(name, value);
    return *this;
  }
  /// Of a cookie without a path, the path is "/", as in aiohttp. For one that is for the folder of
  /// the request alone: `header("Set-Cookie", cookie.text())`.
  Response& set_cookie(const http::Cookie& cookie) {
    if (!cookie.path().empty()) return header("Set-Cookie", cookie.text());
    return header("Set-Cookie", http::Cookie(cookie).path("/").text());
  }
  /// Compresses the body with gzip or deflate for clients that say (Accept-Encoding) that they take
  /// it, if that makes it smaller; Vary tells caches. Leaves alone what has a Content-Encoding, is
  /// part of something, or forbids it (Cache-Control: no-transform). Not for files.
  ///
  /// asyncio  aiohttp: StreamResponse.enable_compression
  Response& enable_compression() noexcept { return compresses_ = true, *this; }
  /// The connection ends with this response.
  Response& force_close() noexcept { return force_close_ = true, *this; }

  http::Status get_status() const noexcept { return status_; }
  const std::string& get_body() const noexcept { return body_; }
  http::Headers& headers() noexcept { return headers_; }
  const http::Headers& headers() const noexcept { return headers_; }
  std::string_view get_content_type() const noexcept {
    return headers_.get("Content-Type", content_type_);
  }
  bool closes() const noexcept { return force_close_; }
  bool compresses() const noexcept { return compresses_; }

  /// What a handler returns that has answered already. Middlewares see the status that was sent.
  static Response sent(http::Status status = http::Status::OK) {
    Response response(status);
    response.sent_ = true;
    return response;
  }
  bool is_sent() const noexcept { return sent_; }

 private:
  http::Status status_ = http::Status::OK;
  http::Headers headers_;
  std::string_view content_type_;  // where it is not among the headers; lives for ever
  std::string body_;
  bool force_close_ = false;
  bool compresses_ = false;
  bool sent_ = false;
};

/// A value as JSON: see http::JsonCodec.
///
/// asyncio  aiohttp: web.json_response
template <http::Json T>
Response json_response(const T& value) {
  return Response().json(http::JsonCodec<T>::dump(value));
}

}  // namespace asyncio::web

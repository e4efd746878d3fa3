// SPDX-License-Identifier: BSL-1.0
#include "asyncio/http/client_errors.hpp"
#include "asyncio/http/cookies.hpp"
#include "asyncio/http/percent.hpp"
#include "asyncio/http/url.hpp"
#include "asyncio/web/exceptions.hpp"
#include "asyncio/web/request.hpp"
#include "http/characters.hpp"
#include "http/content_decoder.hpp"
#include "http/gathered_body.hpp"
#include "http/server_exchange.hpp"

#include <algorithm>
#include <utility>

namespace asyncio::web {

namespace {

using http::detail::ContentDecoder;

constexpr std::size_t kDecodedAtOnce = std::size_t{64} << 10;
/// Nobody sends three but to make small bodies large.
constexpr std::size_t kMostCodings = 2;

/// Null if there is nothing to undo.
std::unique_ptr<ContentDecoder> make_decoder(std::string_view content_encoding) {
  auto codings = http::detail::parse_codings(content_encoding);
  if (codings && codings->empty()) return nullptr;
  if (codings && codings->size() <= kMostCodings)
    return std::make_unique<ContentDecoder>(*codings, http::detail::DecompressionLimits());
  HTTPUnsupportedMediaType refusal;
  refusal.headers().set("Accept-Encoding", http::detail::known_codings());
  throw refusal;
}

/// The part of an absolute target that a client sends to its own server.
std::string_view without_origin(std::string_view target) noexcept {
  std::size_t scheme = target.find("://");
  if (target.starts_with('/') || scheme == std::string_view::npos) return target;
  std::size_t path = target.find_first_of("/?", scheme + 3);
  return path == std::string_view::npos ? "/" : target.substr(path);
}

/// Its host and port, which count more than the Host header (RFC 9112, 3.2.2).
std::string_view origin_of(std::string_view target) noexcept {
  std::size_t scheme = target.find("://");
  if (target.starts_with('/') || scheme == std::string_view::npos) return {};
  target.remove_prefix(scheme + 3);
  return target.substr(0, target.find_first_of("/?"));
}

}  // namespace

Request::Request(http::RequestHead& head, http::detail::ServerExchange& exchange) noexcept
    : head_(head), exchange_(exchange) {
  std::string_view target = without_origin(head_.target);
  raw_path_ = target.substr(0, target.find('?'));
  query_string_ = target.substr(std::min(raw_path_.size() + 1, target.size()));
  if (raw_path_.empty()) raw_path_ = "/";
}

std::string Request::path() const { return http::unquote(raw_path_); }

http::MultiDict Request::query() const { return http::parse_qsl(query_string_); }

std::string_view Request::host() const noexcept {
  std::string_view origin = origin_of(head_.target);
  return origin.empty() ? head_.headers.get("Host", "") : origin;
}

http::MultiDict Request::cookies() const {
  return http::parse_cookies(head_.headers.get("Cookie", ""));
}

std::string_view Request::content_type() const noexcept {
  std::string_view value = head_.headers.get("Content-Type", "application/octet-stream");
  return http::detail::trimmed(value.substr(0, value.find(';')));
}

std::optional<std::uint64_t> Request::content_length() const noexcept {
  if (head_.body.kind() != http::BodyFraming::Kind::length) return std::nullopt;
  return head_.body.length();
}

const SocketAddress& Request::remote() const noexcept { return exchange_.writer().peername(); }

bool Request::secure() const noexcept { return exchange_.writer().ssl_object().has_value(); }

/// What has been read of a body. Most requests have none, and those that last have none (L4).
class Request::Body {
 public:
  explicit Body(const http::RequestHead& head)
      : decoder(make_decoder(head.headers.get("Content-Encoding", ""))) {}

  http::detail::GatheredBody gathered;  // what read() has got of it
  std::string bytes;                    // all, once it is whole
  bool is_too_large = false;
  bool is_whole = false;
  bool is_taken = false;                    // in pieces
  std::unique_ptr<ContentDecoder> decoder;  // null without a coding
  std::string decoded;
  std::string_view encoded;  // not decoded yet
};

Request::~Request() = default;

Request::Body& Request::body() {
  if (!body_) body_ = std::make_unique<Body>(head_);
  return *body_;
}

Coro<std::string_view> Request::read_some() {
  body().is_taken = true;
  return read_piece();
}

Coro<std::string_view> Request::read_piece() {
  return body().decoder ? read_decoded() : exchange_.read_body();
}

bool Request::take_body() {
  Body& got = body();
  if (got.is_taken)
    throw RuntimeError(
        "multipart: some of the body was read before, by read_some() or another reader");
  const bool is_kept = got.is_whole || got.is_too_large || got.gathered.size() > 0;
  got.is_taken = !is_kept;
  return got.is_taken;
}

Coro<std::string_view> Request::read_decoded() {
  Body& got = *body_;
  try {
    for (;;) {
      got.decoded.clear();
      got.decoder->decode(got.encoded, got.decoded, kDecodedAtOnce);
      if (!got.decoded.empty()) co_return got.decoded;
      if (!got.encoded.empty()) continue;
      got.encoded = co_await exchange_.read_body();
      if (got.encoded.empty()) break;
    }
    got.decoder->finish();
  } catch (const http::ContentEncodingError& error) {
    throw HTTPBadRequest(std::string("400: Bad Request: ") + error.what());
  }
  co_return std::string_view();
}

Coro<std::string> Request::read() {
  std::size_t limit = exchange_.settings().client_max_size;
  if (content_length() > limit) throw HTTPRequestEntityTooLarge();
  Body& got = body();
  while (!got.is_whole) {  // goes on behind what a read that was cancelled has got
    if (got.is_too_large) throw HTTPRequestEntityTooLarge();
    std::string_view part = co_await read_piece();
    got.is_too_large = part.size() > limit - got.gathered.size();
    if (!got.is_too_large) got.gathered.append(part);
    if (!part.empty()) continue;
    got.bytes = got.gathered.take();
    got.is_whole = true;
  }
  co_return got.bytes;
}

void Request::refuse_json(const ValueError& error) {
  throw HTTPBadRequest(std::string("400: Bad Request: ") + error.what());
}

}  // namespace asyncio::web

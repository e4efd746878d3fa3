// SPDX-License-Identifier: BSL-1.0
/// The HTTP client: aiohttp's ClientSession.
#pragma once

#include "asyncio/coro.hpp"
#include "asyncio/http/client_errors.hpp"
#include "asyncio/http/cookies.hpp"
#include "asyncio/http/form_data.hpp"
#include "asyncio/http/head.hpp"
#include "asyncio/http/json.hpp"
#include "asyncio/http/limits.hpp"
#include "asyncio/http/multi_dict.hpp"
#include "asyncio/http/url.hpp"
#include "asyncio/http/websocket.hpp"
#include "asyncio/time.hpp"
#include "asyncio/tls.hpp"

#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace asyncio::http {

namespace detail {
class ClientExchange;
class SessionState;
}  // namespace detail

/// How long the parts of a request may take.
///
/// asyncio  aiohttp: ClientTimeout
class ClientTimeout {
 public:
  ClientTimeout() {}

  /// From the request to the last byte of the body; 5 minutes.
  ClientTimeout& total(OptionalDelay limit) { return total_ = limit, *this; }
  /// Until there is a connection, from the pool or new; no limit.
  ClientTimeout& connect(OptionalDelay limit) { return connect_ = limit, *this; }
  /// For a new connection; 30 seconds.
  ClientTimeout& sock_connect(OptionalDelay limit) { return sock_connect_ = limit, *this; }
  /// For the next bytes of the response; no limit.
  ClientTimeout& sock_read(OptionalDelay limit) { return sock_read_ = limit, *this; }

  const OptionalDelay& get_total() const noexcept { return total_; }
  const OptionalDelay& get_connect() const noexcept { return connect_; }
  const OptionalDelay& get_sock_connect() const noexcept { return sock_connect_; }
  const OptionalDelay& get_sock_read() const noexcept { return sock_read_; }

 private:
  OptionalDelay total_ = std::chrono::minutes(5);
  OptionalDelay connect_;
  OptionalDelay sock_connect_ = std::chrono::seconds(30);
  OptionalDelay sock_read_;
};

/// One request of a session.
class RequestOptions {
 public:
  RequestOptions() {}

  /// Throws: ValueError if that cannot be a field.
  RequestOptions& header(std::string_view name, std::string_view value) {
    return headers_.set(name, value), *this;
  }
  /// Appended to the URL's query.
  RequestOptions& params(MultiDict params) { return params_ = std::move(params), *this; }
  /// The body; application/octet-stream unless there is a Content-Type.
  RequestOptions& data(std::string bytes) {
    return set_body(std::move(bytes), "application/octet-stream");
  }
  /// A form as the body.
  RequestOptions& form(const MultiDict& fields);
  /// A form with files as the body.
  RequestOptions& data(const FormData& form) { return set_body(form.body(), form.content_type()); }
  /// A value as JSON, as the body; a string is JSON already.
  RequestOptions& json(std::string text) { return set_body(std::move(text), "application/json"); }
  template <Json T>
    requires(!std::convertible_to<T, std::string>)
  RequestOptions& json(const T& value) {
    return json(JsonCodec<T>::dump(value));
  }
  RequestOptions& cookies(MultiDict cookies) { return cookies_ = std::move(cookies), *this; }
  /// Basic authentication; not sent to another origin by a redirect.
  RequestOptions& auth(std::string_view user, std::string_view password);
  RequestOptions& bearer(std::string_view token);
  RequestOptions& timeout(ClientTimeout timeout) { return timeout_ = timeout, *this; }
  /// On by default, but for HEAD; at most 10 of them.
  RequestOptions& allow_redirects(bool allowed) { return allow_redirects_ = allowed, *this; }
  RequestOptions& max_redirects(int count) { return max_redirects_ = count, *this; }
  /// Throws ClientResponseError for a status from 400.
  RequestOptions& raise_for_status(bool enabled) { return raise_for_status_ = enabled, *this; }
  /// Gives the body as it came.
  RequestOptions& auto_decompress(bool enabled) { return auto_decompress_ = enabled, *this; }

  const Headers& get_headers() const noexcept { return headers_; }
  const MultiDict& get_params() const noexcept { return params_; }
  const std::optional<std::string>& get_body() const noexcept { return body_; }
  const MultiDict& get_cookies() const noexcept { return cookies_; }
  const std::optional<ClientTimeout>& get_timeout() const noexcept { return timeout_; }
  std::optional<bool> get_allow_redirects() const noexcept { return allow_redirects_; }
  int get_max_redirects() const noexcept { return max_redirects_; }
  std::optional<bool> get_raise_for_status() const noexcept { return raise_for_status_; }
  bool get_auto_decompress() const noexcept { return auto_decompress_; }

 private:
  RequestOptions& set_body(std::string bytes, std::string_view content_type) {
    body_ = std::move(bytes);
    if (!headers_.contains("Content-Type")) headers_.set("Content-Type", content_type);
    return *this;
  }

  Headers headers_;
  MultiDict params_;
  std::optional<std::string> body_;
  MultiDict cookies_;
  std::optional<ClientTimeout> timeout_;
  std::optional<bool> allow_redirects_;
  int max_redirects_ = 10;
  std::optional<bool> raise_for_status_;
  bool auto_decompress_ = true;
};

/// The answer to a request, whose body may still be on its way. A handle: copies name the same.
/// Once the body is read to its end the connection goes back to the session; when the last handle
/// goes before, it is closed.
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
  const Headers& headers() const noexcept;
  /// The last one, after redirects.
  const URL& url() const noexcept;
  const Method& method() const noexcept;
  /// The responses that led here.
  const std::vector<ClientResponse>& history() const noexcept;
  /// Without parameters; "application/octet-stream" if there is none.
  std::string_view content_type() const noexcept;

  /// The next part of the body as it arrives, decompressed; empty at its end.
  /// Throws: ClientPayloadError if it ends too early or is not what the headers say;
  /// ServerTimeoutError.
  /// Cancel: closes the connection.
  Coro<std::string> read_some() const;
  /// The whole body, as often as it is called.
  /// Throws: as read_some; ClientPayloadError beyond `limit`.
  Coro<std::string> read(std::size_t limit = std::size_t{64} << 20) const;
  /// The same; text is not converted.
  Coro<std::string> text() const { return read(); }
  /// The body as JSON: see JsonCodec.
  /// Throws: as read(); ContentTypeError unless the content type is JSON's; ValueError for what is
  /// none.
  template <Json T>
  Coro<T> json() const {
    ClientResponse self = *this;
    self.require_json();
    std::string body = co_await self.read();
    co_return JsonCodec<T>::parse(body);
  }
  /// Throws: ClientResponseError for a status from 400.
  void raise_for_status() const;
  /// Closes the connection unless the body has been read.
  void close() const noexcept;

 private:
  void require_json() const;

  std::shared_ptr<detail::ClientExchange> exchange_;
};

/// How a session goes about its requests.
class SessionOptions {
 public:
  SessionOptions() {}

  /// What relative URLs are relative to.
  SessionOptions& base_url(URL url) { return base_url_ = std::move(url), *this; }
  /// Sent with every request that has none of that name.
  SessionOptions& header(std::string_view name, std::string_view value) {
    return headers_.set(name, value), *this;
  }
  SessionOptions& timeout(ClientTimeout timeout) { return timeout_ = timeout, *this; }
  /// How many connections at once, in all and to one host; 100, and 0 for no limit.
  SessionOptions& limit(std::size_t count) { return limit_ = count, *this; }
  SessionOptions& limit_per_host(std::size_t count) { return limit_per_host_ = count, *this; }
  /// How long a connection is kept without use; 15 seconds.
  SessionOptions& keepalive_timeout(Delay limit) { return keepalive_timeout_ = limit, *this; }
  /// What servers' certificates are checked with.
  SessionOptions& ssl(TlsContext context) { return ssl_ = std::move(context), *this; }
  SessionOptions& raise_for_status(bool enabled) { return raise_for_status_ = enabled, *this; }
  SessionOptions& limits(const HttpLimits& limits) { return limits_ = limits, *this; }

  const std::optional<URL>& get_base_url() const noexcept { return base_url_; }
  const Headers& get_headers() const noexcept { return headers_; }
  const ClientTimeout& get_timeout() const noexcept { return timeout_; }
  std::size_t get_limit() const noexcept { return limit_; }
  std::size_t get_limit_per_host() const noexcept { return limit_per_host_; }
  Delay get_keepalive_timeout() const noexcept { return keepalive_timeout_; }
  const std::optional<TlsContext>& get_ssl() const noexcept { return ssl_; }
  bool get_raise_for_status() const noexcept { return raise_for_status_; }
  const HttpLimits& get_limits() const noexcept { return limits_; }

 private:
  std::optional<URL> base_url_;
  Headers headers_;
  ClientTimeout timeout_;
  std::size_t limit_ = 100;
  std::size_t limit_per_host_ = 0;
  Delay keepalive_timeout_ = std::chrono::seconds(15);
  std::optional<TlsContext> ssl_;
  bool raise_for_status_ = false;
  HttpLimits limits_;
};

/// Requests with connections and cookies in common. A handle: copies name the same session.
///
///   co_await with(http::ClientSession(), [&](http::ClientSession& session) -> Coro<> {
///     http::ClientResponse response = co_await session.get("http://example.org/");
///     std::string text = co_await response.text();
///   });
///
/// Thread   the loop's.
/// asyncio  aiohttp: ClientSession
class ClientSession {
 public:
  explicit ClientSession(SessionOptions options = {});

  /// Awaits: a connection, and the head of the response.
  /// Throws: InvalidURL; ClientConnectorError; ServerDisconnectedError; ClientOSError;
  /// ServerTimeoutError; ProtocolError; TooManyRedirects; RuntimeError if the session is closed.
  /// Cancel: closes the connection; nothing of this request is left in the pool.
  Coro<ClientResponse> request(Method method, URL url, RequestOptions options = {}) const;
  Coro<ClientResponse> get(URL url, RequestOptions options = {}) const {
    return request(Method::GET, std::move(url), std::move(options));
  }
  Coro<ClientResponse> head(URL url, RequestOptions options = {}) const {
    return request(Method::HEAD, std::move(url), std::move(options));
  }
  Coro<ClientResponse> post(URL url, RequestOptions options = {}) const {
    return request(Method::POST, std::move(url), std::move(options));
  }
  Coro<ClientResponse> put(URL url, RequestOptions options = {}) const {
    return request(Method::PUT, std::move(url), std::move(options));
  }
  Coro<ClientResponse> patch(URL url, RequestOptions options = {}) const {
    return request(Method::PATCH, std::move(url), std::move(options));
  }
  /// `delete` is a word of C++.
  Coro<ClientResponse> del(URL url, RequestOptions options = {}) const {
    return request(Method::DELETE, std::move(url), std::move(options));
  }

  /// A WebSocket to a URL of the scheme ws or wss (or http or https).
  /// Throws: as request(); WSServerHandshakeError if the server declines.
  Coro<WebSocket> ws_connect(URL url, WebSocketOptions options = {},
                             RequestOptions request_options = {}) const;

  CookieJar& cookie_jar() const noexcept;
  bool closed() const noexcept;
  /// Closes the connections of the pool; requests that wait for one fail.
  void close() const;

  // For with().
  ClientSession& aenter() noexcept { return *this; }
  void aexit(std::exception_ptr) const { close(); }

 private:
  std::shared_ptr<detail::SessionState> state_;
};

/// A request with a session of its own, whose connection ends with the response.
///
///   http::ClientResponse response = co_await http::get("https://example.org/");
///
/// Awaits, Throws, Cancel: as ClientSession::request.
/// asyncio  aiohttp: request
Coro<ClientResponse> request(Method method, URL url, RequestOptions options = {});
Coro<ClientResponse> get(URL url, RequestOptions options = {});
Coro<ClientResponse> post(URL url, RequestOptions options = {});

}  // namespace asyncio::http

// SPDX-License-Identifier: BSL-1.0
/// The HTTP client: aiohttp's ClientSession.
#pragma once

#include "asyncio/coro.hpp"
#include "asyncio/http/client_errors.hpp"
#include "asyncio/http/client_options.hpp"
#include "asyncio/http/client_response.hpp"
#include "asyncio/http/cookies.hpp"
#include "asyncio/http/url.hpp"
#include "asyncio/http/websocket.hpp"

#include <exception>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace asyncio::http {

namespace detail {
class SessionState;
}

/// A URL, or a text that is to be one. What is wrong with a text is thrown where the request is
/// awaited, as everything else is.
class RequestURL {
 public:
  RequestURL(URL url) noexcept : url_(std::move(url)) {}
  RequestURL(std::string_view text);
  RequestURL(const std::string& text) : RequestURL(std::string_view(text)) {}
  RequestURL(const char* text) : RequestURL(std::string_view(text)) {}

  /// Throws   InvalidURL.
  URL& value() {
    if (error_) std::rethrow_exception(error_);
    return url_;
  }

 private:
  URL url_;
  std::exception_ptr error_;
};

/// Requests with connections and cookies in common. A handle: copies name the same session.
///
///     co_await with(http::ClientSession(), [&](http::ClientSession& session) -> Coro<> {
///       http::ClientResponse response = co_await session.get("http://example.org/");
///       std::string text = co_await response.text();
///     });
///
/// A request that may be repeated (its method is idempotent, and so is its body) is sent once more,
/// over a new connection, if the server had closed the one of the pool without a byte of an answer;
/// never otherwise, and not with RequestOptions::allow_repeats(false).
///
/// Thread   the loop's.
/// asyncio  aiohttp: ClientSession
class ClientSession {
 public:
  /// Throws   RuntimeError if there is no event loop, and for Http2::PriorKnowledge in a library
  ///          that is built without HTTP/2.
  explicit ClientSession(SessionOptions options = {});

  /// Awaits   a connection, and the head of the response.
  /// Throws   InvalidURL; ClientConnectorError; ServerDisconnectedError if not a byte of a response
  ///          came; ClientPayloadError if its head was cut off; ClientOSError; ServerTimeoutError;
  ///          ClientHttpProxyError; ClientProtocolError; TooManyRedirects; ClientResponseError with
  ///          raise_for_status; what the source of the body throws; ValueError for what cannot be
  ///          sent, before there is a connection; RuntimeError if the session is closed.
  /// Cancel   closes the connection; nothing of this request is left in the pool.
  Coro<ClientResponse> request(Method method, RequestURL url, RequestOptions options = {}) const;
  /// As request(), with the method of that name.
  Coro<ClientResponse> get(RequestURL url, RequestOptions options = {}) const {
    return request(Method::GET, std::move(url), std::move(options));
  }
  Coro<ClientResponse> head(RequestURL url, RequestOptions options = {}) const {
    return request(Method::HEAD, std::move(url), std::move(options));
  }
  Coro<ClientResponse> post(RequestURL url, RequestOptions options = {}) const {
    return request(Method::POST, std::move(url), std::move(options));
  }
  Coro<ClientResponse> put(RequestURL url, RequestOptions options = {}) const {
    return request(Method::PUT, std::move(url), std::move(options));
  }
  Coro<ClientResponse> patch(RequestURL url, RequestOptions options = {}) const {
    return request(Method::PATCH, std::move(url), std::move(options));
  }
  Coro<ClientResponse> options(RequestURL url, RequestOptions options = {}) const {
    return request(Method::OPTIONS, std::move(url), std::move(options));
  }
  /// `delete` is a word of C++.
  Coro<ClientResponse> del(RequestURL url, RequestOptions options = {}) const {
    return request(Method::DELETE, std::move(url), std::move(options));
  }

  /// A WebSocket to a URL of the scheme ws or wss (or http or https).
  ///
  /// Redirects are followed as those of request(), to http and https as well; so are the hooks of
  /// the session called, until the head of the server's answer is there.
  ///
  /// Awaits   a connection, and the server's consent.
  /// Throws   as request(); WSServerHandshakeError if the server declines.
  /// Cancel   closes the connection.
  Coro<WebSocket> ws_connect(RequestURL url, WebSocketOptions options = {},
                             RequestOptions request_options = {}) const;

  /// Good as long as the session.
  CookieJar& cookie_jar() const noexcept;
  bool closed() const noexcept;
  /// Closes the connections of the pool; requests that wait for one fail. Responses that are under
  /// way can be read to their ends.
  void close() const;

  // For with().
  ClientSession& aenter() noexcept { return *this; }
  void aexit(std::exception_ptr) const { close(); }

 private:
  std::shared_ptr<detail::SessionState> state_;
};

/// A request with a session of its own, whose connection ends with the response.
///
///     http::ClientResponse response = co_await http::get("https://example.org/");
///
/// Awaits   as ClientSession::request.
/// Throws   as ClientSession::request.
/// Cancel   as ClientSession::request.
/// asyncio  aiohttp: request
Coro<ClientResponse> request(Method method, RequestURL url, RequestOptions options = {});
/// request() with the method of that name.
Coro<ClientResponse> get(RequestURL url, RequestOptions options = {});
Coro<ClientResponse> post(RequestURL url, RequestOptions options = {});

}  // namespace asyncio::http

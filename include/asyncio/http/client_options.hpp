// SPDX-License-Identifier: BSL-1.0
/// How a client makes its requests: RequestOptions and SessionOptions.
#pragma once

#include "asyncio/generator.hpp"
#include "asyncio/http/client_timeout.hpp"
#include "asyncio/http/form_data.hpp"
#include "asyncio/http/headers.hpp"
#include "asyncio/http/json.hpp"
#include "asyncio/http/limits.hpp"
#include "asyncio/http/multi_dict.hpp"
#include "asyncio/http/tracing.hpp"
#include "asyncio/http/url.hpp"
#include "asyncio/time.hpp"
#include "asyncio/tls.hpp"

#include <chrono>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace asyncio::http {

namespace detail {
class BodySource;
}

/// The proxy that requests go through. What goes to https is tunnelled through it with CONNECT, so
/// that it sees the host and the port alone; its credentials are for it alone. To an https:// proxy
/// the connection itself has TLS, with the context that the request would have for its server;
/// since there is no TLS inside TLS here, it takes requests for http:// and ws:// only.
///
/// asyncio  aiohttp: proxy=, proxy_auth=
class Proxy {
 public:
  /// "http://host:port" or "https://host:port", perhaps with a user and a password.
  ///
  /// Throws   InvalidURL for another scheme, or without a host.
  Proxy(URL url);
  Proxy(const char* url) : Proxy(URL(url)) {}
  /// Basic authentication.
  ///
  /// Throws   ValueError for a ':' in the user's name.
  Proxy(URL url, std::string_view user, std::string_view password);

  const URL& url() const noexcept { return url_; }
  /// The value of Proxy-Authorization; empty for none.
  const std::string& authorization() const noexcept { return authorization_; }

 private:
  URL url_;
  std::string authorization_;
};

/// One request of a session.
///
/// asyncio  aiohttp: the parameters of ClientSession.request
class RequestOptions {
 public:
  RequestOptions() {}

  /// Throws   ValueError if that cannot be a field.
  RequestOptions& header(std::string_view name, std::string_view value);
  /// Appended to the URL's query.
  RequestOptions& params(MultiDict params) { return params_ = std::move(params), *this; }
  /// The body; application/octet-stream unless `header` has set a Content-Type.
  RequestOptions& data(std::string bytes) {
    return set_body(std::move(bytes), "application/octet-stream");
  }
  /// A form as the body.
  RequestOptions& form(const MultiDict& fields);
  /// A form with files as the body.
  RequestOptions& data(const FormData& form);
  /// The pieces of a body, which is sent as they come: in chunks, or with the Content-Length that
  /// was set by `header`, which it has to have then. It can be sent once: a redirect or a retry
  /// that would need it again fails.
  RequestOptions& data(AsyncGenerator<std::string> pieces);
  /// A file as the body, read while it is sent. Throws nothing here: the request does, if the file
  /// cannot be read.
  RequestOptions& file(std::string path);
  /// A value as JSON, as the body; a string is JSON already.
  RequestOptions& json(std::string text) { return set_body(std::move(text), "application/json"); }
  template <Json T>
    requires(!std::convertible_to<const T&, std::string_view>)
  RequestOptions& json(const T& value) {
    return json(JsonCodec<T>::dump(value));
  }
  /// Sent beside those of the session's jar, and instead of those of the same name; to this origin
  /// alone.
  RequestOptions& cookies(MultiDict cookies) { return cookies_ = std::move(cookies), *this; }
  /// Basic authentication; not sent to another origin by a redirect.
  ///
  /// Throws   ValueError for a ':' in the user's name.
  RequestOptions& auth(std::string_view user, std::string_view password);
  /// A bearer token (RFC 6750); not sent to another origin by a redirect.
  RequestOptions& bearer(std::string_view token);
  RequestOptions& timeout(ClientTimeout timeout) { return timeout_ = timeout, *this; }
  /// On by default, but for HEAD.
  RequestOptions& allow_redirects(bool allowed) { return allow_redirects_ = allowed, *this; }
  /// 10.
  RequestOptions& max_redirects(int count) { return max_redirects_ = count, *this; }
  /// Whether the request is sent once more if its connection, one that was used before, ends before
  /// any answer: by default if its method is idempotent. It may have been carried out the first
  /// time, and a DELETE, say, that comes twice removes what was made in between.
  RequestOptions& allow_repeats(bool allowed) { return allow_repeats_ = allowed, *this; }
  /// Throws ClientResponseError for a status from 400; by default as the session.
  RequestOptions& raise_for_status(bool enabled) { return raise_for_status_ = enabled, *this; }
  /// False gives the body as it came.
  RequestOptions& auto_decompress(bool enabled) { return auto_decompress_ = enabled, *this; }
  /// Instead of the session's.
  RequestOptions& proxy(Proxy proxy) { return proxy_ = std::move(proxy), *this; }
  /// What the server's certificate is checked with, instead of the session's. Requests with
  /// different contexts, or with one that was changed between them, never share a connection.
  RequestOptions& ssl(TlsContext context) { return ssl_ = std::move(context), *this; }

  const Headers& get_headers() const noexcept { return headers_; }
  const MultiDict& get_params() const noexcept { return params_; }
  const std::optional<std::string>& get_body() const noexcept { return body_; }
  const std::shared_ptr<detail::BodySource>& get_source() const noexcept { return source_; }
  const MultiDict& get_cookies() const noexcept { return cookies_; }
  const std::optional<ClientTimeout>& get_timeout() const noexcept { return timeout_; }
  std::optional<bool> get_allow_redirects() const noexcept { return allow_redirects_; }
  int get_max_redirects() const noexcept { return max_redirects_; }
  bool get_allow_repeats() const noexcept { return allow_repeats_; }
  std::optional<bool> get_raise_for_status() const noexcept { return raise_for_status_; }
  bool get_auto_decompress() const noexcept { return auto_decompress_; }
  const std::optional<Proxy>& get_proxy() const noexcept { return proxy_; }
  const std::optional<TlsContext>& get_ssl() const noexcept { return ssl_; }

 private:
  RequestOptions& set_body(std::string bytes, std::string_view content_type) {
    source_.reset();
    body_ = std::move(bytes);
    return set_type(content_type);
  }
  RequestOptions& set_source(std::shared_ptr<detail::BodySource> source,
                             std::string_view content_type) {
    body_.reset();
    source_ = std::move(source);
    return set_type(content_type);
  }
  /// That of the body, unless the caller has named one.
  RequestOptions& set_type(std::string_view content_type);

  Headers headers_;
  bool has_type_of_body_ = false;  // the Content-Type is not the caller's
  bool allow_repeats_ = true;
  MultiDict params_;
  std::optional<std::string> body_;
  std::shared_ptr<detail::BodySource> source_;
  MultiDict cookies_;
  std::optional<ClientTimeout> timeout_;
  std::optional<bool> allow_redirects_;
  int max_redirects_ = 10;
  std::optional<bool> raise_for_status_;
  bool auto_decompress_ = true;
  std::optional<Proxy> proxy_;
  std::optional<TlsContext> ssl_;
};

/// When a client speaks HTTP/2.
enum class Http2 : std::uint8_t {
  /// Never.
  Off,
  /// With the servers of https that choose it when they are offered both versions (ALPN).
  Negotiated,
  /// With every server, also without TLS; those that have HTTP/1 alone cannot be talked to.
  PriorKnowledge,
};

/// How a session goes about its requests.
///
/// asyncio  aiohttp: the parameters of ClientSession and TCPConnector
class SessionOptions {
 public:
  SessionOptions() {}

  /// What relative URLs are relative to.
  SessionOptions& base_url(URL url) { return base_url_ = std::move(url), *this; }
  /// Sent with every request that has none of that name.
  ///
  /// Throws   ValueError if that cannot be a field.
  SessionOptions& header(std::string_view name, std::string_view value) {
    return headers_.set(name, value), *this;
  }
  /// Basic authentication of every request that has no credentials itself or in its URL. Not sent
  /// to another origin by a redirect, and with a base_url not to other origins at all.
  ///
  /// Throws   ValueError for a ':' in the user's name.
  SessionOptions& auth(std::string_view user, std::string_view password);
  /// The same with a bearer token (RFC 6750).
  SessionOptions& bearer(std::string_view token);
  SessionOptions& timeout(ClientTimeout timeout) { return timeout_ = timeout, *this; }
  /// How many connections at once, in all: 100, and 0 for no limit. Requests beyond wait, in their
  /// order.
  SessionOptions& limit(std::size_t count) { return limit_ = count, *this; }
  /// The same to one host and port; by default no limit. Those for other hosts pass who wait.
  SessionOptions& limit_per_host(std::size_t count) { return limit_per_host_ = count, *this; }
  /// How long a connection is kept without use; 15 seconds.
  SessionOptions& keepalive_timeout(Delay limit) { return keepalive_timeout_ = limit, *this; }
  /// What servers' certificates are checked with; by default create_default_context().
  SessionOptions& ssl(TlsContext context) { return ssl_ = std::move(context), *this; }
  SessionOptions& proxy(Proxy proxy) { return proxy_ = std::move(proxy), *this; }
  /// Negotiated by default, if the library is built with nghttp2. Over HTTP/2 all requests to a
  /// server share one connection, as many at a time as the server takes, up to 100; others wait in
  /// their order. WebSockets have connections of HTTP/1.
  SessionOptions& http2(Http2 use) noexcept { return http2_ = use, *this; }
  /// Whether requests that were given no proxy go through the one that the environment names, as it
  /// is when the session is made: http_proxy, https_proxy, ws_proxy and wss_proxy by the scheme of
  /// the URL (those of WebSockets then by http_proxy or https_proxy), or all_proxy; but for the
  /// hosts, domains, "host:port" and networks ("10.0.0.0/8") in no_proxy, "*" for all. Off by
  /// default.
  SessionOptions& trust_env(bool enabled) { return trust_env_ = enabled, *this; }
  /// The address that connections are made from.
  SessionOptions& local_addr(std::string host) { return local_addr_ = std::move(host), *this; }
  /// Whether every request throws ClientResponseError for a status from 400.
  SessionOptions& raise_for_status(bool enabled) { return raise_for_status_ = enabled, *this; }
  /// How much of a response is taken. `limits.body` bounds the body as it comes and as it is
  /// decompressed.
  SessionOptions& limits(const HttpLimits& limits) { return limits_ = limits, *this; }
  /// Adds hooks; they are called in the order of their adding.
  SessionOptions& trace(TraceConfig config) { return traces_.push_back(std::move(config)), *this; }

  const std::optional<URL>& get_base_url() const noexcept { return base_url_; }
  const Headers& get_headers() const noexcept { return headers_; }
  const ClientTimeout& get_timeout() const noexcept { return timeout_; }
  std::size_t get_limit() const noexcept { return limit_; }
  std::size_t get_limit_per_host() const noexcept { return limit_per_host_; }
  Delay get_keepalive_timeout() const noexcept { return keepalive_timeout_; }
  const std::optional<TlsContext>& get_ssl() const noexcept { return ssl_; }
  const std::optional<Proxy>& get_proxy() const noexcept { return proxy_; }
  Http2 get_http2() const noexcept { return http2_; }
  bool get_trust_env() const noexcept { return trust_env_; }
  const std::optional<std::string>& get_local_addr() const noexcept { return local_addr_; }
  bool get_raise_for_status() const noexcept { return raise_for_status_; }
  const HttpLimits& get_limits() const noexcept { return limits_; }
  const std::vector<TraceConfig>& get_traces() const noexcept { return traces_; }

 private:
  std::optional<URL> base_url_;
  Headers headers_;
  ClientTimeout timeout_;
  std::size_t limit_ = 100;
  std::size_t limit_per_host_ = 0;
  Delay keepalive_timeout_ = std::chrono::seconds(15);
  std::optional<TlsContext> ssl_;
  std::optional<Proxy> proxy_;
  Http2 http2_ = Http2::Negotiated;
  bool trust_env_ = false;
  std::optional<std::string> local_addr_;
  bool raise_for_status_ = false;
  HttpLimits limits_;
  std::vector<TraceConfig> traces_;
};

}  // namespace asyncio::http

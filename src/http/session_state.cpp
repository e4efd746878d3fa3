// SPDX-License-Identifier: BSL-1.0
#include "http/session_state.hpp"

#include "asyncio/exceptions.hpp"
#include "http/characters.hpp"
#include "http/compression.hpp"
#include "http/fields.hpp"
#include "http/headers_builder.hpp"
#include "http/schemes.hpp"
#include "http/uri_text.hpp"
#include "net/tls_revision.hpp"

#include <string>

namespace asyncio::http::detail {

namespace {

/// What the fields of most requests take together.
constexpr std::size_t kUsualHead = 256;

void set_default(Headers& headers, std::string_view name, std::string_view value) {
  if (!headers.contains(name)) headers.add(name, value);
}

/// The cookies of the request itself come before those of the jar, and instead of them.
std::string cookie_header(SessionState& session, const ClientRequest& request,
                          const MultiDict& own) {
  std::string header = request.own_cookies;
  const auto add = [&header](const std::string& name, const std::string& value) {
    header.append(header.empty() ? "" : "; ").append(name).append("=").append(value);
  };
  for (const auto& [name, value] : own) add(name, value);
  if (session.cookies.size() == 0) return header;
  const MultiDict typed = parse_cookies(request.own_cookies);
  for (const CookieJar::Entry* entry : session.cookies.filter(request.url)) {
    const Cookie& cookie = entry->cookie;
    if (!own.contains(cookie.name()) && !typed.contains(cookie.name()))
      add(cookie.name(), cookie.value());
  }
  return header;
}

/// Whether the proxy itself is asked for the URL.
bool asks_proxy(const ClientRequest& request) noexcept {
  return request.proxy && !is_secure(request.url) && !is_websocket(request.url);
}

bool names_host(HeaderField field) noexcept { return equal_without_case(field.name, "Host"); }

/// The fields of the request, then those of the session that it does not have. The first is Host
/// (RFC 9110, 7.2), whose value set_url() knows.
void set_fields(Headers& headers, const Headers& own, const Headers& defaults) {
  HeadersBuilder::reserve(headers, kUsualHead);
  HeadersBuilder::append(headers, {"Host", ""});
  for (HeaderField field : own)
    if (!names_host(field)) HeadersBuilder::append(headers, field);
  for (HeaderField field : defaults)
    if (!names_host(field) && (own.empty() || !own.contains(field.name)))
      HeadersBuilder::append(headers, field);
}

/// A Host that the user has set, for the request or for all of the session.
std::optional<std::string> host_of(const Headers& own, const Headers& defaults) {
  const Headers& from = own.contains("Host") ? own : defaults;
  std::optional<std::string_view> host = from.get("Host");
  return host ? std::optional<std::string>(*host) : std::nullopt;
}

BodyFraming framing_of(const ClientRequest& request) {
  const Method& method = request.head.method;
  bool sends_length = !request.body.empty() || method == Method::POST || method == Method::PUT ||
                      method == Method::PATCH;
  return sends_length ? BodyFraming::of_length(request.body.size()) : BodyFraming();
}

std::optional<Proxy> proxy_for(const SessionState& session, const URL& url,
                               const RequestOptions& options) {
  if (options.get_proxy()) return options.get_proxy();
  return session.environment ? session.environment->find(url) : session.options.get_proxy();
}

/// A WebSocket's handshake is a request of HTTP: one at ws://h/ asks the server of http://h/.
bool is_same_server(const URL& base, const URL& url) {
  if (!is_websocket(url)) return base.origin() == url.origin();
  return base.origin() == url.with_scheme(is_secure(url) ? "https" : "http").origin();
}

/// Those of the request, or of its URL, or of the session.
void choose_credentials(const SessionState& session, ClientRequest& request, const URL& url) {
  Headers& headers = request.head.headers;
  if (request.has_session_credentials) {
    const std::optional<URL>& base = session.options.get_base_url();
    const bool is_elsewhere = base && !is_same_server(*base, url);
    if (!is_elsewhere && !url.has_credentials()) return;
    headers.remove("Authorization");
    request.has_session_credentials = false;
  }
  if (url.has_credentials() && !headers.contains("Authorization"))
    headers.add("Authorization", basic_credentials(url.user(), url.password()));
}

}  // namespace

SessionState::SessionState(EventLoop loop, SessionOptions given)
    : options(std::move(given)), connector(std::make_shared<Connector>(std::move(loop), options)) {
  if (options.get_trust_env() && !options.get_proxy()) environment.emplace();
  for (HeaderField field : options.get_headers()) set_default(undecoded_, field.name, field.value);
  set_default(undecoded_, "Accept", "*/*");
  decoded_ = undecoded_;
  set_default(decoded_, "Accept-Encoding", known_codings());
  for (Headers* fields : {&undecoded_, &decoded_})
    set_default(*fields, "User-Agent", "asyncio-cpp/0.1");
}

ConnectionKey key_of(const ClientRequest& request) {
  const URL& url = request.url;
  ConnectionKey key;
  key.secure = is_secure(url);
  key.host = url.host();
  key.port = url.port().value();
  if (request.proxy) {
    key.tunnel = !asks_proxy(request);
    key.proxy_secure = is_secure(request.proxy->url());
    key.proxy_host = request.proxy->url().host();
    key.proxy_port = request.proxy->url().port().value();
    key.proxy_authorization = request.proxy->authorization();
  }
  if ((key.secure || key.proxy_secure) && request.ssl) {
    key.tls = request.ssl->state();
    key.tls_revision = asyncio::detail::revision_of(*key.tls);
  }
  return key;
}

ConnectionWish wish_of(const ClientRequest& request, bool fresh) {
  ConnectionWish wish;
  wish.key = key_of(request);
  wish.ssl = request.ssl;
  wish.timeout = request.timeout;
  wish.deadline = request.deadline;
  wish.fresh = fresh;
  wish.traces = request.traces;
  return wish;
}

URL absolute(const SessionState& session, URL url) {
  if (!url.is_absolute() && session.options.get_base_url())
    url = session.options.get_base_url()->join(url);
  if (!url.is_absolute())
    throw InvalidURL("'" + without_secrets(url.str()) +
                     "': no host, and the session has no base_url");
  return url;
}

ClientRequest make_request(const SessionState& session, Method method,
                           const RequestOptions& options) {
  // What comes behind its answer is no HTTP any more.
  if (method == Method::CONNECT) throw ValueError("method CONNECT: only for the session's proxies");
  ClientRequest request;
  for (const auto& [name, value] : options.get_cookies()) Cookie(name, value);  // throws
  request.head.method = method;
  Headers& headers = request.head.headers;
  const Headers& own = options.get_headers();
  const Headers& defaults = session.default_fields(options.get_auto_decompress());
  set_fields(headers, own, defaults);
  request.own_host = host_of(own, defaults);
  request.has_session_credentials =
      headers.contains("Authorization") && !own.contains("Authorization");
  request.own_cookies = headers.get("Cookie", "");
  headers.remove("Cookie");
  if (headers.contains("Connection")) request.head.keep_alive = !HeadFields(headers, true).close;
  request.auto_decompress = options.get_auto_decompress();
  request.allow_repeats = options.get_allow_repeats();
  request.timeout = options.get_timeout().value_or(session.options.get_timeout());
  if (request.timeout.get_total())
    request.deadline = get_running_loop().time() + request.timeout.get_total()->duration();
  request.ssl = options.get_ssl() ? options.get_ssl() : session.options.get_ssl();
  request.source = own_source(options.get_source());
  request.body = options.get_body().value_or("");
  request.head.body = framing_of(request);
  return request;
}

void set_url(SessionState& session, ClientRequest& request, URL url,
             const RequestOptions& options) {
  Headers& headers = request.head.headers;
  choose_credentials(session, request, url);
  if (url.has_credentials()) url = url.without_credentials();
  if (url.str().find('#') != std::string_view::npos) url = url.without_fragment();
  request.url = std::move(url);
  request.proxy = proxy_for(session, request.url, options);
  bool proxied = asks_proxy(request);
  request.head.target = proxied ? request.url.str() : request.url.path_qs();
  if (!proxied) headers.remove("Proxy-Authorization");
  if (proxied && !request.proxy->authorization().empty())
    headers.set("Proxy-Authorization", request.proxy->authorization());
  headers.set("Host", request.host(request.url));
  headers.remove("Cookie");
  std::string cookies = cookie_header(session, request, options.get_cookies());
  if (!cookies.empty()) headers.add("Cookie", cookies);
}

Traces begin_traces(const SessionState& session, ClientRequest& request, const URL& url) {
  Headers& headers = request.head.headers;
  request.traces =
      std::make_shared<RequestTraces>(session.options.get_traces(), request.head.method, url);
  // set_url() will set it; until then there is an empty one, which hooks are not to see.
  headers.set("Host", request.host(url));
  request.traces->tell(TraceEvent::request_start,
                       [&](TraceParams& params) { params.headers = &headers; });
  return request.traces;
}

void take_cookies(SessionState& session, const Headers& headers, const URL& from) {
  for (std::string_view cookie : headers.getall("Set-Cookie")) session.cookies.update(cookie, from);
}

}  // namespace asyncio::http::detail

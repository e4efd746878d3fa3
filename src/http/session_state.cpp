// SPDX-License-Identifier: BSL-1.0
#include "http/session_state.hpp"

#include "asyncio/exceptions.hpp"
#include "http/base64.hpp"
#include "http/compression.hpp"

#include <string>

namespace asyncio::http::detail {

namespace {

void set_default(Headers& headers, std::string_view name, std::string_view value) {
  if (!headers.contains(name)) headers.add(name, value);
}

/// The cookies of the request itself come before those of the jar, and instead of them.
std::string cookie_header(SessionState& session, const URL& url, const MultiDict& own) {
  std::string header;
  for (const auto& [name, value] : own) header += (header.empty() ? "" : "; ") + name + "=" + value;
  for (const CookieJar::Entry* entry : session.cookies.filter(url)) {
    if (own.contains(entry->cookie.name())) continue;
    header += (header.empty() ? "" : "; ") + entry->cookie.name() + "=" + entry->cookie.value();
  }
  return header;
}

}  // namespace

ConnectionKey key_of(const URL& url) {
  bool secure = url.scheme() == "https" || url.scheme() == "wss";
  return {secure, std::string(url.host()), url.port().value()};
}

URL absolute(const SessionState& session, const URL& url) {
  URL result = url;
  if (!url.is_absolute() && session.options.get_base_url())
    result = session.options.get_base_url()->join(url);
  if (!result.is_absolute())
    throw InvalidURL("'" + std::string(url.str()) + "': no host, and the session has no base_url");
  return result;
}

ClientRequest make_request(const SessionState& session, Method method,
                           const RequestOptions& options) {
  ClientRequest request;
  request.head.method = method;
  request.head.headers = options.get_headers();
  for (HeaderField field : session.options.get_headers())
    set_default(request.head.headers, field.name, field.value);
  set_default(request.head.headers, "Accept", "*/*");
  if (options.get_auto_decompress())
    set_default(request.head.headers, "Accept-Encoding", known_codings());
  set_default(request.head.headers, "User-Agent", "asyncio-cpp/0.1");
  request.auto_decompress = options.get_auto_decompress();
  request.timeout = options.get_timeout().value_or(session.options.get_timeout());
  if (request.timeout.get_total())
    request.deadline = get_running_loop().time() + request.timeout.get_total()->duration();
  request.body = options.get_body().value_or("");
  bool sends_length = !request.body.empty() || method == Method::POST || method == Method::PUT ||
                      method == Method::PATCH;
  if (sends_length) request.head.body = BodyFraming::of_length(request.body.size());
  return request;
}

void set_url(SessionState& session, ClientRequest& request, const URL& url,
             const RequestOptions& options) {
  Headers& headers = request.head.headers;
  if (url.has_credentials() && !headers.contains("Authorization"))
    headers.add("Authorization", "Basic " + base64(url.user() + ":" + url.password()));
  request.url = url.without_credentials().without_fragment();
  request.head.target = request.url.path_qs();
  headers.set("Host", request.url.host_port());
  headers.remove("Cookie");
  std::string cookies = cookie_header(session, request.url, options.get_cookies());
  if (!cookies.empty()) headers.add("Cookie", cookies);
}

void take_cookies(SessionState& session, const Headers& headers, const URL& from) {
  for (std::string_view cookie : headers.getall("Set-Cookie")) session.cookies.update(cookie, from);
}

}  // namespace asyncio::http::detail

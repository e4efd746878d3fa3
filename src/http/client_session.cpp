// SPDX-License-Identifier: BSL-1.0
#include "asyncio/capture.hpp"
#include "asyncio/exceptions.hpp"
#include "asyncio/http/client.hpp"
#include "asyncio/http/percent.hpp"
#include "asyncio/timeout.hpp"
#include "http/base64.hpp"
#include "http/characters.hpp"
#include "http/client_exchange.hpp"
#include "http/session_state.hpp"

#include <utility>

namespace asyncio::http {

namespace {

using detail::ClientExchange;
using detail::ClientRequest;
using detail::SessionState;

void require_http(const URL& url) {
  if (url.scheme() != "http" && url.scheme() != "https")
    throw InvalidURL("'" + std::string(url.str()) + "': neither http nor https");
}

/// Once more if the server had closed a connection of the pool meanwhile and the request may be
/// repeated.
Coro<std::shared_ptr<ClientExchange>> send(std::shared_ptr<SessionState> session,
                                           const ClientRequest& request) {
  bool fresh = false;
  for (;;) {
    auto connection =
        co_await session->connector->acquire(detail::key_of(request.url), request.timeout, fresh);
    bool may_repeat = connection->reused && request.head.method.idempotent();
    auto exchange =
        std::make_shared<ClientExchange>(session->connector, std::move(connection), request);
    auto outcome = co_await capture(exchange->start(request));
    if (outcome) co_return exchange;
    if (!may_repeat || !outcome.holds<ServerDisconnectedError>()) outcome.rethrow();
    fresh = true;
  }
}

/// Where the response sends the client; nothing if it is no redirect.
std::optional<URL> redirect_of(const ClientExchange& exchange) {
  int code = exchange.head().status.code();
  if (code != 301 && code != 302 && code != 303 && code != 307 && code != 308) return std::nullopt;
  std::optional<std::string_view> location = exchange.head().headers.get("Location");
  if (!location) return std::nullopt;
  return exchange.url().join(URL::lenient(*location));
}

/// A new place to ask; what was meant for the old one alone does not go there.
void follow(ClientRequest& request, int code, const URL& to) {
  Headers& headers = request.head.headers;
  bool becomes_get = (code == 303 && request.head.method != Method::HEAD) ||
                     ((code == 301 || code == 302) && request.head.method == Method::POST);
  if (becomes_get) {
    request.head.method = Method::GET;
    request.head.body = BodyFraming();
    request.body.clear();
    headers.remove("Content-Type");
    headers.remove("Content-Encoding");
  }
  if (to.origin() != request.url.origin()) {
    headers.remove("Authorization");
    headers.remove("Proxy-Authorization");
  }
}

}  // namespace

RequestOptions& RequestOptions::form(const MultiDict& fields) {
  return set_body(urlencode(fields), "application/x-www-form-urlencoded");
}

RequestOptions& RequestOptions::auth(std::string_view user, std::string_view password) {
  if (user.find(':') != std::string_view::npos)
    throw ValueError("a user's name for basic authentication has no ':'");
  return header("Authorization",
                "Basic " + detail::base64(std::string(user) + ":" + std::string(password)));
}

RequestOptions& RequestOptions::bearer(std::string_view token) {
  return header("Authorization", "Bearer " + std::string(token));
}

ClientSession::ClientSession(SessionOptions options)
    : state_(std::make_shared<SessionState>(get_running_loop(), std::move(options))) {}

CookieJar& ClientSession::cookie_jar() const noexcept { return state_->cookies; }
bool ClientSession::closed() const noexcept { return state_->connector->closed(); }
void ClientSession::close() const { state_->connector->close(); }

Coro<ClientResponse> ClientSession::request(Method method, URL url, RequestOptions options) const {
  auto session = state_;
  ClientRequest request = detail::make_request(*session, method, options);
  url = detail::absolute(*session, url);
  require_http(url);
  if (!options.get_params().empty()) url = url.extend_query(options.get_params());
  bool follows = options.get_allow_redirects().value_or(method != Method::HEAD);
  MultiDict own_cookies = options.get_cookies();
  std::vector<ClientResponse> history;
  for (;;) {
    detail::set_url(*session, request, url, options);
    auto exchange = co_await send(session, request);
    detail::take_cookies(*session, exchange->head().headers, request.url);
    std::optional<URL> next = follows ? redirect_of(*exchange) : std::nullopt;
    if (!next) {
      exchange->history() = std::move(history);
      ClientResponse response(exchange);
      if (options.get_raise_for_status().value_or(session->options.get_raise_for_status()))
        response.raise_for_status();
      co_return response;
    }
    if (history.size() >= static_cast<std::size_t>(options.get_max_redirects()))
      throw TooManyRedirects(std::string(request.url.str()) + ": more than " +
                                 std::to_string(options.get_max_redirects()) + " redirects",
                             exchange->head().status);
    require_http(*next);
    if (next->origin() != request.url.origin()) options.cookies({});
    co_await exchange->discard();
    follow(request, exchange->head().status.code(), *next);
    history.emplace_back(exchange);
    url = *next;
  }
}

Coro<ClientResponse> request(Method method, URL url, RequestOptions options) {
  ClientSession session;
  ClientResponse response = co_await session.request(method, std::move(url), std::move(options));
  co_return response;
}

Coro<ClientResponse> get(URL url, RequestOptions options) {
  return request(Method::GET, std::move(url), std::move(options));
}

Coro<ClientResponse> post(URL url, RequestOptions options) {
  return request(Method::POST, std::move(url), std::move(options));
}

Status ClientResponse::status() const noexcept { return exchange_->head().status; }
std::string_view ClientResponse::reason() const noexcept { return exchange_->head().reason; }
const Headers& ClientResponse::headers() const noexcept { return exchange_->head().headers; }
const URL& ClientResponse::url() const noexcept { return exchange_->url(); }
const Method& ClientResponse::method() const noexcept { return exchange_->method(); }
const std::vector<ClientResponse>& ClientResponse::history() const noexcept {
  return exchange_->history();
}

std::string_view ClientResponse::content_type() const noexcept {
  std::string_view value = headers().get("Content-Type", "application/octet-stream");
  return detail::trimmed(value.substr(0, value.find(';')));
}

Coro<std::string> ClientResponse::read_some() const { return exchange_->read_some(); }
Coro<std::string> ClientResponse::read(std::size_t limit) const { return exchange_->read(limit); }
void ClientResponse::close() const noexcept { exchange_->close(); }

void ClientResponse::require_json() const {
  std::string_view type = content_type();
  if (detail::equal_without_case(type, "application/json") || type.ends_with("+json")) return;
  throw ContentTypeError(
      "'" + std::string(url().str()) + "': " + std::string(type) + " instead of application/json",
      status());
}

void ClientResponse::raise_for_status() const {
  if (ok()) return;
  throw ClientResponseError(std::to_string(status().code()) + ", message='" +
                                std::string(reason()) + "', url='" + std::string(url().str()) + "'",
                            status());
}

}  // namespace asyncio::http

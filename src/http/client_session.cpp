// SPDX-License-Identifier: BSL-1.0
#include "asyncio/capture.hpp"
#include "asyncio/exceptions.hpp"
#include "asyncio/http/client.hpp"
#include "http/characters.hpp"
#include "http/client_exchange.hpp"
#include "http/http2_presence.hpp"
#include "http/recycled.hpp"
#include "http/redirects.hpp"
#include "http/session_state.hpp"
#include "http/uri_text.hpp"
#include "http/write_head.hpp"

#include <string>
#include <utility>
#include <vector>

namespace asyncio::http {

namespace {

using detail::ClientExchange;
using detail::ClientRequest;
using detail::make_recycled;
using detail::SessionState;

void require_http(const URL& url) {
  if (url.scheme() != "http" && url.scheme() != "https")
    throw InvalidURL("'" + detail::without_secrets(url.str()) + "': neither http nor https");
}

/// The pieces of a body may say how long it is, or its sender.
Coro<> begin_body(ClientRequest& request) {
  request.head.body = co_await request.source->begin();
  std::optional<std::string_view> length = request.head.headers.get("Content-Length");
  if (!length || request.head.body.kind() == BodyFraming::Kind::length) co_return;
  std::optional<std::uint64_t> number = detail::parse_number(*length);
  if (!number) throw ValueError("Content-Length: " + detail::quoted(*length) + " is no number");
  request.head.body = BodyFraming::of_length(*number);
}

/// How often a server may refuse a request until it is taken at its word.
constexpr int kMostRefusals = 3;

/// Once more if the server had closed a connection of the pool meanwhile and the request may be
/// repeated, and if it says that it has done nothing for the request.
Coro<std::shared_ptr<ClientExchange>> send(SessionState& session, ClientRequest& request) {
  bool fresh = false;
  for (int refusals = 0;;) {
    if (request.source) co_await begin_body(request);
    request.fields = detail::checked_fields(request.head);
    detail::ConnectionWish wish = detail::wish_of(request, fresh);
    auto channel = session.connector->reuse(wish);
    if (!channel) channel = co_await session.connector->open(std::move(wish));
    auto exchange =
        make_recycled<ClientExchange>(channel, request, session.options.get_limits().body());
    auto outcome = co_await capture(ClientExchange::start(exchange, request));
    if (outcome) co_return exchange;
    const bool is_lost = outcome.holds<ServerDisconnectedError>();
    if (request.source && !request.source->repeatable()) outcome.rethrow();
    const bool is_refused = is_lost && channel->is_refused();
    if (is_refused && ++refusals < kMostRefusals) continue;
    const bool may_repeat =
        request.allow_repeats && channel->is_reused() && request.head.method.idempotent();
    if (is_refused || fresh || !is_lost || !may_repeat) outcome.rethrow();
    fresh = true;
  }
}

/// The request, and those that redirects ask for. What it refers to is its caller's, who awaits it:
/// copies would be as large as all the rest.
Coro<ClientResponse> perform(SessionState& session, ClientRequest& request, URL& url,
                             RequestOptions& options) {
  bool follows = options.get_allow_redirects().value_or(request.head.method != Method::HEAD);
  std::vector<ClientResponse> history;
  int redirects = 0;
  for (;;) {
    detail::set_url(session, request, std::move(url), options);
    auto exchange = co_await send(session, request);
    detail::take_cookies(session, exchange->head().headers, request.url);
    std::optional<URL> next =
        follows ? detail::redirect_of(exchange->head(), request.url) : std::nullopt;
    if (!next) {
      exchange->history() = std::move(history);
      ClientResponse response(exchange);
      if (options.get_raise_for_status().value_or(session.options.get_raise_for_status()))
        response.raise_for_status();
      co_return response;
    }
    const Status status = exchange->head().status;
    detail::count_redirect(redirects, options, request.url, status);
    require_http(*next);
    if (request.traces)
      detail::tell_response(*request.traces, TraceEvent::request_redirect, exchange->head());
    detail::follow(request, options, status, *next);
    co_await ClientExchange::discard(exchange);
    history.emplace_back(exchange);
    url = std::move(*next);
  }
}

/// The same, and its hooks.
Coro<ClientResponse> perform_traced(SessionState& session, ClientRequest& request, URL& url,
                                    RequestOptions& options) {
  detail::Traces traces = detail::begin_traces(session, request, url);
  auto outcome = co_await capture(perform(session, request, url, options));
  if (!outcome) {
    detail::tell_exception(*traces, outcome.exception());
    outcome.rethrow();
  }
  const ClientResponse& response = outcome.value();
  traces->tell(TraceEvent::request_end, [&](TraceParams& params) {
    params.headers = &response.headers();
    params.status = response.status();
  });
  co_return response;
}

}  // namespace

RequestURL::RequestURL(std::string_view text) {
  try {
    url_ = URL(text);
  } catch (const InvalidURL&) {
    error_ = std::current_exception();
  }
}

ClientSession::ClientSession(SessionOptions options) {
  if (options.get_http2() == Http2::PriorKnowledge && !detail::has_http2())
    throw RuntimeError("ClientSession: asyncio::http is built without HTTP/2");
  state_ = std::make_shared<SessionState>(get_running_loop(), std::move(options));
}

CookieJar& ClientSession::cookie_jar() const noexcept { return state_->cookies; }
bool ClientSession::closed() const noexcept { return state_->connector->closed(); }
void ClientSession::close() const { state_->connector->close(); }

Coro<ClientResponse> ClientSession::request(Method method, RequestURL given,
                                            RequestOptions options) const {
  URL& url = given.value();
  auto session = state_;
  ClientRequest request = detail::make_request(*session, method, options);
  url = detail::absolute(*session, std::move(url));
  require_http(url);
  if (!options.get_params().empty()) url = url.extend_query(options.get_params());
  auto run = session->options.get_traces().empty() ? perform : perform_traced;
  ClientResponse response = co_await run(*session, request, url, options);
  co_return response;
}

Coro<ClientResponse> request(Method method, RequestURL url, RequestOptions options) {
  ClientSession session;
  ClientResponse response = co_await session.request(method, std::move(url), std::move(options));
  co_return response;
}

Coro<ClientResponse> get(RequestURL url, RequestOptions options) {
  return request(Method::GET, std::move(url), std::move(options));
}

Coro<ClientResponse> post(RequestURL url, RequestOptions options) {
  return request(Method::POST, std::move(url), std::move(options));
}

}  // namespace asyncio::http

// SPDX-License-Identifier: BSL-1.0
#include "asyncio/capture.hpp"
#include "asyncio/exceptions.hpp"
#include "asyncio/timeout.hpp"
#include "http/client_failure.hpp"
#include "http/redirects.hpp"
#include "http/schemes.hpp"
#include "http/session_state.hpp"
#include "http/uri_text.hpp"
#include "http/websocket_handshake.hpp"
#include "http/websocket_state.hpp"
#include "http/write_head.hpp"

#include <algorithm>
#include <chrono>
#include <string>
#include <utility>

namespace asyncio::http {

namespace {

/// Sends the offer and reads the answer's head, which others may come before (RFC 9110, 15.2).
Coro<ResponseHead> shake_hands(detail::ClientConnection& connection,
                               const detail::ClientRequest& request) {
  connection.parser.expect(request.head.method, true);
  std::string out;
  detail::write_head(out, request.head);
  connection.writer.write(std::move(out));
  if (request.traces) detail::tell_headers_sent(*request.traces, request.head);
  for (;;) {
    const detail::Parsed parsed = co_await connection.input.next();  // throws if the input ends
    if (parsed.event != detail::Event::head) continue;
    const Status status = connection.parser.head().status;
    if (!status.is_informational() || status == Status::SWITCHING_PROTOCOLS) break;
  }
  ResponseHead head = std::move(connection.parser.head());
  if (head.status == Status::SWITCHING_PROTOCOLS) connection.input.next_buffered();
  co_return head;
}

[[noreturn]] void fail(const URL& url, const detail::ClientConnection& connection,
                       const std::exception_ptr& error) {
  using detail::Arrived;
  const Arrived arrived = connection.parser.in_message() ? Arrived::head : Arrived::nothing;
  detail::throw_client_error(std::string(url.str()), arrived, error);
}

detail::WebSocketTerms checked(const ResponseHead& head, const WebSocketOptions& options,
                               std::string_view key, const URL& url) {
  try {
    return detail::check_websocket(head, options, key);
  } catch (const ValueError& error) {
    throw WSServerHandshakeError(std::string(url.str()) + ": no WebSocket: " + error.what(),
                                 head.status);
  }
}

/// Base URLs and redirects name pages: http stands for ws.
URL of_websocket(const URL& url) {
  if (detail::is_websocket(url)) return url;
  if (url.scheme() == "http") return url.with_scheme("ws");
  if (url.scheme() == "https") return url.with_scheme("wss");
  throw InvalidURL("'" + detail::without_secrets(url.str()) + "': no place for a WebSocket");
}

std::optional<URL> redirect_to(const ResponseHead& head, const URL& from) {
  std::optional<URL> to = detail::redirect_of(head, from);
  if (to) to = of_websocket(*to);
  return to;
}

/// What is left for all that the request does.
OptionalDelay time_left(const detail::ClientRequest& request) {
  if (!request.deadline) return {};
  auto left = *request.deadline - get_running_loop().time();
  return Delay(std::max(left, std::chrono::nanoseconds(0)));
}

/// What the last of the servers says.
struct Answer {
  std::shared_ptr<detail::ClientConnection> connection;
  ResponseHead head;
  URL url;
};

/// The request, and those that redirects ask for. What it refers to is its caller's, who awaits it.
Coro<Answer> ask(detail::SessionState& session, detail::ClientRequest& request, URL& url,
                 RequestOptions& options) {
  const bool follows = options.get_allow_redirects().value_or(true);
  int redirects = 0;
  for (;;) {
    detail::set_url(session, request, std::move(url), options);
    auto connection = co_await session.connector->acquire(detail::wish_of(request, true));
    auto head = co_await capture(wait_for(shake_hands(*connection, request), time_left(request)));
    if (head.has_exception()) fail(request.url, *connection, head.exception());
    detail::take_cookies(session, head.value().headers, request.url);
    std::optional<URL> next = follows ? redirect_to(head.value(), request.url) : std::nullopt;
    if (!next) {
      Answer answer{std::move(connection), std::move(head).value(), request.url};
      co_return answer;
    }
    detail::count_redirect(redirects, options, request.url, head.value().status);
    if (request.traces)
      detail::tell_response(*request.traces, TraceEvent::request_redirect, head.value());
    detail::follow(request, options, head.value().status, *next);
    url = std::move(*next);
  }
}

/// The same, and its hooks.
Coro<Answer> ask_traced(detail::SessionState& session, detail::ClientRequest& request, URL& url,
                        RequestOptions& options) {
  detail::Traces traces = detail::begin_traces(session, request, url);
  auto outcome = co_await capture(ask(session, request, url, options));
  if (!outcome) {
    detail::tell_exception(*traces, outcome.exception());
    outcome.rethrow();
  }
  Answer answer = std::move(outcome).value();
  detail::tell_response(*traces, TraceEvent::request_end, answer.head);
  co_return answer;
}

}  // namespace

Coro<WebSocket> ClientSession::ws_connect(RequestURL given, WebSocketOptions options,
                                          RequestOptions request_options) const {
  URL& url = given.value();
  auto session = state_;
  detail::ClientRequest request = detail::make_request(*session, Method::GET, request_options);
  std::string key = detail::websocket_key();
  detail::offer_websocket(request.head, options, key);
  url = of_websocket(detail::absolute(*session, url));
  const MultiDict& params = request_options.get_params();
  if (!params.empty()) url = url.extend_query(params);
  auto run = session->options.get_traces().empty() ? ask : ask_traced;
  Answer answer = co_await run(*session, request, url, request_options);
  detail::WebSocketTerms terms = checked(answer.head, options, key, answer.url);
  detail::ClientConnection& connection = *answer.connection;
  co_return WebSocket(
      std::make_shared<detail::WebSocketState>(connection.input.reader(), connection.writer,
                                               options, true, std::move(terms), answer.connection));
}

}  // namespace asyncio::http

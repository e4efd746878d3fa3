// SPDX-License-Identifier: BSL-1.0
#include "asyncio/web/exceptions.hpp"
#include "asyncio/web/websocket_response.hpp"
#include "http/server_exchange.hpp"
#include "http/websocket_handshake.hpp"
#include "http/websocket_state.hpp"

#include <memory>
#include <optional>
#include <string_view>

namespace asyncio::web {

namespace {

using http::detail::kWebSocketVersion;

/// Browsers let the pages of all hosts connect to all others, with the cookies of these.
void check_origin(const Request& request, const http::WebSocketOptions& options) {
  std::optional<std::string_view> origin = request.headers().get("Origin");
  if (!origin) return;
  const auto& hook = options.get_check_origin();
  bool welcome = hook ? hook(*origin) : http::detail::is_own_origin(*origin, request.host());
  if (!welcome) throw HTTPForbidden("Pages of this origin may not use the WebSocket.");
}

http::detail::WebSocketTerms accepted(Request& request, const http::WebSocketOptions& options,
                                      http::ResponseHead& response) {
  const http::BodyFraming& body = request.head().body;
  if (body != http::BodyFraming() && body != http::BodyFraming::of_length(0))
    throw HTTPBadRequest("a WebSocket handshake with a body");
  try {
    return http::detail::accept_websocket(request.head(), options, response);
  } catch (const ValueError& error) {
    bool other_version = is_websocket(request) &&
                         request.headers().get("Sec-WebSocket-Version", "") != kWebSocketVersion;
    if (!other_version) throw HTTPBadRequest(error.what());
    HTTPException refusal(http::Status::UPGRADE_REQUIRED, error.what());
    refusal.headers().set("Sec-WebSocket-Version", kWebSocketVersion);
    throw refusal;
  }
}

}  // namespace

Coro<http::WebSocket> websocket(Request& request, http::WebSocketOptions options) {
  http::ResponseHead head(http::Status::SWITCHING_PROTOCOLS);
  http::detail::WebSocketTerms terms = accepted(request, options, head);
  check_origin(request, options);
  http::detail::ServerExchange& exchange = request.exchange();
  co_await exchange.switch_protocols(head);
  auto state = std::make_shared<http::detail::WebSocketState>(exchange.reader(), exchange.writer(),
                                                              options, false, std::move(terms));
  exchange.set_websocket(state);
  co_return http::WebSocket(std::move(state));
}

bool is_websocket(const Request& request) noexcept {
  return http::detail::wants_websocket(request.head());
}

}  // namespace asyncio::web

// SPDX-License-Identifier: BSL-1.0
#include "asyncio/web/exceptions.hpp"
#include "asyncio/web/websocket_response.hpp"
#include "http/server_connection.hpp"
#include "http/websocket_handshake.hpp"
#include "http/websocket_state.hpp"

#include <memory>

namespace asyncio::web {

namespace {

http::detail::WebSocketTerms accepted(Request& request, const http::WebSocketOptions& options,
                                      http::ResponseHead& response) {
  const http::BodyFraming& body = request.head().body;
  if (body != http::BodyFraming() && body != http::BodyFraming::of_length(0))
    throw HTTPBadRequest("a WebSocket handshake with a body");
  try {
    return http::detail::accept_websocket(request.head(), options, response);
  } catch (const ValueError& error) {
    throw HTTPBadRequest(error.what());
  }
}

}  // namespace

Coro<http::WebSocket> websocket(Request& request, http::WebSocketOptions options) {
  http::ResponseHead head(http::Status::SWITCHING_PROTOCOLS);
  http::detail::WebSocketTerms terms = accepted(request, options, head);
  http::detail::ServerConnection& connection = request.connection();
  co_await connection.switch_protocols(head);
  co_return http::WebSocket(std::make_shared<http::detail::WebSocketState>(
      connection.reader(), connection.writer(), options, false, terms.deflate,
      std::move(terms.protocol)));
}

bool is_websocket(const Request& request) noexcept {
  return http::detail::wants_websocket(request.head());
}

}  // namespace asyncio::web

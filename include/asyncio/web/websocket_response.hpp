// SPDX-License-Identifier: BSL-1.0
/// The server's end of a WebSocket: aiohttp's web.WebSocketResponse.
#pragma once

#include "asyncio/http/websocket.hpp"
#include "asyncio/web/request.hpp"
#include "asyncio/web/response.hpp"

namespace asyncio::web {

/// Answers a request by going on as a WebSocket:
///
///     Coro<web::Response> handler(web::Request& request) {
///       http::WebSocket ws = co_await web::websocket(request);
///       while (auto message = co_await ws.next()) co_await ws.send_str(message->data);
///       co_return web::Response::sent();
///     }
///
/// The connection ends with the handler; one that throws says 1011 (InternalError) to the client,
/// and why to the log.
///
/// Awaits   room for the answer.
/// Throws   HTTPBadRequest if the request asks for none, or not as it should; HTTPForbidden for a
///          page of another origin (see WebSocketOptions::check_origin); an HTTPException of status
///          426 for another version than RFC 6455's. All that a handler can let pass.
/// asyncio  aiohttp: web.WebSocketResponse.prepare
Coro<http::WebSocket> websocket(Request& request, http::WebSocketOptions options = {});

/// Whether a request asks for a WebSocket.
///
/// asyncio  aiohttp: web.WebSocketResponse.can_prepare
bool is_websocket(const Request& request) noexcept;

}  // namespace asyncio::web

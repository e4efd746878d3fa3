// SPDX-License-Identifier: BSL-1.0
/// A WebSocket for peers that are programs of others.
#pragma once

#include "asyncio/http/websocket.hpp"
#include "asyncio/web/request.hpp"
#include "asyncio/web/response.hpp"
#include "asyncio/web/websocket_response.hpp"

namespace test {

/// A handler that says what it hears, and closes when it is told "close".
inline asyncio::Coro<asyncio::web::Response> talk(asyncio::web::Request& request) {
  using namespace asyncio::http;
  WebSocket ws = co_await asyncio::web::websocket(request, WebSocketOptions().protocols("chat"));
  while (auto message = co_await ws.next()) {
    if (message->data == "close")
      co_await ws.close(WSCloseCode::TryAgainLater, "later");
    else if (message->type == WSMsgType::Text)
      co_await ws.send_str(message->data);
    else
      co_await ws.send_bytes(message->data);
  }
  co_return asyncio::web::Response::sent();
}

}  // namespace test

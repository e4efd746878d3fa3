// SPDX-License-Identifier: BSL-1.0
/// How an HTTP/1.1 connection becomes a WebSocket (RFC 6455, 4).
#pragma once

#include "asyncio/http/head.hpp"
#include "asyncio/http/websocket.hpp"
#include "http/permessage_deflate.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace asyncio::http::detail {

/// Sixteen random bytes in base64.
std::string websocket_key();

/// What the server answers to a key.
std::string websocket_accept(std::string_view key);

/// What both sides have agreed to.
struct WebSocketTerms {
  std::string protocol;
  std::optional<DeflateTerms> deflate;
};

inline constexpr std::string_view kWebSocketVersion = "13";

/// What a side wants of permessage-deflate.
DeflateTerms wanted_terms(const WebSocketOptions& options) noexcept;

/// Whether a page of this origin belongs to the host of the request.
bool is_own_origin(std::string_view origin, std::string_view host) noexcept;

/// Whether a request asks for a WebSocket.
bool wants_websocket(const RequestHead& request);

/// Takes the offer of a request that wants a WebSocket, and puts the answer into `response`.
/// Throws: ValueError for one that is not valid.
WebSocketTerms accept_websocket(const RequestHead& request, const WebSocketOptions& options,
                                ResponseHead& response);

/// Puts the offer of a client into `request`.
void offer_websocket(RequestHead& request, const WebSocketOptions& options, std::string_view key);

/// Checks the answer to that.
/// Throws: ValueError that says what is wrong with it.
WebSocketTerms check_websocket(const ResponseHead& response, const WebSocketOptions& options,
                               std::string_view key);

}  // namespace asyncio::http::detail

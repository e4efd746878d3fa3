// SPDX-License-Identifier: BSL-1.0
/// The server's end of an HTTP/2 connection.
#pragma once

#include "asyncio/coro.hpp"
#include "asyncio/streams.hpp"
#include "http/served_connection.hpp"
#include "http/server_exchange.hpp"

#include <memory>
#include <string_view>

namespace asyncio::http::detail {

/// What a client of HTTP/2 begins with (RFC 9113, 3.4).
inline constexpr std::string_view kHttp2Preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// Throws: RuntimeError if this build has no HTTP/2.
std::shared_ptr<ServedConnection> make_http2_server(StreamReader reader, StreamWriter writer,
                                                    const ServerSettings& settings,
                                                    const WebHandler& handler);

/// Reads, and takes nothing.
/// Awaits: the client's first byte for a time, and then the others, together, for another.
/// Returns: whether they are the preface.
Coro<bool> begins_with_preface(StreamReader reader, Delay idle, Delay head);

}  // namespace asyncio::http::detail

// SPDX-License-Identifier: BSL-1.0
/// What the clients of `./dev load` do. Each prints "ready {figures}" when it has done it.
#pragma once

#include <asyncio/coro.hpp>

#include <cstdint>
#include <string>

namespace load {

struct Target {
  std::uint16_t port;
  std::int64_t count;       // of connections, or of cycles
  std::string source_base;  // "127.0.1.": connections come from .2 to .20 of it
};

/// Each sends a line, gets it back, and stays.
asyncio::Coro<> hold(Target to);
asyncio::Coro<> hold_tls(Target to);
/// The same with a message over a WebSocket, compressed without context takeover or not at all.
asyncio::Coro<> hold_websocket(Target to);
asyncio::Coro<> hold_websocket_deflate(Target to);
/// All connect at once, send a line, and get it back.
asyncio::Coro<> storm(Target to);
/// Connect, send a line, get it back, close; 64 at a time.
asyncio::Coro<> churn(Target to);
/// Connections with a small window that never read.
asyncio::Coro<> stall(Target to);
/// Each begins a TLS handshake, and answers nothing.
asyncio::Coro<> half_handshakes(Target to);

}  // namespace load

// SPDX-License-Identifier: BSL-1.0
/// What goes over a WebSocket (RFC 6455): aiohttp's WSMessage.
#pragma once

#include <cstdint>
#include <string>

namespace asyncio::http {

enum class WSMsgType {
  Text,
  Binary,
  Ping,
  Pong,
  Close,   // the peer closes; the last message
  Closed,  // the connection is closed already
};

/// Why a WebSocket is closed. The numbers from 3000 are the applications'.
enum class WSCloseCode : std::uint16_t {
  None = 0,  // a close frame without a code
  Ok = 1000,
  GoingAway = 1001,
  ProtocolError = 1002,
  UnsupportedData = 1003,
  AbnormalClosure = 1006,  // the connection ended without a close frame; never sent
  InvalidText = 1007,
  PolicyViolation = 1008,
  MessageTooBig = 1009,
  MandatoryExtension = 1010,
  InternalError = 1011,
  ServiceRestart = 1012,
  TryAgainLater = 1013,
  BadGateway = 1014,
};

/// A message. A value type.
struct WSMessage {
  WSMsgType type = WSMsgType::Closed;
  std::string data;                            // the reason of a Close
  WSCloseCode close_code = WSCloseCode::None;  // of a Close
};

}  // namespace asyncio::http

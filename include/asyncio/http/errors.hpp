// SPDX-License-Identifier: BSL-1.0
/// What is thrown when a peer does not keep to HTTP.
#pragma once

#include "asyncio/http/status.hpp"

#include <cstdint>
#include <stdexcept>
#include <string>

namespace asyncio::http {

/// A message that is not HTTP, that may be read in two ways, or that is beyond a limit: "response:
/// header field 3: ... (byte 57)". Nothing more is to be read from that connection, as nobody knows
/// where the next message begins. The text repeats nothing that the peer has sent.
///
/// asyncio  aiohttp: BadHttpMessage
class ProtocolError : public std::runtime_error {
 public:
  ProtocolError(const std::string& message, std::uint64_t position)
      : std::runtime_error(message), position_(position) {}
  ~ProtocolError() override;

  /// Where in the message: how many of its bytes were read before.
  std::uint64_t position() const noexcept { return position_; }

 private:
  std::uint64_t position_;
};

/// A request that a server answers with `status()`, and then closes the connection.
class BadRequest final : public ProtocolError {
 public:
  BadRequest(Status status, const std::string& message, std::uint64_t position)
      : ProtocolError(message, position), status_(status) {}
  ~BadRequest() override;

  /// 400, 413, 414, 431, 501 or 505.
  Status status() const noexcept { return status_; }

 private:
  Status status_;
};

}  // namespace asyncio::http

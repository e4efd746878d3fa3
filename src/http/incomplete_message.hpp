// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "asyncio/http/errors.hpp"

namespace asyncio::http::detail {

/// The connection ended inside a message: what was read of it is not all. Clients make a
/// ClientPayloadError or ServerDisconnectedError of it.
class IncompleteMessage final : public ProtocolError {
 public:
  using ProtocolError::ProtocolError;
  ~IncompleteMessage() override;
};

}  // namespace asyncio::http::detail

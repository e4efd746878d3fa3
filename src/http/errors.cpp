// SPDX-License-Identifier: BSL-1.0
#include "asyncio/http/errors.hpp"

#include "http/incomplete_message.hpp"

namespace asyncio::http {

// Here, so that all of the program's libraries share one type.
ProtocolError::~ProtocolError() = default;
BadRequest::~BadRequest() = default;
detail::IncompleteMessage::~IncompleteMessage() = default;

}  // namespace asyncio::http

// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "http/client_exchange.hpp"

#include <memory>

namespace asyncio::http::detail {

/// Sends the pieces of a body, beside the wait for the response. An error of the source ends the
/// channel; one of the channel is for who reads from it to find.
Coro<> send_body(std::shared_ptr<Upload> upload, std::shared_ptr<ClientChannel> channel,
                 std::shared_ptr<BodySource> source, BodyFraming framing, Traces traces);

}  // namespace asyncio::http::detail

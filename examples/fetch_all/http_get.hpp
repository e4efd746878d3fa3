// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <asyncio/asyncio.hpp>

#include <string>

namespace fetch_all {

/// The body of http://host:port/path.
///
/// Throws   OSError for the connection, RuntimeError for an answer that is not 200 or not whole.
asyncio::Coro<std::string> http_get(std::string host, unsigned port, std::string path);

}  // namespace fetch_all

// SPDX-License-Identifier: BSL-1.0
/// Under which names anybody can register a host.
#pragma once

#include <string_view>

namespace asyncio::http::detail {

/// Whether the domain (small letters, ASCII) is one like "com" or "co.uk", for which no host may
/// set cookies. Without libpsl: whether it has no dot.
bool is_public_suffix(std::string_view domain);

}  // namespace asyncio::http::detail

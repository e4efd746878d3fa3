// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <string>
#include <string_view>

namespace asyncio::http::detail {

/// RFC 4648, 4.
std::string base64(std::string_view bytes);

}  // namespace asyncio::http::detail

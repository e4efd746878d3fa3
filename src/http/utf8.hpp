// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <string_view>

namespace asyncio::http::detail {

/// RFC 3629: no surrogates, nothing longer than it must be, nothing above U+10FFFF.
bool is_utf8(std::string_view text) noexcept;

}  // namespace asyncio::http::detail

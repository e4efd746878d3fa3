// SPDX-License-Identifier: BSL-1.0
/// The dates of HTTP.
#pragma once

#include <array>
#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace asyncio::http::detail {

/// As Set-Cookie's Expires is read: in whatever order day, month, year and time come (RFC 6265bis,
/// 5.1.1). A date that the clock does not have is the first or the last that it has.
std::optional<std::chrono::system_clock::time_point> parse_cookie_date(std::string_view text);

/// Room for a date of any year.
using DateText = std::array<char, 64>;

/// "Sun, 06 Nov 1994 08:49:37 GMT", in `text`: takes no memory.
std::string_view write_http_date(DateText& text, std::chrono::system_clock::time_point time);
std::string http_date(std::chrono::system_clock::time_point time);

}  // namespace asyncio::http::detail

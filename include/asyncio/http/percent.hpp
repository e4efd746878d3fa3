// SPDX-License-Identifier: BSL-1.0
/// Percent-encoding, and the form that queries and HTML forms share: Python's urllib.parse.
#pragma once

#include "asyncio/http/multi_dict.hpp"

#include <string>
#include <string_view>

namespace asyncio::http {

/// Every byte but letters, digits, `-._~` and those in `safe` as %XX.
std::string quote(std::string_view text, std::string_view safe = "/");

/// %XX as the byte it stands for; a '%' that no two hexadecimal digits follow stays.
std::string unquote(std::string_view text);

/// `a=1&b=x+y` as application/x-www-form-urlencoded has it: '+' is a space, and a part without
/// '=' a name with an empty value. Empty parts count for nothing.
///
/// Throws   ValueError beyond `max_pairs`.
MultiDict parse_qsl(std::string_view text, std::size_t max_pairs = 1000);

/// The reverse.
std::string urlencode(const MultiDict& pairs);

}  // namespace asyncio::http

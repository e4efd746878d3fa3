// SPDX-License-Identifier: BSL-1.0
/// Header values with parameters: `form-data; name="a"; filename="b.txt"`.
#pragma once

#include "asyncio/http/multi_dict.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace asyncio::http::detail {

/// A value with its parameters, whose names are in small letters. RFC 8187's `name*=UTF-8''...`
/// stands for `name`, decoded.
struct ParameterizedValue {
  std::string value;  // in small letters
  MultiDict parameters;
};

/// Nothing for what is none.
std::optional<ParameterizedValue> parse_parameters(std::string_view text);

/// In quotes, as forms do: '"' and line breaks are percent-encoded. A backslash is doubled: a file
/// name's last one would hide the quote that ends it.
std::string quoted_parameter(std::string_view text);

}  // namespace asyncio::http::detail

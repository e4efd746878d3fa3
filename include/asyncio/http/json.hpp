// SPDX-License-Identifier: BSL-1.0
/// JSON through whatever library the program uses.
#pragma once

#include "asyncio/exceptions.hpp"

#include <concepts>
#include <cstddef>
#include <string>
#include <string_view>

namespace asyncio::http {

/// How a T becomes JSON and comes back. Specialize it for your types, or include
/// "asyncio/http/nlohmann_json.hpp", which does it for all that nlohmann::json knows:
///
///   static T parse(std::string_view text);       // throws ValueError
///   static std::string dump(const T& value);
template <class T>
struct JsonCodec;

/// A type with a JsonCodec.
template <class T>
concept Json = requires(std::string_view text, const T& value) {
  { JsonCodec<T>::parse(text) } -> std::convertible_to<T>;
  { JsonCodec<T>::dump(value) } -> std::convertible_to<std::string>;
};

/// Refuses text that is nested deeper: parsers recurse.
///
/// Throws   ValueError.
void check_json_depth(std::string_view text, std::size_t limit = 512);

}  // namespace asyncio::http

// SPDX-License-Identifier: BSL-1.0
/// JSON with nlohmann::json, and with every type that it converts. Needs nlohmann-json, which the
/// library itself does not.
#pragma once

#include "asyncio/http/json.hpp"

#include <cmath>
#include <cstdint>
#include <limits>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <type_traits>

namespace asyncio::http {

namespace detail {

/// nlohmann::json converts every number, and every truth value, into every type of number.
template <class T>
T exact_number(const nlohmann::json& json) {
  using Limits = std::numeric_limits<T>;
  if constexpr (std::is_floating_point_v<T>) {
    if (!json.is_number())
      throw ValueError(std::string("JSON: ") + json.type_name() + ", no number");
    const auto number = json.get<T>();
    if (std::isfinite(number)) return number;
  } else {
    if (!json.is_number_integer())
      throw ValueError("JSON: " + (json.is_number() ? json.dump() : std::string(json.type_name())) +
                       ", no whole number");
    const bool fits = json.is_number_unsigned()
                          ? json.get<std::uint64_t>() <= static_cast<std::uint64_t>(Limits::max())
                          : json.get<std::int64_t>() >= static_cast<std::int64_t>(Limits::min());
    if (fits) return json.get<T>();
  }
  throw ValueError("JSON: " + json.dump() + " is not from " +
                   nlohmann::json(Limits::lowest()).dump() + " to " +
                   nlohmann::json(Limits::max()).dump());
}

}  // namespace detail

/// A number as a whole, `JsonCodec<int>` say, must fit; inside of other types nlohmann::json
/// converts numbers as C++ does.
template <class T>
  requires std::is_same_v<T, nlohmann::json> ||
           requires(const nlohmann::json& json, const T& value) {
             json.get<T>();
             nlohmann::json(value);
           }
struct JsonCodec<T> {
  static T parse(std::string_view text) {
    check_json_depth(text);
    try {
      auto json = nlohmann::json::parse(text);
      if constexpr (std::is_same_v<T, nlohmann::json>)
        return json;
      else if constexpr (std::is_arithmetic_v<T> && !std::is_same_v<T, bool>)
        return detail::exact_number<T>(json);
      else
        return json.template get<T>();
    } catch (const nlohmann::json::exception& error) {
      throw ValueError(error.what());
    }
  }
  static std::string dump(const T& value) { return nlohmann::json(value).dump(); }
};

}  // namespace asyncio::http

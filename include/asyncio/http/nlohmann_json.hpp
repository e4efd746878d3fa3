// SPDX-License-Identifier: BSL-1.0
/// JSON with nlohmann::json, and with every type that it converts. Needs nlohmann-json, which the
/// library itself does not.
#pragma once

#include "asyncio/http/json.hpp"

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <type_traits>

namespace asyncio::http {

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
      return nlohmann::json::parse(text).template get<T>();
    } catch (const nlohmann::json::exception& error) {
      throw ValueError(error.what());
    }
  }
  static std::string dump(const T& value) { return nlohmann::json(value).dump(); }
};

}  // namespace asyncio::http

// SPDX-License-Identifier: BSL-1.0
#include "vectordb/client/request_bytes.hpp"

#include <algorithm>
#include <string>

namespace vectordb {

using nlohmann::json;

namespace {

constexpr std::size_t kNumber = 24;  // "-1.0000000149011612e-08,"
constexpr std::size_t kUuid = 38;    // with its quotes

std::size_t character_bytes(char character) noexcept {
  if (character == '"' || character == '\\') return 2;
  return static_cast<unsigned char>(character) < 0x20 ? 6 : 1;
}

std::size_t text_bytes(const std::string& text) noexcept {
  std::size_t sum = 3;  // the quotes, and what follows
  for (char character : text) sum += character_bytes(character);
  return sum;
}

std::size_t json_bytes(const json& value) {
  if (value.is_string()) return text_bytes(value.get_ref<const std::string&>());
  if (!value.is_structured()) return kNumber;
  std::size_t sum = 3;
  for (auto at = value.begin(); at != value.end(); ++at) {
    if (value.is_object()) sum += text_bytes(at.key());
    sum += json_bytes(*at);
  }
  return sum;
}

}  // namespace

std::size_t request_bytes(const Point& point) {
  return sizeof R"({"id":,"payload":,"vector":[]},)" + kUuid + json_bytes(point.payload) +
         point.vector.size() * kNumber;
}

bool RequestRoom::take(const Point& point) {
  const std::size_t bytes = request_bytes(point);
  if (taken_ != 0 && bytes > bytes_ - std::min(taken_, bytes_)) return false;
  taken_ += bytes;
  return true;
}

}  // namespace vectordb

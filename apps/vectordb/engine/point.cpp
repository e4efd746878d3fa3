// SPDX-License-Identifier: BSL-1.0
#include "vectordb/engine/point.hpp"

#include "vectordb/engine/errors.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <optional>

namespace vectordb {

using nlohmann::json;

namespace {

constexpr std::string_view kExpected = "not an unsigned integer or a UUID: ";

int hex_value(char digit) noexcept {
  if (digit >= '0' && digit <= '9') return digit - '0';
  if (digit >= 'a' && digit <= 'f') return digit - 'a' + 10;
  if (digit >= 'A' && digit <= 'F') return digit - 'A' + 10;
  return -1;
}

/// Without its prefix or braces.
std::string_view bare(std::string_view text) noexcept {
  constexpr std::string_view urn = "urn:uuid:";
  if (text.starts_with(urn)) return text.substr(urn.size());
  if (text.size() == 38 && text.front() == '{' && text.back() == '}') return text.substr(1, 36);
  return text;
}

std::optional<PointId> uuid_of(std::string_view text) {
  text = bare(text);
  const bool hyphens = text.size() == 36;
  if (!hyphens && text.size() != 32) return std::nullopt;
  PointId::Uuid uuid{};
  std::size_t digits = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (hyphens && (i == 8 || i == 13 || i == 18 || i == 23)) {
      if (text[i] != '-') return std::nullopt;
      continue;
    }
    int value = hex_value(text[i]);
    if (value < 0) return std::nullopt;
    std::uint8_t& byte = uuid[digits / 2];
    byte = static_cast<std::uint8_t>(byte << 4 | value);
    ++digits;
  }
  return PointId(uuid);
}

}  // namespace

PointId PointId::from_json(const json& value, std::string_view field) {
  if (value.is_number_unsigned()) return PointId(value.get<std::uint64_t>());
  // What was parsed is unsigned if it can be; what C++ made of an int is not.
  if (value.is_number_integer() && value.get<std::int64_t>() >= 0)
    return PointId(static_cast<std::uint64_t>(value.get<std::int64_t>()));
  if (value.is_string())
    if (auto id = uuid_of(value.get_ref<const std::string&>())) return *id;
  throw InvalidArgument(std::string(field), std::string(kExpected) + brief(value));
}

PointId PointId::from_text(std::string_view text, std::string_view field) {
  if (auto id = uuid_of(text)) return *id;  // its digits may all be decimal
  std::uint64_t number = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error == std::errc() && end == text.data() + text.size()) return PointId(number);
  throw InvalidArgument(std::string(field), std::string(kExpected) + brief(std::string(text)));
}

json PointId::to_json() const {
  if (!is_uuid_) return number_;
  return to_string();
}

std::string PointId::to_string() const {
  if (!is_uuid_) return std::to_string(number_);
  std::string text;
  for (std::size_t i = 0; i < uuid_.size(); ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) text += '-';
    text += "0123456789abcdef"[uuid_[i] >> 4];
    text += "0123456789abcdef"[uuid_[i] & 15];
  }
  return text;
}

Vector vector_from_json(const json& value, std::string_view field) {
  if (!value.is_array())
    throw InvalidArgument(std::string(field), "not an array of numbers: " + brief(value));
  Vector vector;
  vector.reserve(value.size());
  for (const json& number : value) {
    // A double that no float can be would become an infinity.
    if (!number.is_number() ||
        !(std::fabs(number.get<double>()) <= std::numeric_limits<float>::max()))
      throw InvalidArgument(std::string(field) + '[' + std::to_string(vector.size()) + ']',
                            "not a number that a 32-bit float holds: " + brief(number));
    vector.push_back(number.get<float>());
  }
  return vector;
}

Point Point::from_json(const json& value, std::string_view field) {
  std::string name(field);
  if (!value.is_object()) throw InvalidArgument(name, "not an object: " + brief(value));
  Point point;
  auto id = value.find("id");
  if (id == value.end()) throw InvalidArgument(name + ".id", "missing");
  point.id = PointId::from_json(*id, name + ".id");
  auto vector = value.find("vector");
  if (vector == value.end()) throw InvalidArgument(name + ".vector", "missing");
  point.vector = vector_from_json(*vector, name + ".vector");
  auto payload = value.find("payload");
  if (payload == value.end() || payload->is_null()) return point;
  if (!payload->is_object())
    throw InvalidArgument(name + ".payload", "not an object: " + brief(*payload));
  point.payload = *payload;
  return point;
}

std::string brief(const json& value) {
  constexpr std::size_t kLongest = 60;
  // Nothing that is deep: who sends it may have made it deeper than the stack.
  auto is_deep = [](const json& element) { return element.is_structured(); };
  if (value.is_structured() &&
      (value.size() > 8 || std::any_of(value.begin(), value.end(), is_deep)))
    return (value.is_array() ? "an array of " : "an object of ") + std::to_string(value.size());
  std::string text = value.dump(-1, ' ', false, json::error_handler_t::replace);
  if (text.size() <= kLongest) return text;
  text.resize(kLongest);
  while (!text.empty() && (text.back() & 0x80)) text.pop_back();  // no half of a character
  return text + "...";
}

}  // namespace vectordb

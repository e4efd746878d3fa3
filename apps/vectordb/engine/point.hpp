// SPDX-License-Identifier: BSL-1.0
/// Points and their names.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace vectordb {

/// The name of a point: an unsigned integer or a UUID. Numbers come before UUIDs in order.
class PointId {
 public:
  using Uuid = std::array<std::uint8_t, 16>;

  PointId(std::uint64_t number = 0) noexcept : number_(number) {}  // NOLINT: a number is an id
  explicit PointId(const Uuid& uuid) noexcept : is_uuid_(true), uuid_(uuid) {}

  /// An unsigned number, or a string with a UUID: hyphenated, 32 hexadecimal digits, "urn:uuid:..."
  /// or in braces, as Qdrant takes them.
  /// Throws: InvalidArgument with `field`.
  static PointId from_json(const nlohmann::json& value, std::string_view field = "id");
  /// The same of a word, as of a path or a command line: "42" is a number.
  static PointId from_text(std::string_view text, std::string_view field = "id");

  bool is_uuid() const noexcept { return is_uuid_; }
  std::uint64_t number() const noexcept { return number_; }
  const Uuid& uuid() const noexcept { return uuid_; }

  /// A number, or the UUID with hyphens in lower case.
  nlohmann::json to_json() const;
  std::string to_string() const;

  friend auto operator<=>(const PointId&, const PointId&) noexcept = default;

 private:
  bool is_uuid_ = false;
  std::uint64_t number_ = 0;
  Uuid uuid_{};
};

using Vector = std::vector<float>;

/// What is kept under an id. The payload is an object, maybe empty.
struct Point {
  Point() = default;
  Point(PointId id_, Vector vector_, nlohmann::json payload_ = nlohmann::json::object())
      : id(id_), vector(std::move(vector_)), payload(std::move(payload_)) {}

  /// {"id", "vector", "payload"}. Throws: InvalidArgument that begins with `field`.
  static Point from_json(const nlohmann::json& value, std::string_view field = "point");

  PointId id;
  Vector vector;
  nlohmann::json payload = nlohmann::json::object();
};

/// JSON in an error message: cut if it is long.
std::string brief(const nlohmann::json& value);

/// The numbers of an array. Throws: InvalidArgument with `field`, as "vector[3]: not a number".
Vector vector_from_json(const nlohmann::json& value, std::string_view field = "vector");

}  // namespace vectordb

// SPDX-License-Identifier: BSL-1.0
#include "vectordb/engine/operation.hpp"

#include "vectordb/engine/errors.hpp"

#include <array>
#include <cstring>
#include <limits>
#include <type_traits>

namespace vectordb {

using nlohmann::json;

namespace {

template <class Number>
  requires std::is_trivially_copyable_v<Number>
void put(std::string& bytes, Number number) {
  bytes.append(reinterpret_cast<const char*>(&number), sizeof(number));
}

void put_bytes(std::string& bytes, std::string_view value) {
  if (value.size() > std::numeric_limits<std::uint32_t>::max())
    throw Error("a value of " + std::to_string(value.size()) + " bytes, more than 4294967295");
  put(bytes, static_cast<std::uint32_t>(value.size()));
  bytes += value;
}

/// Most payloads have no member; those take no more than their length.
void put_json(std::string& bytes, const json& value) {
  std::string cbor;
  if (!value.is_object() || !value.empty()) json::to_cbor(value, cbor);
  put_bytes(bytes, cbor);
}

void put_id(std::string& bytes, const PointId& id) {
  put(bytes, static_cast<std::uint8_t>(id.is_uuid()));
  if (id.is_uuid())
    put(bytes, id.uuid());
  else
    put(bytes, id.number());
}

std::string_view take_bytes(std::string_view& bytes, std::size_t count) {
  if (bytes.size() < count) throw CorruptionError("a record ends too early");
  std::string_view taken = bytes.substr(0, count);
  bytes.remove_prefix(count);
  return taken;
}

template <class Number>
Number take(std::string_view& bytes) {
  Number number;
  std::memcpy(&number, take_bytes(bytes, sizeof(number)).data(), sizeof(number));
  return number;
}

std::string_view take_sized(std::string_view& bytes) {
  return take_bytes(bytes, take<std::uint32_t>(bytes));
}

[[noreturn]] void refuse_payload() { throw CorruptionError("a record with a broken payload"); }

/// The number of an item of CBOR: the value, or how much follows.
std::uint64_t take_cbor_number(std::string_view& cbor, int short_form) {
  if (short_form < 24) return static_cast<std::uint64_t>(short_form);
  if (short_form > 27) refuse_payload();
  std::uint64_t number = 0;
  for (char byte : take_bytes(cbor, std::size_t{1} << (short_form - 24)))
    number = number << 8 | static_cast<std::uint8_t>(byte);
  return number;
}

/// That lists and objects are not deeper in each other than anything that is written: the parser
/// recurses for each.
void check_depth(std::string_view cbor) {
  enum : int { bytes = 2, text = 3, list = 4, object = 5, tag = 6 };
  constexpr std::size_t kDeepest = 256;
  std::array<std::uint64_t, kDeepest> left;  // how many items, of each that has begun
  std::size_t depth = 0;
  do {
    const auto first = take<std::uint8_t>(cbor);
    const int type = first >> 5;
    const std::uint64_t number = take_cbor_number(cbor, first & 31);
    if (depth > 0) --left[depth - 1];
    if (type == bytes || type == text) take_bytes(cbor, number);
    if (type == tag) refuse_payload();
    if (type == list || type == object) {
      if (number > cbor.size() || depth == kDeepest) refuse_payload();
      left[depth++] = type == list ? number : 2 * number;
    }
    while (depth > 0 && left[depth - 1] == 0) --depth;
  } while (depth > 0);
}

json take_json(std::string_view& bytes) {
  std::string_view cbor = take_sized(bytes);
  if (cbor.empty()) return json::object();
  check_depth(cbor);
  try {
    return json::from_cbor(cbor);
  } catch (const json::exception&) {
    refuse_payload();
  }
}

/// Of a payload; null is one without members.
json take_object(std::string_view& bytes) {
  json object = take_json(bytes);
  if (object.is_null()) return json::object();
  if (!object.is_object()) refuse_payload();
  return object;
}

PointId take_id(std::string_view& bytes) {
  if (take<std::uint8_t>(bytes) != 0) return PointId(take<PointId::Uuid>(bytes));
  return PointId(take<std::uint64_t>(bytes));
}

void put_point(std::string& bytes, const Point& point) {
  put_id(bytes, point.id);
  put_bytes(bytes, {reinterpret_cast<const char*>(point.vector.data()),
                    point.vector.size() * sizeof(float)});
  put_json(bytes, point.payload);
}

Point take_point(std::string_view& bytes) {
  Point point;
  point.id = take_id(bytes);
  std::string_view floats = take_sized(bytes);
  point.vector.resize(floats.size() / sizeof(float));
  if (!point.vector.empty())
    std::memcpy(point.vector.data(), floats.data(), point.vector.size() * sizeof(float));
  point.payload = take_object(bytes);
  return point;
}

void put_selection(std::string& bytes, const Selection& selection) {
  const auto* ids = std::get_if<std::vector<PointId>>(&selection);
  put(bytes, static_cast<std::uint8_t>(ids == nullptr));
  if (ids) {
    put(bytes, static_cast<std::uint32_t>(ids->size()));
    for (const PointId& id : *ids) put_id(bytes, id);
  } else {
    put_json(bytes, std::get<Filter>(selection).to_json());
  }
}

Selection take_selection(std::string_view& bytes) {
  if (take<std::uint8_t>(bytes) != 0) return Filter::from_json(take_json(bytes));
  std::vector<PointId> ids;
  for (auto count = take<std::uint32_t>(bytes); count > 0; --count) ids.push_back(take_id(bytes));
  return ids;
}

bool has_values(Operation::Kind kind) noexcept {
  return kind == Operation::Kind::set_payload || kind == Operation::Kind::overwrite_payload;
}

bool is_of_points(Operation::Kind kind) noexcept {
  return kind == Operation::Kind::upsert || kind == Operation::Kind::update_vectors;
}

}  // namespace

void encode(const Operation& operation, std::string& bytes) {
  put(bytes, operation.kind);
  if (is_of_points(operation.kind)) {
    put(bytes, static_cast<std::uint32_t>(operation.points.size()));
    for (const Point& point : operation.points) put_point(bytes, point);
    return;
  }
  put_selection(bytes, operation.selection);
  put_json(bytes, operation.values);
  put(bytes, static_cast<std::uint32_t>(operation.keys.size()));
  for (const std::string& key : operation.keys) put_bytes(bytes, key);
}

Operation decode(std::string_view& bytes) {
  Operation operation;
  operation.kind = take<Operation::Kind>(bytes);
  if (operation.kind < Operation::Kind::upsert || operation.kind > Operation::Kind::clear_payload)
    throw CorruptionError("a record of an unknown kind");
  if (is_of_points(operation.kind)) {
    for (auto count = take<std::uint32_t>(bytes); count > 0; --count)
      operation.points.push_back(take_point(bytes));
    return operation;
  }
  operation.selection = take_selection(bytes);
  operation.values = has_values(operation.kind) ? take_object(bytes) : take_json(bytes);
  for (auto count = take<std::uint32_t>(bytes); count > 0; --count)
    operation.keys.emplace_back(take_sized(bytes));
  return operation;
}

}  // namespace vectordb

// SPDX-License-Identifier: BSL-1.0
#include "vectordb/engine/validation.hpp"

#include "vectordb/engine/errors.hpp"
#include "vectordb/engine/payload_path.hpp"
#include "vectordb/engine/point_table.hpp"

#include <algorithm>
#include <cmath>

namespace vectordb {

using nlohmann::json;

namespace {

/// No recursion is deeper than that.
bool is_deeper(const json& value, std::size_t levels) {
  return value.is_structured() && std::any_of(value.begin(), value.end(), [&](const json& element) {
           return levels == 0 || is_deeper(element, levels - 1);
         });
}

/// Returns: its size.
std::size_t check_payload(const json& payload, const std::string& field) {
  if (!payload.is_object()) throw InvalidArgument(field, "not an object: " + brief(payload));
  if (is_deeper(payload, Limits::kPayloadDepth))
    throw InvalidArgument(field,
                          "deeper than " + std::to_string(Limits::kPayloadDepth) + " levels");
  const std::size_t bytes = payload_bytes(payload);
  if (bytes > Limits::kPayload)
    throw InvalidArgument(
        field, std::to_string(bytes) + " bytes, more than " + std::to_string(Limits::kPayload));
  return bytes;
}

}  // namespace

void check_limit(std::size_t value, std::size_t most, const std::string& field) {
  if (value > most)
    throw InvalidArgument(field, std::to_string(value) + " is more than " + std::to_string(most));
}

std::size_t payload_bytes(const json& payload) {
  if (payload.is_string()) return payload.get_ref<const std::string&>().size() + 8;
  std::size_t sum = 8;
  if (payload.is_object())
    for (const auto& [name, element] : payload.items())
      sum += name.size() + 8 + payload_bytes(element);
  if (payload.is_array())
    for (const json& element : payload) sum += payload_bytes(element);
  return sum;
}

void check_result_vectors(std::size_t numbers) {
  const std::size_t bytes = numbers * sizeof(float);
  if (bytes > Limits::kBatchBytes)
    throw InvalidArgument("with_vector", "the vectors of the results have " +
                                             std::to_string(bytes) + " bytes, more than " +
                                             std::to_string(Limits::kBatchBytes));
}

void check_vector(const Vector& vector, std::size_t size, const std::string& field) {
  if (vector.size() != size)
    throw InvalidArgument(field, std::to_string(vector.size()) +
                                     " dimensions, the collection has " + std::to_string(size));
  auto broken =
      std::find_if(vector.begin(), vector.end(), [](float value) { return !std::isfinite(value); });
  if (broken != vector.end())
    throw InvalidArgument(field + '[' + std::to_string(broken - vector.begin()) + ']',
                          std::isnan(*broken) ? "not a number (NaN)" : "infinite");
}

std::size_t prepare(Operation& operation, const CollectionConfig& config) {
  check_limit(operation.points.size(), Limits::kBatch, "points");
  std::size_t bytes = 0;
  for (std::size_t i = 0; i < operation.points.size(); ++i) {
    Point& point = operation.points[i];
    const std::string field = "points[" + std::to_string(i) + ']';
    check_vector(point.vector, config.size, field + ".vector");
    bytes += config.size * sizeof(float) + check_payload(point.payload, field + ".payload");
    check_limit(bytes, Limits::kBatchBytes, "bytes of points");
    if (config.distance == Distance::Cosine) normalize(point.vector);
  }
  if (const auto* ids = std::get_if<std::vector<PointId>>(&operation.selection))
    check_limit(ids->size(), Limits::kBatch, "points");
  for (const std::string& key : operation.keys) PayloadPath(key, "key");
  if (operation.values.is_null()) return 0;
  std::size_t growth = check_payload(operation.values, "payload");
  for (const std::string& key : operation.keys) growth += key.size();  // they become names in it
  return growth;
}

void check_name(const std::string& name) {
  auto is_allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-' || c == '.';
  };
  if (name.empty() || name.size() > Limits::kNameLength)
    throw InvalidArgument("collection_name", std::to_string(name.size()) +
                                                 " characters, not 1 to " +
                                                 std::to_string(Limits::kNameLength));
  if (name.front() == '.' || !std::all_of(name.begin(), name.end(), is_allowed))
    throw InvalidArgument(
        "collection_name",
        "not only letters, digits, '_', '-' and '.', or a '.' in front: " + brief(name));
}

}  // namespace vectordb

// SPDX-License-Identifier: BSL-1.0
#include "vectordb/engine/config.hpp"

#include "vectordb/engine/errors.hpp"
#include "vectordb/engine/point.hpp"

#include <array>
#include <string>
#include <utility>

namespace vectordb {

using nlohmann::json;

namespace {

constexpr std::array<std::string_view, 4> kDistances = {"Cosine", "Dot", "Euclid", "Manhattan"};

/// What a number may be.
struct Range {
  std::string text() const { return std::to_string(least) + " to " + std::to_string(most); }

  std::size_t least, most;
};

constexpr Range kSize{1, Limits::kDimensions};
constexpr Range kM{2, Limits::kM};
constexpr Range kEfConstruct{4, Limits::kEf};
constexpr Range kFullScanThreshold{0, Limits::kFullScanThreshold};

void read_number(const json& object, const char* name, const std::string& where, Range range,
                 std::size_t& number) {
  auto found = object.find(name);
  if (found == object.end() || found->is_null()) return;
  if (!found->is_number_unsigned())
    throw InvalidArgument(where + '.' + name,
                          brief(*found) + " is not a whole number from " + range.text());
  number = found->get<std::size_t>();
}

void read_hnsw(const json& object, const std::string& where, HnswConfig& hnsw) {
  auto found = object.find("hnsw_config");
  if (found == object.end() || found->is_null()) return;
  const std::string field = where.empty() ? "hnsw_config" : where + ".hnsw_config";
  if (!found->is_object()) throw InvalidArgument(field, "not an object: " + brief(*found));
  read_number(*found, "m", field, kM, hnsw.m);
  read_number(*found, "ef_construct", field, kEfConstruct, hnsw.ef_construct);
  read_number(*found, "full_scan_threshold", field, kFullScanThreshold, hnsw.full_scan_threshold);
}

/// What would make another collection of it; {} and null are as good as nothing.
void refuse(const json& object, const char* name, const std::string& field,
            const std::string& why = "a point has one dense vector") {
  auto found = object.find(name);
  if (found == object.end() || found->empty()) return;
  throw InvalidArgument(field, "not supported: " + why);
}

/// Unless it says what is so anyway.
void refuse_other(const json& object, const char* name, const std::string& field,
                  const char* only) {
  auto found = object.find(name);
  if (found != object.end() && *found != only)
    refuse(object, name, field, std::string("it is always '") + only + "'");
}

void check_range(const char* field, std::size_t value, Range range) {
  if (value < range.least || value > range.most)
    throw InvalidArgument(field,
                          std::to_string(value) + " is not a whole number from " + range.text());
}

}  // namespace

std::string_view to_string(Distance distance) noexcept {
  return kDistances[static_cast<std::size_t>(distance)];
}

Distance distance_from_json(const json& value, std::string_view field) {
  if (value.is_string())
    for (std::size_t i = 0; i < kDistances.size(); ++i)
      if (value.get_ref<const std::string&>() == kDistances[i]) return static_cast<Distance>(i);
  throw InvalidArgument(std::string(field),
                        "not one of Cosine, Dot, Euclid and Manhattan: " + brief(value));
}

CollectionConfig CollectionConfig::from_json(const json& body) {
  if (!body.is_object()) throw InvalidArgument("body", "not an object: " + brief(body));
  auto vectors = body.find("vectors");
  if (vectors == body.end()) throw InvalidArgument("vectors", "missing");
  if (!vectors->is_object()) throw InvalidArgument("vectors", "not an object: " + brief(*vectors));
  for (const char* name : {"size", "distance"})
    if (!vectors->contains(name))
      throw InvalidArgument(std::string("vectors.") + name,
                            "missing; named vectors are not supported");
  refuse(body, "sparse_vectors", "sparse_vectors");
  refuse(*vectors, "multivector_config", "vectors.multivector_config");
  refuse_other(*vectors, "datatype", "vectors.datatype", "float32");
  refuse(body, "init_from", "init_from", "a collection begins empty");
  refuse(body, "strict_mode_config", "strict_mode_config", "the limits are the server's");
  refuse_other(body, "sharding_method", "sharding_method", "auto");
  CollectionConfig config;
  read_number(*vectors, "size", "vectors", kSize, config.size);
  config.distance = distance_from_json(vectors->at("distance"), "vectors.distance");
  read_hnsw(body, "", config.hnsw);
  read_hnsw(*vectors, "vectors", config.hnsw);
  config.check();
  return config;
}

json CollectionConfig::to_json() const {
  return {{"vectors", {{"size", size}, {"distance", to_string(distance)}}},
          {"hnsw_config",
           {{"m", hnsw.m},
            {"ef_construct", hnsw.ef_construct},
            {"full_scan_threshold", hnsw.full_scan_threshold}}}};
}

void CollectionConfig::check() const {
  check_range("vectors.size", size, kSize);
  check_range("hnsw_config.m", hnsw.m, kM);
  check_range("hnsw_config.ef_construct", hnsw.ef_construct, kEfConstruct);
  check_range("hnsw_config.full_scan_threshold", hnsw.full_scan_threshold, kFullScanThreshold);
}

}  // namespace vectordb

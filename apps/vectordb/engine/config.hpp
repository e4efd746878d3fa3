// SPDX-License-Identifier: BSL-1.0
/// What a collection is made with, and the limits of all of them.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <string_view>

namespace vectordb {

/// Cosine and Dot: the higher, the nearer. Euclid and Manhattan: the lower.
enum class Distance : std::uint8_t { Cosine, Dot, Euclid, Manhattan };

/// "Cosine", ... as on the wire.
std::string_view to_string(Distance distance) noexcept;
/// Throws: InvalidArgument with `field`.
Distance distance_from_json(const nlohmann::json& value, std::string_view field = "distance");
/// Whether a higher score is a better one.
constexpr bool higher_is_nearer(Distance distance) noexcept {
  return distance == Distance::Cosine || distance == Distance::Dot;
}

/// The graph, by Qdrant's names and with its defaults.
struct HnswConfig {
  std::size_t m = 16;              ///< links of a point on each layer but the lowest, which has 2 m
  std::size_t ef_construct = 100;  ///< neighbours that are looked at when a point is inserted
  std::size_t full_scan_threshold = 10'000;  ///< KB of vectors up to which a search is exact

  /// Neighbours that a search looks at which names no `hnsw_ef`: 96 of 100 that are the nearest
  /// ten of 100,000 points of 128 dimensions, where Qdrant's `ef_construct` has 95.
  std::size_t default_ef() const noexcept { return std::max<std::size_t>(ef_construct, 128); }
};

/// Limits. What goes beyond one is refused with InvalidArgument that names it.
struct Limits {
  static constexpr std::size_t kDimensions = 65'536;
  static constexpr std::size_t kM = 256;
  static constexpr std::size_t kEf = 10'000;
  static constexpr std::size_t kFullScanThreshold = 100'000'000;
  static constexpr std::size_t kNameLength = 200;
  static constexpr std::size_t kBatch = 100'000;             ///< points of one upsert
  static constexpr std::size_t kBatchBytes = 1 << 30;        ///< and of what a write adds
  static constexpr std::size_t kResults = 100'000;           ///< `limit` and `offset` of a search
  static constexpr std::size_t kPayload = 16 << 20;          ///< bytes of one payload
  static constexpr std::size_t kResultPayloads = 256 << 20;  ///< of those of an answer
  static constexpr std::size_t kPayloadDepth = 64;
  static constexpr std::size_t kPoints = 100'000'000;  ///< of a collection
  static constexpr std::size_t kFilterDepth = 32;
  static constexpr std::size_t kFilterConditions = 10'000;
};

struct CollectionConfig {
  CollectionConfig() = default;
  explicit CollectionConfig(std::size_t size_, Distance distance_ = Distance::Cosine)
      : size(size_), distance(distance_) {}

  /// The body of Qdrant's PUT /collections/{name}: {"vectors": {"size", "distance",
  /// "hnsw_config"?}, "hnsw_config"?: {"m", "ef_construct", "full_scan_threshold"}}. Throws:
  /// InvalidArgument, also for sparse_vectors and multivector_config; what else it has is passed
  /// over.
  static CollectionConfig from_json(const nlohmann::json& body);
  /// What from_json reads.
  nlohmann::json to_json() const;
  /// Throws: InvalidArgument that names the field and the limit.
  void check() const;

  std::size_t size = 0;  ///< dimensions
  Distance distance = Distance::Cosine;
  HnswConfig hnsw;
};

}  // namespace vectordb

// SPDX-License-Identifier: BSL-1.0
/// What is asked of a collection, and what it answers.
#pragma once

#include "vectordb/engine/config.hpp"
#include "vectordb/engine/filter.hpp"
#include "vectordb/engine/point.hpp"

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace vectordb {

class PayloadParts;

/// Which part of the payload an answer has.
class PayloadSelector {
 public:
  PayloadSelector(bool all = false) noexcept : all_(all) {}  // NOLINT: with_payload = true
  /// true, false, ["key", ...], {"include": [...]} or {"exclude": [...]}; keys are paths.
  /// Throws: InvalidArgument with `field`.
  static PayloadSelector from_json(const nlohmann::json& value,
                                   std::string_view field = "with_payload");
  /// What from_json reads.
  nlohmann::json to_json() const;

  /// Whether it takes anything at all.
  bool any() const noexcept { return all_ || !include_.empty(); }
  nlohmann::json select(const nlohmann::json& payload) const;

 private:
  bool all_ = false;
  std::vector<std::string> include_, exclude_;
  std::shared_ptr<const PayloadParts> parts_;  // that those lead to
};

/// What an answer may still have of payloads; the searches of a batch share one.
///
/// Thread: any.
class PayloadRoom {
 public:
  /// What the selector takes of a payload, if anything.
  /// Throws: InvalidArgument that names the limit.
  std::optional<nlohmann::json> take(const PayloadSelector& selector,
                                     const nlohmann::json& payload);

 private:
  std::atomic<std::size_t> taken_ = 0;
};

/// The points that a change is for: by name, or all that match.
using Selection = std::variant<std::vector<PointId>, Filter>;

/// A point as it is kept: with Cosine the vector has length 1, as Qdrant gives it back.
struct Record {
  PointId id;
  std::optional<nlohmann::json> payload;  ///< if it was asked for
  std::optional<Vector> vector;           ///< if it was asked for
};

struct ScoredPoint : Record {
  float score = 0;
};

struct SearchRequest {
  SearchRequest() = default;
  explicit SearchRequest(Vector vector_, std::size_t limit_ = 10)
      : vector(std::move(vector_)), limit(limit_) {}

  Vector vector;
  std::size_t limit = 10;
  std::size_t offset = 0;
  Filter filter;
  std::optional<PointId> excluded;       ///< not this one: what a search for a point's own is
  bool exact = false;                    ///< params.exact
  std::optional<std::size_t> hnsw_ef;    ///< params.hnsw_ef; the collection's default_ef without
  std::optional<float> score_threshold;  ///< no worse ones
  PayloadSelector with_payload;
  bool with_vector = false;
  std::shared_ptr<PayloadRoom> room;   ///< of the batch that it is in
  std::string place;                   ///< in errors, before the names of fields: "searches[1]."
  std::string vector_name = "vector";  ///< in errors
};

struct ScrollRequest {
  ScrollRequest() = default;

  std::size_t limit = 10;
  std::optional<PointId> offset;  ///< the first id of the page
  Filter filter;
  PayloadSelector with_payload = true;
  bool with_vector = false;
  std::shared_ptr<PayloadRoom> room;  ///< of the batch that it is in
};

struct ScrollPage {
  std::vector<Record> points;               ///< in order of id
  std::optional<PointId> next_page_offset;  ///< none on the last page
};

struct CollectionInfo {
  std::string name;
  CollectionConfig config;
  std::size_t points = 0;
  std::size_t deleted_slots = 0;  ///< places in the index that the next points take
  std::size_t index_bytes = 0;    ///< vectors and graph
  std::uint64_t log_bytes = 0;
  std::uint64_t snapshot_bytes = 0;
  std::uint64_t sequence = 0;  ///< the number of the last write
};

/// What has happened since the data base was opened, of all collections.
struct Metrics {
  std::uint64_t searches = 0;
  std::uint64_t exact_searches = 0;  ///< of them, those that looked at every point that matched
  std::uint64_t writes = 0;          ///< that were acknowledged
  std::uint64_t points_written = 0;
  std::uint64_t commits = 0;  ///< fdatasync calls; fewer than writes where those came together
  std::uint64_t snapshots = 0;
  std::size_t collections = 0;
  std::size_t points = 0;
};

}  // namespace vectordb

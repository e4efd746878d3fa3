// SPDX-License-Identifier: BSL-1.0
/// Bodies of requests, in Qdrant's words, as the engine takes them.
#pragma once

#include "vectordb/engine/requests.hpp"

#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace vectordb {

// All throw InvalidArgument that names the field. They look at bodies of megabytes: any thread may
// call them.

/// {"points": [...]} or {"batch": {"ids", "vectors", "payloads"}}.
std::vector<Point> upsert_of(const nlohmann::json& body);
/// {"points": [{"id", "vector"}]}.
std::vector<Point> vectors_of(const nlohmann::json& body);
/// {"points": [id, ...]} or {"filter"}: neither is refused, as it would be all.
Selection selection_of(const nlohmann::json& body);
SearchRequest search_of(const nlohmann::json& body);
std::vector<SearchRequest> searches_of(const nlohmann::json& body);
ScrollRequest scroll_of(const nlohmann::json& body);

/// {"ids", "with_payload", "with_vector"}.
class RetrieveRequest {
 public:
  explicit RetrieveRequest(const nlohmann::json& body);

  std::vector<PointId> ids;
  PayloadSelector with_payload;
  bool with_vector;
};

/// {"filter"}; `exact` makes no difference: it always is.
Filter count_of(const nlohmann::json& body);

/// What is to be near: nothing (then it is a page of all), a vector, or a point.
using QueryTarget = std::variant<std::monostate, Vector, PointId>;

/// Of points/query.
class QueryRequest {
 public:
  /// `path` is what errors call it: "searches[2]".
  explicit QueryRequest(const nlohmann::json& body, const std::string& path = {});

  /// Of those that are near to a point of the collection; the point itself is left out.
  SearchRequest near(Vector vector, const std::optional<PointId>& itself) const;

  QueryTarget target;
  SearchRequest search;  // without its vector
};
std::vector<QueryRequest> queries_of(const nlohmann::json& body);

/// {"payload", "points" or "filter", "key"}.
class PayloadChange {
 public:
  explicit PayloadChange(const nlohmann::json& body);

  Selection selection;
  nlohmann::json values;
  std::string key;
};

/// {"keys", "points" or "filter"}.
class PayloadRemoval {
 public:
  explicit PayloadRemoval(const nlohmann::json& body);

  Selection selection;
  std::vector<std::string> keys;
};

}  // namespace vectordb

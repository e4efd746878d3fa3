// SPDX-License-Identifier: BSL-1.0
/// Conditions on points.
#pragma once

#include "vectordb/engine/point.hpp"

#include <functional>
#include <memory>
#include <stop_token>
#include <string_view>

namespace vectordb {

/// A condition on a point's id and payload, in Qdrant's JSON:
/// must, should, must_not and min_should, nested at will; {"key", "match": {"value" | "any" |
/// "except" | "text"}}, {"key", "range": {"gt" "gte" "lt" "lte"}}, {"key", "values_count": the
/// same},
/// {"has_id": [...]}, {"is_empty": {"key"}}, {"is_null": {"key"}}, {"nested": {"key", "filter"}}.
/// A key is a path: "a.b" the member b of the object a, "a[].b" that of each element of the array
/// a, "a[0]" one element. Where the value is an array, one of its elements has to match. Text
/// matches what it is a part of. Geographical conditions and ranges of dates are refused.
///
/// Cheap to copy. Thread: any.
class Filter {
 public:
  /// Matches every point.
  Filter() = default;
  /// Throws: InvalidArgument whose field begins with `field`: "filter.must[0].range.gt: ...".
  static Filter from_json(const nlohmann::json& value, std::string_view field = "filter");

  /// Whether it matches every point.
  bool empty() const noexcept { return test_ == nullptr; }
  /// Throws: Stopped soon after `stop` was asked for: each of many conditions may look at a large
  ///         array.
  bool matches(const PointId& id, const nlohmann::json& payload,
               const std::stop_token& stop = {}) const {
    return empty() || (*test_)(id, payload, stop);
  }
  /// What it was made from; null if it is empty.
  const nlohmann::json& to_json() const;

 private:
  using Test =
      std::function<bool(const PointId&, const nlohmann::json&, const std::stop_token& stop)>;

  std::shared_ptr<const nlohmann::json> source_;
  std::shared_ptr<const Test> test_;
};

}  // namespace vectordb

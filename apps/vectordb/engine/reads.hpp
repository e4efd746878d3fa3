// SPDX-License-Identifier: BSL-1.0
/// What is read of a table. Each takes the table's lock, and throws Stopped soon after `stop` was
/// asked for.
#pragma once

#include "vectordb/engine/point_table.hpp"
#include "vectordb/engine/requests.hpp"

#include <cstddef>
#include <stop_token>
#include <vector>

namespace vectordb {

struct SearchOutcome {
  std::vector<ScoredPoint> points;
  bool was_exact = false;
};

/// Throws: InvalidArgument.
void check(const SearchRequest& request, const CollectionConfig& config);
SearchOutcome search(const PointTable& table, const SearchRequest& request,
                     const std::stop_token& stop = {});

/// Throws: InvalidArgument: too many ids, or results that take too much memory.
std::vector<Record> retrieve(const PointTable& table, const std::vector<PointId>& ids,
                             const PayloadSelector& with_payload, bool with_vector,
                             const std::stop_token& stop = {});
/// Throws: the same.
ScrollPage scroll(const PointTable& table, const ScrollRequest& request,
                  const std::stop_token& stop = {});
std::size_t count(const PointTable& table, const Filter& filter, const std::stop_token& stop = {});

}  // namespace vectordb

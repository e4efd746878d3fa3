// SPDX-License-Identifier: BSL-1.0
/// What the engine answers, in Qdrant's words.
#pragma once

#include "vectordb/engine/requests.hpp"

#include <cstddef>
#include <string>
#include <vector>

namespace vectordb {

// Results of megabytes are made of these: any thread may call them.

/// {"status": {"error": ...}, "time": seconds}. What is no UTF-8 in it is replaced.
std::string error_text(const std::string& error, double seconds);

/// What a result takes to be written, counted in numbers: a vector's, those of a payload. Stops
/// soon beyond `most`.
std::size_t weight_of(const Record& record, std::size_t most);
template <class T>
std::size_t weight_of(const std::vector<T>& all, std::size_t most) {
  std::size_t weight = 0;
  for (const T& one : all) {
    if (weight > most) break;
    weight += weight_of(one, most - weight);
  }
  return weight;
}
inline std::size_t weight_of(const ScrollPage& page, std::size_t most) {
  return weight_of(page.points, most);
}

using Found = std::vector<ScoredPoint>;

// JSON text, written without a document between: for most searches that was more work for the loop
// than all of HTTP.
std::string scored(const Found& points);
std::string each_scored(const std::vector<Found>& all);
/// {"points": [...]}
std::string queried(const Found& points);
std::string each_queried(const std::vector<Found>& all);
std::string records(const std::vector<Record>& records);
std::string first_record(const std::vector<Record>& records);
std::string page(const ScrollPage& page);

nlohmann::json info(const CollectionInfo& info);

}  // namespace vectordb

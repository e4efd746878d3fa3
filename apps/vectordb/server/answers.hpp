// SPDX-License-Identifier: BSL-1.0
/// What the engine answers, in Qdrant's words.
#pragma once

#include "vectordb/engine/requests.hpp"

#include <string>
#include <vector>

namespace vectordb {

// Results of megabytes are made of these: any thread may call them.

/// {"result": ..., "status": "ok", "time": seconds}.
std::string answer_text(nlohmann::json result, double seconds);
/// {"status": {"error": ...}, "time": seconds}. What is no UTF-8 in it is replaced.
std::string error_text(const std::string& error, double seconds);

nlohmann::json scored(const std::vector<ScoredPoint>& points);
nlohmann::json records(const std::vector<Record>& records);
nlohmann::json page(const ScrollPage& page);
nlohmann::json info(const CollectionInfo& info);

}  // namespace vectordb

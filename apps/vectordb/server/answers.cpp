// SPDX-License-Identifier: BSL-1.0
#include "vectordb/server/answers.hpp"

#include <utility>

namespace vectordb {

using nlohmann::json;

namespace {

constexpr std::size_t kPointWeight = 32;  // its id, its score, and the names of the members

/// Each value as a number, and a string by its length. Stops soon beyond `most`.
std::size_t weight_of(const json& value, std::size_t most) {
  if (value.is_string()) return 1 + value.get_ref<const std::string&>().size() / 8;
  std::size_t weight = 1;
  if (!value.is_structured()) return weight;
  for (const auto& [name, element] : value.items()) {
    if (weight > most) break;
    weight += weight_of(element, most - weight);
    if (value.is_object()) weight += 1 + name.size() / 8;
  }
  return weight;
}

json record(const Record& record) {
  json one = json::object();
  one["id"] = record.id.to_json();
  if (record.payload) one["payload"] = *record.payload;
  if (record.vector) one["vector"] = *record.vector;
  return one;
}

/// What clients look for that this server has not.
json fixed_config() {
  return {{"optimizer_config", {{"deleted_threshold", 0.2}}}, {"wal_config", json::object()}};
}

}  // namespace

std::string answer_text(json result, double seconds) {
  json answer;
  answer["result"] = std::move(result);
  answer["status"] = "ok";
  answer["time"] = seconds;
  return answer.dump();
}

std::string error_text(const std::string& error, double seconds) {
  json answer;
  answer["status"]["error"] = error;
  answer["time"] = seconds;
  return answer.dump(-1, ' ', false, json::error_handler_t::replace);
}

std::size_t weight_of(const Record& record, std::size_t most) {
  std::size_t weight = kPointWeight + (record.vector ? record.vector->size() : 0);
  if (record.payload && weight <= most) weight += weight_of(*record.payload, most - weight);
  return weight;
}

json scored(const std::vector<ScoredPoint>& points) {
  json all = json::array();
  for (const ScoredPoint& point : points) {
    json one = record(point);
    one["version"] = 0;
    one["score"] = point.score;
    all.push_back(std::move(one));
  }
  return all;
}

json records(const std::vector<Record>& records) {
  json all = json::array();
  for (const Record& one : records) all.push_back(record(one));
  return all;
}

json page(const ScrollPage& page) {
  json result;
  result["points"] = records(page.points);
  result["next_page_offset"] = nullptr;
  if (page.next_page_offset) result["next_page_offset"] = page.next_page_offset->to_json();
  return result;
}

json info(const CollectionInfo& info) {
  json config = fixed_config();
  json made = info.config.to_json();
  config["params"] = {{"vectors", made.at("vectors")},
                      {"shard_number", 1},
                      {"replication_factor", 1},
                      {"write_consistency_factor", 1},
                      {"on_disk_payload", false}};
  config["hnsw_config"] = {{"m", info.config.hnsw.m},
                           {"ef_construct", info.config.hnsw.ef_construct},
                           {"full_scan_threshold", info.config.hnsw.full_scan_threshold}};
  return {{"status", "green"},
          {"optimizer_status", "ok"},
          {"points_count", info.points},
          {"vectors_count", info.points},
          {"indexed_vectors_count", info.points},
          {"segments_count", 1},
          {"config", std::move(config)},
          {"payload_schema", json::object()},
          {"storage",
           {{"index_bytes", info.index_bytes},
            {"deleted_slots", info.deleted_slots},
            {"log_bytes", info.log_bytes},
            {"snapshot_bytes", info.snapshot_bytes}}}};
}

}  // namespace vectordb

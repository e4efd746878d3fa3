// SPDX-License-Identifier: BSL-1.0
#include "vectordb/server/answers.hpp"

#include <charconv>
#include <cmath>
#include <string_view>
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

/// As a double: what reads it as one and makes it a float has the same float.
void append_number(std::string& text, float number) {
  if (!std::isfinite(number)) return void(text += "null");
  char digits[32];
  const std::string_view written(digits,
                                 std::to_chars(digits, digits + sizeof digits, double{number}).ptr);
  text += written;
  if (written.find_first_of(".e") == std::string_view::npos) text += ".0";  // as Qdrant
}

template <class T, class Append>
void append_list(std::string& text, const std::vector<T>& all, Append append_one) {
  text += '[';
  for (const T& one : all) {
    if (&one != all.data()) text += ',';
    append_one(text, one);
  }
  text += ']';
}

void append_id(std::string& text, const PointId& id) {
  if (id.is_uuid())
    text.append("\"").append(id.to_string()).append("\"");
  else
    text += id.to_string();
}

/// In the order of the names, as nlohmann.
void append(std::string& text, const Record& record, const float* score) {
  text += "{\"id\":";
  append_id(text, record.id);
  if (record.payload) text.append(",\"payload\":").append(record.payload->dump());
  if (score) {
    text += ",\"score\":";
    append_number(text, *score);
  }
  if (record.vector) {
    text += ",\"vector\":";
    append_list(text, *record.vector, append_number);
  }
  text += score ? ",\"version\":0}" : "}";
}

void append_record(std::string& text, const Record& record) { append(text, record, nullptr); }
void append_scored(std::string& text, const ScoredPoint& point) {
  append(text, point, &point.score);
}

void append_found(std::string& text, const Found& points) {
  append_list(text, points, append_scored);
}

void append_queried(std::string& text, const Found& points) {
  text += "{\"points\":";
  append_found(text, points);
  text += '}';
}

/// What clients' models require that this server has not: Qdrant's defaults.
json fixed_config() {
  return {{"optimizer_config",
           {{"deleted_threshold", 0.2},
            {"vacuum_min_vector_number", 1000},
            {"default_segment_number", 0},
            {"flush_interval_sec", 5}}},
          {"wal_config", {{"wal_capacity_mb", 32}, {"wal_segments_ahead", 0}}}};
}

}  // namespace

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

std::string scored(const Found& points) {
  std::string text;
  append_found(text, points);
  return text;
}

std::string each_scored(const std::vector<Found>& all) {
  std::string text;
  append_list(text, all, append_found);
  return text;
}

std::string queried(const Found& points) {
  std::string text;
  append_queried(text, points);
  return text;
}

std::string each_queried(const std::vector<Found>& all) {
  std::string text;
  append_list(text, all, append_queried);
  return text;
}

std::string records(const std::vector<Record>& records) {
  std::string text;
  append_list(text, records, append_record);
  return text;
}

std::string first_record(const std::vector<Record>& records) {
  std::string text;
  append_record(text, records.at(0));
  return text;
}

std::string page(const ScrollPage& page) {
  std::string text = "{\"next_page_offset\":";
  if (page.next_page_offset)
    append_id(text, *page.next_page_offset);
  else
    text += "null";
  text.append(",\"points\":").append(records(page.points)).append("}");
  return text;
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

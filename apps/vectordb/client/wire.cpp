// SPDX-License-Identifier: BSL-1.0
#include "vectordb/client/wire.hpp"

#include <asyncio/http/percent.hpp>

#include <cmath>

namespace vectordb {

using nlohmann::json;

SearchOptions& SearchOptions::score_threshold(float score) {
  // JSON has null for it, and a server no threshold then.
  if (!std::isfinite(score)) throw InvalidArgument("score_threshold", "not a finite number");
  score_threshold_ = score;
  return *this;
}

json SearchOptions::to_json(const Vector& query, std::size_t top_k) const {
  json body{{"query", query},
            {"limit", top_k},
            {"with_payload", with_payload_},
            {"with_vector", with_vector_}};
  if (!filter_.empty()) body["filter"] = filter_.to_json();
  if (offset_ != 0) body["offset"] = offset_;
  if (exact_) body["params"]["exact"] = true;
  if (hnsw_ef_) body["params"]["hnsw_ef"] = *hnsw_ef_;
  if (score_threshold_) body["score_threshold"] = *score_threshold_;
  return body;
}

namespace wire {

std::string collection_path(const std::string& name, std::string_view rest) {
  if (name.empty() || name == "." || name == "..")
    throw InvalidArgument("collection", "'" + name + "' cannot be the name of one");
  return "/collections/" + asyncio::http::quote(name, "") + std::string(rest);
}

json points(std::span<const Point> points) {
  json all = json::array();
  for (const Point& point : points) {
    json one{{"id", point.id.to_json()}, {"vector", point.vector}};
    one["payload"] = point.payload;
    all.push_back(std::move(one));
  }
  json body;
  body["points"] = std::move(all);
  return body;
}

json ids(const std::vector<PointId>& ids) {
  json all = json::array();
  for (const PointId& id : ids) all.push_back(id.to_json());
  return all;
}

json selection(const Selection& selection) {
  json body;
  if (const auto* chosen = std::get_if<std::vector<PointId>>(&selection))
    body["points"] = ids(*chosen);
  else
    body = filtered(std::get<Filter>(selection));
  return body;
}

json filtered(const Filter& filter) {
  json body;
  body["filter"] = filter.empty() ? json::object() : filter.to_json();
  return body;
}

json scroll(const ScrollRequest& request) {
  json body{{"limit", request.limit},
            {"with_payload", request.with_payload.to_json()},
            {"with_vector", request.with_vector}};
  if (request.offset) body["offset"] = request.offset->to_json();
  if (!request.filter.empty()) body["filter"] = request.filter.to_json();
  return body;
}

namespace {

json payload_of(const json& point) {
  auto payload = point.find("payload");
  return payload == point.end() || payload->is_null() ? json::object() : *payload;
}

std::optional<Vector> vector_of(const json& point) {
  auto vector = point.find("vector");
  if (vector == point.end() || vector->is_null()) return std::nullopt;
  return vector_from_json(*vector);
}

}  // namespace

std::vector<Match> matches(const json& result) {
  std::vector<Match> found;
  for (const json& point : result.at("points")) {
    found.emplace_back(PointId::from_json(point.at("id")), point.at("score").get<float>(),
                       payload_of(point));
    found.back().vector = vector_of(point);
  }
  return found;
}

Record record(const json& value) {
  Record one;
  one.id = PointId::from_json(value.at("id"));
  one.payload = payload_of(value);
  one.vector = vector_of(value);
  return one;
}

std::vector<Record> records(const json& result) {
  std::vector<Record> all;
  for (const json& value : result) all.push_back(record(value));
  return all;
}

ScrollPage page(const json& result) {
  ScrollPage page;
  page.points = records(result.at("points"));
  const json& next = result.at("next_page_offset");
  if (!next.is_null()) page.next_page_offset = PointId::from_json(next);
  return page;
}

std::vector<std::string> names(const json& result) {
  std::vector<std::string> all;
  for (const json& one : result.at("collections")) all.push_back(one.at("name"));
  return all;
}

}  // namespace wire

}  // namespace vectordb

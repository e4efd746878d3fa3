// SPDX-License-Identifier: BSL-1.0
#include "vectordb/client/wire.hpp"

#include <asyncio/http/percent.hpp>

#include <algorithm>
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
  json body = wire::search(query, top_k);
  body["with_payload"] = with_payload_;
  body["with_vector"] = with_vector_;
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

namespace {

bool is_utf8(const std::string& text) {
  try {
    json(text).dump();
    return true;
  } catch (const json::type_error&) {
    return false;
  }
}

/// Throws: InvalidArgument for the first text in `value` that is not UTF-8.
void check_text(const json& value, const std::string& field) {
  if (value.is_string() && !is_utf8(value.get_ref<const std::string&>()))
    throw InvalidArgument(field, "its text is not UTF-8");
  if (value.is_array())
    for (std::size_t i = 0; i < value.size(); ++i)
      if (!value[i].is_number()) check_text(value[i], field + '[' + std::to_string(i) + ']');
  if (!value.is_object()) return;
  for (const auto& [name, element] : value.items()) {
    if (!is_utf8(name)) throw InvalidArgument(field, "the name of a member is not UTF-8");
    check_text(element, field.empty() ? name : field + '.' + name);
  }
}

/// JSON has neither NaN nor an infinity, and would have null.
void check_finite(const Vector& vector, const std::string& field) {
  auto broken = std::ranges::find_if(vector, [](float value) { return !std::isfinite(value); });
  if (broken == vector.end()) return;
  throw InvalidArgument(field + '[' + std::to_string(broken - vector.begin()) + ']',
                        std::isnan(*broken) ? "not a number (NaN)" : "infinite");
}

std::string field_of_point(std::size_t number) { return "points[" + std::to_string(number) + ']'; }

}  // namespace

std::string text_of(const json& body) {
  try {
    return body.dump();
  } catch (const json::type_error&) {
    check_text(body, "");
    throw;
  }
}

std::string points(std::span<const Point> points, std::size_t first) {
  json all = json::array();
  for (const Point& point : points) {
    check_finite(point.vector, field_of_point(first + all.size()) + ".vector");
    json one{{"id", point.id.to_json()}, {"vector", point.vector}};
    one["payload"] = point.payload;
    all.push_back(std::move(one));
  }
  json body;
  body["points"] = std::move(all);
  try {
    return body.dump();
  } catch (const json::type_error&) {
    for (std::size_t i = 0; i < points.size(); ++i)
      check_text(points[i].payload, field_of_point(first + i) + ".payload");
    throw;
  }
}

json search(const Vector& query, std::size_t top_k) {
  check_finite(query, "query");
  json body;
  body["query"] = query;
  body["limit"] = top_k;
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

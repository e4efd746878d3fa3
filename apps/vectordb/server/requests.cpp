// SPDX-License-Identifier: BSL-1.0
#include "vectordb/server/requests.hpp"

#include "vectordb/server/fields.hpp"

#include <utility>

namespace vectordb {

using nlohmann::json;

namespace {

constexpr std::string_view kNamedVectors = "named vectors are not supported by this server";

Filter filter_of(const Fields& fields) {
  const json* filter = fields.find("filter");
  return filter ? Filter::from_json(*filter, fields.path("filter")) : Filter();
}

PayloadSelector payload_of(const Fields& fields, bool otherwise) {
  const json* selector = fields.find("with_payload");
  if (!selector) return otherwise;
  return PayloadSelector::from_json(*selector, fields.path("with_payload"));
}

/// Qdrant has two names for some fields, and refuses both at once.
std::string_view either(const Fields& fields, std::string_view name, std::string_view other) {
  if (!fields.find(other)) return name;
  if (fields.find(name))
    throw InvalidArgument(fields.path(other),
                          "another name of '" + std::string(name) + "', which is there as well");
  return other;
}

bool with_vector(const Fields& fields) {
  const std::string_view name = either(fields, "with_vector", "with_vectors");
  const json* value = fields.find(name);
  if (value && value->is_array())
    throw InvalidArgument(fields.path(name), std::string(kNamedVectors));
  return fields.flag(name, false);
}

std::optional<std::size_t> limit_of(const Fields& fields, std::string_view name) {
  std::optional<std::size_t> limit = fields.count(name);
  if (limit == 0) throw InvalidArgument(fields.path(name), "0, less than 1");
  return limit;
}

std::vector<PointId> ids_of(const Fields& fields, std::string_view name) {
  std::vector<PointId> ids;
  for (const json& id : fields.array(name))
    ids.push_back(PointId::from_json(id, fields.path(name, ids.size())));
  return ids;
}

json payload_at(const json& payloads, std::size_t index, const std::string& path) {
  const json& payload = payloads.at(index);
  if (payload.is_null()) return json::object();
  if (!payload.is_object()) refuse_type(path, "an object", payload);
  return payload;
}

std::vector<Point> batch_of(const Fields& batch) {
  const json& vectors = batch.at("vectors");
  if (vectors.is_object()) throw InvalidArgument(batch.path("vectors"), std::string(kNamedVectors));
  std::vector<PointId> ids = ids_of(batch, "ids");
  const json* payloads = batch.find("payloads") ? &batch.array("payloads") : nullptr;
  for (const json* row : {&batch.array("vectors"), payloads})
    if (row && row->size() != ids.size())
      throw InvalidArgument(
          batch.path(row == payloads ? "payloads" : "vectors"),
          std::to_string(row->size()) + " entries for " + std::to_string(ids.size()) + " ids");
  std::vector<Point> points;
  for (std::size_t i = 0; i < ids.size(); ++i) {
    points.emplace_back(ids[i], vector_from_json(vectors[i], batch.path("vectors", i)));
    if (payloads) points.back().payload = payload_at(*payloads, i, batch.path("payloads", i));
  }
  return points;
}

void read_params(const Fields& fields, SearchRequest& request) {
  const json* found = fields.find("params");
  if (!found) return;
  Fields params(*found, fields.path("params"));
  request.exact = params.flag("exact", false);
  request.hnsw_ef = params.count("hnsw_ef");
}

/// All but the vector and the limit.
SearchRequest search_without_vector(const Fields& fields) {
  SearchRequest request;
  request.place = fields.path("");
  request.offset = fields.count("offset").value_or(0);
  request.filter = filter_of(fields);
  request.score_threshold = fields.number("score_threshold");
  request.with_payload = payload_of(fields, false);
  request.with_vector = with_vector(fields);
  read_params(fields, request);
  return request;
}

/// What would search elsewhere.
void refuse_other_vectors(const Fields& fields) {
  fields.refuse("using", kNamedVectors);
  fields.refuse("lookup_from", "not supported by this server");
}

SearchRequest search_at(const json& value, const std::string& path) {
  Fields fields(value, path);
  refuse_other_vectors(fields);
  const json& vector = fields.at("vector");
  if (vector.is_object()) throw InvalidArgument(fields.path("vector"), std::string(kNamedVectors));
  const auto limit = limit_of(fields, either(fields, "limit", "top"));
  if (!limit) throw InvalidArgument(fields.path("limit"), "is missing");
  SearchRequest request = search_without_vector(fields);
  request.limit = *limit;
  request.vector = vector_from_json(vector, fields.path("vector"));
  return request;
}

QueryTarget target_of(const json& value, const std::string& path) {
  if (value.is_array()) return vector_from_json(value, path);
  if (!value.is_object()) return PointId::from_json(value, path);
  Fields query(value, path);
  const json* nearest = query.find("nearest");
  if (!nearest)
    throw InvalidArgument(path, "this server knows a vector, a point's id and 'nearest'");
  query.refuse("mmr", "not supported by this server");
  if (nearest->is_object())
    throw InvalidArgument(query.path("nearest"), "a vector or a point's id is expected");
  return target_of(*nearest, query.path("nearest"));
}

template <class T>
std::vector<T> each_search(const json& body, T (*read)(const json&, const std::string&)) {
  Fields fields(body);
  std::vector<T> all;
  for (const json& one : fields.array("searches"))
    all.push_back(read(one, fields.path("searches", all.size())));
  return all;
}

/// What would decide which points a write changes: it must not be passed over.
void refuse_conditions(const Fields& fields) {
  fields.refuse("update_filter", "not supported by this server");
  const json* mode = fields.find("update_mode");
  if (mode && *mode != "upsert")
    throw InvalidArgument(fields.path("update_mode"), "this server knows 'upsert' alone");
}

}  // namespace

std::vector<Point> upsert_of(const json& body) {
  Fields fields(body);
  refuse_conditions(fields);
  if (const json* batch = fields.find("batch")) return batch_of(Fields(*batch, "batch"));
  std::vector<Point> points;
  for (const json& point : fields.array("points"))
    points.push_back(Point::from_json(point, fields.path("points", points.size())));
  return points;
}

std::vector<Point> vectors_of(const json& body) {
  Fields fields(body);
  refuse_conditions(fields);
  std::vector<Point> points;
  for (const json& one : fields.array("points")) {
    Fields point(one, fields.path("points", points.size()));
    points.emplace_back(PointId::from_json(point.at("id"), point.path("id")),
                        vector_from_json(point.at("vector"), point.path("vector")));
  }
  return points;
}

Selection selection_of(const json& body) {
  if (body.is_array()) {  // as delete once had it
    std::vector<PointId> ids;
    for (const json& id : body)
      ids.push_back(PointId::from_json(id, "body[" + std::to_string(ids.size()) + "]"));
    return ids;
  }
  Fields fields(body);
  if (fields.find("points")) return ids_of(fields, "points");
  if (!fields.find("filter"))
    throw InvalidArgument("points", "is missing, and so is 'filter': one of them says which");
  return filter_of(fields);
}

SearchRequest search_of(const json& body) { return search_at(body, {}); }

std::vector<SearchRequest> searches_of(const json& body) {
  return each_search<SearchRequest>(body, search_at);
}

ScrollRequest scroll_of(const json& body) {
  Fields fields(body);
  fields.refuse("order_by", "this server scrolls in the order of ids alone");
  ScrollRequest request;
  request.limit = fields.count("limit").value_or(request.limit);
  if (const json* offset = fields.find("offset"))
    request.offset = PointId::from_json(*offset, fields.path("offset"));
  request.filter = filter_of(fields);
  request.with_payload = payload_of(fields, true);
  request.with_vector = with_vector(fields);
  return request;
}

RetrieveRequest::RetrieveRequest(const json& body)
    : ids(ids_of(Fields(body), "ids")),
      with_payload(payload_of(Fields(body), true)),
      with_vector(vectordb::with_vector(Fields(body))) {}

Filter count_of(const json& body) { return filter_of(Fields(body)); }

QueryRequest::QueryRequest(const json& body, const std::string& path) {
  Fields fields(body, path);
  fields.refuse("prefetch", "not supported by this server");
  refuse_other_vectors(fields);
  const json* query = fields.find("query");
  if (query) target = target_of(*query, fields.path("query"));
  search = search_without_vector(fields);
  search.limit = limit_of(fields, "limit").value_or(search.limit);
  search.vector_name = query && query->is_object() ? "query.nearest" : "query";
}

SearchRequest QueryRequest::near(Vector vector, const std::optional<PointId>& itself) const {
  SearchRequest request = search;
  request.vector = std::move(vector);
  request.excluded = itself;
  return request;
}

std::vector<QueryRequest> queries_of(const json& body) {
  return each_search<QueryRequest>(
      body, [](const json& one, const std::string& path) { return QueryRequest(one, path); });
}

PayloadChange::PayloadChange(const json& body)
    : selection(selection_of(body)), values(Fields(body).at("payload")) {
  if (!values.is_object()) refuse_type("payload", "an object", values);
  key = Fields(body).text("key").value_or("");
}

PayloadRemoval::PayloadRemoval(const json& body) : selection(selection_of(body)) {
  Fields fields(body);
  for (const json& key : fields.array("keys")) {
    if (!key.is_string()) refuse_type(fields.path("keys", keys.size()), "a string", key);
    keys.push_back(key.get<std::string>());
  }
}

}  // namespace vectordb

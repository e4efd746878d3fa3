// SPDX-License-Identifier: BSL-1.0
// apps/vectordb/engine: ids, configurations, filters and payloads, as their JSON says them.
#include "vectordb/engine/errors.hpp"
#include "vectordb/engine/payload_path.hpp"
#include "vectordb/engine/reads.hpp"
#include "vectordb/engine/requests.hpp"
#include "vectordb/engine/stopping.hpp"
#include "vectordb/engine/validation.hpp"

#include <gtest/gtest.h>

#include <limits>
#include <string>
#include <vector>

using namespace vectordb;
using nlohmann::json;

namespace {

/// What `call` is refused with.
template <class Call>
std::string refusal(Call&& call) {
  try {
    call();
  } catch (const InvalidArgument& error) {
    return error.what();
  }
  return "accepted";
}

TEST(VectordbValues, ids_are_numbers_and_uuids_in_all_their_spellings) {
  const std::string uuid = "550e8400-e29b-41d4-a716-446655440000";
  EXPECT_EQ(PointId::from_json(json::parse("18446744073709551615")).number(),
            std::numeric_limits<std::uint64_t>::max());
  EXPECT_EQ(PointId::from_json(7).to_json(), json(7u));
  for (const std::string& spelling :
       {uuid, std::string("550E8400-E29B-41D4-A716-446655440000"),
        std::string("550e8400e29b41d4a716446655440000"), "urn:uuid:" + uuid, '{' + uuid + '}'}) {
    EXPECT_EQ(PointId::from_json(spelling).to_json(), json(uuid));
    EXPECT_EQ(PointId::from_text(spelling).to_string(), uuid);
  }
  EXPECT_EQ(PointId::from_text("42"), PointId(42));
  EXPECT_LT(PointId(std::numeric_limits<std::uint64_t>::max()), PointId::from_text(uuid));
}

TEST(VectordbValues, what_is_no_id_is_refused_with_the_field) {
  struct {
    const char *value, *message;
  } const rows[] = {
      {"-1", "points[0].id: not an unsigned integer or a UUID: -1"},
      {"1.5", "points[0].id: not an unsigned integer or a UUID: 1.5"},
      {"\"12\"", "points[0].id: not an unsigned integer or a UUID: \"12\""},
      {"null", "points[0].id: not an unsigned integer or a UUID: null"},
      {"18446744073709551616",
       "points[0].id: not an unsigned integer or a UUID: 1.8446744073709552e+19"},
      {"\"550e8400-e29b-41d4-a716-44665544000g\"",
       "points[0].id: not an unsigned integer or a UUID: \"550e8400-e29b-41d4-a716-44665544000g\""},
      {"\"550e8400-e29b-41d4-a716+446655440000\"",
       "points[0].id: not an unsigned integer or a UUID: \"550e8400-e29b-41d4-a716+446655440000\""},
      {"[[1]]", "points[0].id: not an unsigned integer or a UUID: an array of 1"},
  };
  for (const auto& row : rows)
    EXPECT_EQ(refusal([&] { PointId::from_json(json::parse(row.value), "points[0].id"); }),
              row.message);
}

TEST(VectordbValues, configurations) {
  CollectionConfig config = CollectionConfig::from_json(json::parse(
      R"({"vectors": {"size": 128, "distance": "Manhattan", "on_disk": true},
          "hnsw_config": {"m": 8, "ef_construct": 50, "full_scan_threshold": 0}})"));
  EXPECT_EQ(config.size, 128u);
  EXPECT_EQ(config.distance, Distance::Manhattan);
  EXPECT_EQ(config.hnsw.m, 8u);
  EXPECT_EQ(CollectionConfig::from_json(config.to_json()).to_json(), config.to_json());
  struct {
    const char *body, *message;
  } const rows[] = {
      {R"([])", "body: not an object: []"},
      {R"({})", "vectors: missing"},
      {R"({"vectors": {"text": {"size": 4, "distance": "Dot"}}})",
       "vectors.size: missing; named vectors are not supported"},
      {R"({"vectors": {"size": -4, "distance": "Dot"}})",
       "vectors.size: -4 is not a whole number from 1 to 65536"},
      {R"({"vectors": {"size": 0, "distance": "Dot"}})",
       "vectors.size: 0 is not a whole number from 1 to 65536"},
      {R"({"vectors": {"size": 65537, "distance": "Dot"}})",
       "vectors.size: 65537 is not a whole number from 1 to 65536"},
      {R"({"vectors": {"size": 4, "distance": "Hamming"}})",
       "vectors.distance: not one of Cosine, Dot, Euclid and Manhattan: \"Hamming\""},
      {R"({"vectors": {"size": 4, "distance": "Dot"}, "hnsw_config": {"m": 1}})",
       "hnsw_config.m: 1 is not a whole number from 2 to 256"},
      {R"({"vectors": {"size": 4, "distance": "Dot"}, "hnsw_config": {"m": "16"}})",
       "hnsw_config.m: \"16\" is not a whole number from 2 to 256"},
      {R"({"vectors": {"size": 4, "distance": "Dot", "hnsw_config": 5}})",
       "vectors.hnsw_config: not an object: 5"},
      {R"({"vectors": {"size": 4, "distance": "Dot", "datatype": "uint8"}})",
       "vectors.datatype: not supported: it is always 'float32'"},
      {R"({"vectors": {"size": 4, "distance": "Dot"}, "init_from": {"collection": "a"}})",
       "init_from: not supported: a collection begins empty"},
      {R"({"vectors": {"size": 4, "distance": "Dot"}, "sharding_method": "custom"})",
       "sharding_method: not supported: it is always 'auto'"},
      {R"({"vectors": {"size": 4, "distance": "Dot", "datatype": "float32"}, "init_from": null,
           "sharding_method": "auto"})",
       "accepted"},
  };
  for (const auto& row : rows)
    EXPECT_EQ(refusal([&] { CollectionConfig::from_json(json::parse(row.body)); }), row.message);
}

const json kPayload = json::parse(R"({
  "city": "Berlin", "n": 5, "two": 2.0, "x.y": {"k[0]": 3}, "big": 9007199254740993, "x": 1.5, "yes": true, "none": null,
  "tags": ["a", "b"], "empty": [], "nulls": [null],
  "address": {"street": {"number": 7}},
  "people": [{"name": "Ann", "age": 30}, {"name": "Bob", "age": 50}]})");

/// Whether a condition holds for the payload above, under the id 10.
bool holds(const std::string& condition) {
  return Filter::from_json({{"must", {json::parse(condition)}}}).matches(10, kPayload);
}

TEST(VectordbValues, filter_conditions) {
  struct {
    const char* condition;
    bool holds;
  } const rows[] = {
      {R"({"key": "city", "match": {"value": "Berlin"}})", true},
      {R"({"key": "city", "match": {"value": "berlin"}})", false},
      {R"({"key": "missing", "match": {"value": "Berlin"}})", false},
      {R"({"key": "n", "match": {"value": 5}})", true},
      {R"({"key": "n", "match": {"value": "5"}})", false},
      {R"({"key": "two", "match": {"value": 2}})", false},  // as Qdrant: it is no integer
      {R"({"key": "two", "match": {"any": [2]}})", false},
      {R"({"key": "two", "range": {"gte": 2, "lte": 2}})", true},
      {R"({"key": "\"x.y\".\"k[0]\"", "match": {"value": 3}})", true},
      {R"({"key": "x.y", "match": {"value": 3}})", false},
      {R"({"key": "yes", "match": {"value": true}})", true},
      {R"({"key": "yes", "match": {"value": 1}})", false},
      {R"({"key": "tags", "match": {"value": "b"}})", true},
      {R"({"key": "tags[]", "match": {"value": "b"}})", true},
      {R"({"key": "tags[0]", "match": {"value": "b"}})", false},
      {R"({"key": "tags[1]", "match": {"value": "b"}})", true},
      {R"({"key": "tags[2]", "match": {"value": "b"}})", false},
      {R"({"key": "city", "match": {"any": ["Paris", "Berlin"]}})", true},
      {R"({"key": "city", "match": {"any": []}})", false},
      {R"({"key": "n", "match": {"any": [4, 5]}})", true},
      {R"({"key": "city", "match": {"except": ["Paris"]}})", true},
      {R"({"key": "city", "match": {"except": ["Berlin"]}})", false},
      {R"({"key": "tags", "match": {"except": ["a"]}})", true},
      {R"({"key": "missing", "match": {"except": ["a"]}})", false},
      {R"({"key": "none", "match": {"except": ["a"]}})", false},
      {R"({"key": "city", "match": {"text": "erl"}})", true},
      {R"({"key": "city", "match": {"text": "ERL"}})", false},
      {R"({"key": "n", "match": {"text": "5"}})", false},
      {R"({"key": "n", "range": {"gt": 4, "lt": 6}})", true},
      {R"({"key": "n", "range": {"gt": 5}})", false},
      {R"({"key": "n", "match": {"value": 5}, "range": null})", true},
      {R"({"key": "n", "range": {"gte": 5, "lte": 5}})", true},
      {R"({"key": "n", "range": {"gte": 4.5, "lt": null}})", true},
      {R"({"key": "big", "range": {"gt": 9007199254740992}})", true},
      {R"({"key": "x", "range": {"gt": 1, "lt": 2}})", true},
      {R"({"key": "city", "range": {"gt": 0}})", false},
      {R"({"key": "people[].age", "range": {"gt": 40}})", true},
      {R"({"key": "people[0].age", "range": {"gt": 40}})", false},
      {R"({"key": "people.age", "range": {"gt": 40}})", false},
      {R"({"key": "address.street.number", "match": {"value": 7}})", true},
      {R"({"key": "address.street", "match": {"value": 7}})", false},
      {R"({"key": "tags", "values_count": {"gte": 2}})", true},
      {R"({"key": "tags", "values_count": {"gt": 2}})", false},
      {R"({"key": "city", "values_count": {"lte": 1, "gte": 1}})", true},
      {R"({"key": "none", "values_count": {"lt": 1}})", true},
      {R"({"key": "empty", "values_count": {"lte": 0}})", true},
      {R"({"key": "missing", "values_count": {"lt": 1}})", true},  // as Qdrant: it has none
      {R"({"key": "missing", "values_count": {"gte": 1}})", false},
      {R"({"key": "empty[]", "values_count": {"lt": 1}})", true},
      {R"({"key": "people[].x", "values_count": {"lt": 1}})", true},
      {R"({"key": "people[].name", "values_count": {"lt": 1}})", false},
      {R"({"has_id": [9, 10]})", true},
      {R"({"has_id": [9, "550e8400-e29b-41d4-a716-446655440000"]})", false},
      {R"({"is_empty": {"key": "missing"}})", true},
      {R"({"is_empty": {"key": "empty"}})", true},
      {R"({"is_empty": {"key": "none"}})", true},
      {R"({"is_empty": {"key": "n"}})", false},
      {R"({"is_null": {"key": "none"}})", true},
      {R"({"is_null": {"key": "missing"}})", false},
      {R"({"is_null": {"key": "n"}})", false},
      {R"({"nested": {"key": "people", "filter": {"must": [
             {"key": "name", "match": {"value": "Ann"}}, {"key": "age", "range": {"lt": 40}}]}}})",
       true},
      {R"({"nested": {"key": "people", "filter": {"must": [
             {"key": "name", "match": {"value": "Bob"}}, {"key": "age", "range": {"lt": 40}}]}}})",
       false},
      {R"({"nested": {"key": "people[]", "filter": {"must": [
             {"key": "name", "match": {"value": "Ann"}}, {"key": "age", "range": {"lt": 40}}]}}})",
       true},
      {R"({"nested": {"key": "people[]", "filter": {"must": [
             {"key": "name", "match": {"value": "Bob"}}, {"key": "age", "range": {"lt": 40}}]}}})",
       false},
      {R"({"nested": {"key": "people[0]", "filter": {"must": [
             {"key": "name", "match": {"value": "Ann"}}]}}})",
       false},  // an object
      {R"({"nested": {"key": "address", "filter": {"must": [
             {"key": "street.number", "match": {"value": 7}}]}}})",
       false},  // no array
      {R"({"should": [{"has_id": [1]}, {"has_id": [10]}]})", true},
      {R"({"should": []})", true},
      {R"({"must_not": [{"has_id": [10]}]})", false},
      {R"({"must_not": {"has_id": [9]}})", true},
      {R"({"must": {"has_id": [10]}, "should": [{"has_id": [1]}]})", false},
      {R"({"min_should": {"conditions": [{"has_id": [10]}, {"has_id": [1]},
             {"key": "n", "match": {"value": 5}}], "min_count": 2}})",
       true},
      {R"({"min_should": {"conditions": [{"has_id": [10]}, {"has_id": [1]}], "min_count": 2}})",
       false},
  };
  for (const auto& row : rows) EXPECT_EQ(holds(row.condition), row.holds) << row.condition;
}

std::string nested_filter(std::size_t depth) {
  std::string text = R"({"has_id": [1]})";
  for (std::size_t i = 0; i < depth; ++i) text = R"({"must": [)" + text + "]}";
  return text;
}

TEST(VectordbValues, what_is_no_filter_is_refused_with_the_field) {
  struct {
    std::string filter, message;
  } const rows[] = {
      {R"([])", "filter: not an object: []"},
      {R"({"musst": []})", "filter.musst: not supported"},
      {R"({"must": 5})", "filter.must: not a condition: 5"},
      {R"({"must": [{"has_id": [1]}, {"key": "a"}]})",
       "filter.must[1]: not exactly one of match, range and values_count: {\"key\":\"a\"}"},
      {R"({"must": [{"key": 5, "match": {"value": 1}}]})", "filter.must[0].key: not a string: 5"},
      {R"({"must": [{"key": "", "match": {"value": 1}}]})",
       "filter.must[0].key: a path with an empty name: \"\""},
      {R"({"must": [{"key": "a..b", "match": {"value": 1}}]})",
       "filter.must[0].key: a path with an empty name: \"a..b\""},
      {R"({"must": [{"key": "a.", "match": {"value": 1}}]})",
       "filter.must[0].key: a path with an empty name: \"a.\""},
      {R"({"must": [{"key": "a[x]", "match": {"value": 1}}]})",
       "filter.must[0].key: brackets hold nothing or a number, not \"[x]\""},
      {R"({"must": [{"key": "a", "match": {"value": 1.5}}]})",
       "filter.must[0].match.value: not a string, an integer or a boolean: 1.5"},
      {R"({"must": [{"key": "a", "match": {"any": ["x", []]}}]})",
       "filter.must[0].match.any[1]: not a string, an integer or a boolean: []"},
      {R"({"must": [{"key": "a", "match": {}}]})",
       "filter.must[0].match: not exactly one of value, any, except and text: {}"},
      {R"({"must": [{"key": "a", "match": {"phrase": "x"}}]})",
       "filter.must[0].match.phrase: not supported"},
      {R"({"should": {"key": "a", "range": {"gt": "2026-01-01T00:00:00Z"}}})",
       "filter.should.range.gt: not a number: \"2026-01-01T00:00:00Z\""},
      {R"({"must_not": [{"key": "a", "geo_radius": {}}]})",
       "filter.must_not[0].geo_radius: not supported"},
      {R"({"must": [{"has_id": [1, -1]}]})",
       "filter.must[0].has_id[1]: not an unsigned integer or a UUID: -1"},
      {R"({"must": [{"nested": {"key": "[]", "filter": {}}}]})",
       "filter.must[0].nested.key: a path with an empty name: \"\""},
      {R"({"must": [{"nested": {"key": "a"}}]})", "filter.must[0].nested.filter: missing"},
      {R"({"min_should": {"conditions": []}})", "filter.min_should.min_count: missing"},
      {nested_filter(Limits::kFilterDepth), "accepted"},
  };
  for (const auto& row : rows)
    EXPECT_EQ(refusal([&] { Filter::from_json(json::parse(row.filter)); }), row.message);
  const std::string deep = nested_filter(Limits::kFilterDepth + 1);
  EXPECT_NE(refusal([&] { Filter::from_json(json::parse(deep)); }).find("nested more than 32 deep"),
            std::string::npos);
}

/// One point may take long: 10,000 conditions, each of which looks at an array.
TEST(VectordbValues, a_filter_stops_within_one_point) {
  std::stop_source stop;
  for (const char* condition :
       {R"({"key": "tags", "match": {"value": "b"}})", R"({"must": [{"has_id": [10]}]})",
        R"({"nested": {"key": "people", "filter": {"must": [{"is_empty": {"key": "x"}}]}}})"}) {
    stop = std::stop_source();
    const Filter filter = Filter::from_json({{"must_not", {json::parse(condition)}}});
    EXPECT_NO_THROW(filter.matches(10, kPayload, stop.get_token()));
    stop.request_stop();
    EXPECT_THROW(filter.matches(10, kPayload, stop.get_token()), Stopped) << condition;
  }
}

TEST(VectordbValues, every_read_stops) {
  PointTable table{CollectionConfig(2, Distance::Dot)};
  table.build_index(1, [](auto, auto) {});
  Operation upsert;
  for (std::uint64_t id = 0; id < 1000; ++id) upsert.points.emplace_back(id, Vector{1, 0});
  table.apply(upsert);
  std::stop_source stop;
  stop.request_stop();
  const std::stop_token token = stop.get_token();
  const Filter filter = Filter::from_json({{"must", {{{"has_id", {1}}}}}});
  SearchRequest near(Vector{1, 0}), filtered(Vector{1, 0});
  near.exact = true;
  filtered.filter = filter;
  EXPECT_THROW(count(table, filter, token), Stopped);
  EXPECT_THROW(scroll(table, ScrollRequest(), token), Stopped);
  EXPECT_THROW(retrieve(table, {1, 2}, true, true, token), Stopped);
  EXPECT_THROW(search(table, near, token), Stopped);
  EXPECT_THROW(search(table, filtered, token), Stopped);
}

TEST(VectordbValues, an_empty_filter_matches_all) {
  EXPECT_TRUE(Filter().matches(1, json::object()));
  EXPECT_TRUE(Filter::from_json(json()).empty());
  EXPECT_TRUE(Filter::from_json(json::object()).empty());
}

TEST(VectordbValues, payload_selectors) {
  struct {
    const char *selector, *selected;
  } const rows[] = {
      {"true", R"({"a": 1, "b": {"c": 2, "d": [3, 4]}})"},
      {R"(["a"])", R"({"a": 1})"},
      {R"(["b.c", "x"])", R"({"b": {"c": 2}})"},
      {R"({"include": ["b.d", "a"]})", R"({"a": 1, "b": {"d": [3, 4]}})"},
      {R"(["b.d[0]"])", R"({"b": {"d": []}})"},
      {R"(["b.x.y"])", R"({"b": {}})"},
      {R"(["a.x", "x.y"])", R"({"a": 1})"},
      {R"({"exclude": ["b.c"]})", R"({"a": 1, "b": {"d": [3, 4]}})"},
      {R"({"exclude": ["a", "b.d[]"]})", R"({"b": {"c": 2, "d": []}})"},
  };
  const json payload = json::parse(rows[0].selected);
  for (const auto& row : rows) {
    PayloadSelector selector = PayloadSelector::from_json(json::parse(row.selector));
    EXPECT_TRUE(selector.any());
    EXPECT_EQ(selector.select(payload), json::parse(row.selected)) << row.selector;
  }
  EXPECT_FALSE(PayloadSelector::from_json(false).any());
  EXPECT_FALSE(PayloadSelector::from_json(json::array()).any());
  EXPECT_EQ(refusal([] { PayloadSelector::from_json({"a", 5}); }),
            "with_payload[1]: not a string: 5");
}

/// As Qdrant: its tests of JsonPath say what is missing in its description.
TEST(VectordbValues, parts_of_arrays) {
  const json payload = json::parse(R"({
    "l": [{"x": 1, "y": 5}, {"x": 2, "y": 6}, {"y": 7}, 8], "o": {"b": 1}, "t": ["a", "b"],
    "m": [[{"k": 1, "n": 2}], []]})");
  struct {
    const char *selector, *selected;
  } const rows[] = {
      {R"(["l[].x"])", R"({"l": [{"x": 1}, {"x": 2}, {}, 8]})"},
      {R"(["l[].x", "l[].y"])", R"({"l": [{"x": 1, "y": 5}, {"x": 2, "y": 6}, {"y": 7}, 8]})"},
      {R"(["l[]", "t"])",
       R"({"l": [{"x": 1, "y": 5}, {"x": 2, "y": 6}, {"y": 7}, 8], "t": ["a", "b"]})"},
      {R"(["l.x"])", R"({"l": []})"},
      {R"(["l[0].x"])", R"({"l": []})"},
      {R"(["o[].b"])", R"({"o": {}})"},
      {R"(["m[][].k"])", R"({"m": [[{"k": 1}], []]})"},
      {R"({"exclude": ["l", "o", "m[][].k", "t[0]", "t[1]"]})",
       R"({"t": ["a", "b"], "m": [[{"n": 2}], []]})"},
      {R"({"exclude": ["l[].x", "o", "m", "t[]"]})",
       R"({"l": [{"y": 5}, {"y": 6}, {"y": 7}, 8], "t": []})"},
      {R"({"exclude": ["l[0].x", "m", "t", "o.b"]})",
       R"({"l": [{"x": 1, "y": 5}, {"x": 2, "y": 6}, {"y": 7}, 8], "o": {}})"},
  };
  for (const auto& row : rows)
    EXPECT_EQ(PayloadSelector::from_json(json::parse(row.selector)).select(payload),
              json::parse(row.selected))
        << row.selector;
}

/// What a path and values make of a payload, as in Qdrant.
TEST(VectordbValues, values_are_merged_at_a_path) {
  struct {
    const char *before, *path, *values, *after;
    std::size_t targets;
  } const rows[] = {
      {R"({"a": {"b": 1}})", "a.c.d", R"({"x": 1})", R"({"a": {"b": 1, "c": {"d": {"x": 1}}}})", 1},
      {R"({"a": {"b": 1}})", "a.b", R"({"z": 3})", R"({"a": {"b": {"z": 3}}})", 1},
      {R"({})", "\"a.b\".c", R"({"w": 4})", R"({"a.b": {"c": {"w": 4}}})", 1},
      {R"({"l": [{}, 5]})", "l[0]", R"({"y": 2})", R"({"l": [{"y": 2}, 5]})", 1},
      {R"({"l": [{"k": 1}, 5]})", "l[]", R"({"y": 2})", R"({"l": [{"k": 1, "y": 2}, {"y": 2}]})",
       2},
      {R"({"l": [{"k": 1}, 5]})", "l[].k", R"({"y": 2})",
       R"({"l": [{"k": {"y": 2}}, {"k": {"y": 2}}]})", 2},
      {R"({"l": [[{}, {}], [{}], 1]})", "l[][]", R"({"y": 2})",
       R"({"l": [[{"y": 2}, {"y": 2}], [{"y": 2}], []]})", 3},
      {R"({"l": [{"k": 1}]})", "l[7].k", R"({"y": 2})", R"({"l": [{"k": 1}]})", 0},
      {R"({"l": 5})", "l[]", R"({"y": 2})", R"({"l": []})", 0},
      {R"({})", "new[].k", R"({"y": 2})", R"({"new": []})", 0},
      {R"({})", "new.list[0].x", R"({"y": 2})", R"({"new": {"list": []}})", 0},
      {R"({"a": {"b": 1, "c": 2}})", "a", R"({"b": null, "x": null, "c": {"d": null}})",
       R"({"a": {"c": {"d": null}}})", 1},
      {R"({"l": [{"k": 1, "n": 2}, {"n": 3}]})", "l[]", R"({"n": null})",
       R"({"l": [{"k": 1}, {}]})", 2},
  };
  for (const auto& row : rows) {
    json payload = json::parse(row.before);
    const PayloadPath path(row.path);
    EXPECT_EQ(path.targets(payload), row.targets) << row.path << " " << row.before;
    path.merge(payload, json::parse(row.values));
    EXPECT_EQ(payload, json::parse(row.after)) << row.path << " " << row.before;
  }
}

TEST(VectordbValues, what_is_at_a_path_is_removed) {
  struct {
    const char *path, *after;
  } const rows[] = {
      {"t[0]", R"({"t": ["a", "b", "c"], "l": [{"x": 1, "y": [5]}, {"x": 2}]})"},
      {"t[]", R"({"t": [], "l": [{"x": 1, "y": [5]}, {"x": 2}]})"},
      {"l[0].x", R"({"t": ["a", "b", "c"], "l": [{"y": [5]}, {"x": 2}]})"},
      {"l[].x", R"({"t": ["a", "b", "c"], "l": [{"y": [5]}, {}]})"},
      {"l[0].y[0]", R"({"t": ["a", "b", "c"], "l": [{"x": 1, "y": [5]}, {"x": 2}]})"},
      {"l[2].x", R"({"t": ["a", "b", "c"], "l": [{"x": 1, "y": [5]}, {"x": 2}]})"},
      {"t", R"({"l": [{"x": 1, "y": [5]}, {"x": 2}]})"},
      {"t.x", R"({"t": ["a", "b", "c"], "l": [{"x": 1, "y": [5]}, {"x": 2}]})"},
  };
  for (const auto& row : rows) {
    json payload = json::parse(R"({"t": ["a", "b", "c"], "l": [{"x": 1, "y": [5]}, {"x": 2}]})");
    PayloadPath(row.path).erase(payload);
    EXPECT_EQ(payload, json::parse(row.after)) << row.path;
  }
}

TEST(VectordbValues, paths_that_are_none) {
  for (const char* path : {"", ".", "a.", "a..b", "[0]", "\"\"", "\"a", "\"a\"b", "a[", "a[0",
                           "a[-1]", "a[x]", "a[0]b", "a.\"b"})
    EXPECT_EQ(refusal([&] { PayloadPath(path, "key"); }).substr(0, 5), "key: ") << path;
}

TEST(VectordbValues, names_of_collections) {
  for (const char* name : {"documents", "A-1_b.c", "0"})
    EXPECT_EQ(refusal([&] { check_name(name); }), "accepted");
  for (const char* name : {"", ".", "..", ".hidden", "a/b", "../etc", "a b", "caf\xc3\xa9", "a\n"})
    EXPECT_EQ(refusal([&] { check_name(name); }).substr(0, 17), "collection_name: ") << name;
  EXPECT_EQ(refusal([] { check_name(std::string(201, 'a')); }),
            "collection_name: 201 characters, not 1 to 200");
}

TEST(VectordbValues, vectors_of_json) {
  EXPECT_EQ(vector_from_json(json::parse("[1, -2.5, 3e38]")), (Vector{1, -2.5F, 3e38F}));
  EXPECT_EQ(refusal([] { vector_from_json(json::parse("[1, \"2\"]")); }),
            "vector[1]: not a number that a 32-bit float holds: \"2\"");
  EXPECT_EQ(refusal([] { vector_from_json(json::parse("[1e39]")); }),
            "vector[0]: not a number that a 32-bit float holds: 1e+39");
  EXPECT_EQ(refusal([] { vector_from_json(json::parse("{}")); }),
            "vector: not an array of numbers: {}");
}

}  // namespace

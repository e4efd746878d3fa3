// SPDX-License-Identifier: BSL-1.0
// What the server of apps/vectordb refuses: each error names the field, and the limit where there
// is one.
#include "vectordb_cases.hpp"

#include <gtest/gtest.h>

#include <array>
#include <string>
#include <utility>
#include <vector>

using namespace asyncio;
using nlohmann::json;
using test::Case;
using test::expect;
using test::fill;
using test::Said;
using test::VectorDB;

namespace {

/// {name: [element, ...]}
std::string many(const std::string& name, const std::string& element, std::size_t count) {
  std::string text = "{\"" + name + "\":[" + element;
  for (std::size_t i = 1; i < count; ++i) text += "," + element;
  return text + "]}";
}
std::string nested(std::size_t depth) { return std::string(depth, '[') + std::string(depth, ']'); }
std::string deep_filter(std::size_t depth) {
  std::string text = "{}";
  for (std::size_t i = 0; i < depth; ++i) text = R"({"must":[)" + text + "]}";
  return text;
}

std::string deep_field(std::size_t depth) {
  std::string text = "filter";
  for (std::size_t i = 0; i < depth; ++i) text += ".must[0]";
  return text;
}

/// Of a case, all of the error's text.
Coro<> expect_errors(VectorDB& db, const std::vector<Case>& cases) {
  for (const Case& wanted : cases) {
    Said said = co_await db.ask(wanted.method, wanted.path, wanted.body);
    std::string asked = wanted.method + " " + wanted.path + " " + wanted.body.substr(0, 200);
    EXPECT_EQ(said.status, wanted.status) << asked;
    EXPECT_EQ(said.error(), wanted.contains) << asked;
  }
}

std::vector<Case> bad_input() {
  std::string all = "/collections", line = all + "/line", at = line + "/points";
  std::string long_name(201, 'x');
  return {
      {"PUT", all + "/a", "", 400, "body: no JSON: at byte 0: a value is expected"},
      {"PUT", all + "/a", "[]", 400, "body: not an object: []"},
      {"PUT", all + "/a", "{", 400, "body: no JSON: at byte 1: a name in quotes is expected"},
      {"PUT", all + "/a", std::string(2000, '['), 400,
       "body: no JSON: at byte 513: nested deeper than 512 levels"},
      {"PUT", all + "/a", "{}", 400, "vectors: missing"},
      {"PUT", all + "/a", R"({"vectors":{"distance":"Dot"}})", 400,
       "vectors.size: missing; named vectors are not supported"},
      {"PUT", all + "/a", R"({"vectors":{"size":0,"distance":"Dot"}})", 400,
       "vectors.size: 0 is not a whole number from 1 to 65536"},
      {"PUT", all + "/a", R"({"vectors":{"size":65537,"distance":"Dot"}})", 400,
       "vectors.size: 65537 is not a whole number from 1 to 65536"},
      {"PUT", all + "/a", R"({"vectors":{"size":-1,"distance":"Dot"}})", 400,
       "vectors.size: -1 is not a whole number from 1 to 65536"},
      {"PUT", all + "/a", R"({"vectors":{"size":1.5,"distance":"Dot"}})", 400,
       "vectors.size: 1.5 is not a whole number from 1 to 65536"},
      {"PUT", all + "/a", R"({"vectors":{"size":"4","distance":"Dot"}})", 400,
       R"(vectors.size: "4" is not a whole number from 1 to 65536)"},
      {"PUT", all + "/a", R"({"vectors":{"size":4,"distance":"Far"}})", 400,
       R"(vectors.distance: not one of Cosine, Dot, Euclid and Manhattan: "Far")"},
      {"PUT", all + "/a", R"({"vectors":{"size":4,"distance":"Dot"},"hnsw_config":{"m":-1}})", 400,
       "hnsw_config.m: -1 is not a whole number from 2 to 256"},
      {"PUT", all + "/a",
       R"({"vectors":{"size":4,"distance":"Dot"},"hnsw_config":{"ef_construct":-1}})", 400,
       "hnsw_config.ef_construct: -1 is not a whole number from 4 to 10000"},
      {"PUT", all + "/a",
       R"({"vectors":{"size":4,"distance":"Dot"},"hnsw_config":{"ef_construct":10001}})", 400,
       "hnsw_config.ef_construct: 10001 is not a whole number from 4 to 10000"},
      {"PUT", all + "/a",
       R"({"vectors":{"size":4,"distance":"Dot"},"hnsw_config":{"full_scan_threshold":100000001}})",
       400, "hnsw_config.full_scan_threshold: 100000001 is not a whole number from 0 to 100000000"},
      {"PUT", all + "/a",
       R"({"vectors":{"size":4,"distance":"Dot"},"strict_mode_config":{"enabled":true}})", 400,
       "strict_mode_config: not supported: the limits are the server's"},
      {"PUT", all + "/a", R"({"vectors":{"size":4,"distance":"Dot"},"sharding_method":"custom"})",
       400, "sharding_method: not supported: it is always 'auto'"},
      {"PUT", all + "/a", R"({"vectors":{"size":4,"distance":"Dot"},"hnsw_config":{"m":1000000}})",
       400, "hnsw_config.m: 1000000 is not a whole number from 2 to 256"},
      {"PUT", all + "/a", R"({"vectors":{"size":4,"distance":"Dot"},"sparse_vectors":{"s":{}}})",
       400, "sparse_vectors: not supported: a point has one dense vector"},
      {"PUT", all + "/a",
       R"({"vectors":{"size":4,"distance":"Dot",)"
       R"("multivector_config":{"comparator":"max_sim"}}})",
       400, "vectors.multivector_config: not supported: a point has one dense vector"},
      {"PUT", all + "/..%2Fetc", R"({"vectors":{"size":4,"distance":"Dot"}})", 400,
       R"(collection_name: not only letters, digits, '_', '-' and '.', or a '.' in front: "../etc")"},
      {"PUT", all + "/" + long_name, R"({"vectors":{"size":4,"distance":"Dot"}})", 400,
       "collection_name: 201 characters, not 1 to 200"},
      {"PUT", at, R"({"points":{}})", 400, "points: an array is expected, not object"},
      {"PUT", at, R"({"points":[7]})", 400, "points[0]: not an object: 7"},
      {"PUT", at, R"({"points":[{"vector":[1,2]}]})", 400, "points[0].id: missing"},
      {"PUT", at, R"({"points":[{"id":-1,"vector":[1,2]}]})", 400,
       "points[0].id: not an unsigned integer or a UUID: -1"},
      {"PUT", at, R"({"points":[{"id":1.5,"vector":[1,2]}]})", 400,
       "points[0].id: not an unsigned integer or a UUID: 1.5"},
      {"PUT", at, R"({"points":[{"id":"seven","vector":[1,2]}]})", 400,
       R"(points[0].id: not an unsigned integer or a UUID: "seven")"},
      {"PUT", at, R"({"points":[{"id":1,"vector":[1,2,3]}]})", 400,
       "points[0].vector: 3 dimensions, the collection has 2"},
      {"PUT", at, R"({"points":[{"id":1,"vector":[1,2]},{"id":2,"vector":[1]}]})", 400,
       "points[1].vector: 1 dimensions, the collection has 2"},
      {"PUT", at, R"({"points":[{"id":1,"vector":[1,null]}]})", 400,
       "points[0].vector[1]: not a number that a 32-bit float holds: null"},
      {"PUT", at, R"({"points":[{"id":1,"vector":[1,1e39]}]})", 400,
       "points[0].vector[1]: not a number that a 32-bit float holds: 1e+39"},
      {"PUT", at, R"({"points":[{"id":1,"vector":[1,1e999]}]})", 400,
       "body: no JSON: at byte 31: number overflow parsing '1e999'"},
      {"PUT", at, R"({"points":[{"id":1,"vector":[1,NaN]}]})", 400,
       "body: no JSON: at byte 31: NaN and Infinity are no numbers in JSON"},
      {"PUT", at, R"({"points":[{"id":1,"vector":[Infinity,1]}]})", 400,
       "body: no JSON: at byte 29: NaN and Infinity are no numbers in JSON"},
      {"PUT", at, R"({"points":[{"id":1,"vector":[-Infinity,1]}]})", 400,
       "body: no JSON: at byte 29: NaN and Infinity are no numbers in JSON"},
      {"PUT", at, R"({"points":[{"id":1,"vector":[1,nan]}]})", 400,
       "body: no JSON: at byte 31: NaN and Infinity are no numbers in JSON"},
      {"PUT", at, R"({"points":[{"id":1,"vector":[1,yes]}]})", 400,
       "body: no JSON: at byte 31: a value is expected"},
      {"PUT", at, R"({"points":[{"id":1,"vector":[1,-]}]})", 400,
       "body: no JSON: at byte 31: a value is expected"},
      {"PUT", at, R"({"points":[{"id":1,"vector":[1,01]}]})", 400,
       "body: no JSON: at byte 31: unexpected number literal; expected end of input"},
      {"PUT", at, "{\"points\":\"\\x\"}", 400,
       R"(body: no JSON: at byte 10: invalid string: forbidden character after backslash; last read: '"\x')"},
      {"PUT", at, R"({"points":[{"id":1,"vector":{"a":[1,2]}}]})", 400,
       "points[0].vector: not an array of numbers: an object of 1"},
      {"PUT", at, R"({"points":[{"id":1,"vector":[1,2],"payload":[]}]})", 400,
       "points[0].payload: not an object: []"},
      {"PUT", at, R"({"batch":{"ids":[1],"vectors":[[1,2],[3,4]]}})", 400,
       "batch.vectors: 2 entries for 1 ids"},
      {"PUT", at, R"({"batch":{"ids":[1],"vectors":[[1,2]],"payloads":[7]}})", 400,
       "batch.payloads[0]: an object is expected, not number"},
      {"PUT", at, R"({"points":[{"id":1,"vector":[9,9]}],"update_filter":{"must":[]}})", 400,
       "update_filter: not supported by this server"},
      {"PUT", at, R"({"points":[{"id":1,"vector":[9,9]}],"update_mode":"insert_only"})", 400,
       "update_mode: this server knows 'upsert' alone"},
      {"PUT", at + "/vectors", R"({"points":[{"id":1,"vector":[9,9]}],"update_filter":{}})", 400,
       "update_filter: not supported by this server"},
      {"PUT", at + "?wait=maybe", R"({"points":[]})", 400, "wait: true or false is expected"},
      {"PUT", all + "/none/points", R"({"points":[]})", 404, "collection 'none' does not exist"},
      {"POST", at, R"({"ids":7})", 400, "ids: an array is expected, not number"},
      {"POST", at, R"({"ids":[1],"with_payload":7})", 400,
       R"(with_payload: not a boolean, an array of keys, {"include"} or {"exclude"}: 7)"},
      {"POST", at, R"({"ids":[1],"with_vector":["a"]})", 400,
       "with_vector: named vectors are not supported by this server"},
      {"GET", at + "/seven", "", 400, R"(id: not an unsigned integer or a UUID: "seven")"},
      {"POST", at + "/delete", "{}", 400,
       "points: is missing, and so is 'filter': one of them says which"},
      {"POST", at + "/delete", R"({"points":["x"]})", 400,
       R"(points[0]: not an unsigned integer or a UUID: "x")"},
      {"POST", at + "/payload", R"({"points":[1]})", 400, "payload: is missing"},
      {"POST", at + "/payload/delete", R"({"points":[1],"keys":[7]})", 400,
       "keys[0]: a string is expected, not number"},
      {"POST", at + "/search", R"({"vector":[1,2]})", 400, "limit: is missing"},
      {"POST", at + "/search", R"({"vector":[1,2,3],"limit":1})", 400,
       "vector: 3 dimensions, the collection has 2"},
      {"POST", at + "/search", R"({"vector":[1,2],"limit":"1"})", 400,
       "limit: a whole number is expected, not string"},
      {"POST", at + "/search", R"({"vector":[1,2],"limit":1,"using":"a"})", 400,
       "using: named vectors are not supported by this server"},
      {"POST", at + "/query", R"({"query":{"nearest":[1,2],"mmr":{}}})", 400,
       "query.mmr: not supported by this server"},
      {"POST", at + "/search", R"({"vector":[1,2],"limit":100001})", 400,
       "limit: 100001 is more than 100000"},
      {"POST", at + "/search", R"({"vector":[1,2],"limit":1,"params":[]})", 400,
       "params: an object is expected, not array"},
      {"POST", at + "/search", R"({"vector":[1,2],"limit":1,"params":{"hnsw_ef":10001}})", 400,
       "params.hnsw_ef: 10001 is more than 10000"},
      {"POST", at + "/search", R"({"vector":[1,2],"limit":1,"score_threshold":1e39})", 400,
       "score_threshold: is beyond what a float holds"},
      {"POST", at + "/search", R"({"vector":{"name":"a","vector":[1,2]},"limit":1})", 400,
       "vector: named vectors are not supported by this server"},
      {"POST", at + "/search", R"({"vector":[1,2],"limit":1,"filter":{"must":[{"key":7}]}})", 400,
       "filter.must[0].key: not a string: 7"},
      {"POST", at + "/search",
       R"({"vector":[1,2],"limit":1,"filter":{"must":[{"key":"n","range":{"gt":"x"}}]}})", 400,
       R"(filter.must[0].range.gt: not a number: "x")"},
      {"POST", at + "/search/batch", R"({"searches":[{"vector":[1,2]}]})", 400,
       "searches[0].limit: is missing"},
      {"POST", at + "/search", R"({"vector":[1,2],"limit":0})", 400, "limit: 0, less than 1"},
      {"POST", at + "/search", R"({"vector":[1,2],"top":0})", 400, "top: 0, less than 1"},
      {"POST", at + "/search", R"({"vector":[1,2],"top":1,"limit":1})", 400,
       "top: another name of 'limit', which is there as well"},
      {"POST", at + "/query", R"({"query":[1,2],"limit":0})", 400, "limit: 0, less than 1"},
      {"POST", at + "/query/batch", R"({"searches":[{},{"limit":0}]})", 400,
       "searches[1].limit: 0, less than 1"},
      {"POST", at + "/search", R"({"vector":[1,2],"limit":99999999999999999999})", 400,
       "limit: 1e+20 is more than 18446744073709551615"},
      {"POST", at + "/scroll", R"({"limit":1.5})", 400,
       "limit: a whole number from 0 is expected, not 1.5"},
      {"POST", at + "/scroll", R"({"with_vectors":["a"]})", 400,
       "with_vectors: named vectors are not supported by this server"},
      {"POST", at + "/query", R"({"query":[1,2,3]})", 400,
       "query: 3 dimensions, the collection has 2"},
      {"POST", at + "/query", R"({"query":{"nearest":[1]}})", 400,
       "query.nearest: 1 dimensions, the collection has 2"},
      {"POST", at + "/query", R"({"query":{"recommend":{}}})", 400,
       "query: this server knows a vector, a point's id and 'nearest'"},
      {"POST", at + "/query", R"({"offset":18446744073709551615})", 400,
       "offset: 18446744073709551615 is more than 100000"},
      {"POST", at + "/query", R"({"limit":100001})", 400, "limit: 100001 is more than 100000"},
      {"POST", at + "/query", R"({"query":[1,2],"offset":100001})", 400,
       "offset: 100001 is more than 100000"},
      {"POST", at + "/search", R"({"vector":[1,2],"limit":1,"offset":100001})", 400,
       "offset: 100001 is more than 100000"},
      {"POST", at + "/search/batch", many("searches", R"({"vector":[1,2],"limit":1})", 1001), 400,
       "searches: 1001 is more than 1000"},
      {"POST", at + "/query/batch", many("searches", "{}", 1001), 400,
       "searches: 1001 is more than 1000"},
      {"POST", at + "/delete", many("points", "7", 100'001), 400,
       "points: 100001 is more than 100000"},
      {"PUT", at, R"({"points":[{"id":9,"vector":[1,2],"payload":{"a":)" + nested(65) + "}}]}", 400,
       "points[0].payload: deeper than 64 levels"},
      {"POST", at + "/count", R"({"filter":)" + deep_filter(40) + "}", 400,
       deep_field(32) + ": nested more than 32 deep"},
      {"POST", at + "/count", R"({"filter":)" + many("must", R"({"has_id":[1]})", 10'001) + "}",
       400, "filter.must[10000]: more than 10000 conditions"},
      {"POST", at + "/query", R"({"prefetch":{}})", 400, "prefetch: not supported by this server"},
      {"POST", at + "/scroll", R"({"order_by":"n"})", 400,
       "order_by: this server scrolls in the order of ids alone"},
      {"POST", at + "/scroll", R"({"offset":"x"})", 400,
       R"(offset: not an unsigned integer or a UUID: "x")"},
      {"POST", at + "/count", R"({"filter":7})", 400, "filter: not an object: 7"},
  };
}

TEST(VectorDBRefusals, a_timeout_is_a_whole_number_of_seconds_from_1) {
  test::with_vectordb([](VectorDB& db) -> Coro<> {
    co_await fill(db);
    for (const char* timeout : {"0", "-1", "1.5", "", "x", "1s", "4294967296"})
      for (const char* path : {"/count", "/scroll", "/query", "/query/batch", "/search"}) {
        std::string at = "/collections/line/points" + std::string(path);
        Said said = co_await db.ask("POST", at + "?timeout=" + timeout, "{}");
        EXPECT_EQ(said.status, 400) << path << " " << timeout;
        EXPECT_EQ(said.error(),
                  "timeout: a whole number of seconds from 1 to 4294967295 is expected");
      }
    Said said = co_await db.ask("POST", "/collections/line/points/count?timeout=4294967295", "{}");
    EXPECT_EQ(said.result()["count"], 4) << said.body;
  });
}

TEST(VectorDBRefusals, bad_input_names_the_field_and_the_limit) {
  test::with_vectordb([](VectorDB& db) -> Coro<> {
    co_await fill(db);
    co_await expect_errors(db, bad_input());
    Said count = co_await db.ask("POST", "/collections/line/points/count", "{}");
    EXPECT_EQ(count.result()["count"], 4) << "something of it was done";
  });
}

constexpr std::array<std::pair<const char*, const char*>, 26> kNotHere{{
    {"POST", "/collections/line/points/batch"},
    {"POST", "/collections/line/points/recommend"},
    {"POST", "/collections/line/points/discover"},
    {"POST", "/collections/line/points/query/groups"},
    {"POST", "/collections/line/points/search/groups"},
    {"POST", "/collections/line/points/search/matrix/pairs"},
    {"POST", "/collections/line/points/vectors/delete"},
    {"POST", "/collections/line/facet"},
    {"PUT", "/collections/line/index"},
    {"DELETE", "/collections/line/index/city"},
    {"GET", "/collections/line/snapshots"},
    {"PUT", "/collections/line/shards"},
    {"GET", "/collections/line/aliases"},
    {"GET", "/collections/line/cluster"},
    {"GET", "/collections/line/optimizations"},
    {"PUT", "/collections/line/vectors/title"},
    {"PATCH", "/collections/line"},
    {"POST", "/collections/aliases"},
    {"GET", "/aliases"},
    {"GET", "/snapshots"},
    {"GET", "/cluster"},
    {"DELETE", "/cluster/peer/1"},
    {"GET", "/telemetry"},
    {"GET", "/locks"},
    {"GET", "/issues"},
    {"GET", "/quotas"},
}};

TEST(VectorDBRefusals, what_qdrant_has_and_this_server_has_not_is_501) {
  test::with_vectordb([](VectorDB& db) -> Coro<> {
    co_await fill(db);
    for (auto [method, path] : kNotHere) {
      Said said = co_await db.ask(method, path, "{}");
      EXPECT_EQ(said.status, 501) << method << " " << path;
      EXPECT_EQ(said.error(), std::string(method) + " " + path +
                                  ": this server does not have that part of Qdrant's API");
    }
  });
}

std::vector<Case> no_endpoints() {
  const std::string at = "/collections/line/points";
  return {{"GET", "/etc/passwd", "", 404, "GET /etc/passwd: there is no such endpoint"},
          {"GET", "/clusters", "", 404, "GET /clusters: there is no such endpoint"},
          {"GET", "/snapshots.old", "", 404, "GET /snapshots.old: there is no such endpoint"},
          {"POST", "/healthz", "", 405, "POST /healthz: not with that method, but with GET, HEAD"},
          {"GET", at + "/search", "", 405,
           "GET " + at + "/search: not with that method, but with POST"},
          {"DELETE", at, "", 405, "DELETE " + at + ": not with that method, but with POST, PUT"},
          {"PATCH", at, "", 405, "PATCH " + at + ": not with that method, but with POST, PUT"},
          {"PATCH", "/collections", "", 405,
           "PATCH /collections: not with that method, but with GET, HEAD"},
          {"POST", "/collections", "", 405,
           "POST /collections: not with that method, but with GET, HEAD"}};
}

TEST(VectorDBRefusals, what_nobody_has_is_404_and_a_wrong_method_405) {
  test::with_vectordb([](VectorDB& db) -> Coro<> { co_await expect_errors(db, no_endpoints()); });
}

/// Points of as many dimensions in a collection of their own.
std::vector<Case> filled(const std::string& name, std::size_t points, std::size_t dimensions) {
  json body;
  for (std::size_t i = 0; i < points; ++i)
    body["points"].push_back({{"id", i}, {"vector", std::vector<int>(dimensions, 1)}});
  std::string config =
      R"({"vectors":{"distance":"Dot","size":)" + std::to_string(dimensions) + "}}";
  return {{"PUT", "/collections/" + name, config, 200, ""},
          {"PUT", "/collections/" + name + "/points", body.dump(), 200, ""}};
}

/// Two of which the first is right.
std::string two_searches(const std::string& second) {
  return R"({"searches":[{"vector":[1,2],"query":[1,2],"limit":1},)" + second + "]}";
}

std::vector<Case> wrong_searches_of_batches() {
  const std::string at = "/collections/line/points", search = at + "/search/batch",
                    query = at + "/query/batch";
  return {{"POST", search, two_searches(R"({"vector":[1],"limit":1})"), 400,
           "searches[1].vector: 1 dimensions, the collection has 2"},
          {"POST", search, two_searches(R"({"vector":[1,2],"limit":100001})"), 400,
           "searches[1].limit: 100001 is more than 100000"},
          {"POST", search, two_searches(R"({"vector":[1,2],"limit":1,"offset":100001})"), 400,
           "searches[1].offset: 100001 is more than 100000"},
          {"POST", search, two_searches(R"({"vector":[1,2],"limit":1,"params":{"hnsw_ef":10001}})"),
           400, "searches[1].params.hnsw_ef: 10001 is more than 10000"},
          {"POST", query, two_searches(R"({"query":[1]})"), 400,
           "searches[1].query: 1 dimensions, the collection has 2"},
          {"POST", query, two_searches(R"({"query":{"nearest":[1]}})"), 400,
           "searches[1].query.nearest: 1 dimensions, the collection has 2"},
          {"POST", query, two_searches(R"({"offset":100001})"), 400,
           "searches[1].offset: 100001 is more than 100000"},
          {"POST", query, two_searches(R"({"query":77})"), 404,
           "searches[1].query: point 77 does not exist"}};
}

TEST(VectorDBRefusals, errors_of_a_batch_name_the_search) {
  test::with_vectordb([](VectorDB& db) -> Coro<> {
    co_await fill(db);
    co_await expect_errors(db, wrong_searches_of_batches());
  });
}

std::vector<Case> huge_results() {
  std::string flat = "/collections/flat/points", wide = "/collections/wide/points";
  std::string most = R"({"vector":[1],"limit":100000})", all = R"({"limit":100000})";
  std::string vectors = R"({"vector":[1],"limit":100000,"with_vector":true})";
  return {{"POST", flat + "/search/batch", many("searches", most, 1000), 400,
           "sum of the limits: 101000 is more than 100000"},
          {"POST", flat + "/query/batch", many("searches", all, 1000), 400, "sum of the limits"},
          {"POST", flat + "/search/batch", many("searches", most, 10), 200, "[[{"},
          {"POST", wide + "/search/batch", many("searches", vectors, 1000), 400,
           "with_vector: the vectors of the results have 1310720000 bytes, more than 1073741824"}};
}

TEST(VectorDBRefusals, results_that_no_memory_holds_are_refused) {
  test::with_vectordb([](VectorDB& db) -> Coro<> {
    co_await expect(db, filled("flat", 101, 1));
    co_await expect(db, filled("wide", 5, 65'536));
    co_await expect(db, huge_results());
  });
}

TEST(VectorDBRefusals, a_body_that_is_too_large_is_refused_with_the_limit) {
  test::Folder folder;
  vectordb::ServeOptions options = test::serve_options(folder);
  options.max_body_bytes = 1024;
  test::with_vectordb(options, [](VectorDB& db) -> Coro<> {
    Said said = co_await db.ask("PUT", "/collections/a", std::string(1025, ' '));
    EXPECT_EQ(said.status, 413);
    EXPECT_NE(said.error().find("1024"), std::string::npos) << said.body;
  });
}

}  // namespace

// SPDX-License-Identifier: BSL-1.0
// The server of apps/vectordb: each endpoint, each refusal, and what it says of itself.
#include "connected.hpp"
#include "vectordb/server/endpoint.hpp"
#include "vectordb_served.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <map>
#include <string>
#include <thread>
#include <utility>
#include <vector>

using namespace asyncio;
using nlohmann::json;
using test::Said;
using test::VectorDB;
using vectordb::AsyncVectorDB;
using vectordb::Vector;

namespace {

/// A request, and what is to come of it.
struct Case {
  std::string method, path, body;
  int status;
  std::string contains;  // the result, or the error's text
};

Coro<> expect(VectorDB& db, const std::vector<Case>& cases) {
  for (const Case& wanted : cases) {
    Said said = co_await db.ask(wanted.method, wanted.path, wanted.body);
    std::string asked = wanted.method + " " + wanted.path + " " + wanted.body + "\n" + said.body;
    EXPECT_EQ(said.status, wanted.status) << asked;
    std::string text = said.error();
    if (said.status == 200) text = said.result().dump();
    EXPECT_NE(text.find(wanted.contains), std::string::npos) << asked;
  }
}

/// A collection of four points on a line.
Coro<> fill(VectorDB& db) {
  Said made =
      co_await db.ask("PUT", "/collections/line", R"({"vectors":{"size":2,"distance":"Euclid"}})");
  EXPECT_EQ(made.status, 200) << made.body;
  Said put = co_await db.ask("PUT", "/collections/line/points?wait=true", R"({"points":[
    {"id":1,"vector":[1,0],"payload":{"city":"Berlin","n":1}},
    {"id":2,"vector":[2,0],"payload":{"city":"London","n":2}},
    {"id":3,"vector":[3,0],"payload":{"city":"Berlin","n":3}},
    {"id":"00000000-0000-0000-0000-00000000000a","vector":[4,0]}]})");
  EXPECT_EQ(put.result()["status"], "completed") << put.body;
}

std::vector<Case> collections() {
  return {
      {"GET", "/collections", "", 200, R"({"name":"line"})"},
      {"GET", "/collections/line/exists", "", 200, "true"},
      {"GET", "/collections/none/exists", "", 200, "false"},
      {"GET", "/collections/line", "", 200, R"("points_count":4)"},
      {"GET", "/collections/line", "", 200, R"({"distance":"Euclid","size":2})"},
      {"PUT", "/collections/line", R"({"vectors":{"size":2,"distance":"Dot"}})", 409, "'line'"},
      {"DELETE", "/collections/none", "", 200, "false"},
      {"DELETE", "/collections/line", "", 200, "true"},
      {"GET", "/collections/line", "", 404, "'line'"},
  };
}

TEST(VectorDBServer, S46_collections) {
  test::with_vectordb([](VectorDB& db) -> Coro<> {
    co_await fill(db);
    co_await expect(db, collections());
  });
}

std::vector<Case> reads() {
  std::string at = "/collections/line/points";
  return {
      {"GET", at + "/2", "", 200, R"("payload":{"city":"London","n":2},"vector":[2.0,0.0])"},
      {"GET", at + "/00000000-0000-0000-0000-00000000000a", "", 200, R"([4.0,0.0])"},
      {"GET", at + "/5", "", 404, "point 5"},
      {"POST", at, R"({"ids":[3,5,1],"with_payload":false})", 200, R"([{"id":3},{"id":1}])"},
      {"POST", at, R"({"ids":[1],"with_payload":["n"]})", 200, R"({"n":1})"},
      {"POST", at, R"({"ids":[1],"with_payload":{"exclude":["n"]}})", 200, R"({"city":"Berlin"})"},
      {"POST", at + "/count", "{}", 200, R"({"count":4})"},
      {"POST", at + "/count", R"({"filter":{"must":[{"key":"city","match":{"value":"Berlin"}}]}})",
       200, R"({"count":2})"},
      {"POST", at + "/scroll", R"({"limit":2,"with_payload":false})", 200,
       R"({"next_page_offset":3,"points":[{"id":1},{"id":2}]})"},
      {"POST", at + "/scroll", R"({"offset":3,"with_payload":false,"with_vector":true})", 200,
       R"("next_page_offset":null,"points":[{"id":3,"vector":[3.0,0.0]})"},
  };
}

TEST(VectorDBServer, S46_reads) {
  test::with_vectordb([](VectorDB& db) -> Coro<> {
    co_await fill(db);
    co_await expect(db, reads());
  });
}

std::vector<Case> searches() {
  std::string at = "/collections/line/points";
  return {
      {"POST", at + "/search", R"({"vector":[2.9,0],"limit":1})", 200, R"([{"id":3,"score":0.)"},
      {"POST", at + "/search", R"({"vector":[0,0],"limit":2,"offset":1})", 200,
       R"([{"id":2,"score":2.0,"version":0},{"id":3,"score":3.0)"},
      {"POST", at + "/search",
       R"({"vector":[3,0],"limit":9,"filter":{"must":[{"key":"n","range":{"lt":3}}]}})", 200,
       R"([{"id":2,"score":1.0,"version":0},{"id":1,"score":2.0,"version":0}])"},
      {"POST", at + "/search", R"({"vector":[0,0],"limit":9,"score_threshold":1.5})", 200,
       R"([{"id":1,"score":1.0,"version":0}])"},
      {"POST", at + "/search",
       R"({"vector":[1,0],"limit":1,"with_payload":true,"with_vector":true,)"
       R"("params":{"exact":true}})",
       200, R"("payload":{"city":"Berlin","n":1},"score":0.0,"vector":[1.0,0.0])"},
      {"POST", at + "/search/batch",
       R"({"searches":[{"vector":[1,0],"limit":1},{"vector":[4,0],"limit":1}]})", 200,
       R"([[{"id":1,"score":0.0,"version":0}],[{"id":"00000000-0000-0000-0000-00000000000a")"},
      {"POST", at + "/query", R"({"query":[2,0],"limit":1})", 200,
       R"({"points":[{"id":2,"score":0.0,"version":0}]})"},
      {"POST", at + "/query", R"({"query":2,"limit":2})", 200,
       R"({"points":[{"id":1,"score":1.0,"version":0},{"id":3,"score":1.0,"version":0}]})"},
      {"POST", at + "/query",
       R"({"query":{"nearest":2},"filter":{"must":[{"has_id":[2,3]}]},"limit":9})", 200,
       R"({"points":[{"id":3,"score":1.0,"version":0}]})"},
      {"POST", at + "/query", R"({"limit":1,"offset":1})", 200, R"([{"id":2,"score":0.0)"},
      {"POST", at + "/query", R"({"limit":2,"offset":3})", 200,
       R"({"points":[{"id":"00000000-0000-0000-0000-00000000000a","score":0.0,"version":0}]})"},
      {"POST", at + "/query", R"({"limit":10,"offset":100000})", 200, R"({"points":[]})"},
      {"POST", at + "/query", R"({"query":77})", 404, "point 77"},
      {"POST", at + "/query/batch", R"({"searches":[{"query":[2,0],"limit":1}]})", 200,
       R"([{"points":[{"id":2)"},
  };
}

TEST(VectorDBServer, S46_searches) {
  test::with_vectordb([](VectorDB& db) -> Coro<> {
    co_await fill(db);
    co_await expect(db, searches());
  });
}

std::vector<Case> writes() {
  std::string at = "/collections/line/points";
  return {
      {"PUT", at, R"({"batch":{"ids":[7,8],"vectors":[[7,0],[8,0]],"payloads":[{"a":1},null]}})",
       200, R"("status":"acknowledged")"},
      {"GET", at + "/7", "", 200, R"("payload":{"a":1},"vector":[7.0,0.0])"},
      {"PUT", at, R"({"points":[],"update_filter":null,"update_mode":"upsert"})", 200, ""},
      {"PUT", at + "/vectors?wait=true", R"({"points":[{"id":7,"vector":[70,0]}]})", 200,
       "completed"},
      {"GET", at + "/7", "", 200, R"("payload":{"a":1},"vector":[70.0,0.0])"},
      {"POST", at + "/payload?wait=true", R"({"payload":{"b":2},"points":[7,8]})", 200, ""},
      {"GET", at + "/7", "", 200, R"("payload":{"a":1,"b":2})"},
      {"PUT", at + "/payload?wait=true", R"({"payload":{"c":3},"points":[7]})", 200, ""},
      {"GET", at + "/7", "", 200, R"("payload":{"c":3})"},
      {"POST", at + "/payload/delete?wait=true", R"({"keys":["c"],"points":[7]})", 200, ""},
      {"GET", at + "/7", "", 200, R"("payload":{})"},
      {"POST", at + "/payload/clear?wait=true",
       R"({"filter":{"must":[{"key":"city","match":{"value":"Berlin"}}]}})", 200, ""},
      {"GET", at + "/1", "", 200, R"("payload":{})"},
      {"GET", at + "/2", "", 200, R"("payload":{"city":"London")"},
      {"POST", at + "/delete?wait=true", R"({"points":[7,99]})", 200, "completed"},
      {"POST", at + "/delete?wait=true", R"({"filter":{"must":[{"has_id":[8]}]}})", 200, ""},
      {"POST", at + "/count", "{}", 200, R"({"count":4})"},
  };
}

TEST(VectorDBServer, S46_writes) {
  test::with_vectordb([](VectorDB& db) -> Coro<> {
    co_await fill(db);
    co_await expect(db, writes());
  });
}

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

/// Each error names the field, and the limit where there is one.
std::vector<Case> bad_input() {
  std::string all = "/collections", line = all + "/line", at = line + "/points";
  std::string long_name(201, 'x');
  return {
      {"PUT", all + "/a", "", 400, "body"},
      {"PUT", all + "/a", "[]", 400, "body"},
      {"PUT", all + "/a", "{", 400, "body: no JSON"},
      {"PUT", all + "/a", std::string(2000, '['), 400, "body: no JSON"},
      {"PUT", all + "/a", "{}", 400, "vectors"},
      {"PUT", all + "/a", R"({"vectors":{"distance":"Dot"}})", 400, "vectors.size"},
      {"PUT", all + "/a", R"({"vectors":{"size":0,"distance":"Dot"}})", 400, "vectors.size"},
      {"PUT", all + "/a", R"({"vectors":{"size":65537,"distance":"Dot"}})", 400, "65536"},
      {"PUT", all + "/a", R"({"vectors":{"size":-1,"distance":"Dot"}})", 400, "vectors.size"},
      {"PUT", all + "/a", R"({"vectors":{"size":4,"distance":"Far"}})", 400, "vectors.distance"},
      {"PUT", all + "/a", R"({"vectors":{"size":4,"distance":"Dot"},"hnsw_config":{"m":1000000}})",
       400, "hnsw_config.m"},
      {"PUT", all + "/a", R"({"vectors":{"size":4,"distance":"Dot"},"sparse_vectors":{"s":{}}})",
       400, "sparse_vectors"},
      {"PUT", all + "/a",
       R"({"vectors":{"size":4,"distance":"Dot",)"
       R"("multivector_config":{"comparator":"max_sim"}}})",
       400, "vectors.multivector_config"},
      {"PUT", all + "/..%2Fetc", R"({"vectors":{"size":4,"distance":"Dot"}})", 400, "name"},
      {"PUT", all + "/" + long_name, R"({"vectors":{"size":4,"distance":"Dot"}})", 400, "200"},
      {"PUT", at, R"({"points":{}})", 400, "points: an array is expected, not object"},
      {"PUT", at, R"({"points":[7]})", 400, "points[0]"},
      {"PUT", at, R"({"points":[{"vector":[1,2]}]})", 400, "points[0].id"},
      {"PUT", at, R"({"points":[{"id":-1,"vector":[1,2]}]})", 400, "points[0].id"},
      {"PUT", at, R"({"points":[{"id":1.5,"vector":[1,2]}]})", 400, "points[0].id"},
      {"PUT", at, R"({"points":[{"id":"seven","vector":[1,2]}]})", 400, "points[0].id"},
      {"PUT", at, R"({"points":[{"id":1,"vector":[1,2,3]}]})", 400, "points[0].vector"},
      {"PUT", at, R"({"points":[{"id":1,"vector":[1,2]},{"id":2,"vector":[1]}]})", 400,
       "points[1].vector"},
      {"PUT", at, R"({"points":[{"id":1,"vector":[1,null]}]})", 400, "points[0].vector[1]"},
      {"PUT", at, R"({"points":[{"id":1,"vector":[1,1e39]}]})", 400, "points[0].vector[1]"},
      {"PUT", at, R"({"points":[{"id":1,"vector":[1,1e999]}]})", 400, "body: no JSON"},
      {"PUT", at, R"({"points":[{"id":1,"vector":[1,NaN]}]})", 400, "body: no JSON"},
      {"PUT", at, R"({"points":[{"id":1,"vector":{"a":[1,2]}}]})", 400, "points[0].vector"},
      {"PUT", at, R"({"points":[{"id":1,"vector":[1,2],"payload":[]}]})", 400, "points[0].payload"},
      {"PUT", at, R"({"batch":{"ids":[1],"vectors":[[1,2],[3,4]]}})", 400, "batch.vectors"},
      {"PUT", at, R"({"batch":{"ids":[1],"vectors":[[1,2]],"payloads":[7]}})", 400,
       "batch.payloads[0]"},
      {"PUT", at, R"({"points":[{"id":1,"vector":[9,9]}],"update_filter":{"must":[]}})", 400,
       "update_filter"},
      {"PUT", at, R"({"points":[{"id":1,"vector":[9,9]}],"update_mode":"insert_only"})", 400,
       "update_mode"},
      {"PUT", at + "/vectors", R"({"points":[{"id":1,"vector":[9,9]}],"update_filter":{}})", 400,
       "update_filter"},
      {"PUT", at + "?wait=maybe", R"({"points":[]})", 400, "wait"},
      {"PUT", all + "/none/points", R"({"points":[]})", 404, "'none'"},
      {"POST", at, R"({"ids":7})", 400, "ids"},
      {"POST", at, R"({"ids":[1],"with_payload":7})", 400, "with_payload"},
      {"POST", at, R"({"ids":[1],"with_vector":["a"]})", 400, "with_vector"},
      {"GET", at + "/seven", "", 400, "id"},
      {"POST", at + "/delete", "{}", 400, "points"},
      {"POST", at + "/delete", R"({"points":["x"]})", 400, "points[0]"},
      {"POST", at + "/payload", R"({"points":[1]})", 400, "payload"},
      {"POST", at + "/payload/delete", R"({"points":[1],"keys":[7]})", 400, "keys[0]"},
      {"POST", at + "/search", R"({"vector":[1,2]})", 400, "limit"},
      {"POST", at + "/search", R"({"vector":[1,2,3],"limit":1})", 400, "vector"},
      {"POST", at + "/search", R"({"vector":[1,2],"limit":"1"})", 400, "limit"},
      {"POST", at + "/search", R"({"vector":[1,2],"limit":1,"using":"a"})", 400, "using"},
      {"POST", at + "/query", R"({"query":{"nearest":[1,2],"mmr":{}}})", 400, "query.mmr"},
      {"POST", at + "/search", R"({"vector":[1,2],"limit":100001})", 400, "100000"},
      {"POST", at + "/search", R"({"vector":[1,2],"limit":1,"params":[]})", 400, "params"},
      {"POST", at + "/search", R"({"vector":[1,2],"limit":1,"params":{"hnsw_ef":10001}})", 400,
       "hnsw_ef"},
      {"POST", at + "/search", R"({"vector":[1,2],"limit":1,"score_threshold":1e39})", 400,
       "score_threshold"},
      {"POST", at + "/search", R"({"vector":{"name":"a","vector":[1,2]},"limit":1})", 400,
       "vector"},
      {"POST", at + "/search", R"({"vector":[1,2],"limit":1,"filter":{"must":[{"key":7}]}})", 400,
       "filter.must[0]"},
      {"POST", at + "/search",
       R"({"vector":[1,2],"limit":1,"filter":{"must":[{"key":"n","range":{"gt":"x"}}]}})", 400,
       "filter.must[0].range.gt"},
      {"POST", at + "/search/batch", R"({"searches":[{"vector":[1,2]}]})", 400,
       "searches[0].limit"},
      {"POST", at + "/query", R"({"query":{"recommend":{}}})", 400, "query"},
      {"POST", at + "/query", R"({"offset":18446744073709551615})", 400,
       "offset: 18446744073709551615 is more than 100000"},
      {"POST", at + "/query", R"({"limit":100001})", 400, "limit: 100001"},
      {"POST", at + "/query", R"({"query":[1,2],"offset":100001})", 400, "offset: 100001"},
      {"POST", at + "/search", R"({"vector":[1,2],"limit":1,"offset":100001})", 400, "offset"},
      {"POST", at + "/search/batch", many("searches", R"({"vector":[1,2],"limit":1})", 1001), 400,
       "searches: 1001 is more than 1000"},
      {"POST", at + "/query/batch", many("searches", "{}", 1001), 400, "searches: 1001"},
      {"POST", at + "/delete", many("points", "7", 100'001), 400,
       "points: 100001 is more than 100000"},
      {"PUT", at, R"({"points":[{"id":9,"vector":[1,2],"payload":{"a":)" + nested(65) + "}}]}", 400,
       "points[0].payload: deeper than 64 levels"},
      {"POST", at + "/count", R"({"filter":)" + deep_filter(40) + "}", 400, "32"},
      {"POST", at + "/query", R"({"prefetch":{}})", 400, "prefetch"},
      {"POST", at + "/scroll", R"({"order_by":"n"})", 400, "order_by"},
      {"POST", at + "/scroll", R"({"offset":"x"})", 400, "offset"},
      {"POST", at + "/count", R"({"filter":7})", 400, "filter"},
      {"POST", at + "/recommend", "{}", 501, "does not have"},
      {"PUT", line + "/index", "{}", 501, "does not have"},
      {"PATCH", line, "{}", 501, "does not have"},
      {"GET", "/telemetry", "", 501, "does not have"},
      {"GET", "/etc/passwd", "", 404, "there is no such endpoint"},
  };
}

TEST(VectorDBServer, bad_input_names_the_field_and_the_limit) {
  test::with_vectordb([](VectorDB& db) -> Coro<> {
    co_await fill(db);
    co_await expect(db, bad_input());
    Said count = co_await db.ask("POST", "/collections/line/points/count", "{}");
    EXPECT_EQ(count.result()["count"], 4) << "something of it was done";
  });
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

TEST(VectorDBServer, results_that_no_memory_holds_are_refused) {
  test::with_vectordb([](VectorDB& db) -> Coro<> {
    co_await expect(db, filled("flat", 101, 1));
    co_await expect(db, filled("wide", 5, 65'536));
    co_await expect(db, huge_results());
  });
}

/// Notes who writes.
std::thread::id writer;
std::string noted(const std::vector<vectordb::Record>& found) {
  writer = std::this_thread::get_id();
  return vectordb::records(found);
}

struct Weight {
  std::string payload;
  std::size_t numbers;  // of its vector
  std::size_t points;
  bool in_thread;
};

std::vector<Weight> weights() {
  std::string text(100'000, 'x');
  json many = std::vector<int>(10'000);
  return {{"{}", 0, 1, false},
          {"{}", 0, 200, false},
          {"{}", 0, 300, true},
          {"{}", 1536, 5, false},
          {"{}", 1536, 6, true},
          {R"({"a":")" + text + "\"}", 0, 1, true},
          {R"({"a":{"b":)" + many.dump() + "}}", 0, 1, true}};
}

std::vector<vectordb::Record> records_of(const Weight& weight) {
  vectordb::Record one;
  one.payload = json::parse(weight.payload, nullptr, false);
  one.vector = Vector(weight.numbers);
  return std::vector<vectordb::Record>(weight.points, one);
}

TEST(VectorDBServer, large_results_are_written_by_a_thread_however_few_their_points) {
  run([]() -> Coro<> {
    for (const Weight& weight : weights()) {
      std::string text = co_await vectordb::write_result(records_of(weight), &noted);
      EXPECT_EQ(text, vectordb::records(records_of(weight)));
      EXPECT_EQ(writer != std::this_thread::get_id(), weight.in_thread)
          << weight.payload.substr(0, 20) << " " << weight.numbers << " " << weight.points;
    }
  });
}

TEST(VectorDBServer, a_body_that_is_too_large_is_refused_with_the_limit) {
  test::Folder folder;
  vectordb::ServeOptions options = test::serve_options(folder);
  options.max_body_bytes = 1024;
  test::with_vectordb(options, [](VectorDB& db) -> Coro<> {
    Said said = co_await db.ask("PUT", "/collections/a", std::string(1025, ' '));
    EXPECT_EQ(said.status, 413);
    EXPECT_NE(said.error().find("1024"), std::string::npos) << said.body;
  });
}

/// For the client it is there, and not ready.
Coro<> expect_unavailable(VectorDB& server) {
  vectordb::ClientOptions once;
  once.retries(0);
  AsyncVectorDB db = co_await AsyncVectorDB::connect(server.address(), once);
  std::string thrown = co_await test::error_of(db.count("line"));
  EXPECT_EQ(thrown,
            "vectordb::Unavailable: count 'line': the data base is being opened, or closed");
  co_await db.close();
}

TEST(VectorDBServer, until_its_data_is_read_it_is_alive_and_not_ready) {
  test::Folder folder;
  vectordb::ServeOptions options = test::serve_options(folder);
  auto body = [](VectorDB& db) -> Coro<> {
    Said alive = co_await db.ask("GET", "/healthz");
    EXPECT_EQ(alive.status, 200);
    Said ready = co_await db.ask("GET", "/readyz");
    EXPECT_EQ(ready.status, 503);
    http::ClientResponse early = co_await db.session().get("/collections");
    EXPECT_EQ(early.status(), 503);
    EXPECT_EQ(early.headers().get("Retry-After"), "1");
    co_await expect_unavailable(db);
    co_await db.service().open();
    ready = co_await db.ask("GET", "/readyz");
    EXPECT_EQ(ready.status, 200);
    db.service().stop();
    ready = co_await db.ask("GET", "/readyz");
    EXPECT_EQ(ready.body, "stopping");
  };
  test::with_vectordb(options, body, false);
}

TEST(VectorDBServer, with_an_api_key_it_answers_who_knows_it) {
  test::Folder folder;
  vectordb::ServeOptions options = test::serve_options(folder);
  options.api_key = "secret";
  test::with_vectordb(options, [](VectorDB& db) -> Coro<> {
    Said none = co_await db.ask("GET", "/collections");
    EXPECT_EQ(none.status, 401);
    http::RequestOptions wrong, right, bearer;
    wrong.header("api-key", "secrex");
    right.header("api-key", "secret");
    bearer.bearer("secret");
    Said refused = co_await db.ask("GET", "/collections", "", wrong);
    EXPECT_EQ(refused.status, 401);
    Said said = co_await db.ask("GET", "/collections", "", right);
    EXPECT_EQ(said.status, 200);
    said = co_await db.ask("GET", "/collections", "", bearer);
    EXPECT_EQ(said.status, 200);
    said = co_await db.ask("GET", "/healthz");
    EXPECT_EQ(said.status, 200);
  });
}

constexpr std::array<const char*, 3> kMetrics{
    "vectordb_points 4\n", "vectordb_collections 1\n",
    "http_requests_total{method=\"PUT\",status=\"200\"} 2\n"};

TEST(VectorDBServer, metrics) {
  test::with_vectordb([](VectorDB& db) -> Coro<> {
    co_await fill(db);
    Said said = co_await db.ask("GET", "/metrics");
    for (const char* line : kMetrics)
      EXPECT_NE(said.body.find(line), std::string::npos) << line << said.body;
  });
}

/// A hundred directions in a plane.
std::map<std::string, Vector> directions() {
  std::map<std::string, Vector> all;
  for (int i = 0; i < 100; ++i) {
    auto angle = static_cast<float>(i) * 0.01F;
    all["doc_" + std::to_string(i)] = Vector{std::cos(angle), std::sin(angle)};
  }
  return all;
}

TEST(VectorDBServer, S46_the_client_and_after_a_restart) {
  test::Folder folder;
  vectordb::ServeOptions options = test::serve_options(folder);
  test::with_vectordb(options, [](VectorDB& server) -> Coro<> {
    AsyncVectorDB db = co_await AsyncVectorDB::connect(server.address());
    co_await db.create_collection("documents", 2);
    vectordb::BatchOptions batches;
    batches.size(7);
    std::size_t inserted = co_await db.batch_insert("documents", directions(), batches);
    EXPECT_EQ(inserted, 100U);
    co_await db.remove("documents", "doc_1");
    co_await db.close();
  });
  test::with_vectordb(options, [](VectorDB& server) -> Coro<> {
    AsyncVectorDB db = co_await AsyncVectorDB::connect(server.address());
    std::size_t count = co_await db.count("documents");
    EXPECT_EQ(count, 99U);
    auto matches = co_await db.search("documents", Vector(directions().at("doc_0")), 2);
    EXPECT_EQ(matches.at(0).document, "doc_0");
    EXPECT_NEAR(matches.at(0).score, 1, 1e-6);
    EXPECT_EQ(matches.at(1).document, "doc_2");
    auto record = co_await db.get("documents", "doc_5");
    EXPECT_EQ(record.value().payload.value()["_name"], "doc_5");
    auto none = co_await db.get("documents", "doc_1");
    EXPECT_FALSE(none.has_value());
    vectordb::ScrollRequest page;
    page.limit = 60;
    auto first = co_await db.scroll("documents", page);
    page.offset = first.next_page_offset;
    auto second = co_await db.scroll("documents", page);
    EXPECT_EQ(first.points.size() + second.points.size(), 99U);
    EXPECT_FALSE(second.next_page_offset.has_value());
    std::string thrown = co_await test::error_of(db.search("documents", Vector(3, 1.0F)));
    EXPECT_NE(thrown.find("DimensionMismatch"), std::string::npos) << thrown;
    thrown = co_await test::error_of(db.count("nowhere"));
    EXPECT_NE(thrown.find("NotFound"), std::string::npos) << thrown;
    co_await db.close();
  });
}

}  // namespace

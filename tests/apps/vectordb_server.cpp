// SPDX-License-Identifier: BSL-1.0
// The server of apps/vectordb: each endpoint, and what it says of itself.
#include "connected.hpp"
#include "vectordb/server/endpoint.hpp"
#include "vectordb_cases.hpp"
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
using test::Case;
using test::expect;
using test::fill;
using test::Said;
using test::VectorDB;
using vectordb::AsyncVectorDB;
using vectordb::Vector;

namespace {

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
      {"POST", at, R"({"ids":[1],"with_vectors":true,"with_payload":false})", 200,
       R"([{"id":1,"vector":[1.0,0.0]}])"},
      {"POST", at + "/scroll", R"({"limit":1,"with_vectors":true})", 200, R"("vector":[1.0,0.0])"},
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
      {"POST", at + "/search", R"({"vector":[1,0],"top":1,"with_vectors":true})", 200,
       R"([{"id":1,"score":0.0,"vector":[1.0,0.0],"version":0}])"},
      {"POST", at + "/query", R"({"query":[1,0],"limit":1,"with_vectors":true})", 200,
       R"("vector":[1.0,0.0])"},
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

/// As Qdrant changes payloads: an element alone stays where it is, null removes.
std::vector<Case> payload_changes() {
  std::string at = "/collections/line/points", set = at + "/payload";
  return {
      {"PUT", at, R"({"points":[{"id":7,"vector":[7,0],"payload":{"t":["a","b"],"no":null}}]})",
       200, ""},
      {"POST", set + "/delete", R"({"keys":["t[0]","t[1]"],"points":[7]})", 200, ""},
      {"POST", at, R"({"ids":[7],"with_payload":{"exclude":["t[0]","t[1]"]}})", 200,
       R"([{"id":7,"payload":{"no":null,"t":["a","b"]}}])"},
      {"POST", set, R"({"payload":{"x":1},"points":[7],"key":"t[]"})", 200, ""},
      {"POST", set, R"({"payload":{"x":9},"points":[7],"key":"t[7]"})", 200, ""},
      {"POST", set, R"({"payload":{"x":{"y":2},"t":null,"no":null},"points":[1]})", 200, ""},
      {"POST", set, R"({"payload":{"k":3,"x":null},"points":[7],"key":"t[0]"})", 200, ""},
      {"POST", at, R"({"ids":[7,1]})", 200,
       R"([{"id":7,"payload":{"no":null,"t":[{"k":3},{"x":1}]}},)"
       R"({"id":1,"payload":{"city":"Berlin","n":1,"x":{"y":2}}}])"},
      {"POST", at, R"({"ids":[7],"with_payload":["t[].x"]})", 200,
       R"([{"id":7,"payload":{"t":[{},{"x":1}]}}])"},
      {"PUT", set, R"({"payload":{"n":null},"points":[1]})", 200, ""},
      {"GET", at + "/1", "", 200, R"("payload":{"n":null})"},
  };
}

/// What is at `path` once `cases` went well and the server has been started anew.
json after_restart(std::vector<Case> cases, std::string path) {
  test::Folder folder;
  auto options = test::serve_options(folder);
  test::with_vectordb(options, [&](VectorDB& db) -> Coro<> {
    co_await fill(db);
    co_await expect(db, std::move(cases));
  });
  json found;
  test::with_vectordb(options, [&](VectorDB& db) -> Coro<> {
    Said said = co_await db.ask("GET", path);
    found = said.result();
  });
  return found;
}

TEST(VectorDBServer, payloads_change_as_in_qdrant) {
  json found = after_restart(payload_changes(), "/collections/line/points/7");
  EXPECT_EQ(found["payload"].dump(), R"({"no":null,"t":[{"k":3},{"x":1}]})");
}

/// As Qdrant: the others are changed, and only who waits is told.
std::vector<Case> writes_to_missing_points() {
  std::string at = "/collections/line/points", set = at + "/payload";
  std::string error = "point 777 does not exist", ids = R"("points":[1,777,2,778]})";
  return {
      {"POST", set + "?wait=true", R"({"payload":{"a":1},)" + ids, 404, error},
      {"GET", at + "/2", "", 200, R"({"a":1,"city":"London","n":2})"},
      {"POST", set, R"({"payload":{"b":1},)" + ids, 200, "acknowledged"},
      {"GET", at + "/2", "", 200, R"({"a":1,"b":1,"city":"London","n":2})"},
      {"POST", set + "/delete?wait=true", R"({"keys":["city"],)" + ids, 404, error},
      {"PUT", set + "?wait=true", R"({"payload":{"c":1},)" + ids, 404, error},
      {"GET", at + "/2", "", 200, R"("payload":{"c":1})"},
      {"POST", set + "/clear?wait=true", "{" + ids, 404, error},
      {"GET", at + "/2", "", 200, R"("payload":{})"},
      {"PUT", at + "/vectors?wait=true",
       R"({"points":[{"id":777,"vector":[1,1]},{"id":1,"vector":[5,5]}]})", 404, error},
      {"PUT", at + "/vectors", R"({"points":[{"id":777,"vector":[1,1]}]})", 200, "acknowledged"},
      {"GET", at + "/1", "", 200, R"("vector":[5.0,5.0])"},
      {"POST", set + "?wait=true", R"({"payload":{"a":1},"filter":{"must":[{"has_id":[777]}]}})",
       200, "completed"},
      {"POST", at + "/delete?wait=true", R"({"points":[777]})", 200, "completed"},
  };
}

TEST(VectorDBServer, a_write_to_a_point_that_is_not_there_is_told_to_who_waits) {
  json found = after_restart(writes_to_missing_points(), "/collections/line/points/1");
  EXPECT_EQ(found.dump(), R"({"id":1,"payload":{},"vector":[5.0,5.0]})");
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
      vectordb::ResultText result = co_await vectordb::write_result(records_of(weight), &noted);
      EXPECT_EQ(
          std::move(result).ended(0.5),
          "{\"result\":" + vectordb::records(records_of(weight)) + R"(,"status":"ok","time":0.5})");
      EXPECT_EQ(writer != std::this_thread::get_id(), weight.in_thread)
          << weight.payload.substr(0, 20) << " " << weight.numbers << " " << weight.points;
    }
  });
}

/// A copy of it would have no room left, and a string that has grown much.
TEST(VectorDBServer, the_loop_copies_no_large_result) {
  run([]() -> Coro<> {
    vectordb::ResultText result(std::string(1'000'000, '1'));
    web::Response response = vectordb::answer(std::move(result), get_running_loop().time());
    const std::string& body = response.get_body();
    EXPECT_GT(body.size(), 1'000'000U);
    EXPECT_GT(body.capacity(), body.size());
    EXPECT_LT(body.capacity(), body.size() + 100);
    co_return;
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

constexpr std::array<const char*, 9> kMetrics{
    "\nvectordb_points 4\n",
    "\nvectordb_collections 1\n",
    "\nvectordb_searches_total 2\n",
    "\nvectordb_exact_searches_total 2\n",
    "\nvectordb_writes_total 2\n",
    "\nvectordb_points_written_total 5\n",
    "\nvectordb_commits_total 2\n",
    "\nvectordb_snapshots_total 0\n",
    "\nhttp_requests_total{method=\"PUT\",status=\"200\"} 3\n"};

/// Of the points that are there.
std::vector<Case> one_write_and_two_searches() {
  const std::string at = "/collections/line/points";
  return {{"PUT", at, R"({"points":[{"id":1,"vector":[1,0]}]})", 200, ""},
          {"POST", at + "/search", R"({"vector":[1,0],"limit":1})", 200, ""},
          {"POST", at + "/query", R"({"query":[1,0]})", 200, ""}};
}

TEST(VectorDBServer, metrics) {
  test::with_vectordb([](VectorDB& db) -> Coro<> {
    co_await fill(db);
    co_await expect(db, one_write_and_two_searches());
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

// SPDX-License-Identifier: BSL-1.0
// What the client of apps/vectordb sends to its server: how much at a time, and what it refuses.
#include "connected.hpp"
#include "vectordb/client/client.hpp"
#include "vectordb_served.hpp"
#include <asyncio/asyncio.hpp>

#include <gtest/gtest.h>

#include <limits>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

using namespace asyncio;
using nlohmann::json;
using test::VectorDB;
using vectordb::AsyncVectorDB;
using vectordb::BatchOptions;
using vectordb::Point;
using vectordb::PointId;
using vectordb::Vector;

namespace {

/// Runs `body(db)` with a client of a server that has "docs", which has so many dimensions.
template <class F>
void with_docs(std::size_t dimensions, F body) {
  test::with_vectordb([&](VectorDB& server) -> Coro<> {
    AsyncVectorDB db = co_await AsyncVectorDB::connect(server.address());
    co_await db.create_collection("docs", dimensions);
    auto outcome = co_await capture(body(db));
    co_await db.close();
    outcome.value();
  });
}

std::vector<Point> points_with(std::size_t count, const Vector& vector, const json& payload) {
  std::vector<Point> all;
  for (std::size_t id = 0; id < count; ++id) all.emplace_back(PointId(id), vector, payload);
  return all;
}

json payload_of(std::string text) {
  json payload;
  payload["text"] = std::move(text);
  return payload;
}

/// All of them go in, and in as many requests.
Coro<> expect_requests(AsyncVectorDB& db, std::vector<Point> points, std::size_t requests,
                       BatchOptions options = {}) {
  const std::size_t all = points.size();
  std::size_t done = 0;
  options.progress([&](std::size_t, std::size_t) { ++done; });
  std::size_t count = co_await db.batch_insert("docs", std::move(points), options);
  EXPECT_EQ(count, all);
  EXPECT_EQ(done, requests);
  count = co_await db.count("docs");
  EXPECT_EQ(count, all);
}

TEST(VectorDBClientRequests, a_batch_has_no_more_bytes_than_a_server_takes) {
  with_docs(2, [](AsyncVectorDB& db) -> Coro<> {
    const Vector vector(2, 1.0F);
    const std::size_t mega = std::size_t{1} << 20;
    // 36 MiB of payloads, and as many that escapes make of 6 MiB.
    co_await expect_requests(db, points_with(3, vector, payload_of(std::string(12 * mega, 'x'))),
                             3);
    co_await expect_requests(db, points_with(3, vector, payload_of(std::string(2 * mega, '\1'))),
                             3);
  });
}

TEST(VectorDBClientRequests, a_batch_of_many_dimensions_has_no_more_bytes_either) {
  with_docs(65'536, [](AsyncVectorDB& db) -> Coro<> {
    // 0.10000000149011612 on the wire: 38 MB.
    co_await expect_requests(db, points_with(30, Vector(65'536, 0.1F), json::object()), 2);
  });
}

TEST(VectorDBClientRequests, a_batch_has_as_many_bytes_as_it_is_told) {
  with_docs(2, [](AsyncVectorDB& db) -> Coro<> {
    const Vector vector(2, 1.0F);
    BatchOptions options;
    options.bytes(1000).size(2);
    co_await expect_requests(db, points_with(6, vector, payload_of(std::string(700, 'x'))), 6,
                             options);
    // One has no half.
    options.bytes(1);
    co_await expect_requests(db, points_with(6, vector, json::object()), 6, options);
    options.bytes(1000);
    co_await expect_requests(db, points_with(6, vector, json::object()), 3, options);
  });
}

constexpr const char* kNoText = "M\xFCnchen";
constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();

/// Nothing of it goes to the server.
Coro<> expect_refused(AsyncVectorDB& db, Coro<> change, const std::string& says) {
  std::string thrown = co_await test::error_of(std::move(change));
  EXPECT_EQ(thrown, "vectordb::InvalidArgument: " + says);
  std::size_t count = co_await db.count("docs");
  EXPECT_EQ(count, 0U);
}

Coro<> insert_all(const AsyncVectorDB& db, std::vector<Point> points) {
  co_await db.batch_insert("docs", std::move(points), BatchOptions().size(2).concurrency(1));
}

TEST(VectorDBClientRequests, text_that_is_not_utf8_is_named) {
  with_docs(2, [](AsyncVectorDB& db) -> Coro<> {
    const Vector vector(2, 1.0F);
    co_await expect_refused(db, db.insert("docs", kNoText, vector),
                            "points[0].payload._name: its text is not UTF-8");
    json deep;
    deep["at"]["cities"].push_back(7);
    deep["at"]["cities"].push_back(kNoText);
    co_await expect_refused(db, db.insert("docs", "7", vector, deep),
                            "points[0].payload.at.cities[1]: its text is not UTF-8");
    json named;
    named["at"][kNoText] = 7;
    co_await expect_refused(db, db.insert("docs", "7", vector, named),
                            "points[0].payload.at: the name of a member is not UTF-8");
    json match;
    match["must"]["key"] = "city";
    match["must"]["match"]["value"] = kNoText;
    vectordb::Filter filter = vectordb::Filter::from_json(match);
    co_await expect_refused(db, db.remove("docs", filter),
                            "filter.must.match.value: its text is not UTF-8");
  });
}

TEST(VectorDBClientRequests, a_component_that_is_no_number_is_named) {
  with_docs(2, [](AsyncVectorDB& db) -> Coro<> {
    Vector vector(2, 1.0F);
    vector[1] = kNaN;
    co_await expect_refused(db, db.insert("docs", "a", vector),
                            "points[0].vector[1]: not a number (NaN)");
    std::string thrown = co_await test::error_of(db.search("docs", vector));
    EXPECT_EQ(thrown, "vectordb::InvalidArgument: query[1]: not a number (NaN)");
    vector[0] = -std::numeric_limits<float>::infinity();
    co_await expect_refused(db, db.insert("docs", "a", vector), "points[0].vector[0]: infinite");
  });
}

/// Not by its place in one of the requests.
TEST(VectorDBClientRequests, a_point_of_a_batch_is_named_by_its_place_in_what_was_given) {
  with_docs(2, [](AsyncVectorDB& db) -> Coro<> {
    std::vector<Point> points = points_with(6, Vector(2, 1.0F), json::object());
    points[5].vector[0] = kNaN;
    std::string thrown = co_await test::error_of(insert_all(db, points));
    EXPECT_EQ(thrown, "vectordb::InvalidArgument: points[5].vector[0]: not a number (NaN)");
    points[5] = Point(PointId(5), Vector(2, 1.0F), payload_of(kNoText));
    thrown = co_await test::error_of(insert_all(db, points));
    EXPECT_EQ(thrown, "vectordb::InvalidArgument: points[5].payload.text: its text is not UTF-8");
  });
}

}  // namespace

// SPDX-License-Identifier: BSL-1.0
// What the client of apps/vectordb sends to its server: how much at a time, and what it refuses.
#include "connected.hpp"
#include "vectordb/client/client.hpp"
#include "vectordb_served.hpp"
#include <asyncio/asyncio.hpp>

#include <gtest/gtest.h>

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

}  // namespace

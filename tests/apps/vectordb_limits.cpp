// SPDX-License-Identifier: BSL-1.0
// The server of apps/vectordb where a small request asks for what takes much memory.
#include "vectordb/cli/input.hpp"
#include "vectordb/engine/config.hpp"
#include "vectordb/engine/validation.hpp"
#include "vectordb_served.hpp"

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <utility>
#include <vector>

using namespace asyncio;
using nlohmann::json;
using test::Said;
using test::VectorDB;
using vectordb::Limits;

namespace {

const std::string kPoints = "/collections/docs/points";

/// The collection "docs".
Coro<> create(VectorDB& db, std::size_t dimensions) {
  std::string size = std::to_string(dimensions);
  std::string config = R"({"vectors":{"distance":"Dot","size":)" + size + "}}";
  Said made = co_await db.ask("PUT", "/collections/docs", config);
  EXPECT_EQ(made.status, 200) << made.body;
}

/// Its point 1, with so large a payload.
Coro<> put_one(VectorDB& db, std::size_t payload) {
  std::string text(payload, 'x');
  std::string body = R"({"points":[{"id":1,"vector":[1,0],"payload":{"n":1,"text":")" + text;
  body += R"("}}]})";
  Said put = co_await db.ask("PUT", kPoints, body);
  EXPECT_EQ(put.status, 200) << put.body;
}

/// `{"<name>": [<one>, <one>, ...]<rest>}`
std::string repeated(const char* name, const char* one, std::size_t count, const char* rest = "") {
  std::string text = std::string("{\"") + name + "\":[" + one;
  for (std::size_t i = 1; i < count; ++i) text.append(",").append(one);
  return text.append("]").append(rest).append("}");
}

Coro<> expect_refused(VectorDB& db, std::string path, std::string body, std::string error) {
  Said said = co_await db.ask("POST", path, body);
  EXPECT_EQ(said.status, 400) << path << said.body.substr(0, 200);
  EXPECT_EQ(said.error(), error) << path;
}

TEST(VectorDBLimits, retrieve_takes_as_many_ids_as_a_search_has_results) {
  test::with_vectordb([](VectorDB& db) -> Coro<> {
    co_await create(db, 2);
    co_await put_one(db, 1);
    std::string most = repeated("ids", "1", Limits::kResults, ",\"with_payload\":false");
    Said said = co_await db.ask("POST", kPoints, most);
    EXPECT_EQ(said.result().size(), Limits::kResults) << said.body.substr(0, 200);
    std::string more = repeated("ids", "1", Limits::kResults + 1);
    co_await expect_refused(db, kPoints, more, "ids: 100001 is more than 100000");
  });
}

TEST(VectorDBLimits, the_vectors_that_retrieve_answers_have_a_limit) {
  test::with_vectordb([](VectorDB& db) -> Coro<> {
    co_await create(db, 4096);
    std::string body = repeated("ids", "1", Limits::kResults, ",\"with_vector\":true");
    co_await expect_refused(
        db, kPoints, body,
        "with_vector: the vectors of the results have 1638400000 bytes, more than 1073741824");
  });
}

/// An error of the client, of this type and with these words.
template <class Error, class T>
Coro<> expect_error(Coro<T> call, std::string message) {
  auto outcome = co_await capture(std::move(call));
  EXPECT_TRUE(outcome.template holds<Error>()) << message;
  EXPECT_EQ(test::message_of(outcome), message);
}

TEST(VectorDBLimits, the_client_is_told_which_field_asks_for_too_much) {
  test::with_vectordb([](VectorDB& db) -> Coro<> {
    co_await create(db, 4096);
    auto client = co_await vectordb::AsyncVectorDB::connect(db.address());
    vectordb::ScrollRequest page;
    page.with_vector = true;
    page.limit = Limits::kResults + 1;
    co_await expect_error<vectordb::BadRequest>(client.scroll("docs", page),
                                                "scroll 'docs': limit: 100001 is more than 100000");
    page.limit = Limits::kResults;  // of a collection that has none: as many as there are count
    vectordb::ScrollPage none = co_await client.scroll("docs", page);
    EXPECT_TRUE(none.points.empty());
    std::vector<vectordb::PointId> ids(Limits::kResults, vectordb::PointId(1));
    co_await expect_error<vectordb::BadRequest>(
        client.get("docs", ids),
        "get from 'docs': with_vector: the vectors of the results have 1638400000 bytes, more than "
        "1073741824");
    co_await client.close();
  });
}

/// As of a page of a scroll over so many points that a test has no room for.
TEST(VectorDBLimits, the_vectors_of_a_page_have_the_same_limit) {
  constexpr std::size_t kMost = Limits::kBatchBytes / sizeof(float);
  EXPECT_NO_THROW(vectordb::check_result_vectors(kMost));
  EXPECT_THROW(vectordb::check_result_vectors(kMost + 1), vectordb::InvalidArgument);
}

TEST(VectorDBLimits, the_payloads_of_an_answer_have_a_limit) {
  test::with_vectordb([](VectorDB& db) -> Coro<> {
    co_await create(db, 2);
    co_await put_one(db, std::size_t{15} << 20);
    constexpr std::size_t kMany = 18;
    std::string error = "with_payload: the payloads of the results have more than 268435456 bytes";
    co_await expect_refused(db, kPoints, repeated("ids", "1", kMany), error);
    const char* near = R"({"vector":[1,0],"limit":1,"with_payload":true})";
    co_await expect_refused(db, kPoints + "/search/batch", repeated("searches", near, kMany),
                            error);
    const char* first = R"({"limit":1,"with_payload":true})";
    co_await expect_refused(db, kPoints + "/query/batch", repeated("searches", first, kMany),
                            error);
    std::string parts = repeated("ids", "1", kMany, R"(,"with_payload":["n"])");
    Said said = co_await db.ask("POST", kPoints, parts);
    EXPECT_EQ(said.result().size(), kMany) << said.error();
  });
}

/// So many points with a vector of so many dimensions, and a payload of so many bytes.
class Points final : public vectordb::cli::PointReader {
 public:
  Points(std::size_t count, std::size_t dimensions, std::size_t payload)
      : count_(count), vector_(dimensions) {
    payload_["text"] = std::string(payload, 'x');
  }

  std::optional<vectordb::Point> next() override {
    if (taken_ == count_) return std::nullopt;
    ++taken_;
    return vectordb::Point(vectordb::PointId(taken_), vector_, payload_);
  }
  std::string place() const override { return std::to_string(taken_); }

 private:
  std::size_t count_, taken_ = 0;
  vectordb::Vector vector_;
  json payload_;
};

/// How many points each batch has.
std::vector<std::size_t> batches(Points points, std::size_t most) {
  std::vector<std::size_t> sizes;
  for (auto batch = points.batch(most); !batch.points.empty(); batch = points.batch(most)) {
    for (std::size_t i = 0; i < batch.points.size(); ++i)
      EXPECT_EQ(batch.places.at(i), batch.points[i].id.to_string());
    sizes.push_back(batch.points.size());
  }
  return sizes;
}

TEST(VectorDBLimits, a_request_of_insert_is_no_larger_than_servers_take) {
  using Sizes = std::vector<std::size_t>;
  EXPECT_EQ(batches(Points(10, 2, 10), 4), (Sizes{4, 4, 2}));
  EXPECT_EQ(batches(Points(40, 65'000, 10), 256), (Sizes{16, 16, 8}));
  EXPECT_EQ(batches(Points(5, 2, 9'000'000), 256), (Sizes{2, 2, 1}));
  EXPECT_EQ(batches(Points(2, 2, 22'000'000), 256), (Sizes{1, 1}));  // alone it is too much
}

/// Of five megabytes.
Coro<> set_member(vectordb::Collection collection, std::string name, std::string path = {}) {
  json values;
  values[name] = std::string(std::size_t{5} << 20, 'x');
  std::vector<vectordb::PointId> ids(1, vectordb::PointId(1));
  return collection.set_payload(std::move(ids), std::move(values), std::move(path));
}

/// At once, behind a write for which the disk is waited for: they come to be of one commit.
Coro<std::size_t> count_refused(vectordb::Collection collection) {
  std::vector<Task<>> writes;
  writes.push_back(create_task(collection.upsert(test::one_point(2, 1, 0))));
  for (const char* name : {"a", "b", "c", "d"})
    writes.push_back(create_task(set_member(collection, name)));
  std::size_t refused = 0;
  for (Task<>& write : writes) {
    auto outcome = co_await capture(write);
    if (outcome) continue;
    ++refused;
    EXPECT_EQ(test::message_of(outcome),
              "payload: point 1 would have one of 20971596 bytes, more than 16777216");
  }
  co_return refused;
}

TEST(VectorDBLimits, a_payload_has_one_however_it_has_grown) {
  run([]() -> Coro<> {
    test::Folder folder;
    vectordb::Database database = co_await test::open(folder);
    vectordb::Collection collection = co_await database.create("c", vectordb::CollectionConfig(2));
    co_await collection.upsert(test::one_point(1, 1, 0));
    std::size_t refused = co_await count_refused(collection);
    EXPECT_EQ(refused, 1u);
    co_await set_member(collection, "a");  // in the place of the other
    auto outcome = co_await capture(set_member(collection, "e", "f.g"));
    std::string message = test::message_of(outcome);
    EXPECT_TRUE(message.ends_with("bytes, more than 16777216")) << message;
    co_await database.close();
  });
}

/// An array of so many elements.
json list_of(std::size_t count) {
  json payload;
  payload["l"] = json(count, 1);
  return payload;
}

Coro<std::string> refusal_of_merge(vectordb::Collection collection, std::size_t bytes) {
  json values;
  values["x"] = std::string(bytes, 'x');
  auto outcome = co_await capture(collection.set_payload(vectordb::Filter(), values, "l[]"));
  co_return test::message_of(outcome);
}

/// One value of a kilobyte for a million elements: no memory holds that.
TEST(VectorDBLimits, values_for_each_element_of_an_array_have_one) {
  run([]() -> Coro<> {
    test::Folder folder;
    vectordb::Database database = co_await test::open(folder);
    vectordb::Collection collection = co_await database.create("c", vectordb::CollectionConfig(2));
    std::vector<vectordb::Point> points = test::one_point(1, 1, 0);
    points[0].payload = list_of(1'000'000);
    co_await collection.upsert(points);
    std::string message = co_await refusal_of_merge(collection, 1);
    EXPECT_EQ(message, "payload: point 1 would have one of 26000000 bytes, more than 16777216");
    message = co_await refusal_of_merge(collection, 1100);
    EXPECT_EQ(message, "payload: 1128 bytes for 1000000 objects, more than 1073741824");
    points[0].payload = list_of(100'000);
    co_await collection.upsert(points);
    message = co_await refusal_of_merge(collection, 100);
    EXPECT_EQ(message, "nothing was thrown");
    points[0].payload["text"] = std::string(1'000'000, 'x');
    co_await collection.upsert(points);
    message = co_await refusal_of_merge(collection, 140);
    EXPECT_EQ(message, "payload: point 1 would have one of 17500045 bytes, more than 16777216");
    co_await database.close();
  });
}

}  // namespace

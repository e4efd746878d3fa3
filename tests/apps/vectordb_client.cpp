// SPDX-License-Identifier: BSL-1.0
// The client of apps/vectordb on servers that answer what each test wants.
#include "../http/served.hpp"
#include "connected.hpp"
#include "vectordb/client/client.hpp"
#include <asyncio/asyncio.hpp>
#include <asyncio/http/nlohmann_json.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <limits>
#include <string>
#include <utility>
#include <vector>

using namespace asyncio;
using namespace std::chrono_literals;
using nlohmann::json;
using vectordb::AsyncVectorDB;
using vectordb::BatchOptions;
using vectordb::ClientOptions;
using vectordb::Point;
using vectordb::PointId;
using vectordb::Vector;

namespace {

/// A server that notes what it is asked, and answers what it is told to.
class Fake {
 public:
  using Answer = std::function<Coro<web::Response>(web::Request&)>;

  explicit Fake(Answer answer) : answer_(std::move(answer)) {}

  web::Application application() {
    web::Application app;
    app.get("/", [](web::Request&) -> Coro<web::Response> {
      co_return web::Response().json(R"({"title":"fake","version":"1.19.0"})");
    });
    app.add_route("*", "/{path...}", [this](web::Request& request) -> Coro<web::Response> {
      std::string asked(request.method().str());
      asked.append(" ").append(request.target());
      std::string body = co_await request.read();
      if (!body.empty()) asked.append(" ").append(body);
      requests.push_back(std::move(asked));
      co_return co_await answer_(request);
    });
    return app;
  }

  std::vector<std::string> requests;

 private:
  Answer answer_;
};

Coro<web::Response> answer_ok(web::Request&) {
  co_return web::Response().json(R"({"result":true,"status":"ok","time":0})");
}

web::Response result(std::string text) {
  return web::Response().json("{\"result\":" + std::move(text) + ",\"status\":\"ok\",\"time\":0}");
}

web::Response error(int status, const std::string& text) {
  web::Response response{http::Status(status)};
  json body;
  body["status"]["error"] = text;
  return response.json(body.dump());
}

template <class F>
void with_fake(Fake::Answer answer, F body, ClientOptions options = {}) {
  run([&]() -> Coro<> {
    Fake fake(std::move(answer));
    test::Served served = co_await test::serve(fake.application());
    std::string address = "127.0.0.1:" + std::to_string(served.port());
    options.backoff(1ms);
    AsyncVectorDB db = co_await AsyncVectorDB::connect(address, options);
    auto outcome = co_await capture(body(db, fake));
    co_await db.close();
    co_await served.cleanup();
    outcome.value();
  });
}

std::vector<Point> points(std::size_t count) {
  std::vector<Point> all;
  for (std::size_t i = 0; i < count; ++i) all.emplace_back(PointId(i), Vector(2, 1.0F));
  return all;
}

TEST(VectorDBClient, S46_what_it_asks) {
  with_fake(answer_ok, [](AsyncVectorDB& db, Fake& fake) -> Coro<> {
    co_await db.create_collection("documents", 2);
    co_await db.insert("documents", "7", Vector(2, 0.5F));
    co_await db.remove("documents", "doc_1");
    co_await db.delete_collection("a b/c");
    EXPECT_TRUE(fake.requests.at(0).starts_with("PUT /collections/documents {"))
        << fake.requests[0];
    EXPECT_NE(fake.requests.at(0).find(R"("distance":"Cosine")"), std::string::npos);
    EXPECT_EQ(fake.requests.at(1),
              "PUT /collections/documents/points?wait=true "
              R"({"points":[{"id":7,"payload":{},"vector":[0.5,0.5]}]})");
    EXPECT_EQ(fake.requests.at(2),
              "POST /collections/documents/points/delete?wait=true "
              R"({"points":["cf101db5-efe8-518d-8cd1-d75fca145752"]})");
    EXPECT_EQ(fake.requests.at(3), "DELETE /collections/a%20b%2Fc");
    co_await db.create_collection("documents");
    EXPECT_NE(fake.requests.at(4).find(R"("size":128)"), std::string::npos) << fake.requests[4];
  });
}

TEST(VectorDBClient, S46_documents_are_called_by_any_name) {
  // Python: uuid.uuid5(uuid.NAMESPACE_URL, "doc_1")
  EXPECT_EQ(vectordb::document_id("doc_1").to_string(), "cf101db5-efe8-518d-8cd1-d75fca145752");
  EXPECT_EQ(vectordb::document_id("42"), PointId(42));
  EXPECT_EQ(vectordb::document("042", Vector(1, 1.0F)).payload.value("_name", ""), "042");
  Point named = vectordb::document("doc_1", Vector(1, 1.0F));
  EXPECT_EQ(vectordb::document_name(named.id, named.payload), "doc_1");
  Point numbered = vectordb::document("42", Vector(1, 1.0F));
  EXPECT_EQ(numbered.payload, json::object());
  EXPECT_EQ(vectordb::document_name(numbered.id, numbered.payload), "42");
}

TEST(VectorDBClient, a_document_has_the_name_by_which_it_is_found) {
  json payload;
  payload["_name"] = "fake";
  EXPECT_EQ(vectordb::document("7", Vector(1, 1.0F), payload).payload, payload);
  EXPECT_EQ(vectordb::document_name(PointId(7), payload), "7");
  EXPECT_EQ(vectordb::document_name(vectordb::document_id("doc_1"), payload),
            "cf101db5-efe8-518d-8cd1-d75fca145752");
  EXPECT_EQ(vectordb::document_name(vectordb::document_id("fake"), payload), "fake");
  EXPECT_EQ(vectordb::document("fake", Vector(1, 1.0F), payload).payload, payload);
}

constexpr const char* kTaken =
    "vectordb::InvalidArgument: payload._name: the name of the document stands there, not ";

TEST(VectorDBClient, a_payload_has_no_other_name_than_the_document) {
  with_fake(answer_ok, [](AsyncVectorDB& db, Fake& fake) -> Coro<> {
    const Vector vector(2, 1.0F);
    json payload;
    payload["_name"] = "my own";
    std::string thrown = co_await test::error_of(db.insert("documents", "doc_1", vector, payload));
    EXPECT_EQ(thrown, kTaken + std::string("\"my own\""));
    payload["_name"] = 7;
    thrown = co_await test::error_of(db.insert("documents", "doc_1", vector, payload));
    EXPECT_EQ(thrown, kTaken + std::string("7"));
    EXPECT_TRUE(fake.requests.empty());
    payload["_name"] = "doc_1";
    co_await db.insert("documents", "doc_1", vector, payload);
    EXPECT_EQ(fake.requests.size(), 1U);
  });
}

Coro<web::Response> two_matches(web::Request&) {
  // Python: uuid.uuid5(uuid.NAMESPACE_URL, "doc_3")
  co_return result(
      R"({"points":[{"id":"0c34a518-b897-5a51-a30a-676d4d742693","version":0,"score":0.75,
                                  "payload":{"_name":"doc_3"}},
                                 {"id":4,"version":0,"score":0.5,"payload":null}]})");
}

TEST(VectorDBClient, S46_search_gives_documents_and_scores) {
  with_fake(two_matches, [](AsyncVectorDB& db, Fake& fake) -> Coro<> {
    vectordb::SearchOptions options;
    options.exact().score_threshold(0.25F);
    auto matches = co_await db.search("documents", Vector(1, 1.0F), 3, options);
    EXPECT_EQ(matches.size(), 2U);
    EXPECT_EQ(matches.at(0).document, "doc_3");
    EXPECT_EQ(matches.at(0).score, 0.75F);
    EXPECT_EQ(matches.at(1).document, "4");
    EXPECT_EQ(fake.requests.at(0),
              "POST /collections/documents/points/query "
              R"({"limit":3,"params":{"exact":true},"query":[1.0],"score_threshold":0.25,)"
              R"("with_payload":true,"with_vector":false})");
  });
}

TEST(VectorDBClient, a_threshold_is_finite) {
  using Float = std::numeric_limits<float>;
  vectordb::SearchOptions options;
  for (float score : {Float::quiet_NaN(), Float::infinity(), -Float::infinity()})
    EXPECT_THROW(options.score_threshold(score), vectordb::InvalidArgument);
  EXPECT_NO_THROW(options.score_threshold(-1));
}

struct Refusal {
  int status;
  std::string text;
  std::string thrown;
};

std::vector<Refusal> refusals() {
  return {{400, "vector: 3 dimensions, the collection has 4", "DimensionMismatch"},
          // Qdrant's words.
          {400, "Wrong input: Vector dimension error: expected dim: 4, got 3", "DimensionMismatch"},
          {400, "limit: is missing", "BadRequest"},
          {422, "validation", "BadRequest"},
          {401, "api-key: missing or wrong", "Unauthorized"},
          {403, "forbidden", "Unauthorized"},
          {404, "collection 'documents' does not exist", "NotFound"},
          {409, "collection 'documents' already exists", "AlreadyExists"},
          {413, "body: more than 32 bytes", "TooLarge"},
          {500, "write log: No space left on device", "ServiceError"},
          {503, "recovering 'documents'", "Unavailable"}};
}

TEST(VectorDBClient, S46_refusals_are_typed_and_keep_the_servers_words) {
  for (const Refusal& refusal : refusals()) {
    auto answer = [&](web::Request&) -> Coro<web::Response> {
      co_return error(refusal.status, refusal.text);
    };
    auto body = [&](AsyncVectorDB& db, Fake& fake) -> Coro<> {
      std::string thrown = co_await test::error_of(db.search("documents", Vector(1, 1.0F)));
      EXPECT_EQ(thrown, "vectordb::" + refusal.thrown + ": search 'documents': " + refusal.text);
      std::size_t attempts = refusal.status == 503 ? 2 : 1;
      EXPECT_EQ(fake.requests.size(), attempts);
    };
    with_fake(answer, body, ClientOptions().retries(1));
  }
}

TEST(VectorDBClient, R_what_may_pass_is_tried_again) {
  int failures = 2;
  auto answer = [&](web::Request&) -> Coro<web::Response> {
    if (failures-- > 0) co_return error(503, "recovering");
    co_return result(R"({"count":5})");
  };
  with_fake(answer, [](AsyncVectorDB& db, Fake& fake) -> Coro<> {
    std::size_t count = co_await db.count("documents");
    EXPECT_EQ(count, 5U);
    EXPECT_EQ(fake.requests.size(), 3U);
  });
}

TEST(VectorDBClient, R_gives_up_after_its_retries) {
  auto answer = [](web::Request&) -> Coro<web::Response> { co_return error(503, "recovering"); };
  auto body = [](AsyncVectorDB& db, Fake& fake) -> Coro<> {
    std::string thrown = co_await test::error_of(db.count("documents"));
    EXPECT_NE(thrown.find("recovering"), std::string::npos) << thrown;
    EXPECT_EQ(fake.requests.size(), 3U);
  };
  with_fake(answer, body, ClientOptions().retries(2));
}

using Action = Coro<> (*)(const AsyncVectorDB&);

/// What another attempt might do to something that came in between.
std::vector<Action> done_once() {
  return {[](const AsyncVectorDB& db) { return db.create_collection("documents", 4); },
          [](const AsyncVectorDB& db) -> Coro<> { co_await db.delete_collection("documents"); },
          [](const AsyncVectorDB& db) { return db.remove("documents", vectordb::Filter()); }};
}

std::vector<Action> done_again() {
  return {[](const AsyncVectorDB& db) -> Coro<> { co_await db.count("documents"); },
          [](const AsyncVectorDB& db) { return db.remove("documents", "doc_1"); }};
}

/// Each gives up with the server's words, after so many requests.
Coro<> fail_each(AsyncVectorDB& db, Fake& fake, std::vector<Action> actions, std::size_t requests) {
  for (std::size_t i = 0; i < actions.size(); ++i) {
    fake.requests.clear();
    std::string thrown = co_await test::error_of(actions[i](db));
    EXPECT_NE(thrown.find("too slow"), std::string::npos) << thrown;
    EXPECT_EQ(fake.requests.size(), requests) << i << thrown;
  }
}

TEST(VectorDBClient, R_what_differs_the_second_time_is_not_repeated_once_it_may_have_arrived) {
  auto answer = [](web::Request&) -> Coro<web::Response> { co_return error(504, "too slow"); };
  with_fake(answer, [](AsyncVectorDB& db, Fake& fake) -> Coro<> {
    co_await fail_each(db, fake, done_once(), 1);
    co_await fail_each(db, fake, done_again(), 5);
  });
}

struct Selected {
  std::string selector, sent;
};

std::vector<Selected> selectors() {
  return {{"true", "true"},
          {"false", "false"},
          {R"(["a","b.c"])", R"({"include":["a","b.c"]})"},
          {R"({"include":["a"]})", R"({"include":["a"]})"},
          {R"({"exclude":["a"]})", R"({"exclude":["a"]})"}};
}

TEST(VectorDBClient, S46_scroll_asks_for_the_part_of_the_payload_that_is_wanted) {
  auto answer = [](web::Request&) -> Coro<web::Response> {
    co_return result(R"({"points":[],"next_page_offset":null})");
  };
  with_fake(answer, [](AsyncVectorDB& db, Fake& fake) -> Coro<> {
    for (const Selected& wanted : selectors()) {
      vectordb::ScrollRequest request;
      request.with_payload =
          vectordb::PayloadSelector::from_json(json::parse(wanted.selector, nullptr, false));
      co_await db.scroll("documents", request);
      std::string sent = "\"with_payload\":" + wanted.sent + ",";
      EXPECT_NE(fake.requests.back().find(sent), std::string::npos) << fake.requests.back();
    }
  });
}

TEST(VectorDBClient, R_a_server_that_does_not_answer_is_unavailable) {
  Event never;
  auto answer = [&](web::Request&) -> Coro<web::Response> {
    co_await never.wait();
    co_return web::Response();
  };
  auto body = [&](AsyncVectorDB& db, Fake& fake) -> Coro<> {
    std::string thrown = co_await test::error_of(db.count("documents"));
    EXPECT_NE(thrown.find("Unavailable"), std::string::npos) << thrown;
    EXPECT_EQ(fake.requests.size(), 2U);
    never.set();
  };
  with_fake(answer, body, ClientOptions().timeout(30ms).retries(1));
}

TEST(VectorDBClient, R_nobody_listens) {
  run([]() -> Coro<> {
    ClientOptions options;
    options.retries(1).backoff(1ms);
    std::string thrown = co_await test::error_of(AsyncVectorDB::connect("127.0.0.1:1", options));
    EXPECT_NE(thrown.find("Unavailable"), std::string::npos) << thrown;
    EXPECT_NE(thrown.find("connect to 127.0.0.1:1"), std::string::npos) << thrown;
    thrown = co_await test::error_of(AsyncVectorDB::connect("ftp://localhost", options));
    EXPECT_NE(thrown.find("http or https"), std::string::npos) << thrown;
  });
}

/// Answers when as many are waiting as are meant to, or can be.
class Crowd {
 public:
  explicit Crowd(std::size_t wanted) : wanted_(wanted) {}

  Coro<web::Response> answer() {
    most = std::max(most, ++waiting_);
    if (waiting_ == wanted_) together_.set();
    co_await together_.wait();
    --waiting_;
    co_return result("{\"operation_id\":0,\"status\":\"completed\"}");
  }

  std::size_t most = 0;

 private:
  std::size_t wanted_;
  std::size_t waiting_ = 0;
  Event together_;
};

TEST(VectorDBClient, S46_batch_insert_bounds_its_requests_and_tells_its_progress) {
  Crowd crowd(3);
  auto answer = [&](web::Request&) { return crowd.answer(); };
  with_fake(answer, [&](AsyncVectorDB& db, Fake& fake) -> Coro<> {
    std::vector<std::size_t> told;
    BatchOptions options;
    options.size(10).concurrency(3).progress([&](std::size_t done, std::size_t total) {
      EXPECT_EQ(total, 95U);
      told.push_back(done);
    });
    std::size_t count = co_await db.batch_insert("documents", points(95), options);
    EXPECT_EQ(count, 95U);
    EXPECT_EQ(crowd.most, 3U);
    EXPECT_EQ(fake.requests.size(), 10U);
    EXPECT_EQ(told.size(), 10U);
    EXPECT_TRUE(std::ranges::is_sorted(told));
    EXPECT_EQ(told.back(), 95U);
  });
}

TEST(VectorDBClient, S46_batch_insert_gives_up_with_the_first_error) {
  int asked = 0;
  auto answer = [&](web::Request&) -> Coro<web::Response> {
    if (++asked == 2) co_return error(400, "points[0].vector: 2 dimensions, the collection has 3");
    co_return result("true");
  };
  with_fake(answer, [](AsyncVectorDB& db, Fake& fake) -> Coro<> {
    BatchOptions options;
    options.size(1).concurrency(1);
    std::string thrown = co_await test::error_of(db.batch_insert("documents", points(9), options));
    EXPECT_NE(thrown.find("DimensionMismatch"), std::string::npos) << thrown;
    EXPECT_EQ(fake.requests.size(), 2U);
  });
}

TEST(VectorDBClient, cancelling_a_search_leaves_the_others_alone) {
  Event go;
  Event asked;
  auto answer = [&](web::Request& request) -> Coro<web::Response> {
    bool waits = request.path().find("slow") != std::string::npos;
    asked.set();
    if (waits) co_await go.wait();
    co_return result(R"({"points":[]})");
  };
  with_fake(answer, [&](AsyncVectorDB& db, Fake&) -> Coro<> {
    auto slow = create_task([&]() -> Coro<> { co_await db.search("slow", Vector(1, 1.0F)); });
    co_await asked.wait();
    slow.cancel();
    auto outcome = co_await capture(slow);
    EXPECT_TRUE(outcome.cancelled());
    auto matches = co_await db.search("fast", Vector(1, 1.0F));
    EXPECT_TRUE(matches.empty());
    go.set();
  });
}

constexpr std::array<const char*, 6> kStrangeAnswers{
    "{",
    "[]",
    "{}",
    R"({"result":7})",
    R"({"result":[{"id":1,"score":1}]})",  // of the search that Qdrant once had
    R"({"result":{"points":[{"id":-1}]}})"};

TEST(VectorDBClient, answers_that_are_not_of_the_api_are_errors) {
  std::string body;
  auto answer = [&](web::Request&) -> Coro<web::Response> { co_return web::Response().json(body); };
  with_fake(answer, [&](AsyncVectorDB& db, Fake&) -> Coro<> {
    for (const char* text : kStrangeAnswers) {
      body = text;
      std::string thrown = co_await test::error_of(db.search("documents", Vector(1, 1.0F)));
      bool told = thrown.find("search 'documents': the answer") != std::string::npos;
      EXPECT_TRUE(told) << text << ": " << thrown;
    }
  });
}

constexpr std::array<const char*, 3> kImpossibleNames{"", ".", ".."};

TEST(VectorDBClient, names_that_a_path_cannot_have_are_refused) {
  with_fake(answer_ok, [](AsyncVectorDB& db, Fake& fake) -> Coro<> {
    for (const char* name : kImpossibleNames) {
      std::string thrown = co_await test::error_of(db.count(name));
      EXPECT_NE(thrown.find("cannot be the name of one"), std::string::npos) << thrown;
    }
    EXPECT_TRUE(fake.requests.empty());
  });
}

}  // namespace

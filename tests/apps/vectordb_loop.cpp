// SPDX-License-Identifier: BSL-1.0
// apps/vectordb while a thread is held inside an index job, a snapshot, or the reading of a body:
// the loop answers others.
#include "vectordb/server/endpoint.hpp"
#include "vectordb_gate.hpp"
#include "vectordb_served.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <memory>
#include <mutex>
#include <ranges>
#include <string>
#include <utility>
#include <vector>

using namespace asyncio;
using nlohmann::json;
using test::Gate;
using test::Said;
using test::VectorDB;

/// In the place of the library's: the linker finds this one before it looks there.
std::unique_ptr<vectordb::VectorIndex> vectordb::make_hnsw_index(const CollectionConfig& config) {
  return std::make_unique<GatedIndex>(config.size);
}

namespace {

/// One thread for what is held, one for the reads of others.
vectordb::ServeOptions two_threads(const test::Folder& folder) {
  vectordb::ServeOptions options = test::serve_options(folder);
  options.threads = 2;
  return options;
}

constexpr const char* kTwo = R"({"points":[{"id":1,"vector":[1,0]},{"id":2,"vector":[2,0]}]})";
constexpr const char* kOne = R"({"points":[{"id":1,"vector":[1,0]}]})";

/// Searches go through the index, however few the points.
Coro<> fill(VectorDB& db, std::string name, std::string points = kTwo) {
  Said said = co_await db.ask("PUT", "/collections/" + name,
                              R"({"vectors":{"size":2,"distance":"Euclid"},)"
                              R"("hnsw_config":{"full_scan_threshold":0}})");
  EXPECT_EQ(said.status, 200) << said.body;
  said = co_await db.ask("PUT", "/collections/" + name + "/points", points);
  EXPECT_EQ(said.status, 200) << said.body;
}

struct Question {
  const char *method, *path, *body;
};

/// What no thread is needed for.
std::vector<Question> of_the_service() {
  return {
      {"GET", "/", ""},        {"GET", "/healthz", ""},     {"GET", "/readyz", ""},
      {"GET", "/metrics", ""}, {"GET", "/collections", ""}, {"GET", "/collections/a/exists", ""}};
}

std::vector<Question> of_a_collection() {
  return {{"GET", "", ""},
          {"GET", "/points/1", ""},
          {"POST", "/points", R"({"ids":[1],"with_vector":true})"},
          {"POST", "/points/count", "{}"},
          {"POST", "/points/scroll", "{}"},
          {"POST", "/points/search", R"({"vector":[1,0],"limit":1})"},
          {"POST", "/points/query", R"({"query":1})"}};
}

Coro<> expect_answers(VectorDB& db, const std::vector<Question>& questions,
                      std::string before = {}) {
  for (const Question& question : questions) {
    Said said = co_await db.ask(question.method, before + question.path, question.body);
    EXPECT_EQ(said.status, 200) << question.method << " " << question.path << "\n" << said.body;
  }
}

TEST(VectorDBLoop, while_a_search_is_in_the_index) {
  test::Folder folder;
  test::with_vectordb(two_threads(folder), [](VectorDB& db) -> Coro<> {
    co_await fill(db, "a");
    test::at_search.close();
    auto search = create_task(
        db.ask("POST", "/collections/a/points/search", R"({"vector":[0,0],"limit":1})"));
    co_await test::at_search.wait_until_held();
    co_await expect_answers(db, of_the_service());
    co_await expect_answers(db, of_a_collection(), "/collections/a");
    EXPECT_FALSE(search.done());
    test::at_search.open();
    Said said = co_await search;
    EXPECT_EQ(said.status, 200) << said.body;
  });
}

/// The reads of its collection wait for the point that is put in; nobody else does.
TEST(VectorDBLoop, while_an_upsert_is_in_the_index) {
  test::Folder folder;
  test::with_vectordb(two_threads(folder), [](VectorDB& db) -> Coro<> {
    co_await fill(db, "a");
    co_await fill(db, "b");
    test::at_put.close();
    auto upsert = create_task(
        db.ask("PUT", "/collections/a/points", R"({"points":[{"id":3,"vector":[3,0]}]})"));
    co_await test::at_put.wait_until_held();
    auto count = create_task(db.ask("POST", "/collections/a/points/count", "{}"));
    co_await expect_answers(db, of_the_service());
    co_await expect_answers(db, of_a_collection(), "/collections/b");
    co_await fill(db, "c");
    EXPECT_FALSE(upsert.done());
    EXPECT_FALSE(count.done());
    test::at_put.open();
    Said said = co_await upsert;
    EXPECT_EQ(said.status, 200) << said.body;
    said = co_await count;
    EXPECT_EQ(said.result()["count"], 3) << said.body;
  });
}

/// One thread for reads: the second one begins when the first has ended.
TEST(VectorDBLoop, a_read_that_nobody_awaits_any_more_stops) {
  test::Folder folder;
  run([&]() -> Coro<> {
    vectordb::Database database = co_await test::open(folder);
    vectordb::Collection collection = co_await database.create("a", vectordb::CollectionConfig(2));
    for (std::uint64_t id = 0; id < 10; ++id) co_await collection.upsert(test::one_point(id, 1, 0));
    vectordb::ScrollRequest all;
    all.with_vector = true;
    test::at_vector.close();
    auto scroll = create_task(collection.scroll(all));
    co_await test::at_vector.wait_until_held();
    scroll.cancel();
    auto outcome = co_await capture(scroll);
    EXPECT_TRUE(outcome.cancelled());
    test::at_vector.open();
    std::size_t count = co_await collection.count();
    EXPECT_EQ(count, 10U);
    EXPECT_EQ(test::at_vector.passed(), 1) << "it has gone on to other points";
    co_await database.close();
  });
}

TEST(VectorDBLoop, a_read_beyond_its_timeout_ends_and_frees_its_thread) {
  test::Folder folder;
  test::with_vectordb(test::serve_options(folder), [](VectorDB& db) -> Coro<> {
    co_await fill(db, "a");
    test::at_vector.close();
    auto scroll = create_task(
        db.ask("POST", "/collections/a/points/scroll?timeout=1", R"({"with_vector":true})"));
    co_await test::at_vector.wait_until_held();
    Said said = co_await scroll;
    EXPECT_EQ(said.status, 408);
    EXPECT_EQ(said.error(), "timeout: not done within 1 s");
    test::at_vector.open();
    said = co_await db.ask("POST", "/collections/a/points/count", "{}");
    EXPECT_EQ(said.result()["count"], 2) << said.body;
    EXPECT_EQ(test::at_vector.passed(), 1) << "it has gone on to the other point";
  });
}

/// Reads go on, of the same collection as well; its writes wait.
TEST(VectorDBLoop, while_a_snapshot_is_written) {
  test::Folder folder;
  run([&]() -> Coro<> {
    vectordb::Database database = co_await test::open(folder);
    vectordb::Collection collection = co_await database.create("a", vectordb::CollectionConfig(2));
    co_await collection.upsert(test::one_point(1, 1, 0));
    test::at_vector.close();
    auto snapshot = create_task(collection.compact());
    co_await test::at_vector.wait_until_held();
    auto write = create_task(collection.upsert(test::one_point(2, 2, 0)));
    std::size_t count = co_await collection.count();
    EXPECT_EQ(count, 1U);
    auto found = co_await collection.search(vectordb::SearchRequest(vectordb::Vector(2, 1.0F)));
    EXPECT_EQ(found.size(), 1U);
    EXPECT_FALSE(snapshot.done());
    EXPECT_FALSE(write.done());
    test::at_vector.open();
    co_await snapshot;
    co_await write;
    co_await database.close();
  });
}

/// Of the logger "vectordb", each once in a row: a slow machine has time to repeat one.
class Lines {
 public:
  Lines() {
    before_ = set_log_handler([this](const LogRecord& record) {
      std::lock_guard lock(mutex_);
      std::string line(level_name(record.level));
      line += ": " + record.message;
      bool is_new = lines_.empty() || lines_.back() != line;
      if (record.logger == "vectordb" && is_new) lines_.push_back(line);
    });
  }
  ~Lines() { set_log_handler(before_); }
  Lines(const Lines&) = delete;
  Lines& operator=(const Lines&) = delete;

  std::vector<std::string> all() const {
    std::lock_guard lock(mutex_);
    return lines_;
  }

 private:
  mutable std::mutex mutex_;
  std::vector<std::string> lines_;
  LogHandler before_;
};

constexpr const char* kRecovering =
    "recovering 'a', collection 1 of 2: 0 of 1 points indexed (0 %)";

/// What is told of the reading was told before: it comes to the loop the same way as that a thread
/// is held.
Coro<> expect_recovering(VectorDB& db) {
  Said said = co_await db.ask("GET", "/healthz");
  EXPECT_EQ(said.status, 200);
  said = co_await db.ask("GET", "/readyz");
  EXPECT_EQ(said.status, 503);
  EXPECT_EQ(said.body, kRecovering);
  said = co_await db.ask("GET", "/collections/a/points/1");
  EXPECT_EQ(said.status, 503);
  EXPECT_EQ(said.error(), kRecovering);
}

std::string bytes_read(const test::Folder& folder, const std::string& name) {
  auto bytes = std::filesystem::file_size(folder.file("collections/" + name + "/log"));
  return std::to_string(bytes) + " of " + std::to_string(bytes) + " bytes read (100 %)";
}

void expect_lines(const std::vector<std::string>& lines, const test::Folder& folder) {
  const std::string a = "INFO: recovering 'a', collection 1 of 2: ";
  const std::string b = "INFO: recovering 'b', collection 2 of 2: ";
  std::vector<std::string> expected{
      a + bytes_read(folder, "a"),         a + "0 of 1 points indexed (0 %)",
      a + "1 of 1 points indexed (100 %)", b + bytes_read(folder, "b"),
      b + "0 of 1 points indexed (0 %)",   b + "1 of 1 points indexed (100 %)"};
  EXPECT_EQ(lines.size(), expected.size() + 1) << json(lines);
  EXPECT_TRUE(std::ranges::equal(expected, lines | std::views::take(expected.size())))
      << json(lines);
  EXPECT_TRUE(lines.back().starts_with("INFO: ready: 2 collections, 2 points, in ")) << json(lines);
}

TEST(VectorDBLoop, while_the_index_is_built_at_the_start) {
  test::Folder folder;
  test::with_vectordb(two_threads(folder), [](VectorDB& db) -> Coro<> {
    co_await fill(db, "b", kOne);  // nobody comes by between none and all
    co_await fill(db, "a", kOne);
  });
  Lines lines;
  auto body = [](VectorDB& db) -> Coro<> {
    test::at_put.close();
    auto open = create_task(db.service().open());
    co_await test::at_put.wait_until_held();
    co_await expect_recovering(db);
    EXPECT_FALSE(open.done());
    test::at_put.open();
    co_await open;
    co_await expect_answers(db, of_a_collection(), "/collections/a");
  };
  vectordb::ServeOptions options = test::serve_options(folder);  // one thread: none passes by
  options.progress_every = options.progress_every.zero();
  test::with_vectordb(options, body, false);
  expect_lines(lines.all(), folder);
}

TEST(VectorDBLoop, the_access_log_has_the_name_of_the_program) {
  test::Folder folder;
  vectordb::ServeOptions options = test::serve_options(folder);
  options.quiet = false;
  Lines lines;
  auto body = [](VectorDB& db) -> Coro<> {
    co_await db.ask("GET", "/collections/none/exists");
    co_await db.ask("GET", "/healthz");
  };
  test::with_vectordb(options, body);
  const std::vector<std::string> all = lines.all();
  EXPECT_NE(all.back().find(" GET /healthz 200 "), std::string::npos) << json(all);
}

Gate at_read;
int read_slowly(const json& body) {
  at_read.pass();
  return static_cast<int>(body.size());
}

/// A body of a megabyte is read by a thread.
TEST(VectorDBLoop, while_a_large_body_is_read) {
  web::Application app;
  vectordb::route(app, "PUT", "/{name}",
                  [](web::Request& request, std::string) -> Coro<std::string> {
                    int size = co_await vectordb::read_body(request, &read_slowly);
                    co_return std::to_string(size);
                  });
  app.get("/healthz", [](web::Request&) -> Coro<web::Response> { co_return "here"; });
  run([&]() -> Coro<> {
    test::Served served = co_await test::serve(std::move(app));
    http::ClientSession session(http::SessionOptions().base_url(served.url()));
    at_read.close();
    http::RequestOptions options;
    options.json(json(std::vector<int>(500'000)));
    auto put = create_task([&]() -> Coro<std::string> {
      http::ClientResponse response = co_await session.request(http::Method::PUT, "/a", options);
      co_return co_await response.read();
    });
    co_await at_read.wait_until_held();
    http::ClientResponse health = co_await session.get("/healthz");
    std::string text = co_await health.read();
    EXPECT_EQ(text, "here");
    EXPECT_FALSE(put.done());
    at_read.open();
    text = co_await put;
    EXPECT_EQ(json::parse(text)["result"], 500'000);
    session.close();
    co_await served.cleanup();
  });
}

}  // namespace

// SPDX-License-Identifier: BSL-1.0
// The form of what the server of apps/vectordb answers: errors that nobody foresaw, and what
// clients' models require.
#include "../http/served.hpp"
#include "vectordb/server/access.hpp"
#include "vectordb/server/errors.hpp"
#include "vectordb_served.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <new>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

using namespace asyncio;
using nlohmann::json;
using test::Said;
using test::VectorDB;

namespace {

/// GET /<one of them> throws.
web::Application failing() {
  web::Application app;
  app.add_middleware(vectordb::error_answers(1024));
  app.get("/memory", [](web::Request&) -> Coro<web::Response> { throw std::bad_alloc(); });
  app.get("/runtime",
          [](web::Request&) -> Coro<web::Response> { throw RuntimeError("no thread"); });
  app.get("/files", [](web::Request&) -> Coro<web::Response> {
    throw std::filesystem::filesystem_error("cannot look", std::error_code());
  });
  app.get("/lost", [](web::Request&) -> Coro<web::Response> {
    throw_os_error(ECONNRESET, "of something else");
  });
  app.post("/body", [](web::Request& request) -> Coro<web::Response> {
    std::string body = co_await request.read();
    co_return body;
  });
  return app;
}

Coro<Said> asked(const test::Served& served, std::string path) {
  http::ClientSession session(http::SessionOptions().base_url(served.url()));
  http::ClientResponse response = co_await session.get(path);
  std::string text = co_await response.read();
  session.close();
  co_return Said(response.status().code(), std::move(text));
}

TEST(VectorDBAnswers, whatever_is_thrown_is_an_error_in_json) {
  run([]() -> Coro<> {
    test::Served served = co_await test::serve(failing());
    for (auto [path, text] :
         {std::pair("/memory", "std::bad_alloc"), std::pair("/runtime", "no thread"),
          std::pair("/files", "filesystem error: cannot look")}) {
      Said said = co_await asked(served, path);
      EXPECT_EQ(said.status, 500) << path;
      EXPECT_TRUE(said.error().starts_with(text)) << path << said.body;
      EXPECT_TRUE(said.json().contains("time")) << said.body;
    }
    co_await served.cleanup();
  });
}

/// The library knows what becomes of a connection.
TEST(VectorDBAnswers, what_is_the_connections_goes_on) {
  run([]() -> Coro<> {
    test::Served served = co_await test::serve(failing());
    Said said = co_await asked(served, "/lost");
    EXPECT_EQ(said.body, "500: Internal Server Error");
    auto [reader, writer] = co_await open_connection("127.0.0.1", served.port());
    writer.write("POST /body HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nno size\r\n");
    std::string answer = co_await reader.read();
    EXPECT_TRUE(answer.starts_with("HTTP/1.1 400 ")) << answer;
    writer.close();
    co_await served.cleanup();
  });
}

struct Told {
  std::size_t number;
  vectordb::Progress::Step step;
  std::uint64_t done, total;
  std::string text;
};

std::vector<Told> progress() {
  using Step = vectordb::Progress::Step;
  const std::string of = "recovering 'docs', collection ";
  return {
      {2, Step::indexing, 5000, 10'000, of + "2 of 3: 5000 of 10000 points indexed (50 %)"},
      {1, Step::reading, 999'999, 1'000'000, of + "1 of 3: 999999 of 1000000 bytes read (99 %)"},
      {3, Step::indexing, 0, 0, of + "3 of 3: 0 of 0 points indexed (100 %)"}};
}

TEST(VectorDBAnswers, how_far_the_recovery_is) {
  vectordb::Access access;
  EXPECT_EQ(access.progress_text(), "the data base is being opened, or closed");
  for (const Told& told : progress()) {
    vectordb::Progress progress;
    progress.collection = "docs";
    progress.number = told.number;
    progress.collections = 3;
    progress.step = told.step;
    progress.done = told.done;
    progress.total = told.total;
    access.set_progress(progress);
    EXPECT_EQ(access.progress_text(), told.text);
  }
}

/// Qdrant's Python client refuses an answer without them.
TEST(VectorDBAnswers, a_collection_tells_what_clients_models_require) {
  test::with_vectordb([](VectorDB& db) -> Coro<> {
    Said made =
        co_await db.ask("PUT", "/collections/docs", R"({"vectors":{"size":2,"distance":"Dot"}})");
    EXPECT_EQ(made.status, 200) << made.body;
    Said said = co_await db.ask("GET", "/collections/docs");
    json config = said.result().value("config", json::object());
    EXPECT_EQ(config["optimizer_config"],
              json::parse(R"({"deleted_threshold":0.2,"vacuum_min_vector_number":1000,
                              "default_segment_number":0,"flush_interval_sec":5})"));
    EXPECT_EQ(config["wal_config"],
              json::parse(R"({"wal_capacity_mb":32,"wal_segments_ahead":0})"));
  });
}

}  // namespace

// SPDX-License-Identifier: BSL-1.0
// What apps/vectordb's search, get and info print, and what search asks of a server.
#include "../http/served.hpp"
#include "vectordb_files.hpp"
#include "vectordb_folder.hpp"
#include "vectordb_process.hpp"
#include <asyncio/asyncio.hpp>

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

using namespace asyncio;
using nlohmann::json;
using test::Command;
using test::InputFile;
using test::json_of;
using test::Outcome;
using test::outcome_of;
using test::Program;
using test::run_each;
using test::with_program;
using test::words;

namespace {

/// A command, and all that it prints.
struct Printed {
  std::string line, out;
};

Coro<> expect_printed(const Program& program, const std::vector<Printed>& commands) {
  for (const Printed& command : commands) {
    Outcome outcome = co_await program(command.line);
    EXPECT_EQ(outcome.status, 0) << command.line << "\n" << outcome.err;
    EXPECT_EQ(outcome.out, command.out) << command.line;
  }
}

/// The collection "line": four points at 1, 2, 3 and 4, by Euclid.
Coro<> fill(const Program& program) {
  InputFile file(".csv", "id,v0,v1,city\n1,1,0,Berlin\n2,2,0,London\n3,3,0,Berlin\nfar,4,0,Rome\n");
  std::vector<Command> commands(2);
  commands[0].line = "create line 2 --distance Euclid";
  commands[1].line = "insert line " + file.path();
  co_await run_each(program, commands);
}

/// As the README shows it.
TEST(VectorDBQueries, S46_search_prints_a_table) {
  test::Folder folder;
  with_program(folder, [](Program& program) -> Coro<> {
    InputFile file(".jsonl",
                   R"({"id": "doc_1", "vector": [1, 0, 0], "payload": {"city": "Berlin"}})");
    std::vector<Command> commands(2);
    commands[0].line = "create documents 3";
    commands[1].line = "insert documents " + file.path();
    co_await run_each(program, commands);
    Outcome outcome = co_await program("search documents --vector [0.9,0.1,0]");
    EXPECT_EQ(outcome.out,
              "document  score     payload\n"
              "doc_1     0.993884  {\"_name\":\"doc_1\",\"city\":\"Berlin\"}\n");
    EXPECT_EQ(outcome.err, "");
  });
}

const std::string kHead = "document  score  payload\n";
const std::string kOne = "1         1      {\"city\":\"Berlin\"}\n";
const std::string kTwo = "2         2      {\"city\":\"London\"}\n";
const std::string kThree = "3         3      {\"city\":\"Berlin\"}\n";
const std::string kFar = "far       4      {\"_name\":\"far\",\"city\":\"Rome\"}\n";

std::vector<Printed> searches() {
  const std::string search = "search line --vector [0,0]";
  return {{search, kHead + kOne + kTwo + kThree + kFar},
          {search + " -k 2", kHead + kOne + kTwo},
          {search + " --threshold 2.5", kHead + kOne + kTwo},
          {search + " --exact", kHead + kOne + kTwo + kThree + kFar},
          {search + R"( --filter {"must":[{"key":"city","match":{"value":"Berlin"}}]})",
           kHead + kOne + kThree},
          {search + " --threshold 0.5", kHead}};
}

TEST(VectorDBQueries, S46_search_finds_what_its_options_say) {
  test::Folder folder;
  with_program(folder, [](Program& program) -> Coro<> {
    co_await fill(program);
    co_await expect_printed(program, searches());
  });
}

/// A point is near to itself, which nobody asks for.
std::vector<Printed> neighbours() {
  const std::string far = "far       1      {\"_name\":\"far\",\"city\":\"Rome\"}\n";
  const std::string two = "2         1      {\"city\":\"London\"}\n";
  return {{"search line --near far -k 1", kHead + "3         1      {\"city\":\"Berlin\"}\n"},
          {"search line --near 1 -k 2", kHead + two + "3         2      {\"city\":\"Berlin\"}\n"},
          {R"(search line --near 3 --filter {"must_not":[{"has_id":[1,2]}]})", kHead + far}};
}

TEST(VectorDBQueries, S46_search_near_a_point_leaves_the_point_out) {
  test::Folder folder;
  with_program(folder, [](Program& program) -> Coro<> {
    co_await fill(program);
    co_await expect_printed(program, neighbours());
  });
}

std::vector<Command> at_the_limit() {
  return {{"search line --near far -k 100000", 0, "3         1      {\"city\":\"Berlin\"}\n"},
          {"search line --vector [0,0] -k 100000", 0, kFar},
          {"search line --near far -k 100001", 4, "limit: 100001 is more than 100000"}};
}

TEST(VectorDBQueries, as_many_neighbours_as_a_server_gives) {
  test::Folder folder;
  with_program(folder, [](Program& program) -> Coro<> {
    co_await fill(program);
    co_await run_each(program, at_the_limit());
  });
}

/// It is shown by what finds it.
TEST(VectorDBQueries, a_name_that_is_not_the_points_own_is_not_shown) {
  test::Folder folder;
  with_program(folder, [](Program& program) -> Coro<> {
    co_await fill(program);
    InputFile file(".csv", "id,v0,v1,_name\n5,9,0,fake\n");
    InputFile other(".jsonl", R"({"id":"doc","vector":[1,0],"payload":{"_name":"fake"}})");
    std::vector<Command> commands(2);
    commands[0].line = "insert line " + file.path();
    commands[1].line = "insert line " + other.path();
    commands[1].status = 4;
    commands[1].says = ".jsonl:1: payload._name: the name of the document stands there";
    co_await run_each(program, commands);
    json found = co_await json_of(program, "search line --vector [9,0] -k 1 --json");
    EXPECT_EQ(found.at(0).at("document"), "5");
    EXPECT_EQ(found.at(0).at("payload").at("_name"), "fake");
  });
}

constexpr const char* kNearest =
    R"([{"document":"1","id":1,"payload":{"city":"Berlin"},"score":1.0}])";

TEST(VectorDBQueries, json_of_what_is_read) {
  test::Folder folder;
  with_program(folder, [](Program& program) -> Coro<> {
    co_await fill(program);
    json found = co_await json_of(program, "search line --vector [0,0] -k 1 --json");
    EXPECT_EQ(found.dump(), kNearest);
    found = co_await json_of(program, "search line --vector [5,0] -k 1 --json");
    EXPECT_EQ(found.at(0).at("document"), "far");
    // Python: uuid.uuid5(uuid.NAMESPACE_URL, "far")
    EXPECT_EQ(found.at(0).at("id"), "dd098e47-3e90-5c77-9fa8-e85a3fa69f17");
    json points = co_await json_of(program, "get line 2 --json");
    EXPECT_EQ(points.dump(), R"([{"id":2,"payload":{"city":"London"},"vector":[2.0,0.0]}])");
    json names = co_await json_of(program, "info --json");
    EXPECT_EQ(names.dump(), R"(["line"])");
    json about = co_await json_of(program, "info line --json");
    EXPECT_EQ(about.value("points_count", 0), 4) << about;
    EXPECT_EQ(about["config"]["params"]["vectors"].dump(), R"({"distance":"Euclid","size":2})");
  });
}

constexpr const char* kAsked =
    R"({"filter":{"must":[{"has_id":[7]}]},"limit":9,"params":{"exact":true,"hnsw_ef":77},)"
    R"("query":[1.0,0.5],"score_threshold":0.25,"with_payload":true,"with_vector":false})";

/// Which of them a result does not show.
TEST(VectorDBQueries, S46_search_asks_for_what_its_options_say) {
  run([]() -> Coro<> {
    std::string asked;
    web::Application app;
    app.get("/", [](web::Request&) -> Coro<web::Response> {
      co_return web::Response().json(R"({"title":"fake","version":"1.19.0"})");
    });
    app.post("/collections/docs/points/query", [&](web::Request& request) -> Coro<web::Response> {
      asked = co_await request.read();
      co_return web::Response().json(R"({"result":{"points":[]}})");
    });
    test::Served served = co_await test::serve(std::move(app));
    const std::string line = VECTORDB
        " search docs --vector [1,0.5] -k 9 --exact --ef 77 --threshold 0.25 "
        R"(--filter {"must":[{"has_id":[7]}]} --url )";
    Outcome outcome = co_await outcome_of(words(line + std::string(served.url().str())));
    EXPECT_EQ(outcome.status, 0) << outcome.err;
    EXPECT_EQ(outcome.out, kHead);
    EXPECT_EQ(asked, kAsked);
    co_await served.cleanup();
  });
}

}  // namespace

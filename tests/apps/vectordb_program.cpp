// SPDX-License-Identifier: BSL-1.0
// apps/vectordb as its users see it: a process that serves, and one for each command.
#include "vectordb_files.hpp"
#include "vectordb_folder.hpp"
#include "vectordb_process.hpp"
#include <asyncio/asyncio.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <csignal>
#include <limits>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

using namespace asyncio;
using namespace std::chrono_literals;
using nlohmann::json;
using test::Command;
using test::InputFile;
using test::matrix;
using test::npy;
using test::Outcome;
using test::outcome_of;
using test::Program;
using test::raw;
using test::run_each;
using test::with_program;
using test::words;

namespace {

constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();

/// A file, and what comes of it: how many points, or an error with its line.
struct Input {
  std::string ending, bytes;
  int status;
  std::string says;
};

std::vector<Input> inputs() {
  return {
      {".jsonl", "{\"id\":1,\"vector\":[1,0]}\n\n{\"id\":\"a\",\"vector\":[0,1]}\n", 0,
       "inserted 2"},
      {".jsonl", "{\"id\":1,\"vector\":[1,0]}\n{\"id\":2,\"vector\":[1,\"x\"]}\n", 4, ".jsonl:2: "},
      {".jsonl", "{\"id\":1,\"vector\":[1,0]}\n\n{\"id\":2,\"vector\":[1]}\n", 4, ".jsonl:3: "},
      {".jsonl", "{\"id\":1", 4, ".jsonl:1: no JSON"},
      {".jsonl", "{\"id\":1,\"vector\":[1,0],\"payloads\":{}}\n", 4,
       ".jsonl:1: \"payloads\": no member of a point"},
      {".jsonl", "{\"id\":1,\"vector\":[1,0]}\n{\"id\":1,\"vector\":[1,0],\"id\":2}\n", 4,
       ".jsonl:2: \"id\": there are two members of this name"},
      {".jsonl", R"({"id":1,"vector":[1,0],"payload":{},"p\u0061yload":{"a":1}})", 4,
       ".jsonl:1: \"payload\": there are two members of this name"},
      {".jsonl", R"({"id":"\\\":","vector":[1,0],"payload":{"id":{"id":":"},"vector":[{}]}})", 0,
       "inserted 1"},
      {".jsonl", R"({"id":"","vector":[1,0]})", 4, ".jsonl:1: id: is empty"},
      {".csv", "id,v0,v1\n,1,0\n", 4, ".csv:2: id: is empty"},
      {".csv", "id,vector,city\r\n1,\"[1,0]\",\"Ham,\"\"burg\"\"\"\r\n", 0, "inserted 1"},
      {".csv", "id,v0,v1,note\n1,0.5,1,\"two\nlines\"\n2,1,x,\n", 4, ".csv:4: v1"},
      {".csv", "id,v0,v1\n1,0.5\n", 4, ".csv:2: 2 fields, there are 3 columns"},
      {".csv", "name,v0\n1,0.5\n", 4, "no column 'id'"},
      {".csv", "id,v0\n1,\"0.5", 4, "the file ends inside"},
      {".csv", "\xEF\xBB\xBFid,v1,v0\n70,1,0\n", 0, "inserted 1"},
      {".csv", "id,v0,v1,city\n1,1,0,M\xFCnchen\n", 4, ".csv:2: city: no UTF-8"},
      {".csv", "id,v0,v1,M\xFC\n1,1,0,x\n", 4, ".csv:1: the name of column 4 is no UTF-8"},
      {".csv", "id,v0,v2\n1,1,0\n", 4, ".csv:1: there are 2 columns of the vector, 'v2'"},
      {".csv", "id,v0,v0\n1,1,0\n", 4, ".csv:1: there are two columns 'v0'"},
      {".csv", "id,v0,v1,a.b,a.b\n1,1,0,x,y\n", 4, ".csv:1: there are two columns 'a.b'"},
      {".csv", "id,v0,v1,id\n1,1,0,2\n", 4, ".csv:1: there are two columns 'id'"},
      {".csv", "id,vector,vector\n1,[1],[2]\n", 4, ".csv:1: there are two columns 'vector'"},
      {".csv", "id,v0,v00\n1,1,0\n", 4, ".csv:1: there are two columns 'v0'"},
      {".csv", "id,v0,v1\n1,1,0\n2,1,nan\n", 4, ".csv:3: v1: 'nan' is not a number that a 32"},
      {".csv", "id,v0,v1\n1,1e39,0\n", 4, ".csv:2: v0: '1e39' is not a number that a 32"},
      {".csv", "id,v0,v1\n1,1e999,0\n", 4, ".csv:2: v0: '1e999' is not a number that a 32"},
      {".csv", "id,vector\n1,\"[1,1e39]\"\n", 4, ".csv:2: vector[1]: not a number that a 32"},
      {".fvecs", raw(2, 1.0F, 0.0F, 2, 0.0F, 1.0F), 0, "inserted 2"},
      {".fvecs", raw(2, 1.0F, 0.0F, 2, kNaN, 1.0F), 4, "row 1: column 0: nan is not a number"},
      {".fvecs", raw(2, 1.0F, 0.0F, 2, 0.0F), 4, "row 1: the file ends after 4 of 8 bytes"},
      {".fvecs", raw(-1), 4, "row 0: -1 dimensions"},
      {".npy", npy(matrix("<f4", "2, 2"), raw(1.0F, 0.0F, 0.0F, 1.0F)), 0, "inserted 2"},
      {".npy", npy(matrix("<f8", "1, 2"), raw(1.0, 0.0)), 0, "inserted 1"},
      {".npy", npy(matrix("<f4", "1, 2"), raw(1.0F, kNaN)), 4, "row 0: column 1: nan is not"},
      {".npy", npy(matrix("<f8", "1, 2"), raw(1.0, 1e39)), 4, "row 0: column 1: 1e+39 is not"},
      {".npy", npy(matrix("<i4", "1, 2"), raw(1, 0)), 4, "'<i4'"},
      {".npy", npy(matrix("<f4", "2, 2"), raw(1.0F, 0.0F)), 4, "row 1: the file ends"},
      {".npy", npy(matrix("<f4", "2,"), raw(1.0F, 0.0F)), 4, "it is no matrix"},
      {".npy", npy(matrix("<f4", "1, 2") + std::string(5000, ' '), ""), 4, "header is too long"},
      {".npy", "PK", 4, "ends after 2 of 8 bytes"},
      {".txt", "", 4, "'txt' is no format"},
  };
}

Coro<> insert_each(const Program& program, const std::vector<Input>& inputs) {
  for (const Input& input : inputs) {
    InputFile file(input.ending, input.bytes);
    Outcome outcome = co_await program("insert docs " + file.path());
    EXPECT_EQ(outcome.status, input.status) << input.bytes << outcome.err;
    std::string said = outcome.out + outcome.err;
    EXPECT_NE(said.find(input.says), std::string::npos) << input.bytes << said;
  }
}

TEST(VectorDBProgram, S46_insert_reads_each_format_and_tells_the_line_of_an_error) {
  test::Folder folder;
  with_program(folder, [](Program& program) -> Coro<> {
    Outcome made = co_await program("create docs 2 --distance Dot");
    EXPECT_EQ(made.out, "created docs\n");
    co_await insert_each(program, inputs());
    Outcome swapped = co_await program("get docs 70");
    EXPECT_NE(swapped.out.find("[0.0,1.0]"), std::string::npos) << swapped.out;
  });
}

constexpr const char* kValues =
    "id,v0,v1,a,b,c,d,e,f,g,h,i,j\n"
    "80,1,0,12345678901234567890123,1e5,1.10,-0,007, 7,-1.5,7,true,18446744073709551615\n";
constexpr const char* kKept =
    R"({"a":"12345678901234567890123","b":"1e5","c":"1.10","d":"-0","e":"007","f":" 7",)"
    R"("g":-1.5,"h":7,"i":true,"j":18446744073709551615})";

TEST(VectorDBProgram, a_value_of_csv_is_a_number_only_if_nothing_of_it_is_lost) {
  test::Folder folder;
  with_program(folder, [](Program& program) -> Coro<> {
    Outcome made = co_await program("create docs 2");
    EXPECT_EQ(made.status, 0) << made.err;
    InputFile file(".csv", kValues);
    Outcome outcome = co_await program("insert docs " + file.path());
    EXPECT_EQ(outcome.status, 0) << outcome.err;
    json points = co_await test::json_of(program, "get docs 80 --json");
    EXPECT_EQ(points.at(0).at("payload").dump(), kKept);
  });
}

/// `count` points on lines of JSON, with as many dimensions.
std::string lines_of(std::size_t count, std::size_t dimensions) {
  std::string text;
  for (std::size_t i = 0; i < count; ++i)
    text += "{\"id\":" + std::to_string(i) +
            ",\"vector\":" + json(std::vector<int>(dimensions, 1)).dump() + "}\n";
  return text;
}

TEST(VectorDBProgram, an_error_ends_insert_while_other_batches_are_read) {
  test::Folder folder;
  with_program(folder, [](Program& program) -> Coro<> {
    Outcome made = co_await program("create docs 3");
    EXPECT_EQ(made.status, 0) << made.err;
    InputFile file(".jsonl", lines_of(20'000, 2));
    Outcome outcome = co_await program("insert docs --batch 2000 " + file.path());
    EXPECT_EQ(outcome.status, 4) << outcome.err;
    bool told = outcome.err.find("2 dimensions, the collection has 3") != std::string::npos;
    EXPECT_TRUE(told) << outcome.err;
    outcome = co_await program("insert docs /nowhere/points.csv");
    EXPECT_EQ(outcome.status, 4) << outcome.err;
    bool missing = outcome.err.find("points.csv: open: No such file") != std::string::npos;
    EXPECT_TRUE(missing) << outcome.err;
  });
}

const std::string kNone = "vectordb: 0 points were inserted before the error\n";
const std::string kTooLarge = ":1: insert into 'docs': body: more than 1024 bytes, the limit";

TEST(VectorDBProgram, insert_tells_what_helps_against_a_request_that_is_too_large) {
  test::Folder folder;
  auto body = [](Program& program) -> Coro<> {
    Outcome outcome = co_await program("create docs 2");
    EXPECT_EQ(outcome.status, 0) << outcome.err;
    InputFile file(".jsonl", lines_of(100, 2));
    const std::string begin = kNone + "vectordb: " + file.path() + kTooLarge;
    outcome = co_await program("insert docs " + file.path());
    EXPECT_EQ(outcome.status, 4);
    EXPECT_EQ(outcome.err, begin + "; fewer points of a request: --batch\n");
    outcome = co_await program("insert docs --batch 10 " + file.path());
    EXPECT_EQ(outcome.err, "");
    // One point has no half.
    InputFile one(".jsonl",
                  R"({"id":1,"vector":[1,0],"payload":{"a":")" + std::string(1024, 'x') + "\"}}\n");
    outcome = co_await program("insert docs " + one.path());
    EXPECT_EQ(outcome.status, 4);
    EXPECT_EQ(outcome.err, begin + "\n");
  };
  with_program(folder, body, "--max-body 1024");
}

/// `insert docs -` with a pipe that nobody closes.
Coro<Process> inserting(const Program& program) {
  SubprocessOptions options;
  options.stdin(PIPE).stdout(DEVNULL).stderr(PIPE);
  return create_subprocess_exec(options, words(VECTORDB " insert docs - --url " + program.url()));
}

/// Its standard error and exit status; waits no longer than a hung one deserves.
Coro<Outcome> end_of(const Process& process) {
  Outcome outcome;
  outcome.err = co_await wait_for(process.stderr()->read(), 30s);
  outcome.status = co_await process.wait();
  co_return outcome;
}

TEST(VectorDBProgram, an_error_ends_insert_though_standard_input_stays_open) {
  test::Folder folder;
  with_program(folder, [](Program& program) -> Coro<> {
    Outcome made = co_await program("create docs 3");
    EXPECT_EQ(made.status, 0) << made.err;
    Process process = co_await inserting(program);
    process.stdin()->write(lines_of(300, 2));  // a batch, and a part of the next one
    co_await process.stdin()->drain();
    Outcome outcome = co_await end_of(process);
    EXPECT_EQ(outcome.status, 4);
    bool told = outcome.err.find("standard input:1: ") != std::string::npos &&
                outcome.err.find("2 dimensions, the collection has 3") != std::string::npos;
    EXPECT_TRUE(told) << outcome.err;
  });
}

/// Until the first batch has arrived: the second one is being read.
Coro<> first_batch(const Program& program) {
  for (bool arrived = false; !arrived;) {
    Outcome info = co_await program("info docs --json");
    arrived = info.out.find("\"points_count\": 256") != std::string::npos;
  }
  co_await program("info");  // time for the answer to arrive as well
}

TEST(VectorDBProgram, insert_that_waits_for_standard_input_is_interrupted) {
  for (int signal : {SIGINT, SIGTERM}) {
    test::Folder folder;
    with_program(folder, [&](Program& program) -> Coro<> {
      Outcome made = co_await program("create docs 2");
      EXPECT_EQ(made.status, 0) << made.err;
      Process process = co_await inserting(program);
      process.stdin()->write(lines_of(300, 2));
      co_await process.stdin()->drain();
      co_await first_batch(program);
      process.send_signal(signal);
      Outcome outcome = co_await end_of(process);
      EXPECT_EQ(outcome.status, 130) << signal;
      EXPECT_EQ(outcome.err,
                "vectordb: 256 points were acknowledged before the end\nvectordb: interrupted\n");
    });
  }
}

std::vector<Command> commands() {
  return {
      {"create docs 2", 0, "created docs"},
      {"create docs 2", 1, "already exists"},
      {"create dots 2 --distance dot", 0, "created dots"},
      {"info dots", 0, "distance      Dot"},
      {"delete dots --all", 0, ""},
      {"info", 0, "docs\n"},
      {"info docs", 0, "distance      Cosine"},
      {"info docs --json", 0, "\"points_count\": 0"},
      {"info none", 3, "'none'"},
      {"search docs --vector [1,0", 4, "--vector: no JSON"},
      {"search docs --vector [1,0,0]", 4, "3 dimensions"},
      {"search docs --vector [1,0] --filter {\"must\":7}", 4, "--filter.must"},
      {"search docs --near nobody", 3, "no point nobody"},
      {"get docs 1", 3, "1 of 1 points do not exist"},
      {"delete docs", 2, "say which"},
      {"delete docs 1", 0, ""},
      {"delete docs --all", 0, ""},
      {"delete docs --all", 3, "there is no 'docs'"},
      {"create docs two", 2, "DIM"},
      {"fly", 2, "no command 'fly'"},
      {"--fly", 2, "no command '--fly'"},
      {"search docs", 2, "say what is to be near"},
      {"bench --points 300 --dim 8 --seconds 0.1 --json", 0, "\"p99_ms\""},
      {"info", 0, ""},
  };
}

TEST(VectorDBProgram, commands_and_their_exit_statuses) {
  test::Folder folder;
  with_program(folder, [](Program& program) -> Coro<> { co_await run_each(program, commands()); });
}

std::vector<Command> copying(const std::string& from, const std::string& to) {
  return {{"create docs 2 --distance Euclid", 0, ""},
          {"insert docs " + from, 0, "inserted 2"},
          {"export docs --batch 1 -o " + to, 0, ""},
          {"create copy 2 --distance Euclid", 0, ""},
          {"insert copy " + to, 0, "inserted 2"}};
}

TEST(VectorDBProgram, what_is_exported_can_be_inserted_again) {
  test::Folder folder;
  with_program(folder, [](Program& program) -> Coro<> {
    InputFile points(".csv", "id,v0,v1,n\n1,3,4,7\nname,1,0,\n");
    InputFile copy(".jsonl", "");
    co_await run_each(program, copying(points.path(), copy.path()));
    Outcome first = co_await program("export docs");
    Outcome second = co_await program("export copy");
    EXPECT_EQ(first.out, second.out);
    EXPECT_NE(first.out.find(R"({"id":1,"payload":{"n":7},"vector":[3.0,4.0]})"),
              std::string::npos);
  });
}

TEST(VectorDBProgram, S46_the_tutorials_script_prints_real_scores) {
  test::Folder folder;
  with_program(folder, [](Program& program) -> Coro<> {
    Outcome outcome = co_await outcome_of(VECTORDB_DOCUMENTS, program.url());
    EXPECT_EQ(outcome.status, 0) << outcome.err;
    EXPECT_TRUE(outcome.out.starts_with("inserted 100 vectors\ndoc_42: 1\ndoc_")) << outcome.out;
    EXPECT_EQ(std::ranges::count(outcome.out, '\n'), 4);
    Outcome info = co_await program("info documents --json");
    EXPECT_NE(info.out.find("\"points_count\": 100"), std::string::npos) << info.out;
  });
}

TEST(VectorDBProgram, S48_the_complete_application) {
  test::Folder folder;
  with_program(folder, [](Program& program) -> Coro<> {
    Outcome done = co_await outcome_of(VECTORDB_APPLICATION, program.url());
    EXPECT_EQ(done.out,
              "connected\n  item_0: 1\n  item_1: 0.996003\n  item_2: 0.984053\ncleaned up\n"
              "{inserted: 50, queries: 5, status: success}\n");
    Outcome failed = co_await outcome_of(VECTORDB_APPLICATION, program.url(), "nowhere");
    EXPECT_EQ(failed.out,
              "connected\ncleaned up\n{inserted: 50, queries: 0, status: error: "
              "search 'nowhere': collection 'nowhere' does not exist}\n");
    Outcome made = co_await program("create app 3");
    EXPECT_EQ(made.status, 0) << made.err;
    Outcome taken = co_await outcome_of(VECTORDB_APPLICATION, program.url());
    EXPECT_NE(taken.out.find("status: error: create 'app': "), std::string::npos) << taken.out;
    Outcome kept = co_await program("info app");  // it was not the application's to delete
    EXPECT_EQ(kept.status, 0) << kept.err;
  });
}

TEST(VectorDBProgram, no_server_answers) {
  run([]() -> Coro<> {
    Outcome outcome = co_await outcome_of(VECTORDB, "info", "--url", "127.0.0.1:1");
    EXPECT_EQ(outcome.status, 5) << outcome.err;
    EXPECT_NE(outcome.err.find("connect to 127.0.0.1:1"), std::string::npos) << outcome.err;
  });
}

TEST(VectorDBProgram, an_option_is_stronger_than_the_environment) {
  test::Folder folder;
  with_program(folder, [](Program& program) -> Coro<> {
    const std::string url = "VECTORDB_URL=" + program.url();
    const std::string info = "/usr/bin/env " + url + ' ' + VECTORDB + " info";
    Outcome there = co_await outcome_of(words(info));
    EXPECT_EQ(there.status, 0) << there.err;
    Outcome elsewhere = co_await outcome_of(words(info + " --url 127.0.0.1:1"));
    EXPECT_EQ(elsewhere.status, 5) << elsewhere.out;
  });
}

TEST(VectorDBProgram, a_server_that_cannot_begin_says_why_in_a_line) {
  test::Folder folder;
  with_program(folder, [&](Program& program) -> Coro<> {
    const std::string serve = std::string(VECTORDB) + " serve --quiet --data ";
    Outcome same = co_await outcome_of(words(serve + folder.path() + " --port 0"));
    EXPECT_EQ(same.status, 1);
    EXPECT_EQ(same.out, "");
    EXPECT_TRUE(same.err.starts_with("vectordb: another process has this folder")) << same.err;
    Outcome file = co_await outcome_of(words(serve + VECTORDB + " --port 0"));
    EXPECT_EQ(file.status, 1);
    EXPECT_EQ(file.out, "");
    EXPECT_TRUE(file.err.starts_with("vectordb: make folder ")) << file.err;
    const std::string port = program.url().substr(program.url().rfind(':') + 1);
    Outcome taken = co_await outcome_of(words(serve + folder.path() + " --port " + port));
    EXPECT_EQ(taken.status, 1);
    EXPECT_TRUE(taken.err.starts_with("vectordb: bind ")) << taken.err;
  });
}

}  // namespace

// SPDX-License-Identifier: BSL-1.0
// Commands of apps/vectordb that are stopped, that cannot write, and what they leave behind;
// options and files with odd values.
#include "folder.hpp"
#include "vectordb_files.hpp"
#include "vectordb_process.hpp"
#include <asyncio/asyncio.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <sys/stat.h>
#include <vector>

using namespace asyncio;
using namespace std::chrono_literals;
namespace fs = std::filesystem;
using nlohmann::json;
using test::Command;
using test::content_of;
using test::InputFile;
using test::json_of;
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

constexpr std::array<int, 2> kSignals{SIGTERM, SIGINT};
constexpr const char* kExported = "{\"id\":0,\"payload\":{},\"vector\":[1.0,0.0]}\n";

/// A line of the shell, where `vectordb` is the program and has its server.
Coro<Outcome> in_shell(const Program& program, const std::string& line) {
  std::string script =
      "export VECTORDB_URL=" + program.url() + "; vectordb() { " VECTORDB " \"$@\"; }; " + line;
  return outcome_of("/bin/sh", "-c", script);
}

/// The collection "docs": so many points with the vector [1, 0].
Coro<> fill(const Program& program, std::size_t count) {
  std::string lines;
  for (std::size_t i = 0; i < count; ++i)
    lines += "{\"id\":" + std::to_string(i) + ",\"vector\":[1,0]}\n";
  InputFile file(".jsonl", lines);
  std::vector<Command> commands(2);
  commands[0].line = "create docs 2 --distance Dot";
  commands[1].line = "insert docs " + file.path();
  co_await run_each(program, commands);
}

/// In order.
std::vector<std::string> names_in(const test::Folder& folder) {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(folder.path()))
    names.push_back(entry.path().filename());
  std::ranges::sort(names);
  return names;
}

::mode_t mode_of(const std::string& path) {
  struct stat status{};
  EXPECT_EQ(::stat(path.c_str(), &status), 0) << path;
  return status.st_mode & 07777;
}

::mode_t mask() {
  const ::mode_t mask = ::umask(0);
  ::umask(mask);
  return mask;
}

/// A command that goes on until something ends it.
Coro<Process> begun(const Program& program, const std::string& line) {
  SubprocessOptions options;
  options.stdout(DEVNULL).stderr(PIPE);
  return create_subprocess_exec(options, words(VECTORDB " " + line + " --url " + program.url()));
}

Coro<> expect_interrupted(const Process& process, int signal) {
  process.send_signal(signal);
  std::string said = co_await wait_for(process.stderr()->read(), 30s);
  int status = co_await process.wait();
  EXPECT_EQ(status, 130) << signal << said;
  EXPECT_EQ(said, "vectordb: interrupted\n") << signal;
}

TEST(VectorDBCommands, an_export_touches_no_file_but_its_own) {
  test::Folder folder, files;
  with_program(folder, [&](Program& program) -> Coro<> {
    co_await fill(program, 1);
    const std::string points = files.write("points", "old");
    fs::permissions(points, fs::perms(0640));
    files.write("points.new", "somebody's");
    Outcome outcome = co_await program("export docs -o " + points);
    EXPECT_EQ(outcome.status, 0) << outcome.err;
    EXPECT_EQ(content_of(points), kExported);
    EXPECT_EQ(mode_of(points), 0640U);
    EXPECT_EQ(content_of(files.file("points.new")), "somebody's");
    outcome = co_await program("export docs -o " + files.file("made"));
    EXPECT_EQ(mode_of(files.file("made")), 0666U & ~mask());
    EXPECT_EQ(names_in(files), words("made points points.new"));
  });
}

TEST(VectorDBCommands, an_export_replaces_what_a_link_names) {
  test::Folder folder, files;
  with_program(folder, [&](Program& program) -> Coro<> {
    co_await fill(program, 1);
    files.write("points", "old");
    fs::create_symlink("points", files.file("link"));
    fs::create_symlink("made", files.file("dangling"));
    Outcome outcome = co_await program("export docs -o " + files.file("link"));
    EXPECT_EQ(outcome.status, 0) << outcome.err;
    outcome = co_await program("export docs -o " + files.file("dangling"));
    EXPECT_EQ(outcome.status, 0) << outcome.err;
    EXPECT_TRUE(fs::is_symlink(files.file("link")) && fs::is_symlink(files.file("dangling")));
    EXPECT_EQ(content_of(files.file("points")), kExported);
    EXPECT_EQ(content_of(files.file("made")), kExported);
  });
}

TEST(VectorDBCommands, an_export_that_fails_leaves_the_file_alone) {
  test::Folder folder, files;
  with_program(folder, [&](Program& program) -> Coro<> {
    const std::string file = files.write("points", "the good one");
    Outcome outcome = co_await program("export docs -o " + file);
    EXPECT_EQ(outcome.status, 3) << outcome.err;
    co_await fill(program, 1);
    outcome =
        co_await in_shell(program, "trap '' XFSZ; ulimit -f 0; vectordb export docs -o " + file);
    EXPECT_EQ(outcome.status, 1);
    EXPECT_EQ(outcome.err, "vectordb: cannot write to " + file + ": File too large\n");
    outcome = co_await in_shell(program, "vectordb export docs -o ''");
    EXPECT_EQ(outcome.status, 2);
    EXPECT_TRUE(outcome.err.starts_with("--output: it is empty\n")) << outcome.err;
    EXPECT_EQ(content_of(file), "the good one");
    EXPECT_EQ(names_in(files).size(), 1U);
  });
}

TEST(VectorDBCommands, an_export_that_is_stopped_leaves_the_file_alone) {
  test::Folder folder, files;
  with_program(folder, [&](Program& program) -> Coro<> {
    co_await fill(program, 5000);
    const std::string file = files.write("points", "the good one");
    for (int signal : kSignals) {
      Process process = co_await begun(program, "export docs --batch 1 -o " + file);
      while (names_in(files).size() == 1 && !process.returncode()) co_await sleep(1ms);
      co_await expect_interrupted(process, signal);
      EXPECT_EQ(content_of(file), "the good one");
      EXPECT_EQ(names_in(files).size(), 1U);
    }
  });
}

TEST(VectorDBCommands, an_export_to_what_is_no_file_is_written_in_its_place) {
  test::Folder folder, files;
  with_program(folder, [&](Program& program) -> Coro<> {
    co_await fill(program, 1);
    const std::string fifo = files.file("fifo");
    Outcome outcome =
        co_await in_shell(program, "mkfifo " + fifo + "; cat " + fifo +
                                       " & vectordb export docs -o " + fifo + "; wait");
    EXPECT_EQ(outcome.out, kExported) << outcome.err;
    outcome = co_await in_shell(program, "vectordb export docs -o /dev/stdout | cat");
    EXPECT_EQ(outcome.out, kExported) << outcome.err;
    const std::string file = files.write("points", "before\n");
    outcome = co_await in_shell(program, "vectordb export docs -o /dev/stdout >>" + file);
    EXPECT_EQ(content_of(file), std::string("before\n") + kExported);
    outcome = co_await program("export docs -o /dev/null");
    EXPECT_EQ(outcome.status, 0) << outcome.err;
    EXPECT_TRUE(fs::is_character_file("/dev/null"));
    EXPECT_EQ(names_in(files).size(), 2U);
  });
}

std::vector<Command> rows_without_ids(const std::string& fvecs, const std::string& rows) {
  const std::string first = " --first-id 1844674407370955161";
  return {{"create docs 2", 0, ""},
          {"insert docs " + fvecs + first + "4", 4, ": there are no ids for 3 rows"},
          {"insert docs " + rows + first + "4", 4, ": there are no ids for 3 rows"},
          {"insert docs " + fvecs + first + "6", 2, "'18446744073709551616' is not a whole number"},
          {"insert docs " + fvecs + " --first-id -1", 2, "'-1' is not a whole number"},
          {"insert docs " + fvecs + " --first-id 010", 2, "'010' is not a whole number"},
          {"info docs --json", 0, "\"points_count\": 0"},
          {"insert docs " + fvecs + first + "3", 0, "inserted 3"},
          {"insert docs " + rows + first + "3", 0, "inserted 3"},
          {"get docs 18446744073709551615", 0, "18446744073709551615"}};
}

TEST(VectorDBCommands, the_ids_of_rows_do_not_begin_again) {
  test::Folder folder;
  with_program(folder, [](Program& program) -> Coro<> {
    InputFile fvecs(".fvecs", raw(2, 1.0F, 0.0F, 2, 0.0F, 1.0F, 2, 1.0F, 1.0F));
    InputFile rows(".npy", npy(matrix("<f4", "3, 2"), raw(1.0F, 0.0F, 0.0F, 1.0F, 1.0F, 1.0F)));
    co_await run_each(program, rows_without_ids(fvecs.path(), rows.path()));
    Outcome outcome = co_await in_shell(
        program, "cat " + fvecs.path() +
                     " | vectordb insert docs --format fvecs --first-id 18446744073709551614");
    EXPECT_EQ(outcome.status, 4);
    bool told = outcome.err.find("row 2: there are no ids for this row") != std::string::npos;
    EXPECT_TRUE(told) << outcome.err;
    outcome = co_await program("get docs 0");
    EXPECT_EQ(outcome.status, 3) << outcome.out;
  });
}

std::vector<Command> seven(const std::string& file) {
  return {{"create docs 2 --distance Dot", 0, ""},
          {"insert docs " + file, 0, "inserted 3"},
          {"info docs --json", 0, "\"points_count\": 3"},
          {"get docs 7", 0, R"({"id":7,"payload":{},"vector":[1.0,0.0]})"},
          {"get docs 007", 0, R"("payload":{"_name":"007"},"vector":[0.0,1.0]})"},
          {"get docs 00000000000000000000000000000007", 0,
           R"({"id":"00000000-0000-0000-0000-000000000007","payload":{})"}};
}

TEST(VectorDBCommands, an_id_with_zeros_before_it_is_a_name) {
  test::Folder folder;
  with_program(folder, [](Program& program) -> Coro<> {
    InputFile file(".csv", "id,v0,v1\n7,1,0\n007,0,1\n00000000000000000000000000000007,1,1\n");
    co_await run_each(program, seven(file.path()));
  });
}

std::vector<Command> benches() {
  return {{"create bench 2", 0, ""},
          {"bench", 1, "already exists"},
          {"info", 0, "bench\n"},  // somebody else's
          {"delete bench --all", 0, ""},
          {"bench --points 10 --dim 8 --ef 10001", 4, "hnsw_ef"},
          {"bench --points 10 --dim 8 --ef 10001 --keep", 4, "hnsw_ef"},
          {"bench --points 10 --dim 8 --seconds 0.1 --keep", 0, "p99_ms"},
          {"info bench --json", 0, "\"points_count\": 10"},
          {"delete bench --all", 0, ""}};
}

TEST(VectorDBCommands, bench_leaves_no_collection_when_it_fails) {
  test::Folder folder;
  with_program(folder, [](Program& program) -> Coro<> { co_await run_each(program, benches()); });
}

TEST(VectorDBCommands, bench_leaves_no_collection_when_it_is_stopped) {
  test::Folder folder;
  with_program(folder, [](Program& program) -> Coro<> {
    for (int signal : kSignals) {
      // More points than there is memory for.
      Process process = co_await begun(program, "bench --points 10000000 --dim 1024");
      Outcome info;
      while (info.out != "bench\n" && !process.returncode()) info = co_await program("info");
      co_await expect_interrupted(process, signal);
      info = co_await program("info");
      EXPECT_EQ(info.out, "") << signal;
    }
  });
}

constexpr std::array<const char*, 13> kFull{"--help",
                                            "search --help",
                                            "completion bash",
                                            "info",
                                            "info docs",
                                            "info docs --json",
                                            "get docs 0",
                                            "search docs --vector [1,0]",
                                            "search docs --vector [1,0] --json",
                                            "export docs",
                                            "export docs -o /dev/stdout",
                                            "create other 2",
                                            "delete docs 0 --json"};

TEST(VectorDBCommands, what_cannot_be_printed_is_an_error) {
  test::Folder folder;
  with_program(folder, [](Program& program) -> Coro<> {
    co_await fill(program, 2000);  // to export them takes more than a buffer
    for (const char* line : kFull) {
      Outcome outcome = co_await in_shell(program, std::string("vectordb ") + line + " >/dev/full");
      EXPECT_EQ(outcome.status, 1) << line;
      EXPECT_EQ(outcome.err, "vectordb: cannot write to standard output: No space left on device\n")
          << line;
    }
  });
}

TEST(VectorDBCommands, json_of_what_changes_something) {
  test::Folder folder;
  with_program(folder, [](Program& program) -> Coro<> {
    json done = co_await json_of(program, "create docs 2 --json");
    EXPECT_EQ(done.dump(), R"({"created":"docs"})");
    InputFile file(".csv", "id,v0,v1,n\n1,1,0,5\n2,1,0,5\n3,1,0,6\n");
    done = co_await json_of(program, "insert docs --json " + file.path());
    EXPECT_EQ(done.value("inserted", 0), 3) << done;
    EXPECT_TRUE(done.contains("seconds")) << done;
    done = co_await json_of(program, "delete docs 3 4 --json");
    EXPECT_EQ(done.dump(), R"({"deleted":1})");
    done = co_await json_of(
        program, R"(delete docs --json --filter {"must":[{"key":"n","match":{"value":5}}]})");
    EXPECT_EQ(done.dump(), R"({"deleted":2})");
    done = co_await json_of(program, "delete docs --all --json");
    EXPECT_EQ(done.dump(), R"({"deleted":"docs"})");
  });
}

constexpr std::array<const char*, 15> kFindAll{
    "null",
    "{}",
    R"({"must":[]})",
    R"({"must":null,"should":[]})",
    R"({"must":[{"must":[]}]})",
    R"({"must":[{}]})",
    R"({"must":{}})",
    R"({"should":[{"key":"n","match":{"value":1}},{"must":[{}]}]})",
    R"({"must_not":[{"must_not":[{}]}]})",
    R"({"must_not":[{"has_id":[]}]})",
    R"({"must_not":[{"key":"n","match":{"any":[]}}]})",
    R"({"must_not":[{"nested":{"key":"a","filter":{"must":[{"has_id":[]}]}}}]})",
    R"({"min_should":{"conditions":[{}],"min_count":1}})",
    R"({"min_should":{"conditions":[{"has_id":[0]}],"min_count":0}})",
    R"({"must":[{"should":[{"min_should":{"conditions":[],"min_count":0}}]}]})"};

/// None of them finds a point of what is there, or not each.
constexpr std::array<const char*, 5> kFindNone{
    R"({"must_not":[{}]})", R"({"should":[{"has_id":[]}]})",
    R"({"min_should":{"conditions":[{}],"min_count":2}})",
    R"({"must":[{},{"key":"n","match":{"value":1}}]})",
    R"({"must":[{"nested":{"key":"a","filter":{}}}]})"};

std::vector<Command> filters_without_conditions() {
  std::vector<Command> commands;
  for (const char* filter : kFindAll)
    commands.push_back({std::string("delete docs --filter ") + filter, 4, "finds every point"});
  for (const char* filter : kFindNone)
    commands.push_back({std::string("delete docs --filter ") + filter, 0, ""});
  commands.push_back({"info docs --json", 0, "\"points_count\": 3"});
  commands.push_back({R"(delete docs --filter {"must":[{"has_id":[0]}]})", 0, ""});
  commands.push_back({"info docs --json", 0, "\"points_count\": 2"});
  return commands;
}

TEST(VectorDBCommands, a_filter_that_finds_everything_deletes_nothing) {
  test::Folder folder;
  with_program(folder, [](Program& program) -> Coro<> {
    co_await fill(program, 3);
    co_await run_each(program, filters_without_conditions());
  });
}

std::vector<Command> promises() {
  return {{"create docs 2", 0, ""}, {"create docs 2", 1, "already exists"}};
}

TEST(VectorDBCommands, help_tells_defaults_and_exit_statuses) {
  test::Folder folder;
  with_program(folder, [](Program& program) -> Coro<> {
    Outcome create = co_await in_shell(program, "vectordb create --help | tr -s ' \\n' ' '");
    for (const char* part :
         {"=Cosine how near two vectors are", "--m UINT=16 ", "--ef-construct UINT=100 "})
      EXPECT_NE(create.out.find(part), std::string::npos) << part << "\n" << create.out;
    bool told = create.out.find("refused (there is such a collection") != std::string::npos;
    EXPECT_TRUE(told) << create.out;
    told = create.out.find("5 no server answers, or it is not ready, 130") != std::string::npos;
    EXPECT_TRUE(told) << create.out;
    Outcome insert = co_await in_shell(program, "vectordb insert --help");
    for (const char* part : {"CSV: a value is a number", "Exit status: 0 done"})
      EXPECT_NE(insert.out.find(part), std::string::npos) << part << "\n" << insert.out;
    co_await run_each(program, promises());
  });
}

std::vector<Command> odd_values() {
  return {
      {"bench --seconds nan", 2, "--seconds: 'nan' is not a number from 0.1 to 3600"},
      {"bench --seconds 1e9", 2, "--seconds: '1e9' is not a number"},
      {"bench --dim 0", 2, "--dim: '0' is not a whole number from 1 to 65536"},
      {"create z -1", 2, "DIM: '-1' is not a whole number from 1 to 65536"},
      {"create z 0x10", 2, "DIM: '0x10' is not a whole number"},
      {"create z 2 --m -1", 2, "--m: '-1' is not a whole number"},
      {"search z --vector [1,0] -k -1", 2, "--top-k: '-1' is not a whole number from 1 to"},
      {"search z --vector [1,0] --ef -1", 2, "--ef: '-1' is not a whole number"},
      {"search z --vector [1,0] --threshold nan", 2, "--threshold: 'nan' is not a finite number"},
      {"search z --vector [1,0] --threshold -inf", 2, "--threshold: '-inf' is not a finite number"},
      {"search z --vector [1,0] --threshold 1e39", 2, "--threshold: '1e39' is not a finite number"},
      {"search z --vector [1,0] --threshold -0.5", 3, "'z' does not exist"},
      {"insert z /dev/null", 3, "insert into 'z': collection 'z' does not exist"},
  };
}

TEST(VectorDBCommands, odd_values_are_refused) {
  test::Folder folder;
  with_program(folder,
               [](Program& program) -> Coro<> { co_await run_each(program, odd_values()); });
}

TEST(VectorDBCommands, odd_values_of_serve_are_refused) {
  run([]() -> Coro<> {
    Outcome outcome = co_await outcome_of(VECTORDB, "serve", "--data", "");
    EXPECT_EQ(outcome.status, 2);
    EXPECT_TRUE(outcome.err.starts_with("--data: it is empty\n")) << outcome.err;
    outcome = co_await outcome_of(VECTORDB, "serve", "--data", "/nowhere", "--grace", "nan");
    EXPECT_EQ(outcome.status, 2);
    EXPECT_TRUE(outcome.err.starts_with("--grace: 'nan' is not a number from 0 to 86400\n"))
        << outcome.err;
  });
}

}  // namespace

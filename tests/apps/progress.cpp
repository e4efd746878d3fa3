// SPDX-License-Identifier: BSL-1.0
// What the programs of apps/ show on a terminal while they work, and nowhere else.
#include "../http/served.hpp"
#include "folder.hpp"
#include "terminal.hpp"
#include "vectordb_files.hpp"
#include "vectordb_process.hpp"
#include <asyncio/asyncio.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

using namespace asyncio;
using namespace std::chrono_literals;
using test::content_of;
using test::Folder;
using test::InputFile;
using test::Outcome;
using test::outcome_of;
using test::Program;
using test::screen;
using test::Served;
using test::Terminal;
using test::with_program;
using test::words;

namespace {

constexpr bool kOutputToo = true;

/// Runs a program whose standard error is a terminal, and its output if that is wanted. What the
/// terminal got stands as `err`.
Coro<Outcome> on_terminal(std::vector<std::string> command, bool output_too = false) {
  Terminal terminal;
  SubprocessOptions options;
  options.stdout(PIPE).stderr(terminal.device());
  if (output_too) options.stdout(terminal.device());
  Process process = co_await create_subprocess_exec(options, std::move(command));
  terminal.close_device();
  auto [out, err] = co_await process.communicate();
  Outcome outcome;
  outcome.status = process.returncode().value();
  outcome.out = std::move(out);
  outcome.err = terminal.text_at_end();
  co_return outcome;
}

/// A command of vectordb: words between blanks.
std::vector<std::string> vectordb(const Program& program, const std::string& line) {
  return words(VECTORDB " " + line + " --url " + program.url());
}

/// So many points on lines of JSON.
std::string lines_of(std::size_t count) {
  std::string text;
  for (std::size_t i = 0; i < count; ++i)
    text += "{\"id\":" + std::to_string(i) + ",\"vector\":[1,0]}\n";
  return text;
}

bool has(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

constexpr std::string_view kFull = "[##############################] 100% ";

/// The collection "docs" of two dimensions.
template <class F>
void with_docs(F body) {
  Folder folder;
  with_program(folder, [&](Program& program) -> Coro<> {
    Outcome made = co_await program("create docs 2 --distance Dot");
    EXPECT_EQ(made.status, 0) << made.err;
    co_await body(program);
  });
}

TEST(Progress, S46_insert_draws_a_bar_on_a_terminal_and_takes_it_away) {
  with_docs([](Program& program) -> Coro<> {
    InputFile file(".jsonl", lines_of(3000));
    const std::string insert = "insert docs " + file.path();
    Outcome outcome = co_await on_terminal(vectordb(program, insert));
    EXPECT_EQ(outcome.status, 0) << outcome.err;
    EXPECT_TRUE(outcome.err.starts_with("\rinsert [")) << outcome.err;
    EXPECT_TRUE(has(outcome.err, "\rinsert " + std::string(kFull) + "3000, ")) << outcome.err;
    EXPECT_TRUE(outcome.err.ends_with("\r\033[K")) << outcome.err;
    EXPECT_FALSE(has(outcome.err, "\n")) << outcome.err;
    EXPECT_TRUE(outcome.out.starts_with("inserted 3000 points in ")) << outcome.out;
    // The report has a line of its own.
    outcome = co_await on_terminal(vectordb(program, insert), kOutputToo);
    EXPECT_TRUE(has(outcome.err, kFull)) << outcome.err;
    std::vector<std::string> lines = screen(outcome.err);
    EXPECT_EQ(lines.size(), 1u) << outcome.err;
    EXPECT_TRUE(lines.front().starts_with("inserted 3000 points in ")) << outcome.err;
    outcome = co_await on_terminal(vectordb(program, insert + " --quiet"), kOutputToo);
    EXPECT_EQ(outcome.err, "");
    outcome = co_await program(insert);
    EXPECT_EQ(outcome.err, "") << "it is no terminal";
  });
}

TEST(Progress, S46_an_error_of_insert_has_a_line_of_its_own) {
  with_docs([](Program& program) -> Coro<> {
    InputFile file(".jsonl", lines_of(1000) + "{\"id\":\n");
    const std::string insert = "insert docs --batch 500 --concurrency 1 " + file.path();
    Outcome outcome = co_await on_terminal(vectordb(program, insert), kOutputToo);
    EXPECT_EQ(outcome.status, 4);
    EXPECT_TRUE(has(outcome.err, "% 500, ")) << outcome.err;
    EXPECT_FALSE(has(outcome.err, "100%")) << outcome.err;
    std::vector<std::string> lines = screen(outcome.err);
    EXPECT_EQ(lines.size(), 2u) << outcome.err;
    EXPECT_EQ(lines.front(), "vectordb: 1000 points were inserted before the error");
    EXPECT_TRUE(lines.back().starts_with("vectordb: " + file.path() + ":1001: ")) << lines.back();
  });
}

/// Until a terminal shows some text; gives up after a while.
Coro<> until_shown(Terminal& terminal, std::string text) {
  for (int i = 0; i < 2000 && !has(terminal.text(), text); ++i) co_await asyncio::sleep(10ms);
  EXPECT_TRUE(has(terminal.text(), text)) << terminal.text();
}

/// Nobody knows how long that is: there is a number, and no bar.
TEST(Progress, S46_insert_counts_what_comes_from_a_pipe) {
  with_docs([](Program& program) -> Coro<> {
    Terminal terminal;
    SubprocessOptions options;
    options.stdin(PIPE).stdout(DEVNULL).stderr(terminal.device());
    Process process =
        co_await create_subprocess_exec(options, vectordb(program, "insert docs - --batch 10"));
    for (int i = 0; i < 2000 && terminal.text().empty(); ++i) {
      process.stdin()->write(lines_of(10));
      co_await process.stdin()->drain();
      co_await asyncio::sleep(10ms);
    }
    process.stdin()->close();
    int status = co_await process.wait();
    EXPECT_EQ(status, 0);
    const std::string& text = terminal.text_at_end();
    EXPECT_TRUE(text.starts_with("\rinsert ")) << text;
    EXPECT_TRUE(has(text, "0, ")) << text;
    EXPECT_FALSE(has(text, "%")) << text;
    EXPECT_TRUE(screen(text).empty()) << text;
  });
}

TEST(Progress, S46_export_and_bench_have_bars_too) {
  with_docs([](Program& program) -> Coro<> {
    InputFile points(".jsonl", lines_of(300));
    Outcome outcome = co_await program("insert docs " + points.path());
    EXPECT_EQ(outcome.status, 0) << outcome.err;
    Folder folder;
    const std::string copy = folder.file("copy.jsonl");
    outcome = co_await on_terminal(vectordb(program, "export docs -o " + copy), kOutputToo);
    EXPECT_TRUE(has(outcome.err, "\rexport " + std::string(kFull) + "300, ")) << outcome.err;
    EXPECT_TRUE(screen(outcome.err).empty()) << outcome.err;
    std::string exported = content_of(copy);
    EXPECT_EQ(std::ranges::count(exported, '\n'), 300);
    // The points themselves are on the terminal: no bar stands among them.
    outcome = co_await on_terminal(vectordb(program, "export docs"), kOutputToo);
    EXPECT_FALSE(has(outcome.err, "export")) << outcome.err;
    EXPECT_EQ(screen(outcome.err).size(), 300u);
    const std::string bench = "bench --points 300 --dim 8 --seconds 0.1 --json";
    outcome = co_await on_terminal(vectordb(program, bench));
    EXPECT_TRUE(has(outcome.err, "\rinsert " + std::string(kFull) + "300, ")) << outcome.err;
    EXPECT_TRUE(screen(outcome.err).empty()) << outcome.err;
    EXPECT_TRUE(has(outcome.out, "\"p99_ms\"")) << outcome.out;
  });
}

/// A site of two pages; the second one comes when the crawler has shown how far it is.
class Site {
 public:
  web::Application application() {
    web::Application app;
    app.get("/", [](web::Request&) -> Coro<web::Response> {
      web::Response response;
      co_return std::move(response.html("<a href=/second>second</a>"));
    });
    app.get("/second", [this](web::Request&) -> Coro<web::Response> {
      co_await shown.wait();
      co_return web::Response("the end");
    });
    return app;
  }

  Event shown;
};

/// What the crawler shows of it, and its status. The second page comes when this is to be seen.
/// `where`: "--output=FILE", or nothing for the terminal.
Coro<Outcome> crawl(std::string where, std::string seed, std::string meanwhile) {
  Site site;
  Served served = co_await test::serve(site.application());
  Terminal terminal;
  SubprocessOptions options;
  options.stdout(terminal.device()).stderr(terminal.device());
  const std::string url = std::string(served.url().str()) + seed;
  Process process = co_await create_subprocess_exec(
      options, words(CRAWLER " --delay 0 --retries 0 --ignore-robots " + where + " " + url));
  co_await until_shown(terminal, meanwhile);
  site.shown.set();
  Outcome outcome;
  outcome.status = co_await process.wait();
  outcome.err = terminal.text_at_end();
  co_await served.cleanup();
  co_return outcome;
}

TEST(Progress, S40_the_crawler_shows_a_line_that_changes_and_ends_it) {
  run([]() -> Coro<> {
    Folder folder;
    Outcome outcome = co_await crawl("--output=" + folder.file("pages"), "", "1 pages, ");
    EXPECT_EQ(outcome.status, 0) << outcome.err;
    EXPECT_TRUE(outcome.err.starts_with("\r")) << outcome.err;
    EXPECT_TRUE(has(outcome.err, "\r1 pages, 0 failed, 0 excluded, ")) << outcome.err;
    std::vector<std::string> lines = screen(outcome.err);
    EXPECT_EQ(lines.size(), 1u) << outcome.err;
    EXPECT_TRUE(lines.front().starts_with("crawled: 2 pages, 0 failed, ")) << outcome.err;
    EXPECT_TRUE(outcome.err.ends_with("\n")) << outcome.err;
  });
}

/// Records and the line would write over each other.
TEST(Progress, S40_records_on_the_same_terminal_are_the_crawlers_progress) {
  run([]() -> Coro<> {
    Outcome outcome = co_await crawl("", "", "\"status\"");
    std::vector<std::string> lines = screen(outcome.err);
    EXPECT_EQ(lines.size(), 3u) << outcome.err;
    for (std::size_t i = 0; i + 1 < lines.size(); ++i)
      EXPECT_TRUE(lines[i].starts_with("{")) << lines[i];
    EXPECT_TRUE(lines.back().starts_with("crawled: 2 pages, ")) << lines.back();
    EXPECT_FALSE(has(outcome.err, "\033")) << outcome.err;
  });
}

TEST(Progress, S40_an_error_of_the_crawler_has_a_line_of_its_own) {
  run([]() -> Coro<> {
    Outcome outcome = co_await crawl("--output=/dev/full", "second", "\r0 pages, ");
    EXPECT_EQ(outcome.status, 1);
    std::vector<std::string> lines = screen(outcome.err);
    EXPECT_EQ(lines.size(), 1u) << outcome.err;
    EXPECT_EQ(lines.front(), "crawler: write /dev/full: No space left on device");
  });
}

TEST(Progress, S40_without_a_terminal_the_crawler_says_the_last_line_alone) {
  run([]() -> Coro<> {
    Site site;
    site.shown.set();
    Served served = co_await test::serve(site.application());
    const std::string url(served.url().str());
    const std::string crawl = CRAWLER " --delay 0 --ignore-robots " + url;
    // No terminal: a line at the end and nothing that moves.
    Outcome outcome = co_await outcome_of(words(crawl));
    EXPECT_TRUE(outcome.err.starts_with("crawled: 2 pages, ")) << outcome.err;
    EXPECT_FALSE(has(outcome.err, "\r")) << outcome.err;
    outcome = co_await on_terminal(words(crawl + " --quiet"));
    EXPECT_EQ(outcome.err, "");
    co_await served.cleanup();
  });
}

}  // namespace

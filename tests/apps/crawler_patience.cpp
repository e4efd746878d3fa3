// SPDX-License-Identifier: BSL-1.0
// apps/crawler while it takes its time: what it shows, and how it tries again.
#include "../http/served.hpp"
#include "asyncio/asyncio.hpp"
#include "asyncio/testing/simulated.hpp"
#include "crawler/fetcher.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fcntl.h>
#include <regex>
#include <string>
#include <unistd.h>
#include <utility>
#include <vector>

using namespace asyncio;
using namespace std::chrono_literals;
using test::serve;
using test::Served;

namespace {

/// A root, and four pages of which one fails and two are forbidden.
web::Application small_site(Event& release) {
  web::Application app;
  app.get("/robots.txt", [](web::Request&) -> Coro<web::Response> {
    co_return web::Response("User-agent: *\nDisallow: /private\n");
  });
  app.get("/", [](web::Request&) -> Coro<web::Response> {
    web::Response response;
    response.html("<a href=/page>a<a href=/private>b<a href=/private/too>c<a href=/none>d");
    co_return response;
  });
  app.get("/page", [&release](web::Request&) -> Coro<web::Response> {
    co_await release.wait();
    co_return web::Response(std::string(300'000, 'x'));
  });
  return app;
}

std::vector<std::string> command_for(const Served& served) {
  return {CRAWLER, "--output", "/dev/null", "--retries", "0", std::string(served.url().str())};
}

TEST(CrawlerProgress, the_last_line_says_what_was_done) {
  run([]() -> Coro<> {
    Event release;
    release.set();
    Served served = co_await serve(small_site(release));
    SubprocessOptions options;
    options.stderr(PIPE);
    Process process = co_await create_subprocess_exec(options, command_for(served));
    auto [out, err] = co_await process.communicate();
    EXPECT_EQ(process.returncode(), 0);
    std::regex line(
        R"(crawled: 2 pages, 1 failed, 2 excluded, 0 waiting; 0\.3 MB, \d+ pages/s, \d+\.\d s\n)");
    EXPECT_TRUE(std::regex_match(err, line)) << err;
    co_await served.cleanup();
  });
}

/// A terminal: what is written to it, and the end that a program has.
class Terminal {
 public:
  Terminal() : screen_(::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC)) {
    char name[64];
    if (::grantpt(screen_) == 0 && ::unlockpt(screen_) == 0 &&
        ::ptsname_r(screen_, name, sizeof name) == 0)
      program_ = ::open(name, O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (program_ < 0) throw OSError(errno, "open a terminal");
  }
  Terminal(const Terminal&) = delete;
  Terminal& operator=(const Terminal&) = delete;
  ~Terminal() { ::close(program_); }

  int program() const noexcept { return program_; }
  /// The reader owns the screen.
  Coro<StreamReader> screen() const { return connect_read_pipe(screen_); }

 private:
  int screen_;
  int program_ = -1;
};

/// Reads until `shown` has the words.
Coro<> until_shown(StreamReader screen, std::string& shown, std::string words) {
  while (shown.find(words) == std::string::npos) shown += co_await screen.read(1000);
}

TEST(CrawlerProgress, on_a_terminal_it_is_shown_meanwhile) {
  run([]() -> Coro<> {
    Event release;
    Served served = co_await serve(small_site(release));
    Terminal terminal;
    StreamReader screen = co_await terminal.screen();
    SubprocessOptions options;
    options.stderr(terminal.program());
    Process process = co_await create_subprocess_exec(options, command_for(served));
    std::string shown;
    // One page is asked for as long as nobody has seen this.
    std::string meanwhile = "\r1 pages, 1 failed, 2 excluded, 1 waiting; 0.0 MB, ";
    co_await wait_for(until_shown(screen, shown, meanwhile), 30s);
    EXPECT_EQ(shown.find("crawled"), std::string::npos) << shown;
    EXPECT_FALSE(process.returncode().has_value());
    release.set();
    std::string last = "\rcrawled: 2 pages, 1 failed, 2 excluded, 0 waiting; 0.3 MB, ";
    co_await wait_for(until_shown(screen, shown, last), 30s);
    int status = co_await process.wait();
    EXPECT_EQ(status, 0);
    co_await served.cleanup();
  });
}

/// How long it pauses between the tries of a page that is never to be had, or of the rules.
std::vector<std::chrono::nanoseconds> pauses(crawler::Options options, std::string retry_after,
                                             bool of_rules = false) {
  std::vector<TimePoint> tries;
  asyncio::testing::run_simulated([&]() -> Coro<> {
    web::Application app;
    app.get(of_rules ? "/robots.txt" : "/", [&](web::Request&) -> Coro<web::Response> {
      tries.push_back(get_running_loop().time());
      web::Response busy(http::Status::SERVICE_UNAVAILABLE);
      if (!retry_after.empty()) busy.header("Retry-After", retry_after);
      co_return busy;
    });
    Served served = co_await serve(std::move(app));
    options.robots = of_rules;
    crawler::Fetcher fetcher(options, 1);
    crawler::Page page = co_await fetcher.fetch(served.url());
    EXPECT_EQ(page.error, of_rules ? "robots.txt: status 503" : "");
    EXPECT_EQ(std::ssize(tries), options.retries + 1);
    fetcher.close();
    co_await served.cleanup();
  });
  std::vector<std::chrono::nanoseconds> between;
  for (std::size_t i = 1; i < tries.size(); ++i) between.push_back(tries[i] - tries[i - 1]);
  return between;
}

/// Not exactly twice as long: not all crawlers are to come back at the same time.
void expect_about(std::chrono::nanoseconds pause, std::chrono::duration<double> expected) {
  EXPECT_GE(pause, expected * 0.75);
  EXPECT_LE(pause, expected * 1.25 + 50ms);
}

TEST(CrawlerRetries, the_pauses_double_up_to_a_minute_or_two) {
  crawler::Options options;
  options.retries = 9;
  auto between = pauses(options, "");
  ASSERT_EQ(between.size(), 9u);
  for (std::size_t i = 0; i < 7; ++i)
    expect_about(between[i], options.backoff * static_cast<double>(1 << i));
  for (auto pause : between) EXPECT_LE(pause, 120s + 50ms);
}

TEST(CrawlerRetries, so_do_those_of_the_rules) {
  crawler::Options options;
  options.retries = 3;
  auto between = pauses(options, "", true);
  ASSERT_EQ(between.size(), 3u);
  for (std::size_t i = 0; i < 3; ++i)
    expect_about(between[i], options.backoff * static_cast<double>(1 << i));
  for (const auto& pause : pauses(options, "50", true)) expect_about(pause, 50s);
}

TEST(CrawlerRetries, Retry_After_is_the_least) {
  crawler::Options options;
  options.retries = 2;
  options.backoff = crawler::Seconds(0.1);
  for (const auto& pause : pauses(options, "1")) {
    EXPECT_GE(pause, 1s);
    EXPECT_LE(pause, 1050ms);
  }
  for (const auto& pause : pauses(options, "100000")) EXPECT_LE(pause, 300s + 50ms);  // not a day
  options.backoff = crawler::Seconds(10);
  for (const char* less : {"1", "-1", "Wed, 21 Oct 2026 07:28:00 GMT"}) {
    auto between = pauses(options, less);
    ASSERT_EQ(between.size(), 2u) << less;
    expect_about(between[0], 10s);
    expect_about(between[1], 20s);
  }
}

}  // namespace

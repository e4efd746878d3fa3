// SPDX-License-Identifier: BSL-1.0
// apps/crawler while it takes its time: what it shows, and how it tries again.
#include "../http/served.hpp"
#include "asyncio/asyncio.hpp"
#include "asyncio/testing/simulated.hpp"
#include "crawler/fetcher.hpp"
#include "tls.hpp"

#include <gtest/gtest.h>

#include <regex>
#include <string>
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

/// A site on which each path is another error; /broken breaks off once.
web::Application site_of_errors(int& asked) {
  web::Application app;
  app.get("/large", [&asked](web::Request&) -> Coro<web::Response> {
    ++asked;
    co_return web::Response(std::string(5000, 'x'));
  });
  app.get("/nowhere", [&asked](web::Request&) -> Coro<web::Response> {
    ++asked;
    web::Response response(http::Status::FOUND);
    response.header("Location", "http://[");
    co_return response;
  });
  app.get("/no_gzip", [&asked](web::Request&) -> Coro<web::Response> {
    ++asked;
    web::Response response("this is none");
    response.header("Content-Encoding", "gzip");
    co_return response;
  });
  app.get("/broken", [&asked](web::Request& request) -> Coro<web::Response> {
    web::StreamResponse stream;
    co_await stream.prepare(request);
    co_await stream.write("first half");
    if (++asked == 1) throw RuntimeError("breaks off");
    co_await stream.write(", second half");
    co_return co_await stream.write_eof();
  });
  return app;
}

crawler::Options small_pages() {
  crawler::Options options;
  options.robots = false;
  options.max_bytes = 4999;
  return options;
}

TEST(CrawlerRetries, what_cannot_pass_is_asked_for_once) {
  asyncio::testing::run_simulated([]() -> Coro<> {
    int asked = 0;
    Served served = co_await serve(site_of_errors(asked));
    crawler::Options options = small_pages();
    crawler::Fetcher fetcher(options, 1);
    for (const char* path : {"large", "nowhere", "no_gzip"}) {
      asked = 0;
      crawler::Page page = co_await fetcher.fetch(served.url() / path);
      EXPECT_NE(page.error, "") << path;
      EXPECT_EQ(page.attempts, 1) << path << ": " << page.error;
      EXPECT_EQ(asked, 1) << path;
    }
    asked = 0;
    crawler::Page broken = co_await fetcher.fetch(served.url() / "broken");
    EXPECT_EQ(broken.error, "");
    EXPECT_EQ(broken.bytes, 23u);
    EXPECT_EQ(broken.attempts, 2);
    fetcher.close();
    co_await served.cleanup();
  });
}

TEST(CrawlerRetries, a_certificate_that_is_refused_once_is_refused) {
  asyncio::testing::run_simulated([]() -> Coro<> {
    auto handler = [](StreamReader, StreamWriter) {};
    ServerOptions secure;
    secure.ssl(test::pki().server());
    Server server = co_await start_server(handler, "127.0.0.1", 0, secure);
    std::string port = std::to_string(server.sockets().at(0).port());
    crawler::Options options;
    options.robots = false;
    crawler::Fetcher fetcher(options, 1);
    http::URL secure_page("https://127.0.0.1:" + port + "/");
    crawler::Page page = co_await fetcher.fetch(secure_page);
    EXPECT_NE(page.error.find("certificate"), std::string::npos) << page.error;
    EXPECT_EQ(page.attempts, 1);
    // The same for the rules: no pause before another attempt.
    options.robots = true;
    TimePoint begin = get_running_loop().time();
    crawler::Page without_rules = co_await fetcher.fetch(secure_page);
    EXPECT_TRUE(without_rules.error.starts_with("robots.txt: ")) << without_rules.error;
    EXPECT_LT(get_running_loop().time() - begin, 500ms);
    // Nobody listens: that may pass.
    server.close();
    co_await server.wait_closed();
    options.robots = false;
    crawler::Page nobody = co_await fetcher.fetch(secure_page);
    EXPECT_EQ(nobody.attempts, options.retries + 1) << nobody.error;
    fetcher.close();
  });
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

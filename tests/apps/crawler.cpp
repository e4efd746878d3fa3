// SPDX-License-Identifier: BSL-1.0
// apps/crawler on sites that this test serves: what it finds, its manners, and its memory.
#include "../http/served.hpp"
#include "asyncio/asyncio.hpp"
#include "asyncio/http/nlohmann_json.hpp"
#include "crawler/crawl.hpp"
#include "crawler/fetcher.hpp"
#include "crawler/html_links.hpp"
#include "crawler/output.hpp"
#include "crawler/sqlite_frontier.hpp"
#include "folder.hpp"
#include "program.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <csignal>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <unistd.h>
#include <utility>
#include <vector>

using namespace asyncio;
using namespace std::chrono_literals;
using nlohmann::json;
using test::serve;
using test::Served;

namespace {

/// Files of a test, which are gone with it.
class Crawler : public ::testing::Test {
 protected:
  std::string state() const { return folder_.file("state"); }
  std::string output() const { return folder_.file("pages.jsonl"); }

  /// The records by URL's path; each URL is there once.
  std::map<std::string, json> records() const {
    std::map<std::string, json> found;
    std::ifstream file(output());
    for (std::string line; std::getline(file, line);) {
      json record = json::parse(line);
      std::string path(http::URL(record.at("url").get<std::string>()).path_qs());
      EXPECT_TRUE(found.emplace(path, record).second) << path << " is there twice";
    }
    return found;
  }

  std::vector<std::string> paths() const {
    std::vector<std::string> all;
    for (const auto& [path, record] : records()) all.push_back(path);
    return all;
  }

  std::vector<std::string> command_for(const Served& served) const {
    return {CRAWLER, "--state", state(), "--output", output(), std::string(served.url().str())};
  }

  crawler::Options options(const Served& served) const {
    crawler::Options chosen;
    chosen.seeds = {served.url()};
    chosen.output = output();
    chosen.state = state();
    chosen.backoff = chosen.backoff * 0.01;
    chosen.per_host = 8;
    return chosen;
  }

 private:
  test::Folder folder_;
};

Coro<> crawl(crawler::Options options) {
  crawler::Output output(options.output);
  crawler::SqliteFrontier frontier(options.state, output);
  crawler::Crawl crawl(options, frontier);
  co_await crawl.run();
}

constexpr int kPages = 60;

/// A page that leads to two others, and the root to the first of them.
std::string tree_page(int number) {
  std::string html = "<title>page " + std::to_string(number) + "</title>";
  for (int child : {2 * number, 2 * number + 1})
    if (child <= kPages) html += "<a href='/tree/" + std::to_string(child) + "'>next</a>";
  return html;
}

/// A site that counts who asks.
class Site {
 public:
  web::Application application() {
    web::Application app;
    app.get("/", [this](web::Request&) { return answer("<a href=/tree/1>begin</a>"); });
    app.get("/tree/{n:int}", [this](web::Request&, int n) { return answer(tree_page(n)); });
    return app;
  }

  std::vector<std::string> paths() const {
    std::vector<std::string> all{"/"};
    for (int n = 1; n <= kPages; ++n) all.push_back("/tree/" + std::to_string(n));
    std::ranges::sort(all);
    return all;
  }

  std::chrono::milliseconds latency{0};
  int asked = 0, now = 0, most = 0;
  Event changed;

 private:
  Coro<web::Response> answer(std::string html) {
    ++asked;
    changed.set();
    most = std::max(most, ++now);
    co_await sleep(latency);
    --now;
    web::Response response;
    response.html(std::move(html));
    co_return response;
  }
};

TEST_F(Crawler, S40_finds_every_page_once) {
  run([&]() -> Coro<> {
    Site site;
    Served served = co_await serve(site.application());
    auto chosen = options(served);
    chosen.depth = 100;
    chosen.concurrency = 5;
    site.latency = 1ms;
    co_await crawl(chosen);
    EXPECT_EQ(paths(), site.paths());
    EXPECT_EQ(site.asked, kPages + 1);
    EXPECT_GT(site.most, 1);
    EXPECT_LE(site.most, 5);
    json record = records().at("/tree/3");
    EXPECT_EQ(record.at("title"), "page 3");
    EXPECT_EQ(record.at("depth"), 2);
    EXPECT_EQ(record.at("status"), 200);
    EXPECT_EQ(record.at("links"), 2);
    co_await served.cleanup();
  });
}

TEST_F(Crawler, depth_and_page_limits) {
  run([&]() -> Coro<> {
    Site site;
    Served served = co_await serve(site.application());
    auto chosen = options(served);
    chosen.depth = 3;
    co_await crawl(chosen);
    EXPECT_EQ(records().size(), 8u);  // the root, 1, 2 and 3, 4 to 7
    chosen.state = state() + "2";
    std::filesystem::remove(output());
    chosen.depth = 100;
    chosen.pages = 13;
    co_await crawl(chosen);
    EXPECT_EQ(records().size(), 13u);
    for (const auto& [path, record] : records()) EXPECT_LE(record.at("depth").get<int>(), 4);
    co_await served.cleanup();
  });
}

TEST_F(Crawler, waits_without_work_for_the_last_pages) {
  run([&]() -> Coro<> {
    Site site;
    site.latency = 200ms;
    Served served = co_await serve(site.application());
    auto chosen = options(served);
    chosen.pages = 3;  // the next one of the same depth is ready all the time
    std::clock_t begin = std::clock();
    co_await crawl(chosen);
    EXPECT_EQ(records().size(), 3u);
    EXPECT_LT(static_cast<double>(std::clock() - begin) / CLOCKS_PER_SEC, 0.15);
    co_await served.cleanup();
  });
}

TEST_F(Crawler, robots_redirects_and_errors) {
  run([&]() -> Coro<> {
    int tries = 0;
    web::Application app;
    app.get("/robots.txt", [](web::Request&) -> Coro<web::Response> {
      co_return web::Response("User-agent: *\nDisallow: /private\nAllow: /private/but\n");
    });
    app.get("/", [](web::Request&) -> Coro<web::Response> {
      web::Response response;
      response.html(
          "<a href=/private/x>a<a href=/private/but>b<a href=moved>c<a href=busy>d"
          "<a href=none>e<a href=http://other.example/>f<a href=mailto:x@y>g");
      co_return response;
    });
    app.get("/private/{name...}", [](web::Request& request) -> Coro<web::Response> {
      co_return web::Response(request.path());
    });
    app.get("/moved", [](web::Request&) -> Coro<web::Response> {
      throw web::HTTPFound("/here");
      co_return web::Response();
    });
    app.get("/here", [](web::Request&) -> Coro<web::Response> { co_return web::Response("x"); });
    app.get("/busy", [&](web::Request&) -> Coro<web::Response> {
      if (++tries < 3) throw web::HTTPServiceUnavailable();
      co_return web::Response("at last");
    });
    Served served = co_await serve(std::move(app));
    co_await crawl(options(served));
    auto found = records();
    EXPECT_EQ(found.size(), 7u);
    EXPECT_EQ(found.at("/private/x").at("excluded"), "robots.txt");
    EXPECT_EQ(found.at("/private/but").at("status"), 200);
    EXPECT_EQ(found.at("/moved").at("location"), (served.url() / "here").str());
    EXPECT_EQ(found.at("/here").at("depth"), 1);
    EXPECT_EQ(found.at("/busy").at("attempts"), 3);
    EXPECT_EQ(found.at("/none").at("status"), 404);
    co_await served.cleanup();
    auto gone = options(served);
    gone.state.clear();
    std::filesystem::remove(output());
    co_await crawl(gone);
    std::string error = records().at("/").at("error");
    EXPECT_NE(error.find("robots.txt: cannot connect"), std::string::npos) << error;
  });
}

TEST_F(Crawler, a_run_that_is_interrupted_anywhere_goes_on_to_the_same_end) {
  run([&]() -> Coro<> {
    Site site;
    Served served = co_await serve(site.application());
    auto chosen = options(served);
    chosen.depth = 100;
    chosen.concurrency = 4;
    for (int stops = 0; stops < 200; ++stops) {
      int until = site.asked + 1 + stops % 5;
      auto crawling = create_task([&]() -> Coro<> { co_await crawl(chosen); });
      crawling.add_done_callback([&](const auto&) { site.changed.set(); });
      while (!crawling.done() && site.asked < until) {
        site.changed.clear();
        co_await site.changed.wait();
      }
      if (crawling.done()) break;
      crawling.cancel();
      auto outcome = co_await capture(crawling);
      EXPECT_TRUE(outcome.cancelled());
    }
    co_await crawl(chosen);
    EXPECT_EQ(paths(), site.paths());
    co_await served.cleanup();
  });
}

TEST_F(Crawler, the_program_stops_at_a_signal_and_goes_on) {
  run([&]() -> Coro<> {
    Site site;
    site.latency = 2ms;
    Served served = co_await serve(site.application());
    std::vector<std::string> command{CRAWLER,
                                     "--state",
                                     state(),
                                     "--output",
                                     output(),
                                     "--depth",
                                     "100",
                                     "--concurrency",
                                     "4",
                                     "--quiet",
                                     std::string(served.url().str())};
    // SIGKILL leaves no time for a clean end: it has to be enough that nothing is half done.
    for (int signal : {SIGINT, SIGTERM, SIGKILL}) {
      int until = site.asked + 10;
      Process process = co_await create_subprocess_exec(SubprocessOptions(), command);
      while (site.asked < until) {
        site.changed.clear();
        co_await site.changed.wait();
      }
      process.send_signal(signal);
      int status = co_await process.wait();
      EXPECT_EQ(status, signal == SIGKILL ? -SIGKILL : 130);
    }
    EXPECT_LT(records().size(), static_cast<std::size_t>(kPages + 1));
    for (int again = 0; again < 2; ++again) {
      test::Outcome outcome = co_await test::outcome_of(command);
      EXPECT_EQ(outcome.status, 0) << outcome.err;
      EXPECT_EQ(paths(), site.paths());
    }
    co_await served.cleanup();
  });
}

TEST_F(Crawler, R10_errors_say_what_to_do) {
  run([&]() -> Coro<> {
    test::Outcome help = co_await test::outcome_of(CRAWLER, "--help");
    EXPECT_EQ(help.status, 0);
    EXPECT_NE(help.out.find("--per-host"), std::string::npos);
    test::Outcome wrong = co_await test::outcome_of(CRAWLER, "ftp://h/");
    EXPECT_EQ(wrong.status, 2);
    EXPECT_NE(wrong.err.find("neither http nor https"), std::string::npos) << wrong.err;
    std::ofstream(state()) << std::string(5000, 'x');
    test::Outcome state_file =
        co_await test::outcome_of(CRAWLER, "--state", state(), "http://127.0.0.1:1/");
    EXPECT_EQ(state_file.status, 1);
    EXPECT_EQ(state_file.err, "crawler: " + state() + ": file is not a database\n");
    crawler::Output out(output());
    crawler::SqliteFrontier held(state() + "2", out);
    test::Outcome second =
        co_await test::outcome_of(CRAWLER, "--state", state() + "2", "http://127.0.0.1:1/");
    EXPECT_EQ(second.status, 1);
    EXPECT_EQ(second.err, "crawler: " + state() + "2: database is locked\n");
    test::Outcome nowhere =
        co_await test::outcome_of(CRAWLER, "--output", "/none/pages", "http://127.0.0.1:1/");
    EXPECT_EQ(nowhere.status, 1);
    EXPECT_TRUE(nowhere.err.starts_with("crawler: open /none/pages: ")) << nowhere.err;
    test::Outcome nobody =
        co_await test::outcome_of(CRAWLER, "--retries", "0", "http://127.0.0.1:1/");
    EXPECT_EQ(nobody.status, 1);
    EXPECT_NE(nobody.out.find("\"error\""), std::string::npos) << nobody.out;
  });
}

TEST_F(Crawler, an_output_that_is_shorter_than_the_state_says_is_refused) {
  run([&]() -> Coro<> {
    Site site;
    Served served = co_await serve(site.application());
    std::vector<std::string> command = command_for(served);
    test::Outcome whole = co_await test::outcome_of(command);
    EXPECT_EQ(whole.status, 0) << whole.err;
    auto size = std::filesystem::file_size(output());
    for (std::uintmax_t left : {size - 1, std::uintmax_t{0}}) {
      std::filesystem::resize_file(output(), left);
      int asked = site.asked;
      test::Outcome again = co_await test::outcome_of(command);
      EXPECT_EQ(again.status, 1);
      EXPECT_EQ(again.err, "crawler: " + output() + ": has " + std::to_string(left) +
                               " bytes, and the state says that " + std::to_string(size) +
                               " were written: put that file back, or begin anew with another "
                               "state\n");
      EXPECT_EQ(site.asked, asked);
    }
    command[4] = "/dev/null";  // keeps nothing, and so misses nothing
    test::Outcome nowhere = co_await test::outcome_of(command);
    EXPECT_EQ(nowhere.status, 0) << nowhere.err;
    co_await served.cleanup();
  });
}

TEST(CrawlerRobots, the_rules_of_hosts_that_are_not_asked_are_forgotten) {
  run([]() -> Coro<> {
    std::vector<std::string> asked;
    web::Application app;
    app.get("/robots.txt", [&](web::Request& request) -> Coro<web::Response> {
      asked.emplace_back(request.headers().get("Host", "").substr(0, 9));
      co_return web::Response("User-agent: *\nAllow: /\n");
    });
    app.get("/", [](web::Request&) -> Coro<web::Response> { co_return web::Response("x"); });
    web::AppRunner runner(std::move(app));
    co_await runner.setup();
    web::TCPSite site(runner, "0.0.0.0", 0);
    co_await site.start();
    std::string port = std::to_string(runner.addresses().at(0).port());
    crawler::Options options;
    crawler::Fetcher fetcher(options, 2);
    for (const char* host :
         {"127.0.0.1", "127.0.0.2", "127.0.0.1", "127.0.0.3", "127.0.0.1", "127.0.0.2"}) {
      http::URL url("http://" + std::string(host) + ":" + port + "/");
      crawler::Page page = co_await fetcher.fetch(url);
      EXPECT_EQ(page.status, 200) << host << ": " << page.error;
    }
    std::vector<std::string> expected{"127.0.0.1", "127.0.0.2", "127.0.0.3", "127.0.0.2"};
    EXPECT_EQ(asked, expected);
    fetcher.close();
    co_await runner.cleanup();
  });
}

std::string links_of(std::string_view html) {
  auto summary = crawler::summarize_html(html, http::URL("http://h/d/page?x"));
  std::string all = summary.title;
  for (const auto& link : summary.links) all.append(" ").append(link.str());
  return all;
}

TEST(CrawlerHtml, links) {
  EXPECT_EQ(links_of("<title> a &amp;\n b</title><A HREF=\"x?a=1&amp;b\"><a href='/y#z'>"),
            "a & b http://h/d/x?a=1&b http://h/y");
  EXPECT_EQ(links_of("<a href=x><a href=x><a href=mailto:a@b><a name=x><a href=//o/p>"),
            " http://h/d/x http://o/p");
  EXPECT_EQ(links_of("<!-- <a href=no> --><script>'<a href=no>'</script><a\nhref = yes >"),
            " http://h/d/yes");
  EXPECT_EQ(links_of("<base href=/b/><a href=x><a rel='me nofollow' href=y>"), " http://h/b/x");
  EXPECT_EQ(links_of("<a href=x><meta name=robots content='index, nofollow'>"), "");
  EXPECT_EQ(links_of("<a href='two words'><a href=\\x><a href=http://[>"),
            " http://h/d/two%20words http://h/x");
  // However broken it is, it ends.
  std::string whole = "<title>t</title><a href='x&#65;&#x42;&bad;' b><!-- c --><script>s</script>";
  for (std::size_t size = 0; size <= whole.size(); ++size) links_of(whole.substr(0, size));
}

/// Four megabytes of `piece`, then `tail`.
std::string repeated(const std::string& piece, const std::string& tail) {
  std::string html;
  while (html.size() < 4'000'000) html += piece;
  return html + tail;
}

TEST(CrawlerHtml, titles_are_passed_over_once) {
  // As in a browser: an end tag alone ends a title, and what is in it is no tag.
  EXPECT_EQ(links_of("<title>a <a href=no></title><a href=x>"), "a <a href=no> http://h/d/x");
  EXPECT_EQ(links_of("<title>a</a><a href=no>"), "a</a><a href=no>");
  // A search from each title to an end that is far away would take minutes.
  std::string title = "<title>" + std::string(1000, ' ');
  EXPECT_EQ(links_of(repeated(title, repeated("</a>", "<a href=no>"))), "");
  EXPECT_EQ(links_of(repeated(title + "</title>", "<a href=x>")), " http://h/d/x");
}

TEST(CrawlerHosts, manners) {
  crawler::Hosts hosts(2, 100ms);
  for (const char* url : {"http://a/1", "http://a/2", "http://a/3", "http://b/1"})
    hosts.push(crawler::Target(url, 0));
  TimePoint now{};
  auto next = [&] {
    auto target = hosts.next(now);
    return target ? target->url : "none";
  };
  EXPECT_EQ(next(), "http://a/1");
  EXPECT_EQ(next(), "http://b/1");
  EXPECT_EQ(next(), "none");
  EXPECT_EQ(hosts.when(), now + 100ms);
  now += 100ms;
  EXPECT_EQ(next(), "http://a/2");
  now += 100ms;
  EXPECT_EQ(next(), "none");  // two are being asked
  EXPECT_EQ(hosts.when(), std::nullopt);
  hosts.release(crawler::Target("http://a/1", 0));
  hosts.slow_down(crawler::Target("http://a/1", 0), 1s);
  EXPECT_EQ(next(), "none");
  now += 900ms;
  EXPECT_EQ(next(), "http://a/3");
  EXPECT_EQ(hosts.size(), 0u);
}

}  // namespace

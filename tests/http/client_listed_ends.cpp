// SPDX-License-Identifier: BSL-1.0
// How requests and sessions end, as aiohttp's list of client tests has it; see client_listed.cpp.
#include "asked_site.hpp"
#include "asyncio/asyncio.hpp"
#include "asyncio/http/client.hpp"
#include "asyncio/testing/network.hpp"
#include "asyncio/testing/simulated.hpp"
#include "captures.hpp"
#include "connected.hpp"
#include "raw_server.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <unistd.h>
#include <utility>
#include <vector>

using namespace asyncio;
using namespace std::chrono_literals;
using asyncio::testing::Network;
using asyncio::testing::run_simulated;
using http::ClientResponse;
using http::ClientSession;
using http::HttpLimits;
using http::Method;
using http::RequestOptions;
using http::SessionOptions;
using http::URL;
using test::ask;
using test::error_of;
using test::RawServer;
using test::response_with;
using test::Site;
using test::Strings;
using test::text_of;
using test::with_site;

namespace {

TEST(ClientListedEnds, D13_what_cannot_be_asked) {
  run_simulated([]() -> Coro<> {
    ClientSession session;
    for (const char* text :
         {"http://:/", "http://example.org:non_int_port/", "http:/", "http:/example.com",
          "http:///example.com", "http://\xc2\x80owhefopw.com", "call:+380123456789",
          "skype:handle", "slack://instance/room", "bluesky://profile/d:i:d"}) {
      auto asked = [&]() -> Coro<> {
        URL url(text);
        co_await session.get(url);
      };
      auto outcome = co_await capture(asked());
      EXPECT_TRUE(outcome.holds<http::InvalidURL>()) << text;
    }
    session.close();
  });
}

TEST(ClientListedEnds, D13_redirects_that_cannot_be_followed_leave_the_session_usable) {
  auto configure = [](SessionOptions& options) { options.limit(1); };
  const Strings targets{"ftp://127.0.0.1/", "http:/x", "http://:/", "http://h:port/", "mailto:a@b"};
  with_site(
      [&](Site& site, RawServer&, ClientSession& session) -> Coro<> {
        site.redirect("/first", "301", "/second");
        for (const std::string& to : targets) {
          site.redirect("/second", "301", to);
          auto outcome = co_await capture(session.get("/first"));
          EXPECT_TRUE(outcome.holds<http::InvalidURL>()) << to;
          std::string text = co_await text_of(session, "/end");
          EXPECT_EQ(text, "end");
        }
        for (int i = 0; i < 10; ++i)
          site.redirect("/" + std::to_string(i), "302", "/" + std::to_string(i + 1));
        ClientResponse tenth = co_await session.get("/0");
        co_await tenth.read();
        EXPECT_EQ(tenth.history().size(), 10u);
        RequestOptions nine;
        nine.max_redirects(9);
        auto too_many = co_await capture(session.get("/0", nine));
        EXPECT_TRUE(too_many.holds<http::TooManyRedirects>());
      },
      configure);
}

TEST(ClientListedEnds, D13_servers_that_are_none) {
  auto configure = [](SessionOptions& options) { options.limit(1); };
  with_site(
      [](Site&, RawServer&, ClientSession& session) -> Coro<> {
        Network network;
        network.host("nowhere.test", {});
        RawServer plain =
            co_await RawServer::start([](StreamReader reader, StreamWriter writer) -> Coro<> {
              co_await reader.read(1);
              co_await writer.send("HTTP/1.1 400 No TLS here\r\n\r\n");
            });
        const URL no_tls("https://127.0.0.1:" + std::to_string(plain.port()) + "/");
        for (int i = 0; i < 2; ++i) {
          for (const URL& url : {URL("http://nowhere.test/"), URL("http://127.0.0.1:1/"), no_tls}) {
            auto outcome = co_await capture(session.get(url));
            EXPECT_TRUE(outcome.holds<http::ClientConnectorError>()) << url.str();
          }
        }
        std::string text = co_await text_of(session, "/");
        EXPECT_EQ(text, "end") << "the one slot is free again";
        co_await plain.stop();
      },
      configure);
}

/// Cancelled, refused, redirected or cut off: the generator does not live on.
TEST(ClientListedEnds, D13_the_source_of_a_body_ends_with_its_request) {
  const std::vector<std::tuple<std::string, std::string, std::string>> cases{
      {"307", "/end", "ClientPayloadError"}, {"303", "/end", "nothing"},
      {"303", "ftp://h/", "InvalidURL"},     {"303", "/from", "TooManyRedirects"},
      {"", "", "ServerDisconnectedError"},   {"cancelled", "", "TimeoutError"}};
  for (const auto& [status, to, expected] : cases) {
    with_site([&](Site& site, RawServer&, ClientSession& session) -> Coro<> {
      const bool slow = status == "cancelled";
      site.redirect("/from", status, to);
      if (to.empty()) site.answers["/from"] = "";
      auto lives = std::make_shared<int>(0);
      auto source = [](std::shared_ptr<int> alive, bool waits) -> AsyncGenerator<std::string> {
        co_yield std::string("one");
        if (waits) co_await sleep(1h);
        co_yield std::to_string(alive.use_count());
      };
      RequestOptions options;
      options.data(source(lives, slow)).max_redirects(to == "/from" ? 0 : 1);
      auto begun = wait_for(ask(session, Method::POST, "/from", std::move(options)), 1s);
      std::string error = co_await error_of(std::move(begun));
      EXPECT_NE(error.find(expected), std::string::npos) << error;
      options = RequestOptions();
      co_await test::settle();
      EXPECT_EQ(lives.use_count(), 1) << status << " " << to;
    });
  }
}

/// A file of the test, which is removed in the end.
class TestFile {
 public:
  explicit TestFile(const std::string& text)
      : path_(::testing::TempDir() + "client_listed." + std::to_string(::getpid())) {
    std::ofstream(path_) << text;
  }
  ~TestFile() { std::filesystem::remove(path_); }
  TestFile(const TestFile&) = delete;
  TestFile& operator=(const TestFile&) = delete;
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

TEST(ClientListedEnds, D13_a_file_is_sent_whole_each_time) {
  const std::string text(200'000, 'x');
  TestFile file(text);
  with_site([&](Site& site, RawServer& server, ClientSession& session) -> Coro<> {
    RequestOptions options;
    options.file(file.path());
    for (const char* status : {"307", "308", "302"}) {
      site.redirect("/from", status, "/end");
      site.bodies.clear();
      co_await ask(session, Method::PUT, "/from", options);
      EXPECT_EQ(site.bodies.size(), 2u);
      for (const std::string& body : site.bodies) EXPECT_TRUE(body == text) << body.size();
    }
    co_await ask(session, Method::POST, "/from", options);
    EXPECT_EQ(site.last(), "GET /end|-|-|");
    // A connection of the pool that ends without an answer: once more, from the file's begin.
    site.answers["/lost"] = "";
    site.bodies.clear();
    std::string error = co_await error_of(ask(session, Method::PUT, "/lost", options));
    EXPECT_NE(error.find("ServerDisconnectedError"), std::string::npos) << error;
    EXPECT_EQ(site.bodies.size(), 2u);
    EXPECT_TRUE(site.bodies.back() == text);
    EXPECT_EQ(server.connections(), 2);
    RequestOptions missing;
    missing.file(file.path() + ".none");
    error = co_await error_of(ask(session, Method::PUT, "/end", missing));
    EXPECT_NE(error.find("FileNotFoundError"), std::string::npos) << error;
    std::string end = co_await text_of(session, "/end");
    EXPECT_EQ(end, "end");
  });
}

TEST(ClientListedEnds, D13_pieces_are_not_sent_twice) {
  with_site([](Site& site, RawServer&, ClientSession& session) -> Coro<> {
    co_await ask(session, Method::GET, "/");
    site.answers["/lost"] = "";
    RequestOptions options;
    options.data(test::pieces({"one"}));
    std::string error = co_await error_of(ask(session, Method::PUT, "/lost", std::move(options)));
    EXPECT_NE(error.find("ServerDisconnectedError"), std::string::npos) << error;
    EXPECT_EQ(site.heads.size(), 2u);
  });
}

TEST(ClientListedEnds, D13_a_request_that_is_not_to_be_repeated_is_sent_once) {
  with_site([](Site& site, RawServer& server, ClientSession& session) -> Coro<> {
    site.answers["/lost"] = "";
    for (bool allowed : {true, false}) {
      co_await ask(session, Method::GET, "/");
      site.heads.clear();
      RequestOptions options;
      options.allow_repeats(allowed);
      std::string error = co_await error_of(ask(session, Method::DELETE, "/lost", options));
      EXPECT_NE(error.find("ServerDisconnectedError"), std::string::npos) << error;
      EXPECT_EQ(site.heads.size(), allowed ? 2u : 1u);
    }
    EXPECT_EQ(server.connections(), 3);
  });
}

TEST(ClientListedEnds, D13_limits_of_a_session) {
  const std::string line(8190, 'x');
  auto answer = [](const std::string& reason, const std::string& fields) {
    return "HTTP/1.1 200 " + reason + "\r\n" + fields + "Content-Length: 0\r\n\r\n";
  };
  std::string many;
  for (int i = 0; i < 130; ++i) many += "X: y\r\n";
  const std::vector<std::tuple<std::string, HttpLimits, bool>> cases{
      {answer("OK", "X: " + line + "\r\n"), HttpLimits(), false},
      {answer("OK", "X: " + line + "\r\n"), HttpLimits().field(8194), true},
      {answer("OK", "X: y\r\n"), HttpLimits().field(3), false},
      {answer(line, ""), HttpLimits(), false},
      {answer(line, ""), HttpLimits().start_line(9000), true},
      {answer("OK", many), HttpLimits(), false},
      {answer("OK", many), HttpLimits().fields(131), true}};
  for (const auto& [bytes, limits, fits] : cases) {
    with_site(
        [&](Site& site, RawServer&, ClientSession& session) -> Coro<> {
          site.answers["/"] = bytes;
          auto outcome = co_await capture(text_of(session, "/"));
          EXPECT_EQ(outcome.holds<http::ClientProtocolError>(), !fits) << bytes.substr(0, 40);
          EXPECT_EQ(static_cast<bool>(outcome), fits) << bytes.substr(0, 40);
        },
        [&](SessionOptions& options) { options.limits(limits); });
  }
}

TEST(ClientListedEnds, D13_the_end_of_a_session) {
  run_simulated([]() -> Coro<> {
    Site site;
    RawServer server = co_await RawServer::start(site.handler());
    const URL url = server.url();
    std::optional<ClientSession> kept;
    std::optional<ClientResponse> response;
    auto body = [&](ClientSession& session) -> Coro<> {
      kept = session;
      response = co_await session.get(url);
      EXPECT_FALSE(kept->closed());
      throw LookupError("out of here");
    };
    std::string error = co_await error_of(with(ClientSession(), body));
    EXPECT_NE(error.find("out of here"), std::string::npos) << error;
    EXPECT_TRUE(kept->closed());
    kept->close();
    auto late = co_await capture(kept->get(url));
    EXPECT_TRUE(late.holds<RuntimeError>());
    std::string text = co_await response->text();
    EXPECT_EQ(text, "end") << "what is under way can be read to its end";
    co_await server.stop();
    auto refused = co_await capture(http::get(url));
    EXPECT_TRUE(refused.holds<http::ClientConnectorError>());
  });
}

}  // namespace

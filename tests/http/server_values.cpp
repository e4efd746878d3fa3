// SPDX-License-Identifier: BSL-1.0
// What handlers and routes are given that cannot stand in HTTP as it is: methods, locations,
// cookies, bodies of answers that have none.
#include "asyncio/asyncio.hpp"
#include "asyncio/http/client.hpp"
#include "asyncio/web/exceptions.hpp"
#include "asyncio/web/session.hpp"
#include "backends.hpp"
#include "captures.hpp"
#include "raw_client.hpp"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

using namespace asyncio;
using namespace std::chrono_literals;
using test::exchange;
using test::get;
using test::serve;
using test::Served;
using test::thrown;

namespace {

class ServerValues : public test::BackendTest {};
INSTANTIATE_TEST_SUITE_P(Backends, ServerValues, ::testing::Values("epoll", "simulated"),
                         test::backend_name);

const std::string kClose = "Connection: close\r\n";

TEST_P(ServerValues, S49_methods_of_routes_in_any_letters) {
  run([]() -> Coro<> {
    web::Application app;
    app.add_route("get", "/", test::say_last).add_route("pAtCh", "/", test::say_last);
    auto add = [&app](std::string_view method) {
      return thrown([&] { app.add_route(method, "/other", test::say_last); });
    };
    EXPECT_EQ(add(""), "asyncio::ValueError: route '/other': method \"\": is no token");
    EXPECT_EQ(add("foo bar"),
              "asyncio::ValueError: route '/other': method \"foo bar\": is no token");
    EXPECT_EQ(thrown([&] { app.get("/", test::say_last); }),
              "asyncio::ValueError: route '/': GET has a handler already");
    Served served = co_await serve(std::move(app));
    for (const char* method : {"GET", "PATCH"}) {
      std::string answer = co_await exchange(
          served.port(), std::string(method) + " / HTTP/1.1\r\nHost: h\r\n" + kClose + "\r\n");
      EXPECT_TRUE(answer.ends_with(test::kLast)) << answer;
    }
    co_await served.cleanup();
  });
}

/// What the Location of a redirection becomes.
std::string location(std::string_view text) {
  return std::string(web::HTTPFound(text).response().headers().get("Location", ""));
}

TEST(Redirections, R13_a_location_is_a_reference) {
  EXPECT_EQ(location("\xc3\xbc x"), "%C3%BC%20x");
  EXPECT_EQ(location("/a%20b%2f100%?q=<1>#f"), "/a%20b%2f100%25?q=%3C1%3E#f");
  EXPECT_EQ(location("https://u@[::1]:80/a;b=c,d/@!$&'()*+"),
            "https://u@[::1]:80/a;b=c,d/@!$&'()*+");
  EXPECT_THROW(location("a\nb"), ValueError);
}

TEST_P(ServerValues, R13_205_has_an_empty_body) {
  run([]() -> Coro<> {
    web::Application app;
    app.get("/", [](web::Request&) -> Coro<web::Response> {
      web::Response response("body");
      response.status(205);
      co_return response;
    });
    Served served = co_await serve(std::move(app));
    std::string answer = co_await exchange(served.port(), get("/", kClose));
    EXPECT_TRUE(answer.starts_with("HTTP/1.1 205 Reset Content\r\n")) << answer;
    EXPECT_NE(answer.find("\r\nContent-Length: 0\r\n"), std::string::npos) << answer;
    EXPECT_EQ(answer.find("Content-Type"), std::string::npos) << answer;
    EXPECT_TRUE(answer.ends_with("\r\n\r\n")) << answer;
    co_await served.cleanup();
  });
}

TEST(ResponseCookies, S49_are_for_the_whole_site_unless_they_say_otherwise) {
  auto sent = [](const http::Cookie& cookie) {
    return std::string(web::Response().set_cookie(cookie).headers().get("Set-Cookie", ""));
  };
  EXPECT_EQ(sent(http::Cookie("c", "d")), "c=d; Path=/");
  EXPECT_EQ(sent(http::Cookie("c", "d").secure().path("/deep")), "c=d; Path=/deep; Secure");
}

TEST_P(ServerValues, R10_a_session_without_its_middleware) {
  run([]() -> Coro<> {
    web::Application app;
    app.get("/", [](web::Request& request) -> Coro<web::Response> {
      web::Session& session = web::get_session(request);
      co_return web::Response(std::to_string(session.is_new()));
    });
    Served served = co_await serve(std::move(app));
    test::LogCapture log;
    co_await exchange(served.port(), get("/", kClose));
    EXPECT_EQ(log.count("asyncio::LookupError: get_session: the request has none: add "
                        "web::session_middleware(...) to the application"),
              1)
        << log.all();
    co_await served.cleanup();
  });
}

TEST_P(ServerValues, R10_a_wrong_url_is_thrown_where_its_request_is_awaited) {
  run([]() -> Coro<> {
    http::ClientSession session;
    std::vector<Coro<http::ClientResponse>> requests;
    for (const char* url : {"http://a b/", "nothing"}) {
      requests.push_back(session.get(url));
      requests.push_back(session.request("PUT", std::string(url)));
      requests.push_back(http::get(url));
      requests.push_back(http::request("PUT", std::string_view(url)));
    }
    for (auto& request : requests) {
      auto outcome = co_await capture(std::move(request));
      EXPECT_TRUE(outcome.holds<http::InvalidURL>());
    }
    auto socket = co_await capture(session.ws_connect("ws://a b/"));
    EXPECT_TRUE(socket.holds<http::InvalidURL>());
    session.close();
  });
}

TEST_P(ServerValues, S49_a_timeout_of_zero_is_none) {
  run([]() -> Coro<> {
    web::Application app;
    app.get("/", test::say_last);
    Served served = co_await serve(std::move(app));
    http::ClientTimeout none;
    none.total(0s).connect(0ms).sock_connect(0s).sock_read(0s);
    http::ClientSession session(http::SessionOptions().timeout(none));
    http::ClientResponse response = co_await session.get(served.url());
    std::string text = co_await response.text();
    EXPECT_EQ(text, "last");
    EXPECT_FALSE(none.get_total());
    EXPECT_EQ(thrown([] { http::ClientTimeout().sock_read(-1s); }),
              "asyncio::ValueError: ClientTimeout: sock_read is less than zero");
    session.close();
    co_await served.cleanup();
  });
}

}  // namespace

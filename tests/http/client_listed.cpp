// SPDX-License-Identifier: BSL-1.0
// What aiohttp's list of client tests has beyond our other tests; the list beside ours is in
// docs/internals/aiohttp-client-tests.md.
#include "asked_site.hpp"
#include "asyncio/asyncio.hpp"
#include "asyncio/http/client.hpp"
#include "asyncio/testing/network.hpp"
#include "asyncio/testing/simulated.hpp"
#include "captures.hpp"
#include "connected.hpp"
#include "raw_server.hpp"

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

using namespace asyncio;
using namespace std::chrono_literals;
using asyncio::testing::Network;
using asyncio::testing::run_simulated;
using http::ClientResponse;
using http::ClientSession;
using http::ClientTimeout;
using http::FormData;
using http::Method;
using http::MultiDict;
using http::RequestOptions;
using http::SessionOptions;
using http::URL;
using test::ask;
using test::error_of;
using test::field_of;
using test::RawServer;
using test::response_with;
using test::Site;
using test::Strings;
using test::target_of;
using test::text_of;
using test::with_site;

namespace {

TEST(ClientListed, D13_what_a_redirect_makes_of_a_request) {
  const std::string same = " /end|text/x|4|body", get = "GET /end|-|-|";
  const std::vector<std::tuple<std::string, Method, std::string>> cases{
      {"301", Method::POST, get},           {"302", Method::POST, get},
      {"303", Method::POST, get},           {"307", Method::POST, "POST" + same},
      {"308", Method::POST, "POST" + same}, {"301", Method::PUT, "PUT" + same},
      {"302", Method::PUT, "PUT" + same},   {"303", Method::PUT, get},
      {"307", Method::PUT, "PUT" + same},   {"303", Method::DELETE, get}};
  for (const auto& [status, method, expected] : cases) {
    with_site([&](Site& site, RawServer&, ClientSession& session) -> Coro<> {
      site.redirect("/from", status, "/end");
      RequestOptions options;
      options.data("body").header("Content-Type", "text/x");
      co_await ask(session, method, "/from", options);
      EXPECT_EQ(site.last(), expected) << status << " " << method.str();
    });
  }
}

TEST(ClientListed, D13_a_redirect_of_a_head_is_a_head_if_it_is_followed) {
  with_site([](Site& site, RawServer& server, ClientSession& session) -> Coro<> {
    for (const char* status : {"302", "303"}) {
      site.redirect("/from", status, "/end");
      co_await ask(session, Method::HEAD, "/from", RequestOptions().allow_redirects(true));
      EXPECT_EQ(site.last(), "HEAD /end|-|-|");
    }
    ClientResponse response = co_await session.head("/from");
    EXPECT_EQ(response.status(), 303);
    EXPECT_EQ(server.connections(), 1);
  });
}

TEST(ClientListed, D13_where_redirects_lead) {
  with_site([](Site& site, RawServer& server, ClientSession& session) -> Coro<> {
    site.redirect("/a?x=1", "301", "/b?y=2#part");
    site.redirect("/b?y=2", "302", std::string(server.url("/end").str()));
    RequestOptions options;
    options.params({{"x", "1"}});
    ClientResponse response = co_await session.get("/a", options);
    EXPECT_EQ(target_of(site.heads.back()), "/end");
    EXPECT_EQ(response.url(), server.url("/end"));
    Strings history;
    for (const ClientResponse& before : response.history())
      history.push_back(std::to_string(before.status().code()) + " " +
                        std::string(before.url().path_qs()));
    EXPECT_EQ(history, (Strings{"301 /a?x=1", "302 /b?y=2"}));
    // What is not followed is an answer like others.
    site.answers["/nowhere"] = "HTTP/1.1 301 X\r\nContent-Length: 4\r\n\r\nbody";
    std::string text = co_await text_of(session, "/nowhere");
    EXPECT_EQ(text, "body");
    response = co_await session.get("/b?y=2", RequestOptions().allow_redirects(false));
    EXPECT_EQ(response.status(), 302);
    EXPECT_TRUE(response.history().empty());
    for (const char* status : {"300", "304", "305", "306"}) {
      site.redirect("/choose", status, "/end");
      response = co_await session.get("/choose");
      EXPECT_EQ(std::to_string(response.status().code()), status);
    }
  });
}

TEST(ClientListed, D13_credentials_in_urls) {
  with_site([](Site& site, RawServer& server, ClientSession& session) -> Coro<> {
    const std::string at = "@" + std::string(server.url().host_port());
    site.redirect("/same", "302", "/end");
    site.redirect("/other", "302", "http://c:d" + at + "/end");
    const std::string ab = "Basic YTpi", cd = "Basic Yzpk";
    co_await ask(session, Method::GET, "http://a:b" + at + "/same");
    EXPECT_EQ(field_of(site.heads.back(), "Authorization"), ab) << "kept";
    co_await ask(session, Method::GET, "/other", RequestOptions().auth("a", "b"));
    EXPECT_EQ(field_of(site.heads.back(), "Authorization"), cd) << "those that were named last";
    co_await ask(session, Method::GET, "http://c:d" + at + "/", RequestOptions().auth("a", "b"));
    EXPECT_EQ(field_of(site.heads.back(), "Authorization"), ab) << "the request's own";
    for (const std::string& head : site.heads) EXPECT_EQ(head.find(at), std::string::npos) << head;
  });
}

TEST(ClientListed, D13_cookies_on_the_way) {
  with_site([](Site& site, RawServer& server, ClientSession& session) -> Coro<> {
    auto sent = [&](std::string path, std::string own) -> Coro<std::string> {
      RequestOptions options;
      if (!own.empty()) options.cookies({{own, "3"}});
      co_await ask(session, Method::GET, path, options);
      co_return field_of(site.heads.back(), "Cookie");
    };
    std::string cookies = co_await sent("/", "own");
    EXPECT_EQ(cookies, "own=3") << "beside an empty jar";
    cookies = co_await sent("/", "");
    EXPECT_EQ(cookies, "-") << "for one request";
    site.redirect("/one", "301", "/two", "Set-Cookie: c=1\r\n");
    site.redirect("/two", "301", "/end", "Set-Cookie: c=2\r\n");
    cookies = co_await sent("/one", "");
    EXPECT_EQ(field_of(site.heads.at(site.heads.size() - 2), "Cookie"), "c=1");
    EXPECT_EQ(cookies, "c=2");
    http::Cookie mine("mine", "a/b");
    mine.http_only().max_age(1000s).path("/");
    EXPECT_TRUE(session.cookie_jar().update(mine, server.url()));
    cookies = co_await sent("/", "c");
    EXPECT_EQ(cookies, "c=3; mine=a/b") << "no attributes; the request's own instead";
  });
}

TEST(ClientListed, D13_cookies_as_large_sites_set_them) {
  http::CookieJar jar;
  const URL shop("https://www.shop.example/");
  const char* const later = "; Expires=Mon, 31-May-2199 10:00:00 GMT; Path=/";
  for (const std::string& cookie :
       {std::string("id=1; Domain=.shop.example; Secure; HttpOnly") + later,
        std::string("id=2; Domain=.www.shop.example; HttpOnly") + later,
        std::string("A{B-1}={C-2}; HttpOnly; Path=/"),
        std::string("quoted=\"a=b\"; Domain=.shop.example") + later})
    EXPECT_TRUE(jar.update(cookie, shop)) << cookie;
  EXPECT_EQ(jar.header_for(shop), "id=1; id=2; A{B-1}={C-2}; quoted=\"a=b\"");
  EXPECT_EQ(jar.header_for("https://shop.example/"), "id=1; quoted=\"a=b\"");
  EXPECT_EQ(jar.header_for("http://shop.example/"), "quoted=\"a=b\"") << "one is for TLS alone";
  EXPECT_TRUE(
      jar.update("id=; Domain=.shop.example; Expires=Tue, 1 Jan 1980 12:00:00 GMT; Path=/", shop));
  EXPECT_EQ(jar.header_for("https://shop.example/"), "quoted=\"a=b\"");
}

TEST(ClientListed, D13_a_request_begins_with_its_host) {
  with_site([](Site& site, RawServer& server, ClientSession& session) -> Coro<> {
    const std::string host(server.url().host_port());
    std::string told;
    http::TraceConfig hooks;
    hooks.on_request_start(
        [&](const http::TraceParams& params) { told = params.headers->get("Host", "none"); });
    ClientSession traced(SessionOptions().base_url(server.url()).trace(hooks));
    co_await ask(traced, Method::GET, "/");
    EXPECT_EQ(told, host);
    traced.close();
    site.heads.clear();
    co_await ask(session, Method::GET, "/#part");
    EXPECT_TRUE(site.heads.at(0).starts_with("GET / HTTP/1.1\r\nHost: " + host + "\r\n"));
    EXPECT_NE(field_of(site.heads.at(0), "User-Agent"), "-");
    RequestOptions own;
    own.header("X-First", "1").header("host", "other.example").header("User-Agent", "mine");
    co_await ask(session, Method::GET, "/", own);
    const std::string& head = site.heads.at(1);
    EXPECT_TRUE(head.starts_with("GET / HTTP/1.1\r\nHost: other.example\r\nX-First: 1\r\n"))
        << head;
    EXPECT_EQ(field_of(head, "User-Agent"), "mine");
    EXPECT_EQ(head.find("host: "), std::string::npos) << head;
  });
}

/// Options, and what site.last() then is for a POST.
std::vector<std::pair<RequestOptions, std::string>> bodies() {
  const std::string form = "application/x-www-form-urlencoded";
  RequestOptions typed;
  typed.header("Content-Type", "text/x").data("bytes");
  RequestOptions untyped_first;
  untyped_first.json("[1]").header("Content-Type", "application/x+json");
  RequestOptions pieces;
  pieces.data(test::pieces({"one", "two"}));
  return {{RequestOptions(), "-|0|"},
          {RequestOptions().data(""), "application/octet-stream|0|"},
          {RequestOptions().data(std::string("a\0b", 3)),
           "application/octet-stream|3|" + std::string("a\0b", 3)},
          {typed, "text/x|5|bytes"},
          {RequestOptions().json("{\"a\": 1}"), "application/json|8|{\"a\": 1}"},
          {untyped_first, "application/x+json|3|[1]"},
          {RequestOptions().form({{"a", "1 &"}, {"a", "\xc3\xbc"}}), form + "|16|a=1+%26&a=%C3%BC"},
          {pieces, "application/octet-stream|-|onetwo"},
          {RequestOptions().data(std::string(2 << 20, 'x')),
           "application/octet-stream|2097152|" + std::string(2 << 20, 'x')}};
}

TEST(ClientListed, D13_bodies_and_their_types) {
  with_site([](Site& site, RawServer&, ClientSession& session) -> Coro<> {
    for (const auto& [options, expected] : bodies()) {
      co_await ask(session, Method::POST, "/", options);
      EXPECT_TRUE(site.last() == "POST /|" + expected) << site.last().substr(0, 100);
    }
  });
}

TEST(ClientListed, D13_forms_with_files) {
  with_site([](Site& site, RawServer&, ClientSession& session) -> Coro<> {
    FormData form;
    form.add_field("plain", "x").add_file("f", "one", "1.txt", "text/plain");
    form.add_file("f", "two", "2.bin").add_field("last", "y");
    RequestOptions options;
    options.data(form).params({{"q", "1"}});
    co_await ask(session, Method::POST, "/", options);
    const std::string type = form.content_type();
    EXPECT_EQ(field_of(site.heads.back(), "Content-Type"), type);
    EXPECT_EQ(target_of(site.heads.back()), "/?q=1");
    const std::string edge = "--" + type.substr(type.find('=') + 1);
    const std::string part = edge + "\r\nContent-Disposition: form-data; name=";
    EXPECT_EQ(site.bodies.back(),
              part + "\"plain\"\r\n\r\nx\r\n" + part +
                  "\"f\"; filename=\"1.txt\"\r\nContent-Type: text/plain\r\n\r\none\r\n" + part +
                  "\"f\"; filename=\"2.bin\"\r\nContent-Type: application/octet-stream"
                  "\r\n\r\ntwo\r\n" +
                  part + "\"last\"\r\n\r\ny\r\n" + edge + "--\r\n");
  });
}

TEST(ClientListed, D13_methods_and_queries) {
  with_site([](Site& site, RawServer&, ClientSession& session) -> Coro<> {
    for (const char* method : {"GET", "HEAD", "OPTIONS", "DELETE", "PURGE"}) {
      co_await ask(session, Method(method), "/");
      EXPECT_EQ(site.last(), std::string(method) + " /|-|-|");
    }
    for (const char* method : {"POST", "PUT", "PATCH"}) {
      co_await ask(session, Method(method), "/");
      EXPECT_EQ(site.last(), std::string(method) + " /|-|0|");
    }
    const std::vector<std::tuple<std::string, MultiDict, std::string>> cases{
        {"/", {}, "/"},
        {"/?a=1+2", {}, "/?a=1+2"},
        {"/", {{"q", "test"}, {"q", "t&t=t"}}, "/?q=test&q=t%26t%3Dt"},
        {"/?a=1#part", {{"a", "2"}, {"", "\xc3\xbc"}}, "/?a=1&a=2&=%C3%BC"}};
    for (const auto& [path, params, target] : cases) {
      co_await ask(session, Method::GET, path, RequestOptions().params(params));
      EXPECT_EQ(target_of(site.heads.back()), target);
    }
  });
}

/// A length of the user's own is that of the body, or nothing is sent: it does not cut it off.
TEST(ClientListed, D13_a_length_that_is_not_the_bodys_is_refused) {
  with_site([](Site& site, RawServer&, ClientSession& session) -> Coro<> {
    RequestOptions options;
    options.data("12345").header("Content-Length", "3");
    std::string error = co_await error_of(ask(session, Method::POST, "/", options));
    EXPECT_NE(error.find("ValueError"), std::string::npos) << error;
    EXPECT_TRUE(site.heads.empty());
    options.header("Content-Length", "5");
    co_await ask(session, Method::POST, "/", options);
    EXPECT_EQ(site.last(), "POST /|application/octet-stream|5|12345");
  });
}

TEST(ClientListed, D13_after_which_answers_a_connection_is_kept) {
  const std::string chunked = "Transfer-Encoding: chunked\r\n\r\n";
  const std::vector<std::tuple<std::string, Method, int>> cases{
      {response_with("body"), Method::GET, 1},
      {response_with("body"), Method::HEAD, 1},
      {response_with(""), Method::GET, 1},
      {"HTTP/1.1 204 No Content\r\nContent-Encoding: gzip\r\n\r\n", Method::DELETE, 1},
      {"HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n", Method::GET, 1},
      {"HTTP/1.1 304 Not Modified\r\n" + chunked, Method::GET, 1},
      {"HTTP/1.1 304 Not Modified\r\n\r\nbody", Method::GET, 2},
      {"HTTP/1.1 200 OK\r\n" + chunked, Method::HEAD, 1},
      {"HTTP/1.1 200 OK\r\n" + chunked + "0\r\n\r\n", Method::GET, 1},
      {"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 0\r\n\r\n", Method::GET, 1},
      {"HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\nno", Method::POST, 1},
      {"HTTP/1.1 500 Error\r\nContent-Length: 0\r\n\r\n", Method::POST, 1},
      {response_with("body", "Connection: close\r\n"), Method::GET, 2},
      {"HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n", Method::GET, 2},
      {"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 0\r\n\r\n", Method::GET, 1}};
  for (const auto& [answer, method, connections] : cases) {
    with_site([&](Site& site, RawServer& server, ClientSession& session) -> Coro<> {
      site.answers["/"] = answer;
      co_await ask(session, method, "/");
      co_await ask(session, method, "/");
      EXPECT_EQ(server.connections(), connections) << method.str() << " " << answer;
    });
  }
}

TEST(ClientListed, D13_time_limits_are_for_requests_not_for_the_pool) {
  auto configure = [](SessionOptions& options) {
    options.timeout(ClientTimeout().total(3s).sock_read(1s)).limit(1);
  };
  with_site(
      [](Site& site, RawServer& server, ClientSession& session) -> Coro<> {
        co_await ask(session, Method::GET, "/");
        co_await sleep(10s);
        co_await ask(session, Method::GET, "/");
        EXPECT_EQ(server.connections(), 1);
        // One that comes to a halt in the middle is closed, and its room is for the next.
        site.answers["/half"] = "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nha";
        ClientResponse half = co_await session.get("/half");
        auto text = co_await capture(half.text());
        EXPECT_TRUE(text.holds<http::ServerTimeoutError>());
        co_await ask(session, Method::GET, "/");
        EXPECT_EQ(server.connections(), 2);
      },
      configure);
}

TEST(ClientListed, D13_time_limits_that_nobody_has_set) {
  run_simulated([]() -> Coro<> {
    Network network;
    network.black_hole("10.0.0.9");
    RawServer slow =
        co_await RawServer::start([](StreamReader reader, StreamWriter writer) -> Coro<> {
          co_await test::read_request(reader);
          co_await sleep(24h);
          co_await writer.send(response_with("late"));
        });
    ClientSession session;
    TimePoint begin = get_running_loop().time();
    auto by_default = co_await capture(text_of(session, slow.url()));
    EXPECT_TRUE(by_default.holds<http::ServerTimeoutError>());
    EXPECT_EQ(get_running_loop().time() - begin, 5min);
    begin = get_running_loop().time();
    auto unreachable = co_await capture(text_of(session, "http://10.0.0.9/"));
    EXPECT_TRUE(unreachable.holds<http::ServerTimeoutError>());
    EXPECT_EQ(get_running_loop().time() - begin, 30s);
    RequestOptions patient;
    patient.timeout(ClientTimeout().total(std::nullopt));
    std::string text = co_await text_of(session, slow.url(), patient);
    EXPECT_EQ(text, "late");
    session.close();
    co_await slow.stop();
  });
}

TEST(ClientListed, D13_which_statuses_are_thrown) {
  using Choice = std::optional<bool>;
  const std::vector<std::tuple<bool, Choice, bool>> cases{
      {false, {}, false}, {true, {}, true},     {false, true, true},
      {true, true, true}, {true, false, false}, {false, false, false}};
  for (const auto& [of_session, of_request, throws] : cases) {
    with_site(
        [&](Site& site, RawServer& server, ClientSession& session) -> Coro<> {
          site.answers["/"] = "HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\nno";
          RequestOptions options;
          if (of_request) options.raise_for_status(*of_request);
          auto text = co_await capture(text_of(session, "/", options));
          EXPECT_EQ(text.holds<http::ClientResponseError>(), throws);
          std::string ok = co_await text_of(session, "/ok", options);
          EXPECT_EQ(ok, "end");
          EXPECT_EQ(server.connections(), 1);
        },
        [&](SessionOptions& options) { options.raise_for_status(of_session); });
  }
}

struct Number {
  int value = 0;
};

}  // namespace

template <>
struct http::JsonCodec<Number> {
  static Number parse(std::string_view text) { return {std::stoi(std::string(text))}; }
  static std::string dump(const Number& number) { return std::to_string(number.value); }
};

namespace {

TEST(ClientListed, D13_what_can_be_read_after_what) {
  with_site([](Site& site, RawServer& server, ClientSession& session) -> Coro<> {
    const std::string json = "Content-Type: application/json\r\n";
    site.answers["/7"] = response_with("7", json);
    site.answers["/none"] = response_with("", json);
    site.answers["/404"] = "HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\nno";
    ClientResponse seven = co_await session.get("/7");
    std::string text = co_await seven.text();
    Number number = co_await seven.json<Number>();
    EXPECT_EQ(text + std::to_string(number.value), "77") << "it stays readable";
    text = co_await seven.content().readline();
    EXPECT_EQ(text, "") << "as a stream it is at its end";
    ClientResponse other = co_await session.post("/", RequestOptions().json(number));
    EXPECT_EQ(site.bodies.back(), "7");
    auto no_json = co_await capture(other.json<Number>());
    EXPECT_TRUE(no_json.holds<http::ContentTypeError>());
    text = co_await other.text();
    EXPECT_EQ(text, "end");
    ClientResponse missing = co_await session.get("/404");
    EXPECT_NE(test::thrown([&] { missing.raise_for_status(); }).find("404"), std::string::npos);
    text = co_await missing.text();
    EXPECT_EQ(text, "no");
    ClientResponse none = co_await session.get("/none");
    std::string error = co_await error_of(none.json<Number>());
    EXPECT_NE(error.find("invalid_argument"), std::string::npos) << error;
    EXPECT_EQ(server.connections(), 1);
    ClientResponse closed = co_await session.get("/7");
    closed.close();
    for (int i = 0; i < 2; ++i) {
      auto read = co_await capture(closed.json<Number>());
      EXPECT_TRUE(read.holds<http::ClientPayloadError>());
    }
    auto line = co_await capture(closed.content().readline());
    EXPECT_TRUE(line.holds<http::ClientPayloadError>());
  });
}

TEST(ClientListed, D13_headers_of_a_response) {
  with_site([](Site& site, RawServer&, ClientSession& session) -> Coro<> {
    site.answers["/"] =
        "HTTP/1.1 299 Quite Fine\r\nX-Empty:\r\nX-Two: 1\r\nx-two: 2\r\n"
        "Content-Type: Text/Plain; charset=x\r\nContent-Length: 0\r\n\r\n";
    ClientResponse response = co_await session.get("/");
    EXPECT_EQ(response.reason(), "Quite Fine");
    EXPECT_TRUE(response.ok());
    EXPECT_EQ(response.content_type(), "Text/Plain");
    EXPECT_EQ(response.headers().get("x-empty", "none"), "");
    Strings all;
    for (http::HeaderField field : response.headers())
      all.push_back(std::string(field.name) + "=" + std::string(field.value));
    EXPECT_EQ(all, (Strings{"X-Empty=", "X-Two=1", "x-two=2", "Content-Type=Text/Plain; charset=x",
                            "Content-Length=0"}));
  });
}

}  // namespace

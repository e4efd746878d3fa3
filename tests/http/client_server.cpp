// SPDX-License-Identifier: BSL-1.0
// The client and the server, each the other's peer, on every backend.
#include "asyncio/asyncio.hpp"
#include "asyncio/http/client.hpp"
#include "asyncio/web/runner.hpp"
#include "backends.hpp"
#include "captures.hpp"
#include "connected.hpp"
#include "served.hpp"

#include <gtest/gtest.h>

#include <set>
#include <string>
#include <utility>
#include <vector>

using namespace asyncio;
using namespace std::chrono_literals;
using http::ClientResponse;
using http::ClientSession;
using http::MultiDict;
using http::RequestOptions;
using http::SessionOptions;
using http::URL;
using test::error_of;
using test::serve;
using test::Served;

namespace {

class ClientServer : public test::BackendTest {};
INSTANTIATE_TEST_SUITE_P(Backends, ClientServer, test::all_backends, test::backend_name);

Coro<web::Response> hello(web::Request&) { co_return web::Response("hello"); }

Coro<web::Response> add(web::Request&, int a, int b) {
  co_return web::Response(std::to_string(a + b));
}

Coro<web::Response> echo(web::Request& request) {
  std::string body = co_await request.read();
  web::Response response;
  response.body(std::move(body)).content_type(request.content_type());
  co_return response;
}

/// What the server says to these bytes, until it closes.
Coro<std::string> raw(std::uint16_t port, std::string bytes) {
  auto [reader, writer] = co_await open_connection("127.0.0.1", port);
  co_await writer.send(bytes);
  if (writer.can_write_eof()) writer.write_eof();
  std::string answer = co_await reader.read();
  writer.close();
  co_return answer;
}

std::size_t count_of(std::string_view text, std::string_view what) {
  std::size_t count = 0;
  for (std::size_t at = text.find(what); at != std::string_view::npos; at = text.find(what, at + 1))
    ++count;
  return count;
}

TEST_P(ClientServer, D13_S49_a_page) {
  run([]() -> Coro<> {
    web::Application app;
    app.get("/", hello);
    Served served = co_await serve(std::move(app));
    ClientSession session;
    ClientResponse response = co_await session.get(served.url());
    EXPECT_EQ(response.status(), 200);
    EXPECT_EQ(response.content_type(), "text/plain");
    std::string text = co_await response.text();
    EXPECT_EQ(text, "hello");
    session.close();
    co_await served.cleanup();
  });
}

TEST_P(ClientServer, D13_routes) {
  run([]() -> Coro<> {
    web::Application app;
    app.get("/", hello);
    app.get("/add/{a:int}/{b:int}", add);
    app.get("/files/{name...}", [](web::Request& request) -> Coro<web::Response> {
      co_return web::Response(std::string(request.match_info().at("name")));
    });
    app.post("/echo", echo);
    Served served = co_await serve(std::move(app));
    ClientSession session(SessionOptions().base_url(served.url()));
    auto text_of = [&](const char* path) -> Coro<std::string> {
      ClientResponse response = co_await session.get(path);
      std::string text = co_await response.text();
      co_return std::to_string(response.status().code()) + " " + text;
    };
    std::string sum = co_await text_of("/add/3/4");
    EXPECT_EQ(sum, "200 7");
    std::string no_number = co_await text_of("/add/3/x");
    EXPECT_EQ(no_number, "404 404: Not Found");
    std::string rest = co_await text_of("/files/a/b%20c%2Fd");
    EXPECT_EQ(rest, "200 a/b c/d");
    std::string not_allowed = co_await text_of("/echo");
    EXPECT_EQ(not_allowed, "405 405: Method Not Allowed");
    ClientResponse posted = co_await session.post("/echo", RequestOptions().json("[1, 2]"));
    EXPECT_EQ(posted.content_type(), "application/json");
    std::string echoed = co_await posted.text();
    EXPECT_EQ(echoed, "[1, 2]");
    session.close();
    co_await served.cleanup();
  });
}

TEST_P(ClientServer, D13_connections_are_used_again) {
  run([]() -> Coro<> {
    std::set<std::uint16_t> ports;
    web::Application app;
    app.get("/", [&](web::Request& request) -> Coro<web::Response> {
      ports.insert(request.remote().port());
      co_return web::Response("x");
    });
    Served served = co_await serve(std::move(app));
    ClientSession session;
    for (int i = 0; i < 5; ++i) {
      ClientResponse response = co_await session.get(served.url());
      std::string text = co_await response.text();
      EXPECT_EQ(text, "x");
    }
    EXPECT_EQ(ports.size(), 1u);
    session.close();
    co_await served.cleanup();
  });
}

TEST_P(ClientServer, R2_the_limit_of_connections_holds) {
  run([]() -> Coro<> {
    int now = 0, most = 0;
    web::Application app;
    app.get("/", [&](web::Request&) -> Coro<web::Response> {
      most = std::max(most, ++now);
      co_await sleep(1ms);
      --now;
      co_return web::Response("x");
    });
    Served served = co_await serve(std::move(app));
    ClientSession session(SessionOptions().limit(3));
    auto fetch = [&]() -> Coro<> {
      ClientResponse response = co_await session.get(served.url());
      co_await response.read();
    };
    std::vector<Coro<>> all;
    for (int i = 0; i < 20; ++i) all.push_back(fetch());
    co_await gather(std::move(all));
    EXPECT_EQ(most, 3);
    session.close();
    co_await served.cleanup();
  });
}

TEST_P(ClientServer, D5_a_cancelled_request_leaves_nothing_behind) {
  run([]() -> Coro<> {
    web::Application app;
    app.get("/{n:int}", [](web::Request&, int n) -> Coro<web::Response> {
      co_await sleep(std::chrono::milliseconds(n % 7));
      co_return web::Response(std::to_string(n));
    });
    Served served = co_await serve(std::move(app));
    ClientSession session(SessionOptions().limit(4));
    int right = 0, timed_out = 0;
    auto fetch = [&](int n) -> Coro<> {
      auto outcome = co_await capture(wait_for(
          [](ClientSession client, URL url) -> Coro<std::string> {
            ClientResponse response = co_await client.get(url);
            std::string text = co_await response.text();
            co_return text;
          }(session, served.url() / std::to_string(n)),
          n % 5 == 0 ? OptionalDelay() : OptionalDelay(std::chrono::milliseconds(n % 11))));
      if (!outcome) {
        ++timed_out;
      } else {
        EXPECT_EQ(outcome.value(), std::to_string(n));
        ++right;
      }
    };
    for (int round = 0; round < 10; ++round) {
      std::vector<Coro<>> all;
      for (int i = 0; i < 20; ++i) all.push_back(fetch(round * 20 + i));
      co_await gather(std::move(all));
    }
    EXPECT_GT(right, 0);
    EXPECT_GT(timed_out, 0);
    ClientResponse response = co_await session.get(served.url() / "5");
    std::string text = co_await response.text();
    EXPECT_EQ(text, "5");
    session.close();
    co_await served.cleanup();
  });
}

TEST_P(ClientServer, D13_fault146_redirects) {
  run([]() -> Coro<> {
    std::vector<std::string> seen;
    auto note = [&](web::Request& request) {
      seen.push_back(std::string(request.method().str()) + " " + request.path() + " " +
                     std::string(request.headers().get("Authorization", "-")));
    };
    web::Application other;
    other.get("/end", [&](web::Request& request) -> Coro<web::Response> {
      note(request);
      co_return web::Response("end");
    });
    Served there = co_await serve(std::move(other));
    web::Application app;
    app.post("/form", [&](web::Request& request) -> Coro<web::Response> {
      note(request);
      throw web::HTTPSeeOther("/next");
      co_return web::Response();
    });
    app.get("/next", [&](web::Request& request) -> Coro<web::Response> {
      note(request);
      throw web::HTTPFound((there.url() / "end").str());
      co_return web::Response();
    });
    app.get("/loop", [](web::Request&) -> Coro<web::Response> {
      throw web::HTTPFound("/loop");
      co_return web::Response();
    });
    Served served = co_await serve(std::move(app));
    ClientSession session;
    ClientResponse response = co_await session.post(
        served.url() / "form", RequestOptions().data("x").auth("user", "secret"));
    EXPECT_EQ(response.status(), 200);
    EXPECT_EQ(response.history().size(), 2u);
    EXPECT_EQ(response.url(), there.url() / "end");
    EXPECT_EQ(seen, (std::vector<std::string>{"POST /form Basic dXNlcjpzZWNyZXQ=",
                                              "GET /next Basic dXNlcjpzZWNyZXQ=", "GET /end -"}));
    std::string error = co_await error_of(session.get(served.url() / "loop"));
    EXPECT_NE(error.find("more than 10 redirects"), std::string::npos) << error;
    session.close();
    co_await served.cleanup();
    co_await there.cleanup();
  });
}

TEST_P(ClientServer, D13_cookies_come_back) {
  run([]() -> Coro<> {
    web::Application app;
    app.get("/", [](web::Request& request) -> Coro<web::Response> {
      web::Response response(std::string(request.cookies().get("id", "none")));
      response.set_cookie(http::Cookie("id", "42").path("/"));
      co_return response;
    });
    Served served = co_await serve(std::move(app));
    ClientSession session;
    std::string texts;
    for (int i = 0; i < 2; ++i) {
      ClientResponse response = co_await session.get(served.url());
      texts += co_await response.text();
      texts += " ";
    }
    EXPECT_EQ(texts, "none 42 ");
    session.close();
    co_await served.cleanup();
  });
}

TEST_P(ClientServer, R10_errors_say_what_and_where) {
  run([]() -> Coro<> {
    ClientSession session;
    std::string refused = co_await error_of(session.get("http://127.0.0.1:1/"));
    EXPECT_NE(refused.find("cannot connect to 127.0.0.1:1"), std::string::npos) << refused;
    std::string relative = co_await error_of(session.get("/x"));
    EXPECT_NE(relative.find("no base_url"), std::string::npos) << relative;
    std::string scheme = co_await error_of(session.get("ftp://h/x"));
    EXPECT_NE(scheme.find("neither http nor https"), std::string::npos) << scheme;
    session.close();
    std::string closed = co_await error_of(session.get("http://127.0.0.1:1/"));
    EXPECT_NE(closed.find("Session is closed"), std::string::npos) << closed;
  });
}

TEST_P(ClientServer, D13_time_limits) {
  run([]() -> Coro<> {
    web::Application app;
    app.get("/", [](web::Request&) -> Coro<web::Response> {
      co_await sleep(1s);
      co_return web::Response("late");
    });
    Served served = co_await serve(std::move(app));
    ClientSession session;
    RequestOptions options;
    options.timeout(http::ClientTimeout().total(20ms));
    std::string total = co_await error_of(session.get(served.url(), options));
    EXPECT_NE(total.find("timed out"), std::string::npos) << total;
    options.timeout(http::ClientTimeout().sock_read(20ms));
    std::string read = co_await error_of(session.get(served.url(), options));
    EXPECT_NE(read.find("timed out"), std::string::npos) << read;
    session.close();
    co_await served.cleanup();
  });
}

TEST_P(ClientServer, fault136_requests_behind_each_other_are_answered_in_order) {
  run([]() -> Coro<> {
    web::Application app;
    app.get("/{n:int}", [](web::Request&, int n) -> Coro<web::Response> {
      co_await sleep(std::chrono::milliseconds(5 - n));
      co_return web::Response(std::to_string(n));
    });
    Served served = co_await serve(std::move(app));
    std::string all;
    for (int n = 1; n < 5; ++n) all += "GET /" + std::to_string(n) + " HTTP/1.1\r\nHost: h\r\n\r\n";
    std::string answer = co_await raw(served.port(), all);
    EXPECT_EQ(count_of(answer, "HTTP/1.1 200 OK"), 4u);
    EXPECT_LT(answer.find("\r\n\r\n1HTTP"), answer.find("\r\n\r\n2HTTP"));
    EXPECT_TRUE(answer.ends_with("4")) << answer;
    co_await served.cleanup();
  });
}

TEST_P(ClientServer, R13_nonsense_is_answered_with_its_status) {
  run([]() -> Coro<> {
    web::Application app;
    app.get("/", hello);
    app.post("/", echo);
    Served served = co_await serve(std::move(app), web::RunnerOptions().client_max_size(10));
    std::vector<std::pair<std::string, std::string>> cases{
        {"nonsense\r\n\r\n", "HTTP/1.1 400 Bad Request"},
        {"GET / HTTP/1.1\r\n\r\n", "HTTP/1.1 400 Bad Request"},
        {"GET /" + std::string(9000, 'x') + " HTTP/1.1\r\nHost: h\r\n\r\n", "HTTP/1.1 414"},
        {"GET / HTTP/1.1\r\nHost: h\r\nX: " + std::string(9000, 'x') + "\r\n\r\n", "HTTP/1.1 431"},
        {"GET / HTTP/2.1\r\nHost: h\r\n\r\n", "HTTP/1.1 505"},
        {"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 11\r\n\r\n01234567890", "HTTP/1.1 413"},
        {"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: "
         "chunked\r\n\r\nb\r\n01234567890\r\n0\r\n\r\n",
         "HTTP/1.1 413"}};
    for (const auto& [request, expected] : cases) {
      std::string answer = co_await raw(served.port(), request);
      EXPECT_EQ(answer.substr(0, expected.size()), expected) << request.substr(0, 60);
      EXPECT_EQ(count_of(answer, "HTTP/1.1"), 1u) << answer;
    }
    co_await served.cleanup();
  });
}

TEST_P(ClientServer, D13_who_asks_whether_to_go_on_is_told) {
  run([]() -> Coro<> {
    web::Application app;
    app.post("/", echo);
    app.post("/no", hello);
    Served served = co_await serve(std::move(app));
    auto [reader, writer] = co_await open_connection("127.0.0.1", served.port());
    co_await writer.send(
        "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n");
    std::string go_on = co_await reader.readuntil("\r\n\r\n");
    EXPECT_EQ(go_on, "HTTP/1.1 100 Continue\r\n\r\n");
    co_await writer.send("ok");
    std::string answer = co_await reader.readuntil("\r\n\r\nok");
    EXPECT_TRUE(answer.starts_with("HTTP/1.1 200"));
    // Who is not told sends no body, and the connection ends.
    co_await writer.send(
        "POST /no HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n");
    answer = co_await reader.read();
    EXPECT_TRUE(answer.starts_with("HTTP/1.1 200"));
    EXPECT_NE(answer.find("Connection: close"), std::string::npos);
    writer.close();
    co_await served.cleanup();
  });
}

TEST_P(ClientServer, L13_what_was_asked_is_answered_at_the_end) {
  run([]() -> Coro<> {
    Event began;
    web::Application app;
    app.get("/", [&](web::Request&) -> Coro<web::Response> {
      began.set();
      co_await sleep(20ms);
      co_return web::Response("answered");
    });
    bool cleaned = false;
    app.on_cleanup([&](web::Application&) -> Coro<> {
      cleaned = true;
      co_return;
    });
    Served served = co_await serve(std::move(app));
    ClientSession session;
    auto asking = create_task([&]() -> Coro<std::string> {
      ClientResponse response = co_await session.get(served.url());
      std::string text = co_await response.text();
      co_return text;
    });
    co_await began.wait();
    co_await served.cleanup();
    std::string text = co_await asking;
    EXPECT_EQ(text, "answered");
    EXPECT_TRUE(cleaned);
    session.close();
  });
}

TEST_P(ClientServer, L14_a_slow_head_ends_at_its_deadline) {
  run([]() -> Coro<> {
    web::Application app;
    app.get("/", hello);
    web::RunnerOptions options;
    options.head_timeout(30ms).keepalive_timeout(20ms);
    Served served = co_await serve(std::move(app), options);
    auto [reader, writer] = co_await open_connection("127.0.0.1", served.port());
    std::string idle = co_await reader.read();
    EXPECT_EQ(idle, "");
    auto [slow_reader, slow_writer] = co_await open_connection("127.0.0.1", served.port());
    co_await slow_writer.send("GET / HT");
    std::string answer = co_await slow_reader.read();
    EXPECT_TRUE(answer.starts_with("HTTP/1.1 408 Request Timeout")) << answer;
    writer.close();
    slow_writer.close();
    co_await served.cleanup();
  });
}

TEST_P(ClientServer, D13_an_error_in_a_handler_is_a_500) {
  run([]() -> Coro<> {
    web::Application app;
    app.get("/", [](web::Request&) -> Coro<web::Response> {
      throw std::runtime_error("secret");
      co_return web::Response();
    });
    Served served = co_await serve(std::move(app));
    ClientSession session;
    ClientResponse response = co_await session.get(served.url());
    std::string text = co_await response.text();
    EXPECT_EQ(response.status(), 500);
    EXPECT_EQ(text, "500: Internal Server Error");
    std::string error =
        co_await error_of(session.get(served.url(), RequestOptions().raise_for_status(true)));
    EXPECT_NE(error.find("500, message='Internal Server Error'"), std::string::npos) << error;
    session.close();
    co_await served.cleanup();
  });
}

TEST_P(ClientServer, D13_middlewares_see_every_answer) {
  run([]() -> Coro<> {
    std::vector<std::string> log;
    web::Application app;
    app.get("/", hello);
    app.add_middleware([&](web::Request& request, const web::Handler& next) -> Coro<web::Response> {
      log.push_back("begin " + request.path());
      auto outcome = co_await capture(next(request));
      log.push_back(outcome ? "answered" : "thrown");
      co_return std::move(outcome).value();
    });
    Served served = co_await serve(std::move(app));
    ClientSession session;
    co_await session.get(served.url());
    co_await session.get(served.url() / "none");
    EXPECT_EQ(log, (std::vector<std::string>{"begin /", "answered", "begin /none", "thrown"}));
    session.close();
    co_await served.cleanup();
  });
}

}  // namespace

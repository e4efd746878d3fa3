// SPDX-License-Identifier: BSL-1.0
// What an application is made of beside its routes: sub-applications, values, signals, contexts,
// background tasks, the access log, run_app.
#include "asyncio/web/session.hpp"
#include "asyncio/web/stream_response.hpp"
#include "backends.hpp"
#include "captures.hpp"
#include "connected.hpp"
#include "raw_client.hpp"

#include <gtest/gtest.h>

#include <csignal>
#include <memory>
#include <string>
#include <unistd.h>
#include <vector>

using namespace asyncio;
using namespace std::chrono_literals;
using test::exchange;
using test::get;
using test::serve;
using test::Served;

namespace {

class ServerApplication : public test::BackendTest {};
INSTANTIATE_TEST_SUITE_P(Backends, ServerApplication, test::all_backends, test::backend_name);

class RunApp : public test::BackendTest {};
INSTANTIATE_TEST_SUITE_P(Backends, RunApp, test::real_backends, test::backend_name);

const web::Key<std::string> kName("name");
const web::Key<std::unique_ptr<int>> kNumber("number");
const web::Key<int> kUser("user");

/// The body of the answer to a GET.
Coro<std::string> body_of(std::uint16_t port, std::string path, std::string fields = "") {
  std::string answer =
      co_await exchange(port, get(path, "Connection: close\r\n" + std::move(fields)));
  co_return answer.substr(answer.find("\r\n\r\n") + 4);
}

TEST_P(ServerApplication, S49_routes_by_the_names_of_aiohttp) {
  run([]() -> Coro<> {
    auto method = [](web::Request& request) -> Coro<web::Response> {
      co_return web::Response(std::string(request.method().str()));
    };
    web::Application app;
    app.add_get("/", method).add_post("/", method).add_put("/", method);
    app.add_patch("/", method).add_delete("/", method);
    Served served = co_await serve(std::move(app));
    for (std::string name : {"GET", "POST", "PUT", "PATCH", "DELETE"}) {
      std::string answer = co_await exchange(
          served.port(),
          name + " / HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n" + "Connection: close\r\n\r\n");
      EXPECT_TRUE(answer.ends_with("\r\n\r\n" + name)) << answer;
    }
    co_await served.cleanup();
  });
}

/// Such a route would never be found.
TEST(ServerRoutes, D13_nothing_can_follow_a_part_that_takes_the_rest) {
  web::Application app;
  for (const char* pattern : {"/{rest...}/x", "/{rest:path}/x", "/a/{rest:path}/"})
    EXPECT_THROW(app.get(pattern, test::say_last), ValueError) << pattern;
  EXPECT_NO_THROW(app.get("/{rest:path}", test::say_last));
}

TEST_P(ServerApplication, D13_values_of_applications_and_requests) {
  run([]() -> Coro<> {
    web::Application app;
    app.set(kName, std::string("first")).set(kName, std::string("second"));
    app.set(kNumber, std::make_unique<int>(7));
    app.add_middleware([](web::Request& request, const web::Handler& next) -> Coro<web::Response> {
      EXPECT_EQ(request.find(kUser), nullptr);
      request.set(kUser, 42);
      web::Response response = co_await next(request);
      co_return response;
    });
    app.get("/", [](web::Request& request) -> Coro<web::Response> {
      co_return web::Response(request.app()[kName] + std::to_string(*request.app()[kNumber]) +
                              std::to_string(request[kUser]));
    });
    Served served = co_await serve(std::move(app));
    for (int i = 0; i < 2; ++i) {
      std::string body = co_await body_of(served.port(), "/");
      EXPECT_EQ(body, "second742");
    }
    co_await served.cleanup();
    web::Application empty;
    EXPECT_EQ(test::thrown([&] { empty[kName]; }),
              "asyncio::LookupError: there is no value for the key 'name': see set()");
  });
}

TEST_P(ServerApplication, D13_applications_below_a_path) {
  run([]() -> Coro<> {
    std::vector<std::string> log;
    auto noting = [&](std::string name) {
      return [&log, name](web::Request& request, const web::Handler& next) -> Coro<web::Response> {
        log.push_back(name);
        web::Response response = co_await next(request);
        co_return response;
      };
    };
    auto say = [](const char* text) {
      return [text](web::Request& request) -> Coro<web::Response> {
        co_return web::Response(text + std::string(request.app()[kName]) + request.path());
      };
    };
    web::Application inner, outer, app;
    inner.set(kName, std::string(" inner ")).get("/", say("root")).get("/x", say("x"));
    outer.set(kName, std::string(" outer ")).get("/x", say("x")).add_middleware(noting("outer"));
    outer.add_subapp("/inner", std::move(inner));
    app.set(kName, std::string(" app ")).get("/{rest...}", say("rest"));
    app.add_middleware(noting("app")).add_subapp("/outer", std::move(outer));
    EXPECT_THROW(app.add_subapp("/x/", web::Application()), ValueError);
    EXPECT_THROW(app.add_subapp("/", web::Application()), ValueError);
    EXPECT_THROW(app.add_subapp("x", web::Application()), ValueError);
    Served served = co_await serve(std::move(app));
    std::vector<std::pair<std::string, std::string>> cases{
        {"/outer/x", "x outer /outer/x"},
        {"/outer/inner/", "root inner /outer/inner/"},
        {"/outer/inner/x?y", "x inner /outer/inner/x"},
        {"/outer/none", "404: Not Found"},
        {"/outer", "404: Not Found"},
        {"/outerx", "rest app /outerx"}};
    for (const auto& [path, expected] : cases) {
      std::string body = co_await body_of(served.port(), path);
      EXPECT_EQ(body, expected) << path;
    }
    EXPECT_EQ(log, (std::vector<std::string>{"app", "outer", "app", "outer", "app", "outer", "app",
                                             "outer", "app", "outer", "app"}));
    co_await served.cleanup();
  });
}

/// Every part of it says when it begins and ends.
web::Application noting_application(std::vector<std::string>& log, std::string name) {
  web::Application app;
  auto note = [&log, name](std::string what) {
    return [&log, line = name + " " + what](web::Application&) -> Coro<> {
      log.push_back(line);
      co_return;
    };
  };
  auto context = [&log, name](std::string what) {
    return [&log, line = name + " " + what](web::Application&) -> web::CleanupContext {
      log.push_back(line + " begins");
      co_yield {};
      log.push_back(line + " ends");
    };
  };
  app.cleanup_ctx(context("context 1")).cleanup_ctx(context("context 2"));
  app.on_startup(note("startup 1")).on_startup(note("startup 2"));
  app.on_shutdown(note("shutdown"));
  app.on_cleanup(note("cleanup 1")).on_cleanup(note("cleanup 2"));
  return app;
}

TEST_P(ServerApplication, D13_the_order_of_signals_and_contexts) {
  run([]() -> Coro<> {
    std::vector<std::string> log;
    web::Application app = noting_application(log, "app");
    app.add_subapp("/sub", noting_application(log, "sub"));
    app.add_background([&](web::Application&) -> Coro<> {
      log.push_back("background begins");
      auto outcome = co_await capture(sleep(std::chrono::hours(1)));
      log.push_back("background ends");
      outcome.value();
    });
    web::AppRunner runner(std::move(app));
    for (int round = 0; round < 2; ++round) {
      log.clear();
      co_await runner.setup();
      co_await sleep(0s);
      EXPECT_EQ(log, (std::vector<std::string>{
                         "app context 1 begins", "app context 2 begins", "app startup 1",
                         "app startup 2", "sub context 1 begins", "sub context 2 begins",
                         "sub startup 1", "sub startup 2", "background begins"}));
      log.clear();
      co_await runner.cleanup();
      EXPECT_EQ(log,
                (std::vector<std::string>{"app shutdown", "sub shutdown", "background ends",
                                          "sub cleanup 2", "sub cleanup 1", "sub context 2 ends",
                                          "sub context 1 ends", "app cleanup 2", "app cleanup 1",
                                          "app context 2 ends", "app context 1 ends"}));
    }
  });
}

TEST_P(ServerApplication, fault201_a_start_that_fails_is_undone) {
  run([]() -> Coro<> {
    std::vector<std::string> log;
    web::Application app = noting_application(log, "app");
    app.on_startup([](web::Application&) -> Coro<> {
      throw std::runtime_error("no database");
      co_return;
    });
    web::AppRunner runner(std::move(app));
    std::string error = co_await test::error_of(runner.setup());
    EXPECT_EQ(error, "std::runtime_error: no database");
    EXPECT_EQ(log.back(), "app context 1 ends");
    std::string start = co_await test::error_of(web::TCPSite(runner, "127.0.0.1", 0).start());
    EXPECT_NE(start.find("call AppRunner::setup() before"), std::string::npos) << start;
    co_await runner.cleanup();
  });
}

TEST_P(ServerApplication, R10_all_of_the_end_is_done_and_errors_are_seen) {
  run([]() -> Coro<> {
    std::vector<std::string> log;
    test::LogCapture records;
    web::Application app = noting_application(log, "app");
    auto fail = [](const char* what) {
      return [what](web::Application&) -> Coro<> {
        throw std::runtime_error(what);
        co_return;
      };
    };
    app.on_shutdown(fail("shutdown")).on_cleanup(fail("one")).on_cleanup(fail("two"));
    app.add_background(fail("tired"));
    app.cleanup_ctx([](web::Application&) -> web::CleanupContext {
      co_yield {};
      co_yield {};
    });
    web::AppRunner runner(std::move(app));
    co_await runner.setup();
    co_await sleep(1ms);
    EXPECT_EQ(
        records.count("A background task of the application failed: std::runtime_error: tired"), 1);
    std::string error = co_await test::error_of(runner.cleanup());
    EXPECT_NE(error.find("Multiple errors on cleanup stage"), std::string::npos) << error;
    EXPECT_EQ(log.back(), "app context 1 ends");
  });
}

/// Of an answer: "session=..." of its Set-Cookie.
std::string cookie_of(const std::string& answer) {
  std::size_t at = answer.find("Set-Cookie: ");
  if (at == std::string::npos) return "";
  return answer.substr(at + 12, answer.find(';', at) - at - 12);
}

TEST_P(ServerApplication, D13_sessions) {
  run([]() -> Coro<> {
    web::Application app;
    app.add_middleware(web::session_middleware(web::memory_sessions(
        web::MemorySessionOptions().max_age(std::chrono::hours(1)).max_sessions(2))));
    app.get("/", [](web::Request& request) -> Coro<web::Response> {
      web::Session& session = web::get_session(request);
      co_return web::Response(std::string(session.get("name").value_or("nobody")));
    });
    app.get("/login/{name}", [](web::Request& request, std::string name) -> Coro<web::Response> {
      web::get_session(request).set("name", name);
      co_return web::Response("welcome");
    });
    app.get("/enter", [](web::Request& request) -> Coro<web::Response> {
      web::get_session(request).set("name", "Bob");
      throw web::HTTPFound("/");
      co_return web::Response();
    });
    app.get("/logout", [](web::Request& request) -> Coro<web::Response> {
      web::get_session(request).invalidate();
      co_return web::Response("bye");
    });
    Served served = co_await serve(std::move(app));
    auto ask = [&](std::string path, std::string cookie) -> Coro<std::string> {
      return exchange(served.port(), get(path, "Connection: close\r\nCookie: " + cookie + "\r\n"));
    };
    std::string nobody = co_await ask("/", "session=forged");
    EXPECT_TRUE(nobody.ends_with("nobody")) << nobody;
    EXPECT_EQ(cookie_of(nobody), "");
    std::string login = co_await ask("/login/Ann", "x=y");
    std::string ann = cookie_of(login);
    EXPECT_EQ(ann.size(), std::string("session=").size() + 32) << login;
    EXPECT_NE(login.find("HttpOnly"), std::string::npos) << login;
    EXPECT_NE(login.find("SameSite=Lax"), std::string::npos) << login;
    std::string known = co_await ask("/", ann);
    EXPECT_TRUE(known.ends_with("Ann")) << known;
    EXPECT_EQ(cookie_of(known), "");
    std::string renamed = co_await ask("/login/Anna", ann);
    EXPECT_EQ(cookie_of(renamed), "");
    std::string bye = co_await ask("/logout", ann);
    EXPECT_EQ(cookie_of(bye), "session=");
    std::string gone = co_await ask("/", ann);
    EXPECT_TRUE(gone.ends_with("nobody")) << gone;
    std::string entered = co_await ask("/enter", "");
    EXPECT_TRUE(entered.starts_with("HTTP/1.1 302 ")) << entered;
    std::string bob = co_await ask("/", cookie_of(entered));
    EXPECT_TRUE(bob.ends_with("Bob")) << bob;
    // The oldest makes room.
    std::vector<std::string> cookies;
    for (const char* name : {"/login/1", "/login/2", "/login/3"}) {
      std::string answer = co_await ask(name, "");
      cookies.push_back(cookie_of(answer));
    }
    std::string oldest = co_await ask("/", cookies[0]), newest = co_await ask("/", cookies[2]);
    EXPECT_TRUE(oldest.ends_with("nobody")) << oldest;
    EXPECT_TRUE(newest.ends_with("3")) << newest;
    co_await served.cleanup();
  });
}

TEST_P(ServerApplication, D13_a_session_that_has_ended_stays_ended) {
  run([]() -> Coro<> {
    Event begun, release;
    web::Application app;
    app.add_middleware(web::session_middleware(web::memory_sessions()));
    app.get("/", [](web::Request& request) -> Coro<web::Response> {
      web::Session& session = web::get_session(request);
      co_return web::Response(std::string(session.get("name").value_or("nobody")));
    });
    app.get("/login", [](web::Request& request) -> Coro<web::Response> {
      web::get_session(request).set("name", "Ann");
      co_return web::Response("welcome");
    });
    app.get("/slow", [&](web::Request& request) -> Coro<web::Response> {
      web::get_session(request).set("seen", "now");
      begun.set();
      co_await release.wait();
      co_return web::Response("slow");
    });
    app.get("/logout", [](web::Request& request) -> Coro<web::Response> {
      web::get_session(request).invalidate();
      co_return web::Response("bye");
    });
    Served served = co_await serve(std::move(app));
    std::string login = co_await exchange(served.port(), get("/login", "Connection: close\r\n"));
    std::string cookie = "Cookie: " + cookie_of(login) + "\r\n";
    std::string known = co_await body_of(served.port(), "/", cookie);
    EXPECT_EQ(known, "Ann");
    auto slow = create_task(body_of(served.port(), "/slow", cookie));
    co_await begun.wait();
    co_await body_of(served.port(), "/logout", cookie);
    release.set();
    std::string answer = co_await slow;
    EXPECT_EQ(answer, "slow");
    std::string after = co_await body_of(served.port(), "/", cookie);
    EXPECT_EQ(after, "nobody");
    co_await served.cleanup();
  });
}

TEST_P(ServerApplication, fault137_the_access_log_is_one_line_whatever_came) {
  run(
      [](bool is_simulated) -> Coro<> {
        web::Application app;
        app.get("/{rest...}", [](web::Request& request) -> Coro<web::Response> {
          if (request.path() == "/stream") {
            web::StreamResponse stream;
            co_await stream.prepare(request);
            co_await stream.write("12345");
            web::Response response = co_await stream.write_eof();
            co_return response;
          }
          co_return web::Response("hello");
        });
        Served served =
            co_await serve(std::move(app), web::RunnerOptions().access_log(web::access_logger()));
        test::LogCapture log;
        co_await exchange(served.port(), get("/a%0d%0a%1b[31m?b\"c",
                                             "Referer: \xff\x80\"x\\\r\n"
                                             "User-Agent: curl/8\r\n"
                                             "Connection: close\r\n"));
        co_await exchange(served.port(), get("/stream", "Connection: close\r\n"));
        co_await exchange(served.port(), "HEAD /x HTTP/1.0\r\n\r\n");
        EXPECT_EQ(log.records.size(), 3u) << log.all();
        if (!is_simulated) {
          EXPECT_EQ(log.count("127.0.0.1 ["), 3) << log.all();
        }
        EXPECT_EQ(log.count("+0000] \"GET /a%0d%0a%1b[31m?b\\x22c HTTP/1.1\" 200 5 "
                            "\"\\xff\\x80\\x22x\\x5c\" \"curl/8\""),
                  1)
            << log.all();
        EXPECT_EQ(log.count("\"GET /stream HTTP/1.1\" 200 5 \"-\" \"-\""), 1) << log.all();
        EXPECT_EQ(log.count("\"HEAD /x HTTP/1.0\" 200 0 \"-\" \"-\""), 1) << log.all();
        for (const LogRecord& record : log.records) {
          EXPECT_EQ(record.message.find_first_of("\r\n\x1b"), std::string::npos);
        }
        co_await served.cleanup();
        EXPECT_THROW(web::access_logger("%z"), ValueError);
        EXPECT_THROW(web::access_logger("%"), ValueError);
        EXPECT_THROW(web::access_logger("%{a b}i"), ValueError);
      },
      simulated());
}

/// What a server refuses before a handler gets it, and what its log then says.
std::vector<std::pair<std::string, std::string>> refused_requests() {
  return {
      {"GET /a b HTTP/1.1\r\n\r\n", "\"UNKNOWN / HTTP/1.0\" 400 16"},
      {"GET / HTTP/1.1\r\nHost: h\r\nX: " + std::string(10'000, 'x') + "\r\n\r\n",
       "\"UNKNOWN / HTTP/1.0\" 431 36"},
      {"GET / HTTP/1.1\r\nHost", "\"UNKNOWN / HTTP/1.0\" 408 20"},
      {"GET /417 HTTP/1.1\r\nHost: h\r\nExpect: miracles\r\n\r\n", "\"GET /417 HTTP/1.1\" 417 23"},
      {"POST /read HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\nx",
       "\"POST /read HTTP/1.1\" 408 20"},
      {"POST /read HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
       "\"POST /read HTTP/1.1\" 400 16"},
      {"POST /read HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Length: 11\r\n\r\n" +
           std::string(11, 'x'),
       "\"POST /read HTTP/1.1\" 413 "}};
}

TEST_P(ServerApplication, R10_refused_requests_are_in_the_access_log) {
  run([]() -> Coro<> {
    web::Application app;
    app.post("/read", [](web::Request& request) -> Coro<web::Response> {
      std::string body = co_await request.read();
      co_return web::Response(body);
    });
    web::RunnerOptions options;
    options.access_log(web::access_logger("\"%r\" %s %b"));
    options.head_timeout(20ms).progress_timeout(20ms).client_max_size(10);
    Served served = co_await serve(std::move(app), options);
    for (const auto& [request, line] : refused_requests()) {
      test::LogCapture log;
      std::string answer = co_await exchange(served.port(), request);
      EXPECT_EQ(log.records.size(), 1u) << log.all();
      EXPECT_EQ(log.count(line), 1) << log.all() << answer;
    }
    co_await served.cleanup();
  });
}

TEST_P(ServerApplication, fault137_the_log_of_errors_is_one_line) {
  run([]() -> Coro<> {
    web::Application app;
    app.get("/{rest...}", [](web::Request& request) -> Coro<web::Response> {
      throw ValueError("no such thing: " + request.path());
      co_return web::Response();
    });
    Served served = co_await serve(std::move(app));
    test::LogCapture log;
    std::string body = co_await body_of(served.port(), "/%0d%0aforged%1b%ff");
    EXPECT_EQ(body, "500: Internal Server Error");
    EXPECT_EQ(log.all(),
              "ERROR: Error handling request GET /%0d%0aforged%1b%ff: asyncio::ValueError: no such "
              "thing: /\\x0d\\x0aforged\\x1b\\xff\n");
    co_await served.cleanup();
  });
}

TEST_P(RunApp, L13_a_signal_ends_it_in_order) {
  for (int number : {SIGINT, SIGTERM}) {
    std::vector<std::string> log;
    std::string said;
    run([&]() -> Coro<> {
      ::testing::internal::CaptureStdout();
      Event began;
      std::uint16_t port = 0;
      web::Application app = noting_application(log, "app");
      app.get("/", [&](web::Request&) -> Coro<web::Response> {
        began.set();
        co_await sleep(30ms);
        co_return web::Response("answered");
      });
      // A port that was free a moment ago.
      Server free = co_await start_server([](StreamReader, StreamWriter) {}, "127.0.0.1", 0);
      port = free.sockets().at(0).port();
      free.close();
      co_await free.wait_closed();
      auto serving = create_task(web::serve_app(std::move(app), "127.0.0.1", port));
      for (bool is_there = false; !is_there; co_await sleep(1ms)) {
        auto probe = co_await capture(open_connection("127.0.0.1", port));
        is_there = static_cast<bool>(probe);
      }
      auto asking = create_task(exchange(port, get("/")));
      co_await began.wait();
      ::kill(::getpid(), number);
      std::string answer = co_await asking;
      EXPECT_TRUE(answer.ends_with("answered")) << answer;
      EXPECT_NE(answer.find("Connection: close"), std::string::npos) << answer;
      co_await serving;
      said = ::testing::internal::GetCapturedStdout();
    });
    EXPECT_TRUE(said.starts_with("======== Running on http://127.0.0.1:")) << said;
    EXPECT_TRUE(said.ends_with(" ========\n(Press CTRL+C to quit)\n")) << said;
    EXPECT_EQ(log.back(), "app context 1 ends");
  }
}

TEST_P(RunApp, R10_an_address_that_is_taken) {
  run([]() -> Coro<> {
    std::vector<std::string> log;
    Server taken = co_await start_server([](StreamReader, StreamWriter) {}, "127.0.0.1", 0);
    std::string error = co_await test::error_of(
        web::serve_app(noting_application(log, "app"), "127.0.0.1", taken.sockets().at(0).port()));
    EXPECT_NE(error.find("Address already in use"), std::string::npos) << error;
    EXPECT_EQ(log.back(), "app context 1 ends");
    taken.close();
    co_await taken.wait_closed();
  });
}

}  // namespace

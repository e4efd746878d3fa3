// SPDX-License-Identifier: BSL-1.0
// What handlers do wrong, and clients that leave (faults 128 to 131, 138): a whole server, on every
// backend.
#include "allocation_count.hpp"
#include "asyncio/http/errors.hpp"
#include "asyncio/web/event_source.hpp"
#include "asyncio/web/stream_response.hpp"
#include "asyncio/web/websocket_response.hpp"
#include "backends.hpp"
#include "captures.hpp"
#include "connected.hpp"
#include "gate.hpp"
#include "raw_client.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <optional>
#include <string>
#include <sys/socket.h>
#include <vector>

using namespace asyncio;
using namespace std::chrono_literals;
using test::count_of;
using test::exchange;
using test::get;
using test::kLast;
using test::last;
using test::post;
using test::say_last;
using test::serve;
using test::Served;

namespace {

class ServerAnswers : public test::BackendTest {};
INSTANTIATE_TEST_SUITE_P(Backends, ServerAnswers, test::all_backends, test::backend_name);

/// Files and resets are the system's.
class RealAnswers : public test::BackendTest {};
INSTANTIATE_TEST_SUITE_P(Backends, RealAnswers, test::real_backends, test::backend_name);

TEST_P(ServerAnswers, fault128_what_would_split_a_response_is_refused_where_it_is_set) {
  for (std::string bad : {std::string("a\rb"), std::string("a\nb"), std::string("a\r\nX: y"),
                          std::string("a\0b", 3), std::string("a\x1b[0m")}) {
    EXPECT_THROW(web::Response().header("X", bad), ValueError);
    EXPECT_THROW(web::Response().header(bad, "x"), ValueError);
    EXPECT_THROW(web::Response().content_type(bad), ValueError);
    EXPECT_THROW(web::Response().set_cookie(http::Cookie("name", bad)), ValueError);
    EXPECT_THROW(web::Response().set_cookie(http::Cookie(bad, "value")), ValueError);
    EXPECT_THROW(web::Response().set_cookie(http::Cookie("n", "v").path(bad)), ValueError);
    EXPECT_THROW(web::HTTPFound{bad}, ValueError);
    EXPECT_THROW(web::HTTPMethodNotAllowed{bad}, ValueError);
    EXPECT_THROW(web::StreamResponse().head().header("X", bad), ValueError);
  }
  EXPECT_THROW(web::ServerEvent("x").id("a\rb").text(), ValueError);
  EXPECT_EQ(web::ServerEvent("a\rb").text(), "data: a\ndata: b\n\n");
  EXPECT_THROW(http::Status(1000), ValueError);
  EXPECT_THROW(http::Status(99), ValueError);
}

TEST_P(ServerAnswers, fault129_lengths_that_are_not_true) {
  run([]() -> Coro<> {
    web::Application app;
    app.get("/last", say_last);
    app.get("/wrong", [](web::Request&) -> Coro<web::Response> {
      co_return web::Response("four").header("Content-Length", "5");
    });
    app.get("/no_number", [](web::Request&) -> Coro<web::Response> {
      co_return web::Response("four").header("Content-Length", "x");
    });
    app.get("/right", [](web::Request&) -> Coro<web::Response> {
      co_return web::Response("four").header("Content-Length", "4");
    });
    app.get("/chunked", [](web::Request&) -> Coro<web::Response> {
      co_return web::Response("four").header("Transfer-Encoding", "chunked");
    });
    app.get("/continue", [](web::Request&) -> Coro<web::Response> {
      co_return web::Response(http::Status(100));
    });
    app.get("/thrown", [](web::Request&) -> Coro<web::Response> {
      web::HTTPNotFound error;
      error.headers().set("Content-Length", "1");
      throw error;
      co_return web::Response();
    });
    app.get("/nothing",
            [](web::Request&) -> Coro<web::Response> { co_return web::Response::sent(); });
    Served served = co_await serve(std::move(app));
    test::LogCapture log;
    for (const char* path :
         {"/wrong", "/no_number", "/chunked", "/continue", "/thrown", "/nothing"}) {
      std::string answer = co_await exchange(served.port(), get(path) + last());
      EXPECT_TRUE(answer.starts_with("HTTP/1.1 500 ")) << path << answer;
      EXPECT_NE(answer.find("500: Internal Server ErrorHTTP/1.1 200"), std::string::npos) << answer;
      EXPECT_TRUE(answer.ends_with(kLast)) << answer;
    }
    EXPECT_EQ(log.count("Error handling request GET /"), 6) << log.all();
    std::string right = co_await exchange(served.port(), get("/right") + last());
    EXPECT_EQ(count_of(right, "Content-Length: 4"), 2u) << right;
    co_await served.cleanup();
  });
}

TEST_P(ServerAnswers, fault129_streams_that_do_not_keep_to_their_length) {
  run([]() -> Coro<> {
    std::vector<std::string> errors;
    web::Application app;
    app.get("/last", say_last);
    auto stream_of = [&](const char* path, http::Status status, std::optional<std::uint64_t> length,
                         std::vector<std::string> pieces) {
      app.get(path,
              [&errors, status, length, pieces](web::Request& request) -> Coro<web::Response> {
                web::StreamResponse stream{web::Response(status)};
                if (length) stream.content_length(*length);
                co_await stream.prepare(request);
                for (const std::string& piece : pieces) {
                  std::string error = co_await test::error_of(stream.write(piece));
                  errors.push_back(error);
                }
                std::string end = co_await test::error_of(stream.write_eof());
                errors.push_back(end);
                co_return web::Response::sent();
              });
    };
    stream_of("/more", 200, 5, {"1234", "567"});
    stream_of("/fewer", 200, 5, {"1234"});
    stream_of("/none", 204, std::nullopt, {"x"});
    stream_of("/none_of_5", 204, 5, {"12345"});
    stream_of("/same", 304, std::nullopt, {"x"});
    Served served = co_await serve(std::move(app));
    for (const char* path : {"/more", "/fewer"}) {
      errors.clear();
      std::string answer = co_await exchange(served.port(), get(path) + last());
      EXPECT_EQ(count_of(answer, "HTTP/1.1"), 1u) << answer;
      EXPECT_TRUE(answer.ends_with("\r\n\r\n1234")) << answer;
      EXPECT_NE(errors.back().find("1 bytes of its content_length are missing"), std::string::npos)
          << errors.back();
    }
    for (const char* path : {"/none", "/none_of_5", "/same"}) {
      errors.clear();
      std::string answer = co_await exchange(served.port(), get(path) + last());
      EXPECT_NE(errors.front().find("0 are left"), std::string::npos) << errors.front();
      EXPECT_EQ(count_of(answer, "HTTP/1.1"), 2u) << answer;
      EXPECT_EQ(count_of(answer, "Content-Length"), 1u) << answer;
      EXPECT_NE(answer.find("\r\n\r\nHTTP/1.1 200"), std::string::npos) << answer;
      EXPECT_TRUE(answer.ends_with(kLast)) << answer;
    }
    std::string head =
        co_await exchange(served.port(), "HEAD /more HTTP/1.1\r\nHost: h\r\n\r\n" + last());
    EXPECT_EQ(count_of(head, "Content-Length: 5\r\n\r\nHTTP/1.1 200"), 1u) << head;
    co_await served.cleanup();
  });
}

TEST_P(ServerAnswers, fault129_a_stream_ends_with_its_handler) {
  run([]() -> Coro<> {
    std::optional<web::StreamResponse> kept;
    std::optional<Coro<>> begun;
    web::Application app;
    app.get("/", [&](web::Request& request) -> Coro<web::Response> {
      kept.emplace();
      co_await kept->prepare(request);
      co_await kept->write("first");
      begun.emplace(kept->write("late"));
      co_return web::Response::sent();
    });
    Served served = co_await serve(std::move(app));
    std::string answer = co_await exchange(served.port(), get("/", "Connection: close\r\n"));
    EXPECT_TRUE(answer.ends_with("\r\n\r\n5\r\nfirst\r\n0\r\n\r\n")) << answer;
    std::string error = co_await test::error_of(std::move(*begun));
    EXPECT_NE(error.find("ConnectionResetError"), std::string::npos) << error;
    error = co_await test::error_of(kept->write("late"));
    EXPECT_NE(error.find("ConnectionResetError"), std::string::npos) << error;
    error = co_await test::error_of(kept->write_eof());
    EXPECT_NE(error.find("ConnectionResetError"), std::string::npos) << error;
    co_await served.cleanup();
  });
}

TEST_P(ServerAnswers, fault129_a_request_has_one_answer) {
  run([]() -> Coro<> {
    std::string error;
    web::Application app;
    app.get("/last", say_last);
    app.get("/", [&](web::Request& request) -> Coro<web::Response> {
      web::StreamResponse first, second;
      co_await first.prepare(request);
      error = co_await test::error_of(second.prepare(request));
      co_await first.write_eof();
      co_return web::Response("ignored");
    });
    Served served = co_await serve(std::move(app));
    std::string answer = co_await exchange(served.port(), get("/") + last());
    EXPECT_NE(error.find("answered already"), std::string::npos) << error;
    EXPECT_EQ(count_of(answer, "HTTP/1.1"), 2u) << answer;
    EXPECT_EQ(count_of(answer, "ignored"), 0u) << answer;
    co_await served.cleanup();
  });
}

TEST_P(ServerAnswers, fault130_what_a_handler_throws_before_its_answer) {
  run([]() -> Coro<> {
    web::Application app;
    app.get("/last", say_last);
    app.get("/error", [](web::Request&) -> Coro<web::Response> {
      throw std::runtime_error("secret \x1b[31m\r\nforged");
      co_return web::Response();
    });
    app.get("/number", [](web::Request&) -> Coro<web::Response> {
      throw 42;
      co_return web::Response();
    });
    // Of another connection, as a client's inside a handler.
    app.get("/protocol", [](web::Request&) -> Coro<web::Response> {
      throw http::BadRequest(http::Status(400), "secret", 0);
      co_return web::Response();
    });
    Served served = co_await serve(std::move(app));
    test::LogCapture log;
    for (const char* path : {"/error", "/number", "/protocol"}) {
      std::string answer = co_await exchange(served.port(), get(path) + last());
      EXPECT_TRUE(answer.starts_with("HTTP/1.1 500 ")) << answer;
      EXPECT_EQ(answer.find("secret"), std::string::npos) << answer;
      EXPECT_TRUE(answer.ends_with(kLast)) << answer;
    }
    EXPECT_EQ(log.records.size(), 3u) << log.all();
    EXPECT_EQ(log.count("GET /error: std::runtime_error: secret \\x1b[31m\\x0d\\x0aforged"), 1)
        << log.all();
    co_await served.cleanup();
  });
}

TEST_P(ServerAnswers, fault130_what_a_handler_throws_inside_its_answer) {
  run(
      [](bool is_simulated) -> Coro<> {
        web::Application app;
        app.get("/last", say_last);
        auto broken_after = [&](const char* path, auto error) {
          app.get(path, [error](web::Request& request) -> Coro<web::Response> {
            web::StreamResponse stream;
            co_await stream.prepare(request);
            co_await stream.write("half");
            throw error;
            co_return web::Response();
          });
        };
        broken_after("/error", std::runtime_error("secret"));
        broken_after("/number", 42);
        broken_after("/answer", web::HTTPNotFound());
        Served served = co_await serve(std::move(app));
        test::LogCapture log;
        for (const char* path : {"/error", "/number", "/answer"}) {
          std::string answer = co_await exchange(served.port(), get(path) + last());
          EXPECT_EQ(count_of(answer, "HTTP/1.1"), 1u) << answer;
          EXPECT_TRUE(answer.find("\r\n\r\n4\r\nhalf\r\n") != std::string::npos) << answer;
          EXPECT_EQ(answer.find("0\r\n\r\n"), std::string::npos) << answer;
          EXPECT_EQ(answer.find("secret"), std::string::npos) << answer;
          // What ends with its connection must not look as if it were whole.
          std::string old =
              co_await exchange(served.port(), "GET " + std::string(path) + " HTTP/1.0\r\n\r\n");
          EXPECT_TRUE(is_simulated || old.ends_with("[reset]")) << old;
        }
        co_await served.cleanup();
      },
      simulated());
}

TEST_P(RealAnswers, fault130_what_a_handler_throws_after_its_connection_is_logged) {
  run([]() -> Coro<> {
    int ended = 0;
    web::Application app;
    app.get("/websocket", [&](web::Request& request) -> Coro<web::Response> {
      http::WebSocket socket = co_await web::websocket(request);
      ++ended;
      throw std::runtime_error("a bug of the WebSocket");
      co_return web::Response();
    });
    app.get("/late", [&](web::Request& request) -> Coro<web::Response> {
      web::StreamResponse stream;
      co_await stream.prepare(request);
      auto written = co_await capture([&]() -> Coro<> {
        while (true) {
          co_await stream.write("x");
          co_await sleep(1ms);
        }
      }());
      ++ended;
      if (request.query_string() == "rethrows") written.rethrow();
      throw std::runtime_error("a bug behind the end");
      co_return web::Response();
    });
    Served served = co_await serve(std::move(app));
    test::LogCapture log;
    co_await exchange(served.port(), get("/websocket",
                                         "Connection: Upgrade\r\nUpgrade: websocket\r\n"
                                         "Sec-WebSocket-Version: 13\r\n"
                                         "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n") +
                                         std::string("\x88\x80\0\0\0\0", 6));  // goodbye
    for (const char* path : {"/late", "/late?rethrows"}) {
      auto [reader, writer] = co_await open_connection("127.0.0.1", served.port());
      writer.write(get(path));
      co_await reader.readuntil("\r\n\r\n");
      writer.abort();
      int before = ended;
      while (ended == before) co_await sleep(1ms);
    }
    co_await served.cleanup();
    EXPECT_EQ(log.count("GET /websocket: std::runtime_error: a bug of the WebSocket"), 1)
        << log.all();
    EXPECT_EQ(log.count("GET /late: std::runtime_error: a bug behind the end"), 1) << log.all();
    EXPECT_EQ(log.records.size(), 2u) << log.all();
  });
}

/// ASYNCIO_RESETS=10000 is the number of the fault catalogue.
int reset_count() {
  const char* wanted = std::getenv("ASYNCIO_RESETS");
  return wanted ? std::stoi(wanted) : 200;
}

/// Uploads and downloads that end with a reset, at once or a while after they have begun.
Coro<> reset_connections(std::uint16_t port, int count) {
  for (int i = 0; i < count; ++i) {
    auto [reader, writer] = co_await open_connection("127.0.0.1", port);
    bool uploads = i % 2 == 0;
    writer.write(uploads ? post("/upload", "Content-Length: 1000000\r\n", std::string(1000, 'x'))
                         : get("/download"));
    if (i % 4 < 2) co_await sleep(1ms);
    ::linger at_once{1, 0};
    ::setsockopt(writer.fileno(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    writer.abort();
  }
}

TEST_P(RealAnswers, fault131_clients_that_reset) {
  run([]() -> Coro<> {
    int begun = 0, ended = 0;
    web::Application app;
    app.post("/upload", [&](web::Request& request) -> Coro<web::Response> {
      ++begun;
      auto outcome = co_await capture(request.read());
      ++ended;
      co_return std::move(outcome).value();
    });
    app.get("/download", [&](web::Request& request) -> Coro<web::Response> {
      ++begun;
      auto outcome = co_await capture([](web::Request& asked) -> Coro<> {
        web::StreamResponse stream;
        co_await stream.prepare(asked);
        for (int i = 0; i < 1000; ++i) co_await stream.write(std::string(65536, 'x'));
      }(request));
      ++ended;
      co_return std::move(outcome).value(), web::Response::sent();
    });
    Served served = co_await serve(std::move(app));
    test::LogCapture log;
    const int count = reset_count();
    co_await reset_connections(served.port(), 40);  // what stays is made
    while (ended < begun) co_await sleep(1ms);
    test::AllocationCount allocations;
    co_await reset_connections(served.port(), count);
    // The last of them may have been reset before they were accepted.
    EventLoop loop = get_running_loop();
    const TimePoint end = loop.time() + test::kPatience;
    while ((ended < begun || allocations.live() >= 20) && loop.time() < end) co_await sleep(1ms);
    EXPECT_LT(allocations.live(), 20);
    EXPECT_LT(allocations.live_bytes(), 64 << 10);
    co_await served.cleanup();
    EXPECT_EQ(begun, ended);
    EXPECT_GT(begun, (40 + count) / 8) << "they were reset before they had asked";
    EXPECT_EQ(log.records.size(), 0u) << log.all();
  });
}

constexpr const char* kUpgrade =
    "Connection: upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";

TEST_P(ServerAnswers, fault138_upgrades) {
  run([]() -> Coro<> {
    web::Application app;
    app.get("/last", say_last);
    app.get("/ws", [](web::Request& request) -> Coro<web::Response> {
      http::WebSocket ws = co_await web::websocket(request);
      while (auto message = co_await ws.next()) co_await ws.send_str(message->data);
      co_return web::Response::sent();
    });
    Served served = co_await serve(std::move(app));
    // An upgrade that nobody takes is an ordinary request, and so is what follows.
    for (std::string fields : {std::string("Connection: upgrade\r\nUpgrade: h2c\r\n"),
                               std::string("Connection: upgrade\r\n"), std::string(kUpgrade)}) {
      std::string answer = co_await exchange(served.port(), get("/last", fields) + last());
      EXPECT_EQ(count_of(answer, "HTTP/1.1 200"), 2u) << answer;
    }
    // A body would be taken for frames.
    std::string body = co_await exchange(
        served.port(),
        get("/ws", std::string(kUpgrade) + "Content-Length: 5\r\n") + "hello" + last());
    EXPECT_TRUE(body.starts_with("HTTP/1.1 400")) << body;
    EXPECT_TRUE(body.ends_with(kLast)) << body;
    // Bytes behind the request are of the new protocol: "hi", masked with zeros, and a close.
    std::vector<std::string> pieces{get("/ws", kUpgrade) + std::string("\x81\x82\0\0\0\0hi", 8),
                                    std::string("\x88\x80\0\0\0\0", 6)};
    std::string answer = co_await exchange(served.port(), pieces);
    EXPECT_EQ(count_of(answer, "HTTP/1.1 101"), 1u) << answer;
    EXPECT_NE(answer.find(std::string("\r\n\r\n\x81\x02hi\x88", 9)), std::string::npos) << answer;
    co_await served.cleanup();
  });
}

}  // namespace

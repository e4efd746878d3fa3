// SPDX-License-Identifier: BSL-1.0
// How handlers end in other ways than with their answer, and what the access log says of each
// request: once, and what the client got.
#include "asyncio/asyncio.hpp"
#include "asyncio/web/stream_response.hpp"
#include "backends.hpp"
#include "captures.hpp"
#include "raw_client.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <optional>
#include <string>
#include <sys/socket.h>

using namespace asyncio;
using namespace std::chrono_literals;
using test::exchange;
using test::get;
using test::serve;
using test::Served;

namespace {

class HandlerEnds : public test::BackendTest {};
INSTANTIATE_TEST_SUITE_P(Backends, HandlerEnds, test::all_backends, test::backend_name);

/// How much a client leaves unread is the system's.
class RealHandlerEnds : public test::BackendTest {};
INSTANTIATE_TEST_SUITE_P(Backends, RealHandlerEnds, test::real_backends, test::backend_name);

web::RunnerOptions logging() {
  web::RunnerOptions options;
  options.access_log(web::access_logger("access \"%r\" %s %b"));
  return options;
}

TEST_P(HandlerEnds, R10_a_cancellation_of_another_task_is_an_error_of_the_handler) {
  run([]() -> Coro<> {
    web::Application app;
    app.get("/task", [](web::Request&) -> Coro<web::Response> {
      Task<void> other = create_task(sleep(1h));
      co_await sleep(0s);
      other.cancel();
      co_await other;
      co_return web::Response("not reached");
    });
    app.get("/thrown", [](web::Request&) -> Coro<web::Response> {
      throw CancelledError();
      co_return web::Response();
    });
    Served served = co_await serve(std::move(app));
    for (const char* path : {"/task", "/thrown"}) {
      test::LogCapture log;
      std::string answer = co_await exchange(served.port(), get(path, "Connection: close\r\n"));
      EXPECT_TRUE(answer.starts_with("HTTP/1.1 500 ")) << path << answer;
      EXPECT_EQ(log.count("Error handling request GET", path, "CancelledError"), 1) << log.all();
    }
    co_await served.cleanup();
  });
}

TEST_P(HandlerEnds, L13_a_handler_that_the_end_of_the_server_cancels_is_no_error) {
  run([]() -> Coro<> {
    Event begun;
    web::Application app;
    app.get("/", [&](web::Request&) -> Coro<web::Response> {
      begun.set();
      co_await sleep(1h);
      co_return web::Response("not reached");
    });
    web::RunnerOptions options = logging();
    options.shutdown_timeout(1ms);
    Served served = co_await serve(std::move(app), options);
    test::LogCapture log;
    auto asking = create_task(exchange(served.port(), get("/")));
    co_await begun.wait();
    co_await served.cleanup();
    std::string answer = co_await asking;
    EXPECT_EQ(answer.find("500"), std::string::npos) << answer;
    EXPECT_EQ(log.count("Error"), 0) << log.all();
    EXPECT_EQ(log.count("access \"GET / HTTP/1.1\" 499 0"), 1) << log.all();
  });
}

/// Handlers that have begun a stream, and leave its end out.
web::Application unended() {
  web::Application app;
  auto add = [&app](std::string_view path, bool compresses, std::optional<std::uint64_t> length,
                    bool other) {
    app.get(path, [=](web::Request& request) -> Coro<web::Response> {
      web::StreamResponse stream;
      if (compresses) stream.enable_compression();
      if (length) stream.content_length(*length);
      co_await stream.prepare(request);
      co_await stream.write("hello");
      if (other) co_return web::Response("other");
      co_return web::Response::sent();
    });
  };
  add("/plain", false, std::nullopt, false);
  add("/compressed", true, std::nullopt, false);
  add("/length", false, 5, false);
  add("/short", false, 6, false);
  add("/other", false, std::nullopt, true);
  return app;
}

TEST_P(HandlerEnds, D13_a_stream_without_write_eof_is_ended_for_its_handler) {
  run([]() -> Coro<> {
    Served served = co_await serve(unended());
    test::LogCapture log;
    const std::string fields = "Connection: close\r\nAccept-Encoding: gzip\r\n";
    std::string answer = co_await exchange(served.port(), get("/plain", fields));
    EXPECT_TRUE(answer.ends_with("\r\n\r\n5\r\nhello\r\n0\r\n\r\n")) << answer;
    answer = co_await exchange(served.port(), get("/compressed", fields));
    EXPECT_NE(answer.find("Content-Encoding: gzip"), std::string::npos) << answer;
    EXPECT_TRUE(answer.ends_with("\r\n0\r\n\r\n")) << answer;
    answer = co_await exchange(served.port(), get("/length") + test::last());
    EXPECT_NE(answer.find("\r\n\r\nhelloHTTP/1.1 404 "), std::string::npos) << answer;
    EXPECT_EQ(log.records.size(), 0u) << log.all();
    co_await served.cleanup();
  });
}

TEST_P(HandlerEnds, R10_a_stream_that_cannot_be_ended_is_logged) {
  run([]() -> Coro<> {
    Served served = co_await serve(unended());
    test::LogCapture log;
    std::string answer = co_await exchange(served.port(), get("/short"));
    EXPECT_EQ(log.count("Error handling request GET /short: StreamResponse: 1 bytes of its"), 1)
        << log.all();
    answer = co_await exchange(served.port(), get("/other"));
    EXPECT_FALSE(answer.ends_with("\r\n0\r\n\r\n")) << answer;
    EXPECT_EQ(log.count("Error handling request GET /other: the handler has returned a response"),
              1)
        << log.all();
    EXPECT_EQ(log.records.size(), 2u) << log.all();
    co_await served.cleanup();
  });
}

constexpr std::size_t kLarge = 50'000'000;

/// A client that reads so much, and leaves. Returns what the access log says of it.
Coro<std::string> line_of_who_leaves(std::string path, std::size_t read) {
  web::Application app;
  app.get("/whole", [](web::Request&) -> Coro<web::Response> {
    co_return web::Response(std::string(kLarge, 'x'));
  });
  app.get("/pieces", [](web::Request& request) -> Coro<web::Response> {
    web::StreamResponse stream;
    stream.content_length(kLarge);
    co_await stream.prepare(request);
    for (std::size_t i = 0; i < 50; ++i) co_await stream.write(std::string(kLarge / 50, 'x'));
    web::Response response = co_await stream.write_eof();
    co_return response;
  });
  Served served = co_await serve(std::move(app), logging());
  test::LogCapture log;
  auto [reader, writer] = co_await open_connection("127.0.0.1", served.port());
  writer.write(get(path));
  while (read > 0) {
    std::string part = co_await reader.read(std::min<std::size_t>(read, 65536));
    read -= part.size();
  }
  EXPECT_EQ(log.count("access"), 0) << log.all();
  writer.abort();
  for (int i = 0; i < 1000 && log.records.empty(); ++i) co_await sleep(10ms);
  co_await served.cleanup();
  EXPECT_EQ(log.count("access"), 1) << log.all();
  std::string line = log.records.empty() ? "" : log.records[0].message;
  co_return line;
}

/// What the system takes beside what is read lies in its buffers, whose size is its own.
TEST_P(RealHandlerEnds, R10_who_leaves_in_mid_answer_is_in_the_access_log_with_what_it_got) {
  run([]() -> Coro<> {
    for (std::string path : {"/whole", "/pieces"}) {
      const std::size_t read = 20'000'000;
      std::string line = co_await line_of_who_leaves(path, read);
      EXPECT_TRUE(line.starts_with("access \"GET " + path + " HTTP/1.1\" 200 ")) << line;
      const std::size_t bytes = std::stoul("0" + line.substr(line.rfind(' ') + 1));
      EXPECT_LT(bytes, kLarge) << line;
      EXPECT_GT(bytes, read - 2'000'000) << line;
    }
  });
}

TEST_P(RealHandlerEnds, R10_who_resets_before_its_answer_is_in_the_access_log) {
  run([]() -> Coro<> {
    web::Application app;
    app.post("/", [](web::Request& request) -> Coro<web::Response> {
      std::string body = co_await request.read();
      co_return web::Response(body);
    });
    Served served = co_await serve(std::move(app), logging());
    test::LogCapture log;
    auto [reader, writer] = co_await open_connection("127.0.0.1", served.port());
    writer.write(test::post("/", "Content-Length: 10\r\n", "begin"));
    co_await sleep(10ms);
    ::linger at_once{1, 0};
    ::setsockopt(writer.fileno(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    writer.abort();
    for (int i = 0; i < 100 && log.records.empty(); ++i) co_await sleep(10ms);
    co_await served.cleanup();
    EXPECT_EQ(log.count("access \"POST / HTTP/1.1\" 499 0"), 1) << log.all();
    EXPECT_EQ(log.records.size(), 1u) << log.all();
  });
}

}  // namespace

// SPDX-License-Identifier: BSL-1.0
// How handlers end in other ways than with their answer.
#include "asyncio/asyncio.hpp"
#include "asyncio/web/stream_response.hpp"
#include "backends.hpp"
#include "captures.hpp"
#include "raw_client.hpp"

#include <gtest/gtest.h>

#include <optional>
#include <string>

using namespace asyncio;
using namespace std::chrono_literals;
using test::exchange;
using test::get;
using test::serve;
using test::Served;

namespace {

class HandlerEnds : public test::BackendTest {};
INSTANTIATE_TEST_SUITE_P(Backends, HandlerEnds, test::all_backends, test::backend_name);

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
    web::RunnerOptions options;
    options.shutdown_timeout(1ms);
    Served served = co_await serve(std::move(app), options);
    test::LogCapture log;
    auto asking = create_task(exchange(served.port(), get("/")));
    co_await begun.wait();
    co_await served.cleanup();
    std::string answer = co_await asking;
    EXPECT_EQ(answer.find("500"), std::string::npos) << answer;
    EXPECT_EQ(log.count("Error"), 0) << log.all();
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

}  // namespace

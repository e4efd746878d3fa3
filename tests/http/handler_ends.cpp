// SPDX-License-Identifier: BSL-1.0
// How handlers end in other ways than with their answer.
#include "asyncio/asyncio.hpp"
#include "backends.hpp"
#include "captures.hpp"
#include "raw_client.hpp"

#include <gtest/gtest.h>

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

}  // namespace

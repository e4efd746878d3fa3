// SPDX-License-Identifier: BSL-1.0
// How a server over HTTP/2 ends: streams, connections and itself, also at a bad moment.
#include "asyncio/http/client.hpp"
#include "asyncio/web/stream_response.hpp"
#include "backends.hpp"
#include "captures.hpp"
#include "connected.hpp"
#include "http2_client.hpp"
#include "raw_client.hpp"

#include <gtest/gtest.h>

#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

using namespace asyncio;
using namespace std::chrono_literals;
using namespace test::h2;
using http::ClientResponse;
using http::ClientSession;
using http::Http2;
using http::RequestOptions;
using http::SessionOptions;
using test::Served;

namespace {

class Http2Ends : public test::BackendTest {};
INSTANTIATE_TEST_SUITE_P(Backends, Http2Ends, ::testing::Values("simulated"), test::backend_name);

/// A sanitizer sees it if the connection's last timer outlives it.
TEST_P(Http2Ends, fault131_the_end_of_the_server_while_a_client_is_turned_away) {
  run([]() -> Coro<> {
    web::RunnerOptions options = with_http2();
    options.max_connections(1);
    Served served = co_await test::serve(echoing(), options);
    Client first = co_await connected_to(served.port(), "");
    Client second = co_await connected_to(served.port(), "");
    std::string said = co_await second.until_end();
    EXPECT_EQ(said, "goaway NO_ERROR 0");
    Task<void> ending = create_task(served.cleanup());
    co_await sleep(100ms);
    first.close();
    second.close();
    co_await ending;
    co_await sleep(5s);
  });
}

/// A byte of the preface every so often, until the server ends the connection.
Coro<> trickle(StreamWriter writer, std::chrono::seconds pause) {
  for (char c : std::string(http::detail::kHttp2Preface)) {
    writer.write(std::string(1, c));
    co_await sleep(pause);
  }
}

TEST_P(Http2Ends, R7_a_preface_that_trickles_has_one_deadline) {
  run([]() -> Coro<> {
    Served served = co_await test::serve(echoing(), with_http2());
    auto [reader, writer] = co_await open_connection("127.0.0.1", served.port());
    EventLoop loop = get_running_loop();
    TimePoint began = loop.time();
    Task<void> trickling = create_task(trickle(writer, 20s));
    std::string said = co_await reader.read();
    EXPECT_TRUE(said.starts_with("HTTP/1.1 408 ")) << said;
    EXPECT_GE(loop.time() - began, 30s);
    EXPECT_LE(loop.time() - began, 33s);
    trickling.cancel();
    auto ended = co_await capture(trickling);
    EXPECT_TRUE(ended.cancelled());
    writer.close();
    co_await served.cleanup();
  });
}

TEST_P(Http2Ends, fault129_handlers_that_fail_are_no_flood_of_the_client) {
  run([]() -> Coro<> {
    test::LogCapture log;
    web::Application app = answering([](web::Request& request) -> Coro<web::Response> {
      if (request.path() == "/fine") co_return web::Response("fine");
      web::StreamResponse stream;
      co_await stream.prepare(request);
      throw std::runtime_error("too late for an answer");
    });
    web::RunnerOptions options = with_http2();
    options.limits(http::HttpLimits().idle_frames(10));
    Served served = co_await test::serve(std::move(app), options);
    Client client = co_await connected_to(served.port(), "");
    for (std::uint32_t id = 1; id < 60; id += 2) {
      client.send(get(id, "/fails"));
      const std::string reset = std::to_string(id) + " reset INTERNAL_ERROR";
      co_await client.until(reset);
    }
    client.send(get(61, "/fine"));
    std::string said = co_await client.until("61 end");
    EXPECT_NE(said.find("61 'fine'"), std::string::npos) << said;
    client.close();
    co_await served.cleanup();
  });
}

/// What a server refuses, and what its log then says.
std::vector<std::pair<std::string, std::string>> refused_requests() {
  const std::string large(10000, 'x');
  return {
      {get(1, "/", {{"host", "other"}}), "'UNKNOWN / HTTP/2.0' 400 16"},
      {get(1, "/" + large), "'UNKNOWN / HTTP/2.0' 414 "},
      {get(1, "/", {{"x", large}}), "'UNKNOWN / HTTP/2.0' 431 36"},
      {get(1, "/417", {{"expect", "miracles"}}), "'GET /417 HTTP/2.0' 417 23"},
      {open(1, request("HEAD", "/417", {{"expect", "miracles"}})), "'HEAD /417 HTTP/2.0' 417 0"},
      {post(1, "/read"), "'POST /read HTTP/2.0' 408 20"},
      {post(1, "/read") + frame(data, 0, 1, "12345678901"), "'POST /read HTTP/2.0' 413 "},
  };
}

TEST_P(Http2Ends, R10_refused_requests_are_in_the_access_log) {
  run([]() -> Coro<> {
    web::RunnerOptions options = with_http2();
    options.access_log(web::access_logger("'%r' %s %b")).limits(http::HttpLimits().body(10));
    for (const auto& [frames, line] : refused_requests()) {
      test::LogCapture log;
      std::string said = co_await all_said(echoing(), frames, options);
      EXPECT_EQ(log.records.size(), 1u) << log.all();
      EXPECT_EQ(log.count(line), 1) << line << ": " << log.all() << said;
    }
  });
}

/// The window of a stream lets 65,535 bytes pass.
TEST_P(Http2Ends, R10_who_leaves_in_mid_answer_is_in_the_access_log_with_what_it_got) {
  run([]() -> Coro<> {
    web::RunnerOptions options = with_http2();
    options.access_log(web::access_logger("'%r' %s %b"));
    web::Application app = answering([](web::Request&) -> Coro<web::Response> {
      co_return web::Response(std::string(1'000'000, 'x'));
    });
    Served served = co_await test::serve(std::move(app), options);
    Client client = co_await connected_to(served.port(), get(1, "/"));
    test::LogCapture log;
    co_await sleep(1s);
    EXPECT_EQ(log.records.size(), 0u) << log.all();
    client.send(frame(rst_stream, 0, 1, number(8, 4)));
    co_await sleep(1s);
    EXPECT_EQ(log.count("'GET / HTTP/2.0' 200 65535"), 1) << log.all();
    EXPECT_EQ(log.records.size(), 1u) << log.all();
    client.close();
    co_await served.cleanup();
  });
}

TEST_P(Http2Ends, D13_a_stream_without_write_eof_is_ended_for_its_handler) {
  run([]() -> Coro<> {
    web::Application app = answering([](web::Request& request) -> Coro<web::Response> {
      web::StreamResponse stream;
      co_await stream.prepare(request);
      co_await stream.write("hello");
      co_return web::Response::sent();
    });
    Served served = co_await test::serve(std::move(app), with_http2());
    Client client = co_await connected_to(served.port(), get(1, "/"));
    std::string said = co_await client.until("1 end");
    EXPECT_NE(said.find("1 'hello'"), std::string::npos) << said;
    client.close();
    co_await served.cleanup();
  });
}

const std::vector<std::string> kPaths{"whole", "stream"};

web::Application compressing() {
  return answering([](web::Request& request) -> Coro<web::Response> {
    const std::string words(3000, 'w');
    if (request.path() == "/whole") co_return web::Response(words).enable_compression();
    web::StreamResponse stream;
    stream.content_length(2 * words.size()).enable_compression();
    co_await stream.prepare(request);
    co_await stream.write(words);
    co_await stream.write(words);
    web::Response response = co_await stream.write_eof();
    co_return response;
  });
}

TEST_P(Http2Ends, D13_bodies_are_compressed) {
  run([]() -> Coro<> {
    Served served = co_await test::serve(compressing(), with_http2());
    ClientSession session(SessionOptions().http2(Http2::PriorKnowledge));
    RequestOptions options;
    options.header("Accept-Encoding", "gzip");
    for (const std::string& path : kPaths) {
      ClientResponse response = co_await session.get(served.url() / path, options);
      std::string body = co_await response.read();
      EXPECT_EQ(body, std::string(path == "whole" ? 3000 : 6000, 'w'));
      EXPECT_EQ(response.version(), http::Version::http_2);
      EXPECT_EQ(response.headers().get("Content-Encoding"), "gzip");
      EXPECT_EQ(response.headers().get("Vary"), "Accept-Encoding");
      EXPECT_EQ(response.headers().contains("Content-Length"), path == "whole");
    }
    session.close();
    co_await served.cleanup();
  });
}

}  // namespace

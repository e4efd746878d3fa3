// SPDX-License-Identifier: BSL-1.0
// A whole server over HTTP/2: handlers, deadlines and the end, with a client whose frames are
// written by hand, on simulated connections and their clock.
#include "asyncio/web/stream_response.hpp"
#include "asyncio/web/websocket_response.hpp"
#include "backends.hpp"
#include "captures.hpp"
#include "connected.hpp"
#include "http2_client.hpp"
#include "raw_client.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

using namespace asyncio;
using namespace std::chrono_literals;
using namespace test::h2;
using test::Served;

namespace {

class Http2Server : public test::BackendTest {};
INSTANTIATE_TEST_SUITE_P(Backends, Http2Server, ::testing::Values("simulated"), test::backend_name);

TEST_P(Http2Server, D13_requests_are_answered_as_they_end) {
  run([]() -> Coro<> {
    Served served = co_await test::serve(echoing(), with_http2());
    Client client = co_await connected_to(
        served.port(), post(1, "/") + get(3, "/") + open(5, request("HEAD", "/")));
    co_await client.until("3 end");
    client.send(frame(data, 0, 1, "ab") + frame(data, end_stream, 1, "cd"));
    std::string said = co_await client.until_end();
    EXPECT_EQ(said,
              "3 200, 5 200, 5 end, 3 'GET', 3 end, 1 200, 1 'POSTabcd', 1 end, "
              "goaway NO_ERROR 5");
    client.close();
    co_await served.cleanup();
  });
}

TEST_P(Http2Server, R13_fields_of_a_connection_stay_inside) {
  run([]() -> Coro<> {
    web::Application app = answering([](web::Request& request) -> Coro<web::Response> {
      EXPECT_EQ(request.version(), http::Version::http_2);
      EXPECT_EQ(request.host(), "h");
      web::Response response("x");
      response.header("X-Upper", "1").header("Keep-Alive", "5").header("Upgrade", "h2c");
      co_return response;
    });
    Served served = co_await test::serve(std::move(app), with_http2());
    Client client = co_await connected_to(served.port(), get(1, "/"));
    co_await client.until("1 end");
    EXPECT_EQ(client.field("x-upper"), "1");
    EXPECT_EQ(client.field("content-length"), "1");
    EXPECT_EQ(client.field("content-type"), "text/plain; charset=utf-8");
    EXPECT_NE(client.field("date"), "none");
    EXPECT_EQ(client.said().fields().size(), 5u);
    client.close();
    co_await served.cleanup();
  });
}

// Not in coroutines: g++ 12 refuses the lists there.
std::string expecting() {
  return post(1, "/", {{"expect", "100-continue"}, {"content-length", "2"}});
}
std::string two_websockets() {
  return get(1, "/", {{"sec-websocket-version", "13"}}) + open(3, {{":method", "CONNECT"},
                                                                   {":protocol", "websocket"},
                                                                   {":scheme", "http"},
                                                                   {":path", "/"},
                                                                   {":authority", "h"}});
}
std::vector<std::string> first_bytes() {
  return {hello() + get(1, "/"), test::get("/"), test::post("/", "")};
}

TEST_P(Http2Server, fault127_who_waits_to_be_told_is_told_when_the_body_is_read) {
  run([]() -> Coro<> {
    Served served = co_await test::serve(echoing(), with_http2());
    Client client = co_await connected_to(served.port(), expecting());
    std::string told = co_await client.until("1 100");
    EXPECT_EQ(told, "1 100");
    client.send(frame(data, end_stream, 1, "ab"));
    told = co_await client.until("1 end");
    EXPECT_EQ(told, "1 100, 1 200, 1 'POSTab', 1 end");
    client.close();
    co_await served.cleanup();
  });
}

/// A handler of each kind of failure, by the path.
Coro<web::Response> fail(web::Request& request) {
  std::string path = request.path();
  if (path == "/throws") throw std::runtime_error("a secret");
  web::StreamResponse stream;
  stream.content_length(3);
  co_await stream.prepare(request);
  co_await stream.write("ab");
  if (path == "/throws-late") throw std::runtime_error("a secret");
  if (path == "/too-much") co_await stream.write("cd");
  if (path == "/no-end") co_return web::Response::sent();
  web::Response response = co_await stream.write_eof();
  co_return response;
}

TEST_P(Http2Server, fault130_fault129_a_failure_ends_its_stream_alone) {
  run([]() -> Coro<> {
    test::LogCapture log;
    web::Application app = answering(fail);
    std::string said = co_await all_said(
        std::move(app), get(1, "/throws") + get(3, "/throws-late") + get(5, "/too-much") +
                            get(7, "/no-end") + get(9, "/too-little"));
    EXPECT_NE(said.find("1 500"), std::string::npos) << said;
    EXPECT_NE(said.find("1 '500: Internal Server Error', 1 end"), std::string::npos) << said;
    for (int id = 3; id <= 9; id += 2) {
      EXPECT_NE(said.find(std::to_string(id) + " reset INTERNAL_ERROR"), std::string::npos) << said;
      EXPECT_EQ(said.find(std::to_string(id) + " end"), std::string::npos) << said;
    }
    EXPECT_EQ(said.find("secret"), std::string::npos);
  });
}

TEST_P(Http2Server, fault138_a_websocket_is_refused) {
  run([]() -> Coro<> {
    web::Application app = answering([](web::Request& request) -> Coro<web::Response> {
      http::WebSocket socket = co_await web::websocket(request);
      co_return web::Response();
    });
    std::string said = co_await all_said(std::move(app), two_websockets());
    EXPECT_NE(said.find("1 400"), std::string::npos) << said;
    EXPECT_NE(said.find("3 reset PROTOCOL_ERROR"), std::string::npos) << said;
  });
}

Coro<> expect_end_after(std::string bytes, std::chrono::seconds limit) {
  Served served = co_await test::serve(echoing(), with_http2());
  auto [reader, writer] = co_await open_connection("127.0.0.1", served.port());
  EventLoop loop = get_running_loop();
  TimePoint began = loop.time();
  writer.write(bytes);
  std::string said = co_await reader.read();
  EXPECT_GE(loop.time() - began, limit) << bytes.size();
  EXPECT_LE(loop.time() - began, limit + 3s) << bytes.size();
  writer.close();
  co_await served.cleanup();
}

TEST_P(Http2Server, fault123_deadlines_of_the_first_bytes_of_a_head_and_of_idleness) {
  const std::string preface(http::detail::kHttp2Preface);
  run(expect_end_after, "", 75s);
  run(expect_end_after, preface.substr(0, 10), 30s);
  run(expect_end_after, preface, 30s);
  run(expect_end_after, hello() + frame(headers, 1, 1, block(request("GET", "/"))), 30s);
  run(expect_end_after, hello() + get(1, "/"), 75s);
}

TEST_P(Http2Server, fault123_pings_keep_no_idle_connection) {
  run([]() -> Coro<> {
    Served served = co_await test::serve(echoing(), with_http2());
    Client client = co_await connected_to(served.port(), get(1, "/"));
    co_await client.until("1 end");
    std::string told;
    for (int i = 0; i < 10 && told.find("goaway") == std::string::npos; ++i) {
      co_await sleep(10s);
      client.send(frame(ping, 0, 0, "pingping"));
      const std::string next = "goaway";
      auto outcome = co_await capture(wait_for(client.until(next), 1s));
      told = client.said().text();
    }
    EXPECT_NE(told.find("goaway NO_ERROR 1"), std::string::npos) << told;
    client.close();
    co_await served.cleanup();
  });
}

TEST_P(Http2Server, fault124_a_slow_upload_is_told_so_and_hurts_nobody_else) {
  run([]() -> Coro<> {
    Served served = co_await test::serve(echoing(), with_http2());
    Client client = co_await connected_to(served.port(), post(1, "/"));
    EventLoop loop = get_running_loop();
    TimePoint began = loop.time();
    std::string told = co_await client.until("1 end");
    EXPECT_EQ(told, "1 408, 1 '408: Request Timeout', 1 end");
    EXPECT_GE(loop.time() - began, 60s);
    client.send(get(3, "/"));
    told = co_await client.until("3 end");
    EXPECT_NE(told.find("3 200, 3 'GET', 3 end"), std::string::npos) << told;
    client.close();
    co_await served.cleanup();
  });
}

TEST_P(Http2Server, fault124_who_lets_nothing_be_sent_is_reset_and_the_handler_told) {
  run([]() -> Coro<> {
    std::size_t written = 0;
    bool told = false;
    web::Application app = answering([&](web::Request& request) -> Coro<web::Response> {
      if (request.path() == "/short") co_return web::Response("short");
      web::StreamResponse stream;
      co_await stream.prepare(request);
      try {
        for (;;) {
          co_await stream.write(std::string(10000, 'x'));
          written += 10000;
        }
      } catch (const TimeoutError&) {
        told = true;
      }
      co_return web::Response::sent();
    });
    Served served = co_await test::serve(std::move(app), with_http2());
    Client client = co_await connected_to(served.port(), get(1, "/long"));
    std::string said = co_await client.until("1 reset");
    EXPECT_NE(said.find("1 reset CANCEL"), std::string::npos) << said;
    EXPECT_TRUE(told);
    EXPECT_EQ(client.said().body_bytes(), 65535u);  // a window that was never opened
    EXPECT_LE(written, 65535u + 2 * 65536u);
    client.send(frame(window_update, 0, 0, number(10000, 4)) + get(3, "/short"));
    said = co_await client.until("3 end");
    EXPECT_NE(said.find("3 'short'"), std::string::npos) << said;
    client.close();
    co_await served.cleanup();
  });
}

TEST_P(Http2Server, R2_a_stream_that_is_not_read_holds_up_no_other) {
  run([]() -> Coro<> {
    web::Application app = answering([](web::Request& request) -> Coro<web::Response> {
      co_return web::Response(std::string(request.path() == "/long" ? 100000 : 10, 'x'));
    });
    Served served = co_await test::serve(std::move(app), with_http2());
    const std::string small = setting(4, 1000);  // of each stream's window
    Streams streams = co_await open_connection("127.0.0.1", served.port());
    Client client(std::move(streams));
    client.send(hello(small) + get(1, "/long") + get(3, "/short"));
    std::string said = co_await client.until("3 end");
    EXPECT_EQ(said.find("1 end"), std::string::npos) << said;
    EXPECT_EQ(client.said().body_bytes(), 1010u);
    client.send(frame(window_update, 0, 1, number(200000, 4)) +
                frame(window_update, 0, 0, number(200000, 4)));
    said = co_await client.until("1 end");
    EXPECT_EQ(client.said().body_bytes(), 100010u);
    client.close();
    co_await served.cleanup();
  });
}

TEST_P(Http2Server, fault131_a_handler_is_told_that_its_client_has_given_up) {
  run([]() -> Coro<> {
    int told = 0;
    web::Application app = answering([&](web::Request& request) -> Coro<web::Response> {
      if (request.path() == "/") co_return web::Response("ok");
      co_await sleep(1s);
      web::StreamResponse stream;
      try {
        co_await stream.prepare(request);
      } catch (const ConnectionResetError&) {
        ++told;
        throw;
      }
      co_return web::Response::sent();
    });
    Served served = co_await test::serve(std::move(app), with_http2());
    Client client = co_await connected_to(served.port(), get(1, "/wait"));
    co_await sleep(1ms);
    client.send(frame(rst_stream, 0, 1, number(8, 4)) + get(3, "/"));
    std::string said = co_await client.until_end();
    EXPECT_EQ(said, "3 200, 3 'ok', 3 end, goaway NO_ERROR 3");
    EXPECT_EQ(told, 1);
    client.close();
    co_await served.cleanup();
  });
}

TEST_P(Http2Server, fault131_resets_do_not_buy_handlers_without_end) {
  run([]() -> Coro<> {
    int running = 0, most = 0;
    web::Application app = answering([&](web::Request&) -> Coro<web::Response> {
      most = std::max(most, ++running);
      co_await sleep(10s);
      --running;
      co_return web::Response();
    });
    web::RunnerOptions options = with_http2();
    options.limits(http::HttpLimits().streams(10).stream_resets(1000));
    std::string frames;
    for (std::uint32_t id = 1; id < 400; id += 2)
      frames += get(id, "/") + frame(rst_stream, 0, id, number(8, 4));
    std::string said = co_await all_said(std::move(app), frames, options);
    EXPECT_EQ(said, "goaway NO_ERROR 399");
    EXPECT_LE(most, 20);
    EXPECT_EQ(running, 0);
  });
}

TEST_P(Http2Server, fault136_a_connection_may_bring_so_many_requests) {
  run([]() -> Coro<> {
    web::RunnerOptions options = with_http2();
    options.keepalive_requests(2);
    std::string said =
        co_await all_said(echoing(), get(1, "/") + get(3, "/") + get(5, "/"), options);
    EXPECT_NE(said.find("goaway NO_ERROR 5"), std::string::npos) << said;
    EXPECT_NE(said.find("3 end"), std::string::npos) << said;
  });
}

TEST_P(Http2Server, fault139_a_connection_too_many_is_told_before_it_asks) {
  run([]() -> Coro<> {
    web::RunnerOptions options = with_http2();
    options.max_connections(1);
    Served served = co_await test::serve(echoing(), options);
    Client first = co_await connected_to(served.port(), get(1, "/"));
    co_await first.until("1 end");
    Client second = co_await connected_to(served.port(), get(1, "/"));
    std::string said = co_await second.until_end();
    EXPECT_EQ(said, "goaway NO_ERROR 0");
    first.close();
    second.close();
    co_await served.cleanup();
  });
}

web::Application slow() {
  return answering([](web::Request& request) -> Coro<web::Response> {
    co_await sleep(5s);
    co_return web::Response(request.path());
  });
}

TEST_P(Http2Server, L13_the_end_loses_no_request_that_is_on_its_way) {
  run([]() -> Coro<> {
    Served served = co_await test::serve(slow(), with_http2());
    Client client = co_await connected_to(served.port(), get(1, "/a"));
    co_await sleep(1s);
    EventLoop loop = get_running_loop();
    TimePoint began = loop.time();
    Task<void> ending = create_task(served.cleanup());
    std::string said = co_await client.until("ping");
    EXPECT_EQ(said.find("goaway NO_ERROR 2147483647"), 0u) << said;
    client.send(get(3, "/b"));  // before it knows
    client.send(frame(ping, ack, 0, std::string(8, '\0')));
    said = co_await client.until("goaway NO_ERROR 3");
    client.send(get(5, "/late"));
    said = co_await client.until_end();
    EXPECT_NE(said.find("1 '/a', 1 end"), std::string::npos) << said;
    EXPECT_NE(said.find("3 '/b', 3 end"), std::string::npos) << said;
    EXPECT_EQ(said.find("5 200"), std::string::npos) << said;
    client.close();
    co_await ending;
    EXPECT_LE(loop.time() - began, 6s);
  });
}

TEST_P(Http2Server, L13_a_client_that_does_not_answer_holds_up_no_end) {
  run([]() -> Coro<> {
    Served served = co_await test::serve(slow(), with_http2());
    Client client = co_await connected_to(served.port(), "");
    co_await sleep(1s);
    EventLoop loop = get_running_loop();
    TimePoint began = loop.time();
    co_await served.cleanup();
    EXPECT_LE(loop.time() - began, 4s);
    std::string said = co_await client.until_end();
    EXPECT_NE(said.find("goaway NO_ERROR 0"), std::string::npos) << said;
    client.close();
  });
}

TEST_P(Http2Server, L13_who_has_not_said_its_version_yet_has_a_second_for_it) {
  run([]() -> Coro<> {
    Served served = co_await test::serve(echoing(), with_http2());
    Streams first = co_await open_connection("127.0.0.1", served.port());
    Streams second = co_await open_connection("127.0.0.1", served.port());
    Streams silent = co_await open_connection("127.0.0.1", served.port());
    co_await sleep(10ms);  // they have been let in
    Task<void> ending = create_task(served.cleanup());
    co_await sleep(100ms);
    first.second.write("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
    std::string answer = co_await first.first.read();
    EXPECT_TRUE(answer.starts_with("HTTP/1.1 200 ")) << answer;
    Client client(std::move(second));
    client.send(hello() + get(1, "/"));
    std::string said = co_await client.until("1 end");
    EXPECT_NE(said.find("1 200"), std::string::npos) << said;
    client.close();
    std::string nothing = co_await silent.first.read();
    EXPECT_EQ(nothing, "");
    co_await ending;
    first.second.close();
    silent.second.close();
  });
}

TEST_P(Http2Server, fault120_who_does_not_offer_http2_refuses_its_preface) {
  run([]() -> Coro<> {
    Served served = co_await test::serve(echoing());
    std::string said = co_await test::exchange(served.port(), hello());
    EXPECT_TRUE(said.starts_with("HTTP/1.1 505 ")) << said;
    co_await served.cleanup();
  });
}

Coro<> expect_both_versions(std::size_t piece) {
  Served served = co_await test::serve(echoing(), with_http2());
  for (const std::string& bytes : first_bytes()) {
    std::vector<std::string> pieces;
    for (std::size_t at = 0; at < bytes.size(); at += piece)
      pieces.push_back(bytes.substr(at, piece));
    std::string said = co_await test::exchange(served.port(), std::move(pieces));
    const bool is_http1 = !bytes.starts_with("PRI");
    const std::string answer = is_http1 ? said.substr(0, 17) : test::h2::said(said);
    EXPECT_EQ(answer,
              is_http1 ? "HTTP/1.1 200 OK\r\n" : "1 200, 1 'GET', 1 end, goaway NO_ERROR 1");
  }
  co_await served.cleanup();
}

TEST_P(Http2Server, D13_both_versions_share_a_port_in_every_split) {
  for (std::size_t piece : {1u, 2u, 23u, 10000u}) run(expect_both_versions, piece);
}

TEST_P(Http2Server, fault137_the_access_log_names_the_version) {
  run([]() -> Coro<> {
    test::LogCapture log;
    web::RunnerOptions options = with_http2();
    options.access_log(web::access_logger("%r %s %b"));
    std::string said = co_await all_said(echoing(), get(1, "/x?y"), options);
    EXPECT_EQ(log.count("GET /x?y HTTP/2.0 200 3"), 1) << said << log.all();
  });
}

TEST_P(Http2Server, fault131_a_handler_whose_connection_is_lost_runs_to_its_end) {
  run([]() -> Coro<> {
    int ended = 0;
    web::Application app = answering([&](web::Request&) -> Coro<web::Response> {
      co_await sleep(5s);
      ++ended;
      co_return web::Response("x");
    });
    Served served = co_await test::serve(std::move(app), with_http2());
    Client client = co_await connected_to(served.port(), get(1, "/") + get(3, "/"));
    co_await sleep(1s);
    client.close();
    co_await sleep(10s);
    EXPECT_EQ(ended, 2);
    co_await served.cleanup();
  });
}

}  // namespace

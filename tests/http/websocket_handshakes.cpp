// SPDX-License-Identifier: BSL-1.0
// Handshakes of WebSockets that are none, or not as they should be (fault 165).
#include "asyncio/testing/simulated.hpp"
#include "captures.hpp"
#include "trace_log.hpp"
#include "websocket_peer.hpp"

#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <string_view>
#include <vector>

using namespace asyncio;
using namespace std::chrono_literals;
using namespace test;
using asyncio::testing::run_simulated;
using http::ClientSession;

namespace {

/// The status of the answer to a request for a WebSocket.
Coro<std::string> status_for(std::string request, WebSocketOptions options = {}) {
  Served served =
      co_await serve_each([](WebSocket ws) -> Coro<> { co_await ws.receive(); }, options);
  Streams streams = co_await open_connection("127.0.0.1", served.port());
  streams.second.write(request);
  std::string head = co_await streams.first.readuntil("\r\n\r\n");
  streams.second.abort();
  co_await served.cleanup();
  std::size_t end = head.find("\r\n\r\n");
  bool names_version = head.find("Sec-WebSocket-Version: 13") < end;
  co_return head.substr(9, 3) + (names_version ? " version" : "");
}

std::string edited(std::string_view from, std::string_view to) {
  std::string text = offer_head("");
  std::size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return text.replace(at, from.size(), to);
}

TEST(WebSocketHandshake, fault165_a_server_refuses_what_is_none) {
  auto status = [](std::string request) { return run_simulated(status_for(std::move(request))); };
  EXPECT_EQ(status(offer_head("")), "101");
  EXPECT_EQ(status(edited("websocket", "WebSocket")), "101");
  EXPECT_EQ(status(edited("Upgrade\r\n", "keep-alive, Upgrade\r\n")), "101");
  EXPECT_EQ(status(edited("Upgrade: websocket\r\n", "")), "400");
  EXPECT_EQ(status(edited("Upgrade: websocket", "Upgrade: h2c")), "400");
  EXPECT_EQ(status(edited("Connection: Upgrade\r\n", "")), "400");
  EXPECT_EQ(status(edited("HTTP/1.1", "HTTP/1.0")), "400");
  EXPECT_EQ(status(edited("Version: 13", "Version: 8")), "426 version");
  EXPECT_EQ(status(edited("Sec-WebSocket-Version: 13\r\n", "")), "426 version");
  EXPECT_EQ(status(offer_head("Sec-WebSocket-Version: 13\r\n")), "400");
  const std::string key = "dGhlIHNhbXBsZSBub25jZQ==";
  for (std::string_view wrong : {"", "dGhlIHNhbXBsZSBub25jZQ", "dGhlIHNhbXBsZSBub25jZR==",
                                 "dGhlIHNhbXBsZSBub25jZS5=", "!Ghl!HNhbXBsZSBub25jZQ=="})
    EXPECT_EQ(status(edited(key, wrong)), "400") << wrong;
  EXPECT_EQ(status(offer_head("Sec-WebSocket-Key: " + key + "\r\n")), "400");
  EXPECT_EQ(status(offer_head("Sec-WebSocket-Extensions: nonsense\r\n")), "101");
  EXPECT_EQ(status(offer_head("Sec-WebSocket-Protocol: unknown\r\n")), "101");
}

TEST(WebSocketHandshake, fault165_pages_of_other_origins_are_refused) {
  auto status = [](std::string origin, WebSocketOptions options = {}) {
    return run_simulated(status_for(offer_head("Origin: " + origin + "\r\n"), options));
  };
  EXPECT_EQ(status("http://here"), "101");
  EXPECT_EQ(status("https://HERE"), "101");
  for (const char* foreign : {"http://there", "http://here.example", "http://here:81", "null",
                              "here", "http://", "http://x@here"})
    EXPECT_EQ(status(foreign), "403") << foreign;
  WebSocketOptions hook;
  hook.check_origin([](std::string_view origin) { return origin == "http://there"; });
  EXPECT_EQ(status("http://there", hook), "101");
  EXPECT_EQ(status("http://here", hook), "403");
}

Coro<std::string> refusal_of(std::function<std::string(std::string)> answer,
                             WebSocketOptions options = {}) {
  auto peer = [&](StreamReader reader, StreamWriter writer) -> Coro<> {
    std::string head = co_await reader.readuntil("\r\n\r\n");
    writer.write(answer(head));
    std::string rest = co_await reader.read();
    EXPECT_EQ(rest, "");
    writer.close();
  };
  Server server = co_await start_server(peer, "127.0.0.1", 0);
  ClientSession session;
  http::URL url("http://127.0.0.1:" + std::to_string(server.sockets().at(0).port()) + "/");
  std::string error = co_await error_of(session.ws_connect(url, options));
  session.close();
  server.close();
  co_await server.wait_closed();
  co_return error;
}

TEST(WebSocketHandshake, fault165_a_client_refuses_an_answer_that_is_none) {
  auto expect = [](std::string_view from, std::string_view to, std::string_view reason,
                   WebSocketOptions options = {}) {
    auto answer = [&](const std::string& request) {
      std::string head = answer_head(request, "X: y\r\n");
      std::size_t at = head.find(from);
      return at == std::string::npos ? "HTTP/1.1 500\r\n\r\n" : head.replace(at, from.size(), to);
    };
    std::string error = run_simulated(refusal_of(answer, options));
    EXPECT_NE(error.find(reason), std::string::npos) << error;
  };
  expect("101 Switching Protocols", "200 OK", "WSServerHandshakeError");
  expect("101 Switching Protocols", "200 OK", "status 200 instead of 101");
  expect("101 Switching Protocols", "403 Forbidden", "status 403 instead of 101");
  expect("HTTP/1.1", "SSH-2.0", "ClientProtocolError");
  expect("Accept: ", "Accept: x", "not the answer to our key");
  expect("Sec-WebSocket-Accept", "X-Accept", "not the answer to our key");
  expect("X: y", "Sec-WebSocket-Accept: z", "more than one sec-websocket-accept");
  expect("Upgrade: websocket", "Upgrade: other", "another protocol");
  expect("X: y", "Sec-WebSocket-Protocol: b", "protocol \"b\" was not offered",
         WebSocketOptions().protocols("a"));
  expect("X: y", "Sec-WebSocket-Extensions: permessage-deflate", "were not offered",
         WebSocketOptions().compress(false));
  expect("X: y", "Sec-WebSocket-Extensions: other", "not what was offered");
  expect("X: y", "Sec-WebSocket-Extensions: permessage-deflate", "not what was offered",
         WebSocketOptions().context_takeover(false));
  expect("X: y",
         "Sec-WebSocket-Extensions: permessage-deflate\r\n"
         "Sec-WebSocket-Extensions: permessage-deflate",
         "not what was offered");
}

Coro<> close_after(std::string part, std::string wanted) {
  auto peer = [&](StreamReader reader, StreamWriter writer) -> Coro<> {
    (void)co_await reader.readuntil("\r\n\r\n");
    writer.write(part);
    writer.close();
  };
  Server server = co_await start_server(peer, "127.0.0.1", 0);
  ClientSession session;
  http::URL url("ws://127.0.0.1:" + std::to_string(server.sockets().at(0).port()) + "/");
  std::string error = co_await error_of(session.ws_connect(url));
  EXPECT_NE(error.find(wanted + ": " + std::string(url.str())), std::string::npos) << error;
  session.close();
  server.close();
  co_await server.wait_closed();
}

TEST(WebSocketHandshake, D13_a_server_that_closes_is_a_client_error) {
  run_simulated(close_after("", "ServerDisconnectedError"));
  run_simulated(close_after("HTTP/1.1 1", "ClientPayloadError"));
  run_simulated(close_after("HTTP/1.1 100 Continue\r\n\r\n", "ServerDisconnectedError"));
}

Coro<> answer_with_frames(std::string before = "") {
  auto peer = [&before](StreamReader reader, StreamWriter writer) -> Coro<> {
    std::string head = co_await reader.readuntil("\r\n\r\n");
    std::string bytes = before + answer_head(head, "") + frame_bytes(kText, "at once", false) +
                        frame_bytes(kClose, "", false);
    writer.write(bytes);
    std::string rest = co_await reader.read();
    EXPECT_EQ(frames_of(rest).size(), 1u);
    writer.close();
  };
  Server server = co_await start_server(peer, "127.0.0.1", 0);
  ClientSession session;
  http::URL url("ws://127.0.0.1:" + std::to_string(server.sockets().at(0).port()) + "/");
  WebSocket ws = co_await session.ws_connect(url);
  std::string text = co_await ws.receive_str();
  EXPECT_EQ(text, "at once");
  WSMessage end = co_await ws.receive();
  EXPECT_EQ(end.type, WSMsgType::Close);
  session.close();
  server.close();
  co_await server.wait_closed();
}

TEST(WebSocketHandshake, fault165_informational_answers_come_before) {
  run_simulated(
      answer_with_frames("HTTP/1.1 100 Continue\r\n\r\n"
                         "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"));
}

TEST(WebSocketHandshake, fault165_frames_in_one_segment_with_the_handshake_are_not_lost) {
  run_simulated(answer_with_frames());
  // A client may not say anything before it has the answer; one that does is heard all the same.
  Conversation early = run_simulated(
      converse(Role::server, saying({{kText, "early"}, {kClose, close_payload(1000)}})));
  EXPECT_EQ(early.seen.size(), 2u);
}

TEST(WebSocketHandshake, fault165_the_answer_is_that_of_the_RFC) {
  EXPECT_EQ(http::detail::websocket_accept("dGhlIHNhbXBsZSBub25jZQ=="),
            "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
}

/// A WebSocket at /ws that says whether it was given credentials, and ways to it.
web::Application with_ways(std::string elsewhere) {
  web::Application app;
  app.get("/ws", [](web::Request& request) -> Coro<web::Response> {
    const bool knows = request.headers().contains("Authorization");
    WebSocket ws = co_await web::websocket(request);
    co_await ws.send_str(knows ? "with credentials" : "without");
    co_return web::Response::sent();
  });
  app.get("/query", [](web::Request& request) -> Coro<web::Response> {
    const std::string query(request.query_string());
    WebSocket ws = co_await web::websocket(request);
    co_await ws.send_str(query);
    co_return web::Response::sent();
  });
  for (const auto& [from, to] : {std::pair<const char*, std::string>("/old", "/older"),
                                 {"/older", "/ws"},
                                 {"/loop", "/loop"},
                                 {"/page", "ftp://there/"},
                                 {"/away", elsewhere}})
    app.get(from,
            [place = to](web::Request&) -> Coro<web::Response> { throw web::HTTPFound(place); });
  for (std::string scheme : {"http", "ws"})
    app.get("/by_" + scheme, [scheme](web::Request& request) -> Coro<web::Response> {
      throw web::HTTPFound(scheme + "://" + std::string(request.headers().get("Host", "")) + "/ws");
    });
  app.get("/late", [](web::Request&) -> Coro<web::Response> {
    co_await sleep(3s);
    throw web::HTTPFound("/late");
  });
  return app;
}

Coro<> follow_redirects() {
  Served there = co_await serve(with_ways(""));
  Served here = co_await serve(with_ways(std::string(there.url().str()) + "ws"));
  ClientSession session;
  http::RequestOptions options;
  options.header("Authorization", "Bearer secret");
  auto said_at = [&](std::string way) -> Coro<std::string> {
    WebSocket ws = co_await session.ws_connect(here.url() / way, {}, options);
    std::string said = co_await ws.receive_str();
    co_return said;
  };
  std::string said = co_await said_at("old");
  EXPECT_EQ(said, "with credentials");
  said = co_await said_at("away");
  EXPECT_EQ(said, "without");
  auto lost = co_await capture(said_at("loop"));
  EXPECT_TRUE(lost.holds<http::TooManyRedirects>()) << describe_exception(lost.exception());
  lost = co_await capture(said_at("page"));
  EXPECT_TRUE(lost.holds<http::InvalidURL>()) << describe_exception(lost.exception());
  said = co_await said_at("by_http");
  EXPECT_EQ(said, "with credentials") << "the same origin";
  said = co_await said_at("by_ws");
  EXPECT_EQ(said, "with credentials") << "the same origin";
  options.allow_redirects(false);
  lost = co_await capture(said_at("old"));
  EXPECT_TRUE(lost.holds<http::WSServerHandshakeError>()) << describe_exception(lost.exception());
  session.close();
  co_await here.cleanup();
  co_await there.cleanup();
}

TEST(WebSocketHandshake, R7_the_time_limit_is_of_all_redirects_together) {
  run_simulated([]() -> Coro<> {
    Served here = co_await serve(with_ways(""));
    ClientSession session;
    http::RequestOptions options;
    options.timeout(http::ClientTimeout().total(5s));
    TimePoint began = get_running_loop().time();
    auto lost = co_await capture(session.ws_connect(here.url() / "late", {}, options));
    EXPECT_TRUE(lost.holds<http::ServerTimeoutError>()) << describe_exception(lost.exception());
    EXPECT_EQ(get_running_loop().time() - began, 5s);
    session.close();
    co_await here.cleanup();
  });
}

TEST(WebSocketHandshake, D13_S44_redirects_are_followed_without_foreign_credentials) {
  run_simulated(follow_redirects());
}

/// What the server and the hooks are told.
Coro<> ask_with_params() {
  Served here = co_await serve(with_ways(""));
  TraceLog log;
  ClientSession session(http::SessionOptions().base_url(here.url()).trace(log.config()));
  http::RequestOptions options;
  http::MultiDict params;
  params.add("a", "b c");
  options.params(params);
  WebSocket ws = co_await session.ws_connect("/query?x=1", {}, options);
  std::string said = co_await ws.receive_str();
  EXPECT_EQ(said, "x=1&a=b+c");
  const std::vector<std::string> plain{"start /query", "create", "created", "headers",
                                       "end /query 101"};
  EXPECT_EQ(log.take(), plain);
  WebSocket redirected = co_await session.ws_connect("/older");
  const std::vector<std::string> twice{"start /older", "create",       "created",
                                       "headers",      "redirect 302", "create",
                                       "created",      "headers",      "end /older 101"};
  EXPECT_EQ(log.take(), twice);
  auto none = co_await capture(session.ws_connect("/nothing"));
  EXPECT_TRUE(none.holds<http::WSServerHandshakeError>());
  EXPECT_EQ(log.take().back(), "end /nothing 404");
  none = co_await capture(session.ws_connect("/page"));
  EXPECT_TRUE(none.holds<http::InvalidURL>());
  EXPECT_EQ(log.take().back(), "exception");
  session.close();
  co_await here.cleanup();
}

TEST(WebSocketHandshake, S44_it_has_the_params_and_the_hooks_of_a_request) {
  run_simulated(ask_with_params());
}

Coro<> use_credentials_of_session() {
  Served there = co_await serve(with_ways(""));
  Served here = co_await serve(with_ways(""));
  ClientSession session(http::SessionOptions().base_url(here.url()).bearer("secret"));
  auto said_at = [&](http::URL url) -> Coro<std::string> {
    WebSocket ws = co_await session.ws_connect(url);
    std::string said = co_await ws.receive_str();
    co_return said;
  };
  std::string said = co_await said_at("/ws");
  EXPECT_EQ(said, "with credentials");
  said = co_await said_at(here.url().with_scheme("ws") / "ws");
  EXPECT_EQ(said, "with credentials") << "the base's server";
  said = co_await said_at(there.url().with_scheme("ws") / "ws");
  EXPECT_EQ(said, "without") << "another server";
  session.close();
  co_await here.cleanup();
  co_await there.cleanup();
}

TEST(WebSocketHandshake, S44_credentials_of_a_session_go_to_its_base) {
  run_simulated(use_credentials_of_session());
}

}  // namespace

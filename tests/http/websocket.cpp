// SPDX-License-Identifier: BSL-1.0
// WebSockets of the client and the server, on every backend.
#include "asyncio/http/websocket.hpp"

#include "asyncio/asyncio.hpp"
#include "asyncio/http/client.hpp"
#include "asyncio/web/websocket_response.hpp"
#include "backends.hpp"
#include "captures.hpp"
#include "connected.hpp"
#include "served.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

using namespace asyncio;
using namespace std::chrono_literals;
using http::ClientSession;
using http::WebSocket;
using http::WebSocketOptions;
using http::WSCloseCode;
using http::WSMessage;
using http::WSMsgType;
using test::error_of;
using test::serve;
using test::Served;

namespace {

class WebSockets : public test::BackendTest {};
INSTANTIATE_TEST_SUITE_P(Backends, WebSockets, test::all_backends, test::backend_name);

Coro<web::Response> echo(web::Request& request) {
  WebSocket ws = co_await web::websocket(request, WebSocketOptions().protocols("chat"));
  while (auto message = co_await ws.next()) {
    if (message->type == WSMsgType::Text)
      co_await ws.send_str(message->data);
    else
      co_await ws.send_bytes(message->data);
  }
  co_return web::Response::sent();
}

web::Application with_websocket(web::Handler handler) {
  web::Application app;
  app.get("/ws", std::move(handler));
  return app;
}

TEST_P(WebSockets, S44_messages_come_back) {
  run([]() -> Coro<> {
    Served served = co_await serve(with_websocket(echo));
    ClientSession session;
    for (bool compress : {true, false}) {
      WebSocketOptions options;
      options.compress(compress).protocols("other", "chat");
      WebSocket ws = co_await session.ws_connect(served.url() / "ws", options);
      EXPECT_EQ(ws.protocol(), "chat");
      for (std::size_t size : {0, 5, 200, 100'000}) {
        co_await ws.send_str(std::string(size, 'x'));
        co_await ws.send_bytes(std::string(size, '\xff'));
        WSMessage text = co_await ws.receive();
        EXPECT_EQ(text.type, WSMsgType::Text);
        EXPECT_TRUE(text.data == std::string(size, 'x'));
        WSMessage bytes = co_await ws.receive();
        EXPECT_EQ(bytes.type, WSMsgType::Binary);
        EXPECT_TRUE(bytes.data == std::string(size, '\xff'));
      }
      co_await ws.close();
      EXPECT_EQ(ws.close_code(), WSCloseCode::Ok);
      WSMessage after = co_await ws.receive();
      EXPECT_EQ(after.type, WSMsgType::Closed);
      std::string error = co_await error_of(ws.send_str("x"));
      EXPECT_NE(error.find("closed"), std::string::npos) << error;
    }
    session.close();
    co_await served.cleanup();
  });
}

TEST_P(WebSockets, S44_a_session_that_says_close_has_them_too) {
  run([]() -> Coro<> {
    Served served = co_await serve(with_websocket(echo));
    ClientSession session(http::SessionOptions().header("Connection", "close"));
    WebSocket ws = co_await session.ws_connect(served.url() / "ws");
    co_await ws.send_str("hello");
    WSMessage message = co_await ws.receive();
    EXPECT_EQ(message.data, "hello");
    co_await ws.close();
    session.close();
    co_await served.cleanup();
  });
}

TEST_P(WebSockets, S44_the_server_closes_with_its_reason) {
  run([]() -> Coro<> {
    Served served = co_await serve(with_websocket([](web::Request& request) -> Coro<web::Response> {
      WebSocket ws = co_await web::websocket(request);
      co_await ws.close(WSCloseCode::PolicyViolation, "not you");
      co_return web::Response::sent();
    }));
    ClientSession session;
    WebSocket ws = co_await session.ws_connect(served.url() / "ws");
    WSMessage message = co_await ws.receive();
    EXPECT_EQ(message.type, WSMsgType::Close);
    EXPECT_EQ(message.close_code, WSCloseCode::PolicyViolation);
    EXPECT_EQ(message.data, "not you");
    EXPECT_TRUE(ws.closed());
    session.close();
    co_await served.cleanup();
  });
}

TEST_P(WebSockets, R10_a_handler_that_throws_says_1011_and_why_to_the_log) {
  run([]() -> Coro<> {
    test::LogCapture log;
    web::Application app;
    app.get("/error", [](web::Request& request) -> Coro<web::Response> {
      WebSocket ws = co_await web::websocket(request);
      co_await ws.receive_str();
      throw ValueError("no such room");
      co_return web::Response::sent();
    });
    app.get("/answer", [](web::Request& request) -> Coro<web::Response> {
      WebSocket ws = co_await web::websocket(request);
      co_await ws.receive_str();
      throw web::HTTPForbidden();  // too late for that
      co_return web::Response::sent();
    });
    Served served = co_await serve(std::move(app));
    ClientSession session;
    for (const char* path : {"error", "answer"}) {
      WebSocket ws = co_await session.ws_connect(served.url() / path);
      // More than it reads: what is on its way must not overtake the goodbye.
      for (int i = 0; i < 20; ++i) co_await ws.send_str(std::string(10'000, 'x'));
      WSMessage message = co_await ws.receive();
      EXPECT_EQ(message.type, WSMsgType::Close);
      EXPECT_EQ(message.close_code, WSCloseCode::InternalError);
    }
    EXPECT_EQ(log.count("Error handling request GET /error: asyncio::ValueError: no such room"), 1)
        << log.all();
    EXPECT_EQ(log.count("Error handling request GET /answer: "), 1) << log.all();
    session.close();
    co_await served.cleanup();
  });
}

TEST_P(WebSockets, S43_a_heartbeat_finds_a_dead_peer_and_lets_a_live_one_be) {
  run([]() -> Coro<> {
    Served served = co_await serve(with_websocket([](web::Request& request) -> Coro<web::Response> {
      WebSocket ws = co_await web::websocket(request);
      WSMessage message = co_await ws.receive();  // answers pings
      EXPECT_EQ(message.data, "alive");
      co_await sleep(200ms);  // and now it does not
      co_return web::Response::sent();
    }));
    ClientSession session;
    WebSocket ws =
        co_await session.ws_connect(served.url() / "ws", WebSocketOptions().heartbeat(20ms));
    auto receiving = create_task([&]() -> Coro<WSMessage> {
      WSMessage message = co_await ws.receive();
      co_return message;
    });
    co_await sleep(100ms);
    EXPECT_FALSE(receiving.done());
    co_await ws.send_str("alive");
    WSMessage end = co_await receiving;
    EXPECT_EQ(end.type, WSMsgType::Closed);
    EXPECT_EQ(ws.close_code(), WSCloseCode::AbnormalClosure);
    session.close();
    co_await served.cleanup();
  });
}

/// As the tutorials write it.
Coro<> beat(WebSocket ws, int* beats) {
  try {
    for (;;) {
      co_await ws.ping("beat");
      ++*beats;
      co_await sleep(5ms);
    }
  } catch (const ConnectionResetError&) {  // the connection has ended, and so do we
  }
}

TEST_P(WebSockets, S43_a_heartbeat_task_stops_with_its_connection) {
  run([]() -> Coro<> {
    Served served = co_await serve(with_websocket([](web::Request& request) -> Coro<web::Response> {
      WebSocket ws = co_await web::websocket(request, WebSocketOptions().autoping(false));
      for (int i = 0; i < 3; ++i) {
        WSMessage message = co_await ws.receive();
        EXPECT_EQ(message.type, WSMsgType::Ping);
        EXPECT_EQ(message.data, "beat");
        co_await ws.send_str("news");
      }
      co_await ws.close();
      co_return web::Response::sent();
    }));
    ClientSession session;
    int beats = 0;
    WebSocket ws = co_await session.ws_connect(served.url() / "ws");
    Task<> beating = create_task(beat, ws, &beats);
    int news = 0;
    while (auto message = co_await ws.next()) ++news;
    EXPECT_EQ(news, 3);
    co_await wait_for(beating, 5s);
    EXPECT_GE(beats, 3);
    session.close();
    co_await served.cleanup();
  });
}

TEST_P(WebSockets, R13_too_large_a_message_closes) {
  run([]() -> Coro<> {
    Served served = co_await serve(with_websocket([](web::Request& request) -> Coro<web::Response> {
      WebSocket ws = co_await web::websocket(request, WebSocketOptions().max_msg_size(1000));
      auto message = co_await ws.next();
      EXPECT_FALSE(message);
      EXPECT_EQ(ws.close_code(), WSCloseCode::MessageTooBig);
      co_return web::Response::sent();
    }));
    ClientSession session;
    WebSocket ws = co_await session.ws_connect(served.url() / "ws");
    co_await ws.send_str(std::string(2000, 'x'));
    WSMessage message = co_await ws.receive();
    EXPECT_EQ(message.close_code, WSCloseCode::MessageTooBig);
    session.close();
    co_await served.cleanup();
  });
}

TEST_P(WebSockets, R10_a_server_without_one_is_an_error) {
  run([]() -> Coro<> {
    web::Application app;
    app.get("/ws", [](web::Request& request) -> Coro<web::Response> {
      EXPECT_TRUE(web::is_websocket(request));
      co_return web::Response("no");
    });
    app.get("/plain", echo);
    Served served = co_await serve(std::move(app));
    ClientSession session;
    std::string error = co_await error_of(session.ws_connect(served.url() / "ws"));
    EXPECT_NE(error.find("status 200 instead of 101"), std::string::npos) << error;
    http::ClientResponse response = co_await session.get(served.url() / "plain");
    EXPECT_EQ(response.status(), 400);
    session.close();
    co_await served.cleanup();
  });
}

TEST_P(WebSockets, L13_an_open_one_ends_with_the_server) {
  run([]() -> Coro<> {
    Served served =
        co_await serve(with_websocket(echo), web::RunnerOptions().shutdown_timeout(20ms));
    ClientSession session;
    WebSocket ws = co_await session.ws_connect(served.url() / "ws");
    co_await ws.send_str("x");
    co_await ws.receive();
    co_await served.cleanup();
    WSMessage message = co_await ws.receive();
    EXPECT_NE(message.type, WSMsgType::Text);
    session.close();
  });
}

}  // namespace

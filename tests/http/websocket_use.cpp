// SPDX-License-Identifier: BSL-1.0
// What handlers and tasks do with a WebSocket: how they leave it, options, who receives.
#include "asyncio/testing/faults.hpp"
#include "asyncio/testing/simulated.hpp"
#include "captures.hpp"
#include "websocket_peer.hpp"

#include <gtest/gtest.h>

#include <string>

struct Point {
  int x = 0;
};
template <>
struct asyncio::http::JsonCodec<Point> {
  static Point parse(std::string_view text) {
    if (!text.starts_with("{")) throw ValueError("no point");
    return {std::stoi(std::string(text.substr(1)))};
  }
  static std::string dump(const Point& point) { return "{" + std::to_string(point.x) + "}"; }
};

using namespace asyncio;
using namespace std::chrono_literals;
using namespace test;
using asyncio::testing::run_simulated;
using http::ClientSession;

namespace {

/// What the client of such a handler gets.
Coro<WSMessage> message_of(Handler handler) {
  Served served = co_await serve_each(handler);
  ClientSession session;
  WebSocket ws = co_await session.ws_connect(served.url() / "ws");
  WSMessage message = co_await ws.receive();
  session.close();
  co_await served.cleanup();
  co_return message;
}

TEST(WebSocketUse, S44_a_handler_that_ends_says_goodbye) {
  test::LogCapture log;
  WSMessage end = run_simulated(message_of([](WebSocket) -> Coro<> { co_return; }));
  EXPECT_EQ(end.type, WSMsgType::Close);
  EXPECT_EQ(end.close_code, WSCloseCode::Ok);
  end = run_simulated(message_of([](WebSocket) -> Coro<> {
    co_await sleep(0s);
    throw RuntimeError("oh");
  }));
  EXPECT_EQ(end.type, WSMsgType::Close);
  EXPECT_EQ(end.close_code, WSCloseCode::InternalError);
}

Coro<> use_options() {
  Handler handler = [](WebSocket ws) -> Coro<> {
    WSMessage ping = co_await ws.receive();
    EXPECT_EQ(ping.type, WSMsgType::Ping);
    EXPECT_EQ(ping.data, "asked");
    co_await ws.pong("answered");
    Point point = co_await ws.receive_json<Point>();
    EXPECT_EQ(point.x, 7);
    std::string error = co_await error_of(ws.receive_str());
    EXPECT_EQ(error, "asyncio::TypeError: Received message Binary is not Text");
    error = co_await error_of(ws.receive_json<Point>());
    EXPECT_EQ(error, "asyncio::ValueError: no point");
    co_await ws.send_json(Point{8});
    WSMessage close = co_await ws.receive();
    EXPECT_EQ(close.type, WSMsgType::Close);
    EXPECT_FALSE(ws.closed());
    co_await ws.send_str("not yet");
    co_await ws.close(WSCloseCode::PolicyViolation);
    EXPECT_TRUE(ws.closed());
    EXPECT_EQ(ws.close_code(), WSCloseCode::GoingAway);
  };
  Served served = co_await serve_each(handler, WebSocketOptions().autoping(false).autoclose(false));
  ClientSession session;
  WebSocketOptions options;
  options.autoping(false).receive_timeout(5s);
  WebSocket ws = co_await session.ws_connect(served.url() / "ws", options);
  co_await ws.ping("asked");
  WSMessage pong = co_await ws.receive();
  EXPECT_EQ(pong.type, WSMsgType::Pong);
  EXPECT_EQ(pong.data, "answered");
  std::string error = co_await error_of(ws.receive());
  EXPECT_TRUE(error.starts_with("asyncio::TimeoutError")) << error;
  co_await ws.send_json(Point{7});
  co_await ws.send_bytes("bytes");
  co_await ws.send_str("nothing");
  Point point = co_await ws.receive_json<Point>();
  EXPECT_EQ(point.x, 8);
  // What comes before the goodbye is dropped: nobody receives.
  co_await ws.close(WSCloseCode::GoingAway);
  EXPECT_EQ(ws.close_code(), WSCloseCode::PolicyViolation);
  error = co_await error_of(ws.ping(std::string(126, 'x')));
  EXPECT_TRUE(error.starts_with("asyncio::ConnectionResetError")) << error;
  session.close();
  co_await served.cleanup();
}

TEST(WebSocketUse, S44_options_and_typed_messages) { run_simulated(use_options()); }

/// However the system names it, that a connection is lost is one error for who sends.
Coro<> send_into_a_broken_pipe(asyncio::testing::Faults& faults) {
  Served served = co_await serve_each([](WebSocket ws) -> Coro<> { (void)co_await ws.receive(); });
  ClientSession session;
  WebSocket ws = co_await session.ws_connect(served.url() / "ws");
  constexpr auto kSend = asyncio::testing::SystemCall::send;
  faults.fail(kSend, faults.calls(kSend) + 1, EPIPE);
  std::string error = co_await error_of(ws.send_str("lost"));
  EXPECT_TRUE(error.starts_with("asyncio::ConnectionResetError: send on a WebSocket: ")) << error;
  EXPECT_EQ(faults.injected(), 1u);
  WSMessage end = co_await ws.receive();
  EXPECT_EQ(end.type, WSMsgType::Closed);
  EXPECT_EQ(ws.close_code(), WSCloseCode::AbnormalClosure);
  session.close();
  co_await served.cleanup();
}

TEST(WebSocketUse, S44_R7_a_send_that_is_lost_is_a_connection_reset) {
  asyncio::testing::Faults faults;
  RunOptions options;
  options.loop_factory([&] { return faults.new_simulated_event_loop(); });
  asyncio::run(send_into_a_broken_pipe(faults), options);
}

/// Who asks once more is not the one who answers it.
Coro<> receive_behind_a_close() {
  std::optional<WSCloseCode> told, kept;
  auto handler = [&](WebSocket ws) -> Coro<> {
    WSMessage message = co_await ws.receive();
    EXPECT_EQ(message.type, WSMsgType::Close);
    told = ws.close_code();
    for (int i = 0; i < 2; ++i) {
      WSMessage again = co_await ws.receive();
      EXPECT_EQ(again.type, WSMsgType::Closed);
    }
    kept = ws.close_code();
    EXPECT_FALSE(ws.closed());
    co_await ws.close(WSCloseCode::GoingAway);
    EXPECT_TRUE(ws.closed());
    EXPECT_EQ(ws.close_code(), static_cast<WSCloseCode>(4000));
  };
  Served served = co_await serve_each(handler, WebSocketOptions().autoclose(false));
  Streams streams = co_await shaken(served);
  streams.second.write(frame_bytes(kClose, close_payload(4000), true));
  std::string rest = co_await streams.first.read();
  std::vector<Frame> frames = frames_of(rest);
  EXPECT_EQ(frames.size(), 1u);
  if (!frames.empty()) {
    EXPECT_EQ(code_of(frames[0]), 1001);
  }
  EXPECT_EQ(told, static_cast<WSCloseCode>(4000));
  EXPECT_EQ(kept, told);
  streams.second.close();
  co_await served.cleanup();
}

TEST(WebSocketUse, S44_a_close_that_is_not_answered_yet_keeps_its_code) {
  run_simulated(receive_behind_a_close());
}

/// What a loop gets that receives whatever comes.
template <class Receive>
Coro<std::string> loop_of(Receive receive, int& turns) {
  for (; turns < 1000; ++turns) {
    auto outcome = co_await capture(receive());
    if (!outcome) co_return describe_exception(outcome.exception());
  }
  co_return "never ends";
}

Coro<> receive_for_ever() {
  constexpr const char* kEnd = "asyncio::RuntimeError: WebSocket connection is closed.";
  std::string served_end;
  int served_turns = 0;
  auto handler = [&](WebSocket ws) -> Coro<> {
    std::string end = co_await loop_of([&] { return ws.receive(); }, served_turns);
    served_end = end;
  };
  Served served = co_await serve_each(handler);
  Streams streams = co_await shaken(served);
  streams.second.abort();
  while (served_end.empty()) co_await sleep(1ms);
  EXPECT_EQ(served_end, kEnd);
  EXPECT_EQ(served_turns, 5);

  ClientSession session;
  WebSocket ws = co_await session.ws_connect(served.url() / "ws");
  co_await ws.close();
  int turns = 0;
  std::string end = co_await loop_of([&] { return ws.receive(); }, turns);
  EXPECT_EQ(end, kEnd);
  EXPECT_EQ(turns, 5);
  session.close();
  co_await served.cleanup();
}

TEST(WebSocketUse, S44_a_loop_that_does_not_look_at_the_end_ends) {
  run_simulated(receive_for_ever());
}

Coro<> two_receivers() {
  Served served = co_await serve_each([](WebSocket ws) -> Coro<> {
    co_await sleep(1s);
    co_await ws.send_str("late");
    auto end = co_await ws.next();
    EXPECT_FALSE(end);
  });
  ClientSession session;
  std::optional<Task<WSMessage>> receiving;
  {
    WebSocket ws = co_await session.ws_connect(served.url() / "ws");
    receiving = create_task(ws.receive());
    co_await sleep(100ms);
    std::string error = co_await error_of(ws.receive());
    EXPECT_EQ(error, "asyncio::RuntimeError: Concurrent call to receive() is not allowed");
  }
  // The task keeps what it works on.
  WSMessage message = co_await *receiving;
  EXPECT_EQ(message.data, "late");
  session.close();
  co_await served.cleanup();
}

TEST(WebSocketUse, R16_one_task_receives) { run_simulated(two_receivers()); }

}  // namespace

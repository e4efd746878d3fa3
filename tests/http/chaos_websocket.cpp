// SPDX-License-Identifier: BSL-1.0
// CP: WebSockets of our client and our server, through a proxy that does what networks do. Messages
// arrive as they were sent, in their order, or the WebSocket is closed as one whose connection was
// lost, on both sides.
#include "asyncio/web/websocket_response.hpp"
#include "chaotic.hpp"

namespace {

using namespace asyncio;
using namespace std::chrono_literals;
using http::ClientSession;
using http::WebSocket;
using http::WebSocketOptions;
using http::WSCloseCode;
using http::WSMessage;
using http::WSMsgType;
using test::base_of;
using test::ChaosProxy;
using test::Climate;
using test::kAtOnce;
using test::kHang;
using test::Outcomes;
using test::Wire;

constexpr int kMessages = 24;

class WebSocketChaos : public test::BackendTest {};
INSTANTIATE_TEST_SUITE_P(Backends, WebSocketChaos, test::real_backends, test::backend_name);

/// Who hears nothing of the other side finds out.
WebSocketOptions watchful(std::chrono::milliseconds limit) {
  WebSocketOptions options;
  return options.heartbeat(limit, limit).close_timeout(limit);
}

std::string message(int number) {
  std::size_t size = number == kMessages / 2 ? 12'000 : static_cast<std::size_t>(number) * 20;
  return test::pattern(size, static_cast<unsigned>(number));
}

Coro<> send_all(WebSocket ws) {
  for (int i = 0; i < kMessages; ++i) co_await ws.send_bytes(message(i));
}

/// That it is lost is all that may be wrong with a WebSocket.
std::string lost(const WebSocket& ws, const WSMessage& end) {
  if (end.type == WSMsgType::Closed && ws.close_code() == WSCloseCode::AbnormalClosure)
    return "error: lost";
  return "wrong: ends with " + std::to_string(static_cast<int>(end.type)) + ", code " +
         std::to_string(static_cast<int>(ws.close_code().value_or(WSCloseCode::None))) + " " +
         std::string(ws.error());
}

Coro<std::string> receive_all(WebSocket ws) {
  for (int i = 0; i < kMessages; ++i) {
    WSMessage got = co_await ws.receive();
    if (got.type != WSMsgType::Binary) co_return lost(ws, got);
    if (got.data != message(i)) co_return "wrong message " + std::to_string(i);
  }
  co_return "exact";
}

/// Says all, and hears it again meanwhile.
Coro<std::string> converse(ClientSession session, std::string url,
                           std::chrono::milliseconds limit) {
  WebSocket ws = co_await session.ws_connect(url, watchful(limit), test::within(limit));
  Task<> sending = create_task(send_all(ws));
  std::string outcome = co_await receive_all(ws);
  auto sent = co_await capture(sending);
  if (!sent.has_value() && !sent.holds<ConnectionResetError>())
    co_return "wrong: " + describe_exception(sent.exception());
  co_await ws.close();
  co_return outcome;
}

/// Says what it hears, and counts those that are not at their end.
class Echo {
 public:
  web::Application application() {
    web::Application app;
    app.get("/ws", [this](web::Request& request) { return echo(request); });
    return app;
  }
  int inside() const { return inside_; }
  /// The codes that no lost or finished connection has.
  const std::string& wrong() const { return wrong_; }

 private:
  Coro<web::Response> echo(web::Request& request) {
    WebSocket ws = co_await web::websocket(request, watchful(test::kLimit));
    ++inside_;
    auto ended = co_await capture(repeat(ws));
    --inside_;
    if (ended.has_exception() && !ended.holds<ConnectionResetError>())
      wrong_ += describe_exception(ended.exception()) + "\n";
    WSCloseCode code = ws.close_code().value_or(WSCloseCode::AbnormalClosure);
    if (code != WSCloseCode::Ok && code != WSCloseCode::AbnormalClosure)
      wrong_ += "closed with " + std::to_string(static_cast<int>(code)) + "\n";
    co_return web::Response::sent();
  }

  static Coro<> repeat(WebSocket ws) {
    while (auto heard = co_await ws.next()) co_await ws.send_bytes(heard->data);
  }

  int inside_ = 0;
  std::string wrong_;
};

Coro<Outcomes> converse_all(ClientSession session, std::string url,
                            std::chrono::milliseconds limit) {
  std::vector<Coro<std::string>> all;
  for (int i = 0; i < kAtOnce; ++i)
    all.push_back(test::outcome_of(converse(session, url, limit), kHang));
  Outcomes outcomes = co_await gather(std::move(all));
  co_return outcomes;
}

Coro<int> conversations(std::uint64_t seed, Wire wire) {
  test::LogCapture log;
  Echo echo;
  web::AppRunner runner = co_await test::serve_over(wire, echo.application());
  Climate climate;
  climate.corrupts = wire != Wire::plain;
  climate.most = 24'000;  // there are no more
  ChaosProxy proxy(runner.addresses().at(0).port(), seed, climate);
  co_await proxy.open();
  ClientSession session(test::session_options(wire));
  std::string url = base_of(wire, proxy.port(), "ws") + "/ws";
  Outcomes outcomes = co_await converse_all(session, url, test::kLimit);
  int exact = test::count_exact(outcomes, proxy);
  proxy.calm();
  Outcomes later = co_await converse_all(session, url, kHang);
  for (const std::string& outcome : later) EXPECT_EQ(outcome, "exact") << proxy.log();
  session.close();
  co_await proxy.close();
  co_await wait_for(runner.cleanup(), kHang);
  EXPECT_EQ(echo.inside(), 0) << proxy.log();
  EXPECT_EQ(echo.wrong(), "") << proxy.log();
  EXPECT_TRUE(log.records.empty()) << log.all() << proxy.log();
  co_return exact;
}

TEST_P(WebSocketChaos, random_weather_between_our_websockets) {
  test::for_each_chaos(options(),
                       [](std::uint64_t seed, Wire wire) { return conversations(seed, wire); });
}

}  // namespace

// SPDX-License-Identifier: BSL-1.0
// Faults of which the simulated loop has the many cases, once more on sockets of the system.
#include "backends.hpp"
#include "captures.hpp"
#include "raw_server.hpp"
#include "websocket_peer.hpp"

#include <gtest/gtest.h>

#include <linux/filter.h>
#include <string>
#include <sys/socket.h>
#include <utility>

using namespace asyncio;
using namespace std::chrono_literals;
using http::ClientSession;
using http::Method;
using test::error_of;
using test::RawServer;
using test::read_request;
using test::response_with;
using test::Served;
using test::text_of;

namespace {

class RealSockets : public test::BackendTest {};
INSTANTIATE_TEST_SUITE_P(Backends, RealSockets, test::real_backends, test::backend_name);

/// The first connection breaks off when it is told, whatever was asked there; others answer.
RawServer::Handler breaking_off(Event& told, int& served) {
  return [&told, &served](StreamReader reader, StreamWriter writer) -> Coro<> {
    const bool is_first = served == 0;
    for (;;) {
      co_await read_request(reader);
      ++served;
      co_await writer.send(response_with("x"));
      if (!is_first) continue;
      co_await told.wait();
      writer.abort();
      co_return;
    }
  };
}

constexpr int kMostTurns = 8;

/// A request on a connection that its server gives up so many turns of the loop before; by the last
/// of them that has long been seen.
Coro<std::string> race(Method method, int turns, int& served) {
  Event told;
  RawServer server = co_await RawServer::start(breaking_off(told, served));
  ClientSession session;
  co_await text_of(session, server.url());
  told.set();
  for (int i = 0; i < turns; ++i) co_await sleep(0s);
  if (turns == kMostTurns) co_await sleep(50ms);
  std::string outcome = co_await error_of(session.request(method, server.url()));
  session.close();
  co_await server.stop();
  co_return outcome;
}

TEST_P(RealSockets, fault141_the_server_closes_the_idle_connection_as_it_is_used_again) {
  int lost = 0, answered = 0;
  for (int turns = 0; turns <= kMostTurns; ++turns) {
    int served = 0;
    std::string got = run([&]() -> Coro<std::string> { return race(Method::GET, turns, served); });
    EXPECT_EQ(got, "nothing") << "a GET is sent again, over a new connection";
    EXPECT_EQ(served, 2);
    served = 0;
    std::string posted =
        run([&]() -> Coro<std::string> { return race(Method::POST, turns, served); });
    posted == "nothing" ? ++answered : ++lost;
    EXPECT_EQ(served, posted == "nothing" ? 2 : 1) << "a POST is never sent again";
    if (posted == "nothing") continue;
    EXPECT_NE(posted.find("ServerDisconnectedError"), std::string::npos) << posted;
    EXPECT_NE(posted.find("no response byte received"), std::string::npos) << posted;
  }
  EXPECT_GT(lost, 0);
  EXPECT_GT(answered, 0);
}

/// What is sent to it is dropped and never acknowledged, as if a cable were cut.
bool cut_off(const StreamWriter& writer) {
  sock_filter drop_all = BPF_STMT(BPF_RET | BPF_K, 0);
  sock_fprog program{1, &drop_all};
  return ::setsockopt(writer.fileno(), SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program) == 0;
}

TEST_P(RealSockets, fault162_a_peer_that_vanishes_is_noticed_by_its_silence) {
  run([]() -> Coro<> {
    Event noticed;
    test::Handler handler = [&](http::WebSocket ws) -> Coro<> {
      auto message = co_await ws.next();
      EXPECT_FALSE(message);
      EXPECT_EQ(ws.close_code(), http::WSCloseCode::AbnormalClosure);
      noticed.set();
    };
    Served served =
        co_await test::serve_each(handler, http::WebSocketOptions().heartbeat(200ms, 100ms));
    EventLoop loop = get_running_loop();
    const TimePoint began = loop.time();
    test::Streams gone = co_await test::shaken(served);
    EXPECT_TRUE(cut_off(gone.second));
    co_await wait_for(noticed.wait(), 20s);
    EXPECT_GE(loop.time() - began, 300ms);
    auto heard = co_await capture(wait_for(gone.first.read(1), 1ms));
    EXPECT_TRUE(heard.holds<TimeoutError>()) << "neither the ping nor the end has come through";
    gone.second.abort();
    co_await served.cleanup();
  });
}

}  // namespace

// SPDX-License-Identifier: BSL-1.0
// D8: on a simulated loop HTTP has the virtual time of day, and its seed's random bytes.
#include "asyncio/asyncio.hpp"
#include "asyncio/http/client.hpp"
#include "asyncio/http/form_data.hpp"
#include "asyncio/testing/network.hpp"
#include "asyncio/testing/simulated.hpp"
#include "asyncio/web/access_log.hpp"
#include "asyncio/web/session.hpp"
#include "captures.hpp"
#include "http/random.hpp"
#include "http/websocket_frames.hpp"
#include "served.hpp"
#include "websocket_peer.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace {

using namespace asyncio;
using namespace std::chrono_literals;
using asyncio::testing::Network;
using asyncio::testing::run_simulated;
using asyncio::testing::Seed;
using http::ClientResponse;
using http::ClientSession;
using http::RequestOptions;
using http::URL;
using test::Served;

std::string date_of(const ClientResponse& response) {
  return std::string(response.headers().get("Date").value_or("none"));
}

/// Gives a cookie that lives for a minute, and says which one came.
Coro<web::Response> give_cookie(web::Request& request) {
  web::Response response(std::string(request.cookies().get("short").value_or("none")));
  response.set_cookie(http::Cookie("short", "lived").max_age(60s));
  co_return response;
}

Coro<Served> serve_cookies() {
  web::Application app;
  app.get("/", give_cookie);
  return test::serve(std::move(app), web::RunnerOptions().access_log(web::access_logger()));
}

/// The text of a response and its Date.
Coro<std::pair<std::string, std::string>> ask(ClientSession session, URL url) {
  ClientResponse response = co_await session.get(url);
  std::string text = co_await response.text();
  std::pair<std::string, std::string> answer(text, date_of(response));
  co_return answer;
}

TEST(Replay, D8_cookies_expire_and_dates_advance_with_the_virtual_clock) {
  test::LogCapture log;
  run_simulated([]() -> Coro<> {
    Served served = co_await serve_cookies();
    ClientSession session;
    auto first = co_await ask(session, served.url());
    EXPECT_EQ(first.first, "none");
    EXPECT_EQ(first.second, "Tue, 01 Jan 2030 00:00:00 GMT");
    co_await sleep(59s);
    auto second = co_await ask(session, served.url());
    EXPECT_EQ(second.first, "lived");
    EXPECT_EQ(second.second, "Tue, 01 Jan 2030 00:00:59 GMT");
    co_await sleep(24h);
    auto third = co_await ask(session, served.url());
    EXPECT_EQ(third.first, "none") << "a cookie for a minute was sent after a day";
    EXPECT_EQ(third.second, "Wed, 02 Jan 2030 00:00:59 GMT");
    session.close();
    co_await served.cleanup();
  });
  EXPECT_EQ(log.count("[01/Jan/2030:00:00:59 +0000]"), 1) << log.all();
  EXPECT_EQ(log.count("[02/Jan/2030:00:00:59 +0000]"), 1) << log.all();
}

TEST(Replay, D8_a_real_loop_has_the_time_and_the_chance_of_the_system) {
  using System = std::chrono::system_clock;
  auto look = []() -> Coro<std::string> {
    auto before = System::now();
    auto now = wall_time();
    EXPECT_LE(before, now);
    EXPECT_LE(now, System::now());
    co_return http::detail::random_name();
  };
  EXPECT_NE(run(look()), run(look()));
  auto before = System::now();
  EXPECT_LE(before, wall_time()) << "without a loop";
  EXPECT_NE(http::detail::random_name(), http::detail::random_name());
}

/// Everything that goes through a host between a client and a server, with its times.
class Recorder {
 public:
  struct Connection {
    std::string asked;
    std::string answered;
  };

  explicit Recorder(std::uint16_t port) : port_(port) {}

  Coro<> relay(StreamReader reader, StreamWriter writer) {
    Connection& connection = connections_.emplace_back();
    auto [far_reader, far_writer] = co_await open_connection("127.0.0.1", port_);
    auto back = create_task(pass('<', far_reader, writer, connection.answered));
    (void)co_await capture(pass('>', reader, far_writer, connection.asked));
    (void)co_await capture(back);
  }

  const std::string& trace() const { return trace_; }
  /// What the client has sent behind the head that begins so.
  std::string sent_behind(std::string_view head) const {
    for (const Connection& one : connections_)
      if (one.asked.starts_with(head)) return one.asked.substr(one.asked.find("\r\n\r\n") + 4);
    return "";
  }

 private:
  Coro<> pass(char direction, StreamReader from, StreamWriter to, std::string& kept) {
    for (;;) {
      std::string bytes = co_await from.read(4096);
      auto time = get_running_loop().time().time_since_epoch().count();
      trace_ += std::to_string(time) + direction + bytes + "\n";
      kept += bytes;
      if (bytes.empty()) break;
      co_await to.send(bytes);
    }
    to.close();
  }

  std::uint16_t port_;
  std::string trace_;
  std::deque<Connection> connections_;
};

/// What a seed decides.
struct Conversation {
  std::string trace;
  std::vector<std::string> masks;
};

Coro<web::Response> echo(web::Request& request) {
  http::WebSocket ws = co_await web::websocket(request);
  while (auto message = co_await ws.next()) co_await ws.send_str(message->data);
  co_return web::Response::sent();
}

web::Application application() {
  web::Application app;
  app.add_middleware(web::session_middleware(web::memory_sessions()));
  app.get("/", [](web::Request& request) -> Coro<web::Response> {
    web::get_session(request).set("visited", "yes");
    co_return web::Response("welcome");
  });
  app.post("/", [](web::Request& request) -> Coro<web::Response> {
    std::string body = co_await request.read();
    co_return web::Response(body);
  });
  app.get("/ws", echo);
  return app;
}

Coro<> speak(ClientSession session, URL url) {
  co_await ask(session, url);
  RequestOptions options;
  options.data(http::FormData().add_field("name", "value"));
  ClientResponse response = co_await session.post(url, options);
  std::string form = co_await response.text();
  EXPECT_NE(form.find("name=\"name\""), std::string::npos) << form;
  http::WebSocket ws = co_await session.ws_connect(url / "ws");
  for (int i = 0; i < 100; ++i) {
    co_await ws.send_str("message " + std::to_string(i));
    std::string echo = co_await ws.receive_str();
    EXPECT_EQ(echo, "message " + std::to_string(i));
  }
  co_await ws.close();
}

/// A visit with a session's cookie, a form and a WebSocket, on a network that a seed decides.
Coro<Conversation> converse() {
  Network().latency(1ms, 50ms).slices(true);
  Served served = co_await test::serve(application());
  Recorder recorder(served.port());
  auto relay = [&](StreamReader reader, StreamWriter writer) {
    return recorder.relay(std::move(reader), std::move(writer));
  };
  Server middle = co_await start_server(relay, "10.0.0.1", 80);
  ClientSession session;
  auto several = [&](TaskGroup& group) -> Coro<> {
    for (int i = 0; i < 3; ++i) group.create_task(speak(session, URL("http://10.0.0.1/")));
    co_return;
  };
  co_await with(TaskGroup(), several);
  session.close();
  co_await served.cleanup();
  middle.close();
  co_await middle.wait_closed();
  Conversation result;
  result.trace = recorder.trace();
  for (const test::Frame& frame : test::frames_of(recorder.sent_behind("GET /ws")))
    result.masks.push_back(frame.mask);
  co_return result;
}

TEST(Replay, D8_the_same_seed_gives_the_same_bytes_and_another_one_other_masks) {
  Conversation first = run_simulated(converse(), 7);
  Conversation other = run_simulated(converse(), 8);
  Conversation again = run_simulated(converse(), 7);
  EXPECT_TRUE(first.trace == again.trace) << first.trace << "\n--- and then\n" << again.trace;
  EXPECT_NE(first.trace.find("multipart/form-data; boundary="), std::string::npos);
  EXPECT_NE(first.trace.find("Sec-WebSocket-Key"), std::string::npos);
  ASSERT_GE(first.masks.size(), 100u);
  ASSERT_GE(other.masks.size(), 100u);
  std::vector<std::string> both = first.masks;
  both.insert(both.end(), other.masks.begin(), other.masks.end());
  std::ranges::sort(both);
  EXPECT_TRUE(std::ranges::adjacent_find(both) == both.end()) << "a mask came twice";
}

TEST(Replay, D8_masks_are_not_those_that_another_loop_has_left) {
  using Masks = std::vector<http::detail::Mask>;
  auto take = []() -> Coro<Masks> {
    Masks masks;
    for (int i = 0; i < 3; ++i) masks.push_back(http::detail::random_mask());
    co_return masks;
  };
  Masks seeded = run_simulated(take(), 3);
  Masks real = run(take());
  EXPECT_EQ(run_simulated(take(), 3), seeded);
  EXPECT_NE(real, seeded);
  EXPECT_NE(run(take()), real);
  Masks nobodys;
  for (int i = 0; i < 3; ++i) nobodys.push_back(http::detail::random_mask());
  EXPECT_NE(nobodys, seeded);
}

}  // namespace

// SPDX-License-Identifier: BSL-1.0
// Sessions, requests and uploads that end while others wait, or go on.
#include "asyncio/asyncio.hpp"
#include "asyncio/http/client.hpp"
#include "asyncio/testing/simulated.hpp"
#include "captures.hpp"
#include "connected.hpp"
#include "http/client_channel.hpp"
#include "http/connector.hpp"
#include "http2_peer.hpp"
#include "tls.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <memory>
#include <string>
#include <utility>

using namespace asyncio;
using namespace std::chrono_literals;
using asyncio::testing::run_simulated;
using http::ClientResponse;
using http::ClientSession;
using http::RequestOptions;
using http::SessionOptions;
using http::URL;
using http::detail::ConnectionWish;
using http::detail::Connector;
using test::echo_target;
using test::error_of;
using test::H2Link;
using test::H2Stream;
using test::Http2Terms;
using test::over_http2;
using test::RawServer;
using test::respond;
using test::speaking_http2;
using test::streams_at_most;
using test::text_of;

namespace {

/// Whether it was too early for a request.
Coro<bool> is_refused(std::shared_ptr<Connector> connector, std::uint16_t port, Delay after) {
  ConnectionWish wish;
  wish.key.host = "127.0.0.1";
  wish.key.port = port;
  auto opening = create_task(connector->open(wish));
  co_await sleep(after);
  connector->close();
  auto channel = co_await capture(opening);
  if (!channel) {
    EXPECT_TRUE(channel.holds<RuntimeError>()) << describe_exception(channel.exception());
  }
  co_return !channel;
}

Coro<bool> closed_after(Delay after) {
  RawServer server = co_await RawServer::start(speaking_http2(echo_target));
  auto connector = std::make_shared<Connector>(get_running_loop(), over_http2().limit(1));
  bool refused = co_await is_refused(connector, server.port(), after);
  co_await sleep(1s);
  EXPECT_EQ(connector->in_use(), 0u) << after.nanoseconds();
  std::weak_ptr<Connector> left = connector;
  connector.reset();
  EXPECT_TRUE(left.expired()) << after.nanoseconds();
  co_await server.stop();
  co_return refused;
}

TEST(ClientHttp2Ends, R6_a_session_that_is_closed_as_it_connects_keeps_no_connection) {
  EXPECT_TRUE(run_simulated(closed_after(0s))) << "it was not connected yet";
  EXPECT_FALSE(run_simulated(closed_after(1ms))) << "it was";
}

/// "/held" is answered when the event is set.
test::H2Handler holding(Event& go) {
  return [&go](H2Link link, H2Stream stream) -> Coro<> {
    const bool is_held = stream->request.target == "/held";
    if (is_held) co_await go.wait();
    respond(link, stream, stream->request.target);
  };
}

/// At a server that takes one request at a time.
class TwoRequests {
 public:
  TwoRequests(RawServer with, ClientSession by)
      : server(std::move(with)),
        session(std::move(by)),
        held(create_task(text_of(session, server.url("/held")))),
        waiting(create_task(text_of(session, server.url("/waits")))) {}

  RawServer server;
  ClientSession session;
  Task<std::string> held;
  Task<std::string> waiting;
};

Coro<TwoRequests> one_waits(Event& go) {
  RawServer server = co_await RawServer::start(speaking_http2(holding(go), streams_at_most(1)));
  ClientSession session(over_http2());
  std::string text = co_await text_of(session, server.url("/first"));
  EXPECT_EQ(text, "/first");
  TwoRequests two(std::move(server), session);
  co_await sleep(1s);
  EXPECT_FALSE(two.waiting.done());
  co_return two;
}

TEST(ClientHttp2Ends, R2_the_room_of_a_request_that_is_given_up_is_for_the_next_at_once) {
  run_simulated([]() -> Coro<> {
    Event go;
    TwoRequests two = co_await one_waits(go);
    two.held.cancel();
    std::string text = co_await wait_for(two.waiting, 1s);
    EXPECT_EQ(text, "/waits");
    EXPECT_EQ(two.server.connections(), 1);
    go.set();
    two.session.close();
    co_await two.server.stop();
  });
}

TEST(ClientHttp2Ends, R2_who_waits_for_room_learns_that_the_session_is_closed) {
  run_simulated([]() -> Coro<> {
    Event go;
    TwoRequests two = co_await one_waits(go);
    two.session.close();
    std::string error = co_await error_of(wait_for(two.waiting, 1s));
    EXPECT_NE(error.find("Session is closed"), std::string::npos) << error;
    go.set();
    std::string text = co_await two.held;
    EXPECT_EQ(text, "/held");
    co_await two.server.stop();
  });
}

TEST(ClientHttp2Ends, R2_who_waits_for_the_version_learns_that_the_session_is_closed) {
  run_simulated([]() -> Coro<> {
    RawServer silent = co_await RawServer::start(
        [](StreamReader reader, StreamWriter) -> Coro<> { co_await reader.read(); });
    ClientSession session(SessionOptions().ssl(test::pki().client()));
    const URL url = silent.url().with_scheme("https");
    auto dialing = create_task(text_of(session, url));
    co_await sleep(1s);
    auto waiting = create_task(text_of(session, url));
    co_await sleep(1s);
    EXPECT_EQ(silent.connections(), 1);
    session.close();
    std::string error = co_await error_of(wait_for(waiting, 1s));
    EXPECT_NE(error.find("Session is closed"), std::string::npos) << error;
    dialing.cancel();
    (void)co_await capture(dialing);
    co_await silent.stop();
  });
}

/// Does not end when it is cancelled, but when it wants to.
AsyncGenerator<std::string> stubborn_pieces(bool speaks, bool* ended) {
  co_yield "first";
  (void)co_await capture(sleep(1h));
  *ended = true;
  if (speaks) co_yield "last";
}

Coro<> upload_past_the_end(RawServer::Handler handler, SessionOptions session_options,
                           bool speaks) {
  RawServer server = co_await RawServer::start(std::move(handler));
  ClientSession session(std::move(session_options));
  bool ended = false;
  RequestOptions options;
  options.data(stubborn_pieces(speaks, &ended));
  ClientResponse response = co_await session.post(server.url(), options);
  std::string text = co_await response.text();
  EXPECT_EQ(text, "enough");
  EXPECT_FALSE(ended);
  co_await sleep(1s);
  EXPECT_TRUE(ended);
  text = co_await text_of(session, server.url());
  EXPECT_EQ(text, "enough") << "the next one does not suffer";
  session.close();
  co_await server.stop();
}

Coro<> say_enough(StreamReader reader, StreamWriter writer) {
  co_await reader.readuntil("\r\n\r\n");
  co_await writer.send(test::response_with("enough"));
  co_await reader.read();
}

Coro<> respond_enough(H2Link link, H2Stream stream) {
  respond(link, stream, "enough");
  co_return;
}

TEST(ClientHttp2Ends, R4_an_upload_may_outlive_its_exchange) {
  for (bool speaks : {true, false}) {
    run_simulated(upload_past_the_end(say_enough, SessionOptions(), speaks));
    run_simulated(upload_past_the_end(speaking_http2(respond_enough), over_http2(), speaks));
  }
}

}  // namespace

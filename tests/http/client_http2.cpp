// SPDX-License-Identifier: BSL-1.0
// Requests that share a connection of HTTP/2: whose answer is whose, what a cancellation touches,
// windows, the end of connections, and how the version is chosen.
#include "asyncio/asyncio.hpp"
#include "asyncio/http/client.hpp"
#include "asyncio/testing/network.hpp"
#include "asyncio/testing/simulated.hpp"
#include "captures.hpp"
#include "connected.hpp"
#include "http2_peer.hpp"
#include "tls.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

using namespace asyncio;
using namespace std::chrono_literals;
using asyncio::testing::run_simulated;
using http::ClientResponse;
using http::ClientSession;
using http::ClientTimeout;
using http::Http2;
using http::RequestOptions;
using http::SessionOptions;
using http::URL;
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
using test::whole_answer;
using test::h2::frame;

namespace {

namespace h2 = test::h2;

/// Answers late, and out of order.
class Crowd {
 public:
  test::H2Handler handler() {
    return [this](H2Link link, H2Stream stream) -> Coro<> {
      most = std::max(most, ++now);
      co_await sleep(std::chrono::milliseconds(1 + 7 * (stream->id() % 5)));
      --now;
      respond(link, stream, stream->request.target);
    };
  }
  int now = 0, most = 0;
};

TEST(ClientHttp2, R2_D5_each_request_has_its_own_answer_on_one_connection) {
  run_simulated([]() -> Coro<> {
    Crowd crowd;
    RawServer server =
        co_await RawServer::start(speaking_http2(crowd.handler(), streams_at_most(10)));
    ClientSession session(over_http2());
    auto ask = [&](int i) -> Coro<> {
      std::string path = "/" + std::to_string(i);
      std::string text = co_await text_of(session, server.url(path));
      EXPECT_EQ(text, path);
    };
    co_await ask(0);  // since then the client knows the limit
    crowd.most = 0;
    std::vector<Coro<>> all;
    for (int i = 1; i < 60; ++i) all.push_back(ask(i));
    co_await gather(std::move(all));
    EXPECT_EQ(server.connections(), 1);
    EXPECT_EQ(crowd.most, 10) << "as many as the server takes";
    session.close();
    co_await server.stop();
  });
}

/// A task that is cancelled after so many rounds of the loop.
TEST(ClientHttp2, fault140_R2_a_cancelled_request_ends_its_stream_alone) {
  int cancelled = 0;
  for (int after = 0; after < 40; ++after) {
    run_simulated([&]() -> Coro<> {
      Crowd crowd;
      RawServer server =
          co_await RawServer::start(speaking_http2(crowd.handler(), streams_at_most(3)));
      ClientSession session(over_http2());
      std::string first = co_await text_of(session, server.url("/first"));
      EXPECT_EQ(first, "/first");
      auto victim = create_task(text_of(session, server.url("/victim")));
      std::vector<Task<std::string>> others;
      for (int i = 0; i < 5; ++i)
        others.push_back(create_task(text_of(session, server.url("/" + std::to_string(i)))));
      for (int i = 0; i < after % 20; ++i) co_await sleep(0s);
      if (after >= 20) co_await sleep(std::chrono::milliseconds(after - 20));
      victim.cancel();
      auto outcome = co_await capture(victim);
      if (outcome.cancelled()) ++cancelled;
      for (int i = 0; i < 5; ++i) {
        std::string text = co_await others[static_cast<std::size_t>(i)];
        EXPECT_EQ(text, "/" + std::to_string(i)) << after;
      }
      EXPECT_EQ(server.connections(), 1) << after;
      session.close();
      co_await server.stop();
    });
  }
  EXPECT_GT(cancelled, 20);
}

TEST(ClientHttp2, R6_who_does_not_read_holds_up_nobody_and_costs_a_window) {
  run_simulated([]() -> Coro<> {
    const std::string large(10 << 20, 'x');
    H2Stream slow;
    RawServer server =
        co_await RawServer::start(speaking_http2([&](H2Link link, H2Stream stream) -> Coro<> {
          bool is_large = stream->request.target == "/large";
          if (is_large) slow = stream;
          respond(link, stream, is_large ? large : stream->request.target);
          co_return;
        }));
    ClientSession session(over_http2());
    ClientResponse unread = co_await session.get(server.url("/large"));
    co_await sleep(1s);
    EXPECT_GE(slow->unsent(), large.size() - (256u << 10));
    std::string text = co_await text_of(session, server.url("/small"));
    EXPECT_EQ(text, "/small");
    std::string body = co_await unread.text();
    EXPECT_TRUE(body == large) << body.size();
    EXPECT_EQ(server.connections(), 1);
    session.close();
    co_await server.stop();
  });
}

AsyncGenerator<std::string> pieces_of(int count, int& given) {
  for (; given < count; ++given) co_yield std::string(10'000, 'p');
}

TEST(ClientHttp2, R6_an_upload_waits_for_the_server_to_read) {
  run_simulated([]() -> Coro<> {
    Event go;
    RawServer server =
        co_await RawServer::start(speaking_http2([&](H2Link link, H2Stream stream) -> Coro<> {
          co_await go.wait();
          std::size_t size = 0;
          for (;;) {
            std::string part = co_await link->read(stream);
            if (part.empty()) break;
            size += part.size();
          }
          respond(link, stream, std::to_string(size));
        }));
    ClientSession session(over_http2());
    int given = 0;
    RequestOptions options;
    options.data(pieces_of(1000, given));
    auto posting = create_task(session.post(server.url(), options));
    co_await sleep(1s);
    EXPECT_LT(given, 100) << "the window, and what waits before it";
    go.set();
    ClientResponse response = co_await posting;
    std::string text = co_await response.text();
    EXPECT_EQ(text, "10000000");
    session.close();
    co_await server.stop();
  });
}

/// Answers pings, and nothing else.
Coro<> pong_only(StreamReader reader, StreamWriter writer) {
  co_await test::read_first_request(reader);
  co_await writer.send(frame(h2::settings, 0, 0));
  for (;;) {
    co_await test::read_until(reader, h2::ping);
    co_await writer.send(frame(h2::ping, h2::ack, 0, "        "));
  }
}

TEST(ClientHttp2, fault152_time_limits_end_one_stream_and_pings_find_the_dead) {
  run_simulated([]() -> Coro<> {
    RawServer alive = co_await RawServer::start(pong_only);
    RawServer dead = co_await RawServer::start(
        [](StreamReader reader, StreamWriter) -> Coro<> { co_await reader.read(); });
    ClientSession session(over_http2());
    auto seconds_of = [&](URL url, ClientTimeout timeout, std::string error) -> Coro<int> {
      TimePoint begin = get_running_loop().time();
      std::string found = co_await error_of(session.get(url, RequestOptions().timeout(timeout)));
      EXPECT_NE(found.find(error), std::string::npos) << found;
      auto passed = get_running_loop().time() - begin;
      co_return static_cast<int>(std::chrono::duration_cast<std::chrono::seconds>(passed).count());
    };
    int total = co_await seconds_of(alive.url(), ClientTimeout().total(100s), "ServerTimeoutError");
    EXPECT_EQ(total, 100) << "it answers pings";
    int read = co_await seconds_of(alive.url(), ClientTimeout().sock_read(3s), "ServerTimeout");
    EXPECT_EQ(read, 3);
    int found = co_await seconds_of(dead.url(), ClientTimeout(), "ServerDisconnectedError");
    EXPECT_LE(found, 25) << "it does not";
    session.close();
    co_await alive.stop();
    co_await dead.stop();
  });
}

/// A connection that has said nothing since a request that was given up is not trusted.
TEST(ClientHttp2, R2_a_connection_that_has_fallen_silent_gets_no_other_request) {
  run_simulated([]() -> Coro<> {
    int connections = 0;
    auto serve = [&](StreamReader reader, StreamWriter writer) -> Coro<> {
      bool first = ++connections == 1;
      std::uint32_t id = co_await test::read_first_request(reader);
      co_await writer.send(frame(h2::settings, 0, 0) + whole_answer(id, "well"));
      if (!first) co_await writer.send(whole_answer(id + 2, "well"));
      co_await reader.read();
    };
    RawServer server = co_await RawServer::start(serve);
    ClientSession session(over_http2());
    std::string text = co_await text_of(session, server.url());
    EXPECT_EQ(text, "well");
    RequestOptions hurried;
    hurried.timeout(ClientTimeout().total(6s));
    auto outcome = co_await capture(text_of(session, server.url(), hurried));
    EXPECT_TRUE(outcome.holds<http::ServerTimeoutError>());
    text = co_await text_of(session, server.url());
    EXPECT_EQ(text, "well");
    EXPECT_EQ(connections, 2);
    session.close();
    co_await server.stop();
  });
}

TEST(ClientHttp2, fault141_what_the_server_refuses_is_sent_again) {
  run_simulated([]() -> Coro<> {
    int asked = 0, refusals = 2;
    RawServer server =
        co_await RawServer::start(speaking_http2([&](H2Link link, H2Stream stream) -> Coro<> {
          ++asked;
          if (asked > refusals) {
            respond(link, stream, "taken");
            co_return;
          }
          link->session().reset(*stream, test::Http2Code::refused_stream);
          link->flush_soon();
        }));
    ClientSession session(over_http2());
    RequestOptions options;
    options.data(std::string("a body"));
    ClientResponse response = co_await session.post(server.url(), options);
    std::string text = co_await response.text();
    EXPECT_EQ(text, "taken");
    EXPECT_EQ(asked, 3) << "POST, too: nothing was done";
    refusals = 1000;
    asked = 0;
    std::string error = co_await error_of(session.get(server.url()));
    EXPECT_NE(error.find("REFUSED_STREAM"), std::string::npos) << error;
    EXPECT_EQ(asked, 3);
    EXPECT_EQ(server.connections(), 1);
    session.close();
    co_await server.stop();
  });
}

/// Each connection takes some requests and says goodbye; nothing is lost.
TEST(ClientHttp2, L13_a_server_that_goes_away_loses_no_request) {
  run_simulated([]() -> Coro<> {
    int answered = 0;
    RawServer server =
        co_await RawServer::start(speaking_http2([&](H2Link link, H2Stream stream) -> Coro<> {
          if (stream->id() >= 21) link->session().go_away();
          co_await sleep(5ms);
          ++answered;
          respond(link, stream, stream->request.target);
        }));
    ClientSession session(over_http2());
    auto ask = [&](int i) -> Coro<> {
      std::string path = "/" + std::to_string(i);
      RequestOptions options;
      options.data(std::string("x"));
      ClientResponse response = co_await session.post(server.url(path), options);
      std::string text = co_await response.text();
      EXPECT_EQ(text, path);
    };
    for (int round = 0; round < 5; ++round) {
      std::vector<Coro<>> all;
      for (int i = 0; i < 20; ++i) all.push_back(ask(i));
      co_await gather(std::move(all));
    }
    EXPECT_EQ(answered, 100) << "none twice";
    EXPECT_GT(server.connections(), 3);
    session.close();
    co_await server.stop();
  });
}

TEST(ClientHttp2, R6_the_limit_of_connections_counts_those_that_are_shared) {
  run_simulated([]() -> Coro<> {
    RawServer one = co_await RawServer::start(speaking_http2(echo_target));
    RawServer other = co_await RawServer::start(speaking_http2(echo_target));
    ClientSession session(over_http2().limit(1));
    for (int round = 0; round < 3; ++round) {
      std::string text = co_await text_of(session, one.url("/one"));
      EXPECT_EQ(text, "/one");
      text = co_await text_of(session, one.url("/again"));
      text = co_await text_of(session, other.url("/other"));
      EXPECT_EQ(text, "/other");
    }
    EXPECT_EQ(one.connections(), 3) << "an idle one makes room for another host's";
    ClientResponse held = co_await session.get(one.url("/held"));
    auto waiting = create_task(text_of(session, other.url("/waits")));
    std::string same = co_await text_of(session, one.url("/joins"));
    EXPECT_EQ(same, "/joins") << "and who can share does not wait";
    (void)co_await held.text();
    std::string text = co_await waiting;
    EXPECT_EQ(text, "/waits");
    session.close();
    co_await one.stop();
    co_await other.stop();
  });
}

TEST(ClientHttp2, S42_a_closed_session_lets_responses_be_read) {
  run_simulated([]() -> Coro<> {
    Crowd crowd;
    RawServer server = co_await RawServer::start(speaking_http2(crowd.handler()));
    std::string text;
    {
      ClientSession session(over_http2());
      ClientResponse response = co_await session.get(server.url("/to-the-end"));
      session.close();
      text = co_await response.text();
    }
    EXPECT_EQ(text, "/to-the-end");
    co_await server.stop();
  });
}

TlsContext server_offering(const std::vector<std::string>& protocols) {
  TlsContext context = test::pki().server();
  context.set_alpn_protocols(protocols);
  return context;
}

TlsContext server_of_http2() { return server_offering({"h2"}); }

Coro<std::string> versions_of(Http2 use, TlsContext context, RawServer::Handler handler) {
  RawServer server =
      co_await RawServer::start(std::move(handler), "localhost", ServerOptions().ssl(context));
  ClientSession session(SessionOptions().http2(use).ssl(test::pki().client()));
  std::string outcome = "error";
  auto ask = [&]() -> Coro<> {
    auto response = co_await capture(session.get(server.url("/x")));
    if (!response) co_return;
    std::string text = co_await response.value().text();
    EXPECT_EQ(text, "/x");
    outcome = std::to_string(response.value().version().major_number());
  };
  std::vector<Coro<>> all;
  for (int i = 0; i < 5; ++i) all.push_back(ask());
  co_await gather(std::move(all));
  if (outcome != "error") outcome += " " + std::to_string(server.connections());
  session.close();
  co_await server.stop();
  co_return outcome;
}

TEST(ClientHttp2, D13_the_version_that_tls_agrees_on) {
  const std::vector<std::string> both{"h2", "http/1.1"};
  const auto new_one = speaking_http2(echo_target);
  const RawServer::Handler old_one = test::say_target;
  const auto outcome = [](Http2 use, const TlsContext& context, const RawServer::Handler& handler) {
    return run_simulated([&] { return versions_of(use, context, handler); });
  };
  EXPECT_EQ(outcome(Http2::Negotiated, server_offering(both), new_one), "2 1")
      << "those who come while the first one connects wait and share";
  EXPECT_EQ(outcome(Http2::Negotiated, test::pki().server(), old_one), "1 5");
  EXPECT_EQ(outcome(Http2::Negotiated, server_offering({"http/1.1"}), old_one), "1 5");
  EXPECT_EQ(outcome(Http2::Off, server_offering({"http/1.1"}), old_one), "1 5");
  EXPECT_EQ(outcome(Http2::PriorKnowledge, server_offering(both), new_one), "2 1");
  EXPECT_EQ(outcome(Http2::PriorKnowledge, test::pki().server(), old_one), "error");
}

TEST(ClientHttp2, R7_all_who_wait_for_the_first_connection_learn_that_it_failed) {
  run_simulated([]() -> Coro<> {
    RawServer server = co_await RawServer::start(speaking_http2(echo_target), "localhost",
                                                 ServerOptions().ssl(server_of_http2()));
    ClientSession session;  // trusts others
    int failed = 0;
    auto ask = [&]() -> Coro<> {
      auto outcome = co_await capture(text_of(session, server.url()));
      if (outcome.holds<http::ClientConnectorError>()) ++failed;
    };
    std::vector<Coro<>> all;
    for (int i = 0; i < 5; ++i) all.push_back(ask());
    co_await gather(std::move(all));
    EXPECT_EQ(failed, 5);
    session.close();
    co_await server.stop();
  });
}

}  // namespace

// SPDX-License-Identifier: BSL-1.0
// The pool of connections when many want one (fault 153, R6).
#include "allocation_count.hpp"
#include "asyncio/asyncio.hpp"
#include "asyncio/http/client.hpp"
#include "asyncio/testing/network.hpp"
#include "asyncio/testing/simulated.hpp"
#include "connected.hpp"
#include "http/connector.hpp"
#include "raw_server.hpp"
#include "seeds.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <new>
#include <string>
#include <utility>
#include <vector>

using namespace asyncio;
using namespace std::chrono_literals;
using asyncio::testing::Network;
using asyncio::testing::run_simulated;
using http::ClientResponse;
using http::ClientSession;
using http::RequestOptions;
using http::SessionOptions;
using http::URL;
using test::Crowd;
using test::RawServer;
using test::read_request;
using test::response_with;
using test::say_target;
using test::target_of;
using test::text_of;

namespace {

/// The order in which requests were told to wait, and that in which they got their turns.
class Queueing {
 public:
  http::TraceConfig trace() {
    return http::TraceConfig()
        .on_connection_queued_start([this](const http::TraceParams& params) {
          asked.push_back(std::string(params.url.raw_path()));
        })
        .on_connection_queued_end([this](const http::TraceParams& params) {
          got.push_back(std::string(params.url.raw_path()));
        });
  }
  /// Whether nobody who waited to the end was passed.
  bool in_order() const {
    auto at = asked.begin();
    for (const std::string& name : got) {
      at = std::find(at, asked.end(), name);
      if (at == asked.end()) return false;
    }
    return true;
  }
  std::vector<std::string> asked, got;
};

Coro<> many_requests(std::uint64_t seed, int count, std::size_t limit) {
  test::Random random(seed);
  Crowd crowd;
  RawServer::Handler handler = [&](StreamReader reader, StreamWriter writer) -> Coro<> {
    for (;;) {
      std::string target = target_of(co_await read_request(reader));
      crowd.enter();
      co_await sleep(std::chrono::microseconds(random.below(2000)));
      crowd.leave();
      co_await writer.send(response_with(target));
    }
  };
  RawServer server = co_await RawServer::start(handler);
  Queueing queueing;
  ClientSession session(SessionOptions().limit(limit).trace(queueing.trace()));
  int right = 0, cancelled = 0;
  auto ask = [&](int number) -> Coro<> {
    std::string path = "/" + std::to_string(number);
    auto text = co_await capture(text_of(session, server.url(path)));
    if (text) {
      EXPECT_EQ(text.value(), path);
    }
    if (!text) {
      EXPECT_TRUE(text.cancelled()) << describe_exception(text.exception());
    }
    text ? ++right : ++cancelled;
  };
  std::vector<Task<>> tasks;
  int cancels = 0;
  for (int i = 0; i < count; ++i) {
    tasks.push_back(create_task(ask, i));
    if (random.one_in(4)) co_await sleep(std::chrono::microseconds(random.below(100)));
    if (random.one_in(2) && tasks[static_cast<std::size_t>(random.below(i + 1))].cancel())
      ++cancels;
  }
  for (Task<>& task : tasks) {
    auto outcome = co_await capture(task);
    if (outcome.cancelled()) ++cancelled;  // before its first step
  }
  EXPECT_EQ(right + cancelled, count) << "none is lost";
  EXPECT_GT(right, count / 3);
  EXPECT_GE(cancels, cancelled);
  EXPECT_GT(cancelled, 0);
  EXPECT_TRUE(queueing.in_order()) << "one that waited was passed";
  // Every slot is there, and not one more.
  co_await sleep(1s);  // the server has seen who went
  crowd.most = 0;
  std::vector<Coro<>> all;
  for (std::size_t i = 0; i < 2 * limit; ++i) all.push_back(ask(-1));
  co_await gather(std::move(all));
  EXPECT_EQ(right + cancelled, count + static_cast<int>(2 * limit));
  EXPECT_LE(crowd.most, static_cast<int>(limit));
  session.close();
  co_await server.stop();
}

TEST(ClientFaults, fault153_requests_that_are_cancelled_at_random) {
  test::for_each_seed([](std::uint64_t seed) { run_simulated(many_requests(seed, 400, 10)); }, 5);
}

TEST(ClientFaults, fault153_ten_thousand_requests_on_a_pool_of_a_hundred) {
  int count = test::kSanitized ? 1000 : test::kOptimized ? 10'000 : 2000;
  run_simulated(many_requests(1, count, 100));
}

TEST(ClientFaults, fault153_hosts_that_are_full_do_not_hold_up_others) {
  run_simulated([]() -> Coro<> {
    RawServer stuck = co_await RawServer::start(
        [](StreamReader reader, StreamWriter) -> Coro<> { co_await reader.read(); });
    RawServer quick = co_await RawServer::start(say_target);
    ClientSession session(SessionOptions().limit(3).limit_per_host(2));
    std::vector<Task<std::string>> waiting;
    for (int i = 0; i < 5; ++i)
      waiting.push_back(create_task(text_of, session, stuck.url(), RequestOptions()));
    co_await sleep(1s);
    EXPECT_EQ(stuck.connections(), 2);
    std::string text = co_await wait_for(text_of(session, quick.url("/x")), 1s);
    EXPECT_EQ(text, "/x");
    for (auto& task : waiting) task.cancel();
    for (auto& task : waiting) (void)co_await capture(task);
    session.close();
    co_await stuck.stop();
    co_await quick.stop();
  });
}

TEST(ClientFaults, R6_each_connection_that_waits_for_too_long_is_closed) {
  run_simulated([]() -> Coro<> {
    Network network;
    RawServer first = co_await RawServer::start(say_target);
    RawServer second = co_await RawServer::start(say_target);
    std::size_t sockets = network.sockets();
    ClientSession session(SessionOptions().keepalive_timeout(10s));
    co_await text_of(session, first.url());
    co_await sleep(6s);
    co_await text_of(session, second.url());
    EXPECT_EQ(network.sockets(), sockets + 4);
    co_await sleep(5s);
    EXPECT_EQ(network.sockets(), sockets + 2) << "after 11 seconds of the first, 5 of the second";
    co_await sleep(6s);
    EXPECT_EQ(network.sockets(), sockets) << "after 11 seconds of the second";
    // And again, from an empty pool.
    co_await text_of(session, first.url());
    co_await sleep(11s);
    EXPECT_EQ(network.sockets(), sockets);
    EXPECT_EQ(first.connections(), 2);
    session.close();
    co_await first.stop();
    co_await second.stop();
  });
}

using http::detail::ClientConnection;
using http::detail::ConnectionWish;
using http::detail::Connector;

/// Null if the allocation has failed.
Coro<std::shared_ptr<ClientConnection>> acquire_without(std::uint64_t which, bool& happened,
                                                        std::shared_ptr<Connector> connector,
                                                        const ConnectionWish& wish) {
  std::shared_ptr<ClientConnection> connection;
  test::AllocationFailure failure(which);
  try {
    connection = co_await connector->acquire(wish);
  } catch (const std::bad_alloc&) {  // which is what the test is about
  }
  happened = failure.happened();
  co_return connection;
}

TEST(ClientFaults, R6_a_slot_is_not_lost_without_memory) {
  if (!test::kCountsAllocations) GTEST_SKIP() << "the sanitizer's operators do not fail";
  run_simulated([]() -> Coro<> {
    RawServer server = co_await RawServer::start(say_target);
    auto connector = std::make_shared<Connector>(get_running_loop(), SessionOptions().limit(1));
    ConnectionWish wish;
    wish.key.host = "127.0.0.1";
    wish.key.port = server.port();
    wish.key.proxy_authorization = "longer than what a string keeps within itself";
    auto connection = co_await connector->acquire(wish);
    connector->keep(std::move(connection));
    bool happened = true;
    int failures = 0;
    for (std::uint64_t which = 1; happened && which < 1000; ++which) {
      connection = co_await acquire_without(which, happened, connector, wish);
      EXPECT_EQ(connector->in_use(), connection ? 1u : 0u) << "allocation " << which;
      failures += connection == nullptr;
      if (connection) connector->keep(std::move(connection));
    }
    EXPECT_FALSE(happened);
    EXPECT_GT(failures, 0);
    connector->close();
    co_await server.stop();
  });
}

/// Who wants a fresh one takes none of the pool.
TEST(ClientFaults, R6_idle_connections_to_a_host_make_room_for_a_fresh_one_there) {
  run_simulated([]() -> Coro<> {
    RawServer server = co_await RawServer::start(say_target);
    auto connector = std::make_shared<Connector>(get_running_loop(),
                                                 SessionOptions().limit(9).limit_per_host(2));
    ConnectionWish wish;
    wish.key.host = "127.0.0.1";
    wish.key.port = server.port();
    auto first = co_await connector->acquire(wish);
    auto second = co_await connector->acquire(wish);
    connector->keep(std::move(first));
    connector->keep(std::move(second));
    wish.fresh = true;
    first = co_await connector->acquire(wish);
    EXPECT_EQ(connector->idle(), 1u);
    second = co_await connector->acquire(wish);
    EXPECT_EQ(connector->idle(), 0u);
    EXPECT_EQ(connector->in_use(), 2u);
    EXPECT_EQ(server.connections(), 4);
    auto third = co_await capture(wait_for(connector->acquire(wish), 1s));
    EXPECT_TRUE(third.holds<TimeoutError>()) << "no more than two in use";
    connector->close();
    co_await server.stop();
  });
}

TEST(ClientFaults, R6_connections_that_wait_count_for_the_limit) {
  run_simulated([]() -> Coro<> {
    Network network;
    std::size_t sockets = network.sockets();
    std::vector<RawServer> servers;
    for (int i = 0; i < 10; ++i) {
      RawServer server = co_await RawServer::start(say_target);
      servers.push_back(server);
    }
    ClientSession session(SessionOptions().limit(3));
    for (RawServer& server : servers) co_await text_of(session, server.url());
    co_await sleep(1s);
    EXPECT_LE(network.sockets() - sockets, 10u + 2 * 3);
    session.close();
    for (RawServer& server : servers) co_await server.stop();
  });
}

}  // namespace

// SPDX-License-Identifier: BSL-1.0
// D8: UDP between simulated hosts.
#include "asyncio/asyncio.hpp"
#include "asyncio/testing/network.hpp"
#include "asyncio/testing/simulated.hpp"
#include "captures.hpp"

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace {

using namespace asyncio;
using namespace std::chrono_literals;
using asyncio::testing::Network;
using asyncio::testing::run_simulated;
using asyncio::testing::Seed;

const std::string kServer = "10.0.0.1";
const std::string kClient = "10.0.0.2";

TimePoint now() { return get_running_loop().time(); }

/// Answers each question, and counts them.
class Service : public DatagramProtocol {
 public:
  void connection_made(std::shared_ptr<DatagramTransport> transport) override {
    transport_ = std::move(transport);
  }
  void datagram_received(std::string data, const SocketAddress& sender) override {
    ++questions[data];
    from = sender.str();
    transport_->sendto("answer to " + data, sender);
  }
  void connection_lost(std::exception_ptr) override { transport_.reset(); }

  std::map<std::string, int> questions;
  std::string from;

 private:
  std::shared_ptr<DatagramTransport> transport_;
};

/// Asks until there is an answer.
class Asker : public DatagramProtocol {
 public:
  void connection_made(std::shared_ptr<DatagramTransport> its_transport) override {
    transport = std::move(its_transport);
  }
  void datagram_received(std::string data, const SocketAddress&) override {
    received.push_back(std::move(data));
    changed.set();
  }
  void error_received(std::exception_ptr error) override {
    errors.push_back(describe_exception(error));
    changed.set();
  }
  void connection_lost(std::exception_ptr) override { transport.reset(); }

  /// Repeats the question every 100 ms. Returns how often it had to be asked.
  Coro<int> ask(std::string question) {
    received.clear();
    for (int tries = 1;; ++tries) {
      transport->sendto(question);
      changed.clear();
      try {
        co_await wait_for(changed.wait(), 100ms);
        if (!received.empty()) co_return tries;
      } catch (const TimeoutError&) {
        // Lost on the way there, or back.
      }
    }
  }

  std::shared_ptr<DatagramTransport> transport;
  std::vector<std::string> received, errors;
  Event changed;
};

Coro<std::shared_ptr<Service>> serve(std::string host = kServer) {
  auto [transport, service] = co_await get_running_loop().create_datagram_endpoint(
      [] { return std::make_shared<Service>(); }, DatagramOptions().local_addr(host, 53));
  co_return service;
}

Coro<std::shared_ptr<Asker>> asker(std::string from = kClient) {
  auto [transport, client] = co_await get_running_loop().create_datagram_endpoint(
      [] { return std::make_shared<Asker>(); },
      DatagramOptions().local_addr(from, 0).remote_addr(kServer, 53));
  co_return client;
}

TEST(SimulatedDatagrams, D8_latency_is_paid_by_each_datagram) {
  run_simulated([]() -> Coro<> {
    Network network;
    network.latency(20ms);
    auto service = co_await serve();
    auto client = co_await asker();
    TimePoint begin = now();
    int tries = co_await client->ask("who");
    EXPECT_EQ(tries, 1);
    EXPECT_EQ(now() - begin, 40ms);
    EXPECT_EQ(client->received.at(0), "answer to who");
    EXPECT_EQ(service->from, client->transport->sockname()->str());
  });
}

/// A service with repeated questions works over a network that loses half of what is sent; the
/// seed decides what.
std::string lossy_run(std::uint64_t seed) {
  return run_simulated(Seed(seed), []() -> Coro<std::string> {
    Network network;
    network.latency(1ms, 30ms).losses(2);
    auto service = co_await serve();
    auto client = co_await asker();
    std::string trace;
    for (int i = 0; i < 20; ++i) {
      int tries = co_await client->ask("question " + std::to_string(i));
      trace += std::to_string(tries) + " ";
    }
    EXPECT_EQ(service->questions.size(), 20u) << "nothing is given up";
    trace += std::to_string(now().time_since_epoch().count());
    co_return trace;
  });
}

TEST(SimulatedDatagrams, D8_losses_and_what_the_seed_decides) {
  std::map<std::string, int> traces;
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    std::string trace = lossy_run(seed);
    EXPECT_EQ(trace, lossy_run(seed)) << "seed " << seed;
    ++traces[trace];
  }
  EXPECT_EQ(traces.size(), 50u) << "each seed has its own fate";
}

TEST(SimulatedDatagrams, D8_a_partition_loses_what_is_sent_meanwhile) {
  run_simulated([]() -> Coro<> {
    Network network;
    network.latency(10ms);
    auto service = co_await serve();
    auto client = co_await asker();
    network.partition(kServer, kClient);
    TimePoint begin = now();
    get_running_loop().call_later(450ms, [&] { network.heal(); });
    int tries = co_await client->ask("who");
    EXPECT_EQ(tries, 6) << "five were lost";
    EXPECT_EQ(now() - begin, 520ms);
    EXPECT_EQ(service->questions["who"], 1);
    network.isolate(kServer);
    auto never = co_await capture(wait_for(client->ask("again"), 10s));
    EXPECT_TRUE(never.holds<TimeoutError>());
  });
}

TEST(SimulatedDatagrams, D8_datagrams_overtake_each_other) {
  int out_of_order = 0;
  for (std::uint64_t seed = 1; seed <= 20; ++seed)
    out_of_order += run_simulated(Seed(seed), []() -> Coro<bool> {
      Network network;
      network.latency(1ms, 50ms);
      auto service = co_await serve();
      auto client = co_await asker();
      for (char c = 'a'; c <= 'j'; ++c) client->transport->sendto(std::string(1, c));
      co_await sleep(1s);
      EXPECT_EQ(client->received.size(), 10u);
      co_return !std::is_sorted(client->received.begin(), client->received.end());
    });
  EXPECT_GT(out_of_order, 15);
}

TEST(SimulatedDatagrams, fault71_errors_and_what_is_too_much) {
  run_simulated([]() -> Coro<> {
    auto client = co_await asker();
    client->transport->sendto("nobody there");
    co_await client->changed.wait();
    EXPECT_EQ(client->errors.at(0).find("asyncio::ConnectionRefusedError"), 0u)
        << client->errors.at(0);
    client->transport->sendto(std::string(65'508, 'x'));
    EXPECT_NE(client->errors.at(1).find("Message too long"), std::string::npos);
    auto service = co_await serve();
    int tries = co_await client->ask("now");
    EXPECT_EQ(tries, 1);
    for (int i = 0; i < 100; ++i) client->transport->sendto(std::string(60'000, 'x'));
    co_await sleep(1s);
    EXPECT_EQ(service->questions.rbegin()->second, 3) << "what the receiver keeps is bounded";
  });
}

TEST(SimulatedDatagrams, A9_8_socket_calls) {
  run_simulated([]() -> Coro<> {
    auto first = co_await asker();  // has the port
    Network network;
    auto before = network.sockets();
    auto taken = [](SocketAddress address) -> Coro<> {
      co_await get_running_loop().create_datagram_endpoint([] { return std::make_shared<Asker>(); },
                                                           DatagramOptions().local_addr(address));
    };
    auto refused = co_await capture(taken(*first->transport->sockname()));
    EXPECT_NE(describe_exception(refused.exception()).find("Address already in use"),
              std::string::npos);
    // A server of streams may have the same number.
    Server server = co_await start_server([](StreamReader, StreamWriter) {}, kClient,
                                          first->transport->sockname()->port());
    EXPECT_EQ(network.sockets(), before + 1);
    server.close();
    first->transport->close();
    co_await sleep(0s);
    co_await sleep(0s);
    EXPECT_EQ(network.sockets(), before - 1);
  });
}

}  // namespace

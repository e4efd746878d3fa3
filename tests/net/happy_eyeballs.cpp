// SPDX-License-Identifier: BSL-1.0
// Fault 62, D11: hosts with several addresses (RFC 8305), in virtual time.
#include "asyncio/asyncio.hpp"
#include "asyncio/testing/network.hpp"
#include "asyncio/testing/simulated.hpp"
#include "captures.hpp"
#include "connected.hpp"

#include <gtest/gtest.h>

#include <string>
#include <sys/socket.h>
#include <vector>

namespace {

using namespace asyncio;
using namespace std::chrono_literals;
using asyncio::testing::Network;
using asyncio::testing::run_simulated;
using asyncio::testing::Seed;
using test::error_of;

const std::string kSix = "2001:db8::1";
const std::string kFour = "192.0.2.1";
constexpr std::uint16_t kPort = 80;

std::chrono::nanoseconds now() { return get_running_loop().time().time_since_epoch(); }

ConnectOptions eyeballs(OptionalDelay delay = 250ms) {
  return ConnectOptions().happy_eyeballs_delay(delay);
}

Coro<Server> listen(std::string host) {
  return start_server([](StreamReader, StreamWriter writer) { writer.close(); }, host, kPort);
}

/// A network with "two.test", first at kSix, then at kFour, and something to listen there.
Network two_addresses() {
  Network network;
  network.host("two.test", {kSix, kFour});
  return network;
}

/// Connects to two.test, notes where it was and how long it took, and lets go.
Coro<std::string> connect(ConnectOptions options) {
  auto begin = now();
  auto [reader, writer] = co_await open_connection("two.test", kPort, options);
  auto took = std::chrono::duration_cast<std::chrono::milliseconds>(now() - begin);
  std::string where = writer.peername().host() + " " + std::to_string(took.count()) + "ms";
  writer.close();
  co_await writer.wait_closed();
  co_return where;
}

TEST(HappyEyeballs, D11_fault62_black_holed_first_address_costs_the_delay_alone) {
  run_simulated([]() -> Coro<> {
    Network network = two_addresses();
    network.latency(20ms).black_hole(kSix);
    Server six = co_await listen(kSix);
    Server four = co_await listen(kFour);
    auto before = network.sockets();
    std::string where = co_await connect(eyeballs());
    EXPECT_EQ(where, kFour + " 290ms") << "250 ms, and a way there and back";
    co_await sleep(1s);
    EXPECT_EQ(network.sockets(), before) << "the loser is closed";
  });
}

TEST(HappyEyeballs, D11_fault62_without_a_delay_the_first_address_has_to_fail) {
  run_simulated([]() -> Coro<> {
    Network network = two_addresses();
    network.latency(20ms);
    Server four = co_await listen(kFour);
    std::string where = co_await connect(eyeballs(std::nullopt));
    EXPECT_EQ(where, kFour + " 80ms") << "refused after 40 ms, then connected";
    network.black_hole(kSix);
    std::string error = co_await error_of(wait_for(connect(eyeballs(std::nullopt)), 10s));
    EXPECT_EQ(error.find("asyncio::TimeoutError"), 0u) << error;
  });
}

TEST(HappyEyeballs, D11_a_refused_address_does_not_cost_the_delay) {
  run_simulated([]() -> Coro<> {
    Network network = two_addresses();
    network.latency(20ms);
    Server four = co_await listen(kFour);
    std::string where = co_await connect(eyeballs());
    EXPECT_EQ(where, kFour + " 80ms");
  });
}

TEST(HappyEyeballs, D11_the_first_address_wins_if_it_answers_within_the_delay) {
  run_simulated([]() -> Coro<> {
    Network network = two_addresses();
    network.latency(120ms);
    Server six = co_await listen(kSix);
    Server four = co_await listen(kFour);
    std::string where = co_await connect(eyeballs());
    EXPECT_EQ(where, kSix + " 240ms");
    network.latency(200ms);
    where = co_await connect(eyeballs());
    EXPECT_EQ(where, kSix + " 400ms") << "later, but before the second";
  });
}

TEST(HappyEyeballs, fault62_all_fail_and_each_is_named) {
  run_simulated([]() -> Coro<> {
    Network network = two_addresses();
    auto before = network.sockets();
    for (OptionalDelay delay : {OptionalDelay(250ms), OptionalDelay()}) {
      std::string error = co_await error_of(connect(eyeballs(delay)));
      EXPECT_EQ(error,
                "asyncio::ConnectionRefusedError: Multiple exceptions: connect [2001:db8::1]:80: "
                "Connection refused, connect 192.0.2.1:80: Connection refused");
      auto group = co_await capture(connect(eyeballs(delay).all_errors(true)));
      EXPECT_TRUE(group.holds<ExceptionGroup>());
      std::string all = describe_exception(group.exception());
      EXPECT_NE(all.find("create_connection failed (2 sub-exceptions)"), std::string::npos) << all;
    }
    EXPECT_EQ(network.sockets(), before);
  });
}

/// The addresses in the order in which they are tried: all of them refuse.
Coro<std::string> order_of_attempts(ConnectOptions options) {
  std::string order;
  try {
    co_await open_connection("many.test", kPort, options.all_errors(true));
  } catch (const ExceptionGroup& group) {
    for (const std::exception_ptr& error : group.exceptions()) {
      std::string text = describe_exception(error);
      order += text.find('[') == std::string::npos ? "4" : "6";
      order += text[text.find(":80") - (text.find('[') == std::string::npos ? 1 : 2)];
      order += " ";
    }
  }
  co_return order;
}

TEST(HappyEyeballs, D11_A3_1_families_take_turns) {
  run_simulated([]() -> Coro<> {
    Network network;
    network.host("many.test",
                 {"2001:db8::1", "2001:db8::2", "2001:db8::3", "192.0.2.1", "192.0.2.2"});
    std::string order = co_await order_of_attempts(ConnectOptions());
    EXPECT_EQ(order, "61 62 63 41 42 ") << "the resolver's";
    order = co_await order_of_attempts(eyeballs());
    EXPECT_EQ(order, "61 41 62 42 63 ") << "interleave is 1 with a delay";
    order = co_await order_of_attempts(eyeballs().interleave(0));
    EXPECT_EQ(order, "61 62 63 41 42 ");
    order = co_await order_of_attempts(eyeballs().interleave(2));
    EXPECT_EQ(order, "61 62 41 63 42 ");
    order = co_await order_of_attempts(ConnectOptions().interleave(1));
    EXPECT_EQ(order, "61 41 62 42 63 ") << "also one after another";
    order = co_await order_of_attempts(eyeballs().family(AddressFamily::inet));
    EXPECT_EQ(order, "41 42 ");
  });
}

/// Whenever it is cancelled, nothing stays open, and the next connection is as good as ever.
TEST(HappyEyeballs, fault62_R3_cancelled_at_any_time_closes_every_socket) {
  run_simulated([]() -> Coro<> {
    Network network;
    network.host("two.test", {kSix, "2001:db8::2", kFour, "192.0.2.2"});
    network.latency(30ms).black_hole(kSix);
    network.black_hole(kFour);
    Server four = co_await listen("192.0.2.2");
    auto before = network.sockets();
    test::ReportCapture reports(get_running_loop());
    int cancelled = 0;
    for (auto after = 0ms; after <= 700ms; after += 10ms) {
      Task<std::string> connecting = create_task(connect, eyeballs());
      co_await sleep(after);
      connecting.cancel();
      std::string outcome = co_await error_of(connecting);
      cancelled += outcome == "cancelled";
      co_await sleep(1s);
      EXPECT_EQ(network.sockets(), before) << "cancelled after " << after.count() << " ms";
    }
    EXPECT_GT(cancelled, 30);
    EXPECT_EQ(reports.reports, std::vector<std::string>()) << "errors of attempts are nobody's";
    std::string where = co_await connect(eyeballs());
    // 2001:db8::2 refuses after 60 ms, which starts the fourth before its time.
    EXPECT_EQ(where.substr(0, 10), "192.0.2.2 ");
  });
}

/// Two answers at the same time: one is kept, whatever the order.
TEST(HappyEyeballs, fault62_R1_two_winners_in_one_turn) {
  for (std::uint64_t seed = 0; seed < 50; ++seed)
    run_simulated(Seed(seed), []() -> Coro<> {
      Network network = two_addresses();
      network.latency(0ms, 20ms);
      Server six = co_await listen(kSix);
      Server four = co_await listen(kFour);
      auto before = network.sockets();
      for (auto delay : {0ms, 1ms, 20ms, 40ms}) {
        std::string where = co_await connect(eyeballs(delay));
        EXPECT_FALSE(where.empty());
        co_await sleep(1s);
        EXPECT_EQ(network.sockets(), before);
      }
    });
}

TEST(HappyEyeballs, D8_names_of_a_simulated_network) {
  run_simulated([]() -> Coro<> {
    EventLoop loop = get_running_loop();
    Network network = two_addresses();
    AddressInfoOptions streams = AddressInfoOptions().type(SOCK_STREAM);
    AddressInfoOptions inet = AddressInfoOptions(streams).family(AddressFamily::inet);
    auto found = co_await loop.getaddrinfo("two.test", 7, streams);
    EXPECT_EQ(found.size(), 2u);
    EXPECT_EQ(found.at(0).sockaddr.str(), "[2001:db8::1]:7");
    EXPECT_EQ(found.at(1).sockaddr.str(), "192.0.2.1:7");
    found = co_await loop.getaddrinfo("two.test", 7, inet);
    EXPECT_EQ(found.size(), 1u);
    network.host("gone.test", {});
    std::string error = co_await error_of(loop.getaddrinfo("gone.test", 7));
    EXPECT_EQ(error, "asyncio::GaiError: getaddrinfo 'gone.test': Name or service not known");
    network.host("six.test", {kSix});
    error = co_await error_of(loop.getaddrinfo("six.test", 7, inet));
    EXPECT_EQ(error.find("asyncio::GaiError: getaddrinfo 'six.test': "), 0u) << error;
    network.host("localhost", {"::1"});
    found = co_await loop.getaddrinfo("localhost", 7);
    EXPECT_EQ(found.at(0).sockaddr.str(), "[::1]:7");
    EXPECT_EQ(test::thrown([&] { network.host("bad.test", {"elsewhere"}); }),
              "asyncio::ValueError: a host of a simulated network is an IP address, not "
              "'elsewhere'");
  });
}

}  // namespace

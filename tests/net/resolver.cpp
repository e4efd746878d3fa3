// SPDX-License-Identifier: BSL-1.0
// A9.9: resolvers of the user's, on the simulated loop.
#include "asyncio/asyncio.hpp"
#include "asyncio/testing/network.hpp"
#include "asyncio/testing/simulated.hpp"
#include "backends.hpp"
#include "captures.hpp"
#include "connected.hpp"
#include "protocols.hpp"

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <netdb.h>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace {

using namespace asyncio;
using namespace std::chrono_literals;
using asyncio::testing::Network;
using asyncio::testing::run_simulated;
using test::error_of;
using test::thrown;
using Addresses = std::vector<SocketAddress>;
using Names = std::pair<std::string, std::string>;

const std::string kSix = "2001:db8::1";
const std::string kFour = "192.0.2.1";

/// Knows the names of a table, after `delay`, and notes what it is asked.
class Table : public Resolver {
 public:
  explicit Table(std::map<std::string, std::vector<std::string>> hosts)
      : hosts_(std::move(hosts)) {}

  Coro<Addresses> getaddrinfo(std::string host, std::uint16_t port, AddressFamily family,
                              int flags) override {
    asked += host + (family == AddressFamily::inet ? "/4" : "") +
             ((flags & AI_PASSIVE) != 0 ? "/passive" : "") + " ";
    try {
      if (delay) co_await sleep(*delay);
    } catch (const CancelledError&) {
      asked += "cancelled ";
      throw;
    }
    Addresses found;
    for (const std::string& number : hosts_[host])
      found.push_back(SocketAddress::numeric(number, port));
    co_return found;
  }
  Coro<Names> getnameinfo(SocketAddress address, int flags) override {
    asked += "name of " + address.str() + " ";
    if (address.port() == 80) co_return Names("web.test", "http");
    co_return co_await Resolver::getnameinfo(address, flags | NI_NUMERICHOST | NI_NUMERICSERV);
  }

  std::string asked;
  OptionalDelay delay;

 private:
  std::map<std::string, std::vector<std::string>> hosts_;
};

/// A table for the running loop.
std::shared_ptr<Table> install(std::map<std::string, std::vector<std::string>> hosts) {
  auto table = std::make_shared<Table>(std::move(hosts));
  get_running_loop().set_resolver(table);
  return table;
}

/// One answer for each address.
AddressInfoOptions streams(AddressFamily family = AddressFamily::unspecified, int flags = 0) {
  return AddressInfoOptions().type(SOCK_STREAM).family(family).flags(flags);
}

Coro<std::string> text_of(Coro<std::vector<AddressInfo>> resolving) {
  auto found = co_await std::move(resolving);
  std::string text;
  for (const AddressInfo& info : found) text += (text.empty() ? "" : " ") + info.sockaddr.str();
  co_return text;
}

TEST(UserResolver, A9_9_is_asked_wherever_a_name_is_needed) {
  run_simulated([]() -> Coro<> {
    EventLoop loop = get_running_loop();
    auto table = install({{"server.test", {kFour}}, {"mine.test", {"192.0.2.9"}}});
    auto handler = [](StreamReader, StreamWriter writer) { writer.close(); };
    Server server = co_await start_server(handler, "server.test", 80);
    EXPECT_EQ(server.sockets().at(0).str(), "192.0.2.1:80");
    auto [reader, writer] = co_await open_connection(
        "server.test", 80, ConnectOptions().local_addr("mine.test", 0).family(AddressFamily::inet));
    EXPECT_EQ(writer.peername().host(), kFour);
    EXPECT_EQ(writer.sockname()->host(), "192.0.2.9");
    EXPECT_EQ(table->asked, "server.test/passive server.test/4 mine.test/4/passive ");
    writer.close();
    table->asked.clear();

    Server other = co_await loop.create_server(&test::made<test::EchoProtocol>, "server.test", 81);
    auto [transport, protocol] =
        co_await loop.create_connection(&test::made<test::Client>, "server.test", 81);
    transport->write("echo");
    std::string echoed = co_await protocol->bytes(4);
    EXPECT_EQ(echoed, "echo");
    transport->close();
    auto factory = [] { return std::make_shared<DatagramProtocol>(); };
    auto [endpoint, datagrams] = co_await loop.create_datagram_endpoint(
        factory, DatagramOptions().local_addr("mine.test", 53).remote_addr("server.test", 53));
    EXPECT_EQ(endpoint->get_extra_info("peername"), "192.0.2.1:53");
    endpoint->close();
    EXPECT_EQ(table->asked, "server.test/passive server.test mine.test/passive server.test ");

    std::string found = co_await text_of(loop.getaddrinfo("server.test", 7, streams()));
    EXPECT_EQ(found, "192.0.2.1:7");
    server.close();
    other.close();
    co_await protocol->lost.wait();
    co_await server.wait_closed();
    co_await other.wait_closed();
  });
}

TEST(UserResolver, D11_fault62_happy_eyeballs_in_its_order) {
  run_simulated([]() -> Coro<> {
    Network network;
    network.latency(20ms).black_hole(kSix);
    auto handler = [](StreamReader, StreamWriter writer) { writer.close(); };
    Server six = co_await start_server(handler, kSix, 80);
    Server four = co_await start_server(handler, kFour, 80);
    auto connect = [](const std::vector<std::string>& order) -> Coro<std::string> {
      install({{"two.test", order}})->delay = 5ms;
      auto began = get_running_loop().time();
      auto [reader, writer] =
          co_await open_connection("two.test", 80, ConnectOptions().happy_eyeballs_delay(250ms));
      auto took =
          std::chrono::duration_cast<std::chrono::milliseconds>(get_running_loop().time() - began);
      writer.close();
      co_return writer.peername().host() + " " + std::to_string(took.count()) + "ms";
    };
    std::vector<std::string> order{kSix, kFour};
    std::string where = co_await connect(order);
    EXPECT_EQ(where, kFour + " 295ms") << "an answer after 5, a second attempt after 250";
    std::swap(order[0], order[1]);
    where = co_await connect(order);
    EXPECT_EQ(where, kFour + " 45ms");
  });
}

TEST(UserResolver, A9_9_what_is_no_name_does_not_get_there) {
  run_simulated([]() -> Coro<> {
    EventLoop loop = get_running_loop();
    auto table = install({});
    std::string found = co_await text_of(loop.getaddrinfo("10.0.0.1", 80, streams()));
    EXPECT_EQ(found, "10.0.0.1:80");
    found = co_await text_of(loop.getaddrinfo("", 80, streams()));
    EXPECT_EQ(found, "127.0.0.1:80 [::1]:80");
    found = co_await text_of(loop.getaddrinfo("", 80, streams(AddressFamily::inet, AI_PASSIVE)));
    EXPECT_EQ(found, "0.0.0.0:80");
    std::string error = co_await error_of(loop.getaddrinfo("a..b", 80, streams()));
    EXPECT_EQ(error, "asyncio::ValueError: host name label empty or too long: 0 bytes");
    auto numbers = co_await loop.getnameinfo(SocketAddress::numeric(kFour, 80),
                                             NI_NUMERICHOST | NI_NUMERICSERV);
    EXPECT_EQ(numbers, Names(kFour, "80"));
    EXPECT_EQ(table->asked, "");
  });
}

class Failing final : public Resolver {
 public:
  Coro<Addresses> getaddrinfo(std::string host, std::uint16_t, AddressFamily, int) override {
    co_await sleep(1s);
    if (host == "gai.test") throw GaiError(EAI_AGAIN, host);
    throw std::out_of_range("no more names");
  }
};

TEST(UserResolver, R10_its_errors_are_the_callers) {
  run_simulated([]() -> Coro<> {
    EventLoop loop = get_running_loop();
    loop.set_resolver(std::make_shared<Failing>());
    std::string error = co_await error_of(open_connection("gai.test", 80));
    EXPECT_EQ(error,
              "asyncio::GaiError: getaddrinfo 'gai.test': Temporary failure in name resolution");
    error = co_await error_of(open_connection("other.test", 80));
    EXPECT_EQ(error, "std::out_of_range: no more names");
    auto handler = [](StreamReader, StreamWriter) {};
    error = co_await error_of(start_server(handler, "other.test", 80));
    EXPECT_EQ(error, "std::out_of_range: no more names");

    install({{"six.test", {kSix}}, {"both.test", {kSix, kFour}}});
    error = co_await error_of(loop.getaddrinfo("unknown.test", 80, streams()));
    EXPECT_EQ(error, "asyncio::GaiError: getaddrinfo 'unknown.test': Name or service not known");
    error = co_await error_of(loop.getaddrinfo("six.test", 80, streams(AddressFamily::inet)));
    EXPECT_EQ(error,
              "asyncio::GaiError: getaddrinfo 'six.test': Address family for hostname not "
              "supported");
    std::string found =
        co_await text_of(loop.getaddrinfo("both.test", 80, streams(AddressFamily::inet)));
    EXPECT_EQ(found, "192.0.2.1:80") << "of the family that was asked for";
  });
}

TEST(UserResolver, R3_a_cancellation_reaches_it) {
  run_simulated([]() -> Coro<> {
    Network network;
    auto before = network.sockets();
    auto table = install({{"slow.test", {kFour}}});
    table->delay = 10s;
    auto connecting = create_task(open_connection("slow.test", 80));
    co_await sleep(1s);
    connecting.cancel();
    std::string outcome = co_await error_of(connecting);
    EXPECT_EQ(outcome, "cancelled");
    EXPECT_EQ(table->asked, "slow.test cancelled ");
    outcome =
        co_await error_of(wait_for(get_running_loop().getaddrinfo("slow.test", 80, streams()), 5s));
    EXPECT_EQ(outcome.find("asyncio::TimeoutError"), 0u) << outcome;
    EXPECT_EQ(table->asked, "slow.test cancelled slow.test cancelled ");
    EXPECT_EQ(network.sockets(), before);
  });
}

/// Answers one name and passes on the rest.
class Alias final : public Resolver {
 public:
  Coro<Addresses> getaddrinfo(std::string host, std::uint16_t port, AddressFamily family,
                              int flags) override {
    if (host == "alias.test") host = "localhost";
    co_return co_await Resolver::getaddrinfo(host, port, family, flags);
  }
};

class AliasTest : public test::BackendTest {};
INSTANTIATE_TEST_SUITE_P(Backends, AliasTest, test::all_backends, test::backend_name);

TEST_P(AliasTest, A9_9_passes_on_to_the_system) {
  run([]() -> Coro<> {
    EventLoop loop = get_running_loop();
    loop.set_resolver(std::make_shared<Alias>());
    auto found = co_await loop.getaddrinfo("alias.test", 80, streams(AddressFamily::inet));
    EXPECT_EQ(found.at(0).sockaddr.str(), "127.0.0.1:80");
    auto handler = [](StreamReader, StreamWriter writer) { writer.close(); };
    Server server = co_await start_server(handler, "127.0.0.1", 0);
    auto [reader, writer] = co_await open_connection("alias.test", server.sockets().at(0).port(),
                                                     ConnectOptions().family(AddressFamily::inet));
    std::string end = co_await reader.read();
    EXPECT_EQ(end, "");
    writer.close();
    server.close();
    co_await server.wait_closed();
  });
}

TEST(UserResolver, A9_9_names_of_addresses) {
  run_simulated([]() -> Coro<> {
    EventLoop loop = get_running_loop();
    auto table = install({});
    Names names = co_await loop.getnameinfo(SocketAddress::numeric(kFour, 80));
    EXPECT_EQ(names, Names("web.test", "http"));
    names = co_await loop.getnameinfo(SocketAddress::numeric(kFour, 81));
    EXPECT_EQ(names, Names(kFour, "81")) << "from the base class";
    EXPECT_EQ(table->asked, "name of 192.0.2.1:80 name of 192.0.2.1:81 ");
  });
}

/// Holds a handle of its loop, as one that makes connections will.
class WithLoop final : public Resolver {
 public:
  explicit WithLoop(EventLoop loop) : loop_(std::move(loop)) {}

 private:
  EventLoop loop_;
};

TEST(UserResolver, R5_is_kept_while_it_is_needed) {
  std::weak_ptr<Resolver> at_the_end;
  run_simulated([&]() -> Coro<> {
    EventLoop loop = get_running_loop();
    EXPECT_EQ(loop.get_resolver(), nullptr);
    auto table = install({{"slow.test", {kFour}}});
    EXPECT_EQ(loop.get_resolver(), table);
    table->delay = 1s;
    auto asking = create_task(text_of(loop.getaddrinfo("slow.test", 80, streams())));
    co_await sleep(0s);
    std::weak_ptr<Table> replaced = table;
    table.reset();
    loop.set_resolver(nullptr);
    EXPECT_EQ(loop.get_resolver(), nullptr);
    EXPECT_FALSE(replaced.expired()) << "it is still asked";
    std::string found = co_await asking;
    EXPECT_EQ(found, "192.0.2.1:80");
    EXPECT_TRUE(replaced.expired());
    found = co_await text_of(loop.getaddrinfo("localhost", 80, streams()));
    EXPECT_EQ(found, "127.0.0.1:80") << "the system's again";
    auto last = std::make_shared<WithLoop>(loop);
    at_the_end = last;
    loop.set_resolver(last);
  });
  EXPECT_TRUE(at_the_end.expired()) << "let go of with the loop";
}

TEST(UserResolver, A9_9_numeric_addresses) {
  EXPECT_EQ(SocketAddress::numeric("10.0.0.7", 80).str(), "10.0.0.7:80");
  EXPECT_EQ(SocketAddress::numeric("::1", 443).str(), "[::1]:443");
  EXPECT_EQ(SocketAddress::numeric("fe80::1%lo", 1).str(), "[fe80::1%lo]:1");
  EXPECT_EQ(thrown([] { SocketAddress::numeric("localhost", 80); }),
            "asyncio::ValueError: 'localhost' is not an IPv4 or IPv6 address");
  std::string hidden("10.0.0.7\0.evil", 14);
  EXPECT_THROW(SocketAddress::numeric(hidden, 80), ValueError);
  EXPECT_THROW(SocketAddress::numeric("fe80::1%nosuch", 80), GaiError);
}

}  // namespace

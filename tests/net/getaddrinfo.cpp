// SPDX-License-Identifier: BSL-1.0
/// A9.9: loop.getaddrinfo and loop.getnameinfo, with what Python's take and give.
#include "asyncio/asyncio.hpp"
#include "backends.hpp"
#include "captures.hpp"
#include "connected.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <netdb.h>
#include <netinet/in.h>
#include <string>
#include <sys/socket.h>
#include <vector>

/// A name that programs have: none of the library's may make it ambiguous.
class Service {};

using namespace asyncio;
using test::error_of;

static_assert(sizeof(Service) == 1);

namespace {

class GetAddrInfo : public test::BackendTest {};
INSTANTIATE_TEST_SUITE_P(Backends, GetAddrInfo, test::all_backends, test::backend_name);

using Options = AddressInfoOptions;

/// "1/6/127.0.0.1:80 ...": type, protocol and address of each answer.
Coro<std::string> answers(std::string host, ServicePort service, Options options = Options()) {
  auto infos = co_await get_running_loop().getaddrinfo(host, service, options);
  std::string text;
  for (const auto& [family, type, proto, canonname, sockaddr] : infos) {
    text += (text.empty() ? "" : " ") + std::to_string(type) + "/" + std::to_string(proto) + "/";
    text += sockaddr.str() + (canonname.empty() ? "" : "=" + canonname);
    EXPECT_EQ(family, sockaddr.family());
  }
  co_return text;
}

TEST_P(GetAddrInfo, A9_9_types_and_protocols) {
  run([]() -> Coro<> {
    std::string got = co_await answers("127.0.0.1", 80);
    EXPECT_EQ(got, "1/6/127.0.0.1:80 2/17/127.0.0.1:80 3/0/127.0.0.1:80");
    got = co_await answers("127.0.0.1", 80, Options().type(SOCK_STREAM));
    EXPECT_EQ(got, "1/6/127.0.0.1:80");
    got = co_await answers("127.0.0.1", "80", Options().proto(IPPROTO_UDP));
    EXPECT_EQ(got, "2/17/127.0.0.1:80");
    got = co_await answers("", 7, Options().type(SOCK_DGRAM).flags(AI_PASSIVE));
    EXPECT_EQ(got, "2/17/0.0.0.0:7 2/17/[::]:7");
    got = co_await answers("localhost", 7, Options().family(AddressFamily::inet).type(SOCK_DGRAM));
    EXPECT_EQ(got, "2/17/127.0.0.1:7");
    const std::string failed = "asyncio::GaiError: getaddrinfo '127.0.0.1': ";
    got =
        co_await error_of(answers("127.0.0.1", 80, Options().type(SOCK_STREAM).proto(IPPROTO_UDP)));
    EXPECT_EQ(got, failed + "ai_socktype not supported");
    got = co_await error_of(answers("127.0.0.1", 80, Options().type(SOCK_RAW)));
    EXPECT_EQ(got, failed + "Servname not supported for ai_socktype");
  });
}

TEST_P(GetAddrInfo, A9_9_the_own_name_of_a_host) {
  run([]() -> Coro<> {
    Options named = Options().flags(AI_CANONNAME);
    std::string got = co_await answers("127.0.0.1", 80, named);
    EXPECT_EQ(got, "1/6/127.0.0.1:80=127.0.0.1 2/17/127.0.0.1:80 3/0/127.0.0.1:80");
    got = co_await answers("localhost", 80, named.family(AddressFamily::inet).type(SOCK_STREAM));
    EXPECT_EQ(got, "1/6/127.0.0.1:80=localhost");
  });
}

/// With a table of services, as most systems have.
TEST_P(GetAddrInfo, A9_9_services_by_name) {
  if (!::getservbyname("domain", "udp")) GTEST_SKIP() << "no /etc/services";
  run([]() -> Coro<> {
    std::string got = co_await answers("127.0.0.1", "domain");
    EXPECT_EQ(got, "1/6/127.0.0.1:53 2/17/127.0.0.1:53");
    got = co_await answers("::1", "https", Options().type(SOCK_STREAM));
    EXPECT_EQ(got, "1/6/[::1]:443");
    const std::string failed = "asyncio::GaiError: getaddrinfo '127.0.0.1': ";
    got = co_await error_of(answers("127.0.0.1", "no-such-service"));
    EXPECT_EQ(got, failed + "Servname not supported for ai_socktype");
    got = co_await error_of(answers("127.0.0.1", "domain", Options().flags(AI_NUMERICSERV)));
    EXPECT_EQ(got, failed + "Name or service not known");
  });
}

TEST_P(GetAddrInfo, A9_9_a_port_that_cannot_be_one) {
  run([]() -> Coro<> {
    const std::string wrong = "asyncio::ValueError: getaddrinfo(): port must be 0-65535.";
    EXPECT_EQ(test::thrown([] { ServicePort service(65536); }), wrong);
    EXPECT_EQ(test::thrown([] { ServicePort service(-1); }), wrong);
    EXPECT_EQ(ServicePort(65535).text(), "65535");
    std::string got = co_await error_of(answers("a..b", 80));
    EXPECT_EQ(got, "asyncio::ValueError: host name label empty or too long: 0 bytes");
  });
}

/// Answers each name with one address.
class One final : public Resolver {
 public:
  Coro<std::vector<SocketAddress>> getaddrinfo(std::string, std::uint16_t port, AddressFamily,
                                               int) override {
    co_return std::vector<SocketAddress>(1, SocketAddress::numeric("192.0.2.1", port));
  }
};

TEST_P(GetAddrInfo, A3_1_A3_2_the_port_may_be_the_name_of_a_service) {
  if (!::getservbyname("http", "tcp")) GTEST_SKIP() << "no /etc/services";
  run([this]() -> Coro<> {
    auto greet = [](StreamReader, StreamWriter writer) {
      writer.write("hello");
      writer.close();
    };
    // Only on a simulated loop is the port of a service certainly free.
    std::string port = simulated() ? "http" : "0";
    Server server = co_await start_server(greet, "127.0.0.1", port);
    if (!simulated()) port = std::to_string(server.sockets().at(0).port());
    auto [reader, writer] = co_await open_connection("127.0.0.1", port);
    std::string text = co_await reader.read();
    EXPECT_EQ(text, "hello");
    if (simulated()) {
      EXPECT_EQ(writer.peername().port(), 80);
    }
    writer.close();
    co_await writer.wait_closed();
    server.close();
    co_await server.wait_closed();
    for (const char* unknown : {"no-such-service", "65536", "-1", "80x"}) {
      std::string error = co_await error_of(open_connection("127.0.0.1", unknown));
      EXPECT_TRUE(error.starts_with("asyncio::GaiError: getaddrinfo '127.0.0.1': ")) << error;
      error = co_await error_of(start_server(greet, "127.0.0.1", unknown));
      EXPECT_TRUE(error.starts_with("asyncio::GaiError: getaddrinfo '127.0.0.1': ")) << error;
    }
    EXPECT_EQ(test::thrown([] { (void)open_connection("127.0.0.1", 65536); }),
              "asyncio::ValueError: getaddrinfo(): port must be 0-65535.");
  });
}

TEST_P(GetAddrInfo, A9_9_a_resolver_of_ones_own_gets_a_number_for_the_service) {
  run([]() -> Coro<> {
    get_running_loop().set_resolver(std::make_shared<One>());
    std::string got = co_await answers("web.test", 80, Options().flags(AI_CANONNAME));
    EXPECT_EQ(got, "1/6/192.0.2.1:80=web.test 2/17/192.0.2.1:80 3/0/192.0.2.1:80");
    if (!::getservbyname("https", "tcp")) co_return;
    got = co_await answers("web.test", "https", Options().type(SOCK_STREAM));
    EXPECT_EQ(got, "1/6/192.0.2.1:443");
  });
}

TEST_P(GetAddrInfo, R3_a_cancelled_look_up_of_a_service) {
  run([]() -> Coro<> {
    auto asking = create_task(answers("127.0.0.1", "http"));
    co_await sleep(std::chrono::seconds(0));
    asking.cancel();
    std::string got = co_await error_of(asking);
    EXPECT_EQ(got, "cancelled");
  });
}

TEST_P(GetAddrInfo, A9_9_flags_of_getnameinfo) {
  run([]() -> Coro<> {
    EventLoop loop = get_running_loop();
    SocketAddress nobody = SocketAddress::numeric("192.0.2.1", 514);
    auto numbers = co_await loop.getnameinfo(nobody, NI_NUMERICHOST | NI_NUMERICSERV);
    EXPECT_EQ(numbers, std::pair(std::string("192.0.2.1"), std::string("514")));
    // A number is no name.
    std::string got =
        co_await error_of(loop.getnameinfo(nobody, NI_NUMERICHOST | NI_NUMERICSERV | NI_NAMEREQD));
    EXPECT_EQ(got, "asyncio::GaiError: getaddrinfo '192.0.2.1:514': Name or service not known");
    if (!::getservbyname("syslog", "udp")) co_return;
    auto stream = co_await loop.getnameinfo(nobody, NI_NUMERICHOST);
    EXPECT_EQ(stream.second, "shell");
    auto datagram = co_await loop.getnameinfo(nobody, NI_NUMERICHOST | NI_DGRAM);
    EXPECT_EQ(datagram.second, "syslog");
  });
}

}  // namespace

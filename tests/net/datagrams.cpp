// SPDX-License-Identifier: BSL-1.0
/// A9.5, A11: create_datagram_endpoint, DatagramTransport and DatagramProtocol.
#include "asyncio/asyncio.hpp"
#include "asyncio/testing/faults.hpp"
#include "backends.hpp"
#include "captures.hpp"
#include "connected.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cerrno>
#include <netinet/in.h>
#include <string>
#include <sys/socket.h>
#include <unistd.h>
#include <vector>

using namespace asyncio;
using namespace std::chrono_literals;
using test::error_of;
using test::thrown;

namespace {

class Notes : public DatagramProtocol {
 public:
  void connection_made(std::shared_ptr<DatagramTransport> its_transport) override {
    transport = std::move(its_transport);
  }
  void datagram_received(std::string data, const SocketAddress& sender) override {
    if (echo) transport->sendto("re:" + data, sender);
    received.push_back(std::move(data));
    senders.push_back(sender);
    arrived.set();
  }
  void error_received(std::exception_ptr error) override {
    errors.push_back(describe_exception(error));
    arrived.set();
  }
  void pause_writing() override { ++paused; }
  void resume_writing() override { ++resumed; }
  void connection_lost(std::exception_ptr error) override {
    end = describe_exception(error);
    transport.reset();
    lost.set();
  }
  Coro<> wait_for_count(std::size_t count) {
    while (received.size() + errors.size() < count) {
      arrived.clear();
      co_await arrived.wait();
    }
  }

  std::shared_ptr<DatagramTransport> transport;
  bool echo = false;
  std::vector<std::string> received, errors;
  std::vector<SocketAddress> senders;
  int paused = 0, resumed = 0;
  std::string end;
  Event arrived, lost;
};

std::shared_ptr<Notes> notes() { return std::make_shared<Notes>(); }
std::shared_ptr<Notes> echo() {
  auto protocol = notes();
  protocol->echo = true;
  return protocol;
}

class Datagrams : public test::BackendTest {};
class RealDatagrams : public test::BackendTest {};

auto bound(std::shared_ptr<Notes> (*factory)()) {
  return get_running_loop().create_datagram_endpoint(factory,
                                                     DatagramOptions().local_addr("127.0.0.1", 0));
}

TEST_P(Datagrams, A9_5_echo_empty_and_large) {
  run([]() -> Coro<> {
    auto [server, answering] = co_await bound(&echo);
    std::uint16_t port = server->sockname()->port();
    auto [client, own] = co_await get_running_loop().create_datagram_endpoint(
        &notes, DatagramOptions().remote_addr("127.0.0.1", port));
    EXPECT_EQ(client->get_extra_info("peername"), "127.0.0.1:" + std::to_string(port));
    client->set_write_buffer_limits(400);
    EXPECT_EQ(client->get_write_buffer_limits(), std::make_pair(100ul, 400ul));
    client->set_write_buffer_limits(std::nullopt, 50);
    EXPECT_EQ(client->get_write_buffer_limits(), std::make_pair(50ul, 200ul));
    EXPECT_THROW(client->set_write_buffer_limits(-1), ValueError);
    client->set_write_buffer_limits();
    EXPECT_EQ(client->get_write_buffer_limits(), std::make_pair(16384ul, 65536ul));
    std::string large = test::pattern(65'000);
    for (const std::string& data : {std::string("hello"), std::string(), large})
      client->sendto(data);
    co_await own->wait_for_count(3);
    EXPECT_EQ(own->received.at(0), "re:hello");
    EXPECT_EQ(own->received.at(1), "re:");
    EXPECT_TRUE(own->received.at(2) == "re:" + large);
    EXPECT_EQ(own->senders.at(0).port(), port);
    EXPECT_EQ(answering->senders.at(0), *client->sockname());
    EXPECT_EQ(
        thrown([&, c = client] { c->sendto("x", SocketAddress()); }),
        "asyncio::ValueError: Invalid address: must be None or 127.0.0.1:" + std::to_string(port));
    client->sendto("right", answering->transport->sockname());
    co_await own->wait_for_count(4);
    client->close();
    co_await own->lost.wait();
    EXPECT_EQ(own->end, "no exception");
    server->abort();
    co_await answering->lost.wait();
  });
}

TEST_P(Datagrams, fault71_errors_leave_it_alive) {
  run([]() -> Coro<> {
    std::uint16_t free_port = 0;
    {
      auto [gone, its] = co_await bound(&notes);
      free_port = gone->sockname()->port();
      gone->close();
      co_await its->lost.wait();
    }
    auto [client, own] = co_await get_running_loop().create_datagram_endpoint(
        &notes, DatagramOptions().remote_addr("127.0.0.1", free_port));
    client->sendto("anybody there?");
    co_await own->wait_for_count(1);
    EXPECT_EQ(own->errors.at(0), "asyncio::ConnectionRefusedError: recvfrom 127.0.0.1:" +
                                     std::to_string(free_port) + ": Connection refused");
    client->sendto(std::string(70'000, 'x'));
    co_await own->wait_for_count(2);
    EXPECT_NE(own->errors.at(1).find("Message too long"), std::string::npos);
    auto [server, answering] = co_await get_running_loop().create_datagram_endpoint(
        &echo, DatagramOptions().local_addr("127.0.0.1", free_port));
    client->sendto("now");
    co_await own->wait_for_count(3);
    EXPECT_EQ(own->received.at(0), "re:now");
    client->close();
    server->close();
    co_await own->lost.wait();
    co_await answering->lost.wait();
  });
}

/// The system has no room for one; it is lost, its sender is told, and the next one goes.
TEST_P(Datagrams, fault71_no_buffers) {
  asyncio::testing::Faults faults;
  using asyncio::testing::SystemCall;
  for (SystemCall call : {SystemCall::send, SystemCall::sendto}) faults.fail(call, 1, ENOBUFS);
  RunOptions options;
  options.loop_factory([&] {
    if (simulated()) return faults.new_simulated_event_loop();
    return GetParam() == "epoll" ? faults.new_epoll_event_loop() : faults.new_uring_event_loop();
  });
  asyncio::run(options, []() -> Coro<> {
    auto [server, answering] = co_await bound(&notes);
    SocketAddress there = *server->sockname();
    auto [connected, first] = co_await get_running_loop().create_datagram_endpoint(
        &notes, DatagramOptions().remote_addr(there));
    auto [open, second] = co_await bound(&notes);
    const std::string reason = there.str() + ": No buffer space available";
    for (const char* data : {"lost", "arrives"}) {
      connected->sendto(data);
      open->sendto(data, there);
    }
    co_await first->wait_for_count(1);
    co_await second->wait_for_count(1);
    EXPECT_TRUE(first->errors.at(0).ends_with(reason)) << first->errors.at(0);
    EXPECT_TRUE(second->errors.at(0).ends_with(reason)) << second->errors.at(0);
    co_await answering->wait_for_count(2);
    EXPECT_EQ(answering->received, (std::vector<std::string>(2, "arrives")));
    connected->close();
    open->close();
    server->close();
    co_await first->lost.wait();
    co_await second->lost.wait();
    co_await answering->lost.wait();
  });
}

/// Of UDP none is too long for an endpoint, but Unix sockets carry larger ones: what does not fit
/// is reported, not handed over in part.
TEST_P(RealDatagrams, fault71_truncated_datagrams_are_errors) {
  run([]() -> Coro<> {
    int ends[2];
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, ends), 0);
    auto [transport, own] = co_await get_running_loop().create_datagram_endpoint(
        &notes, DatagramOptions().sock(ends[0]));
    std::string large = test::pattern(100'000), whole = test::pattern(64 * 1024);
    for (const std::string& data : {large, whole})
      EXPECT_EQ(::send(ends[1], data.data(), data.size(), 0), static_cast<ssize_t>(data.size()));
    co_await own->wait_for_count(2);
    EXPECT_NE(own->errors.at(0).find("Message too long"), std::string::npos) << own->errors.at(0);
    EXPECT_TRUE(own->received.at(0) == whole);
    transport->close();
    co_await own->lost.wait();
    ::close(ends[1]);
  });
}

/// Fault 1: who sends without end does not keep the loop to itself.
TEST_P(Datagrams, fault71_R8_a_burst_leaves_turns_to_others) {
  run([]() -> Coro<> {
    auto [server, answering] = co_await bound(&notes);
    auto [client, own] = co_await get_running_loop().create_datagram_endpoint(
        &notes, DatagramOptions().remote_addr(*server->sockname()));
    for (int i = 0; i < 150; ++i) client->sendto("x");
    std::size_t most = 0, seen = 0;
    while (seen < 150) {
      co_await sleep(0s);
      most = std::max(most, answering->received.size() - seen);
      seen = answering->received.size();
    }
    EXPECT_LE(most, 16u);
    client->close();
    server->close();
    co_await own->lost.wait();
    co_await answering->lost.wait();
  });
}

TEST_P(Datagrams, fault71_burst) {
  run([]() -> Coro<> {
    auto [server, answering] = co_await bound(&notes);
    auto [client, own] = co_await get_running_loop().create_datagram_endpoint(
        &notes, DatagramOptions().remote_addr(*server->sockname()));
    for (int i = 0; i < 10'000; ++i) {
      client->sendto(std::to_string(i));
      if (i % 100 == 99) co_await answering->wait_for_count(static_cast<std::size_t>(i) + 1);
    }
    EXPECT_EQ(answering->received.size(), 10'000u);
    for (int i = 0; i < 10'000; ++i)
      EXPECT_EQ(answering->received.at(static_cast<std::size_t>(i)), std::to_string(i));
    client->close();
    server->close();
    co_await own->lost.wait();
    co_await answering->lost.wait();
  });
}

/// A Unix socket whose peer does not read takes no more datagrams.
TEST_P(RealDatagrams, fault63_backpressure_and_close_with_what_is_kept) {
  run([]() -> Coro<> {
    int ends[2];
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, ends), 0);
    auto [transport, own] = co_await get_running_loop().create_datagram_endpoint(
        &notes, DatagramOptions().sock(ends[0]));
    EXPECT_EQ(transport->get_write_buffer_limits(),
              (std::pair<std::size_t, std::size_t>(16 * 1024, 64 * 1024)));
    std::string data(10'000, 'x');
    int sent = 0;
    for (; own->paused == 0 && sent < 1000; ++sent) transport->sendto(data);
    EXPECT_EQ(own->paused, 1);
    EXPECT_GT(transport->get_write_buffer_size(), 64u * 1024);
    transport->close();  // once all is sent
    co_await test::settle();
    EXPECT_FALSE(own->lost.is_set());
    auto [other, reading] = co_await get_running_loop().create_datagram_endpoint(
        &notes, DatagramOptions().sock(ends[1]));
    co_await own->lost.wait();
    EXPECT_EQ(own->resumed, 1);
    co_await reading->wait_for_count(static_cast<std::size_t>(sent));
    EXPECT_EQ(reading->received.size(), static_cast<std::size_t>(sent));
    other->close();
    co_await reading->lost.wait();
  });
}

/// io_uring still tells of datagrams: the error must not come again and again.
TEST_P(RealDatagrams, R8_fault57_descriptor_that_the_user_closes) {
  run([]() -> Coro<> {
    int number = ::socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    sockaddr_in any{};
    any.sin_family = AF_INET;
    EXPECT_EQ(::bind(number, reinterpret_cast<sockaddr*>(&any), sizeof any), 0);
    DatagramOptions theirs;
    theirs.sock(number);
    auto [closed, its] = co_await get_running_loop().create_datagram_endpoint(&notes, theirs);
    auto [sender, other] = co_await bound(&notes);
    SocketAddress address = SocketAddress::numeric("127.0.0.1", closed->sockname()->port());
    co_await sleep(1ms);
    ::close(number);
    sender->sendto("is anybody there?", address);
    co_await sleep(5ms);
    closed->sendto("nobody", address);
    co_await its->lost.wait();
    EXPECT_TRUE(its->end.ends_with(": Bad file descriptor")) << its->end;
    EXPECT_EQ(its->errors.size(), 0u);
    sender->close();
    co_await other->lost.wait();
  });
}

TEST_P(RealDatagrams, A9_5_reuse_port_and_broadcast) {
  run([]() -> Coro<> {
    DatagramOptions shared;
    shared.local_addr("127.0.0.1", 0).reuse_port(true);
    auto [first, one] = co_await get_running_loop().create_datagram_endpoint(&notes, shared);
    DatagramOptions same;
    same.local_addr(*first->sockname()).reuse_port(true);
    auto [second, two] = co_await get_running_loop().create_datagram_endpoint(&notes, same);
    EXPECT_EQ(*first->sockname(), *second->sockname());
    std::string taken = co_await error_of([](SocketAddress address) -> Coro<> {
      co_await get_running_loop().create_datagram_endpoint(&notes,
                                                           DatagramOptions().local_addr(address));
    }(*first->sockname()));
    EXPECT_EQ(taken,
              "asyncio::OSError: bind " + first->sockname()->str() + ": Address already in use");
    auto [anywhere, receiver] = co_await get_running_loop().create_datagram_endpoint(
        &notes, DatagramOptions().local_addr("0.0.0.0", 0));
    DatagramOptions to_all;
    to_all.remote_addr("127.255.255.255", anywhere->sockname()->port()).allow_broadcast(true);
    auto [caller, calling] = co_await get_running_loop().create_datagram_endpoint(&notes, to_all);
    caller->sendto("to all");
    co_await receiver->wait_for_count(1);
    EXPECT_EQ(receiver->received.at(0), "to all");
    for (auto& transport : {first, second, anywhere, caller}) transport->close();
    co_await receiver->lost.wait();
  });
}

TEST_P(RealDatagrams, A9_5_options_that_do_not_fit) {
  run([]() -> Coro<> {
    auto open = [](DatagramOptions options) -> Coro<> {
      co_await get_running_loop().create_datagram_endpoint(&notes, options);
    };
    std::string error = co_await error_of(open(DatagramOptions()));
    EXPECT_EQ(error, "asyncio::ValueError: unexpected address family");
    error =
        co_await error_of(open(DatagramOptions().local_addr("127.0.0.1", 0).remote_addr("::1", 9)));
    EXPECT_EQ(error, "asyncio::ValueError: can not get address information");
    int stream = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    error = co_await error_of(open(DatagramOptions().sock(stream)));
    EXPECT_EQ(error, "asyncio::ValueError: A datagram socket was expected, got descriptor " +
                         std::to_string(stream));
    ::close(stream);
    error = co_await error_of(open(DatagramOptions().family(AddressFamily::inet)));
    EXPECT_EQ(error, "nothing");
    co_await test::settle();
  });
}

TEST_P(Datagrams, fault196_loop_closes_with_an_endpoint) {
  EventLoop loop = test::factory_of(GetParam())();
  auto own = notes();
  auto begin = [&]() -> Coro<> {
    co_await loop.create_datagram_endpoint([&] { return own; },
                                           DatagramOptions().local_addr("127.0.0.1", 0));
  };
  loop.run_until_complete(begin());
  loop.close();
  EXPECT_EQ(own.use_count(), 1);
  EXPECT_EQ(own->end, "");
}

/// Python's asyncio as the client.
TEST_P(RealDatagrams, A9_5_python_as_peer) {
  run([]() -> Coro<> {
    auto [server, answering] = co_await bound(&echo);
    std::string program =
        "import asyncio\n"
        "class P(asyncio.DatagramProtocol):\n"
        "    def connection_made(self, t): self.t = t; t.sendto(b'from python')\n"
        "    def datagram_received(self, d, a): print(d.decode()); done.set_result(None)\n"
        "async def main():\n"
        "    global done\n"
        "    loop = asyncio.get_running_loop()\n"
        "    done = loop.create_future()\n"
        "    await loop.create_datagram_endpoint(P, remote_addr=('127.0.0.1', " +
        std::to_string(server->sockname()->port()) +
        "))\n"
        "    await done\n"
        "asyncio.run(main())\n";
    Process python =
        co_await create_subprocess_exec(SubprocessOptions().stdout(PIPE), "python3", "-c", program);
    auto [out, err] = co_await python.communicate();
    EXPECT_EQ(out, "re:from python\n");
    server->close();
    co_await answering->lost.wait();
  });
}

INSTANTIATE_TEST_SUITE_P(Backends, Datagrams, test::all_backends, test::backend_name);
INSTANTIATE_TEST_SUITE_P(Backends, RealDatagrams, test::real_backends, test::backend_name);

}  // namespace

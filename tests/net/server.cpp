// SPDX-License-Identifier: BSL-1.0
// start_server and Server, on every backend.
#include "asyncio/server.hpp"

#include "asyncio/gather.hpp"
#include "asyncio/sleep.hpp"
#include "asyncio/streams.hpp"
#include "asyncio/task.hpp"
#include "asyncio/with.hpp"
#include "backends.hpp"
#include "captures.hpp"
#include "descriptor_limit.hpp"

#include <gtest/gtest.h>

#include <fcntl.h>
#include <memory>
#include <string>
#include <sys/socket.h>
#include <unistd.h>
#include <utility>
#include <vector>

namespace {

using namespace asyncio;
using namespace std::chrono_literals;

class ServerTest : public test::BackendTest {};
INSTANTIATE_TEST_SUITE_P(Backends, ServerTest, test::all_backends, test::backend_name);

Coro<> echo(StreamReader reader, StreamWriter writer) {
  while (auto line = co_await reader.next()) co_await writer.send(*line);
  writer.close();
}

Coro<> ignore(StreamReader, StreamWriter) { co_return; }

template <class A>
Coro<std::string> error_of(A awaitable) {
  std::string text = "nothing";
  try {
    co_await std::move(awaitable);
  } catch (const std::exception&) {
    text = describe_exception(std::current_exception());
  } catch (const CancelledError&) {
    text = "cancelled";
  }
  co_return text;
}

Coro<> wait_closed(Server server) { co_await server.wait_closed(); }

/// One line there and back.
Coro<std::string> ask(std::uint16_t port, std::string host = "127.0.0.1") {
  auto [reader, writer] = co_await open_connection(host, port);
  writer.write("hello\n");
  std::string answer = co_await reader.readline();
  writer.close();
  co_await writer.wait_closed();
  co_return answer;
}

TEST_P(ServerTest, R4_a_handler_that_holds_its_server_ends_with_it) {
  std::weak_ptr<std::optional<Server>> watched;
  run([&]() -> Coro<> {
    auto held = std::make_shared<std::optional<Server>>();
    auto handler = [held](StreamReader, StreamWriter writer) { writer.close(); };
    Server server = co_await start_server(handler, "127.0.0.1", 0);
    *held = server;
    watched = held;
    server.close();
    co_await server.wait_closed();
  });
  EXPECT_TRUE(watched.expired());
}

TEST_P(ServerTest, A3_2_port_zero_and_addresses) {
  run([]() -> Coro<> {
    Server server = co_await start_server(echo, "127.0.0.1", 0);
    EXPECT_TRUE(server.is_serving());
    EXPECT_EQ(server.sockets().size(), 1u);
    SocketAddress address = server.sockets().at(0);
    EXPECT_EQ(address.host(), "127.0.0.1");
    EXPECT_NE(address.port(), 0);
    EXPECT_EQ(server.get_loop(), get_running_loop());
    std::string answer = co_await ask(address.port());
    EXPECT_EQ(answer, "hello\n");
    server.close();
    EXPECT_FALSE(server.is_serving());
    EXPECT_TRUE(server.sockets().empty());
    co_await server.wait_closed();
    std::string refused = co_await error_of(ask(address.port()));
    EXPECT_TRUE(refused.starts_with("asyncio::ConnectionRefusedError")) << refused;
  });
}

/// As in Python, they are TransportSockets.
TEST_P(ServerTest, A9_16_sockets_are_there_to_look_at_and_to_set_options_of) {
  run([]() -> Coro<> {
    Server server = co_await start_server(echo, "127.0.0.1", 0);
    ListeningSocket socket = server.sockets().at(0);
    EXPECT_GE(socket.fileno(), 0);
    EXPECT_EQ(socket.family(), AddressFamily::inet);
    EXPECT_EQ(socket.type(), SOCK_STREAM);
    SocketAddress address = socket;
    EXPECT_EQ(socket.getsockname(), address);
    EXPECT_EQ(socket.str(), address.str());
    EXPECT_EQ(socket.host(), "127.0.0.1");
    std::string answer = co_await ask(socket.port());
    EXPECT_EQ(answer, "hello\n");
    server.close();
    co_await server.wait_closed();
    EXPECT_EQ(socket.fileno(), -1);
    EXPECT_EQ(test::thrown([&] { socket.port(); }),
              "asyncio::OSError: getsockname: Bad file descriptor");
  });
}

class RealServerTest : public test::BackendTest {};
INSTANTIATE_TEST_SUITE_P(Backends, RealServerTest, test::real_backends, test::backend_name);

/// What a listener that is handed on to another server, or process, needs.
TEST_P(RealServerTest, A9_16_a_listening_socket_can_be_handed_on) {
  run([]() -> Coro<> {
    Server first = co_await start_server(ignore, "127.0.0.1", 0);
    ListeningSocket socket = first.sockets().at(0);
    EXPECT_EQ(socket.getsockopt(SOL_SOCKET, SO_ACCEPTCONN), 1);
    std::uint16_t port = socket.port();
    int handed_on = socket.dup();
    EXPECT_NE(handed_on, socket.fileno());
    EXPECT_EQ(::fcntl(handed_on, F_GETFD), FD_CLOEXEC);
    first.close();
    co_await first.wait_closed();
    Server second = co_await start_server(echo, handed_on);
    std::string answer = co_await ask(port);
    EXPECT_EQ(answer, "hello\n");
    second.close();
    co_await second.wait_closed();
  });
}

/// What a server leaves behind that has closed its connections itself: the system keeps the port
/// for a minute.
TEST_P(RealServerTest, A3_2_fault74_reuse_address) {
  run([]() -> Coro<> {
    auto leave = [](StreamReader, StreamWriter writer) { writer.close(); };
    Server first = co_await start_server(leave, "127.0.0.1", 0);
    std::uint16_t port = first.sockets().at(0).port();
    auto [reader, writer] = co_await open_connection("127.0.0.1", port);
    (void)co_await reader.read();
    writer.close();
    co_await writer.wait_closed();
    first.close();
    co_await first.wait_closed();
    std::string error = co_await error_of(
        start_server(echo, "127.0.0.1", port, ServerOptions().reuse_address(false)));
    EXPECT_EQ(error, "asyncio::OSError: bind 127.0.0.1:" + std::to_string(port) +
                         ": Address already in use");
    Server second = co_await start_server(echo, "127.0.0.1", port);
    std::string answer = co_await ask(port);
    EXPECT_EQ(answer, "hello\n");
    second.close();
    co_await second.wait_closed();
  });
}

TEST_P(ServerTest, A3_2_fault74_port_in_use_is_named) {
  run([]() -> Coro<> {
    Server first = co_await start_server(echo, "127.0.0.1", 0);
    std::string address = first.sockets().at(0).str();
    std::string error =
        co_await error_of(start_server(echo, "127.0.0.1", first.sockets().at(0).port()));
    EXPECT_EQ(error, "asyncio::OSError: bind " + address + ": Address already in use");
    first.close();
    co_await first.wait_closed();
  });
}

TEST_P(ServerTest, A3_2_all_interfaces_and_several_hosts) {
  run([]() -> Coro<> {
    Server everywhere = co_await start_server(echo, "", 0);
    EXPECT_GE(everywhere.sockets().size(), 1u);
    for (const ListeningSocket& address : everywhere.sockets()) {
      std::string host = address.family() == AddressFamily::inet ? "127.0.0.1" : "::1";
      std::string answer = co_await ask(address.port(), host);
      EXPECT_EQ(answer, "hello\n");
    }
    std::vector<std::string> hosts;
    hosts.push_back("127.0.0.1");
    hosts.push_back("127.0.0.2");
    hosts.push_back("127.0.0.1");
    Server two = co_await start_server(echo, hosts, 0);
    EXPECT_EQ(two.sockets().size(), 2u);
    std::string answer = co_await ask(two.sockets().at(1).port(), "127.0.0.2");
    EXPECT_EQ(answer, "hello\n");
    everywhere.close();
    two.close();
    co_await everywhere.wait_closed();
    co_await two.wait_closed();
  });
}

TEST_P(ServerTest, A3_2_start_serving_later) {
  run([]() -> Coro<> {
    ServerOptions options;
    options.start_serving(false).backlog(5).limit(100);
    Server server = co_await start_server(echo, "127.0.0.1", 0, options);
    EXPECT_FALSE(server.is_serving());
    co_await server.start_serving();
    co_await server.start_serving();
    EXPECT_TRUE(server.is_serving());
    std::string answer = co_await ask(server.sockets().at(0).port());
    EXPECT_EQ(answer, "hello\n");
    server.close();
    Result<> again = co_await capture(server.start_serving());
    EXPECT_EQ(describe_exception(again.exception()), "asyncio::RuntimeError: server is closed");
    EXPECT_FALSE(server.is_serving());
    co_await server.wait_closed();
  });
}

/// The handler may hold state of its own, and may be a plain function.
TEST_P(ServerTest, R3_one_that_is_cancelled_while_it_starts_listens_no_more) {
  run([]() -> Coro<> {
    Server first = co_await start_server([](StreamReader, StreamWriter) {}, "127.0.0.1", 0);
    std::uint16_t port = first.sockets().at(0).port();
    first.close();
    co_await first.wait_closed();
    auto handler = [](StreamReader, StreamWriter) {};
    for (int steps = 1;; ++steps) {
      Task<Server> starting = create_task(start_server(handler, "127.0.0.1", port));
      for (int i = 0; i < steps && !starting.done(); ++i) co_await sleep(0s);
      bool was_cancelled = starting.cancel();
      auto outcome = co_await capture(starting);
      if (outcome) outcome.value().close();
      auto refused = co_await capture(open_connection("127.0.0.1", port));
      EXPECT_TRUE(refused.holds<ConnectionRefusedError>()) << "after " << steps << " steps";
      if (!was_cancelled || HasFailure()) break;
    }
  });
}

TEST_P(ServerTest, A3_2_any_callable) {
  run([]() -> Coro<> {
    auto state = std::make_shared<std::string>("state\n");
    std::weak_ptr<std::string> watch = state;
    auto handler = [state = std::move(state)](StreamReader, StreamWriter writer) -> Coro<int> {
      co_await sleep(0s);
      writer.write(*state);
      writer.close();
      co_return 1;
    };
    auto plain = [](StreamReader, StreamWriter writer) {
      writer.write("plain\n");
      writer.close();
    };
    Server first = co_await start_server(handler, "127.0.0.1", 0);
    Server second = co_await start_server(plain, "127.0.0.1", 0);
    {
      auto gone = std::move(handler);
    }
    std::string one = co_await ask(first.sockets().at(0).port());
    std::string two = co_await ask(second.sockets().at(0).port());
    EXPECT_EQ(one, "state\n");
    EXPECT_EQ(two, "plain\n");
    first.close();
    second.close();
    co_await first.wait_closed();
    co_await second.wait_closed();
    EXPECT_FALSE(watch.expired());  // the server's handle still has it
  });
}

TEST_P(ServerTest, D3_handler_exception_is_reported_and_the_connection_closed) {
  run([]() -> Coro<> {
    test::ReportCapture reports(get_running_loop());
    auto fails = [](StreamReader reader, StreamWriter) -> Coro<> {
      co_await reader.readline();
      throw ValueError("in the handler");
    };
    auto fails_at_once = [](StreamReader, StreamWriter) { throw ValueError("at once"); };
    Server first = co_await start_server(fails, "127.0.0.1", 0);
    Server second = co_await start_server(fails_at_once, "127.0.0.1", 0);
    std::string one = co_await ask(first.sockets().at(0).port());
    EXPECT_EQ(one, "");
    std::string two = co_await error_of(ask(second.sockets().at(0).port()));
    EXPECT_TRUE(first.is_serving());
    first.close();
    second.close();
    co_await first.wait_closed();
    co_await second.wait_closed();
    EXPECT_EQ(reports.reports,
              (std::vector<std::string>{
                  "Unhandled exception in client_connected_cb: asyncio::ValueError: in the handler",
                  "Unhandled exception in client_connected_cb: asyncio::ValueError: at once"}));
    get_running_loop().set_exception_handler({});
  });
}

TEST_P(ServerTest, A9_16_wait_closed_waits_for_connections) {
  run([]() -> Coro<> {
    Server server = co_await start_server(echo, "127.0.0.1", 0);
    auto [reader, writer] = co_await open_connection("127.0.0.1", server.sockets().at(0).port());
    std::string answer = co_await ask(server.sockets().at(0).port());
    auto closed = create_task(wait_closed, server);
    server.close();
    server.close();
    for (int i = 0; i < 20; ++i) co_await sleep(0s);
    EXPECT_FALSE(closed.done());
    // A connection that exists goes on.
    writer.write("still here\n");
    std::string line = co_await reader.readline();
    EXPECT_EQ(line, "still here\n");
    writer.close();
    co_await closed;
    co_await server.wait_closed();
  });
}

TEST_P(ServerTest, A9_16_close_clients_and_abort_clients) {
  run([]() -> Coro<> {
    for (bool abort : {false, true}) {
      Server server = co_await start_server(echo, "127.0.0.1", 0);
      std::uint16_t port = server.sockets().at(0).port();
      auto [reader, writer] = co_await open_connection("127.0.0.1", port);
      writer.write("x\n");
      co_await reader.readline();
      server.close();
      if (abort)
        server.abort_clients();
      else
        server.close_clients();
      co_await server.wait_closed();
      std::string end = co_await reader.read();
      EXPECT_EQ(end, "");
      writer.close();
      co_await writer.wait_closed();
    }
  });
}

Coro<> serve(Server server) { co_await server.serve_forever(); }

TEST_P(ServerTest, A9_16_serve_forever) {
  run([]() -> Coro<> {
    ServerOptions options;
    options.start_serving(false);
    Server server = co_await start_server(echo, "127.0.0.1", 0, options);
    auto serving = create_task(serve, server);
    co_await sleep(0s);
    EXPECT_TRUE(server.is_serving());
    std::string second = co_await error_of(server.serve_forever());
    EXPECT_EQ(second, "asyncio::RuntimeError: server is already being awaited on serve_forever()");
    std::string answer = co_await ask(server.sockets().at(0).port());
    EXPECT_EQ(answer, "hello\n");
    serving.cancel();
    std::string ended = co_await error_of(serving);
    EXPECT_EQ(ended, "cancelled");
    EXPECT_FALSE(server.is_serving());
    std::string again = co_await error_of(server.serve_forever());
    EXPECT_EQ(again, "asyncio::RuntimeError: server is closed");
  });
}

TEST_P(ServerTest, A9_16_close_ends_serve_forever) {
  run([]() -> Coro<> {
    Server server = co_await start_server(echo, "127.0.0.1", 0);
    auto serving = create_task(serve, server);
    co_await sleep(0s);
    server.close();
    std::string ended = co_await error_of(serving);
    EXPECT_EQ(ended, "cancelled");
  });
}

TEST_P(ServerTest, A9_16_context_manager) {
  run([]() -> Coro<> {
    Server server = co_await start_server(echo, "127.0.0.1", 0);
    co_await with(server, [&](Server& entered) -> Coro<> {
      std::string answer = co_await ask(entered.sockets().at(0).port());
      EXPECT_EQ(answer, "hello\n");
    });
    EXPECT_FALSE(server.is_serving());
  });
}

/// A server that nobody holds serves on until the loop closes.
TEST_P(ServerTest, A9_16_dropped_handle_serves_on) {
  run([]() -> Coro<> {
    std::uint16_t port = 0;
    {
      Server server = co_await start_server(echo, "127.0.0.1", 0);
      port = server.sockets().at(0).port();
    }
    std::string answer = co_await ask(port);
    EXPECT_EQ(answer, "hello\n");
  });
}

TEST_P(ServerTest, R5_fault199_loops_leave_nothing_open) {
  for (int i = 0; i < 50; ++i) {
    run([]() -> Coro<> {
      Server server = co_await start_server(echo, "127.0.0.1", 0);
      auto [reader, writer] = co_await open_connection("127.0.0.1", server.sockets().at(0).port());
      co_await writer.send("x\n");
      co_await reader.readline();
    });
  }
}

/// More clients than the backlog holds: everyone is served in the end.
TEST_P(ServerTest, A3_2_many_clients) {
  // A real client whose request was dropped tries again only after a second.
  int backlog = simulated() ? 5 : 400;
  run([&]() -> Coro<> {
    ServerOptions options;
    options.backlog(backlog);
    Server server = co_await start_server(echo, "127.0.0.1", 0, options);
    std::vector<Coro<std::string>> clients;
    for (int i = 0; i < 300; ++i) clients.push_back(ask(server.sockets().at(0).port()));
    std::vector<std::string> answers = co_await gather(std::move(clients));
    for (const std::string& answer : answers) EXPECT_EQ(answer, "hello\n");
    server.close();
    co_await server.wait_closed();
  });
}

TEST(Server, A3_2_reuse_port_shares_an_address) {
  run([]() -> Coro<> {
    ServerOptions options;
    options.reuse_port(true).keep_alive(true);
    Server first = co_await start_server(ignore, "127.0.0.1", 0, options);
    std::uint16_t port = first.sockets().at(0).port();
    Server second = co_await start_server(ignore, "127.0.0.1", port, options);
    EXPECT_EQ(second.sockets().at(0).port(), port);
    first.close();
    second.close();
    co_await first.wait_closed();
    co_await second.wait_closed();
  }());
}

/// Fault 56: out of descriptors, the server rests for a second and then goes on.
TEST(Server, R8_fault56_accept_without_descriptors) {
  if (test::kNeedsDescriptors) GTEST_SKIP() << "with UBSan";
  test::DescriptorLimit limit(100);
  run([]() -> Coro<> {
    std::vector<std::exception_ptr> reports;
    get_running_loop().set_exception_handler(
        [&](EventLoop, const ExceptionContext& context) { reports.push_back(context.exception); });
    Server server = co_await start_server(echo, "127.0.0.1", 0);
    auto port = server.sockets().at(0).port();
    auto began = get_running_loop().time();
    Streams client = co_await open_connection("127.0.0.1", port);
    std::string answer;
    {
      test::DescriptorHoard hoard(1);  // one is left, for the client's end alone
      Streams second = co_await open_connection("127.0.0.1", port);
      client.second.write("served meanwhile\n");
      answer = co_await client.first.readline();
      EXPECT_EQ(answer, "served meanwhile\n");
      second.second.write("later\n");
      client = second;
    }
    answer = co_await client.first.readline();
    EXPECT_EQ(answer, "later\n");
    EXPECT_GE(get_running_loop().time() - began, 1s);
    EXPECT_EQ(reports.size(), 1u);
    EXPECT_EQ(describe_exception(reports.at(0)), "asyncio::OSError: accept: Too many open files");
    client.second.close();
    server.close();
    co_await server.wait_closed();
    get_running_loop().set_exception_handler({});
  }());
}

}  // namespace

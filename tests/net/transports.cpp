// SPDX-License-Identifier: BSL-1.0
/// A11, A9.5, A9.10, A9.15, A9.16: protocols on transports of connections, pipes and processes.
#include "asyncio/asyncio.hpp"
#include "backends.hpp"
#include "captures.hpp"
#include "connected.hpp"
#include "protocols.hpp"
#include "tls.hpp"

#include <gtest/gtest.h>

#include <csignal>
#include <string>
#include <sys/socket.h>
#include <unistd.h>
#include <vector>

using namespace asyncio;
using namespace std::chrono_literals;
using test::Buffered;
using test::Client;
using test::EchoProtocol;
using test::error_of;
using test::made;
using test::pattern;
using test::thrown;

namespace {

class Transports : public test::BackendTest {};
class RealTransports : public test::BackendTest {};

Coro<Server> echo_server() {
  Server server = co_await get_running_loop().create_server(&made<EchoProtocol>, "127.0.0.1", 0);
  co_return server;
}

TEST_P(Transports, A11_echo_by_protocols_on_both_sides) {
  run([]() -> Coro<> {
    EventLoop loop = get_running_loop();
    Server server = co_await echo_server();
    std::uint16_t port = server.sockets().at(0).port();
    auto [transport, client] = co_await loop.create_connection(&made<Client>, "127.0.0.1", port);
    EXPECT_EQ(client->events, std::vector<std::string>(1, "made"));
    EXPECT_EQ(transport->get_extra_info("peername"), "127.0.0.1:" + std::to_string(port));
    EXPECT_EQ(transport->get_protocol(), client);
    std::string input = pattern(1 << 20);
    transport->write(input.substr(0, 1000));
    std::vector<std::string> lines;
    for (std::size_t at = 1000; at < input.size(); at += 100'000)
      lines.push_back(input.substr(at, 100'000));
    transport->writelines(lines);
    std::string back = co_await client->bytes(input.size());
    EXPECT_TRUE(back == input);
    transport->write_eof();
    EXPECT_TRUE(transport->can_write_eof());
    co_await client->lost.wait();  // the echo's eof_received closes its side
    EXPECT_EQ(client->events.back(), "lost no exception");
    EXPECT_EQ(client->events.at(client->events.size() - 2), "eof");
    EXPECT_EQ(transport->get_protocol(), nullptr);
    EXPECT_TRUE(transport->is_closing());
    server.close();
    co_await server.wait_closed();
  });
}

TEST_P(Transports, A11_buffered_protocol) {
  run([]() -> Coro<> {
    Server server = co_await echo_server();
    auto [transport, client] = co_await get_running_loop().create_connection(
        &made<Buffered>, "127.0.0.1", server.sockets().at(0).port());
    std::string input = pattern(5000);
    transport->write(input);
    while (client->received.size() < input.size()) {
      client->arrived.clear();
      co_await client->arrived.wait();
    }
    EXPECT_TRUE(client->received == input);
    transport->close();
    co_await client->lost.wait();
    EXPECT_EQ(client->events, (std::vector<std::string>{"made", "lost no exception"}));
    server.close();
    co_await server.wait_closed();
  });
}

TEST_P(Transports, A11_paused_reading_and_a_new_protocol) {
  run([]() -> Coro<> {
    Server server = co_await echo_server();
    auto [transport, client] = co_await get_running_loop().create_connection(
        &made<Client>, "127.0.0.1", server.sockets().at(0).port());
    transport->pause_reading();
    transport->pause_reading();
    EXPECT_FALSE(transport->is_reading());
    transport->write("first");
    co_await test::settle();
    EXPECT_EQ(client->received, "");
    auto other = made<Client>();
    transport->set_protocol(other);
    EXPECT_EQ(transport->get_protocol(), other);
    transport->resume_reading();
    transport->resume_reading();
    EXPECT_TRUE(transport->is_reading());
    std::string got = co_await other->bytes(5);
    EXPECT_EQ(got, "first");
    EXPECT_EQ(client->received, "");
    std::string wrong = thrown([&] { transport->set_protocol(made<DatagramProtocol>()); });
    EXPECT_EQ(wrong.find("asyncio::TypeError"), 0u) << wrong;
    transport->abort();
    co_await other->lost.wait();
    server.close();
    co_await server.wait_closed();
  });
}

TEST_P(Transports, A11_write_limits_pause_and_resume) {
  run([]() -> Coro<> {
    EventLoop loop = get_running_loop();
    auto peer = made<Client>();
    Server server = co_await loop.create_server([&] { return peer; }, "127.0.0.1", 0);
    auto [transport, client] =
        co_await loop.create_connection(&made<Client>, "127.0.0.1", server.sockets().at(0).port());
    co_await test::settle();
    EXPECT_EQ(transport->get_write_buffer_limits(),
              (std::pair<std::size_t, std::size_t>(16 * 1024, 64 * 1024)));
    transport->set_write_buffer_limits(4000);
    EXPECT_EQ(transport->get_write_buffer_limits(),
              (std::pair<std::size_t, std::size_t>(1000, 4000)));
    transport->set_write_buffer_limits(std::nullopt, 300);
    EXPECT_EQ(transport->get_write_buffer_limits(),
              (std::pair<std::size_t, std::size_t>(300, 1200)));
    EXPECT_EQ(thrown([&] { transport->set_write_buffer_limits(1, 2); }),
              "asyncio::ValueError: high (1) must be >= low (2) must be >= 0");
    EXPECT_EQ(thrown([&] { transport->set_write_buffer_limits(-1); }),
              "asyncio::ValueError: high (-1) must be >= low (-1) must be >= 0");
    EXPECT_EQ(thrown([&] { transport->set_write_buffer_limits(std::nullopt, -1); }),
              "asyncio::ValueError: high (-4) must be >= low (-1) must be >= 0");
    EXPECT_EQ(transport->get_write_buffer_limits(),
              (std::pair<std::size_t, std::size_t>(300, 1200)));
    transport->set_write_buffer_limits(4000);
    peer->transport->pause_reading();
    std::string input = pattern(16 << 20);
    transport->write(input);
    EXPECT_GT(transport->get_write_buffer_size(), 0u);
    EXPECT_EQ(client->events, (std::vector<std::string>{"made", "pause"}));
    peer->transport->resume_reading();
    std::string got = co_await peer->bytes(input.size());
    EXPECT_TRUE(got == input);
    co_await test::settle();
    EXPECT_EQ(client->events, (std::vector<std::string>{"made", "pause", "resume"}));
    EXPECT_EQ(transport->get_write_buffer_size(), 0u);
    transport->close();
    co_await peer->lost.wait();
    server.close();
    co_await server.wait_closed();
  });
}

TEST_P(Transports, A11_half_close_is_kept_if_eof_received_says_so) {
  run([]() -> Coro<> {
    EventLoop loop = get_running_loop();
    auto peer = made<Client>();
    peer->keep_open = true;
    Server server = co_await loop.create_server([&] { return peer; }, "127.0.0.1", 0);
    auto [transport, client] =
        co_await loop.create_connection(&made<Client>, "127.0.0.1", server.sockets().at(0).port());
    transport->write_eof();
    EXPECT_EQ(thrown([&, t = transport] { t->write("late"); }),
              "asyncio::RuntimeError: Cannot call write() after write_eof()");
    co_await test::settle();
    EXPECT_EQ(peer->events, (std::vector<std::string>{"made", "eof"}));
    peer->transport->write("still here");
    std::string got = co_await client->bytes(10);
    EXPECT_EQ(got, "still here");
    peer->transport->close();
    co_await client->lost.wait();
    server.close();
    co_await server.wait_closed();
  });
}

TEST_P(Transports, A9_16_close_clients_and_abort_clients) {
  run([]() -> Coro<> {
    for (bool abort : {false, true}) {
      Server server = co_await echo_server();
      auto [transport, client] = co_await get_running_loop().create_connection(
          &made<Client>, "127.0.0.1", server.sockets().at(0).port());
      co_await test::settle();
      server.close();
      if (abort)
        server.abort_clients();
      else
        server.close_clients();
      co_await server.wait_closed();
      co_await client->lost.wait();
      EXPECT_EQ(client->events.front(), "made");
    }
  });
}

/// What throws is told to the loop, and the transport closed (R9).
class Throwing : public Client {
 public:
  void data_received(std::string data) override {
    if (data == "fail") throw std::runtime_error("no such command");
    Client::data_received(data);
  }
};

TEST_P(Transports, R9_a_protocol_that_throws) {
  run([]() -> Coro<> {
    EventLoop loop = get_running_loop();
    test::ReportCapture reports(loop);
    auto peer = made<Throwing>();
    Server server = co_await loop.create_server([&] { return peer; }, "127.0.0.1", 0);
    auto [transport, client] =
        co_await loop.create_connection(&made<Client>, "127.0.0.1", server.sockets().at(0).port());
    transport->write("fail");
    co_await peer->lost.wait();
    EXPECT_EQ(peer->events.back(), "lost std::runtime_error: no such command");
    EXPECT_EQ(reports.reports,
              std::vector<std::string>(1,
                                       "Fatal error: protocol.data_received() call failed.: "
                                       "std::runtime_error: no such command"));
    co_await client->lost.wait();
    server.close();
    co_await server.wait_closed();
    loop.set_exception_handler(nullptr);
  });
}

TEST_P(Transports, A9_5_cancelled_and_refused_connections) {
  run([]() -> Coro<> {
    EventLoop loop = get_running_loop();
    Server server = co_await echo_server();
    std::uint16_t port = server.sockets().at(0).port();
    auto connecting = [](std::uint16_t to) -> Coro<> {
      co_await get_running_loop().create_connection(&made<Client>, "127.0.0.1", to);
    };
    for (int hops = 1; hops < 12; ++hops) {
      Task<> task = create_task(connecting, port);
      for (int i = 0; i < hops; ++i) co_await sleep(0s);
      task.cancel();
      co_await error_of(task);
    }
    co_await test::settle();
    server.close();
    server.abort_clients();
    co_await server.wait_closed();
    std::string refused = co_await error_of(connecting(port));
    EXPECT_EQ(refused.find("asyncio::ConnectionRefusedError"), 0u) << refused;
  });
}

TEST_P(Transports, fault196_loop_closes_with_transports) {
  EventLoop loop = test::factory_of(GetParam())();
  auto client = made<Client>();
  auto begin = [&]() -> Coro<> {
    Server server = co_await echo_server();
    co_await loop.create_connection([&] { return client; }, "127.0.0.1",
                                    server.sockets().at(0).port());
  };
  loop.run_until_complete(begin());
  loop.close();
  EXPECT_EQ(client->events, std::vector<std::string>(1, "made"));
  EXPECT_EQ(client.use_count(), 1);
}

INSTANTIATE_TEST_SUITE_P(Backends, Transports, test::all_backends, test::backend_name);

// --- With the system ----------------------------------------------------------------------------

TEST_P(RealTransports, A9_5_unix_and_accepted_sockets) {
  run([]() -> Coro<> {
    EventLoop loop = get_running_loop();
    std::string name = std::string(1, '\0') + "asyncio-transports-" + std::to_string(::getpid());
    Server server = co_await loop.create_unix_server(&made<EchoProtocol>, name);
    auto [transport, client] = co_await loop.create_unix_connection(&made<Client>, name);
    transport->write("over Unix");
    std::string got = co_await client->bytes(9);
    EXPECT_EQ(got, "over Unix");
    transport->close();
    server.close();
    co_await server.wait_closed();
    int ends[2];
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    auto [accepted, echo] = co_await loop.connect_accepted_socket(&made<EchoProtocol>, ends[0]);
    auto [own, other] = co_await loop.create_connection(&made<Client>, ends[1]);
    own->write("pair");
    got = co_await other->bytes(4);
    EXPECT_EQ(got, "pair");
    own->close();
    co_await other->lost.wait();
    accepted->close();
    co_await test::settle();
  });
}

/// Python's asyncio as the client of a protocol.
TEST_P(RealTransports, A11_python_as_peer) {
  run([]() -> Coro<> {
    Server server = co_await echo_server();
    std::string program =
        "import asyncio\n"
        "async def main():\n"
        "    r, w = await asyncio.open_connection('127.0.0.1', " +
        std::to_string(server.sockets().at(0).port()) +
        ")\n"
        "    data = bytes(range(256)) * 4096\n"
        "    w.write(data); w.write_eof()\n"
        "    print(await r.read() == data)\n"
        "asyncio.run(main())\n";
    Process python =
        co_await create_subprocess_exec(SubprocessOptions().stdout(PIPE), "python3", "-c", program);
    auto [out, err] = co_await python.communicate();
    EXPECT_EQ(out, "True\n");
    server.close();
    co_await server.wait_closed();
  });
}

/// Echo over TLS, with a plain and a buffered protocol.
template <class P>
Coro<> echo_over_tls() {
  EventLoop loop = get_running_loop();
  Server server = co_await loop.create_server(&made<EchoProtocol>, "127.0.0.1", 0,
                                              ServerOptions().ssl(test::pki().server()));
  auto [transport, client] = co_await loop.create_connection(
      &made<P>, "127.0.0.1", server.sockets().at(0).port(),
      ConnectOptions().ssl(test::pki().client()).server_hostname("localhost"));
  EXPECT_FALSE(transport->can_write_eof());
  std::string input = pattern(500'000);
  transport->write(input);
  while (client->received.size() < input.size()) {
    if (client->received.size() < 100'000) {  // a pause and its end lose nothing
      transport->pause_reading();
      transport->resume_reading();
    }
    client->arrived.clear();
    co_await client->arrived.wait();
  }
  EXPECT_TRUE(client->received == input);
  transport->close();
  co_await client->lost.wait();
  EXPECT_EQ(client->events.back(), "lost no exception");
  server.close();
  server.close_clients();
  co_await server.wait_closed();
}

TEST_P(RealTransports, A9_5_over_TLS) { run(echo_over_tls<Client>); }
TEST_P(RealTransports, A9_5_buffered_over_TLS) { run(echo_over_tls<Buffered>); }

/// Notes the calls of a process.
class ProcessNotes : public SubprocessProtocol {
 public:
  void connection_made(std::shared_ptr<SubprocessTransport>) override { events.push_back("made"); }
  void pipe_data_received(int fd, std::string data) override { (fd == 1 ? out : err) += data; }
  void pipe_connection_lost(int fd, std::exception_ptr error) override {
    events.push_back("pipe " + std::to_string(fd) + " " + describe_exception(error));
  }
  void process_exited() override { events.push_back("exited"); }
  void connection_lost(std::exception_ptr error) override {
    events.push_back("lost " + describe_exception(error));
    lost.set();
  }

  std::vector<std::string> events;
  std::string out, err;
  Event lost;
};

TEST_P(RealTransports, A9_15_processes_with_protocols) {
  run([]() -> Coro<> {
    EventLoop loop = get_running_loop();
    SubprocessOptions piped;
    piped.stdin(PIPE).stdout(PIPE).stderr(PIPE);
    auto [process, notes] = co_await loop.subprocess_exec(&made<ProcessNotes>, piped, "sh", "-c",
                                                          "cat; echo e >&2; exit 5");
    EXPECT_GT(process->get_pid(), 0);
    EXPECT_EQ(process->get_returncode(), std::nullopt);
    EXPECT_EQ(notes->events, std::vector<std::string>(1, "made"));
    std::string input = pattern(300'000);
    process->get_pipe_transport(0)->write(input);
    process->get_pipe_transport(0)->write_eof();
    co_await notes->lost.wait();
    EXPECT_TRUE(notes->out == input);
    EXPECT_EQ(notes->err, "e\n");
    EXPECT_EQ(process->get_returncode(), 5);
    std::sort(notes->events.begin(), notes->events.end());
    EXPECT_EQ(notes->events, (std::vector<std::string>{"exited", "lost no exception", "made",
                                                       "pipe 0 no exception", "pipe 1 no exception",
                                                       "pipe 2 no exception"}));
    auto [shell, none] =
        co_await loop.subprocess_shell(&made<ProcessNotes>, SubprocessOptions(), "exec sleep 60");
    EXPECT_EQ(shell->get_pipe_transport(1), nullptr);
    shell->close();  // kills
    co_await none->lost.wait();
    EXPECT_EQ(none->events, (std::vector<std::string>{"made", "exited", "lost no exception"}));
    EXPECT_EQ(shell->get_returncode(), -SIGKILL);
  });
}

TEST_P(RealTransports, fault114_loop_closes_with_a_process_of_a_protocol) {
  test::LogCapture logged;
  EventLoop loop = test::factory_of(GetParam())();
  auto notes = made<ProcessNotes>();
  SubprocessOptions piped;
  piped.stdin(PIPE).stdout(PIPE);
  auto begin = [&]() -> Coro<> {
    co_await loop.subprocess_exec([&] { return notes; }, piped, "sleep", "60");
  };
  loop.run_until_complete(begin());
  loop.close();
  EXPECT_EQ(logged.count("it is killed"), 1);
  EXPECT_EQ(notes.use_count(), 1);
}

INSTANTIATE_TEST_SUITE_P(Backends, RealTransports, test::real_backends, test::backend_name);

}  // namespace

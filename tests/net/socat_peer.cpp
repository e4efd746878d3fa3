// SPDX-License-Identifier: BSL-1.0
// socat as a peer: it stands between us and us, and turns one kind of stream into another.
#include "asyncio/asyncio.hpp"
#include "backends.hpp"
#include "connected.hpp"
#include "peers.hpp"
#include "program_output.hpp"
#include "protocols.hpp"
#include "tls.hpp"

#include <gtest/gtest.h>

#include <fcntl.h>
#include <string>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>
#include <vector>

namespace {

using namespace asyncio;
using namespace std::chrono_literals;
using test::pattern;
using test::pki;
using test::Program;

class SocatTest : public test::BackendTest {
 public:
  void SetUp() override {
    BackendTest::SetUp();
    if (!IsSkipped()) test::lacks_program("socat");
  }
};
INSTANTIATE_TEST_SUITE_P(Backends, SocatTest, test::real_backends, test::backend_name);

/// One connection after another is echoed; the end of one direction is the end of the other.
Coro<> echo(StreamReader reader, StreamWriter writer) {
  while (true) {
    std::string data = co_await reader.read(64 * 1024);
    if (data.empty()) break;
    co_await writer.send(std::move(data));
  }
  writer.close();
}

Program socat(const std::string& from, const std::string& to) {
  return Program({"socat", "-d", "-d", "-t", "5", from, to});
}

/// The port that socat has chosen.
Coro<std::uint16_t> listening(const Program& program) {
  return test::port_of(program, "listening on AF=2 127.0.0.1:([0-9]+)");
}

std::string to_port(const Server& server) {
  return "127.0.0.1:" + std::to_string(server.sockets().at(0).port());
}

/// Sends a megabyte and the end, and reads the same; over TLS, where the end is of both directions,
/// without the end.
Coro<> expect_echo(Streams streams) {
  auto [reader, writer] = streams;
  std::string data = pattern(1 << 20);
  auto send = [&]() -> Coro<> {
    co_await writer.send(data);
    if (writer.can_write_eof()) writer.write_eof();
  };
  Task<> sending = create_task(send());
  std::string back = co_await reader.readexactly(data.size());
  co_await sending;
  EXPECT_TRUE(back == data);
  if (writer.can_write_eof()) {
    back = co_await reader.read();
    EXPECT_EQ(back, "");
  }
  writer.close();
  co_await writer.wait_closed();
}

Coro<> end(Server server) {
  server.close();
  server.abort_clients();
  co_await server.wait_closed();
}

TEST_P(SocatTest, issue3_TCP_relay) {
  run([]() -> Coro<> {
    Server server = co_await start_server(echo, "127.0.0.1", 0);
    Program relay = socat("TCP-LISTEN:0,bind=127.0.0.1", "TCP:" + to_port(server));
    std::uint16_t port = co_await listening(relay);
    Streams streams = co_await open_connection("127.0.0.1", port);
    co_await expect_echo(streams);
    co_await end(server);
  });
}

TEST_P(SocatTest, issue3_Unix_relay_in_both_directions) {
  run([]() -> Coro<> {
    test::Folder folder;
    std::string ours = folder.file("ours"), theirs = folder.file("theirs");
    Server server = co_await start_unix_server(echo, ours);
    {
      Program relay = socat("UNIX-LISTEN:" + theirs, "UNIX-CONNECT:" + ours);
      co_await test::output_until(relay, "listening on");
      Streams streams = co_await open_unix_connection(theirs);
      co_await expect_echo(streams);
    }
    Program relay = socat("TCP-LISTEN:0,bind=127.0.0.1", "UNIX-CONNECT:" + ours);
    std::uint16_t port = co_await listening(relay);
    Streams streams = co_await open_connection("127.0.0.1", port);
    co_await expect_echo(streams);
    co_await end(server);
  });
}

TEST_P(SocatTest, issue3_TLS_with_socat_as_server) {
  run([]() -> Coro<> {
    Server server = co_await start_server(echo, "127.0.0.1", 0);
    Program relay =
        socat("OPENSSL-LISTEN:0,bind=127.0.0.1,verify=0,cert=" + pki().localhost.certfile +
                  ",key=" + pki().localhost.keyfile,
              "TCP:" + to_port(server));
    std::uint16_t port = co_await listening(relay);
    Streams streams = co_await open_connection(
        "127.0.0.1", port, ConnectOptions().ssl(pki().client()).server_hostname("localhost"));
    co_await expect_echo(streams);
    co_await end(server);
  });
}

TEST_P(SocatTest, issue3_TLS_with_socat_as_client) {
  run([]() -> Coro<> {
    Server server =
        co_await start_server(echo, "127.0.0.1", 0, ServerOptions().ssl(pki().server()));
    Program relay = socat(
        "TCP-LISTEN:0,bind=127.0.0.1",
        "OPENSSL:" + to_port(server) + ",cafile=" + pki().root.certfile + ",commonname=localhost");
    std::uint16_t port = co_await listening(relay);
    auto [reader, writer] = co_await open_connection("127.0.0.1", port);
    std::string data = pattern(1 << 20);
    Task<> sending = create_task([&]() -> Coro<> { co_await writer.send(data); });
    std::string back = co_await reader.readexactly(data.size());
    co_await sending;
    EXPECT_TRUE(back == data);
    writer.close();
    co_await writer.wait_closed();
    co_await end(server);
  });
}

/// A child with pipes as its standard streams.
TEST_P(SocatTest, issue3_pipes_of_a_child) {
  run([]() -> Coro<> {
    Server server = co_await start_server(echo, "127.0.0.1", 0);
    Process relay =
        co_await create_subprocess_exec(SubprocessOptions().stdin(PIPE).stdout(PIPE), "socat", "-t",
                                        "5", "STDIO", "TCP:" + to_port(server));
    std::string data = pattern(1 << 20);
    auto [out, err] = co_await relay.communicate(data);
    EXPECT_TRUE(out == data);
    EXPECT_EQ(relay.returncode(), 0);
    co_await end(server);
  });
}

/// Named pipes, with streams of ours at both of their other ends.
TEST_P(SocatTest, issue3_named_pipes) {
  run([]() -> Coro<> {
    test::Folder folder;
    std::string there = folder.file("there"), back = folder.file("back");
    EXPECT_EQ(::mkfifo(there.c_str(), 0600), 0);
    EXPECT_EQ(::mkfifo(back.c_str(), 0600), 0);
    Program relay(
        {"socat", "-d", "-d", "-u", "OPEN:" + there + ",rdonly", "OPEN:" + back + ",wronly"});
    int reading = ::open(back.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    int writing = -1;  // there is nobody to read before socat has opened it
    for (int i = 0; i < 2000 && writing < 0; ++i) {
      writing = ::open(there.c_str(), O_WRONLY | O_NONBLOCK | O_CLOEXEC);
      if (writing < 0) co_await asyncio::sleep(5ms);
    }
    co_await test::output_until(relay, "starting data transfer");
    StreamReader reader = co_await connect_read_pipe(reading);
    StreamWriter writer = co_await connect_write_pipe(writing);
    std::string data = pattern(300'000);
    Task<> sending = create_task([&]() -> Coro<> {
      co_await writer.send(data);
      writer.close();
    });
    std::string got = co_await reader.readexactly(data.size());
    co_await sending;
    EXPECT_TRUE(got == data);
    got = co_await reader.read();
    EXPECT_EQ(got, "");
  });
}

/// A pseudo terminal, whose other end socat has made an echo of.
TEST_P(SocatTest, issue3_terminal) {
  run([]() -> Coro<> {
    test::Folder folder;
    std::string name = folder.file("terminal");
    Program relay = socat("PTY,raw,echo=0,link=" + name, "EXEC:cat");
    co_await test::output_until(relay, "starting data transfer");
    EventLoop loop = get_running_loop();
    int fd = ::open(name.c_str(), O_RDWR | O_NOCTTY | O_CLOEXEC);
    int other = ::open(name.c_str(), O_RDWR | O_NOCTTY | O_CLOEXEC);
    auto [from, reading] = co_await loop.connect_read_pipe(&test::made<test::Client>, fd);
    auto [to, writing] = co_await loop.connect_write_pipe(&test::made<test::Client>, other);
    for (int i = 0; i < 20; ++i) {
      std::string line = "line " + std::to_string(i) + "\n";
      to->write(line);
      std::string got = co_await reading->bytes(line.size());
      EXPECT_EQ(got, line);
      reading->received.clear();
    }
    to->close();
    from->close();
    co_await reading->lost.wait();
    co_await writing->lost.wait();
  });
}

}  // namespace

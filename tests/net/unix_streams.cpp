// SPDX-License-Identifier: BSL-1.0
/// A3.3: streams over Unix sockets; and A3.2, servers on a socket that somebody else made.
#include "asyncio/streams.hpp"
#include "backends.hpp"
#include "captures.hpp"
#include "folder.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <netinet/in.h>
#include <string>
#include <sys/socket.h>
#include <unistd.h>

using namespace asyncio;
using test::thrown;

namespace {

/// With a folder for the sockets' files.
class UnixStreams : public test::BackendTest {
 protected:
  std::string path(const std::string& name = "socket") const { return folder_.file(name); }

 private:
  test::Folder folder_;
};

/// What has to do with files, which the simulated network has none of.
class UnixFiles : public UnixStreams {};

Coro<> echo(StreamReader reader, StreamWriter writer) {
  while (auto line = co_await reader.next()) co_await writer.send(*line);
}

Coro<std::string> ask(std::string path, std::string question) {
  auto [reader, writer] = co_await open_unix_connection(path);
  EXPECT_EQ(writer.peername().path(), path);
  co_await writer.send(question + "\n");
  std::string answer = co_await reader.readline();
  writer.close();
  co_await writer.wait_closed();
  co_return answer;
}

Coro<> serve_and_ask(std::string path) {
  Server server = co_await start_unix_server(echo, path);
  EXPECT_EQ(server.sockets().at(0).path(), path);
  std::string answer = co_await ask(path, "hello");
  EXPECT_EQ(answer, "hello\n");
  server.close();
  co_await server.wait_closed();
}

TEST_P(UnixStreams, A3_3_echo) {
  run(serve_and_ask, path());
  EXPECT_FALSE(std::filesystem::exists(path()));
}

TEST_P(UnixStreams, A3_3_abstract_name) {
  std::string name = '\0' + path();
  run(serve_and_ask, name);
  EXPECT_EQ(SocketAddress::local(name).str(), "@" + path());
}

TEST_P(UnixStreams, fault72_path_too_long_empty_or_with_a_zero_byte) {
  auto connect = [this](const std::string& to) {
    return thrown([&] { run(open_unix_connection, to, ConnectOptions()); });
  };
  std::string longest(107, 'x');
  EXPECT_EQ(SocketAddress::local(longest).path(), longest);
  EXPECT_EQ(connect(longest + "x"), "asyncio::OSError: Unix socket " + longest +
                                        "x (108 bytes, at most 107): File name too long");
  EXPECT_EQ(connect(""), "asyncio::ValueError: the path of a Unix socket is empty");
  EXPECT_EQ(connect(std::string("a\0b", 3)),
            "asyncio::ValueError: the path of a Unix socket has a zero byte inside");
}

TEST_P(UnixStreams, R10_nobody_there) {
  std::string text = thrown([&] { run(open_unix_connection, path(), ConnectOptions()); });
  EXPECT_NE(text.find("connect " + path() + ": No such file or directory"), std::string::npos)
      << text;
}

TEST_P(UnixStreams, fault74_name_in_use) {
  auto serve_twice = [](std::string name) -> Coro<> {
    Server server = co_await start_unix_server(echo, name);
    Result<Server> second = co_await capture(start_unix_server(echo, name));
    EXPECT_EQ(describe_exception(second.exception()),
              "asyncio::OSError: bind @" + name.substr(1) + ": Address already in use");
    server.close();
    co_await server.wait_closed();
  };
  run(serve_twice, '\0' + path());
}

TEST_P(UnixFiles, fault72_file_of_a_server_that_died_is_replaced) {
  auto serve = [](std::string to) -> Coro<> {
    Server leftover = co_await start_unix_server(echo, to, ServerOptions().cleanup_socket(false));
    leftover.close();
    co_await leftover.wait_closed();
    EXPECT_TRUE(std::filesystem::is_socket(to));
    co_await serve_and_ask(to);
    EXPECT_FALSE(std::filesystem::exists(to));
  };
  run(serve, path());
}

TEST_P(UnixFiles, A3_3_a_file_that_is_no_socket_stays) {
  std::ofstream(path()) << "precious";
  std::string error = thrown([&] { run(serve_and_ask, path()); });
  EXPECT_EQ(error, "asyncio::OSError: bind " + path() + ": Address already in use");
  EXPECT_EQ(std::filesystem::file_size(path()), 8u);
}

TEST_P(UnixFiles, A3_3_the_file_of_a_successor_is_not_removed) {
  auto serve = [](std::string to) -> Coro<> {
    Server first = co_await start_unix_server(echo, to);
    Server second = co_await start_unix_server(echo, to);  // takes the file's place
    first.close();
    co_await first.wait_closed();
    std::string answer = co_await ask(to, "still there");
    EXPECT_EQ(answer, "still there\n");
    second.close();
    co_await second.wait_closed();
  };
  run(serve, path());
}

TEST_P(UnixFiles, A3_2_server_on_a_socket_that_somebody_else_made) {
  auto serve = []() -> Coro<> {
    int listener = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in any{};
    any.sin_family = AF_INET;
    any.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(::bind(listener, reinterpret_cast<const sockaddr*>(&any), sizeof any), 0);
    Server server = co_await start_server(echo, listener);
    auto [reader, writer] = co_await open_connection("127.0.0.1", server.sockets().at(0).port());
    co_await writer.send("hello\n");
    std::string answer = co_await reader.readline();
    EXPECT_EQ(answer, "hello\n");
    writer.close();
    server.close();
    co_await server.wait_closed();
  };
  run(serve);
}

TEST_P(UnixFiles, A3_2_descriptor_that_is_no_stream_socket_is_refused_and_stays_open) {
  auto serve = []() -> Coro<> {
    int datagrams = ::socket(AF_INET, SOCK_DGRAM, 0);
    Result<Server> server = co_await capture(start_server(echo, datagrams));
    EXPECT_EQ(describe_exception(server.exception()),
              "asyncio::ValueError: A Stream Socket was expected, got descriptor " +
                  std::to_string(datagrams));
    EXPECT_EQ(::close(datagrams), 0);
  };
  run(serve);
}

INSTANTIATE_TEST_SUITE_P(Backends, UnixStreams, test::all_backends, test::backend_name);
INSTANTIATE_TEST_SUITE_P(Backends, UnixFiles, ::testing::Values("epoll"), test::backend_name);

}  // namespace

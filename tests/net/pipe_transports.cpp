// SPDX-License-Identifier: BSL-1.0
/// A9.10: pipes, devices and terminals, with protocols and with streams.
#include "asyncio/asyncio.hpp"
#include "backends.hpp"
#include "captures.hpp"
#include "connected.hpp"
#include "protocols.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fcntl.h>
#include <string>
#include <unistd.h>
#include <vector>

using namespace asyncio;
using test::Client;
using test::error_of;
using test::made;
using test::pattern;

namespace {

class Pipes : public test::BackendTest {};
INSTANTIATE_TEST_SUITE_P(Backends, Pipes, test::real_backends, test::backend_name);

TEST_P(Pipes, A9_10_pipes_with_protocols) {
  run([]() -> Coro<> {
    EventLoop loop = get_running_loop();
    int ends[2];
    EXPECT_EQ(::pipe2(ends, O_CLOEXEC), 0);
    auto [from, reader] = co_await loop.connect_read_pipe(&made<Client>, ends[0]);
    auto [to, writer] = co_await loop.connect_write_pipe(&made<Client>, ends[1]);
    std::string input = pattern(1 << 20);
    to->write(input);
    EXPECT_EQ(writer->events.back(), "pause");
    std::string got = co_await reader->bytes(input.size());
    EXPECT_TRUE(got == input);
    to->write_eof();  // closes a pipe
    co_await reader->lost.wait();
    EXPECT_EQ(reader->events, (std::vector<std::string>{"made", "eof", "lost no exception"}));
    co_await writer->lost.wait();
    // A reader that goes closes the writer.
    EXPECT_EQ(::pipe2(ends, O_CLOEXEC), 0);
    auto [lonely, end] = co_await loop.connect_write_pipe(&made<Client>, ends[1]);
    ::close(ends[0]);
    co_await end->lost.wait();
    EXPECT_EQ(end->events, (std::vector<std::string>{"made", "lost no exception"}));
  });
}

TEST_P(Pipes, A9_10_pipes_with_streams) {
  run([]() -> Coro<> {
    int ends[2];
    EXPECT_EQ(::pipe2(ends, O_CLOEXEC), 0);
    StreamReader reader = co_await connect_read_pipe(ends[0]);
    StreamWriter writer = co_await connect_write_pipe(ends[1]);
    std::string input = pattern(300'000);
    Task<std::string> reading = create_task(test::read(reader, -1));
    co_await writer.send(input);
    std::vector<std::string> lines(3, "line\n");
    writer.writelines(lines);
    writer.close();
    co_await writer.wait_closed();
    std::string got = co_await reading;
    EXPECT_TRUE(got == input + "line\nline\nline\n");
    EXPECT_TRUE(reader.at_eof());
  });
}

TEST_P(Pipes, fault73_what_is_no_pipe) {
  run([]() -> Coro<> {
    int file = ::open("/etc/passwd", O_RDONLY | O_CLOEXEC);
    std::string error = co_await error_of(connect_read_pipe(file));
    EXPECT_EQ(error, "asyncio::ValueError: Pipe transport is for pipes/sockets only.");
    error = co_await error_of(connect_write_pipe(file));
    EXPECT_EQ(error,
              "asyncio::ValueError: Pipe transport is only for pipes, sockets and character "
              "devices");
    ::close(file);
    error = co_await error_of(connect_read_pipe(9999));
    EXPECT_EQ(error, "asyncio::OSError: descriptor 9999: Bad file descriptor");
    StreamReader null = co_await connect_read_pipe(::open("/dev/null", O_RDONLY | O_CLOEXEC));
    std::string nothing = co_await null.read();
    EXPECT_EQ(nothing, "");
    StreamReader zero = co_await connect_read_pipe(::open("/dev/zero", O_RDONLY | O_CLOEXEC));
    std::string zeros = co_await zero.readexactly(5);
    EXPECT_EQ(zeros, std::string(5, '\0'));
    StreamWriter full = co_await connect_write_pipe(::open("/dev/full", O_WRONLY | O_CLOEXEC));
    full.write("x");
    error = co_await error_of(test::drain(full));
    EXPECT_NE(error.find("No space left on device"), std::string::npos) << error;
  });
}

TEST_P(Pipes, A9_10_terminal) {
  run([]() -> Coro<> {
    int master = ::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
    EXPECT_EQ(::grantpt(master), 0);
    EXPECT_EQ(::unlockpt(master), 0);
    char name[64];
    EXPECT_EQ(::ptsname_r(master, name, sizeof name), 0);
    StreamReader typed = co_await connect_read_pipe(::open(name, O_RDWR | O_NOCTTY | O_CLOEXEC));
    EXPECT_EQ(::write(master, "hello\n", 6), 6);
    std::string line = co_await typed.readline();
    EXPECT_EQ(line, "hello\n");
    StreamWriter screen = co_await connect_write_pipe(::open(name, O_RDWR | O_NOCTTY | O_CLOEXEC));
    co_await screen.send("shown");
    // The echo of what was typed may come alone.
    std::string shown;
    ssize_t got = 1;
    while (got > 0 && shown.find("shown") == std::string::npos) {
      char bytes[100];
      got = ::read(master, bytes, sizeof bytes);
      if (got > 0) shown.append(bytes, static_cast<std::size_t>(got));
    }
    EXPECT_GT(got, 0) << shown;
    ::close(master);
  });
}

}  // namespace

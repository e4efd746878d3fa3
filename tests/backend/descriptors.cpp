// SPDX-License-Identifier: BSL-1.0
// What only backends on real descriptors have to deal with.
#include "asyncio/capture.hpp"
#include "asyncio/sleep.hpp"
#include "asyncio/streams.hpp"
#include "asyncio/task.hpp"
#include "asyncio/timeout.hpp"
#include "backends.hpp"
#include "captures.hpp"
#include "connected.hpp"
#include "heap.hpp"
#include "probe.hpp"

#include <gtest/gtest.h>

#include <cerrno>
#include <cstddef>
#include <cstring>
#include <fcntl.h>
#include <fstream>
#include <net/if.h>
#include <sched.h>
#include <string>
#include <string_view>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <thread>
#include <unistd.h>
#include <utility>
#include <vector>

namespace {

using namespace asyncio;
using namespace std::chrono_literals;
using detail::Opcode;
using test::backend;
using test::Probe;
using test::turns;

class DescriptorsTest : public test::BackendTest {};
INSTANTIATE_TEST_SUITE_P(Backends, DescriptorsTest, test::real_backends, test::backend_name);

/// Sends three bytes and a descriptor that nobody asked for.
void send_descriptors(int to, const char* text, const std::vector<int>& passed) {
  iovec part{const_cast<char*>(text), 3};
  std::size_t size = passed.size() * sizeof(int);
  std::vector<std::max_align_t> control(CMSG_SPACE(size) / sizeof(std::max_align_t) + 1);
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control.data();
  message.msg_controllen = CMSG_SPACE(size);
  cmsghdr* header = CMSG_FIRSTHDR(&message);
  header->cmsg_level = SOL_SOCKET;
  header->cmsg_type = SCM_RIGHTS;
  header->cmsg_len = CMSG_LEN(size);
  std::memcpy(CMSG_DATA(header), passed.data(), size);
  EXPECT_EQ(::sendmsg(to, &message, 0), 3);
}

void send_with_descriptor(int fd, const char* text) { send_descriptors(fd, text, {fd}); }

TEST_P(DescriptorsTest, pipes_are_read_and_written) {
  run([]() -> Coro<> {
    int ends[2];
    EXPECT_EQ(::pipe2(ends, O_CLOEXEC), 0);
    EXPECT_EQ(backend().adopt(ends[0]), 0);
    EXPECT_EQ(backend().adopt(ends[1]), 0);
    std::string room(10, ' '), text = "text";
    Probe read(Opcode::read, ends[0], room);
    Probe write(Opcode::write, ends[1], text);
    EXPECT_FALSE(backend().start(read));
    EXPECT_TRUE(backend().start(write));
    co_await turns(3);
    EXPECT_EQ(read.result, 4);
    EXPECT_EQ(room.substr(0, 4), "text");
    EXPECT_FALSE(backend().start(read));
    backend().close_fd(ends[1]);
    co_await turns(3);
    EXPECT_EQ(read.result, 0);
    EXPECT_EQ(read.ends, 2);
    backend().close_fd(ends[0]);
  });
}

TEST_P(DescriptorsTest, fault73_files_are_refused_precisely) {
  run([]() -> Coro<> {
    int file = ::open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    std::string room(10, ' ');
    if (!backend().supports(Opcode::openat)) {
      Probe at(Opcode::read, file, room);
      at.offset = 0;
      EXPECT_TRUE(backend().start(at));
      EXPECT_EQ(at.result, -EOPNOTSUPP);
    }
    Probe recv(Opcode::recv, file, room);
    EXPECT_TRUE(backend().start(recv));
    EXPECT_EQ(recv.result, -ENOTSOCK);
    backend().close_fd(file);
    co_return;
  });
}

/// The backlog of a Unix socket is full: connect(2) gives EAGAIN and does not go on by itself.
TEST_P(DescriptorsTest, R1_unix_connection_that_finds_no_room) {
  run([]() -> Coro<> {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    int listener = backend().socket(AF_UNIX, SOCK_STREAM, 0);
    auto* raw = reinterpret_cast<sockaddr*>(&address);
    std::uint32_t size = sizeof(sa_family_t);  // the system finds a name
    EXPECT_EQ(backend().bind(listener, raw, size), 0);
    EXPECT_EQ(backend().listen(listener, 0), 0);
    size = sizeof address;
    EXPECT_EQ(backend().getsockname(listener, raw, size), 0);
    std::vector<int> ends;
    std::int64_t result = 0;
    while (result == 0 && ends.size() < 10) {
      ends.push_back(backend().socket(AF_UNIX, SOCK_STREAM, 0));
      Probe connect(Opcode::connect, ends.back());
      connect.address = raw;
      connect.address_size = size;
      EXPECT_TRUE(backend().start(connect));
      result = connect.result;
    }
    EXPECT_EQ(result, -EAGAIN);
    EXPECT_GT(ends.size(), 1u);
    for (int fd : ends) backend().close_fd(fd);
    backend().close_fd(listener);
    co_return;
  });
}

/// R5: events of a closed descriptor never reach the next one with its number, even if a copy keeps
/// the old one alive.
TEST_P(DescriptorsTest, R5_number_is_reused_while_a_copy_lives) {
  run([]() -> Coro<> {
    int old_pair[2], new_pair[2];
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, old_pair), 0);
    std::string room(10, ' ');
    Probe first(Opcode::recv, old_pair[0], room);
    EXPECT_FALSE(backend().start(first));
    int copy = ::dup(old_pair[0]);
    backend().close_fd(old_pair[0]);
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, new_pair), 0);
    EXPECT_EQ(new_pair[0], old_pair[0]);
    Probe second(Opcode::poll_readable, new_pair[0]);
    second.stream = true;
    EXPECT_TRUE(backend().start(second));  // not known yet
    std::string none(10, ' ');
    Probe recv(Opcode::recv, new_pair[0], none);
    recv.stream = true;
    EXPECT_EQ(backend().attempt(recv), -EAGAIN);
    EXPECT_FALSE(backend().start(second));
    EXPECT_EQ(::write(old_pair[1], "old", 3), 3);
    co_await turns(5);
    EXPECT_EQ(first.result, -ECANCELED);
    EXPECT_EQ(second.ends, 0);
    EXPECT_EQ(::write(new_pair[1], "new", 3), 3);
    co_await turns(5);
    EXPECT_EQ(second.ends, 1);
    ::close(copy);
    ::close(old_pair[1]);
    backend().close_fd(new_pair[0]);
    ::close(new_pair[1]);
  });
}

/// Somebody closed a descriptor behind our back, and its number came back to us.
TEST_P(DescriptorsTest, fault57_adopting_a_number_voids_what_was_known) {
  run([]() -> Coro<> {
    int old_pair[2], new_pair[2];
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, old_pair), 0);
    std::string room(10, ' ');
    Probe lost(Opcode::recv, old_pair[0], room);
    EXPECT_FALSE(backend().start(lost));
    ::close(old_pair[0]);
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM, 0, new_pair), 0);
    EXPECT_EQ(new_pair[0], old_pair[0]);
    EXPECT_EQ(backend().adopt(new_pair[0]), 0);
    co_await turns(3);
    EXPECT_EQ(lost.result, -EBADF);
    EXPECT_EQ(lost.ends, 1);
    Probe recv(Opcode::recv, new_pair[0], room);
    EXPECT_FALSE(backend().start(recv));
    EXPECT_EQ(::write(new_pair[1], "new", 3), 3);
    co_await turns(5);
    EXPECT_EQ(recv.result, 3);
    ::close(old_pair[1]);
    backend().close_fd(new_pair[0]);
    ::close(new_pair[1]);
  });
}

TEST_P(DescriptorsTest, R17_descriptors_are_non_blocking_and_not_inherited) {
  run([]() -> Coro<> {
    int fd = backend().socket(AF_INET, SOCK_STREAM, 0);
    EXPECT_EQ(::fcntl(fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
    EXPECT_EQ(::fcntl(fd, F_GETFL) & O_NONBLOCK, O_NONBLOCK);
    backend().close_fd(fd);
    int accepted = -1;
    auto handler = [&](StreamReader, StreamWriter writer) {
      accepted = writer.fileno();
      EXPECT_EQ(::fcntl(accepted, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
      EXPECT_EQ(::fcntl(accepted, F_GETFL) & O_NONBLOCK, O_NONBLOCK);
    };
    Server server = co_await start_server(handler, "127.0.0.1", 0);
    Streams streams = co_await open_connection("127.0.0.1", server.sockets().at(0).port());
    std::string end = co_await streams.first.read();
    EXPECT_GE(accepted, 0);
    streams.second.close();
    server.close();
    co_await server.wait_closed();
  });
}

/// A short read usually means that there is no more; urgent data is the exception.
TEST_P(DescriptorsTest, R2_urgent_data_hides_nothing) {
  run([]() -> Coro<> {
    std::string got;
    auto handler = [&](StreamReader reader, StreamWriter) -> Coro<> {
      while (!reader.at_eof()) got += co_await reader.read(100000);
    };
    Server server = co_await start_server(handler, "127.0.0.1", 0);
    Streams streams = co_await open_connection("127.0.0.1", server.sockets().at(0).port());
    int fd = streams.second.fileno();
    for (int i = 0; i < 500; ++i) {
      EXPECT_EQ(::send(fd, "abc", 3, 0), 3);
      EXPECT_EQ(::send(fd, "!", 1, MSG_OOB), 1);
      EXPECT_EQ(::send(fd, "def", 3, 0), 3);
      if (i % 3 == 0) co_await sleep(0s);
      if (i % 50 == 0) co_await turns(5);
    }
    for (int i = 0; i < 1000 && got.size() < 3000; ++i) co_await sleep(1ms);
    EXPECT_GE(got.size(), 3000u);
    streams.second.close();
    server.close();
    co_await server.wait_closed();
  });
}

/// A read of a Unix socket stops where a descriptor was passed. There may be more behind.
TEST_P(DescriptorsTest, fault72_passed_descriptors_hide_nothing) {
  run([]() -> Coro<> {
    int pair[2];
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    auto [reader, writer] = co_await open_connection(pair[0]);
    auto reading = create_task(test::read_exactly, reader, 9);
    co_await turns(3);
    send_with_descriptor(pair[1], "abc");
    send_with_descriptor(pair[1], "def");
    EXPECT_EQ(::send(pair[1], "ghi", 3, 0), 3);
    std::string got = co_await wait_for(reading, 5s);
    EXPECT_EQ(got, "abcdefghi");
    ::close(pair[1]);
  });
}

/// A process that sends more descriptors than anybody asked for, 300 in messages of 150: they are
/// closed as they are read, or with the connection, and none stays with us.
TEST_P(DescriptorsTest, R5_fault72_three_hundred_descriptors_that_nobody_takes) {
  run([]() -> Coro<> {
    for (bool read : {true, false}) {
      int pair[2], pipe[2];
      EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
      EXPECT_EQ(::pipe2(pipe, O_CLOEXEC | O_NONBLOCK), 0);
      auto [reader, writer] = co_await open_connection(pair[0]);
      std::ptrdiff_t before = test::open_descriptors();
      for (int message = 0; message < 2; ++message)
        send_descriptors(pair[1], "abc", std::vector<int>(150, pipe[1]));
      ::close(pipe[1]);
      if (read) {
        std::string got = co_await wait_for(reader.readexactly(6), 5s);
        EXPECT_EQ(got, "abcabc");
      } else {
        writer.close();
        co_await writer.wait_closed();
      }
      EXPECT_EQ(test::open_descriptors(), before - (read ? 1 : 2));
      char byte = 0;
      EXPECT_EQ(::read(pipe[0], &byte, 1), 0) << "somebody has a copy of the other end";
      writer.close();
      co_await writer.wait_closed();
      ::close(pipe[0]);
      ::close(pair[1]);
    }
  });
}

/// The end of a stream may come with its last bytes or after them.
TEST_P(DescriptorsTest, R2_end_right_after_the_last_bytes) {
  run([]() -> Coro<> {
    for (int i = 0; i < 200; ++i) {
      int pair[2];
      EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
      auto [reader, writer] = co_await open_connection(pair[0]);
      auto reading = create_task([from = reader]() -> Coro<std::string> {
        std::string all;
        while (true) {
          std::string some = co_await from.read(100);
          if (some.empty()) co_return all;
          all += some;
        }
      });
      if (i % 2) co_await sleep(0s);
      EXPECT_EQ(::write(pair[1], "last", 4), 4);
      if (i % 3 == 0) co_await sleep(0s);
      if (i % 5 == 0) co_await sleep(0s);
      ::close(pair[1]);
      std::string all = co_await reading;
      EXPECT_EQ(all, "last");
      writer.close();
      co_await writer.wait_closed();
    }
  });
}

/// More than any process may have open.
constexpr int kHugeNumber = 1'000'000'000;

TEST_P(DescriptorsTest, fault73_a_number_that_is_no_descriptor_is_refused_and_not_remembered) {
  auto main = []() -> Coro<> {
    EventLoop loop = get_running_loop();
    std::size_t before = test::heap_bytes();
    EXPECT_EQ(test::thrown([&] { loop.add_reader(kHugeNumber, [] {}); }),
              "asyncio::OSError: add_reader of descriptor 1000000000: Bad file descriptor");
    EXPECT_EQ(test::thrown([&] { loop.add_writer(kHugeNumber, [] {}); }),
              "asyncio::OSError: add_writer of descriptor 1000000000: Bad file descriptor");
    EXPECT_FALSE(loop.remove_reader(kHugeNumber));
    Result<std::string> received = co_await capture(loop.sock_recv(kHugeNumber, 10));
    EXPECT_EQ(describe_exception(received.exception()),
              "asyncio::OSError: recv of descriptor 1000000000: Bad file descriptor");
    Result<> connected =
        co_await capture(loop.sock_connect(kHugeNumber, SocketAddress::local("/nowhere")));
    EXPECT_EQ(describe_exception(connected.exception()),
              "asyncio::OSError: connect /nowhere: Bad file descriptor");
    Result<> negative = co_await capture(loop.sock_sendall(-1, "text"));
    EXPECT_TRUE(negative.holds<OSError>());
    EXPECT_LT(test::heap_bytes(), before + (1 << 20));  // a slab or two
  };
  run(main);
}

/// A network of the calling thread's own, with ten ports to connect from.
bool in_a_network_with_ten_ports() {
  if (::unshare(CLONE_NEWNET) != 0) return false;
  int fd = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  ifreq loopback{};
  std::strcpy(loopback.ifr_name, "lo");
  loopback.ifr_flags = IFF_UP;
  bool up = ::ioctl(fd, SIOCSIFFLAGS, &loopback) == 0;
  ::close(fd);
  std::ofstream range("/proc/sys/net/ipv4/ip_local_port_range");
  range << "40000 40009" << std::flush;
  return up && range.good();
}

/// All ports are taken: an error with the address, no descriptor left, no waiting; and as soon as
/// one is free again, it is used.
TEST_P(DescriptorsTest, R8_fault60_fault187_ports_are_exhausted) {
  bool possible = false;
  auto main = []() -> Coro<> {
    std::vector<StreamWriter> ours, theirs;
    auto keep = [&](StreamReader, StreamWriter writer) { theirs.push_back(std::move(writer)); };
    Server server = co_await start_server(keep, "127.0.0.1", 50'000);
    std::string error;
    for (int i = 0; i < 20 && error.empty(); ++i) {
      auto opened = co_await capture(open_connection("127.0.0.1", 50'000));
      if (opened)
        ours.push_back(opened->second);
      else
        error = describe_exception(opened.exception());
    }
    EXPECT_EQ(ours.size(), 10u);
    EXPECT_EQ(error, "asyncio::OSError: connect 127.0.0.1:50000: Cannot assign requested address");
    std::ptrdiff_t open = test::open_descriptors();
    for (int i = 0; i < 100; ++i) (void)co_await capture(open_connection("127.0.0.1", 50'000));
    EXPECT_EQ(test::open_descriptors(), open);
    linger at_once{1, 0};  // no port is kept for late segments
    ours.back().socket()->setsockopt(
        SOL_SOCKET, SO_LINGER,
        std::string_view(reinterpret_cast<const char*>(&at_once), sizeof at_once));
    ours.back().abort();
    (void)co_await capture(ours.back().wait_closed());
    auto again = co_await capture(open_connection("127.0.0.1", 50'000));
    EXPECT_TRUE(again.has_value());
    ours.clear();
    theirs.clear();
    server.close();
    server.abort_clients();
    co_await server.wait_closed();
  };
  std::thread([&] {
    possible = in_a_network_with_ten_ports();
    if (possible) asyncio::run(options(), main);
  }).join();
  if (!possible) GTEST_SKIP() << "a network of one's own takes CAP_SYS_ADMIN";
}

}  // namespace

// SPDX-License-Identifier: BSL-1.0
/// A9.7, A9.8: add_reader, add_writer and the sock_... members of the loop, on sockets of the
/// user's.
#include "asyncio/address.hpp"
#include "asyncio/asyncio.hpp"
#include "asyncio/testing/faults.hpp"
#include "captures.hpp"
#include "connected.hpp"
#include "descriptors.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cstring>
#include <fcntl.h>
#include <string>
#include <sys/socket.h>
#include <unistd.h>
#include <utility>
#include <vector>

using namespace asyncio;
using namespace std::chrono_literals;
using test::OwnFd;
using test::thrown;

namespace {

class Pair {
 public:
  explicit Pair(int type = SOCK_STREAM) {
    int fds[2] = {-1, -1};
    EXPECT_EQ(::socketpair(AF_UNIX, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds), 0);
    a.fd = fds[0];
    b.fd = fds[1];
  }
  OwnFd a, b;
};

void write_to(int fd, std::string_view text) {
  EXPECT_EQ(::write(fd, text.data(), text.size()), static_cast<ssize_t>(text.size()));
}

std::string read_from(int fd) {
  char bytes[100];
  ssize_t count = ::read(fd, bytes, sizeof bytes);
  return count < 0 ? "error" : std::string(bytes, static_cast<std::size_t>(count));
}

// --- Callbacks ----------------------------------------------------------------------------------

TEST(Descriptors, A9_7_reader_is_called_each_time_and_not_after_its_removal) {
  asyncio::run([]() -> Coro<> {
    EventLoop loop = get_running_loop();
    Pair pair;
    std::vector<std::string> got;
    Event called;
    loop.add_reader(pair.a.fd, [&] {
      got.push_back(read_from(pair.a.fd));
      called.set();
    });
    for (const char* text : {"one", "two"}) {
      called.clear();
      write_to(pair.b.fd, text);
      co_await called.wait();
    }
    EXPECT_TRUE(loop.remove_reader(pair.a.fd));
    EXPECT_FALSE(loop.remove_reader(pair.a.fd));
    write_to(pair.b.fd, "three");
    for (int i = 0; i < 200; ++i) co_await sleep(0s);  // more than one poll
    EXPECT_EQ(got, (std::vector<std::string>{"one", "two"}));
  });
}

TEST(Descriptors, A9_7_reader_is_called_again_while_there_is_something_left) {
  asyncio::run([]() -> Coro<> {
    EventLoop loop = get_running_loop();
    Pair pair;
    std::string got;
    Future<> end = loop.create_future();
    loop.add_reader(
        pair.a.fd,
        [&](int fd) {
          char one = 0;
          if (::read(fd, &one, 1) == 1)
            got += one;
          else
            end.set_result();
        },
        pair.a.fd);
    write_to(pair.b.fd, "hello");
    pair.b.close();
    co_await end;
    loop.remove_reader(pair.a.fd);
    EXPECT_EQ(got, "hello");
  });
}

TEST(Descriptors, fault18_callback_that_removes_itself_and_one_that_removes_the_other) {
  asyncio::run([]() -> Coro<> {
    EventLoop loop = get_running_loop();
    Pair first, second;
    int calls = 0;
    auto kept = std::make_shared<int>(1);
    loop.add_reader(first.a.fd, [&, kept] {
      ++calls;
      EXPECT_TRUE(loop.remove_reader(first.a.fd));
      loop.remove_reader(second.a.fd);
      EXPECT_EQ(*kept, 1);  // the callback outlives its own removal
    });
    loop.add_reader(second.a.fd, [&] {
      ++calls;
      loop.remove_reader(first.a.fd);
      loop.remove_reader(second.a.fd);
    });
    write_to(first.b.fd, "x");
    write_to(second.b.fd, "x");
    for (int i = 0; i < 200; ++i) co_await sleep(0s);
    EXPECT_EQ(calls, 1);
    EXPECT_EQ(kept.use_count(), 1);
  });
}

TEST(Descriptors, A9_7_writer_and_its_replacement) {
  asyncio::run([]() -> Coro<> {
    EventLoop loop = get_running_loop();
    Pair pair;
    int first = 0;
    Event second;
    loop.add_writer(pair.a.fd, [&] { ++first; });
    loop.add_writer(pair.a.fd, [&] { second.set(); });
    co_await second.wait();
    EXPECT_EQ(first, 0);
    EXPECT_TRUE(loop.remove_writer(pair.a.fd));
  });
}

TEST(Descriptors, A9_7_a_number_that_is_used_again_is_another_descriptor) {
  asyncio::run([]() -> Coro<> {
    EventLoop loop = get_running_loop();
    for (int round = 0; round < 3; ++round) {
      Pair pair;
      Event called;
      loop.add_reader(pair.a.fd, [&] { called.set(); });
      co_await sleep(0s);
      write_to(pair.b.fd, "x");
      co_await called.wait();
      loop.remove_reader(pair.a.fd);
    }
  });
}

TEST(Descriptors, fault16_reader_that_throws_is_called_again) {
  asyncio::run([]() -> Coro<> {
    EventLoop loop = get_running_loop();
    test::ReportCapture reports(loop);
    Pair pair;
    Event twice;
    int calls = 0;
    loop.add_reader(pair.a.fd, [&] {
      if (++calls == 2) twice.set();
      throw ValueError("in the reader");
    });
    write_to(pair.b.fd, "x");
    co_await twice.wait();
    loop.remove_reader(pair.a.fd);
    EXPECT_GE(reports.reports.size(), 2u);
  });
}

TEST(Descriptors, fault73_files_cannot_be_watched) {
  asyncio::run([]() -> Coro<> {
    EventLoop loop = get_running_loop();
    EXPECT_EQ(thrown([&] { loop.add_reader(9999, [] {}); }),
              "asyncio::OSError: add_reader of descriptor 9999: Bad file descriptor");
    EXPECT_FALSE(loop.remove_reader(9999));
    co_return;
  });
}

TEST(Descriptors, fault196_a_closed_loop_lets_go_of_callbacks) {
  auto kept = std::make_shared<int>(1);
  Pair pair;
  asyncio::run([&]() -> Coro<> {
    get_running_loop().add_reader(pair.a.fd, [kept] {});
    co_return;
  });
  EXPECT_EQ(kept.use_count(), 1);
  EventLoop closed = new_event_loop();
  closed.close();
  EXPECT_EQ(thrown([&] { closed.add_reader(pair.a.fd, [] {}); }),
            "asyncio::RuntimeError: Event loop is closed");
  EXPECT_FALSE(closed.remove_reader(pair.a.fd));
}

// --- Socket calls -------------------------------------------------------------------------------

TEST(SocketCalls, A9_8_stream) {
  asyncio::run([]() -> Coro<> {
    EventLoop loop = get_running_loop();
    Pair pair;
    co_await loop.sock_sendall(pair.a.fd, "hello");
    std::string text = co_await loop.sock_recv(pair.b.fd, 3);
    EXPECT_EQ(text, "hel");
    std::array<char, 10> room{};
    std::size_t count = co_await loop.sock_recv_into(pair.b.fd, room);
    EXPECT_EQ(std::string(room.data(), count), "lo");
    Task<std::string> waiting = create_task(loop.sock_recv(pair.b.fd, 10));
    co_await sleep(0s);
    EXPECT_FALSE(waiting.done());
    co_await loop.sock_sendall(pair.a.fd, "later");
    text = co_await waiting;
    EXPECT_EQ(text, "later");
    pair.a.close();
    text = co_await loop.sock_recv(pair.b.fd, 10);
    EXPECT_EQ(text, "");
  });
}

TEST(SocketCalls, A9_8_sendall_waits_for_room) {
  asyncio::run([]() -> Coro<> {
    EventLoop loop = get_running_loop();
    Pair pair;
    std::string data(1 << 20, 'x');
    Task<> sending = create_task(loop.sock_sendall(pair.a.fd, data));
    std::size_t received = 0;
    while (received < data.size()) {
      std::string part = co_await loop.sock_recv(pair.b.fd, 100'000);
      received += part.size();
    }
    co_await sending;
    EXPECT_EQ(received, data.size());
  });
}

TEST(SocketCalls, R2_a_cancelled_recv_takes_nothing) {
  asyncio::run([]() -> Coro<> {
    EventLoop loop = get_running_loop();
    Pair pair;
    Task<std::string> waiting = create_task(loop.sock_recv(pair.b.fd, 10));
    co_await sleep(0s);
    write_to(pair.a.fd, "kept");
    waiting.cancel();
    Result<std::string> result = co_await capture(waiting);
    EXPECT_TRUE(result.cancelled());
    std::string text = co_await loop.sock_recv(pair.b.fd, 10);
    EXPECT_EQ(text, "kept");
  });
}

// A socket that is the caller's stays registered with epoll between waits, without any event.

Coro<std::string> receive(int fd) {
  std::string bytes = co_await get_running_loop().sock_recv(fd, 100);
  co_return bytes;
}

/// Has `from` waited for once, and then for what arrives later.
Coro<> receive_after_a_wait(int from, int to) {
  auto task = create_task(receive, from);
  co_await sleep(0s);
  write_to(to, "first");
  EXPECT_EQ(co_await task, "first");
}

TEST(SocketCalls, R8_a_wait_on_a_socket_that_can_be_written_does_not_spin) {
  asyncio::testing::Faults faults;
  RunOptions options;
  options.loop_factory([&] { return faults.new_epoll_event_loop(); });
  auto program = [&]() -> Coro<> {
    Pair pair;
    co_await receive_after_a_wait(pair.a.fd, pair.b.fd);
    auto task = create_task(receive, pair.a.fd);
    co_await sleep(0s);
    auto before = faults.calls(asyncio::testing::SystemCall::epoll_wait);
    co_await sleep(30ms);
    EXPECT_LE(faults.calls(asyncio::testing::SystemCall::epoll_wait) - before, 10u);
    write_to(pair.b.fd, "second");
    EXPECT_EQ(co_await task, "second");
  };
  asyncio::run(program, options);
}

TEST(SocketCalls, A9_8_both_directions_wait_at_once) {
  asyncio::run([]() -> Coro<> {
    auto loop = get_running_loop();
    Pair pair;
    co_await receive_after_a_wait(pair.a.fd, pair.b.fd);
    auto reads = create_task(receive, pair.a.fd);
    std::string much(4 << 20, 'x');
    auto writes = create_task(loop.sock_sendall(pair.a.fd, much));
    co_await sleep(0s);
    std::size_t received = 0;
    while (!writes.done()) {
      std::string part = co_await loop.sock_recv(pair.b.fd, 1 << 20);
      received += part.size();
    }
    EXPECT_FALSE(reads.done());
    while (received < much.size()) {
      std::string part = co_await loop.sock_recv(pair.b.fd, 1 << 20);
      received += part.size();
    }
    write_to(pair.b.fd, "and back");
    EXPECT_EQ(co_await reads, "and back");
  });
}

TEST(SocketCalls, A9_8_a_number_that_is_used_again_is_another_socket) {
  asyncio::run([]() -> Coro<> {
    int number = -1;
    OwnFd copy;  // keeps the first socket, and what epoll knows of it
    OwnFd peer;
    {
      Pair pair;
      number = pair.a.fd;
      co_await receive_after_a_wait(pair.a.fd, pair.b.fd);
      copy.fd = ::fcntl(pair.a.fd, F_DUPFD_CLOEXEC, 100);
      peer.fd = std::exchange(pair.b.fd, -1);
    }
    Pair pair;
    EXPECT_EQ(pair.a.fd, number);
    auto task = create_task(receive, pair.a.fd);
    co_await sleep(0s);
    write_to(peer.fd, "for the first");
    co_await sleep(10ms);
    EXPECT_FALSE(task.done());
    write_to(pair.b.fd, "for the second");
    EXPECT_EQ(co_await task, "for the second");
  });
}

TEST(SocketCalls, A9_8_connect_accept_and_datagrams) {
  asyncio::run([]() -> Coro<> {
    EventLoop loop = get_running_loop();
    std::string name = '\0' + std::string("asyncio-test-") + std::to_string(::getpid());
    SocketAddress address = SocketAddress::local(name);
    sockaddr_storage raw{};
    raw.ss_family = AF_UNIX;
    std::memcpy(reinterpret_cast<char*>(&raw) + 2, name.data(), name.size());
    auto size = static_cast<socklen_t>(2 + name.size());
    OwnFd listener(::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0));
    EXPECT_EQ(::bind(listener.fd, reinterpret_cast<sockaddr*>(&raw), size), 0);
    EXPECT_EQ(::listen(listener.fd, 5), 0);
    OwnFd client(::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0));
    auto accepting = create_task(loop.sock_accept(listener.fd));
    co_await loop.sock_connect(client.fd, address);
    auto [fd, peer] = co_await accepting;
    OwnFd served(fd);
    EXPECT_EQ(peer.str(), "a Unix socket without a name");
    co_await loop.sock_sendall(client.fd, "hi");
    std::string text = co_await loop.sock_recv(served.fd, 10);
    EXPECT_EQ(text, "hi");

    OwnFd receiver(::socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0));
    OwnFd sender(::socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0));
    std::memcpy(reinterpret_cast<char*>(&raw) + 2 + name.size(), "-d", 2);
    EXPECT_EQ(::bind(receiver.fd, reinterpret_cast<sockaddr*>(&raw), size + 2), 0);
    SocketAddress to = SocketAddress::local(name + "-d");
    std::size_t sent = co_await loop.sock_sendto(sender.fd, "datagram", to);
    EXPECT_EQ(sent, 8u);
    auto [bytes, from] = co_await loop.sock_recvfrom(receiver.fd, 4);
    EXPECT_EQ(bytes, "data");
    EXPECT_EQ(from.path(), "");
  });
}

// Found by fuzzing: the kernel lets a path fill its room, without a zero byte at the end.
TEST(SocketCalls, A9_8_a_peer_with_the_longest_path_is_answered) {
  asyncio::run([]() -> Coro<> {
    EventLoop loop = get_running_loop();
    std::string path = "/tmp/asyncio-test-" + std::to_string(::getpid()) + "-";
    path.resize(108, 'x');
    sockaddr_storage raw{};
    raw.ss_family = AF_UNIX;
    std::memcpy(reinterpret_cast<char*>(&raw) + 2, path.data(), path.size());
    OwnFd peer(::socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0));
    EXPECT_EQ(::bind(peer.fd, reinterpret_cast<sockaddr*>(&raw), 110), 0);
    OwnFd ours(::socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0));
    std::string name = path.substr(0, 60) + "-ours";
    std::memset(reinterpret_cast<char*>(&raw) + 2, 0, 108);
    std::memcpy(reinterpret_cast<char*>(&raw) + 2, name.data(), name.size());
    EXPECT_EQ(::bind(ours.fd, reinterpret_cast<sockaddr*>(&raw), 110), 0);
    co_await loop.sock_sendto(peer.fd, "hello", SocketAddress::local(name));
    auto [bytes, from] = co_await loop.sock_recvfrom(ours.fd, 10);
    EXPECT_EQ(from.path(), path);
    co_await loop.sock_sendto(ours.fd, "back", from);
    std::string text = co_await loop.sock_recv(peer.fd, 10);
    EXPECT_EQ(text, "back");
    ::unlink(path.c_str());
    ::unlink(name.c_str());
  });
}

TEST(SocketCalls, A9_8_errors_name_the_call_and_debug_mode_refuses_blocking_sockets) {
  auto body = []() -> Coro<> {
    EventLoop loop = get_running_loop();
    Result<std::string> closed = co_await capture(loop.sock_recv(9999, 10));
    EXPECT_EQ(describe_exception(closed.exception()),
              "asyncio::OSError: recv of descriptor 9999: Bad file descriptor");
    Pair pair;
    ::fcntl(pair.a.fd, F_SETFL, 0);
    std::string error = co_await test::error_of(loop.sock_recv(pair.a.fd, 10));
    EXPECT_EQ(error, "asyncio::ValueError: the socket must be non-blocking");
  };
  asyncio::run(body(), RunOptions().debug(true));
}

/// Two owners would take each other's bytes and close one number twice.
TEST(SocketCalls, R5_R16_fault58_descriptors_of_transports_are_refused) {
  for (auto factory : {new_epoll_event_loop, new_uring_event_loop}) {
    auto body = []() -> Coro<> {
      EventLoop loop = get_running_loop();
      Pair pair;
      auto [reader, writer] = co_await open_connection(std::exchange(pair.a.fd, -1));
      int fd = writer.fileno();
      std::vector<std::string> errors;
      errors.push_back(thrown([&] { loop.add_reader(fd, [] {}); }));
      errors.push_back(thrown([&] { loop.remove_writer(fd); }));
      errors.push_back(co_await test::error_of(loop.sock_recv(fd, 1)));
      errors.push_back(co_await test::error_of(loop.sock_sendall(fd, "x")));
      errors.push_back(co_await test::error_of(loop.sock_sendfile(fd, 0)));
      errors.push_back(co_await test::error_of(open_connection(fd)));
      errors.push_back(co_await test::error_of(connect_read_pipe(fd)));
      for (const std::string& error : errors)
        EXPECT_EQ(error, "asyncio::RuntimeError: File descriptor " + std::to_string(fd) +
                             " is used by a transport");
      write_to(pair.b.fd, "line\n");
      std::string line = co_await reader.readline();
      EXPECT_EQ(line, "line\n") << "it is none the worse for it";
      writer.close();
      co_await writer.wait_closed();
      EXPECT_EQ(thrown([&] { loop.remove_reader(fd); }), "nothing") << "the number is free";
    };
    asyncio::run(body(), RunOptions().loop_factory(factory));
  }
}

/// As in Python, whose calls are coroutines: what is wrong with the arguments is said when the call
/// is awaited, by each of them.
TEST(SocketCalls, A9_8_R16_arguments_are_judged_when_awaited) {
  asyncio::run([]() -> Coro<> {
    EventLoop loop = get_running_loop();
    Pair pair;
    auto [reader, writer] = co_await open_connection(std::exchange(pair.a.fd, -1));
    int fd = writer.fileno();
    std::array<char, 1> room{};
    SocketAddress address = SocketAddress::numeric("127.0.0.1", 1);
    Coro<std::string> recv = loop.sock_recv(fd, 1);
    Coro<std::size_t> recv_into = loop.sock_recv_into(fd, room);
    auto recvfrom = loop.sock_recvfrom(fd, 1);
    auto recvfrom_into = loop.sock_recvfrom_into(fd, room);
    Coro<> sendall = loop.sock_sendall(fd, "x");
    Coro<std::size_t> sendto = loop.sock_sendto(fd, "x", address);
    Coro<> connect = loop.sock_connect(fd, address);
    auto accept = loop.sock_accept(fd);
    Coro<std::size_t> sendfile = loop.sock_sendfile(fd, 0);
    std::vector<std::string> errors;
    errors.push_back(co_await test::error_of(std::move(recv)));
    errors.push_back(co_await test::error_of(std::move(recv_into)));
    errors.push_back(co_await test::error_of(std::move(recvfrom)));
    errors.push_back(co_await test::error_of(std::move(recvfrom_into)));
    errors.push_back(co_await test::error_of(std::move(sendall)));
    errors.push_back(co_await test::error_of(std::move(sendto)));
    errors.push_back(co_await test::error_of(std::move(connect)));
    errors.push_back(co_await test::error_of(std::move(accept)));
    errors.push_back(co_await test::error_of(std::move(sendfile)));
    for (const std::string& error : errors)
      EXPECT_EQ(error, "asyncio::RuntimeError: File descriptor " + std::to_string(fd) +
                           " is used by a transport");
    writer.close();
    co_await writer.wait_closed();
  });
}

}  // namespace

// SPDX-License-Identifier: BSL-1.0
// The contract of Backend that every backend keeps.
#include "asyncio/detail/backend/backend.hpp"
#include "asyncio/sleep.hpp"
#include "asyncio/task.hpp"
#include "backends.hpp"
#include "probe.hpp"

#include <gtest/gtest.h>

#include <arpa/inet.h>
#include <cerrno>
#include <cstring>
#include <netinet/in.h>
#include <string>
#include <sys/socket.h>
#include <sys/uio.h>

namespace {

using namespace asyncio;
using namespace std::chrono_literals;
using detail::Backend;
using detail::Opcode;
using test::backend;
using test::Probe;
using test::until;

class OperationsTest : public test::BackendTest {};
INSTANTIATE_TEST_SUITE_P(Backends, OperationsTest, test::all_backends, test::backend_name);

sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

/// A listener, a connecting end and an accepted end.
struct Pair {
  int listener = -1;
  int near = -1;
  int far = -1;
};

Coro<Pair> connected() {
  Pair pair;
  Backend& b = backend();
  sockaddr_in address = loopback(0);
  auto* raw = reinterpret_cast<sockaddr*>(&address);
  std::uint32_t size = sizeof address;
  pair.listener = b.socket(AF_INET, SOCK_STREAM, 0);
  EXPECT_EQ(b.bind(pair.listener, raw, size), 0);
  EXPECT_EQ(b.listen(pair.listener, 10), 0);
  EXPECT_EQ(b.getsockname(pair.listener, raw, size), 0);
  Probe accept(Opcode::accept, pair.listener);
  EXPECT_FALSE(b.start(accept));
  pair.near = b.socket(AF_INET, SOCK_STREAM, 0);
  Probe connect(Opcode::connect, pair.near);
  connect.address = raw;
  connect.address_size = size;
  if (!b.start(connect)) co_await until(connect);
  EXPECT_EQ(connect.result, 0);
  co_await until(accept);
  pair.far = static_cast<int>(accept.result);
  EXPECT_GE(pair.far, 0);
  co_return pair;
}

void close_all(const Pair& pair) {
  EXPECT_EQ(backend().close_fd(pair.listener), 0);
  EXPECT_EQ(backend().close_fd(pair.near), 0);
  EXPECT_EQ(backend().close_fd(pair.far), 0);
}

TEST_P(OperationsTest, R1_an_operation_ends_at_once_or_once_later) {
  run([]() -> Coro<> {
    Pair pair = co_await connected();
    std::string hello = "hello";
    std::string room(100, ' ');
    Probe send(Opcode::send, pair.near, hello);
    Probe recv(Opcode::recv, pair.far, room);
    EXPECT_FALSE(backend().start(recv));
    EXPECT_TRUE(backend().start(send));
    EXPECT_EQ(send.result, 5);
    co_await until(recv);
    EXPECT_EQ(recv.result, 5);
    EXPECT_EQ(room.substr(0, 5), "hello");
    EXPECT_TRUE(backend().start(send));
    while (backend().attempt(recv) == -EAGAIN) co_await sleep(0s);
    EXPECT_EQ(backend().attempt(recv), -EAGAIN);
    for (int i = 0; i < 5; ++i) co_await sleep(0s);
    EXPECT_EQ(send.ends, 0);
    EXPECT_EQ(recv.ends, 1);
    close_all(pair);
  });
}

TEST_P(OperationsTest, R3_cancel) {
  run([]() -> Coro<> {
    Pair pair = co_await connected();
    std::string room(100, ' ');
    Probe recv(Opcode::recv, pair.far, room);
    EXPECT_FALSE(backend().start(recv));
    backend().cancel(recv);
    backend().cancel(recv);
    co_await until(recv);
    EXPECT_EQ(recv.result, -ECANCELED);
    backend().cancel(recv);
    // What comes now is for the next one.
    std::string hello = "hello";
    Probe send(Opcode::send, pair.near, hello);
    EXPECT_TRUE(backend().start(send));
    for (int i = 0; i < 5; ++i) co_await sleep(0s);
    EXPECT_EQ(recv.ends, 1);
    EXPECT_EQ(backend().attempt(recv), 5);
    close_all(pair);
  });
}

TEST_P(OperationsTest, R3_forget_runs_nothing) {
  run([]() -> Coro<> {
    Pair pair = co_await connected();
    std::string hello = "hello";
    std::string room(100, ' ');
    Probe send(Opcode::send, pair.near, hello);
    {
      Probe waiting(Opcode::recv, pair.far, room);
      EXPECT_FALSE(backend().start(waiting));
      backend().forget(waiting);
    }
    EXPECT_TRUE(backend().start(send));
    for (int i = 0; i < 5; ++i) co_await sleep(0s);
    EXPECT_EQ(room, std::string(100, ' '));
    Probe later(Opcode::recv, pair.far, room);
    EXPECT_EQ(backend().attempt(later), 5);
    close_all(pair);
  });
}

TEST_P(OperationsTest, fault66_readers_of_one_descriptor_are_served_in_order) {
  run([]() -> Coro<> {
    Pair pair = co_await connected();
    std::string first_room(3, ' '), second_room(3, ' ');
    Probe first(Opcode::recv, pair.far, first_room);
    Probe second(Opcode::recv, pair.far, second_room);
    EXPECT_FALSE(backend().start(first));
    EXPECT_FALSE(backend().start(second));
    std::string text = "abcdef";
    Probe send(Opcode::send, pair.near, text);
    EXPECT_TRUE(backend().start(send));
    co_await until(second);
    EXPECT_EQ(first_room, "abc");
    EXPECT_EQ(second_room, "def");
    close_all(pair);
  });
}

TEST_P(OperationsTest, R5_close_ends_what_waits) {
  run([]() -> Coro<> {
    Pair pair = co_await connected();
    std::string room(3, ' ');
    Probe recv(Opcode::recv, pair.far, room);
    Probe readable(Opcode::poll_readable, pair.far);
    Probe accept(Opcode::accept, pair.listener);
    EXPECT_FALSE(backend().start(recv));
    EXPECT_FALSE(backend().start(readable));
    EXPECT_FALSE(backend().start(accept));
    close_all(pair);
    EXPECT_EQ(recv.ends, 0);  // through the loop, as always
    co_await until(accept);
    EXPECT_EQ(recv.result, -ECANCELED);
    EXPECT_EQ(readable.result, -ECANCELED);
    EXPECT_EQ(accept.result, -ECANCELED);
    RecordProperty("closes_twice", "an error, and nothing else");
    EXPECT_EQ(backend().close_fd(pair.far), -EBADF);
    Probe after(Opcode::recv, pair.far, room);
    EXPECT_TRUE(backend().start(after));
    EXPECT_EQ(after.result, -EBADF);
  });
}

TEST_P(OperationsTest, polls_tell_the_level) {
  run([]() -> Coro<> {
    Pair pair = co_await connected();
    Probe readable(Opcode::poll_readable, pair.far);
    Probe writable(Opcode::poll_writable, pair.far);
    EXPECT_TRUE(backend().start(writable));
    EXPECT_EQ(writable.result, 1);
    EXPECT_FALSE(backend().start(readable));
    std::string text = "abcdef";
    Probe send(Opcode::send, pair.near, text);
    EXPECT_TRUE(backend().start(send));
    co_await until(readable);
    EXPECT_EQ(readable.result, 1);
    // It stays readable as long as there is something left.
    std::string room(3, ' ');
    Probe recv(Opcode::recv, pair.far, room);
    Probe again(Opcode::poll_readable, pair.far);
    EXPECT_EQ(backend().attempt(recv), 3);
    EXPECT_TRUE(backend().start(again));
    EXPECT_EQ(backend().attempt(recv), 3);
    EXPECT_FALSE(backend().start(again));
    backend().close_fd(pair.near);
    co_await until(again);
    EXPECT_EQ(backend().attempt(recv), 0);
    pair.near = backend().socket(AF_INET, SOCK_STREAM, 0);
    close_all(pair);
  });
}

TEST_P(OperationsTest, sending_waits_for_room) {
  run([]() -> Coro<> {
    Pair pair = co_await connected();
    std::string much(1 << 20, 'x');
    std::size_t sent = 0;
    Probe send(Opcode::send, pair.near, much);
    while (backend().start(send)) sent += static_cast<std::size_t>(send.result);
    std::string room(1 << 16, ' ');
    std::size_t received = 0;
    Probe recv(Opcode::recv, pair.far, room);
    while (send.ends == 0) {
      std::int64_t got = backend().attempt(recv);
      if (got > 0) received += static_cast<std::size_t>(got);
      co_await sleep(0s);
    }
    EXPECT_GT(send.result, 0);
    sent += static_cast<std::size_t>(send.result);
    while (received < sent) {
      std::int64_t got = backend().attempt(recv);
      if (got > 0)
        received += static_cast<std::size_t>(got);
      else
        co_await sleep(0s);
    }
    EXPECT_EQ(backend().attempt(recv), -EAGAIN);
    close_all(pair);
  });
}

TEST_P(OperationsTest, gathers_with_sendmsg) {
  run([]() -> Coro<> {
    Pair pair = co_await connected();
    iovec parts[3] = {{const_cast<char*>("ab"), 2}, {nullptr, 0}, {const_cast<char*>("cde"), 3}};
    msghdr message{};
    message.msg_iov = parts;
    message.msg_iovlen = 3;
    Probe send(Opcode::sendmsg, pair.near);
    send.buffer = &message;
    EXPECT_TRUE(backend().start(send));
    EXPECT_EQ(send.result, 5);
    std::string room(10, ' ');
    Probe recv(Opcode::recv, pair.far, room);
    if (!backend().start(recv)) co_await until(recv);
    EXPECT_EQ(room.substr(0, 5), "abcde");
    close_all(pair);
  });
}

TEST_P(OperationsTest, fault60_refused_connection) {
  run([]() -> Coro<> {
    Pair pair = co_await connected();
    sockaddr_in address{};
    std::uint32_t size = sizeof address;
    backend().getsockname(pair.listener, reinterpret_cast<sockaddr*>(&address), size);
    close_all(pair);
    int fd = backend().socket(AF_INET, SOCK_STREAM, 0);
    Probe connect(Opcode::connect, fd);
    connect.address = &address;
    connect.address_size = size;
    if (!backend().start(connect)) co_await until(connect);
    EXPECT_EQ(connect.result, -ECONNREFUSED);
    EXPECT_EQ(backend().close_fd(fd), 0);
  });
}

TEST_P(OperationsTest, R16_what_is_not_supported_says_so) {
  run([]() -> Coro<> {
    Pair pair = co_await connected();
    for (Opcode opcode : {Opcode::openat, Opcode::statx, Opcode::fsync}) {
      if (backend().supports(opcode)) continue;
      Probe operation(opcode, pair.near);
      EXPECT_TRUE(backend().start(operation));
      EXPECT_EQ(operation.result, -EOPNOTSUPP);
    }
    EXPECT_TRUE(backend().supports(Opcode::recv));
    close_all(pair);
    co_return;
  });
}

}  // namespace

// SPDX-License-Identifier: BSL-1.0
// What only io_uring does: requests that the kernel keeps, files, and its thread.
#include "uring.hpp"

#include "asyncio/gather.hpp"
#include "asyncio/streams.hpp"
#include "asyncio/task.hpp"
#include "asyncio/threads.hpp"
#include "captures.hpp"
#include "connected.hpp"
#include "probe.hpp"

#include <gtest/gtest.h>

#include <cerrno>
#include <fcntl.h>
#include <memory>
#include <netinet/in.h>
#include <optional>
#include <string>
#include <sys/socket.h>
#include <sys/stat.h>
#include <thread>
#include <unistd.h>
#include <vector>

namespace {

using namespace asyncio;
using namespace std::chrono_literals;
using asyncio::testing::SystemCall;
using detail::Opcode;
using test::backend;
using test::Probe;
using test::turns;
using test::until;

class Uring : public test::UringTest {
 public:
  test::Folder folder;
};

/// To open a named pipe with. With O_CREAT, since without the kernel tries O_NONBLOCK first, which
/// does not wait for a writer.
constexpr int kWaiting = O_RDONLY | O_CREAT;

/// Opens a file.
struct Open : Probe {
  Open(const std::string& name, int how) : Probe(Opcode::openat, -1), path(name) {
    buffer = path.data();
    flags = how;
    size = 0600;
  }
  std::string path;
};

struct At : Probe {
  At(Opcode what, int descriptor, std::string& room, std::int64_t place = 0)
      : Probe(what, descriptor, room) {
    offset = place;
  }
};

Coro<std::int64_t> result_of(Probe& probe) {
  EXPECT_FALSE(backend().start(probe));
  EXPECT_EQ(probe.ends, 0);
  co_await until(probe);
  EXPECT_EQ(probe.ends, 1);
  probe.ends = 0;
  co_return probe.result;
}

Coro<int> opened(const std::string& path, int how) {
  Open open(path, how);
  std::int64_t fd = co_await result_of(open);
  EXPECT_GE(fd, 0);
  EXPECT_EQ(::fcntl(static_cast<int>(fd), F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
  co_return static_cast<int>(fd);
}

Coro<> write_and_read(const test::Folder& folder, const std::string& name) {
  int fd = co_await opened(folder.file(name), O_RDWR | O_CREAT | O_TRUNC);
  std::string text = "some text", room(100, ' '), nothing;
  At write(Opcode::write, fd, text);
  std::int64_t count = co_await result_of(write);
  EXPECT_EQ(count, 9);
  Probe sync(Opcode::fsync, fd);
  count = co_await result_of(sync);
  EXPECT_EQ(count, 0);
  struct statx about{};
  Probe stat(Opcode::statx, -1, nothing);
  stat.other = fd;
  stat.flags = AT_EMPTY_PATH;
  stat.address = &about;
  count = co_await result_of(stat);
  EXPECT_EQ(count, 0);
  EXPECT_EQ(about.stx_size, 9u);
  At read(Opcode::read, fd, room, 5);
  count = co_await result_of(read);
  EXPECT_EQ(count, 4);
  EXPECT_EQ(room.substr(0, 4), "text");
  read.offset = 9;
  count = co_await result_of(read);
  EXPECT_EQ(count, 0);
  EXPECT_EQ(backend().close_fd(fd), 0);
}

TEST_F(Uring, files) {
  run([&]() -> Coro<> {
    co_await write_and_read(folder, "one");
    Open missing(folder.file("none"), O_RDONLY);
    std::int64_t result = co_await result_of(missing);
    EXPECT_EQ(result, -ENOENT);
  });
}

TEST_F(Uring, fault82_sizes_have_more_than_32_bits) {
  run([&]() -> Coro<> {
    int fd = co_await opened(folder.file("file"), O_RDWR | O_CREAT);
    EXPECT_EQ(::pwrite(fd, "0123456789", 10, 0), 10);
    std::string room(100, ' ');
    At read(Opcode::read, fd, room);
    read.size = (std::size_t{1} << 32) + 3;  // the file ends before the room does
    std::int64_t count = co_await result_of(read);
    EXPECT_EQ(count, 10);
    backend().close_fd(fd);
  });
}

TEST_F(Uring, fault82_short_transfers) {
  run([&]() -> Coro<> {
    int fd = co_await opened(folder.file("file"), O_RDWR | O_CREAT);
    std::string text = "0123456789", room(10, ' ');
    faults.shorten(SystemCall::file_write, 1, 7).shorten(SystemCall::file_read, 1, 3);
    At write(Opcode::write, fd, text);
    std::int64_t count = co_await result_of(write);
    EXPECT_EQ(count, 7);
    At read(Opcode::read, fd, room);
    count = co_await result_of(read);
    EXPECT_EQ(count, 3);
    EXPECT_EQ(room, "012       ");
    count = co_await result_of(read);
    EXPECT_EQ(count, 7);
    backend().close_fd(fd);
  });
  EXPECT_EQ(faults.injected(), 2u);
}

TEST_F(Uring, fault82_interrupted_requests_are_repeated) {
  for (SystemCall call : {SystemCall::file_open, SystemCall::file_read, SystemCall::file_write,
                          SystemCall::file_sync, SystemCall::file_stat, SystemCall::ring_poll}) {
    asyncio::testing::Faults interrupted;
    interrupted.fail(call, 1, EINTR, 3);
    RunOptions options;
    options.loop_factory([&] { return interrupted.new_uring_event_loop(); });
    asyncio::run(options, [&]() -> Coro<> {
      co_await write_and_read(folder, "file");
      test::Connected both = co_await test::connected();
      auto reading = create_task(test::read_exactly, both.reader(), 3);
      co_await turns(3);
      both.peer_writer().write("abc");
      std::string got = co_await reading;
      EXPECT_EQ(got, "abc");
      co_await both.close();
    });
    EXPECT_EQ(interrupted.injected(), 3u) << static_cast<int>(call);
  }
}

// --- Cancelling -------------------------------------------------------------------------------

/// Faults 36 and 82: a cancel meets the end of its request at every distance; then the operation is
/// used again at once, and must not hear of what it was before.
Coro<> cancel_at_every_distance(const test::Folder& folder, int rounds) {
  int fd = co_await opened(folder.file("file"), O_RDWR | O_CREAT);
  EXPECT_EQ(::pwrite(fd, "0123456789", 10, 0), 10);
  std::string room(10, ' ');
  int cancelled = 0;
  for (int i = 0; i < rounds; ++i) {
    At read(Opcode::read, fd, room);
    EXPECT_FALSE(backend().start(read));
    for (int turn = 0; turn < i % 5; ++turn) co_await sleep(0s);
    if (i % 7 == 0) co_await sleep(1us);
    backend().cancel(read);
    backend().cancel(read);
    co_await until(read);
    EXPECT_TRUE(read.result == 10 || read.result == -ECANCELED) << read.result;
    cancelled += read.result == -ECANCELED;
    read.ends = 0;
    std::int64_t again = co_await result_of(read);
    EXPECT_EQ(again, 10);
    backend().cancel(read);  // it has ended
    co_await sleep(0s);
    EXPECT_EQ(read.ends, 0);
  }
  EXPECT_GT(cancelled, 0);
  EXPECT_LT(cancelled, rounds);
  backend().close_fd(fd);
}

TEST_F(Uring, R1_fault36_one_outcome_when_cancel_and_completion_meet) {
  run([&] { return cancel_at_every_distance(folder, 1000); });
}

TEST_F(Uring, R1_fault36_one_outcome_in_any_order_of_completions) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    faults.disorder(seed);
    run([&] { return cancel_at_every_distance(folder, 70); });
  }
}

TEST_F(Uring, R3_cancel_what_the_kernel_works_on) {
  run([&]() -> Coro<> {
    std::string fifo = test::make_fifo(folder);
    Open open(fifo, kWaiting);
    EXPECT_FALSE(backend().start(open));
    co_await turns(5);
    EXPECT_EQ(open.ends, 0);
    backend().cancel(open);
    backend().cancel(open);
    co_await until(open);
    EXPECT_EQ(open.result, -ECANCELED);
    co_await turns(5);
    EXPECT_EQ(open.ends, 1);
  });
}

TEST_F(Uring, R3_forget_waits_until_the_kernel_has_let_go) {
  run([&]() -> Coro<> {
    std::string fifo = test::make_fifo(folder);
    for (int turn = 0; turn < 3; ++turn) {
      Open open(fifo, kWaiting);
      EXPECT_FALSE(backend().start(open));
      for (int i = 0; i < turn; ++i) co_await turns(1);
      backend().forget(open);
      EXPECT_EQ(open.phase == detail::Operation::Phase::waiting, false);
      // No reader is there, and none comes.
      EXPECT_EQ(::open(fifo.c_str(), O_WRONLY | O_NONBLOCK), -1);
      EXPECT_EQ(errno, ENXIO);
      co_await turns(2);
      EXPECT_EQ(open.ends, 0);
    }
  });
}

/// The kernel keeps a file open for the poll of it; closed means closed, all the same.
TEST_F(Uring, fault83_close_ends_requests_first) {
  run([&]() -> Coro<> {
    int pair[2], next[2];
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair), 0);
    std::string room(10, ' ');
    Probe recv(Opcode::recv, pair[0], room);
    EXPECT_FALSE(backend().start(recv));
    co_await turns(2);
    EXPECT_EQ(backend().close_fd(pair[0]), 0);
    EXPECT_EQ(::recv(pair[1], room.data(), 1, 0), 0);  // the end has come already
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, next), 0);
    EXPECT_EQ(next[0], pair[0]);
    Probe again(Opcode::recv, next[0], room);
    EXPECT_FALSE(backend().start(again));
    co_await turns(2);
    EXPECT_EQ(recv.result, -ECANCELED);
    EXPECT_EQ(recv.ends, 1);
    EXPECT_EQ(again.ends, 0);
    EXPECT_EQ(::send(next[1], "abc", 3, 0), 3);
    co_await until(again);
    EXPECT_EQ(again.result, 3);
    backend().close_fd(next[0]);
    ::close(next[1]);
    ::close(pair[1]);
  });
}

TEST_F(Uring, fault83_close_below_a_request_of_a_file) {
  faults.disorder(3);  // so that the completion comes after the close
  run([&]() -> Coro<> {
    for (int i = 0; i < 50; ++i) {
      int fd = co_await opened(folder.file("file"), O_RDWR | O_CREAT);
      std::string text = "text";
      At write(Opcode::write, fd, text);
      EXPECT_FALSE(backend().start(write));
      for (int turn = 0; turn < i % 4; ++turn) co_await turns(0);
      EXPECT_EQ(backend().close_fd(fd), 0);
      int other = ::open("/dev/null", O_RDONLY | O_CLOEXEC);  // has the number now
      co_await until(write);
      EXPECT_TRUE(write.result == 4 || write.result == -ECANCELED) << write.result;
      ::close(other);
    }
  });
}

// --- Listeners --------------------------------------------------------------------------------

Coro<std::string> greeting_of(std::uint16_t port) {
  auto [reader, writer] = co_await open_connection("127.0.0.1", port);
  std::string text = co_await reader.read();
  writer.close();
  co_return text;
}

Coro<> greet(int clients) {
  auto greeter = [](StreamReader, StreamWriter writer) {
    writer.write("hello");
    writer.close();
  };
  Server server = co_await start_server(greeter, "127.0.0.1", 0);
  std::uint16_t port = server.sockets().at(0).port();
  std::vector<Task<std::string>> greeted;
  for (int i = 0; i < clients; ++i) greeted.push_back(create_task(greeting_of, port));
  for (auto& task : greeted) {
    std::string text = co_await task;
    EXPECT_EQ(text, "hello");
  }
  server.close();
  co_await server.wait_closed();
}

TEST_F(Uring, one_request_accepts_all_connections) {
  run([&] { return greet(50); });
  EXPECT_EQ(faults.calls(SystemCall::ring_accept), 1u);
  EXPECT_EQ(faults.calls(SystemCall::accept), 0u);
}

TEST_F(Uring, fault80_a_request_that_ends_early_is_made_again) {
  faults.end_early(SystemCall::ring_accept, 1, asyncio::testing::Faults::kAlways);
  faults.end_early(SystemCall::ring_wake, 1, asyncio::testing::Faults::kAlways);
  run([&]() -> Coro<> {
    co_await greet(50);
    auto late = [] { std::this_thread::sleep_for(2ms); };  // when the loop has gone to sleep
    for (int i = 0; i < 20; ++i) co_await to_thread(late);
  });
  EXPECT_GE(faults.calls(SystemCall::ring_accept), 50u);
  EXPECT_GE(faults.calls(SystemCall::ring_wake), 2u);
}

/// A listener of the loop's backend, at a port that the system chose.
class Listening {
 public:
  Listening() {
    address()->sa_family = AF_INET;
    EXPECT_EQ(backend().bind(fd, address(), size_), 0);
    EXPECT_EQ(backend().listen(fd, 500), 0);
    EXPECT_EQ(backend().getsockname(fd, address(), size_), 0);
  }
  /// The descriptor of a client that is connected to it.
  int connect() {
    int client = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    EXPECT_EQ(::connect(client, address(), size_), 0);
    return client;
  }

  const int fd = backend().socket(AF_INET, SOCK_STREAM, 0);

 private:
  sockaddr* address() { return reinterpret_cast<sockaddr*>(&storage_); }

  sockaddr_storage storage_{};
  std::uint32_t size_ = sizeof(sockaddr_in);
};

TEST_F(Uring, R6_connections_that_nobody_asks_for_stay_in_the_backlog) {
  run([&]() -> Coro<> {
    Listening listening;
    Probe accept(Opcode::accept, listening.fd);
    accept.repeated = true;
    EXPECT_FALSE(backend().start(accept));
    std::ptrdiff_t before = test::open_descriptors();
    std::vector<int> clients;
    for (int i = 0; i < 300; ++i) {
      clients.push_back(listening.connect());
      if (i % 10 == 9) co_await turns(1);
    }
    EXPECT_EQ(accept.ends, 1);
    std::ptrdiff_t taken = test::open_descriptors() - before - 300;
    EXPECT_GE(taken, 64);
    EXPECT_LE(taken, 80);
    EXPECT_EQ(backend().close_fd(static_cast<int>(accept.result)), 0);
    for (int i = 0; i < 299; ++i) {  // who asks gets them all
      accept.ends = 0;
      if (!backend().start(accept)) co_await until(accept);
      EXPECT_GE(accept.result, 0);
      backend().close_fd(static_cast<int>(accept.result));
    }
    EXPECT_EQ(backend().close_fd(listening.fd), 0);
    for (int fd : clients) ::close(fd);
  });
}

TEST_F(Uring, R2_connections_taken_in_advance_are_closed_with_their_listener) {
  run([&]() -> Coro<> {
    Listening listening;
    Probe accept(Opcode::accept, listening.fd);
    accept.repeated = true;
    EXPECT_FALSE(backend().start(accept));
    int clients[5];
    for (int& fd : clients) fd = listening.connect();
    co_await turns(2);
    EXPECT_EQ(accept.ends, 1);
    EXPECT_EQ(backend().close_fd(listening.fd), 0);
    backend().close_fd(static_cast<int>(accept.result));
    char byte = 0;
    for (int fd : clients) {
      EXPECT_EQ(::recv(fd, &byte, 1, MSG_DONTWAIT), 0);
      ::close(fd);
    }
  });
}

// --- The ring and its thread ------------------------------------------------------------------

TEST_F(Uring, a_busy_loop_makes_no_system_call) {
  run([&]() -> Coro<> {
    test::Connected both = co_await test::connected();
    auto reading = create_task(test::read_exactly, both.reader(), 3);
    co_await turns(2);
    std::uint64_t calls = faults.calls(SystemCall::io_uring_enter);
    for (int i = 0; i < 10'000; ++i) co_await sleep(0s);
    EXPECT_EQ(faults.calls(SystemCall::io_uring_enter), calls);
    both.peer_writer().write("abc");  // and notices what comes
    while (!reading.done()) co_await sleep(0s);
    std::string got = co_await reading;
    EXPECT_EQ(got, "abc");
    co_await both.close();
  });
}

/// The next run may be in another thread, and the one before has ended: what waits goes on.
TEST_F(Uring, a_loop_moves_from_thread_to_thread_with_all_that_waits) {
  EventLoop loop = faults.new_uring_event_loop();
  std::string fifo = test::make_fifo(folder);
  std::optional<test::Connected> both;
  std::optional<Task<std::string>> reading;
  Open open(fifo, kWaiting);
  int late = 0;
  std::optional<Server> server;
  auto begin = [&]() -> Coro<> {
    both = co_await test::connected();
    server = co_await start_server([&](StreamReader, StreamWriter) { ++late; }, "127.0.0.1", 0);
    reading = create_task(test::read_exactly, both->reader(), 6);
    EXPECT_FALSE(backend().start(open));
    co_await turns(3);
  };
  auto half = [&]() -> Coro<> {
    both->peer_writer().write("abc");
    co_await turns(3);
    co_await to_thread([] {});  // and a thread wakes it
    Streams streams = co_await open_connection("127.0.0.1", server->sockets().at(0).port());
    std::string end = co_await streams.first.read();
    EXPECT_EQ(end, "");
    streams.second.close();
  };
  auto rest = [&]() -> Coro<> {
    both->peer_writer().write("def");
    std::string got = co_await *reading;
    EXPECT_EQ(got, "abcdef");
    EXPECT_EQ(open.ends, 0);
    int writer = -1;
    while (writer < 0) {  // until the kernel has come to it
      co_await turns(1);
      writer = ::open(fifo.c_str(), O_WRONLY | O_NONBLOCK | O_CLOEXEC);
    }
    co_await until(open);
    EXPECT_GE(open.result, 0);
    EXPECT_EQ(backend().close_fd(static_cast<int>(open.result)), 0);
    ::close(writer);
    server->close();
    co_await server->wait_closed();
    co_await both->close();
  };
  std::thread([&] { loop.run_until_complete(begin()); }).join();
  std::thread([&] { loop.run_until_complete(half()); }).join();
  loop.run_until_complete(rest());
  loop.run_until_complete(loop.shutdown_default_executor());
  EXPECT_EQ(late, 1);
  reading.reset();
  both.reset();
  server.reset();
  loop.close();
}

TEST_F(Uring, R3_a_loop_closes_over_what_waits) {
  EventLoop loop = faults.new_uring_event_loop();
  std::string fifo = test::make_fifo(folder);
  auto waiting = [&]() -> Coro<> {
    test::Connected both = co_await test::connected();
    create_task(test::read_exactly, both.reader(), 6);
    Open open(fifo, kWaiting);
    EXPECT_FALSE(backend().start(open));
    co_await turns(3);
    backend().forget(open);
    both.server.close();
  };
  loop.run_until_complete(waiting());
  test::LogCapture log;
  loop.close();
  EXPECT_EQ(log.count("Task was destroyed but it is pending!"), 1);
}

}  // namespace

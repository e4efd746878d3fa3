// SPDX-License-Identifier: BSL-1.0
/// A9.17: event loops on a selector of the user's.
#include "asyncio/asyncio.hpp"
#include "backends.hpp"
#include "captures.hpp"
#include "connected.hpp"
#include "subprocesses.hpp"

#include <gtest/gtest.h>

#include <cerrno>
#include <csignal>
#include <map>
#include <memory>
#include <optional>
#include <poll.h>
#include <string>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>
#include <utility>
#include <vector>

using namespace asyncio;
using namespace std::chrono_literals;
using test::connected;
using test::Connected;
using test::error_of;

namespace {

/// What a test has seen of its selector, and wants of it.
struct Record {
  std::map<int, unsigned> watched;
  int modified = 0;
  int destroyed = 0;
  bool rumours = false;  // reports everything as ready, all the time, and numbers that nobody knows
  int refused = -1;      // descriptor that it does not watch
  int error = 0;         // of the next select
};

/// poll(2).
class PollSelector final : public Selector {
 public:
  explicit PollSelector(Record& record) : record_(record) {}
  ~PollSelector() override { ++record_.destroyed; }

  std::string_view name() const noexcept override { return "poll"; }

  int modify(int fd, unsigned events) noexcept override {
    ++record_.modified;
    if (fd == record_.refused && events != 0) return EPERM;
    if (events == 0)
      record_.watched.erase(fd);
    else
      record_.watched[fd] = events;
    return 0;
  }

  std::vector<Key> select(std::optional<std::chrono::nanoseconds> timeout) override {
    if (int error = std::exchange(record_.error, 0)) throw_os_error(error, "select");
    std::vector<pollfd> asked;
    for (auto [fd, events] : record_.watched) {
      int wanted = (events & EVENT_READ ? POLLIN : 0) | (events & EVENT_WRITE ? POLLOUT : 0);
      asked.push_back({fd, static_cast<short>(wanted), 0});
    }
    int milliseconds = -1;
    if (timeout)
      milliseconds =
          static_cast<int>(std::chrono::ceil<std::chrono::milliseconds>(*timeout).count());
    ::poll(asked.data(), asked.size(), record_.rumours ? 0 : milliseconds);
    std::vector<Key> ready;
    if (record_.rumours) ready = {{-1, 3}, {1 << 20, 3}};
    for (const pollfd& answer : asked) {
      bool failed = (answer.revents & (POLLERR | POLLHUP | POLLNVAL)) != 0;
      unsigned events = failed || record_.rumours ? EVENT_READ | EVENT_WRITE : 0;
      if (answer.revents & POLLIN) events |= EVENT_READ;
      if (answer.revents & POLLOUT) events |= EVENT_WRITE;
      if (events) ready.push_back({answer.fd, events});
    }
    return ready;
  }

 private:
  Record& record_;
};

/// At the end nothing is watched any more, and the selector is gone.
class SelectorLoop : public ::testing::Test {
 public:
  template <class F>
  void run(F&& function) {
    auto factory = [this] {
      return new_selector_event_loop(std::make_unique<PollSelector>(record));
    };
    auto before = test::open_descriptors();
    asyncio::run(std::forward<F>(function)(), RunOptions().loop_factory(factory));
    EXPECT_EQ(test::open_descriptors(), before);
    EXPECT_EQ(record.destroyed, 1);
    EXPECT_TRUE(record.watched.empty());
  }

  Record record;
};

/// More than the kernel holds, both ways at once.
Coro<> exchange_much() {
  const std::size_t size = 8'000'000;
  Connected both = co_await connected();
  std::string data = test::pattern(size);
  auto send = [&](StreamWriter writer) -> Coro<> { co_await writer.send(data); };
  auto receive = [&](StreamReader reader) -> Coro<Bytes> {
    Bytes bytes = co_await reader.readexactly(size);
    co_return bytes;
  };
  auto sending = create_task(send, both.writer());
  auto answering = create_task(send, both.peer_writer());
  auto receiving = create_task(receive, both.reader());
  Bytes there = co_await receive(both.peer_reader());
  Bytes back = co_await receiving;
  EXPECT_TRUE(there == data && back == data);
  co_await sending;
  co_await answering;
  co_await both.close();
}

TEST_F(SelectorLoop, A9_17_streams) { run(exchange_much); }

TEST_F(SelectorLoop, A9_17_says_what_it_is) {
  run([]() -> Coro<> {
    EXPECT_EQ(get_running_loop().backend_name(), "poll");
    EXPECT_EQ(get_running_loop().repr(),
              "<EventLoop running=True closed=False debug=False backend=poll>");
    co_return;
  });
  EXPECT_EQ(test::thrown([] { new_selector_event_loop(nullptr); }),
            "asyncio::ValueError: an event loop needs a selector");
}

TEST_F(SelectorLoop, A9_17_timers_threads_and_signals) {
  run([]() -> Coro<> {
    EventLoop loop = get_running_loop();
    auto before = loop.time();
    co_await sleep(20ms);
    EXPECT_GE(loop.time() - before, 20ms);
    int answer = co_await to_thread([] { return 42; });
    EXPECT_EQ(answer, 42);
    Event signalled;
    loop.add_signal_handler(SIGUSR1, [&] { signalled.set(); });
    ::kill(::getpid(), SIGUSR1);
    co_await signalled.wait();
    loop.remove_signal_handler(SIGUSR1);
  });
}

TEST_F(SelectorLoop, A9_17_processes_and_datagrams) {
  run([]() -> Coro<> {
    std::string out = co_await test::output(SubprocessOptions(), "echo hello");
    EXPECT_EQ(out, "hello\n");
    auto factory = [] { return std::make_shared<DatagramProtocol>(); };
    auto [endpoint, protocol] = co_await get_running_loop().create_datagram_endpoint(
        factory, DatagramOptions().local_addr("127.0.0.1", 0));
    endpoint->close();
    co_await test::settle();
  });
}

TEST_F(SelectorLoop, A9_17_descriptors_and_sockets_of_ones_own) {
  run([]() -> Coro<> {
    EventLoop loop = get_running_loop();
    int ends[2];
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends), 0);
    int calls = 0;
    Event enough;
    loop.add_reader(ends[0], [&] {
      if (++calls == 3) enough.set();
    });
    EXPECT_EQ(::write(ends[1], "x", 1), 1);
    co_await enough.wait();  // again and again, while it is readable
    loop.remove_reader(ends[0]);
    std::string got = co_await loop.sock_recv(ends[0], 10);
    EXPECT_EQ(got, "x");
    auto receiving = create_task(loop.sock_recv(ends[0], 10));
    co_await test::settle();
    co_await loop.sock_sendall(ends[1], "later");
    got = co_await receiving;
    EXPECT_EQ(got, "later");
    // Closed unseen, and its number taken by another one.
    ::close(ends[0]);
    ::close(ends[1]);
    co_await exchange_much();
  });
}

TEST_F(SelectorLoop, A9_17_rumours_do_no_harm) {
  record.rumours = true;
  run([&]() -> Coro<> {
    Connected both = co_await connected();
    auto reading = create_task(
        [](StreamReader reader) -> Coro<Bytes> {
          Bytes line = co_await reader.readline();
          co_return line;
        },
        both.reader());
    for (int i = 0; i < 20; ++i) co_await sleep(0s);
    EXPECT_FALSE(reading.done());
    both.peer_writer().write("line\n");
    Bytes line = co_await reading;
    EXPECT_EQ(line, "line\n");
    co_await both.close();
  });
}

TEST_F(SelectorLoop, A9_17_a_descriptor_that_it_refuses) {
  run([&]() -> Coro<> {
    Connected both = co_await connected();
    record.refused = both.writer().fileno();
    std::string error = co_await error_of(both.reader().readline());
    EXPECT_EQ(error.find("asyncio::PermissionError: recv "), 0u) << error;
    record.refused = -1;
    co_await both.close();
  });
}

TEST_F(SelectorLoop, A9_17_what_it_throws_comes_out_of_run) {
  auto failing = [&]() -> Coro<> {
    record.error = EBADF;
    co_await sleep(1h);
  };
  EXPECT_EQ(test::thrown([&] { run(failing); }), "asyncio::OSError: select: Bad file descriptor");
  EXPECT_EQ(record.destroyed, 1);
}

TEST_F(SelectorLoop, A9_17_a_steady_connection_changes_nothing) {
  run([&]() -> Coro<> {
    Connected both = co_await connected();
    int before = 0;
    for (int i = 0; i < 100; ++i) {
      if (i == 5) before = record.modified;
      auto answer = create_task(
          [](StreamReader reader, StreamWriter writer) -> Coro<> {
            Bytes line = co_await reader.readline();
            co_await writer.send(std::move(line));
          },
          both.peer_reader(), both.peer_writer());
      co_await both.writer().send("ping\n");
      Bytes line = co_await both.reader().readline();
      EXPECT_EQ(line, "ping\n");
      co_await answer;
    }
    EXPECT_LE(record.modified - before, 10);
    co_await both.close();
  });
}

}  // namespace

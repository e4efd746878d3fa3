// SPDX-License-Identifier: BSL-1.0
// Loops on real descriptors whose system calls fail: each call in its turn, until the program
// comes to its end without a fault.
#include "asyncio/testing/faults.hpp"

#include "asyncio/capture.hpp"
#include "asyncio/sleep.hpp"
#include "asyncio/streams.hpp"
#include "asyncio/task.hpp"
#include "backends.hpp"
#include "captures.hpp"
#include "connected.hpp"
#include "descriptor_limit.hpp"

#include <gtest/gtest.h>

#include <cerrno>
#include <ctime>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace {

using namespace asyncio;
using namespace std::chrono_literals;
using asyncio::testing::Faults;
using asyncio::testing::SystemCall;
using test::connected;
using test::Connected;
using test::pattern;
using test::settle;

class FaultsTest : public ::testing::TestWithParam<std::string> {
 public:
  void SetUp() override {
    std::string refusal = test::refusal_of(GetParam());
    if (!refusal.empty()) GTEST_SKIP() << refusal;
  }

  template <class F, class... Args>
  auto run(Faults& faults, F&& function, Args&&... args) {
    RunOptions options;
    options.loop_factory(
        [&] { return on_uring() ? faults.new_uring_event_loop() : faults.new_epoll_event_loop(); });
    return asyncio::run(options, std::forward<F>(function), std::forward<Args>(args)...);
  }

  bool on_uring() const { return GetParam() == "io_uring"; }
  // What the backend does to
  SystemCall wait() const {
    return on_uring() ? SystemCall::io_uring_enter : SystemCall::epoll_wait;
  }
  SystemCall watch() const { return on_uring() ? SystemCall::ring_poll : SystemCall::epoll_ctl; }
  SystemCall accept() const { return on_uring() ? SystemCall::ring_accept : SystemCall::accept; }
  SystemCall create() const {
    return on_uring() ? SystemCall::io_uring_setup : SystemCall::epoll_create;
  }
};
INSTANTIATE_TEST_SUITE_P(Backends, FaultsTest, test::real_backends, test::backend_name);

/// Sends `text` to a server and returns its echo.
Coro<std::string> exchange(std::string text) {
  auto handler = [](StreamReader reader, StreamWriter writer) -> Coro<> {
    while (true) {
      std::string some = co_await reader.read(1 << 14);
      if (some.empty()) co_return;
      co_await writer.send(some);
    }
  };
  Server server = co_await start_server(handler, "127.0.0.1", 0);
  auto [reader, writer] = co_await open_connection("127.0.0.1", server.sockets().at(0).port());
  auto reading = create_task(test::read, reader, -1);
  std::vector<std::string_view> halves{std::string_view(text).substr(0, text.size() / 2),
                                       std::string_view(text).substr(text.size() / 2)};
  writer.writelines(halves);
  co_await writer.drain();
  writer.write_eof();
  std::string echo = co_await reading;
  writer.close();
  co_await writer.wait_closed();
  server.close();
  co_await server.wait_closed();
  co_return echo;
}

TEST_P(FaultsTest, fault51_interrupted_calls_are_repeated) {
  std::string text = pattern(100'000);
  for (SystemCall call : {accept(), SystemCall::connect, SystemCall::recv, SystemCall::send,
                          SystemCall::sendmsg, wait()}) {
    std::uint64_t first = 1;
    for (bool injected = true; injected; ++first) {
      Faults faults;
      faults.fail(call, first, EINTR, 3);
      std::string echo = run(faults, exchange, text);
      ASSERT_EQ(echo == text, true) << static_cast<int>(call) << ", number " << first;
      injected = faults.injected() > 0;
    }
    EXPECT_GT(first, 2u) << "never called: " << static_cast<int>(call);
  }
}

TEST_P(FaultsTest, fault51_close_is_never_repeated) {
  std::ptrdiff_t before = test::open_descriptors();
  Faults quiet;
  run(quiet, exchange, "text");
  Faults faults;
  faults.fail(SystemCall::close, 1, EINTR, Faults::kAlways);
  EXPECT_EQ(run(faults, exchange, "text"), "text");
  EXPECT_EQ(faults.calls(SystemCall::close), quiet.calls(SystemCall::close));
  EXPECT_EQ(test::open_descriptors(), before);
}

TEST_P(FaultsTest, fault52_readiness_without_data) {
  Faults faults;
  run(faults, [&]() -> Coro<> {
    Connected both = co_await connected();
    auto reading = create_task(test::read_exactly, both.reader(), 6);
    co_await settle();
    std::uint64_t next = faults.calls(SystemCall::recv) + 1;
    faults.fail(SystemCall::recv, next, EAGAIN);
    both.peer_writer().write("abc");
    co_await settle();
    EXPECT_EQ(faults.injected(), 1u);
    std::uint64_t waits = faults.calls(wait());
    co_await sleep(50ms);
    EXPECT_LE(faults.calls(wait()) - waits, 10u);
    both.peer_writer().write("def");
    std::string got = co_await reading;
    EXPECT_EQ(got, "abcdef");
    co_await both.close();
  });
}

TEST_P(FaultsTest, fault55_what_concerns_one_connection_is_skipped) {
  for (int error : {ECONNABORTED, EPROTO, EPERM, EHOSTUNREACH, ENETDOWN, EOPNOTSUPP}) {
    Faults faults;
    faults.fail(accept(), 1, error, 2);
    run(faults, [&]() -> Coro<> {
      test::ReportCapture reports(get_running_loop());
      std::string echo = co_await exchange("text");
      EXPECT_EQ(echo, "text");
      EXPECT_TRUE(reports.reports.empty()) << reports.reports.front();
    });
    EXPECT_EQ(faults.injected(), 2u) << error;
  }
}

double processor_seconds() {
  timespec used{};
  ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
  return static_cast<double>(used.tv_sec) + 1e-9 * static_cast<double>(used.tv_nsec);
}

/// R8: a second and a half without descriptors for new connections.
TEST_P(FaultsTest, fault56_no_descriptors_for_a_while) {
  if (test::kNeedsDescriptors) GTEST_SKIP() << "with UBSan";
  test::DescriptorLimit limit(100);
  Faults faults;
  run(faults, [&]() -> Coro<> {
    test::ReportCapture reports(get_running_loop());
    int served = 0;
    auto handler = [&served](StreamReader reader, StreamWriter writer) -> Coro<> {
      ++served;
      while (!reader.at_eof()) writer.write(co_await reader.read(100));
    };
    Server server = co_await start_server(handler, "127.0.0.1", 0);
    std::uint16_t port = server.sockets().at(0).port();
    Streams early = co_await open_connection("127.0.0.1", port);
    while (served == 0) co_await sleep(1ms);
    std::uint64_t accepts = faults.calls(accept());
    double used = processor_seconds();
    std::optional<test::DescriptorHoard> hoard(1);
    Streams late = co_await open_connection("127.0.0.1", port);
    for (int i = 0; i < 15; ++i) {
      early.second.write("ping");
      std::string got = co_await early.first.readexactly(4);
      co_await sleep(100ms);
    }
    EXPECT_LT(processor_seconds() - used, 0.05 * 1.5);
    EXPECT_LE(faults.calls(accept()) - accepts, 4u);
    EXPECT_EQ(served, 1);
    EXPECT_GE(reports.reports.size(), 1u);
    EXPECT_LE(reports.reports.size(), 2u);
    hoard.reset();
    TimePoint relief = get_running_loop().time();
    while (served < 2) co_await sleep(5ms);
    EXPECT_LE(get_running_loop().time() - relief, 1100ms);
    server.close();
    early.second.close();
    late.second.close();
    co_await server.wait_closed();
  });
}

TEST_P(FaultsTest, fault56_every_lack_of_resources_is_waited_out) {
  Faults faults;
  std::uint64_t first = 1;
  for (int error : {ENFILE, ENOBUFS, ENOMEM}) faults.fail(accept(), first++, error);
  run(faults, [&]() -> Coro<> {
    test::ReportCapture reports(get_running_loop());
    std::string echo = co_await exchange("text");
    EXPECT_EQ(echo, "text");
    EXPECT_EQ(reports.reports.size(), 3u);
  });
}

/// Fails the calls one after another; each time the program ends with that error or without one.
template <class Run>
void sweep(SystemCall call, int error, Run run_with) {
  std::ptrdiff_t before = test::open_descriptors();
  std::uint64_t first = 1;
  for (bool injected = true; injected; ++first) {
    Faults faults;
    faults.fail(call, first, error);
    int got = 0;
    try {
      run_with(faults);
    } catch (const OSError& e) {
      got = e.error_number();
    }
    injected = faults.injected() > 0;
    EXPECT_EQ(got, injected ? error : 0) << static_cast<int>(call) << ", number " << first;
    ASSERT_EQ(test::open_descriptors(), before) << static_cast<int>(call) << ", number " << first;
  }
  EXPECT_GT(first, 2u) << "never called: " << static_cast<int>(call);
}

TEST_P(FaultsTest, fault183_no_descriptors) {
  auto run_with = [&](Faults& faults) { run(faults, exchange, "text"); };
  for (SystemCall call : {SystemCall::eventfd, create(), SystemCall::socket})
    for (int error : {EMFILE, ENFILE}) sweep(call, error, run_with);
}

/// The same with the limit of the process: one descriptor more each time, until there are enough
/// for the loop, the listener, the connecting end and the accepted one.
TEST_P(FaultsTest, fault183_one_descriptor_more_each_time) {
  if (test::kNeedsDescriptors) GTEST_SKIP() << "with UBSan";
  std::ptrdiff_t before = test::open_descriptors();
  int failures = 0;
  for (unsigned spare = 0; spare < 8; ++spare) {
    Faults faults;
    int error = 0;
    try {
      test::DescriptorLimit limit(spare);
      run(faults, [&]() -> Coro<> {
        test::ReportCapture reports(get_running_loop());
        auto after = get_running_loop().call_later(20ms, [&] {
          if (!reports.reports.empty()) limit.lift();  // the server tries again after a second
        });
        std::string echo = co_await exchange("text");
        EXPECT_EQ(echo, "text");
        failures += reports.reports.empty() ? 0 : 1;
      });
    } catch (const OSError& e) {
      error = e.error_number();
      ++failures;
    }
    EXPECT_TRUE(error == 0 || error == EMFILE) << error;
    ASSERT_EQ(test::open_descriptors(), before) << spare;
  }
  // Two for the loop, three for the connection. accept(2) wants one before it looks whether there
  // is a connection, the request of io_uring does not.
  EXPECT_EQ(failures, on_uring() ? 5 : 6);
}

/// max_user_watches is used up, or memory is: the stream that needs the watch fails, no other.
TEST_P(FaultsTest, fault185_no_room_to_watch_a_descriptor) {
  for (int error : {ENOSPC, ENOMEM}) {
    Faults faults;
    run(faults, [&]() -> Coro<> {
      Connected both = co_await connected();
      faults.fail(watch(), faults.calls(watch()) + 1, error);
      int got = 0;
      try {
        // The other end is watched since it was connected.
        std::string text = co_await both.peer_reader().read(1);
      } catch (const OSError& e) {
        got = e.error_number();
      }
      EXPECT_EQ(got, error);
      both.writer().close();
      both.server.close();
      co_await both.server.wait_closed();
      std::string echo = co_await exchange("text");
      EXPECT_EQ(echo, "text");
    });
  }
}

}  // namespace

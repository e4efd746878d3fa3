// SPDX-License-Identifier: BSL-1.0
/// A9.11: add_signal_handler.
#include "asyncio/asyncio.hpp"
#include "captures.hpp"

#include <gtest/gtest.h>

#include <csignal>
#include <string>
#include <thread>

using namespace asyncio;
using namespace std::chrono_literals;
using test::thrown;

namespace {

auto handler_of(int signal) {
  struct sigaction current{};
  ::sigaction(signal, nullptr, &current);
  return current.sa_handler;
}

TEST(Signals, A9_11_handler_is_called_by_the_loop_once_for_each_signal) {
  asyncio::run([]() -> Coro<> {
    EventLoop loop = get_running_loop();
    int calls = 0;
    Event third;
    loop.add_signal_handler(
        SIGUSR1,
        [&](int number) {
          EXPECT_EQ(number, 7);
          if (++calls == 3) third.set();
        },
        7);
    for (int i = 0; i < 3; ++i) std::raise(SIGUSR1);
    EXPECT_EQ(calls, 0);  // not inside the signal handler
    co_await third.wait();
    EXPECT_TRUE(loop.remove_signal_handler(SIGUSR1));
    EXPECT_FALSE(loop.remove_signal_handler(SIGUSR1));
  });
}

TEST(Signals, A9_11_signal_in_another_thread_wakes_a_sleeping_loop) {
  asyncio::run([]() -> Coro<> {
    Event came;
    get_running_loop().add_signal_handler(SIGUSR1, [&] { came.set(); });
    std::thread other([] { std::raise(SIGUSR1); });
    co_await came.wait();
    other.join();
  });
}

TEST(Signals, R17_what_was_there_before_is_restored) {
  std::signal(SIGUSR2, SIG_IGN);
  asyncio::run([]() -> Coro<> {
    EventLoop loop = get_running_loop();
    loop.add_signal_handler(SIGUSR2, [] {});
    EXPECT_NE(handler_of(SIGUSR2), SIG_IGN);
    loop.remove_signal_handler(SIGUSR2);
    EXPECT_EQ(handler_of(SIGUSR2), SIG_IGN);
    loop.add_signal_handler(SIGUSR2, [] {});  // and by the end of the loop
    co_return;
  });
  EXPECT_EQ(handler_of(SIGUSR2), SIG_IGN);
  std::signal(SIGUSR2, SIG_DFL);
}

TEST(Signals, A9_11_replacement_and_removal_inside_the_callback) {
  asyncio::run([]() -> Coro<> {
    EventLoop loop = get_running_loop();
    int first = 0;
    Event second;
    loop.add_signal_handler(SIGUSR1, [&] { ++first; });
    loop.add_signal_handler(SIGUSR1, [&] {
      EXPECT_TRUE(loop.remove_signal_handler(SIGUSR1));
      second.set();
    });
    std::raise(SIGUSR1);
    co_await second.wait();
    EXPECT_EQ(first, 0);
    EXPECT_EQ(handler_of(SIGUSR1), SIG_DFL);
  });
}

TEST(Signals, A9_11_what_cannot_be_handled) {
  asyncio::run([]() -> Coro<> {
    EventLoop loop = get_running_loop();
    EXPECT_EQ(thrown([&] { loop.add_signal_handler(SIGKILL, [] {}); }),
              "asyncio::RuntimeError: sig 9 cannot be caught");
    EXPECT_EQ(thrown([&] { loop.add_signal_handler(0, [] {}); }),
              "asyncio::ValueError: invalid signal number 0");
    // 32 is the C library's own: what a program can do with it is nothing.
    for (int number : {-1, 0, 32, 1000}) {
      std::string invalid = "asyncio::ValueError: invalid signal number " + std::to_string(number);
      EXPECT_EQ(thrown([&] { loop.add_signal_handler(number, [] {}); }), invalid);
      EXPECT_EQ(thrown([&] { loop.remove_signal_handler(number); }), invalid);
    }
    loop.add_signal_handler(SIGUSR1, [] {});
    EventLoop other = new_event_loop();
    EXPECT_EQ(thrown([&] { other.add_signal_handler(SIGUSR1, [] {}); }),
              "asyncio::RuntimeError: signal 10 is handled by another loop");
    other.close();
    EXPECT_FALSE(other.remove_signal_handler(SIGUSR1));
    EXPECT_EQ(thrown([&] { other.remove_signal_handler(1000); }),
              "asyncio::ValueError: invalid signal number 1000");
    co_return;
  });
}

TEST(Signals, A1_3_handler_of_sigint_instead_of_the_runners_and_the_next_run_has_its_own) {
  asyncio::run([]() -> Coro<> {
    Event came;
    get_running_loop().add_signal_handler(SIGINT, [&] { came.set(); });
    std::raise(SIGINT);
    co_await came.wait();
  });
  EXPECT_THROW(asyncio::run([]() -> Coro<> {
                 std::raise(SIGINT);
                 co_await sleep(1h);
               }),
               KeyboardInterrupt);
  EXPECT_EQ(handler_of(SIGINT), SIG_DFL);
}

/// What a service does between a first and a second Ctrl-C is its own.
TEST(Signals, A9_11_stop_signals_are_an_event_once) {
  for (int number : {SIGINT, SIGTERM}) {
    auto before = handler_of(number);
    asyncio::run([&]() -> Coro<> {
      auto runners = handler_of(number);
      StopSignals signals;
      EXPECT_NE(handler_of(number), runners);
      std::raise(number);
      co_await signals.wait();
      EXPECT_TRUE(signals.stopped());
      EXPECT_EQ(handler_of(number), runners);
    });
    EXPECT_EQ(handler_of(number), before);
  }
}

TEST(Signals, R17_stop_signals_that_another_loop_handles_change_nothing) {
  asyncio::run([]() -> Coro<> {
    auto runners = handler_of(SIGINT);
    EventLoop other = new_event_loop();
    other.add_signal_handler(SIGTERM, [] {});
    EXPECT_EQ(thrown([] { StopSignals signals; }),
              "asyncio::RuntimeError: signal 15 is handled by another loop");
    EXPECT_EQ(handler_of(SIGINT), runners);
    other.close();
    co_return;
  });
}

TEST(Signals, R17_stop_signals_leave_the_handlers_of_others_alone) {
  asyncio::run([]() -> Coro<> {
    EventLoop loop = get_running_loop();
    Event called;
    loop.add_signal_handler(SIGTERM, [&] { called.set(); });
    EXPECT_EQ(thrown([] { StopSignals signals; }),
              "asyncio::RuntimeError: StopSignals: signal 15 has a handler");
    std::raise(SIGTERM);
    co_await called.wait();
    loop.remove_signal_handler(SIGTERM);
    {
      StopSignals signals;
      EXPECT_EQ(thrown([] { StopSignals second; }),
                "asyncio::RuntimeError: StopSignals: signal 2 has a handler");
      signals.stop();
      loop.add_signal_handler(SIGTERM, [] {});
    }
    EXPECT_TRUE(loop.remove_signal_handler(SIGTERM));
  });
}

}  // namespace

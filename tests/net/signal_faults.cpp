// SPDX-License-Identifier: BSL-1.0
// Faults 111 and 112: signals that come in masses, at the wrong time, or twice.
#include "asyncio/asyncio.hpp"
#include "backends.hpp"
#include "captures.hpp"
#include "rounds.hpp"

#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <csignal>
#include <fcntl.h>
#include <filesystem>
#include <string>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

namespace {

using namespace asyncio;
using namespace std::chrono_literals;

/// Counts SIGUSR1, as a handler that was there before; puts the default back.
class Before {
 public:
  Before() {
    count = 0;
    std::signal(SIGUSR1, [](int) { count.fetch_add(1, std::memory_order_relaxed); });
  }
  ~Before() { std::signal(SIGUSR1, SIG_DFL); }

  static bool in_place() {
    int seen = count;
    std::raise(SIGUSR1);
    return count == seen + 1;
  }

  static inline std::atomic<int> count{0};
};

class SignalFaults : public test::BackendTest {};
INSTANTIATE_TEST_SUITE_P(Backends, SignalFaults, test::real_backends, test::backend_name);

/// A callback that wants to know of a signal after `last` was set.
class Watch {
 public:
  explicit Watch(std::atomic<bool>& last) : last_(last), home_(std::this_thread::get_id()) {
    get_running_loop().add_signal_handler(SIGUSR1, [this] { seen(); });
  }
  ~Watch() { get_running_loop().remove_signal_handler(SIGUSR1); }

  int calls = 0;
  Event after_the_last;

 private:
  void seen() {
    ++calls;
    EXPECT_EQ(std::this_thread::get_id(), home_) << "callbacks are the loop's";
    if (last_) after_the_last.set();
  }

  std::atomic<bool>& last_;
  std::thread::id home_;
};

TEST_P(SignalFaults, fault111_burst_of_100000_before_the_loop_looks) {
  Before before;
  run([]() -> Coro<> {
    std::atomic<bool> last{false};
    Watch watch(last);
    const int kSignals = test::kSanitized ? 10'000 : 100'000;
    for (int i = 0; i < kSignals; ++i) {
      last = i + 1 == kSignals;
      std::raise(SIGUSR1);
    }
    EXPECT_EQ(watch.calls, 0);
    co_await watch.after_the_last.wait();
    EXPECT_GE(watch.calls, 1);
  });
  EXPECT_TRUE(Before::in_place());
}

TEST_P(SignalFaults, fault111_burst_of_100000_into_a_sleeping_loop) {
  Before before;
  run([]() -> Coro<> {
    std::atomic<bool> last{false};
    Watch watch(last);
    std::thread sender([&] {
      const int kSignals = test::kSanitized ? 10'000 : 100'000;
      for (int i = 0; i < kSignals; ++i) {
        if (i + 1 == kSignals) last = true;
        ::kill(::getpid(), SIGUSR1);  // to whichever thread the system chooses
      }
    });
    co_await watch.after_the_last.wait();
    sender.join();
    EXPECT_GE(watch.calls, 1);
  });
  EXPECT_TRUE(Before::in_place());
}

TEST_P(SignalFaults, fault111_to_another_thread) {
  Before before;
  run([]() -> Coro<> {
    std::atomic<bool> last{true};
    Watch watch(last);
    std::atomic<bool> done{false};
    std::thread other([&] {
      while (!done) std::this_thread::sleep_for(1ms);
    });
    for (int i = 0; i < 100; ++i) {
      watch.after_the_last.clear();
      ::pthread_kill(other.native_handle(), SIGUSR1);
      co_await watch.after_the_last.wait();
    }
    done = true;
    other.join();
  });
  EXPECT_TRUE(Before::in_place());
}

/// Fills the counters of all eventfds of the process, the loop's wake event among them.
void fill_eventfds() {
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
    std::error_code error;
    std::string target = std::filesystem::read_symlink(entry.path(), error).string();
    if (target != "anon_inode:[eventfd]") continue;
    int fd = std::stoi(entry.path().filename().string());
    std::uint64_t most = ~std::uint64_t(0) - 1;
    while (most > 0 && ::write(fd, &most, sizeof most) < 0) most /= 2;
  }
}

TEST_P(SignalFaults, fault111_wake_event_is_full) {
  Before before;
  run([]() -> Coro<> {
    std::atomic<bool> last{true};
    Watch watch(last);
    for (int i = 0; i < 10; ++i) {
      watch.after_the_last.clear();
      fill_eventfds();
      std::raise(SIGUSR1);
      co_await watch.after_the_last.wait();
      co_await asyncio::sleep(1ms);
    }
    EXPECT_GE(watch.calls, 10);
  });
  EXPECT_TRUE(Before::in_place());
}

Coro<> one_turn() { co_await asyncio::sleep(0s); }

/// Loops come and go in a storm of signals; the last one of them leaves what it found.
TEST_P(SignalFaults, fault111_during_close) {
  Before before;
  std::atomic<bool> done{false};
  std::thread sender([&] {
    while (!done) {
      ::kill(::getpid(), SIGUSR1);
      std::this_thread::yield();
    }
  });
  while (Before::count == 0) std::this_thread::yield();
  int begun = Before::count;
  int calls = 0;
  // On a busy machine the sender may wait for its turn longer than all the rounds take.
  for (int i = 0; i < test::rounds(10'000) || calls + Before::count == begun; ++i) {
    EventLoop loop = test::factory_of(GetParam())();
    loop.add_signal_handler(SIGUSR1, [&] { ++calls; });
    if (i % 4 == 1) loop.remove_signal_handler(SIGUSR1);
    if (i % 4 == 2) loop.add_signal_handler(SIGUSR1, [&] { ++calls; });
    if (i % 4 == 3) loop.run_until_complete(one_turn());
    loop.close();
  }
  done = true;
  sender.join();
  EXPECT_TRUE(Before::in_place());
}

// --- SIGINT -------------------------------------------------------------------------------------

/// A child process that runs `body` on a loop, and says through a pipe how far it is.
class Child {
 public:
  Child(LoopFactory factory, Coro<> (*body)(int)) {
    std::array<int, 2> pipe;
    EXPECT_EQ(::pipe2(pipe.data(), O_CLOEXEC), 0);
    child_ = ::fork();
    if (child_ == 0) {
      ::close(pipe[0]);
      ::close(2);  // the traceback of what comes out of main
      ::_exit(run_main(body(pipe[1]), RunOptions().loop_factory(factory)));
    }
    ::close(pipe[1]);
    from_ = pipe[0];
  }
  ~Child() {
    ::close(from_);
    if (child_ < 0) return;
    ::kill(child_, SIGKILL);
    ::waitpid(child_, nullptr, 0);
  }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  /// The next thing that the child says; 0 at its end.
  char heard() const {
    char what = 0;
    return ::read(from_, &what, 1) == 1 ? what : '\0';
  }
  void interrupt() const { ::kill(child_, SIGINT); }
  /// As a shell has it: 128 and the signal.
  int status() {
    int status = 0;
    ::waitpid(std::exchange(child_, -1), &status, 0);
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
  }

 private:
  pid_t child_;
  int from_ = -1;
};

void say(int pipe, char what) { (void)!::write(pipe, &what, 1); }

/// Waits for ever, and takes a turn to clean up.
Coro<> waiting(int pipe) {
  auto body = [pipe]() -> Coro<> {
    say(pipe, 'r');
    co_await asyncio::sleep(1h);
  };
  auto cleanup = [pipe]() -> Coro<> {
    say(pipe, 'c');
    co_await asyncio::sleep(10ms);
    say(pipe, 'd');
  };
  co_await try_(body).finally_(cleanup);
}

/// A clean-up that does not end.
Coro<> stubborn(int pipe) {
  auto body = [pipe]() -> Coro<> {
    say(pipe, 'r');
    co_await asyncio::sleep(1h);
  };
  auto cleanup = [pipe]() -> Coro<> {
    say(pipe, 'c');
    co_await asyncio::sleep(1h);
  };
  co_await try_(body).finally_(cleanup);
}

/// Does not let the loop run at all.
Coro<> busy(int pipe) {
  say(pipe, 'r');
  while (true) std::this_thread::sleep_for(1ms);
  co_return;
}

TEST_P(SignalFaults, fault112_interrupt_cancels_main_and_lets_it_clean_up) {
  Child child(test::factory_of(GetParam()), &waiting);
  EXPECT_EQ(child.heard(), 'r');
  child.interrupt();
  EXPECT_EQ(child.heard(), 'c');
  EXPECT_EQ(child.heard(), 'd');
  EXPECT_EQ(child.status(), 130);
}

TEST_P(SignalFaults, fault112_second_interrupt_forces_out_of_the_cleanup) {
  Child child(test::factory_of(GetParam()), &stubborn);
  EXPECT_EQ(child.heard(), 'r');
  child.interrupt();
  EXPECT_EQ(child.heard(), 'c');
  child.interrupt();
  EXPECT_EQ(child.heard(), '\0');
  EXPECT_EQ(child.status(), 130);
}

TEST_P(SignalFaults, fault112_second_interrupt_forces_out_of_what_does_not_let_the_loop_run) {
  Child child(test::factory_of(GetParam()), &busy);
  EXPECT_EQ(child.heard(), 'r');
  child.interrupt();
  std::this_thread::sleep_for(20ms);  // two that are pending at once are one to the system
  child.interrupt();
  EXPECT_EQ(child.heard(), '\0');
  EXPECT_EQ(child.status(), 130);
}

}  // namespace

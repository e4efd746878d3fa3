// SPDX-License-Identifier: BSL-1.0
// Fault 40: the descriptor that wakes a loop, when the system does not take what is written to it.
#include "asyncio/asyncio.hpp"
#include "asyncio/testing/simulated.hpp"
#include "backends.hpp"
#include "captures.hpp"
#include "gate.hpp"

#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <memory>
#include <string>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <system_error>
#include <thread>
#include <unistd.h>
#include <vector>

namespace {

enum class Trouble { none, interrupted, full };

std::atomic<Trouble> trouble{Trouble::none};  // for the next write to a wake-up descriptor
std::atomic<int> errors{0};                   // that such writes got
std::atomic<std::thread::id> writer{};        // writes of other threads are left alone

ssize_t system_write(int fd, const void* data, std::size_t size) {
  return ::syscall(SYS_write, fd, data, size);
}

}  // namespace

/// Stands before the C library's.
extern "C" ssize_t write(int fd, const void* data, std::size_t size) {
  if (size != sizeof(std::uint64_t) || writer.load() != std::this_thread::get_id())
    return system_write(fd, data, size);
  switch (trouble.exchange(Trouble::none)) {
    case Trouble::interrupted:
      ++errors;
      errno = EINTR;
      return -1;
    case Trouble::full: {
      std::uint64_t most = UINT64_MAX - 1;
      do {  // until the loop, which this wakes, does not empty it in between
        (void)system_write(fd, &most, sizeof most);
      } while (system_write(fd, data, size) >= 0);
      ++errors;
      return -1;
    }
    case Trouble::none:
      break;
  }
  return system_write(fd, data, size);
}

namespace {

using namespace asyncio;
using namespace std::chrono_literals;
using test::eventually;
using test::Gate;

class WakeTest : public test::BackendTest {};
INSTANTIATE_TEST_SUITE_P(Backends, WakeTest, test::all_backends, test::backend_name);

/// Posts until `what` has happened to a wake-up, then waits for that call.
void post_in_trouble(EventLoop loop, Trouble what) {
  writer = std::this_thread::get_id();
  errors = 0;
  trouble = what;
  while (errors == 0) {
    auto called = std::make_shared<Gate>();
    loop.call_soon_threadsafe([called] { called->open(); });
    called->wait();
  }
  writer = std::thread::id();
}

Coro<> idle_while(Trouble what) {
  EventLoop loop = get_running_loop();
  Event over;
  std::jthread thread([&] {
    post_in_trouble(loop, what);
    loop.call_soon_threadsafe([&] { over.set(); });
  });
  co_await over.wait();
}

TEST_P(WakeTest, fault40_an_interrupted_write_is_tried_again) {
  test::LogCapture log;
  run(idle_while, Trouble::interrupted);
  EXPECT_EQ(errors, 1);
  EXPECT_TRUE(log.records.empty()) << log.all();
}

TEST_P(WakeTest, fault40_a_full_counter_has_woken_the_loop_already) {
  test::LogCapture log;
  run(idle_while, Trouble::full);
  EXPECT_EQ(errors, 1);
  EXPECT_TRUE(log.records.empty()) << log.all();
}

// --- Refused -------------------------------------------------------------------------------------

std::vector<int> event_descriptors() {
  std::vector<int> found;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
    std::error_code gone;
    if (std::filesystem::read_symlink(entry, gone) == "anon_inode:[eventfd]")
      found.push_back(std::stoi(entry.path().filename()));
  }
  return found;
}

/// From now on write(fd, ...) is EPERM in this process.
void refuse_writes(int fd) {
  constexpr auto kNumber = static_cast<unsigned>(offsetof(seccomp_data, nr));
  constexpr auto kFirstArgument = static_cast<unsigned>(offsetof(seccomp_data, args));
  auto load = [](unsigned offset) {
    return sock_filter BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offset);
  };
  auto unless = [](unsigned value, unsigned char skipped) {
    return sock_filter BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, 0, skipped);
  };
  auto give = [](unsigned answer) { return sock_filter BPF_STMT(BPF_RET | BPF_K, answer); };
  std::array filter{load(kNumber),
                    unless(SYS_write, 3),
                    load(kFirstArgument),
                    unless(static_cast<unsigned>(fd), 1),
                    give(SECCOMP_RET_ERRNO | EPERM),
                    give(SECCOMP_RET_ALLOW)};
  sock_fprog program{static_cast<unsigned short>(filter.size()), filter.data()};
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
      ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0)
    std::_Exit(77);
}

/// Waits until the thread sleeps in the kernel.
void wait_until_asleep(pid_t thread) {
  std::string path = "/proc/self/task/" + std::to_string(thread) + "/stat";
  auto asleep = [&] {
    std::ifstream file(path);
    std::string number, name, state;
    file >> number >> name >> state;
    return state == "S";
  };
  if (!eventually(asleep)) std::_Exit(79);
}

pid_t this_thread() { return static_cast<pid_t>(::syscall(SYS_gettid)); }

/// Posts to a loop that sleeps until a timer of its own. Exits with 0 if nothing was lost.
[[noreturn]] void post_to_deaf_loop(EventLoop loop) {
  std::vector<int> descriptors = event_descriptors();
  if (descriptors.size() != 1) std::_Exit(78);
  refuse_writes(descriptors[0]);
  std::function<void()> tick = [&] { loop.call_later(50ms, tick); };
  tick();
  Gate running;
  loop.call_soon([&] { running.open(); });
  std::jthread thread([&, owner = this_thread()] {
    running.wait();
    wait_until_asleep(owner);
    loop.call_soon_threadsafe([&] { loop.stop(); });
  });
  loop.run_forever();
  thread.join();
  std::_Exit(0);
}

const char* const kDeaf =
    "asyncio ERROR: waking the event loop: Operation not permitted; what other threads give it "
    "waits until it wakes by itself";

TEST(Wake, fault40_a_refused_write_is_an_error_in_the_log_and_loses_nothing) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_EXIT(post_to_deaf_loop(new_epoll_event_loop()), ::testing::ExitedWithCode(0), kDeaf);
}

TEST(Wake, fault40_an_interrupt_that_cannot_wake_the_loop_ends_the_process) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  auto main = []() -> Coro<> {
    refuse_writes(event_descriptors().at(0));
    std::thread([owner = this_thread()] {
      wait_until_asleep(owner);
      ::kill(::getpid(), SIGINT);
    }).detach();
    co_await sleep(test::kPatience);
  };
  EXPECT_EXIT(run(main(), RunOptions().loop_factory(new_epoll_event_loop)),
              ::testing::KilledBySignal(SIGINT),
              "asyncio ERROR: a signal could not wake the event loop");
}

}  // namespace

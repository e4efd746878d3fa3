// SPDX-License-Identifier: BSL-1.0
#include "accounting.hpp"

#include "allocation_count.hpp"
#include "asyncio/detail/core/loop.hpp"
#include "asyncio/detail/core/recycler.hpp"
#include "rounds.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <dirent.h>
#include <fcntl.h>
#include <memory>
#include <optional>
#include <string_view>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <thread>
#include <unistd.h>

#if defined(__has_feature)
#define ASYNCIO_THREAD_SANITIZER __has_feature(thread_sanitizer)
#elif defined(__SANITIZE_THREAD__)
#define ASYNCIO_THREAD_SANITIZER 1
#endif

namespace {

/// How often something that was not open was closed. Its number may be somebody else's by then.
std::atomic<int> wrong_closes{0};

}  // namespace

#if !ASYNCIO_THREAD_SANITIZER  // which has its own
/// In the place of the C library's.
extern "C" int close(int fd) {
  const int result = static_cast<int>(::syscall(SYS_close, fd));
  if (result < 0 && errno == EBADF) ++wrong_closes;
  return result;
}
#endif

namespace test {

/// Only in programs that are linked with allocation_count.cpp.
[[gnu::weak]] Allocations allocations() noexcept;

namespace {

/// What the library and GoogleTest make when they are first used, and keep.
constexpr std::size_t kKeptBlocks = 16;
/// The thread sanitizer begins one of its own together with the program's first.
constexpr std::size_t kKeptThreads = kThreadSanitizer ? 1 : 0;

std::size_t allocated_blocks() noexcept {
  if (!allocations) return 0;
  Allocations now = allocations();
  return now.made - now.freed;
}

std::size_t entries(const char* folder) {
  std::unique_ptr<DIR, int (*)(DIR*)> open(::opendir(folder), ::closedir);
  std::size_t count = 0;
  while (open && ::readdir(open.get())) ++count;
  return count;
}

void compare(std::string& text, const char* what, std::size_t before, std::size_t now) {
  if (now <= before) return;
  text += (text.empty() ? "" : ", ") + std::to_string(now - before) + " " + what;
}

/// A descriptor that nobody but this object may close: who closes one twice, or one of somebody
/// else's, hits it sooner or later, since it has the lowest number that was free (R5).
class Canary {
 public:
  Canary() : fd_(::open("/dev/null", O_RDONLY | O_CLOEXEC)), before_(identity()) {}
  ~Canary() {
    if (alive()) ::close(fd_);
  }
  Canary(const Canary&) = delete;
  Canary& operator=(const Canary&) = delete;

  /// A process without descriptors has none to spare for it.
  bool alive() const { return fd_ < 0 || (identity() == before_ && before_ != 0); }

 private:
  ino_t identity() const {
    struct stat file{};
    return fd_ >= 0 && ::fstat(fd_, &file) == 0 ? file.st_ino : 0;
  }

  int fd_;
  ino_t before_;
};

/// Fails each test that leaves something behind.
class Accountant final : public ::testing::EmptyTestEventListener {
  /// What a shell starts in the background ignores Ctrl-C, and run() then leaves it alone.
  void OnTestProgramStart(const ::testing::UnitTest&) override { std::signal(SIGINT, SIG_DFL); }

  void OnTestStart(const ::testing::TestInfo&) override {
    wrong_closes = 0;
    canary_.emplace();
    before_.emplace();
  }

  void OnTestEnd(const ::testing::TestInfo& info) override {
    if (!canary_->alive()) ADD_FAILURE() << "a descriptor was closed by who does not own it (R5)";
    if (wrong_closes > 0 && !says(*info.result(), "closes_twice"))
      ADD_FAILURE() << "what was closed already was closed again (R5)";
    if (!info.result()->Failed() && !says(*info.result(), "leaves")) check();
    before_.reset();
    canary_.reset();
  }

  /// Of a test that does by intention what the others are not to do.
  static bool says(const ::testing::TestResult& result, std::string_view what) {
    for (int i = 0; i < result.test_property_count(); ++i)
      if (result.GetTestProperty(i).key() == what) return true;
    return false;
  }

  /// A thread that was joined is listed for a moment longer.
  void check() const {
    std::string surplus = before_->surplus_of(Account());
    for (int patience = 0; !surplus.empty() && patience < 2000; ++patience) {
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
      surplus = before_->surplus_of(Account());
    }
    EXPECT_TRUE(surplus.empty()) << "left behind: " << surplus;
  }

  std::optional<Canary> canary_;
  std::optional<Account> before_;
};

[[maybe_unused]] const bool hired = [] {
  ::testing::UnitTest::GetInstance()->listeners().Append(new Accountant);  // gtest deletes it
  return true;
}();

}  // namespace

Account::Account()
    : loops_(asyncio::detail::Loop::alive()),
      blocks_(asyncio::detail::Recycler::used_bytes()),
      threads_(entries("/proc/self/task")),
      descriptors_(entries("/proc/self/fd")),
      allocated_(allocated_blocks()) {}

std::string Account::surplus_of(const Account& now) const {
  std::string text;
  compare(text, "loops", loops_, now.loops_);
  compare(text, "bytes of coroutines, futures and handles", blocks_, now.blocks_);
  compare(text, "threads", threads_ + kKeptThreads, now.threads_);
  compare(text, "descriptors", descriptors_, now.descriptors_);
  compare(text, "blocks of the heap", allocated_ + kKeptBlocks, now.allocated_);
  return text;
}

}  // namespace test

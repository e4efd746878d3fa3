// SPDX-License-Identifier: BSL-1.0
// The log: whose lines they are, and what becomes of those that nobody reads.
#include "asyncio/logging.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cstdlib>
#include <fcntl.h>
#include <string>
#include <unistd.h>

using namespace asyncio;

namespace {

/// stderr goes into a pipe as long as this lives.
class StderrPipe {
 public:
  StderrPipe() : before_(::fcntl(2, F_DUPFD_CLOEXEC, 0)) {
    if (::pipe2(ends_.data(), O_CLOEXEC | O_NONBLOCK) != 0) std::abort();
    ::dup2(ends_[1], 2);
    ::close(ends_[1]);
  }
  ~StderrPipe() {
    ::dup2(before_, 2);
    ::close(before_);
    close_reader();
  }
  StderrPipe(const StderrPipe&) = delete;
  StderrPipe& operator=(const StderrPipe&) = delete;

  std::string read() const {
    std::array<char, 1000> room;
    ssize_t got = ::read(ends_[0], room.data(), room.size());
    return std::string(room.data(), got < 0 ? 0 : static_cast<std::size_t>(got));
  }
  void close_reader() {
    if (ends_[0] >= 0) ::close(ends_[0]);
    ends_[0] = -1;
  }

 private:
  int before_;
  std::array<int, 2> ends_{};
};

TEST(Logging, R10_a_line_says_whose_it_is) {
  StderrPipe pipe;
  log(LogLevel::warning, "ours");
  log(LogLevel::info, "shop", "yours");
  EXPECT_EQ(pipe.read(), "asyncio WARNING: ours\nshop INFO: yours\n");
}

TEST(Logging, A9_13_a_handler_gets_the_name) {
  std::string got;
  LogHandler before = set_log_handler([&got](const LogRecord& record) {
    got += record.logger + "/" + std::string(level_name(record.level)) + "/" + record.message + ";";
  });
  log(LogLevel::warning, "ours");
  log(LogLevel::info, "shop", "yours");
  set_log_handler(before);
  EXPECT_EQ(got, "asyncio/WARNING/ours;shop/INFO/yours;");
}

TEST(Logging, R17_a_line_that_nobody_reads_does_not_end_the_program) {
  {
    StderrPipe pipe;
    pipe.close_reader();
    log(LogLevel::error, "into nothing");
  }
  SUCCEED();  // SIGPIPE would have ended it
}

}  // namespace

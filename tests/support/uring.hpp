// SPDX-License-Identifier: BSL-1.0
/// Tests of what only io_uring has.
#pragma once

#include "asyncio/detail/backend/uring.hpp"
#include "asyncio/runner.hpp"
#include "asyncio/testing/faults.hpp"
#include "backends.hpp"
#include "folder.hpp"

#include <gtest/gtest.h>

#include <string>
#include <sys/stat.h>
#include <utility>

namespace test {

/// Skipped where there is no io_uring. Every test must leave as many descriptors as it found.
class UringTest : public ::testing::Test {
 public:
  void SetUp() override {
    std::string refusal = refusal_of("io_uring");
    if (!refusal.empty()) GTEST_SKIP() << refusal;
    before_ = open_descriptors();
  }
  void TearDown() override {
    if (before_ > 0) {
      EXPECT_EQ(open_descriptors(), before_) << "descriptors left open";
    }
  }

  /// asyncio::run on a ring with room for so many requests and completions.
  template <class F>
  auto run(F&& function, unsigned requests = 128, unsigned completions = 1024) {
    asyncio::RunOptions options;
    options.loop_factory([=, this] {
      asyncio::EventLoop loop = faults.new_uring_event_loop(requests, completions);
      EXPECT_EQ(loop.backend_name(), "io_uring");
      return loop;
    });
    return asyncio::run(options, std::forward<F>(function));
  }

  asyncio::testing::Faults faults;

 private:
  std::ptrdiff_t before_ = 0;
};

/// A named pipe: who opens it for reading waits until somebody opens it for writing.
inline std::string make_fifo(const Folder& folder) {
  std::string path = folder.file("fifo");
  EXPECT_EQ(::mkfifo(path.c_str(), 0600), 0);
  return path;
}

}  // namespace test

// SPDX-License-Identifier: BSL-1.0
/// Tests that run on every backend.
#pragma once

#include "asyncio/detail/backend/uring.hpp"
#include "asyncio/runner.hpp"
#include "asyncio/testing/simulated.hpp"
#include "gate.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <functional>
#include <iterator>
#include <string>
#include <utility>

namespace test {

/// How many descriptors the process has open.
inline std::ptrdiff_t open_descriptors() {
  return std::distance(std::filesystem::directory_iterator("/proc/self/fd"), {});
}

inline asyncio::LoopFactory factory_of(const std::string& backend) {
  if (backend == "simulated") return [] { return asyncio::testing::new_simulated_event_loop(); };
  if (backend == "io_uring") return asyncio::new_uring_event_loop;
  return asyncio::new_epoll_event_loop;
}

/// Why loops on this backend are others; empty if they are not.
inline std::string refusal_of(const std::string& backend) {
  std::string refusal;
  if (backend == "io_uring") asyncio::detail::make_uring_backend(refusal);
  return refusal;
}

/// A test case with the name of a backend as its parameter. Every `run` must leave as many
/// descriptors as it found.
class BackendTest : public ::testing::TestWithParam<std::string> {
 public:
  bool simulated() const { return GetParam() == "simulated"; }

  asyncio::RunOptions options() const {
    asyncio::RunOptions options;
    options.loop_factory(factory_of(GetParam()));
    return options;
  }

  void SetUp() override {
    std::string refusal = refusal_of(GetParam());
    if (!refusal.empty()) GTEST_SKIP() << refusal;
  }

  template <class F, class... Args>
  auto run(F&& function, Args&&... args) {
    before_ = open_descriptors();
    return asyncio::run(std::invoke(function, std::forward<Args>(args)...), options());
  }

  void TearDown() override {
    if (before_ > 0) {
      // A thread that nobody waits for, of a cancelled look-up say, may have one for a moment.
      EXPECT_TRUE(eventually([this] { return open_descriptors() == before_; }))
          << open_descriptors() - before_ << " descriptors left open";
    }
  }

 private:
  std::ptrdiff_t before_ = 0;
};

inline const auto all_backends = ::testing::Values("epoll", "io_uring", "simulated");
/// Those on the descriptors of the system.
inline const auto real_backends = ::testing::Values("epoll", "io_uring");
inline std::string backend_name(const ::testing::TestParamInfo<std::string>& info) {
  return info.param;
}

}  // namespace test

// SPDX-License-Identifier: BSL-1.0
/// Tests that run on every backend.
#pragma once

#include "asyncio/runner.hpp"
#include "asyncio/testing/simulated.hpp"

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

/// A test case with the name of a backend as its parameter. Every `run` must leave as many
/// descriptors as it found.
class BackendTest : public ::testing::TestWithParam<std::string> {
 public:
  bool simulated() const { return GetParam() == "simulated"; }

  asyncio::RunOptions options() const {
    asyncio::RunOptions options;
    options.loop_factory(simulated() ? asyncio::LoopFactory([] {
      return asyncio::testing::new_simulated_event_loop();
    })
                                     : asyncio::LoopFactory(asyncio::new_epoll_event_loop));
    return options;
  }

  template <class F, class... Args>
  auto run(F&& function, Args&&... args) {
    before_ = open_descriptors();
    return asyncio::run(std::invoke(function, std::forward<Args>(args)...), options());
  }

  void TearDown() override {
    if (before_ > 0) {
      EXPECT_EQ(open_descriptors(), before_) << "descriptors left open";
    }
  }

 private:
  std::ptrdiff_t before_ = 0;
};

inline const auto all_backends = ::testing::Values("epoll", "simulated");
inline std::string backend_name(const ::testing::TestParamInfo<std::string>& info) {
  return info.param;
}

}  // namespace test

// SPDX-License-Identifier: BSL-1.0
/// Tests with real children.
#pragma once

#include "asyncio/subprocess.hpp"
#include "backends.hpp"

#include <gtest/gtest.h>

#include <cerrno>
#include <string>
#include <sys/wait.h>

namespace test {

using asyncio::Coro;
using asyncio::PIPE;
using asyncio::Process;
using asyncio::SubprocessOptions;

/// After each test no child is left, running or as a zombie.
class ChildrenTest : public BackendTest {
 protected:
  void TearDown() override {
    BackendTest::TearDown();
    EXPECT_EQ(::waitpid(-1, nullptr, WNOHANG), -1) << "a child is left";
    EXPECT_EQ(errno, ECHILD);
  }
};

inline SubprocessOptions piped() {
  return SubprocessOptions().stdin(PIPE).stdout(PIPE).stderr(PIPE);
}

/// What a shell command prints.
inline Coro<std::string> output(SubprocessOptions options, std::string command) {
  options.stdout(PIPE);
  Process process = co_await asyncio::create_subprocess_shell(options, command);
  auto [out, err] = co_await process.communicate();
  co_return out;
}

}  // namespace test

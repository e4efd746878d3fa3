// SPDX-License-Identifier: BSL-1.0
// A GoogleTest main that runs the tests with a stack of 256 KiB, as after `ulimit -s 256`. The
// limit counts from the next exec on, so the program starts itself once more.
#include <gtest/gtest.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <sys/resource.h>
#include <unistd.h>

namespace {

constexpr rlim_t kStackBytes = 256 * 1024;

int fail(const char* operation) {
  std::fprintf(stderr, "%s: %s\n", operation, std::strerror(errno));
  return 1;
}

}  // namespace

int main(int argc, char** argv) {
  rlimit limit{};
  if (::getrlimit(RLIMIT_STACK, &limit) != 0) return fail("getrlimit");
  if (limit.rlim_cur != kStackBytes) {
    limit.rlim_cur = kStackBytes;
    if (::setrlimit(RLIMIT_STACK, &limit) != 0) return fail("setrlimit");
    ::execv("/proc/self/exe", argv);
    return fail("execv");
  }
  ::testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}

// SPDX-License-Identifier: BSL-1.0
/// A process that runs out of descriptors.
#pragma once

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>
#include <vector>

namespace test {

/// Whether the process may not be without descriptors: UBSan looks at types through a pipe.
#if defined(__has_feature)
#if __has_feature(undefined_behavior_sanitizer)
#define ASYNCIO_TEST_UBSAN
#endif
#endif
#ifdef ASYNCIO_TEST_UBSAN
inline constexpr bool kNeedsDescriptors = true;
#else
inline constexpr bool kNeedsDescriptors = false;
#endif

/// While it lives, so many more descriptors can be opened, and then there are no more (EMFILE).
class DescriptorLimit {
 public:
  explicit DescriptorLimit(unsigned spare) {
    ::getrlimit(RLIMIT_NOFILE, &before_);
    rlimit limit = before_;
    limit.rlim_cur = 0;
    for (unsigned free = 0; free < spare || in_use(limit.rlim_cur); ++limit.rlim_cur)
      if (!in_use(limit.rlim_cur)) ++free;
    ::setrlimit(RLIMIT_NOFILE, &limit);
  }
  ~DescriptorLimit() { lift(); }
  DescriptorLimit(const DescriptorLimit&) = delete;
  DescriptorLimit& operator=(const DescriptorLimit&) = delete;

  void lift() { ::setrlimit(RLIMIT_NOFILE, &before_); }

 private:
  static bool in_use(rlim_t fd) { return ::fcntl(static_cast<int>(fd), F_GETFD) >= 0; }

  rlimit before_{};
};

/// While it lives, it has all descriptors that the limit allows but for `spare`.
class DescriptorHoard {
 public:
  explicit DescriptorHoard(std::size_t spare) {
    for (int fd = ::dup(0); fd >= 0; fd = ::dup(0)) hoarded_.push_back(fd);
    while (!hoarded_.empty() && spare-- > 0) give_back();
  }
  ~DescriptorHoard() {
    while (!hoarded_.empty()) give_back();
  }
  DescriptorHoard(const DescriptorHoard&) = delete;
  DescriptorHoard& operator=(const DescriptorHoard&) = delete;

 private:
  void give_back() {
    ::close(hoarded_.back());
    hoarded_.pop_back();
  }

  std::vector<int> hoarded_;
};

}  // namespace test

// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "backends.hpp"
#include "told.hpp"

#include <cstddef>
#include <sys/stat.h>
#include <unistd.h>

namespace sweep {

/// What the process has open before an operation. One that gives nothing leaves nothing more. A
/// simulated loop has descriptors of its own, of which this knows nothing.
class LeftOpen {
 public:
  void begin() { before_ = test::open_descriptors(); }

  /// Some are closed in a later iteration.
  Coro<> require_nothing() const {
    auto nothing = [this] { return test::open_descriptors() <= before_; };
    bool is_nothing = co_await comes_true(nothing);
    require(is_nothing, "descriptors are left open");
  }

 private:
  std::ptrdiff_t before_ = 0;
};

/// A descriptor that a function takes, if it gets that far.
class GivenFd {
 public:
  explicit GivenFd(int number) : fd_(number) { ::fstat(fd_, &begin_); }
  void close_if_open() const {
    struct stat now{};
    if (::fstat(fd_, &now) == 0 && now.st_ino == begin_.st_ino) ::close(fd_);
  }

 private:
  int fd_;
  struct stat begin_{};
};

}  // namespace sweep

// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "asyncio/exceptions.hpp"

#include <cerrno>
#include <unistd.h>

namespace asyncio::detail {

/// The result of a system call; throws the OSError for a negative one.
inline int checked(int result, const char* operation) {
  if (result < 0) throw_os_error(errno, operation);
  return result;
}

/// A file descriptor that is closed once.
class Descriptor {
 public:
  explicit Descriptor(int fd) noexcept : fd_(fd) {}
  ~Descriptor() { reset(); }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;

  int get() const noexcept { return fd_; }
  void reset() noexcept {
    if (fd_ >= 0) ::close(fd_);  // never retried: after EINTR the number may be another's
    fd_ = -1;
  }

 private:
  int fd_;
};

}  // namespace asyncio::detail

// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "asyncio/exceptions.hpp"

#include <cstdint>
#include <unistd.h>

namespace asyncio::detail {

/// The result of a call through the SystemGate; throws the OSError for a negative one.
inline int checked(std::int64_t result, const char* operation) {
  if (result < 0) throw_os_error(static_cast<int>(-result), operation);
  return static_cast<int>(result);
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

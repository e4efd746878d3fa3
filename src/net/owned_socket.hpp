// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "asyncio/detail/backend/backend.hpp"

#include <utility>

namespace asyncio::detail {

/// A descriptor that nobody else owns yet: closed by its backend unless it is released.
class OwnedSocket {
 public:
  OwnedSocket(Backend& backend, int fd) noexcept : backend_(&backend), fd_(fd) {}
  OwnedSocket(OwnedSocket&& other) noexcept
      : backend_(other.backend_), fd_(std::exchange(other.fd_, -1)) {}
  OwnedSocket& operator=(OwnedSocket other) noexcept {
    std::swap(backend_, other.backend_);
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~OwnedSocket() {
    if (fd_ >= 0) backend_->close_fd(fd_);
  }

  int get() const noexcept { return fd_; }
  int release() noexcept { return std::exchange(fd_, -1); }

 private:
  Backend* backend_;
  int fd_;
};

}  // namespace asyncio::detail

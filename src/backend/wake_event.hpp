// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "descriptor.hpp"
#include "system_gate.hpp"

#include <cstdint>
#include <sys/eventfd.h>
#include <unistd.h>

namespace asyncio::detail {

/// An eventfd that ends a poll.
class WakeEvent {
 public:
  explicit WakeEvent(const SystemGate& gate)
      : fd_(checked(
            gate.call(SystemCall::eventfd, [] { return ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK); }),
            "eventfd")) {}

  int fd() const noexcept { return fd_.get(); }
  void close() noexcept { fd_.reset(); }

  /// Thread   any; async-signal-safe.
  void set() noexcept {
    std::uint64_t one = 1;
    // EAGAIN means that the counter is full: the loop is as good as woken.
    [[maybe_unused]] auto written = ::write(fd_.get(), &one, sizeof one);
  }

  void clear() noexcept {
    std::uint64_t count = 0;
    [[maybe_unused]] auto got = ::read(fd_.get(), &count, sizeof count);
  }

 private:
  Descriptor fd_;
};

}  // namespace asyncio::detail

// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "descriptor.hpp"
#include "system_gate.hpp"

#include <cerrno>
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

  /// Returns 0, or an error number (of a sandbox, or after somebody closed all descriptors).
  /// Thread   any; async-signal-safe.
  int set() noexcept {
    std::uint64_t one = 1;
    for (;;) {
      if (::write(fd_.get(), &one, sizeof one) >= 0) return 0;
      // The counter is full. An edge-triggered poll, which never empties it, sees only a write.
      if (errno == EAGAIN)
        clear();
      else if (errno != EINTR)
        return errno;
    }
  }

  /// If this fails, the next poll ends at once, too.
  void clear() noexcept {
    std::uint64_t count = 0;
    [[maybe_unused]] auto got = ::read(fd_.get(), &count, sizeof count);
  }

 private:
  Descriptor fd_;
};

}  // namespace asyncio::detail

// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "asyncio/detail/backend/backend.hpp"
#include "system_gate.hpp"

#include <chrono>

namespace asyncio::detail {

/// Whether the operation waits for room to write rather than for something to read.
constexpr bool waits_for_write(Opcode opcode) noexcept {
  switch (opcode) {
    case Opcode::connect:
    case Opcode::send:
    case Opcode::sendto:
    case Opcode::sendmsg:
    case Opcode::write:
    case Opcode::poll_writable:
    case Opcode::sendfile:
      return true;
    default:
      return false;
  }
}

/// The calls that are the same for every backend on the operating system's own sockets.
class SystemBackend : public Backend {
 public:
  TimePoint now() noexcept override { return Clock::now(); }
  int socket(int family, int type, int protocol) noexcept override;
  int bind(int fd, const sockaddr* address, std::uint32_t size) noexcept override;
  int listen(int fd, int backlog) noexcept override;
  int setsockopt(int fd, int level, int name, const void* value,
                 std::uint32_t size) noexcept override;
  int getsockopt(int fd, int level, int name, void* value, std::uint32_t& size) noexcept override;
  int getsockname(int fd, sockaddr* address, std::uint32_t& size) noexcept override;
  int getpeername(int fd, sockaddr* address, std::uint32_t& size) noexcept override;
  int shutdown(int fd, int how) noexcept override;
  std::int64_t socket_inode(const char* path) noexcept override;
  int unlink(const char* path) noexcept override;

 protected:
  explicit SystemBackend(FaultLayer* faults) : Backend(faults), gate_(faults) {}

  const SystemGate& gate() const noexcept { return gate_; }

  /// The time until `deadline`; none for TimePoint::min().
  static std::chrono::nanoseconds left(TimePoint deadline) noexcept;

  /// Does an operation with one non-blocking system call. Returns its result, or the negative error
  /// number; EINTR is retried. A connection that is being made is -EINPROGRESS. What would block,
  /// as files do, and what only waits is -EOPNOTSUPP.
  std::int64_t perform(Operation& operation) noexcept;

 private:
  std::int64_t perform_connect(const Operation& operation) noexcept;
  std::int64_t perform_read_write(const Operation& operation) noexcept;
  std::int64_t perform_sendfile(const Operation& operation) noexcept;

  SystemGate gate_;
};

}  // namespace asyncio::detail

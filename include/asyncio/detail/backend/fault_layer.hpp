// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>

namespace asyncio::detail {

/// What a backend asks of the system.
enum class SystemCall : std::uint8_t {
  accept,
  bind,
  close,
  connect,
  epoll_create,
  epoll_ctl,
  epoll_wait,
  eventfd,
  fcntl,
  getpeername,
  getsockname,
  getsockopt,
  listen,
  poll,
  read,
  recv,
  recvfrom,
  recvmsg,
  send,
  sendfile,
  sendmsg,
  sendto,
  setsockopt,
  shutdown,
  socket,
  write,
  count,  // how many there are
};

/// What becomes of one call.
struct Fault {
  int error = 0;                                               // it fails with this error number
  std::size_t most = std::numeric_limits<std::size_t>::max();  // it transfers so many bytes at most
};

/// Stands between a backend and the system, and makes calls fail. For tests.
class FaultLayer {
 public:
  /// Asked before each call.
  virtual Fault before(SystemCall call) noexcept = 0;

 protected:
  ~FaultLayer() = default;
};

}  // namespace asyncio::detail

// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

namespace asyncio::detail {

/// What a loop asks of the system: calls, those on files by an io_uring or in a thread, and from
/// ring_accept on the other requests to an io_uring.
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
  file_open,
  file_read,
  file_stat,
  file_sync,
  file_write,
  getpeername,
  getsockname,
  getsockopt,
  io_uring_enter,
  io_uring_setup,
  listen,
  pidfd_open,
  pipe2,
  poll,
  read,
  recv,
  recvfrom,
  send,
  sendfile,
  sendmsg,
  sendto,
  setsockopt,
  shutdown,
  socket,
  vfork,
  waitid,
  write,
  ring_accept,
  ring_cancel,
  ring_poll,
  ring_wake,
  count,  // how many there are
};

/// What becomes of one call.
struct Fault {
  int error = 0;                                               // it fails with this error number
  std::size_t most = std::numeric_limits<std::size_t>::max();  // it transfers so many bytes at most
  bool once = false;  // a request for several completions ends with the first
};

/// When its owner hears of an operation that has ended.
struct Lateness {
  unsigned polls = 0;  // so many polls of the loop later
  bool first = false;  // before those that it hears of in the same poll
};

/// What an io_uring says about a request.
struct RingCompletion {
  std::uint64_t request = 0;
  std::int32_t result = 0;
  std::uint32_t flags = 0;
};

/// Stands between a backend and the system, and makes calls fail. For tests.
class FaultLayer {
 public:
  /// Asked before each call.
  virtual Fault before(SystemCall call) noexcept = 0;
  /// Asked when an operation that had to wait for this call has ended.
  virtual Lateness lateness(SystemCall call) noexcept = 0;
  /// Whether the kernel knows a request to an io_uring; with io_uring_enter, how to wait for a
  /// time.
  virtual bool knows(SystemCall call) const noexcept = 0;
  /// May change the order of completions and hold some back until it is asked again.
  virtual void arrange(std::vector<RingCompletion>& completions) noexcept = 0;
  /// Whether it holds some back.
  virtual bool holding() const noexcept = 0;

 protected:
  ~FaultLayer() = default;
};

}  // namespace asyncio::detail

// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "asyncio/detail/core/ready.hpp"

#include <cstddef>
#include <cstdint>

namespace asyncio::detail {

/// What a backend can be asked to do. The fields of Operation that matter are in brackets; `fd` is
/// always one of them. Results are those of the system call, an error is its negative number.
enum class Opcode : std::uint8_t {
  accept,         // [address, address_size: room for the peer's] a descriptor
  connect,        // [address, address_size] 0
  recv,           // [buffer, size, flags] bytes, 0 at the end
  recvfrom,       // [the same; address, address_size: room for the sender's] bytes
  send,           // [buffer, size, flags] bytes
  sendto,         // [the same; address, address_size] bytes
  sendmsg,        // [buffer: a msghdr, flags] bytes
  read,           // [buffer, size, offset] bytes. Without an offset (-1): pipes and the like; with
                  // one: files, of which -EOPNOTSUPP says that they would block
  write,          // [the same] bytes
  poll_readable,  // 1 as soon as reading would not wait
  poll_writable,  // 1 as soon as writing would not wait
  sendfile,       // [other: the file, offset, size] bytes
  openat,  // [other: a directory or -1, buffer: the path, flags, size: the mode] a descriptor
  statx,   // [other, buffer: the path, flags, address: room for the result] 0
  fsync,   // 0
  close,   // 0
};

/// A request to a backend, inside the frame or object that waits for it. See Backend for who may
/// touch it when.
struct Operation : Ready {
  enum class Phase : std::uint8_t { idle, waiting, ended };

  explicit Operation(Run when_ended, Opcode what = Opcode::recv, int descriptor = -1) noexcept
      : Ready(when_ended), opcode(what), fd(descriptor) {}

  Opcode opcode;
  Phase phase = Phase::idle;  // written by the backend
  /// The descriptor is a byte stream that is read and written through its backend alone. So the
  /// backend may conclude from a short read that there is no more to read, and a poll operation may
  /// end early: the caller tries, and asks again after EAGAIN.
  bool stream = false;
  /// For accept: the owner goes on to accept, so the backend may take connections in advance.
  bool repeated = false;
  bool submitted = false;  // for the backend: the kernel has it,
  bool cancelled = false;  // and it was cancelled since
  int fd;
  int other = -1;
  int flags = 0;
  void* buffer = nullptr;
  std::size_t size = 0;
  std::int64_t offset = -1;
  void* address = nullptr;
  std::uint32_t address_size = 0;
  std::int64_t result = 0;
};

}  // namespace asyncio::detail

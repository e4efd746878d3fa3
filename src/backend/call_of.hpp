// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "asyncio/detail/backend/fault_layer.hpp"
#include "asyncio/detail/backend/operation.hpp"

namespace asyncio::detail {

/// Under which name a fault finds an operation: the system call that it is, or the request.
inline SystemCall call_of(const Operation& op) noexcept {
  switch (op.opcode) {
    case Opcode::accept:
      return SystemCall::accept;
    case Opcode::connect:
      return SystemCall::connect;
    case Opcode::recv:
      return SystemCall::recv;
    case Opcode::recvfrom:
      return SystemCall::recvfrom;
    case Opcode::send:
      return SystemCall::send;
    case Opcode::sendto:
      return SystemCall::sendto;
    case Opcode::sendmsg:
      return SystemCall::sendmsg;
    case Opcode::read:
      return op.offset < 0 ? SystemCall::read : SystemCall::file_read;
    case Opcode::write:
      return op.offset < 0 ? SystemCall::write : SystemCall::file_write;
    case Opcode::poll_readable:
    case Opcode::poll_writable:
      return SystemCall::poll;
    case Opcode::sendfile:
      return SystemCall::sendfile;
    case Opcode::openat:
      return SystemCall::file_open;
    case Opcode::statx:
      return SystemCall::file_stat;
    case Opcode::fsync:
      return SystemCall::file_sync;
    case Opcode::close:
      return SystemCall::close;
  }
  return SystemCall::count;
}

}  // namespace asyncio::detail

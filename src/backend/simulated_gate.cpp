// SPDX-License-Identifier: BSL-1.0
#include "simulated_gate.hpp"

#include "call_of.hpp"

#include <algorithm>
#include <cerrno>
#include <limits>
#include <sys/uio.h>

namespace asyncio::detail {

namespace {

/// What the network says as a system call says it, with errno, which is what the gate asks for.
template <class F>
auto as_call(F function) {
  return [function]() -> std::int64_t {
    std::int64_t result = function();
    if (result >= 0) return result;
    errno = static_cast<int>(-result);
    return -1;
  };
}

bool has_size(Opcode opcode) noexcept {
  switch (opcode) {
    case Opcode::recv:
    case Opcode::recvfrom:
    case Opcode::read:
    case Opcode::send:
    case Opcode::sendto:
    case Opcode::write:
      return true;
    default:
      return false;
  }
}

}  // namespace

std::int64_t SimulatedGate::perform(Socket& socket, Operation& op) noexcept {
  if (!gate_.faults()) return SimulatedNetwork::perform(socket, op);
  if (op.opcode == Opcode::close)
    return SimulatedNetwork::perform(socket, op);  // which calls what is behind the gate
  std::size_t size = has_size(op.opcode) ? op.size : std::numeric_limits<std::size_t>::max();
  return gate_.transfer(call_of(op), size, [&](std::size_t most) {
    return as_call([&] { return transfer(socket, op, most); })();
  });
}

/// `most` bytes at most.
std::int64_t SimulatedGate::transfer(Socket& socket, Operation& op, std::size_t most) noexcept {
  std::size_t size = op.size;
  void* buffer = op.buffer;
  msghdr message{};
  iovec part{};
  if (has_size(op.opcode)) {
    op.size = std::min(size, most);
  } else if (op.opcode == Opcode::sendmsg && most < std::numeric_limits<std::size_t>::max()) {
    message = *static_cast<const msghdr*>(buffer);
    while (message.msg_iovlen > 1 && message.msg_iov->iov_len == 0)
      ++message.msg_iov, --message.msg_iovlen;
    if (message.msg_iovlen > 0) {
      part = {message.msg_iov->iov_base, std::min(message.msg_iov->iov_len, most)};
      message.msg_iov = &part;
      message.msg_iovlen = 1;
      op.buffer = &message;
    }
  }
  std::int64_t result = SimulatedNetwork::perform(socket, op);
  op.size = size;
  op.buffer = buffer;
  return result;
}

int SimulatedGate::socket(int family, int type, int protocol) noexcept {
  return static_cast<int>(gate_.call(SystemCall::socket, as_call([&] {
                                       return SimulatedNetwork::socket(family, type, protocol);
                                     })));
}

int SimulatedGate::bind(int fd, const sockaddr* address, std::uint32_t size) noexcept {
  return static_cast<int>(gate_.call(
      SystemCall::bind, as_call([&] { return SimulatedNetwork::bind(fd, address, size); })));
}

int SimulatedGate::listen(int fd, int backlog) noexcept {
  return static_cast<int>(gate_.call(
      SystemCall::listen, as_call([&] { return SimulatedNetwork::listen(fd, backlog); })));
}

int SimulatedGate::setsockopt(int fd, int level, int name, const void* value,
                              std::uint32_t size) noexcept {
  return static_cast<int>(gate_.call(
      SystemCall::setsockopt,
      as_call([&] { return SimulatedNetwork::setsockopt(fd, level, name, value, size); })));
}

int SimulatedGate::getsockopt(int fd, int level, int name, void* value,
                              std::uint32_t& size) noexcept {
  return static_cast<int>(gate_.call(
      SystemCall::getsockopt,
      as_call([&] { return SimulatedNetwork::getsockopt(fd, level, name, value, size); })));
}

int SimulatedGate::getsockname(int fd, sockaddr* address, std::uint32_t& size) noexcept {
  return static_cast<int>(gate_.call(SystemCall::getsockname, as_call([&] {
                                       return SimulatedNetwork::getsockname(fd, address, size);
                                     })));
}

int SimulatedGate::getpeername(int fd, sockaddr* address, std::uint32_t& size) noexcept {
  return static_cast<int>(gate_.call(SystemCall::getpeername, as_call([&] {
                                       return SimulatedNetwork::getpeername(fd, address, size);
                                     })));
}

int SimulatedGate::shutdown(int fd, int how) noexcept {
  return static_cast<int>(gate_.call(SystemCall::shutdown,
                                     as_call([&] { return SimulatedNetwork::shutdown(fd, how); })));
}

int SimulatedGate::close_fd(int fd) noexcept {
  return static_cast<int>(
      gate_.once(SystemCall::close, as_call([&] { return SimulatedNetwork::close_fd(fd); })));
}

}  // namespace asyncio::detail

// SPDX-License-Identifier: BSL-1.0
#include "system_backend.hpp"

#include <cerrno>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <unistd.h>

namespace asyncio::detail {

namespace {

/// Calls until the call is not interrupted.
template <class F>
std::int64_t retried(F call) noexcept {
  for (;;) {
    std::int64_t result = call();
    if (result >= 0) return result;
    if (errno != EINTR) return -errno;
  }
}

int checked_call(int result) noexcept { return result < 0 ? -errno : result; }

std::int64_t do_accept(Operation& op) noexcept {
  return retried([&] {
    return ::accept4(op.fd, static_cast<sockaddr*>(op.address),
                     op.address ? &op.address_size : nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
  });
}

/// An interrupted connect goes on by itself; calling it again would be an error.
std::int64_t do_connect(const Operation& op) noexcept {
  if (::connect(op.fd, static_cast<const sockaddr*>(op.address), op.address_size) == 0) return 0;
  return errno == EINTR ? -EINPROGRESS : -errno;
}

std::int64_t do_recvfrom(Operation& op) noexcept {
  return retried([&] {
    return ::recvfrom(op.fd, op.buffer, op.size, op.flags, static_cast<sockaddr*>(op.address),
                      op.address ? &op.address_size : nullptr);
  });
}

std::int64_t do_sendfile(const Operation& op) noexcept {
  off_t offset = op.offset;
  return retried(
      [&] { return ::sendfile(op.fd, op.other, op.offset < 0 ? nullptr : &offset, op.size); });
}

/// With an offset these are for files, where the call would block the loop.
std::int64_t do_read_write(const Operation& op) noexcept {
  if (op.offset >= 0) return -EOPNOTSUPP;
  if (op.opcode == Opcode::read) return retried([&] { return ::read(op.fd, op.buffer, op.size); });
  return retried([&] { return ::write(op.fd, op.buffer, op.size); });
}

}  // namespace

std::int64_t perform(Operation& op) noexcept {
  switch (op.opcode) {
    case Opcode::accept:
      return do_accept(op);
    case Opcode::connect:
      return do_connect(op);
    case Opcode::recv:
      return retried([&] { return ::recv(op.fd, op.buffer, op.size, op.flags); });
    case Opcode::recvfrom:
      return do_recvfrom(op);
    case Opcode::recvmsg:
      return retried([&] {
        return ::recvmsg(op.fd, static_cast<msghdr*>(op.buffer), op.flags | MSG_CMSG_CLOEXEC);
      });
    case Opcode::send:
      return retried([&] { return ::send(op.fd, op.buffer, op.size, op.flags | MSG_NOSIGNAL); });
    case Opcode::sendto:
      return retried([&] {
        return ::sendto(op.fd, op.buffer, op.size, op.flags | MSG_NOSIGNAL,
                        static_cast<const sockaddr*>(op.address), op.address_size);
      });
    case Opcode::sendmsg:
      return retried([&] {
        return ::sendmsg(op.fd, static_cast<const msghdr*>(op.buffer), op.flags | MSG_NOSIGNAL);
      });
    case Opcode::read:
    case Opcode::write:
      return do_read_write(op);
    case Opcode::sendfile:
      return do_sendfile(op);
    case Opcode::shutdown:
      return checked_call(::shutdown(op.fd, op.flags));
    case Opcode::splice:
    case Opcode::poll_readable:
    case Opcode::poll_writable:
    case Opcode::openat:
    case Opcode::statx:
    case Opcode::fsync:
    case Opcode::close:
      break;
  }
  return -EOPNOTSUPP;
}

bool waits_for_write(Opcode opcode) noexcept {
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

int SystemBackend::socket(int family, int type, int protocol) noexcept {
  return checked_call(::socket(family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, protocol));
}

int SystemBackend::bind(int fd, const sockaddr* address, std::uint32_t size) noexcept {
  return checked_call(::bind(fd, address, size));
}

int SystemBackend::listen(int fd, int backlog) noexcept {
  return checked_call(::listen(fd, backlog));
}

int SystemBackend::setsockopt(int fd, int level, int name, const void* value,
                              std::uint32_t size) noexcept {
  return checked_call(::setsockopt(fd, level, name, value, size));
}

int SystemBackend::getsockopt(int fd, int level, int name, void* value,
                              std::uint32_t& size) noexcept {
  return checked_call(::getsockopt(fd, level, name, value, &size));
}

int SystemBackend::getsockname(int fd, sockaddr* address, std::uint32_t& size) noexcept {
  return checked_call(::getsockname(fd, address, &size));
}

int SystemBackend::getpeername(int fd, sockaddr* address, std::uint32_t& size) noexcept {
  return checked_call(::getpeername(fd, address, &size));
}

int SystemBackend::shutdown(int fd, int how) noexcept { return checked_call(::shutdown(fd, how)); }

}  // namespace asyncio::detail

// SPDX-License-Identifier: BSL-1.0
#include "system_backend.hpp"

#include "core/without_sigpipe.hpp"

#include <algorithm>
#include <cerrno>
#include <limits>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

namespace asyncio::detail {

namespace {

constexpr std::size_t kEverything = std::numeric_limits<std::size_t>::max();

/// The first bytes of a message, for a call that is to send fewer.
std::int64_t send_first(int fd, const msghdr& message, std::size_t most, int flags) noexcept {
  const iovec* parts = message.msg_iov;
  for (std::size_t i = 0; i < message.msg_iovlen; ++i)
    if (parts[i].iov_len > 0)
      return ::send(fd, parts[i].iov_base, std::min(parts[i].iov_len, most), flags);
  return 0;
}

}  // namespace

std::int64_t SystemBackend::perform(Operation& op) noexcept {
  switch (op.opcode) {
    case Opcode::accept:
      return gate_.retried(SystemCall::accept, [&] {
        return ::accept4(op.fd, static_cast<sockaddr*>(op.address),
                         op.address ? &op.address_size : nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
      });
    case Opcode::connect:
      return perform_connect(op);
    case Opcode::recv:
      return gate_.transfer(SystemCall::recv, op.size, [&](std::size_t size) {
        return ::recv(op.fd, op.buffer, size, op.flags);
      });
    case Opcode::recvfrom:
      return gate_.transfer(SystemCall::recvfrom, op.size, [&](std::size_t size) {
        return ::recvfrom(op.fd, op.buffer, size, op.flags, static_cast<sockaddr*>(op.address),
                          op.address ? &op.address_size : nullptr);
      });
    case Opcode::send:
      return gate_.transfer(SystemCall::send, op.size, [&](std::size_t size) {
        return ::send(op.fd, op.buffer, size, op.flags | MSG_NOSIGNAL);
      });
    case Opcode::sendto:
      return gate_.transfer(SystemCall::sendto, op.size, [&](std::size_t size) {
        return ::sendto(op.fd, op.buffer, size, op.flags | MSG_NOSIGNAL,
                        static_cast<const sockaddr*>(op.address), op.address_size);
      });
    case Opcode::sendmsg:
      return gate_.transfer(SystemCall::sendmsg, kEverything, [&](std::size_t size) {
        const auto& message = *static_cast<const msghdr*>(op.buffer);
        int flags = op.flags | MSG_NOSIGNAL;
        if (size != kEverything) return send_first(op.fd, message, size, flags);
        return static_cast<std::int64_t>(::sendmsg(op.fd, &message, flags));
      });
    case Opcode::read:
    case Opcode::write:
      return perform_read_write(op);
    case Opcode::sendfile:
      return perform_sendfile(op);
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

/// An interrupted connect goes on by itself; calling it again would be an error.
std::int64_t SystemBackend::perform_connect(const Operation& op) noexcept {
  std::int64_t result = gate_.once(SystemCall::connect, [&] {
    return ::connect(op.fd, static_cast<const sockaddr*>(op.address), op.address_size);
  });
  return result == -EINTR ? -EINPROGRESS : result;
}

std::int64_t SystemBackend::perform_sendfile(const Operation& op) noexcept {
  return gate_.transfer(SystemCall::sendfile, op.size, [&](std::size_t size) {
    off_t offset = op.offset;
    return without_sigpipe(
        [&] { return ::sendfile(op.fd, op.other, op.offset < 0 ? nullptr : &offset, size); });
  });
}

/// With an offset these are for files, where the call would block the loop.
std::int64_t SystemBackend::perform_read_write(const Operation& op) noexcept {
  if (op.offset >= 0) return -EOPNOTSUPP;
  if (op.opcode == Opcode::read)
    return gate_.transfer(SystemCall::read, op.size,
                          [&](std::size_t size) { return ::read(op.fd, op.buffer, size); });
  return gate_.transfer(SystemCall::write, op.size, [&](std::size_t size) {
    return without_sigpipe([&] { return ::write(op.fd, op.buffer, size); });
  });
}

std::chrono::nanoseconds SystemBackend::left(TimePoint deadline) noexcept {
  if (deadline == TimePoint::min()) return {};
  return std::max(deadline - Clock::now(), TimePoint::duration::zero());
}

int SystemBackend::socket(int family, int type, int protocol) noexcept {
  return static_cast<int>(gate_.call(SystemCall::socket, [&] {
    return ::socket(family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, protocol);
  }));
}

int SystemBackend::bind(int fd, const sockaddr* address, std::uint32_t size) noexcept {
  return static_cast<int>(gate_.call(SystemCall::bind, [&] { return ::bind(fd, address, size); }));
}

int SystemBackend::listen(int fd, int backlog) noexcept {
  return static_cast<int>(gate_.call(SystemCall::listen, [&] { return ::listen(fd, backlog); }));
}

int SystemBackend::setsockopt(int fd, int level, int name, const void* value,
                              std::uint32_t size) noexcept {
  return static_cast<int>(gate_.call(SystemCall::setsockopt,
                                     [&] { return ::setsockopt(fd, level, name, value, size); }));
}

int SystemBackend::getsockopt(int fd, int level, int name, void* value,
                              std::uint32_t& size) noexcept {
  return static_cast<int>(gate_.call(SystemCall::getsockopt,
                                     [&] { return ::getsockopt(fd, level, name, value, &size); }));
}

int SystemBackend::getsockname(int fd, sockaddr* address, std::uint32_t& size) noexcept {
  return static_cast<int>(
      gate_.call(SystemCall::getsockname, [&] { return ::getsockname(fd, address, &size); }));
}

int SystemBackend::getpeername(int fd, sockaddr* address, std::uint32_t& size) noexcept {
  return static_cast<int>(
      gate_.call(SystemCall::getpeername, [&] { return ::getpeername(fd, address, &size); }));
}

int SystemBackend::shutdown(int fd, int how) noexcept {
  return static_cast<int>(gate_.call(SystemCall::shutdown, [&] { return ::shutdown(fd, how); }));
}

std::int64_t SystemBackend::socket_inode(const char* path) noexcept {
  struct stat file{};
  if (::stat(path, &file) != 0) return -errno;
  return S_ISSOCK(file.st_mode) ? static_cast<std::int64_t>(file.st_ino) : -ENOTSOCK;
}

int SystemBackend::unlink(const char* path) noexcept { return ::unlink(path) == 0 ? 0 : -errno; }

}  // namespace asyncio::detail

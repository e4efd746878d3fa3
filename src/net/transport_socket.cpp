// SPDX-License-Identifier: BSL-1.0
#include "asyncio/transport_socket.hpp"

#include "asyncio/detail/backend/backend.hpp"
#include "asyncio/exceptions.hpp"
#include "sockaddr.hpp"

#include <cerrno>
#include <fcntl.h>
#include <sys/socket.h>

namespace asyncio {

namespace {

/// `call` is one of the backend, which is gone after a closed socket.
template <class F>
void ask(const detail::SocketHolder& holder, const char* what, F call) {
  int fd = holder.socket_number();
  int result = fd < 0 ? -EBADF : call(holder.socket_backend(), fd);
  if (result < 0) throw_os_error(-result, what);
}

}  // namespace

int TransportSocket::type() const { return getsockopt(SOL_SOCKET, SO_TYPE); }
int TransportSocket::proto() const { return getsockopt(SOL_SOCKET, SO_PROTOCOL); }

SocketAddress TransportSocket::getsockname() const {
  detail::RawAddress raw;
  ask(*holder_, "getsockname", [&](detail::Backend& backend, int fd) {
    return backend.getsockname(fd, raw.get(), raw.size);
  });
  return detail::SocketAddressAccess::from_raw(raw);
}

SocketAddress TransportSocket::getpeername() const {
  detail::RawAddress raw;
  ask(*holder_, "getpeername", [&](detail::Backend& backend, int fd) {
    return backend.getpeername(fd, raw.get(), raw.size);
  });
  return detail::SocketAddressAccess::from_raw(raw);
}

int TransportSocket::getsockopt(int level, int name) const {
  int value = 0;
  std::uint32_t size = sizeof value;
  ask(*holder_, "getsockopt", [&](detail::Backend& backend, int fd) {
    return backend.getsockopt(fd, level, name, &value, size);
  });
  return value;
}

std::string TransportSocket::getsockopt(int level, int name, std::size_t size) const {
  std::string value(size, '\0');
  auto count = static_cast<std::uint32_t>(size);
  ask(*holder_, "getsockopt", [&](detail::Backend& backend, int fd) {
    return backend.getsockopt(fd, level, name, value.data(), count);
  });
  value.resize(count);
  return value;
}

void TransportSocket::setsockopt(int level, int name, int value) const {
  ask(*holder_, "setsockopt", [&](detail::Backend& backend, int fd) {
    return backend.setsockopt(fd, level, name, &value, sizeof value);
  });
}

void TransportSocket::setsockopt(int level, int name, std::string_view value) const {
  ask(*holder_, "setsockopt", [&](detail::Backend& backend, int fd) {
    return backend.setsockopt(fd, level, name, value.data(),
                              static_cast<std::uint32_t>(value.size()));
  });
}

int TransportSocket::dup() const {
  int fd = -1;
  ask(*holder_, "dup", [&](detail::Backend& backend, int number) {
    if (!backend.has_system_descriptors()) return -EOPNOTSUPP;
    fd = ::fcntl(number, F_DUPFD_CLOEXEC, 0);
    return fd < 0 ? -errno : 0;
  });
  return fd;
}

void TransportSocket::shutdown(int how) const {
  ask(*holder_, "shutdown",
      [&](detail::Backend& backend, int fd) { return backend.shutdown(fd, how); });
}

}  // namespace asyncio

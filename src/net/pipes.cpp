// SPDX-License-Identifier: BSL-1.0
// Order and messages follow asyncio/unix_events.py, _UnixReadPipeTransport and
// _UnixWritePipeTransport.
#include "asyncio/pipes.hpp"

#include "asyncio/detail/net/connect.hpp"
#include "asyncio/exceptions.hpp"
#include "owned_socket.hpp"

#include <cerrno>
#include <string>
#include <sys/stat.h>

namespace asyncio {

namespace detail {

namespace {

Medium checked_medium(int fd, bool writes) {
  struct stat file{};
  if (::fstat(fd, &file) != 0) throw_os_error(errno, "descriptor " + std::to_string(fd));
  bool device = S_ISCHR(file.st_mode);
  if (!device && !S_ISFIFO(file.st_mode) && !S_ISSOCK(file.st_mode))
    throw ValueError(writes ? "Pipe transport is only for pipes, sockets and character devices"
                            : "Pipe transport is for pipes/sockets only.");
  if (!writes) return Medium::read_pipe;
  return device ? Medium::device : Medium::write_pipe;
}

}  // namespace

Coro<Ref<Connection>> connect_pipe(Backend& backend, int fd, std::size_t limit, bool writes) {
  check_limit(limit);
  Medium medium = checked_medium(fd, writes);
  backend.check_not_owned(fd);
  if (int error = backend.adopt(fd); error < 0)
    throw_os_error(-error, "descriptor " + std::to_string(fd));
  OwnedSocket owned(backend, fd);
  auto connection = Ref<Connection>::adopt(new Connection(backend, fd, limit, medium));
  owned.release();
  co_return connection;
}

}  // namespace detail

Coro<StreamReader> connect_read_pipe(int fd, std::size_t limit) {
  detail::Backend& backend = detail::backend_of(detail::running_loop());
  auto connection = co_await detail::connect_pipe(backend, fd, limit, false);
  co_return StreamReader(connection);
}

Coro<StreamWriter> connect_write_pipe(int fd) {
  detail::Backend& backend = detail::backend_of(detail::running_loop());
  auto connection = co_await detail::connect_pipe(backend, fd, kDefaultLimit, true);
  co_return StreamWriter(connection);
}

}  // namespace asyncio

// SPDX-License-Identifier: BSL-1.0
// loop.sendfile and loop.sock_sendfile. Order and messages follow asyncio/base_events.py and
// unix_events.py.
#include "asyncio/detail/core/loop.hpp"
#include "asyncio/detail/net/operation_wait.hpp"
#include "asyncio/detail/net/transport_calls.hpp"
#include "asyncio/eventloop.hpp"
#include "asyncio/exceptions.hpp"
#include "asyncio/threads.hpp"
#include "connection_transport.hpp"

#include <algorithm>
#include <cerrno>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

namespace asyncio {

namespace detail {

namespace {

using Count = std::optional<std::size_t>;

/// As CPython's constants.SENDFILE_FALLBACK_READBUFFER_SIZE.
constexpr std::size_t kBlock = 256 * 1024;

/// What one sendfile(2) is asked for at most.
constexpr std::size_t kMost = 1 << 30;

void check_arguments(std::int64_t offset, Count count) {
  if (count && *count == 0) throw ValueError("count must be a positive integer (got 0)");
  if (offset < 0)
    throw ValueError("offset must be a non-negative integer (got " + std::to_string(offset) + ")");
}

/// How far a file was sent; leaves its position there.
class Progress {
 public:
  Progress(int file, std::int64_t offset, Count count) noexcept
      : file_(file), offset_(offset), count_(count) {}
  ~Progress() {
    if (total_ > 0) ::lseek(file_, offset(), SEEK_SET);
  }
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  int file() const noexcept { return file_; }
  std::int64_t offset() const noexcept { return offset_ + static_cast<std::int64_t>(total_); }
  std::size_t total() const noexcept { return total_; }
  std::size_t wanted(std::size_t most) const noexcept {
    return count_ ? std::min(*count_ - total_, most) : most;
  }
  void add(std::size_t sent) noexcept { total_ += sent; }

 private:
  int file_;
  std::int64_t offset_;
  Count count_;
  std::size_t total_ = 0;
};

/// Only of files is it known that sendfile(2) finds their bytes.
void check_file(int file) {
  struct stat status{};
  if (::fstat(file, &status) != 0)
    throw_os_error(errno, "sendfile of descriptor " + std::to_string(file));
  if (!S_ISREG(status.st_mode)) throw SendfileNotAvailableError("not a regular file");
}

/// Whether the error is about what was asked for, not about this connection.
bool not_available(std::int64_t error) noexcept {
  return error == -EINVAL || error == -ENOSYS || error == -EOPNOTSUPP || error == -EOVERFLOW;
}

/// By sendfile(2), to a socket that may be a connection's.
Coro<void> send_natively(Backend& backend, int sock, Progress& progress,
                         Connection* connection = nullptr) {
  bool stream = connection != nullptr;
  while (progress.wanted(kMost) > 0) {
    // Its descriptor may be another's by now.
    if (connection) connection->throw_if_unwritable();
    Operation op([](Ready&) {}, Opcode::sendfile, sock);
    op.stream = stream;
    op.other = progress.file();
    op.offset = progress.offset();
    op.size = progress.wanted(kMost);
    std::int64_t sent = backend.attempt(op);
    if (sent == 0) co_return;  // the end of the file
    if (sent > 0) {
      progress.add(static_cast<std::size_t>(sent));
      continue;
    }
    if (sent != -EAGAIN) {
      if (progress.total() == 0 && not_available(sent))
        throw SendfileNotAvailableError("os.sendfile call failed");
      throw_os_error(static_cast<int>(-sent),
                     "sendfile, after " + std::to_string(progress.total()) + " bytes");
    }
    OperationWait ready(backend, Opcode::poll_writable, sock);
    static_cast<Operation&>(ready).stream = stream;
    std::int64_t waited = co_await std::move(ready);
    if (waited < 0 && connection) connection->throw_if_unwritable();  // closed meanwhile
    if (waited < 0)
      throw_os_error(static_cast<int>(-waited),
                     "sendfile, after " + std::to_string(progress.total()) + " bytes");
  }
}

/// A block of a file, or of something that is read like one.
std::string read_block(int file, std::int64_t offset, std::size_t size) {
  std::string block(size, '\0');
  ssize_t count = 0;
  do {
    count = ::pread(file, block.data(), size, offset);
    if (count < 0 && errno == ESPIPE) count = ::read(file, block.data(), size);
  } while (count < 0 && errno == EINTR);
  if (count < 0) throw_os_error(errno, "read of descriptor " + std::to_string(file));
  block.resize(static_cast<std::size_t>(count));
  return block;
}

/// By reading in a thread and `write(block)`.
template <class Write>
Coro<void> send_by_blocks(Progress& progress, Write& write) {
  while (std::size_t size = progress.wanted(kBlock)) {
    std::string block = co_await to_thread(&read_block, progress.file(), progress.offset(), size);
    if (block.empty()) co_return;
    std::size_t count = block.size();
    co_await write(std::move(block));
    progress.add(count);
  }
}

/// No other bytes go between those of the file.
class Exclusive {
 public:
  explicit Exclusive(Ref<Connection> connection) : connection_(std::move(connection)) {
    connection_->set_sending_file(true);
  }
  ~Exclusive() { connection_->set_sending_file(false); }
  Exclusive(const Exclusive&) = delete;
  Exclusive& operator=(const Exclusive&) = delete;

 private:
  Ref<Connection> connection_;
};

Coro<void> send_on_connection(Ref<Connection> connection, Progress& progress) {
  Backend& backend = connection->backend();
  check_file(progress.file());
  if (connection->tls()) throw SendfileNotAvailableError("what is sent has to be encrypted");
  if (!backend.supports(Opcode::sendfile) || !backend.has_system_descriptors())
    throw SendfileNotAvailableError("the event loop has no sendfile");
  Exclusive exclusive(connection);
  DrainAll drained(connection);
  co_await std::move(drained);
  co_await send_natively(backend, connection->fileno(), progress, connection.get());
}

Coro<std::size_t> send_file(Ref<Connection> connection, int file, std::int64_t offset, Count count,
                            bool fallback) {
  check_arguments(offset, count);
  if (connection->closing()) throw RuntimeError("Transport is closing");
  if (connection->medium() != Medium::socket)
    throw RuntimeError("sendfile is not supported for transport of a pipe");
  if (connection->sending_file()) throw RuntimeError("unable to write; sendfile is in progress");
  Progress progress(file, offset, count);
  bool available = true;
  try {
    co_await send_on_connection(connection, progress);
  } catch (const SendfileNotAvailableError&) {
    if (!fallback) throw;
    available = false;
  }
  if (!available) {
    auto write = [&](std::string block) -> Coro<void> {
      connection->write(std::move(block));
      Drain drain(connection);
      co_await std::move(drain);
    };
    co_await send_by_blocks(progress, write);
  }
  co_return progress.total();
}

Coro<std::size_t> send_on_socket(Loop& loop, int sock, int file, std::int64_t offset, Count count,
                                 bool fallback) {
  check_arguments(offset, count);
  loop.check_schedulable();
  Backend& backend = backend_of(loop);
  backend.check_not_owned(sock);
  EventLoop handle = loop.handle();
  Progress progress(file, offset, count);
  bool available = true;
  try {
    check_file(file);
    co_await send_natively(backend, sock, progress);
  } catch (const SendfileNotAvailableError&) {
    if (!fallback) throw;
    available = false;
  }
  backend.release(sock);  // it is the caller's
  if (!available) {
    auto write = [&](std::string block) -> Coro<void> {
      co_await handle.sock_sendall(sock, block);
    };
    co_await send_by_blocks(progress, write);
  }
  co_return progress.total();
}

}  // namespace

Coro<std::size_t> send_file(StreamWriter writer, int file, std::int64_t offset, Count count,
                            bool fallback) {
  return send_file(writer.connection(), file, offset, count, fallback);
}

Coro<std::size_t> send_file(std::shared_ptr<Transport> transport, int file, std::int64_t offset,
                            Count count, bool fallback) {
  const Ref<Connection>* connection = own_connection(*transport);
  if (!connection) throw TypeError("sendfile is not supported for this transport");
  return send_file(*connection, file, offset, count, fallback);
}

}  // namespace detail

Coro<std::size_t> EventLoop::sock_sendfile(int sock, int file, std::int64_t offset,
                                           std::optional<std::size_t> count, bool fallback) {
  return detail::send_on_socket(*loop_, sock, file, offset, count, fallback);
}

}  // namespace asyncio

// SPDX-License-Identifier: BSL-1.0
#include "asyncio/files.hpp"

#include "asyncio/detail/core/loop.hpp"
#include "asyncio/detail/net/operation_wait.hpp"
#include "asyncio/exceptions.hpp"
#include "asyncio/threads.hpp"
#include "open_file.hpp"

#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <sys/stat.h>
#include <utility>

namespace asyncio {

namespace detail {

namespace {

using Descriptor = std::shared_ptr<FileDescriptor>;

/// What one read of a whole file asks for.
constexpr std::size_t kBlock = 256 * 1024;

/// What a new file may be used for, before the umask.
constexpr mode_t kNewFile = 0666;

int flags_of(const std::string& mode) {
  std::string kind;
  bool updates = false, bytes = false, known = true;
  for (char letter : mode) {
    if (letter == '+')
      known &= !std::exchange(updates, true);
    else if (letter == 'b')
      known &= !std::exchange(bytes, true);
    else
      kind += letter;
  }
  int access = updates ? O_RDWR : kind == "r" ? O_RDONLY : O_WRONLY;
  if (known && kind == "r") return access;
  if (known && kind == "w") return access | O_CREAT | O_TRUNC;
  if (known && kind == "a") return access | O_CREAT | O_APPEND;
  if (known && kind == "x") return access | O_CREAT | O_EXCL;
  throw ValueError("invalid mode: '" + mode + "'");
}

/// A folder can be opened for reading, but not read. Python: FileIO, which asks in the same way. An
/// open file is in the kernel's memory: this does not wait.
Descriptor checked(Descriptor file, const std::string& path) {
  struct stat status{};
  if (::fstat(file->fd, &status) == 0 && S_ISDIR(status.st_mode))
    throw_os_error(EISDIR, "open " + path);
  return file;
}

// --- By the kernel, where the backend has such requests ----------------------------------------

/// Closes what an open brought about if nobody takes it.
class UndoOpen {
 public:
  UndoOpen(Backend& backend, Operation& open) noexcept : backend_(backend), open_(open) {
    open.result = -1;
  }
  ~UndoOpen() {
    backend_.forget(open_);
    if (open_.result >= 0) ::close(static_cast<int>(open_.result));
  }
  UndoOpen(const UndoOpen&) = delete;
  UndoOpen& operator=(const UndoOpen&) = delete;

  Descriptor take() {
    auto taken = std::make_shared<FileDescriptor>(static_cast<int>(open_.result));
    open_.result = -1;
    return taken;
  }

 private:
  Backend& backend_;
  Operation& open_;
};

Coro<Descriptor> open_natively(Backend& backend, std::string path, int flags) {
  OperationWait open(backend, Opcode::openat, -1);
  UndoOpen undo(backend, open);
  open.buffer = path.data();
  open.flags = flags;
  open.Operation::size = kNewFile;
  std::int64_t result = co_await std::move(open);
  if (result < 0) throw_os_error(static_cast<int>(-result), "open " + path);
  co_return checked(undo.take(), path);
}

Coro<std::int64_t> transfer_natively(Backend& backend, Opcode what, const Descriptor& file,
                                     char* bytes, std::size_t size, std::uint64_t offset) {
  OperationWait transfer(backend, what, file->fd);
  transfer.buffer = bytes;
  transfer.size = size;
  transfer.offset = static_cast<std::int64_t>(offset);
  std::int64_t result = co_await std::move(transfer);
  co_return result;
}

// --- By a thread ------------------------------------------------------------------------------

/// `call()` again and again while it is interrupted; its result or the negative error number, which
/// may be that of the fault, without a call.
template <class F>
std::int64_t made(const Fault& fault, F call) {
  if (fault.error) return -fault.error;
  for (;;) {
    auto result = call();
    if (result >= 0) return result;
    if (errno != EINTR) return -errno;
  }
}

Descriptor open_here(const std::string& path, int flags, const Fault& fault) {
  std::int64_t fd = made(fault, [&] { return ::open(path.c_str(), flags | O_CLOEXEC, kNewFile); });
  if (fd < 0) throw_os_error(static_cast<int>(-fd), "open " + path);
  return checked(std::make_shared<FileDescriptor>(static_cast<int>(fd)), path);
}

/// Up to `size` bytes; the thread has its own, in case that nobody waits for them any more.
std::pair<std::string, std::int64_t> read_here(const Descriptor& file, std::uint64_t offset,
                                               std::size_t size, const Fault& fault) {
  std::string bytes(std::min(size, fault.most), '\0');
  std::int64_t count = made(fault, [&] {
    return ::pread(file->fd, bytes.data(), bytes.size(), static_cast<off_t>(offset));
  });
  bytes.resize(count > 0 ? static_cast<std::size_t>(count) : 0);
  return {std::move(bytes), count};
}

/// The bytes from `done` on, at `offset` and as many behind it.
std::int64_t write_here(const Descriptor& file, std::uint64_t offset,
                        const std::shared_ptr<const Bytes>& bytes, std::size_t done,
                        const Fault& fault) {
  return made(fault, [&] {
    return ::pwrite(file->fd, bytes->data() + done, std::min(bytes->size() - done, fault.most),
                    static_cast<off_t>(offset + done));
  });
}

std::int64_t fsync_here(const Descriptor& file, const Fault& fault) {
  return made(fault, [&] { return ::fsync(file->fd); });
}

std::pair<struct statx, std::int64_t> statx_here(const Descriptor& file, const Fault& fault) {
  struct statx found{};
  std::int64_t error =
      made(fault, [&] { return ::statx(file->fd, "", AT_EMPTY_PATH, STATX_BASIC_STATS, &found); });
  return {found, error};
}

// --- Either -----------------------------------------------------------------------------------

/// Whether the backend does what files need.
bool is_native(const Backend& backend) noexcept {
  return backend.supports(Opcode::openat) && backend.supports(Opcode::statx) &&
         backend.supports(Opcode::fsync);
}

Coro<Bytes> read_from(std::shared_ptr<OpenFile> file, Descriptor descriptor, std::uint64_t offset,
                      std::size_t size) {
  Backend& backend = backend_of(running_loop());
  Bytes bytes;
  std::int64_t count = -EOPNOTSUPP;
  if (is_native(backend)) {
    bytes.resize(size);
    count =
        co_await transfer_natively(backend, Opcode::read, descriptor, bytes.data(), size, offset);
    bytes.resize(count > 0 ? static_cast<std::size_t>(count) : 0);
  }
  if (count == -EOPNOTSUPP) {
    Fault fault = backend.next_fault(SystemCall::file_read);
    auto got = co_await to_thread(&read_here, descriptor, offset, size, fault);
    bytes = std::move(got.first);
    count = got.second;
  }
  if (count < 0) throw_os_error(static_cast<int>(-count), "read " + file->path);
  co_return bytes;
}

/// How many bytes, or the negative error number.
Coro<std::int64_t> write_some(Backend& backend, Descriptor descriptor, std::uint64_t offset,
                              std::shared_ptr<const Bytes> bytes, std::size_t done) {
  std::int64_t count = -EOPNOTSUPP;
  if (is_native(backend)) {
    char* rest = const_cast<char*>(bytes->data()) + done;  // which a write leaves as they are
    count = co_await transfer_natively(backend, Opcode::write, descriptor, rest,
                                       bytes->size() - done, offset + done);
  }
  if (count == -EOPNOTSUPP) {
    Fault fault = backend.next_fault(SystemCall::file_write);
    count = co_await to_thread(&write_here, descriptor, offset, bytes, done, fault);
  }
  co_return count;
}

Coro<void> write_to(std::shared_ptr<OpenFile> file, Descriptor descriptor, std::uint64_t offset,
                    Bytes data) {
  Backend& backend = backend_of(running_loop());
  auto bytes = std::make_shared<const Bytes>(std::move(data));  // a thread may need it for longer
  for (std::size_t done = 0; done < bytes->size();) {
    std::int64_t count = co_await write_some(backend, descriptor, offset, bytes, done);
    if (count <= 0)
      throw_os_error(count < 0 ? static_cast<int>(-count) : EIO, "write " + file->path);
    done += static_cast<std::size_t>(count);
  }
}

Descriptor opened(const OpenFile& file) {
  if (!file.descriptor) throw RuntimeError("the file is closed: " + file.path);
  return file.descriptor;
}

/// A read or write at the position: one at a time.
class AtPosition {
 public:
  explicit AtPosition(OpenFile& file) : file_(file) {
    if (std::exchange(file.busy, true))
      throw RuntimeError("another read or write at the position is under way: " + file.path);
  }
  ~AtPosition() { file_.busy = false; }
  AtPosition(const AtPosition&) = delete;
  AtPosition& operator=(const AtPosition&) = delete;

 private:
  OpenFile& file_;
};

Coro<Bytes> read_at_position(std::shared_ptr<OpenFile> file, std::ptrdiff_t count) {
  Descriptor descriptor = opened(*file);
  AtPosition at_position(*file);
  Bytes all;
  while (count != 0) {
    std::size_t size = count < 0 ? kBlock : static_cast<std::size_t>(count);
    Bytes bytes = co_await read_from(file, descriptor, file->position + all.size(), size);
    bool end = bytes.empty() || count > 0;
    if (all.empty())
      all = std::move(bytes);
    else
      all += bytes;
    if (end) break;
  }
  file->position += all.size();
  co_return all;
}

Coro<void> write_at_position(std::shared_ptr<OpenFile> file, Bytes data) {
  Descriptor descriptor = opened(*file);
  AtPosition at_position(*file);
  std::size_t size = data.size();
  if (size == 0) co_return;
  co_await write_to(file, descriptor, file->position, std::move(data));
  file->position += size;
}

FileStatus status_of(const struct statx& found) {
  using namespace std::chrono;
  auto modified = seconds(found.stx_mtime.tv_sec) + nanoseconds(found.stx_mtime.tv_nsec);
  return FileStatus(found.stx_size, found.stx_mode, found.stx_ino,
                    system_clock::time_point(duration_cast<system_clock::duration>(modified)));
}

Coro<FileStatus> status_of_file(std::shared_ptr<OpenFile> file) {
  Backend& backend = backend_of(running_loop());
  Descriptor descriptor = opened(*file);
  struct statx found{};
  std::int64_t result = -EOPNOTSUPP;
  if (is_native(backend)) {
    char empty_path[] = "";
    OperationWait stat(backend, Opcode::statx, -1);
    stat.other = descriptor->fd;
    stat.buffer = empty_path;
    stat.flags = AT_EMPTY_PATH;
    stat.address = &found;
    result = co_await std::move(stat);
  }
  if (result == -EOPNOTSUPP) {
    Fault fault = backend.next_fault(SystemCall::file_stat);
    std::pair<struct statx, std::int64_t> answer =
        co_await to_thread(&statx_here, descriptor, fault);
    found = answer.first;
    result = answer.second;
  }
  if (result < 0) throw_os_error(static_cast<int>(-result), "stat " + file->path);
  co_return status_of(found);
}

Coro<void> sync_file(std::shared_ptr<OpenFile> file) {
  Backend& backend = backend_of(running_loop());
  Descriptor descriptor = opened(*file);
  std::int64_t result = -EOPNOTSUPP;
  if (is_native(backend)) {
    OperationWait sync(backend, Opcode::fsync, descriptor->fd);
    result = co_await std::move(sync);
  }
  if (result == -EOPNOTSUPP) {
    Fault fault = backend.next_fault(SystemCall::file_sync);
    result = co_await to_thread(&fsync_here, descriptor, fault);
  }
  if (result < 0) throw_os_error(static_cast<int>(-result), "fsync " + file->path);
}

Coro<Bytes> read_elsewhere(std::shared_ptr<OpenFile> file, std::uint64_t offset,
                           std::size_t count) {
  Bytes bytes = co_await read_from(file, opened(*file), offset, count);
  co_return bytes;
}

Coro<void> write_elsewhere(std::shared_ptr<OpenFile> file, std::uint64_t offset, Bytes data) {
  if (data.empty()) co_return;
  co_await write_to(file, opened(*file), offset, std::move(data));
}

}  // namespace

}  // namespace detail

bool FileStatus::is_regular() const noexcept { return S_ISREG(mode_); }
bool FileStatus::is_directory() const noexcept { return S_ISDIR(mode_); }

Coro<Bytes> File::read(std::ptrdiff_t count) const {
  return detail::read_at_position(file_, count);
}
Coro<void> File::write(Bytes data) const {
  return detail::write_at_position(file_, std::move(data));
}
Coro<Bytes> File::read_at(std::uint64_t offset, std::size_t count) const {
  return detail::read_elsewhere(file_, offset, count);
}
Coro<void> File::write_at(std::uint64_t offset, Bytes data) const {
  return detail::write_elsewhere(file_, offset, std::move(data));
}
Coro<FileStatus> File::stat() const { return detail::status_of_file(file_); }
Coro<void> File::fsync() const { return detail::sync_file(file_); }

std::uint64_t File::tell() const noexcept { return file_->position; }
void File::seek(std::uint64_t position) const noexcept { file_->position = position; }
const std::string& File::path() const noexcept { return file_->path; }
int File::fileno() const noexcept { return file_->descriptor ? file_->descriptor->fd : -1; }
void File::close() const noexcept { file_->descriptor.reset(); }

Coro<bool> File::aexit(std::exception_ptr) const {
  close();
  co_return false;
}

Coro<File> detail::open_with_flags(std::string path, int flags) {
  Backend& backend = backend_of(running_loop());
  if (path.find('\0') != std::string::npos) throw ValueError("embedded null byte");
  Descriptor descriptor;
  if (is_native(backend)) {
    descriptor = co_await open_natively(backend, path, flags);
  } else {
    Fault fault = backend.next_fault(SystemCall::file_open);
    descriptor = co_await to_thread(&open_here, path, flags, fault);
  }
  co_return File(std::make_shared<OpenFile>(std::move(path), std::move(descriptor)));
}

Coro<File> open_file(std::string path, std::string mode) {
  File file = co_await detail::open_with_flags(std::move(path), detail::flags_of(mode));
  co_return file;
}

}  // namespace asyncio

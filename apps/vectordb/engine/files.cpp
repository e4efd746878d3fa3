// SPDX-License-Identifier: BSL-1.0
#include "vectordb/engine/files.hpp"

#include "vectordb/engine/errors.hpp"

#include <cerrno>
#include <cstdio>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

namespace vectordb {

File::File(std::string path, int flags)
    : path_(std::move(path)), descriptor_(::open(path_.c_str(), flags | O_CLOEXEC, 0644)) {
  if (descriptor_ < 0) fail("open");
}

File::~File() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

void File::fail(const char* operation) const { throw StorageError(operation, path_, errno); }

std::uint64_t File::size() const {
  struct stat status{};
  if (::fstat(descriptor_, &status) != 0) fail("stat");
  return static_cast<std::uint64_t>(status.st_size);
}

void File::write_at(std::uint64_t offset, std::span<const char> bytes) {
  while (!bytes.empty()) {
    ssize_t count = ::pwrite(descriptor_, bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) fail("write");
    offset += static_cast<std::uint64_t>(count);
    bytes = bytes.subspan(static_cast<std::size_t>(count));
  }
}

std::size_t File::read_at(std::uint64_t offset, std::span<char> bytes) const {
  std::size_t total = 0;
  while (total < bytes.size()) {
    ssize_t count = ::pread(descriptor_, bytes.data() + total, bytes.size() - total,
                            static_cast<off_t>(offset + total));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) fail("read");
    if (count == 0) break;
    total += static_cast<std::size_t>(count);
  }
  return total;
}

void File::truncate(std::uint64_t size) {
  if (::ftruncate(descriptor_, static_cast<off_t>(size)) != 0) fail("truncate");
}

void File::sync_data() {
  if (::fdatasync(descriptor_) != 0) fail("fdatasync");
}

void File::sync() {
  if (::fsync(descriptor_) != 0) fail("fsync");
}

void File::rename(const std::string& path) {
  rename_path(path_, path);
  path_ = path;
}

bool File::try_lock() {
  if (::flock(descriptor_, LOCK_EX | LOCK_NB) == 0) return true;
  if (errno != EWOULDBLOCK) fail("lock");
  return false;
}

void sync_folder(const std::string& path) { File(path, O_RDONLY | O_DIRECTORY).sync(); }

void rename_path(const std::string& from, const std::string& to) {
  if (::rename(from.c_str(), to.c_str()) != 0) throw StorageError("rename", from, errno);
}

}  // namespace vectordb

// SPDX-License-Identifier: BSL-1.0
/// Descriptors that a test makes itself.
#pragma once

#include <cstdlib>
#include <fcntl.h>
#include <string>
#include <sys/types.h>
#include <unistd.h>
#include <utility>

namespace test {

/// Closed at the end.
class OwnFd {
 public:
  explicit OwnFd(int number = -1) noexcept : fd(number) {}
  OwnFd(OwnFd&& other) noexcept : fd(std::exchange(other.fd, -1)) {}
  ~OwnFd() { close(); }
  void close() {
    if (fd >= 0) ::close(std::exchange(fd, -1));
  }
  int fd;
};

/// A file without a name.
class TemporaryFile {
 public:
  explicit TemporaryFile(const std::string& content, off_t at = 0) {
    char name[] = "/tmp/asyncio.XXXXXX";
    fd = ::mkostemp(name, O_CLOEXEC);
    ::unlink(name);
    for (std::size_t done = 0; done < content.size();) {
      ssize_t count =
          ::pwrite(fd, content.data() + done, content.size() - done, at + static_cast<off_t>(done));
      if (count <= 0) break;
      done += static_cast<std::size_t>(count);
    }
  }
  ~TemporaryFile() { ::close(fd); }
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;
  off_t position() const { return ::lseek(fd, 0, SEEK_CUR); }
  int fd;
};

}  // namespace test

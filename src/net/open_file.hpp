// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "asyncio/coro.hpp"
#include "asyncio/files.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <unistd.h>

namespace asyncio::detail {

/// A descriptor of a file, closed by whoever has it last: perhaps a thread that still reads.
class FileDescriptor {
 public:
  explicit FileDescriptor(int number) noexcept : fd(number) {}
  ~FileDescriptor() { ::close(fd); }
  FileDescriptor(const FileDescriptor&) = delete;
  FileDescriptor& operator=(const FileDescriptor&) = delete;

  const int fd;
};

/// What is behind a File.
class OpenFile {
 public:
  OpenFile(std::string name, std::shared_ptr<FileDescriptor> number)
      : path(std::move(name)), descriptor(std::move(number)) {}

  std::string path;
  std::shared_ptr<FileDescriptor> descriptor;  // null once it is closed
  std::uint64_t position = 0;
  bool busy = false;  // with a read or write at the position
};

/// As open_file, with the flags of open(2).
Coro<File> open_with_flags(std::string path, int flags);

}  // namespace asyncio::detail

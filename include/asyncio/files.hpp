// SPDX-License-Identifier: BSL-1.0
/// Files that are read and written without stopping the loop. Beyond asyncio, which has none.
#pragma once

#include "asyncio/coro.hpp"
#include "asyncio/streams.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <string>
#include <utility>

namespace asyncio {

namespace detail {
class OpenFile;
}

/// What the system says about a file.
class FileStatus {
 public:
  FileStatus(std::uint64_t bytes, unsigned mode, std::uint64_t inode,
             std::chrono::system_clock::time_point modified) noexcept
      : size_(bytes), mode_(mode), inode_(inode), modified_(modified) {}

  /// In bytes.
  std::uint64_t size() const noexcept { return size_; }
  /// Type and permissions, as st_mode.
  unsigned mode() const noexcept { return mode_; }
  std::uint64_t inode() const noexcept { return inode_; }
  std::chrono::system_clock::time_point modified() const noexcept { return modified_; }
  bool is_regular() const noexcept;
  bool is_directory() const noexcept;

 private:
  std::uint64_t size_;
  unsigned mode_;
  std::uint64_t inode_;
  std::chrono::system_clock::time_point modified_;
};

/// An open file. A handle: copies name the same file and share its position. It is closed with its
/// last handle. On io_uring the kernel does the work, elsewhere threads of the default executor.
///
/// Every member that awaits:
/// Throws   OSError with the path; RuntimeError if the file is closed, or if another read or write
///          at the position is under way.
/// Cancel   a write may have been done, in whole or in part; the position has not moved.
/// Thread   the loop's.
class File {
 public:
  /// Up to `count` bytes at the position; all up to the end if it is negative. None at the end.
  Coro<Bytes> read(std::ptrdiff_t count = -1) const;
  /// All the bytes, at the position; in mode "a" at the end of the file.
  Coro<void> write(Bytes data) const;

  /// The same elsewhere than at the position, which stays. Any number at a time.
  Coro<Bytes> read_at(std::uint64_t offset, std::size_t count) const;
  Coro<void> write_at(std::uint64_t offset, Bytes data) const;

  Coro<FileStatus> stat() const;
  /// What was written is on the disk when this returns.
  Coro<void> fsync() const;

  std::uint64_t tell() const noexcept;
  void seek(std::uint64_t position) const noexcept;
  const std::string& path() const noexcept;
  /// The descriptor, which stays the file's; -1 once it is closed.
  int fileno() const noexcept;

  /// Nothing more is begun; the descriptor is closed when what is under way is over.
  void close() const noexcept;

  // For with(): closes the file.
  File& aenter() noexcept { return *this; }
  Coro<bool> aexit(std::exception_ptr error) const;

  explicit File(std::shared_ptr<detail::OpenFile> file) noexcept : file_(std::move(file)) {}

 private:
  std::shared_ptr<detail::OpenFile> file_;
};

/// Opens a file in a mode of Python's: "r", "w", "a", "x", each perhaps with "+" and "b".
///
/// Throws   FileNotFoundError, PermissionError, FileExistsError, IsADirectoryError or another
///          OSError with the path; ValueError for another mode or a path with a zero byte.
/// Cancel   nothing stays open; a new file may have been made.
/// Thread   the loop's.
Coro<File> open_file(std::string path, std::string mode = "r");

}  // namespace asyncio

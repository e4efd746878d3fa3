// SPDX-License-Identifier: BSL-1.0
/// Files whose errors are StorageErrors with their path.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <utility>

namespace vectordb {

/// An open descriptor.
class File {
 public:
  /// `flags` as of open(2); close-on-exec is added.
  File(std::string path, int flags);
  File(File&& other) noexcept
      : path_(std::move(other.path_)), descriptor_(std::exchange(other.descriptor_, -1)) {}
  File& operator=(File&& other) noexcept {
    std::swap(path_, other.path_);
    std::swap(descriptor_, other.descriptor_);
    return *this;
  }
  ~File();

  const std::string& path() const noexcept { return path_; }
  std::uint64_t size() const;
  void write_at(std::uint64_t offset, std::span<const char> bytes);
  /// As many as there are, up to `bytes.size()`.
  std::size_t read_at(std::uint64_t offset, std::span<char> bytes) const;
  void truncate(std::uint64_t size);
  void sync_data();
  void sync();
  /// Takes the place of what has that path.
  void rename(const std::string& path);
  /// Whether nobody else has it locked; held until it is closed.
  bool try_lock();

 private:
  [[noreturn]] void fail(const char* operation) const;

  std::string path_;
  int descriptor_ = -1;
};

/// So that new names in it, or those that are gone, survive a power failure.
void sync_folder(const std::string& path);
void rename_path(const std::string& from, const std::string& to);

}  // namespace vectordb

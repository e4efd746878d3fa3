// SPDX-License-Identifier: BSL-1.0
/// Where the records go.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace crawler {

/// A file, or stdout, that gets a line at a time.
class Output {
 public:
  /// stdout unless there is a path.
  /// Throws: OSError if it cannot be opened.
  explicit Output(const std::string& path);
  Output(const Output&) = delete;
  Output& operator=(const Output&) = delete;
  ~Output();

  /// Throws: OSError if it cannot be written.
  void append(std::string_view line);
  /// How long the file is.
  std::uint64_t size() const noexcept { return size_; }
  /// Drops what is behind: the last words of a program that was killed. Not for stdout.
  void truncate(std::uint64_t size);

 private:
  std::string name_;
  int descriptor_;
  std::uint64_t size_ = 0;
};

}  // namespace crawler

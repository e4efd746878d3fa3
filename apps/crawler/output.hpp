// SPDX-License-Identifier: BSL-1.0
/// Where the records go.
#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>

namespace crawler {

/// A file that is not the one that a state belongs to.
class OutputError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

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
  bool is_terminal() const noexcept;
  /// Drops what is behind: the last words of a program that was killed. Does nothing to what keeps
  /// no bytes: stdout, a pipe, a device.
  /// Throws: OutputError if the file is shorter, and records are missing.
  void truncate(std::uint64_t size);

 private:
  std::string name_;
  int descriptor_;
  bool keeps_ = false;  // a file, and not stdout
  std::uint64_t size_ = 0;
};

}  // namespace crawler

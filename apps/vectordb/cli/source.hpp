// SPDX-License-Identifier: BSL-1.0
/// Where `insert` takes its points from: a file, a pipe, or standard input.
#pragma once

#include "vectordb/cli/input.hpp"

#include <cstddef>
#include <cstdint>
#include <istream>
#include <memory>
#include <optional>
#include <string>

namespace vectordb::cli {

/// A descriptor that is read; a wait for more of it can be ended.
class InterruptibleFile;

/// Points of a file. Whoever is in batch() holds a reference: its thread may outlive the command.
class Source {
 public:
  /// "-" is standard input; `format` is empty for what the file's name says.
  /// Throws: InputError if it cannot be opened.
  Source(const std::string& file, std::string format, std::uint64_t first_id);
  Source(const Source&) = delete;
  Source& operator=(const Source&) = delete;
  ~Source();

  /// As PointReader's; blocks, also for the first bytes of the file.
  ///
  /// Throws   InputError.
  /// Thread   any, one at a time.
  Batch batch(std::size_t count);
  /// How many bytes there are; 0 if that is not known.
  ///
  /// Thread   any.
  std::size_t bytes() const noexcept { return bytes_.value_or(0); }
  /// The file is at its end from now on, also for a thread that waits for more of it.
  ///
  /// Thread   any.
  void stop() noexcept;

 private:
  std::string name_, format_;
  std::uint64_t first_id_;
  std::unique_ptr<InterruptibleFile> file_;
  std::optional<std::uint64_t> bytes_;
  std::istream input_;
  std::unique_ptr<PointReader> reader_;
};

}  // namespace vectordb::cli

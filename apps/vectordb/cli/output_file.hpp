// SPDX-License-Identifier: BSL-1.0
/// Where an export goes.
#pragma once

#include "vectordb/cli/termination.hpp"

#include <cstdio>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

struct stat;

namespace vectordb::cli {

/// Standard output, or a file. A file is written beside the one of its name, with the mode of that,
/// and takes its place in close(): what was there stays if the export fails or is stopped. A link
/// stays, what it names is replaced; what is no regular file (/dev/stdout, a FIFO) is written in
/// its place.
///
/// Throws   OSError, "cannot write to points.jsonl: No space left on device".
class OutputFile {
 public:
  /// "-" is standard output.
  explicit OutputFile(const std::string& path);
  ~OutputFile();
  OutputFile(const OutputFile&) = delete;
  OutputFile& operator=(const OutputFile&) = delete;

  void write(std::string_view text);
  void close();
  bool is_terminal() const noexcept;

 private:
  OutputFile() = default;

  struct Close {
    void operator()(std::FILE* file) const noexcept { std::fclose(file); }
  };

  void open_beside(const struct stat* replaced);
  [[noreturn]] void fail() const;

  std::string path_;
  std::string temporary_;  // empty: written in its place
  std::optional<Termination> termination_;
  std::unique_ptr<std::FILE, Close> file_;  // null is standard output
};

}  // namespace vectordb::cli

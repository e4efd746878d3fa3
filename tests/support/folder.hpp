// SPDX-License-Identifier: BSL-1.0
/// A folder of a test.
#pragma once

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <system_error>

namespace test {

/// A new one, which goes with all that is in it.
class Folder {
 public:
  Folder() : path_(std::filesystem::temp_directory_path() / "asyncio-test-XXXXXX") {
    if (!::mkdtemp(path_.data()))
      throw std::system_error(errno, std::generic_category(), "mkdtemp " + path_);
  }
  ~Folder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;

  const std::string& path() const { return path_; }
  std::string file(const std::string& name) const { return path_ + "/" + name; }
  /// Writes a file and returns its path.
  std::string write(const std::string& name, std::string_view text) const {
    std::ofstream(file(name), std::ios::binary) << text;
    return file(name);
  }

 private:
  std::string path_;
};

}  // namespace test

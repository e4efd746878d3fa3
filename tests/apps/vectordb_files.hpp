// SPDX-License-Identifier: BSL-1.0
/// Files that the command line of apps/vectordb reads and writes.
#pragma once

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>
#include <unistd.h>

namespace test {

/// A file of a test.
class InputFile {
 public:
  InputFile(const std::string& ending, std::string_view bytes)
      : path_(std::filesystem::temp_directory_path() /
              ("vectordb-" + std::to_string(::getpid()) + ending)) {
    std::ofstream(path_, std::ios::binary) << bytes;
  }
  ~InputFile() { std::filesystem::remove(path_); }
  InputFile(const InputFile&) = delete;
  InputFile& operator=(const InputFile&) = delete;
  std::string path() const { return path_; }

 private:
  std::filesystem::path path_;
};

template <class... T>
std::string raw(const T&... values) {
  std::string bytes;
  (bytes.append(reinterpret_cast<const char*>(&values), sizeof values), ...);
  return bytes;
}

inline std::string npy(const std::string& description, const std::string& data) {
  auto size = static_cast<std::uint16_t>(description.size());
  return std::string("\x93NUMPY\x01\x00", 8) + raw(size) + description + data;
}

inline std::string matrix(const std::string& type, const std::string& shape) {
  return "{'descr': '" + type + "', 'fortran_order': False, 'shape': (" + shape + "), }\n";
}

inline std::string content_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return std::string(std::istreambuf_iterator<char>(file), {});
}

}  // namespace test

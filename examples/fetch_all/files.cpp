// SPDX-License-Identifier: BSL-1.0
#include "files.hpp"

#include <asyncio/exceptions.hpp>

#include <cctype>
#include <cerrno>
#include <charconv>
#include <fstream>
#include <sstream>
#include <system_error>
#include <unistd.h>

namespace fetch_all {

namespace fs = std::filesystem;

std::vector<std::string> list_files(const fs::path& folder, std::size_t count) {
  std::vector<std::string> found;
  auto options = fs::directory_options::skip_permission_denied;
  for (const auto& entry : fs::recursive_directory_iterator(folder, options)) {
    if (found.size() == count) break;
    std::error_code ignored;
    if (entry.is_symlink(ignored) || !entry.is_regular_file(ignored)) continue;
    if (::access(entry.path().c_str(), R_OK) == 0)
      found.push_back(entry.path().lexically_relative(folder).string());
  }
  return found;
}

std::string read_file(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) throw std::system_error(errno, std::generic_category(), "open " + path.string());
  std::ostringstream content;
  // An empty file makes operator<< set failbit; only a bad stream is an error.
  content << in.rdbuf();
  if (in.bad()) throw std::system_error(errno, std::generic_category(), "read " + path.string());
  return std::move(content).str();
}

std::string escape(const std::string& path) {
  static const char digits[] = "0123456789ABCDEF";
  std::string out;
  for (unsigned char c : path) {
    bool plain = std::isalnum(c) || c == '/' || c == '-' || c == '_' || c == '.' || c == '~';
    if (plain) {
      out += static_cast<char>(c);
    } else {
      out += '%';
      out += digits[c >> 4];
      out += digits[c & 15];
    }
  }
  return out;
}

std::string unescape(const std::string& path) {
  std::string out;
  for (std::size_t i = 0; i < path.size(); ++i) {
    if (path[i] != '%') {
      out += path[i];
      continue;
    }
    unsigned value = 0;
    const char* digits = path.data() + i + 1;
    bool complete = path.size() - i > 2;
    if (!complete || std::from_chars(digits, digits + 2, value, 16).ptr != digits + 2)
      throw asyncio::ValueError("bad escape in path: " + path);
    out += static_cast<char>(value);
    i += 2;
  }
  return out;
}

}  // namespace fetch_all

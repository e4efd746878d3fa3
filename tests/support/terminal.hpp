// SPDX-License-Identifier: BSL-1.0
/// Terminals for programs to write to.
#pragma once

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <fcntl.h>
#include <poll.h>
#include <string>
#include <string_view>
#include <system_error>
#include <unistd.h>
#include <utility>
#include <vector>

namespace test {

/// A pseudo-terminal.
class Terminal {
 public:
  Terminal() : master_(::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK)) {
    std::array<char, 64> name;
    const bool named = master_ >= 0 && ::grantpt(master_) == 0 && ::unlockpt(master_) == 0 &&
                       ::ptsname_r(master_, name.data(), name.size()) == 0;
    if (named) device_ = ::open(name.data(), O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (device_ < 0) throw std::system_error(errno, std::generic_category(), "pseudo-terminal");
  }
  ~Terminal() {
    close_device();
    ::close(master_);
  }
  Terminal(const Terminal&) = delete;
  Terminal& operator=(const Terminal&) = delete;

  /// What programs get.
  int device() const noexcept { return device_; }
  /// Nobody but the programs that got it has it then.
  void close_device() noexcept {
    if (device_ >= 0) ::close(std::exchange(device_, -1));
  }
  /// All that was written by now.
  const std::string& text() {
    read_some();
    return text_;
  }
  /// All that was written, once every program has ended.
  const std::string& text_at_end() {
    close_device();
    ::pollfd ready{master_, POLLIN, 0};
    do ::poll(&ready, 1, -1);
    while (read_some());
    return text_;
  }

 private:
  /// Returns: false at the end.
  bool read_some() {
    std::array<char, 4096> room;
    ssize_t got = 0;
    while ((got = ::read(master_, room.data(), room.size())) > 0)
      text_.append(room.data(), static_cast<std::size_t>(got));
    return got < 0 && errno == EAGAIN;  // at the end it is EIO
  }

  int master_;
  int device_ = -1;
  std::string text_;
};

/// The lines that are to be seen of a text: carriage returns and "erase to the end" as a terminal
/// does them. Without the last one if it is empty.
inline std::vector<std::string> screen(std::string_view text) {
  std::vector<std::string> lines(1);
  std::size_t column = 0;
  while (!text.empty()) {
    std::string& line = lines.back();
    if (text.starts_with("\033[K")) {
      line.resize(column);
      text.remove_prefix(3);
      continue;
    }
    const char c = text.front();
    text.remove_prefix(1);
    if (c == '\r') {
      column = 0;
    } else if (c == '\n') {
      lines.emplace_back();
    } else {
      line.resize(std::max(line.size(), column + 1), ' ');
      line[column++] = c;
    }
  }
  if (lines.back().empty()) lines.pop_back();
  return lines;
}

}  // namespace test

// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <chrono>
#include <cstddef>
#include <string>

namespace fetch_all {

/// A bar on the terminal's last line. Without a terminal it prints nothing.
class Progress {
 public:
  explicit Progress(std::size_t total);
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  void add(std::size_t bytes);

 private:
  void draw();

  std::size_t total_;
  std::size_t files_ = 0;
  std::size_t bytes_ = 0;
  bool terminal_;
  std::chrono::steady_clock::time_point drawn_{};
};

/// "12.3 MiB".
std::string human_size(std::size_t bytes);

}  // namespace fetch_all

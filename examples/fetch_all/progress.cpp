// SPDX-License-Identifier: BSL-1.0
#include "progress.hpp"

#include <cstdio>
#include <iterator>
#include <unistd.h>

namespace fetch_all {

Progress::Progress(std::size_t total) : total_(total), terminal_(::isatty(STDERR_FILENO) == 1) {}

Progress::~Progress() {
  if (!terminal_) return;
  draw();
  std::fputc('\n', stderr);
}

void Progress::add(std::size_t bytes) {
  ++files_;
  bytes_ += bytes;
  auto now = std::chrono::steady_clock::now();
  if (!terminal_ || now - drawn_ < std::chrono::milliseconds(50)) return;
  drawn_ = now;
  draw();
}

void Progress::draw() {
  constexpr std::size_t kWidth = 40;
  std::size_t full = total_ ? files_ * kWidth / total_ : kWidth;
  std::string bar = std::string(full, '#') + std::string(kWidth - full, '.');
  std::fprintf(stderr, "\r[%s] %zu/%zu files, %s ", bar.c_str(), files_, total_,
               human_size(bytes_).c_str());
  std::fflush(stderr);
}

std::string human_size(std::size_t bytes) {
  static const char* const units[] = {"B", "KiB", "MiB", "GiB", "TiB"};
  double amount = static_cast<double>(bytes);
  std::size_t unit = 0;
  while (amount >= 1024 && unit + 1 < std::size(units)) {
    amount /= 1024;
    ++unit;
  }
  char text[32];
  std::snprintf(text, sizeof text, unit ? "%.1f %s" : "%.0f %s", amount, units[unit]);
  return text;
}

}  // namespace fetch_all

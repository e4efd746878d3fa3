// SPDX-License-Identifier: BSL-1.0
#include "vectordb/cli/output.hpp"

#include <asyncio/eventloop.hpp>
#include <asyncio/exceptions.hpp>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstdio>
#include <unistd.h>
#include <utility>

namespace vectordb::cli {

using namespace asyncio;
using nlohmann::json;

namespace {

constexpr std::size_t kBar = 30;  // characters
constexpr const char* kNotWritten = "cannot write to standard output";

std::string printable(std::string text) {
  for (char& c : text)
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = ' ';
  return text;
}

/// Characters of UTF-8.
std::size_t width(const std::string& text) {
  return static_cast<std::size_t>(
      std::ranges::count_if(text, [](char c) { return (c & 0xc0) != 0x80; }));
}

}  // namespace

void print(std::string_view text) {
  if (std::fwrite(text.data(), 1, text.size(), stdout) != text.size())
    throw OSError(errno, kNotWritten);
}

void flush_output() {
  if (std::ferror(stdout)) return;  // whoever wrote it has said so
  if (std::fflush(stdout) != 0) throw OSError(errno, kNotWritten);
}

void Table::print() const {
  std::vector<std::size_t> widths(rows_.front().size());
  for (const auto& row : rows_)
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], width(row[i]));
  for (const auto& row : rows_) {
    std::string line;
    for (std::size_t i = 0; i < row.size(); ++i) {
      line += printable(row[i]);
      if (i + 1 < row.size()) line.append(widths[i] - width(row[i]) + 2, ' ');
    }
    cli::print(line + '\n');
  }
}

void print_json(const json& value) {
  print(value.dump(2, ' ', false, json::error_handler_t::replace) + '\n');
}

double rounded(double value) { return std::round(value * 1000) / 1000; }

json to_json(const Record& record) {
  json value;
  value["id"] = record.id.to_json();
  if (record.vector) value["vector"] = *record.vector;
  if (record.payload) value["payload"] = *record.payload;
  return value;
}

ProgressBar::ProgressBar(std::string label, std::size_t total, bool quiet)
    : label_(std::move(label)),
      total_(total),
      visible_(!quiet && ::isatty(STDERR_FILENO) == 1),
      begin_(get_running_loop().time()) {}

ProgressBar::~ProgressBar() { clear(); }

void ProgressBar::clear() {
  if (std::exchange(visible_, false)) std::fprintf(stderr, "\r\033[K");
}

void ProgressBar::set(std::size_t done, std::size_t work) {
  done_ = done;
  work_ = work;
  TimePoint now = get_running_loop().time();
  bool due = !drawn_ || now - *drawn_ >= std::chrono::milliseconds(100) || work == total_;
  if (!visible_ || !due) return;
  drawn_ = now;
  draw();
}

void ProgressBar::draw() {
  double rate = static_cast<double>(done_) / std::max(seconds(), 1e-3);
  if (total_ == 0) {
    std::fprintf(stderr, "\r%s %zu, %.0f/s\033[K", label_.c_str(), done_, rate);
    return;
  }
  const double part = std::min(static_cast<double>(work_) / static_cast<double>(total_), 1.0);
  const auto filled = static_cast<std::size_t>(part * kBar);
  std::string bar = std::string(filled, '#') + std::string(kBar - filled, '.');
  std::fprintf(stderr, "\r%s [%s] %3.0f%% %zu, %.0f/s\033[K", label_.c_str(), bar.c_str(),
               std::floor(part * 100), done_, rate);
}

double ProgressBar::seconds() const {
  return std::chrono::duration<double>(get_running_loop().time() - begin_).count();
}

}  // namespace vectordb::cli

// SPDX-License-Identifier: BSL-1.0
/// What the user sees.
#pragma once

#include "vectordb/client/client.hpp"
#include <asyncio/time.hpp>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace vectordb::cli {

/// To standard output, for all commands. Throws: OSError, "cannot write to standard output: No
/// space left on device".
void print(std::string_view text);
/// What print() has kept so far; nothing after it has failed. Throws: as print().
void flush_output();

/// Rows in aligned columns, under their names; on standard output. Control characters are replaced.
class Table {
 public:
  explicit Table(std::vector<std::string> columns) { rows_.push_back(std::move(columns)); }
  void add(std::vector<std::string> row) { rows_.push_back(std::move(row)); }
  void print() const;

 private:
  std::vector<std::vector<std::string>> rows_;
};

void print_json(const nlohmann::json& value);
/// To three places, as reports show it.
double rounded(double value);
/// {"id", "vector", "payload"}, as insert reads it.
nlohmann::json to_json(const Record& record);

/// A bar on standard error, if that is a terminal.
class ProgressBar {
 public:
  /// What `work` comes to, at the end; 0: it is not known.
  ProgressBar(std::string label, std::size_t total, bool quiet);
  ~ProgressBar();
  ProgressBar(const ProgressBar&) = delete;
  ProgressBar& operator=(const ProgressBar&) = delete;

  /// Shows it: the first time, at the end, and else ten times a second at most. `work` is bytes of
  /// a file, say, which has `done` points up to there.
  void set(std::size_t done, std::size_t work);
  void add(std::size_t count) { set(done_ + count, done_ + count); }
  /// Takes it away: what is said then begins a line.
  void clear();
  double seconds() const;

 private:
  void draw();

  std::string label_;
  std::size_t total_;
  std::size_t done_ = 0, work_ = 0;
  bool visible_;
  asyncio::TimePoint begin_;
  std::optional<asyncio::TimePoint> drawn_;
};

}  // namespace vectordb::cli

// SPDX-License-Identifier: BSL-1.0
/// The files of one collection.
#pragma once

#include "vectordb/engine/files.hpp"
#include "vectordb/engine/frames.hpp"
#include "vectordb/engine/point_table.hpp"

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace vectordb {

/// A folder with `log`, and `snapshot` once there was one. Both are frames behind a first one that
/// says what they are:
///
///     log       header (the configuration; the sequence number it begins after), then a frame for
///               each commit, numbered without a gap
///     snapshot  header (how many points; the number of the last commit in it), then frames of
///     points
///
/// A commit is one frame, and the next begins when the disk has confirmed it. So only the last
/// frame of a log can be torn, of a commit that nobody was told had succeeded: it is cut off. A
/// damaged frame before a whole one is corruption, and refused.
///
/// Snapshot and log are replaced under their names by a whole new file. In between, the log still
/// has what the snapshot has, and its commits up to the snapshot's number are passed over.
///
/// Thread: one at a time.
class Store {
 public:
  using ReadProgress = std::function<void(std::uint64_t done, std::uint64_t total)>;

  /// Writes the files of an empty collection into a folder that exists.
  static void create(const std::string& folder, const CollectionConfig& config);
  /// Opens them. Throws: StorageError; CorruptionError.
  explicit Store(std::string folder);

  const CollectionConfig& config() const noexcept { return config_; }
  /// Applies all to an empty table; cuts a torn end of the log off, with a warning.
  /// Throws: CorruptionError; StorageError.
  void restore(PointTable& table, const ReadProgress& progress);

  /// One commit: returns when the disk has it. `body` is encoded operations.
  /// Throws: StorageError; then the commit is not in the log. If that cannot be made sure of, every
  ///         later one throws too, until the collection is opened again.
  void append(std::string_view body);
  /// Writes a snapshot and begins a new log. Throws: StorageError; the old files are still there.
  void compact(const PointTable& table);
  /// Refuses every later commit: memory is behind the log.
  void give_up(int error_number) noexcept { broken_ = error_number; }

  std::uint64_t log_bytes() const noexcept { return log_bytes_; }
  std::uint64_t snapshot_bytes() const noexcept { return snapshot_bytes_; }
  std::uint64_t sequence() const noexcept { return sequence_; }

 private:
  std::string path(const char* name) const { return folder_ + '/' + name; }
  void read_snapshot(PointTable& table, const ReadProgress& progress);
  void read_log(PointTable& table, const ReadProgress& progress);
  void cut_log(std::uint64_t size, std::uint64_t torn);
  void undo_append();
  void write_snapshot(const PointTable& table);
  void begin_log();

  std::string folder_;
  File log_;
  CollectionConfig config_;
  std::uint64_t log_bytes_ = 0;
  std::uint64_t snapshot_bytes_ = 0;
  std::uint64_t sequence_ = 0;  // of the last commit
  int broken_ = 0;
};

}  // namespace vectordb

// SPDX-License-Identifier: BSL-1.0
/// A folder of collections.
#pragma once

#include "vectordb/engine/collection.hpp"
#include <asyncio/coro.hpp>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace vectordb {

class DatabaseEngine;

/// How far opening has come.
struct Progress {
  enum class Step { reading, indexing };

  std::string collection;  ///< empty at first: the folder is this process's, nothing is read yet
  std::size_t number = 0, collections = 0;  ///< it is number 2 of 3, say
  Step step = Step::reading;
  std::uint64_t done = 0;  ///< bytes read, or points indexed
  std::uint64_t total = 0;
};
using ProgressCallback = std::function<void(const Progress&)>;

/// Options of Database::open.
class DatabaseOptions {
 public:
  DatabaseOptions() = default;

  /// Threads for reads; as many as processors without. For indexing at the start as well.
  DatabaseOptions& threads(std::size_t value) {
    threads_ = value;
    return *this;
  }
  /// A snapshot is written when the log is longer than this and than the last snapshot; 64 MB.
  DatabaseOptions& log_bytes(std::uint64_t value) {
    log_bytes_ = value;
    return *this;
  }
  /// Called in the loop's thread, a few times a second for each collection, and no more when the
  /// await of open() has ended.
  DatabaseOptions& progress(ProgressCallback callback) {
    progress_ = std::move(callback);
    return *this;
  }

  std::size_t threads() const noexcept { return threads_; }
  std::uint64_t log_bytes() const noexcept { return log_bytes_; }
  const ProgressCallback& progress() const noexcept { return progress_; }

 private:
  std::size_t threads_ = 0;
  std::uint64_t log_bytes_ = std::uint64_t{64} << 20;
  ProgressCallback progress_;
};

/// Lives as long as it is used from its loop; close() it before it is destroyed.
///
/// Thread   the loop's.
class Database {
 public:
  /// Reads all collections of the folder, which is made if it is not there, and builds their
  /// indexes. The torn end of a log, of writes that nobody was told had succeeded, is cut off with
  /// a warning in the log. Throws: StorageError, also if another process has the folder;
  /// CorruptionError. Cancelling ends the reading or indexing within moments, in its thread; the
  /// folder is free then.
  static asyncio::Coro<Database> open(std::string folder, DatabaseOptions options = {});

  Database(Database&&) noexcept;
  Database& operator=(Database&&) noexcept;
  ~Database();

  /// Throws: CollectionExists; InvalidArgument for the name (letters, digits and "_-.", not at the
  ///         beginning a dot, at most Limits::kNameLength) or the configuration; StorageError.
  asyncio::Coro<Collection> create(std::string name, CollectionConfig config);
  /// Deletes it, with its files. What is under way in it ends first.
  /// Throws: CollectionNotFound; StorageError.
  asyncio::Coro<> erase(std::string name);
  /// Throws: CollectionNotFound.
  Collection get(const std::string& name) const;
  bool contains(const std::string& name) const;
  /// The names, in order.
  std::vector<std::string> list() const;

  Metrics metrics() const;
  /// Ends what is under way; a second call does nothing.
  asyncio::Coro<> close();

 private:
  explicit Database(std::shared_ptr<DatabaseEngine> engine);

  std::shared_ptr<DatabaseEngine> engine_;
};

}  // namespace vectordb

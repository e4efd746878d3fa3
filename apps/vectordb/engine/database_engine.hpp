// SPDX-License-Identifier: BSL-1.0
/// A data base without a loop: the folder and its collections.
#pragma once

#include "vectordb/engine/collection_engine.hpp"
#include "vectordb/engine/database.hpp"
#include "vectordb/engine/files.hpp"

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace vectordb {

/// FOLDER/lock, held by the process; FOLDER/collections/NAME. A collection that is being made or
/// deleted has a name that begins with a dot, and does not outlast a crash.
///
/// Thread: any. All but list, get, contains and metrics block.
class DatabaseEngine {
 public:
  /// Throws: StorageError.
  DatabaseEngine(std::string folder, const DatabaseOptions& options);
  DatabaseEngine(const DatabaseEngine&) = delete;
  DatabaseEngine& operator=(const DatabaseEngine&) = delete;
  ~DatabaseEngine() { close(); }

  void load(const ProgressCallback& report);

  std::shared_ptr<CollectionEngine> create(const std::string& name, const CollectionConfig& config);
  void erase(const std::string& name);
  /// Ends what is under way.
  void close();

  std::shared_ptr<CollectionEngine> get(const std::string& name) const;
  bool contains(const std::string& name) const;
  std::vector<std::string> list() const;
  Metrics metrics() const;

 private:
  std::string path(const std::string& name) const { return folder_ + "/collections/" + name; }
  std::set<std::string> tidied();
  /// `begin` names it.
  std::shared_ptr<CollectionEngine> load_one(const Progress& begin, const ProgressCallback& report);
  /// Of a folder that has its name.
  std::shared_ptr<CollectionEngine> publish(const std::string& name);
  static void end_writes(CollectionEngine& collection);

  std::string folder_;
  std::size_t threads_;
  std::optional<File> lock_;  // until close()
  Workers workers_;
  std::mutex changes_;        // one creation or deletion at a time
  mutable std::mutex mutex_;  // of the map; never held for long
  std::map<std::string, std::shared_ptr<CollectionEngine>> collections_;
};

}  // namespace vectordb

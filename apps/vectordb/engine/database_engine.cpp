// SPDX-License-Identifier: BSL-1.0
#include "vectordb/engine/database_engine.hpp"

#include "vectordb/engine/errors.hpp"
#include "vectordb/engine/validation.hpp"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <fcntl.h>
#include <filesystem>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

namespace vectordb {

namespace fs = std::filesystem;

namespace {

constexpr const char* kMaking = ".making-";
constexpr const char* kDeleting = ".deleting-";

/// Returns: the folder, which with all that had to be made above it survives a power failure.
std::string made(const std::string& folder) {
  std::error_code error;
  std::vector<fs::path> missing;
  for (fs::path at = fs::absolute(folder).lexically_normal() / "collections";
       !fs::exists(at, error) && at.has_relative_path(); at = at.parent_path())
    missing.push_back(at);
  fs::create_directories(folder + "/collections", error);
  if (error) throw StorageError("make folder", folder, error.value());
  for (const fs::path& each : missing) sync_folder(each.parent_path());
  return folder;
}

void remove_all(const std::string& path) {
  std::error_code error;
  fs::remove_all(path, error);
  if (error) throw StorageError("remove", path, error.value());
}

std::size_t processors() { return std::max(1U, std::thread::hardware_concurrency()); }

/// At most some ten times a second.
class Reporter {
 public:
  Reporter(const ProgressCallback& report, Progress begin, Progress::Step step)
      : report_(report), progress_(std::move(begin)) {
    progress_.step = step;
  }
  void operator()(std::uint64_t done, std::uint64_t total) {
    const auto now = std::chrono::steady_clock::now();
    if (!report_ || (done != total && now < next_)) return;
    next_ = now + std::chrono::milliseconds(100);
    progress_.done = done;
    progress_.total = total;
    report_(progress_);
  }

 private:
  const ProgressCallback& report_;
  Progress progress_;
  std::chrono::steady_clock::time_point next_;
};

}  // namespace

DatabaseEngine::DatabaseEngine(std::string folder, const DatabaseOptions& options)
    : folder_(made(folder)),
      threads_(options.threads() != 0 ? options.threads() : processors()),
      lock_(std::in_place, folder_ + "/lock", O_RDWR | O_CREAT),
      workers_(threads_, options.log_bytes()) {
  if (!lock_->try_lock())
    throw StorageError("another process has this folder: lock", lock_->path(), EBUSY);
}

/// The collections of the folder, which is rid of what a crash has left.
std::set<std::string> DatabaseEngine::tidied() {
  std::set<std::string> names;
  for (const auto& entry : fs::directory_iterator(folder_ + "/collections")) {
    const std::string name = entry.path().filename();
    if (name.starts_with(kMaking) || name.starts_with(kDeleting))
      remove_all(entry.path());
    else if (entry.is_directory() && !name.starts_with('.'))
      names.insert(name);
  }
  return names;
}

void DatabaseEngine::load(const ProgressCallback& report) {
  const std::set<std::string> names = tidied();
  Progress progress;
  progress.collections = names.size();
  if (report) report(progress);
  for (const std::string& name : names) {
    progress.collection = name;
    ++progress.number;
    collections_.emplace(name, load_one(progress, report));
  }
}

std::shared_ptr<CollectionEngine> DatabaseEngine::load_one(const Progress& begin,
                                                           const ProgressCallback& report) {
  const std::string& name = begin.collection;
  auto collection = std::make_shared<CollectionEngine>(
      name, path(name), workers_, Reporter(report, begin, Progress::Step::reading));
  collection->build(threads_, Reporter(report, begin, Progress::Step::indexing));
  return collection;
}

std::shared_ptr<CollectionEngine> DatabaseEngine::create(const std::string& name,
                                                         const CollectionConfig& config) {
  check_name(name);
  config.check();
  std::lock_guard one_at_a_time(changes_);
  if (contains(name)) throw CollectionExists(name);
  const std::string draft = path(kMaking + name);
  remove_all(draft);
  std::error_code error;
  if (!fs::create_directory(draft, error)) throw StorageError("make folder", draft, error.value());
  Store::create(draft, config);
  rename_path(draft, path(name));
  try {
    return publish(name);
  } catch (...) {
    fs::remove_all(path(name), error);  // else nobody could make it again
    throw;
  }
}

std::shared_ptr<CollectionEngine> DatabaseEngine::publish(const std::string& name) {
  sync_folder(folder_ + "/collections");
  Progress of_one;
  of_one.collection = name;
  auto collection = load_one(of_one, nullptr);
  std::lock_guard lock(mutex_);
  collections_.emplace(name, collection);
  return collection;
}

void DatabaseEngine::erase(const std::string& name) {
  std::lock_guard one_at_a_time(changes_);
  std::shared_ptr<CollectionEngine> collection = get(name);
  const std::string doomed = path(kDeleting + name);
  remove_all(doomed);
  rename_path(path(name), doomed);  // up to here, what throws leaves all as it was
  {
    std::lock_guard lock(mutex_);
    collections_.erase(name);  // at once: what follows may throw, and the name has no folder
  }
  collection->close();
  end_writes(*collection);
  sync_folder(folder_ + "/collections");
  remove_all(doomed);
}

void DatabaseEngine::end_writes(CollectionEngine& collection) {
  collection.push([] {}).result();
}

void DatabaseEngine::close() {
  std::lock_guard one_at_a_time(changes_);
  std::map<std::string, std::shared_ptr<CollectionEngine>> collections;
  {
    std::lock_guard lock(mutex_);
    collections.swap(collections_);
  }
  for (const auto& [name, collection] : collections) {
    collection->close();
    end_writes(*collection);
  }
  workers_.readers.shutdown();
  workers_.writers.shutdown();
  lock_.reset();
}

std::shared_ptr<CollectionEngine> DatabaseEngine::get(const std::string& name) const {
  std::lock_guard lock(mutex_);
  auto found = collections_.find(name);
  if (found == collections_.end()) throw CollectionNotFound(name);
  return found->second;
}

bool DatabaseEngine::contains(const std::string& name) const {
  std::lock_guard lock(mutex_);
  return collections_.contains(name);
}

std::vector<std::string> DatabaseEngine::list() const {
  std::lock_guard lock(mutex_);
  std::vector<std::string> names;
  for (const auto& [name, collection] : collections_) names.push_back(name);
  return names;
}

Metrics DatabaseEngine::metrics() const {
  Metrics metrics;
  metrics.searches = workers_.searches;
  metrics.exact_searches = workers_.exact_searches;
  metrics.writes = workers_.writes;
  metrics.points_written = workers_.points_written;
  metrics.commits = workers_.commits;
  metrics.snapshots = workers_.snapshots;
  std::lock_guard lock(mutex_);
  metrics.collections = collections_.size();
  for (const auto& [name, collection] : collections_) metrics.points += collection->points();
  return metrics;
}

}  // namespace vectordb

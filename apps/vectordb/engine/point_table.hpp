// SPDX-License-Identifier: BSL-1.0
/// The points of a collection in memory.
#pragma once

#include "vectordb/engine/operation.hpp"
#include "vectordb/engine/turnstile.hpp"
#include "vectordb/engine/vector_index.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <vector>

namespace vectordb {

/// Ids, payloads, vectors and their index.
///
/// While it is restored from files, the vectors are only kept aside; build_index() ends that.
/// Readers hold `lock()` shared. apply() takes it for one point after another, so that readers get
/// in between: they may see a part of a write that has many points.
///
/// Thread: one writer, many readers.
class PointTable {
 public:
  using IndexProgress = std::function<void(std::uint64_t done, std::uint64_t total)>;

  struct Entry {
    PointId id;
    nlohmann::json payload;
    bool live = false;
  };

  explicit PointTable(const CollectionConfig& config);

  const CollectionConfig& config() const noexcept { return config_; }
  Turnstile& lock() const noexcept { return lock_; }

  // For the writer.
  /// Returns: the first id that it changes something of, and that is not there.
  std::optional<PointId> apply(const Operation& operation);
  /// What a filter finds, or the ids as they were given: some may not be there.
  std::vector<PointId> selected(const Selection& selection) const;
  /// What apply() does to each payload that is selected.
  static void change(nlohmann::json& payload, const Operation& operation);
  /// With as many threads as this; calls `progress` in the calling one. What that throws ends it.
  void build_index(std::size_t threads, const IndexProgress& progress);

  // For readers.
  const std::map<PointId, Slot>& ids() const noexcept { return ids_; }
  /// Those that are not live are free.
  const std::vector<Entry>& entries() const noexcept { return entries_; }
  std::size_t free_slots() const noexcept { return free_.size(); }
  const VectorIndex& index() const noexcept { return *index_; }

 private:
  void upsert(const Point& point);
  bool update_vector(const Point& point);
  void erase(const PointId& id);
  void insert(const Point& point, nlohmann::json payload);
  Slot free_slot();
  void put_vector(Slot slot, const Vector& vector);
  bool change_payload(const Operation& operation, const PointId& id);

  CollectionConfig config_;
  mutable Turnstile lock_;
  std::map<PointId, Slot> ids_;
  std::vector<Entry> entries_;
  std::vector<Slot> free_;
  std::unique_ptr<VectorIndex> index_;
  std::vector<Vector> aside_;  // by slot, until the index is built
  bool restoring_ = true;
};

/// Divides it by its length, unless that is zero.
void normalize(Vector& vector);

}  // namespace vectordb

// SPDX-License-Identifier: BSL-1.0
#include "vectordb/engine/point_table.hpp"

#include "vectordb/engine/payload_path.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <exception>
#include <future>
#include <mutex>
#include <utility>

namespace vectordb {

using nlohmann::json;

void normalize(Vector& vector) {
  double squares = 0;
  for (float value : vector) squares += static_cast<double>(value) * value;
  if (squares == 0) return;
  const double factor = 1 / std::sqrt(squares);
  for (float& value : vector) value = static_cast<float>(value * factor);
}

PointTable::PointTable(const CollectionConfig& config)
    : config_(config), index_(make_hnsw_index(config)) {}

std::optional<PointId> PointTable::apply(const Operation& operation) {
  using Kind = Operation::Kind;
  std::optional<PointId> missed;
  if (operation.kind == Kind::upsert) {
    for (const Point& point : operation.points) upsert(point);
  } else if (operation.kind == Kind::update_vectors) {
    for (const Point& point : operation.points)
      if (!update_vector(point) && !missed) missed = point.id;
  } else {
    for (const PointId& id : selected(operation.selection)) {
      if (operation.kind == Kind::erase)
        erase(id);
      else if (!change_payload(operation, id) && !missed)
        missed = id;
    }
  }
  return missed;
}

void PointTable::upsert(const Point& point) {
  json payload = point.payload;
  std::unique_lock guard(lock_);
  auto place = ids_.find(point.id);
  if (place == ids_.end()) {
    insert(point, std::move(payload));
  } else {
    put_vector(place->second, point.vector);
    entries_[place->second].payload = std::move(payload);
  }
}

/// All of it, or nothing: what throws here is lack of memory, and readers go on.
void PointTable::insert(const Point& point, json payload) {
  const Slot slot = free_slot();
  auto place = ids_.emplace(point.id, slot).first;
  try {
    put_vector(slot, point.vector);
  } catch (...) {
    ids_.erase(place);
    throw;
  }
  free_.pop_back();
  Entry& entry = entries_[slot];
  entry.id = point.id;
  entry.payload = std::move(payload);
  entry.live = true;
}

/// The last of `free_`, which always has room for all slots: erase() needs no memory.
Slot PointTable::free_slot() {
  if (free_.empty()) {
    if (entries_.size() == entries_.capacity())
      entries_.reserve(std::max<std::size_t>(2 * entries_.size(), 16));
    free_.reserve(entries_.capacity());
    free_.push_back(static_cast<Slot>(entries_.size()));
    entries_.emplace_back();
  }
  return free_.back();
}

bool PointTable::update_vector(const Point& point) {
  std::unique_lock guard(lock_);
  auto place = ids_.find(point.id);
  if (place == ids_.end()) return false;
  put_vector(place->second, point.vector);
  return true;
}

void PointTable::erase(const PointId& id) {
  std::unique_lock guard(lock_);
  auto place = ids_.find(id);
  if (place == ids_.end()) return;
  const Slot slot = place->second;
  ids_.erase(place);
  entries_[slot] = Entry();
  free_.push_back(slot);
  if (restoring_)
    aside_[slot].clear();
  else
    index_->erase(slot);
}

void PointTable::put_vector(Slot slot, const Vector& vector) {
  if (restoring_) {
    if (aside_.size() <= slot) aside_.resize(slot + 1);
    aside_[slot] = vector;
    return;
  }
  index_->reserve(slot + std::size_t{1});
  index_->put(slot, vector);
}

bool PointTable::change_payload(const Operation& operation, const PointId& id) {
  std::unique_lock guard(lock_);
  auto place = ids_.find(id);
  if (place == ids_.end()) return false;
  change(entries_[place->second].payload, operation);
  return true;
}

void PointTable::change(json& payload, const Operation& operation) {
  using Kind = Operation::Kind;
  if (operation.kind == Kind::overwrite_payload) {
    payload = operation.values;
  } else if (operation.kind == Kind::clear_payload) {
    payload = json::object();
  } else if (operation.kind == Kind::delete_payload) {
    for (const std::string& key : operation.keys) PayloadPath(key).erase(payload);
  } else if (operation.keys.empty()) {
    merge_members(payload, operation.values);
  } else {
    PayloadPath(operation.keys[0]).merge(payload, operation.values);
  }
}

/// Called by the writer: nothing changes meanwhile.
std::vector<PointId> PointTable::selected(const Selection& selection) const {
  if (const auto* ids = std::get_if<std::vector<PointId>>(&selection)) return *ids;
  const Filter& filter = std::get<Filter>(selection);
  std::vector<PointId> matching;
  for (const auto& [id, slot] : ids_)
    if (filter.matches(id, entries_[slot].payload)) matching.push_back(id);
  return matching;
}

void PointTable::build_index(std::size_t threads, const IndexProgress& progress) {
  using namespace std::chrono_literals;
  index_->reserve(entries_.size());
  std::atomic<std::size_t> next = 0, done = 0;
  progress(0, aside_.size());
  // hnswlib reads the graph's entry point without its lock while others insert; what is read is one
  // of its former values, which is as good.
  auto work = [&] {
    for (std::size_t slot = next++; slot < aside_.size(); slot = next++) {
      if (entries_[slot].live)
        index_->put(static_cast<Slot>(slot), std::exchange(aside_[slot], {}));
      ++done;
    }
  };
  std::vector<std::future<void>> workers;
  for (std::size_t i = 0; i < threads; ++i) workers.push_back(std::async(std::launch::async, work));
  try {
    for (auto& worker : workers)
      while (worker.wait_for(100ms) != std::future_status::ready) progress(done, aside_.size());
  } catch (...) {
    next = aside_.size();  // the workers, which are joined now, find nothing more to do
    throw;
  }
  for (auto& worker : workers) worker.get();
  progress(aside_.size(), aside_.size());
  aside_ = {};
  restoring_ = false;
}

}  // namespace vectordb

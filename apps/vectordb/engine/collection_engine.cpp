// SPDX-License-Identifier: BSL-1.0
#include "vectordb/engine/collection_engine.hpp"

#include "vectordb/engine/errors.hpp"
#include "vectordb/engine/payload_path.hpp"
#include "vectordb/engine/validation.hpp"
#include <asyncio/logging.hpp>

#include <algorithm>
#include <cerrno>
#include <exception>
#include <shared_mutex>
#include <utility>

namespace vectordb {

CollectionEngine::CollectionEngine(std::string name, const std::string& folder, Workers& workers,
                                   const Store::ReadProgress& progress)
    : WriteQueue(workers.writers),
      name_(std::move(name)),
      workers_(workers),
      store_(folder),
      table_(store_.config()) {
  store_.restore(table_, progress);
  publish_sizes();
}

void CollectionEngine::require_open() const {
  if (closed_) throw CollectionNotFound(name_);
}

SearchOutcome CollectionEngine::search(const SearchRequest& request,
                                       const std::stop_token& stop) const {
  check(request, config());
  SearchOutcome outcome = vectordb::search(table_, request, stop);
  ++workers_.searches;
  workers_.exact_searches += outcome.was_exact;
  return outcome;
}

CollectionInfo CollectionEngine::info() const {
  CollectionInfo info;
  info.name = name_;
  info.config = config();
  info.log_bytes = log_bytes_;
  info.snapshot_bytes = snapshot_bytes_;
  info.sequence = sequence_;
  std::shared_lock guard(table_.lock());
  info.points = table_.ids().size();
  info.deleted_slots = table_.free_slots();
  info.index_bytes = table_.index().bytes();
  return info;
}

namespace {

/// Whether each payload may get the values more than once.
bool is_for_many(const Operation& operation) {
  return operation.kind == Operation::Kind::set_payload && !operation.keys.empty() &&
         PayloadPath(operation.keys.front()).is_of_many();
}

void check_sum(std::size_t bytes, std::size_t count, const char* what) {
  if (bytes * count > Limits::kBatchBytes)
    throw InvalidArgument("payload", std::to_string(bytes) + " bytes for " + std::to_string(count) +
                                         what + ", more than " +
                                         std::to_string(Limits::kBatchBytes));
}

/// What is no longer than before is accepted, for older data.
void check_length(const PointId& id, std::size_t bytes, std::size_t before) {
  if (bytes > std::max(Limits::kPayload, before))
    throw InvalidArgument("payload", "point " + id.to_string() + " would have one of " +
                                         std::to_string(bytes) + " bytes, more than " +
                                         std::to_string(Limits::kPayload));
}

void check_merged(const PointId& id, const nlohmann::json& payload, const Operation& operation,
                  std::size_t before) {
  nlohmann::json merged = payload;
  PointTable::change(merged, operation);
  check_length(id, payload_bytes(merged), before);
}

}  // namespace

bool CollectionEngine::prepare_write(Operation& operation, std::size_t pending) {
  const std::size_t growth = prepare(operation, config());
  if (operation.kind == Operation::Kind::upsert)
    check_limit(table_.ids().size() + operation.points.size(), Limits::kPoints,
                "points of the collection");
  if (is_for_many(operation)) {
    if (pending > 0) return false;
    check_many(operation, growth);
    return true;
  }
  if (growth > 0) check_growth(operation.selection, growth);
  return operation.kind != Operation::Kind::set_payload || check_merged(operation, growth, pending);
}

/// One payload of a few megabytes for all points would take more memory than there is, now and,
/// as the log has it once, at each start.
void CollectionEngine::check_growth(const Selection& selection, std::size_t bytes) const {
  const auto* ids = std::get_if<std::vector<PointId>>(&selection);
  std::size_t points = ids ? ids->size() : table_.ids().size();
  if (bytes * points <= Limits::kBatchBytes) return;
  if (!ids) points = count(table_, std::get<Filter>(selection));
  check_sum(bytes, points, " points");
}

/// Each of many small changes is within the limit; the payload that they make has one as well.
/// Whether it is kept, though `pending` bytes of writes are still to be applied, maybe to the same
/// points: those tell once they are.
bool CollectionEngine::check_merged(const Operation& operation, std::size_t growth,
                                    std::size_t pending) const {
  // A value of one byte in the log is measured with 16 at most, as is a step of a path.
  std::size_t added = growth + 16 * pending;
  for (const std::string& key : operation.keys) added += 16 * key.size();
  for (const PointId& id : table_.selected(operation.selection)) {
    auto place = table_.ids().find(id);
    const bool is_there = place != table_.ids().end();  // if not, a pending write may make it
    const std::size_t before = is_there ? payload_bytes(payload_at(place->second)) : 0;
    if (before + added <= Limits::kPayload) continue;
    if (pending > 0) return false;
    if (is_there) vectordb::check_merged(id, payload_at(place->second), operation, before);
  }
  return true;
}

/// The same of values that go into each element of an array: a payload within the limit has
/// millions. No payload is made to be measured that is sure to be too long.
void CollectionEngine::check_many(const Operation& operation, std::size_t growth) const {
  const PayloadPath path(operation.keys.front());
  nlohmann::json kept = nlohmann::json::object();
  merge_members(kept, operation.values);
  const std::size_t least = payload_bytes(kept);
  std::size_t all = 0;
  for (const PointId& id : table_.selected(operation.selection)) {
    auto place = table_.ids().find(id);
    if (place == table_.ids().end()) continue;
    const nlohmann::json& payload = payload_at(place->second);
    const std::size_t targets = path.targets(payload);
    all += targets;
    check_sum(growth, all, " objects");
    const std::size_t before = payload_bytes(payload);
    check_length(id, targets * least, before);
    if (before + targets * (growth + 16 * operation.keys.front().size()) > Limits::kPayload)
      vectordb::check_merged(id, payload, operation, before);
  }
}

void CollectionEngine::commit(std::string_view body, std::span<const Operation> operations,
                              std::span<std::exception_ptr> errors) {
  store_.append(body);
  ++workers_.commits;
  try {
    for (std::size_t i = 0; i < operations.size(); ++i) {
      const Operation& operation = operations[i];
      if (auto missed = table_.apply(operation))
        errors[i] = std::make_exception_ptr(PointNotFound(missed->to_string()));
      ++workers_.writes;
      workers_.points_written += operation.points.size();
    }
  } catch (...) {
    // Out of memory, say. The log is ahead of the table; opening the collection again mends that.
    store_.give_up(ENOMEM);
    publish_sizes();
    throw;
  }
  publish_sizes();
}

void CollectionEngine::publish_sizes() noexcept {
  log_bytes_ = store_.log_bytes();
  snapshot_bytes_ = store_.snapshot_bytes();
  sequence_ = store_.sequence();
  points_ = table_.ids().size();
}

/// The log is as long as the snapshot at most: reading it takes no longer. Not of what is deleted:
/// another collection may have its name, and so the path of its files.
void CollectionEngine::tidy() {
  if (closed_) return;
  const std::uint64_t longest =
      std::max({workers_.log_bytes, store_.snapshot_bytes(), next_compaction_});
  if (store_.log_bytes() <= longest) return;
  try {
    compact();
    next_compaction_ = 0;
  } catch (const std::exception& error) {  // nobody waits for it; the log is still whole
    next_compaction_ = store_.log_bytes() + workers_.log_bytes;
    asyncio::log(asyncio::LogLevel::warning, "vectordb",
                 "collection '" + name_ + "' could not be compacted: " + error.what());
  }
}

void CollectionEngine::compact() {
  store_.compact(table_);
  ++workers_.snapshots;
  publish_sizes();
}

}  // namespace vectordb

// SPDX-License-Identifier: BSL-1.0
/// A collection without a loop: table, files and the queue of its writes.
#pragma once

#include "vectordb/engine/point_table.hpp"
#include "vectordb/engine/reads.hpp"
#include "vectordb/engine/requests.hpp"
#include "vectordb/engine/store.hpp"
#include "vectordb/engine/write_queue.hpp"

#include <atomic>
#include <cstdint>
#include <memory>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>

namespace vectordb {

/// What the collections of a data base share.
struct Workers {
  Workers(std::size_t threads, std::uint64_t longest_log)
      : readers(threads, "vdb-read"), writers(4, "vdb-write"), log_bytes(longest_log) {}

  asyncio::ThreadPoolExecutor readers, writers;
  const std::uint64_t log_bytes;
  std::atomic<std::uint64_t> searches = 0, exact_searches = 0, writes = 0, points_written = 0,
                             commits = 0, snapshots = 0;
};

/// Thread: any.
class CollectionEngine final : public WriteQueue {
 public:
  /// Reads the files; build() has to follow.
  CollectionEngine(std::string name, const std::string& folder, Workers& workers,
                   const Store::ReadProgress& progress);

  void build(std::size_t threads, const PointTable::IndexProgress& progress) {
    table_.build_index(threads, progress);
  }

  const std::string& name() const noexcept { return name_; }
  const CollectionConfig& config() const noexcept { return table_.config(); }
  const PointTable& table() const noexcept { return table_; }
  Workers& workers() const noexcept { return workers_; }

  std::size_t points() const noexcept { return points_; }

  SearchOutcome search(const SearchRequest& request, const std::stop_token& stop) const;
  CollectionInfo info() const;
  /// In the queue's turn.
  void compact();

  /// From now on there is no such collection; what is under way ends.
  void close() noexcept { closed_ = true; }
  /// Throws: CollectionNotFound after close().
  void require_open() const;

 private:
  bool prepare_write(Operation& operation, std::size_t pending) override;
  void commit(std::string_view body, std::span<const Operation> operations,
              std::span<std::exception_ptr> errors) override;
  void tidy() override;
  void check_growth(const Selection& selection, std::size_t bytes) const;
  bool check_merged(const Operation& operation, std::size_t growth, std::size_t pending) const;
  void check_many(const Operation& operation, std::size_t growth) const;
  const nlohmann::json& payload_at(Slot slot) const { return table_.entries()[slot].payload; }
  void publish_sizes() noexcept;

  std::string name_;
  Workers& workers_;
  Store store_;
  PointTable table_;
  std::atomic<bool> closed_ = false;
  std::uint64_t next_compaction_ = 0;  // not before the log is that long
  std::atomic<std::uint64_t> log_bytes_ = 0, snapshot_bytes_ = 0, sequence_ = 0,
                             points_ = 0;  // for readers
};

}  // namespace vectordb

// SPDX-License-Identifier: BSL-1.0
/// One collection: its points, on disk and in memory.
#pragma once

#include "vectordb/engine/errors.hpp"
#include "vectordb/engine/requests.hpp"
#include <asyncio/coro.hpp>

#include <memory>
#include <string>
#include <vector>

namespace vectordb {

class CollectionEngine;

/// A handle; copies refer to the same collection. Made by Database.
///
/// One writer, many readers. Writes are numbered in the order of the calls. A thread writes those
/// that wait to the log together, waits for the disk once (fdatasync), and puts them into the
/// index; then their awaits end: what was acknowledged survives kill -9, and is seen by each read
/// that begins later. Reads run in other threads and wait for at most one point's insertion at a
/// time.
///
/// All throw CollectionNotFound once the collection is deleted or the data base closed.
///
/// Cancel   ends the await at once; a write that was called will take place, a read soon stops.
/// Thread   the loop's.
class Collection {
 public:
  explicit Collection(std::shared_ptr<CollectionEngine> engine) : engine_(std::move(engine)) {}

  const std::string& name() const noexcept;
  const CollectionConfig& config() const noexcept;

  /// Puts the points in, in the place of those that have their ids: all or none.
  /// Throws: InvalidArgument that names the point ("points[3].vector: ..."): wrong dimension, NaN,
  ///         infinity, a payload that is no object, too many; StorageError.
  asyncio::Coro<> upsert(std::vector<Point> points);
  /// For each, its new vector.
  /// Throws: PointNotFound that names the first id that is not there, as the changes of payloads
  /// do;
  ///         the others are changed.
  asyncio::Coro<> update_vectors(std::vector<Point> points);
  /// Ids that are not there are passed over.
  asyncio::Coro<> erase(Selection selection);

  /// Adds the members of `values` to each payload, in the place of those it has. With `key`, to the
  /// object at that path, which is made if need be.
  asyncio::Coro<> set_payload(Selection selection, nlohmann::json values, std::string key = {});
  /// Puts `values` in the place of each payload.
  asyncio::Coro<> overwrite_payload(Selection selection, nlohmann::json values);
  /// Removes what is at these paths.
  asyncio::Coro<> delete_payload(Selection selection, std::vector<std::string> keys);
  asyncio::Coro<> clear_payload(Selection selection);

  /// In the order of `ids`; those that are not there are left out.
  /// Throws: InvalidArgument: too many, or more payloads or vectors than an answer may have.
  asyncio::Coro<std::vector<Record>> retrieve(std::vector<PointId> ids,
                                              PayloadSelector with_payload = true,
                                              bool with_vector = false);
  /// The nearest first; equal scores by id. The scores of Euclid and Manhattan are distances.
  /// Through the graph, or exact: if asked for, if the vectors are fewer than full_scan_threshold,
  /// or if the filter leaves few.
  /// Throws: InvalidArgument: wrong dimension, NaN, limit, more payloads than an answer may have.
  asyncio::Coro<std::vector<ScoredPoint>> search(SearchRequest request);
  /// In order of id. Throws: as retrieve.
  asyncio::Coro<ScrollPage> scroll(ScrollRequest request);
  asyncio::Coro<std::size_t> count(Filter filter = {});
  asyncio::Coro<CollectionInfo> info();

  /// Writes a snapshot and begins the log anew; happens by itself when the log has grown. Reads go
  /// on, writes wait.
  asyncio::Coro<> compact();

 private:
  std::shared_ptr<CollectionEngine> engine_;
};

}  // namespace vectordb

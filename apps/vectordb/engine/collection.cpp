// SPDX-License-Identifier: BSL-1.0
#include "vectordb/engine/collection.hpp"

#include "vectordb/engine/collection_engine.hpp"
#include "vectordb/engine/errors.hpp"
#include <asyncio/eventloop.hpp>
#include <asyncio/threads.hpp>

#include <stop_token>
#include <utility>

namespace vectordb {

using namespace asyncio;
using nlohmann::json;

namespace {

Coro<> write(std::shared_ptr<CollectionEngine> engine, Operation operation) {
  engine->require_open();
  co_await wrap_future(engine->push(std::move(operation)));
}

Coro<> compact(std::shared_ptr<CollectionEngine> engine) {
  engine->require_open();
  // The queue holds the engine while it works for it; the engine must not hold itself.
  std::function<void()> job = [itself = engine.get()] { itself->compact(); };
  co_await wrap_future(engine->push(job));
}

/// Calls `job(engine, stop)` in a thread for reads, which is asked to stop when nobody awaits it
/// any more.
template <class Job>
Coro<std::invoke_result_t<Job&, CollectionEngine&, const std::stop_token&>> read(
    std::shared_ptr<CollectionEngine> engine, Job job) {
  engine->require_open();
  auto call = [engine, job = std::move(job)](const std::stop_token& stop) {
    return job(*engine, stop);
  };
  co_return co_await get_running_loop().run_in_executor(engine->workers().readers, call);
}

Operation of_points(Operation::Kind kind, std::vector<Point> points) {
  Operation operation;
  operation.kind = kind;
  operation.points = std::move(points);
  return operation;
}

Operation of_selection(Operation::Kind kind, Selection selection, json values = {},
                       std::vector<std::string> keys = {}) {
  Operation operation;
  operation.kind = kind;
  operation.selection = std::move(selection);
  operation.values = std::move(values);
  operation.keys = std::move(keys);
  return operation;
}

}  // namespace

const std::string& Collection::name() const noexcept { return engine_->name(); }
const CollectionConfig& Collection::config() const noexcept { return engine_->config(); }

Coro<> Collection::upsert(std::vector<Point> points) {
  return write(engine_, of_points(Operation::Kind::upsert, std::move(points)));
}

Coro<> Collection::update_vectors(std::vector<Point> points) {
  return write(engine_, of_points(Operation::Kind::update_vectors, std::move(points)));
}

Coro<> Collection::erase(Selection selection) {
  return write(engine_, of_selection(Operation::Kind::erase, std::move(selection)));
}

Coro<> Collection::set_payload(Selection selection, json values, std::string key) {
  std::vector<std::string> keys;
  if (!key.empty()) keys.push_back(std::move(key));
  return write(engine_, of_selection(Operation::Kind::set_payload, std::move(selection),
                                     std::move(values), std::move(keys)));
}

Coro<> Collection::overwrite_payload(Selection selection, json values) {
  return write(engine_, of_selection(Operation::Kind::overwrite_payload, std::move(selection),
                                     std::move(values)));
}

Coro<> Collection::delete_payload(Selection selection, std::vector<std::string> keys) {
  return write(engine_, of_selection(Operation::Kind::delete_payload, std::move(selection), json(),
                                     std::move(keys)));
}

Coro<> Collection::clear_payload(Selection selection) {
  return write(engine_, of_selection(Operation::Kind::clear_payload, std::move(selection)));
}

Coro<std::vector<Record>> Collection::retrieve(std::vector<PointId> ids,
                                               PayloadSelector with_payload, bool with_vector) {
  auto job = [ids = std::move(ids), with_payload = std::move(with_payload), with_vector](
                 CollectionEngine& engine, const std::stop_token& stop) {
    return vectordb::retrieve(engine.table(), ids, with_payload, with_vector, stop);
  };
  return read(engine_, std::move(job));
}

Coro<std::vector<ScoredPoint>> Collection::search(SearchRequest request) {
  auto job = [request = std::move(request)](CollectionEngine& engine, const std::stop_token& stop) {
    return engine.search(request, stop).points;
  };
  return read(engine_, std::move(job));
}

Coro<ScrollPage> Collection::scroll(ScrollRequest request) {
  auto job = [request = std::move(request)](CollectionEngine& engine, const std::stop_token& stop) {
    return vectordb::scroll(engine.table(), request, stop);
  };
  return read(engine_, std::move(job));
}

Coro<std::size_t> Collection::count(Filter filter) {
  auto job = [filter = std::move(filter)](CollectionEngine& engine, const std::stop_token& stop) {
    return vectordb::count(engine.table(), filter, stop);
  };
  return read(engine_, std::move(job));
}

Coro<CollectionInfo> Collection::info() {
  auto job = [](CollectionEngine& engine, const std::stop_token&) { return engine.info(); };
  return read(engine_, job);
}

Coro<> Collection::compact() { return vectordb::compact(engine_); }

}  // namespace vectordb

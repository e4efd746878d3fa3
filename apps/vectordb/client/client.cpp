// SPDX-License-Identifier: BSL-1.0
#include "vectordb/client/client.hpp"

#include "vectordb/client/request_bytes.hpp"
#include "vectordb/client/transport.hpp"
#include "vectordb/client/wire.hpp"
#include <asyncio/capture.hpp>
#include <asyncio/exception_group.hpp>
#include <asyncio/task_group.hpp>
#include <asyncio/with.hpp>

#include <algorithm>
#include <chrono>

namespace vectordb {

using namespace asyncio;
using http::Method;
using nlohmann::json;

namespace {

constexpr std::chrono::seconds kHello{5};  // a server that is well says at once who it is

std::string about(const char* operation, const std::string& collection) {
  return std::string(operation) + " '" + collection + "'";
}

/// A request about a collection.
Call call_to(const char* operation, const std::string& collection, Method method,
             std::string_view rest = {}) {
  return Call(about(operation, collection), method, wire::collection_path(collection, rest));
}

/// What a server answers that is not this API is told as an error of it.
template <class F>
auto decoded(const char* operation, const std::string& collection, F decode) {
  try {
    return decode();
  } catch (const json::exception& error) {
    throw ServiceError(about(operation, collection) + ": the answer: " + error.what(), 200);
  } catch (const InvalidArgument& error) {
    throw ServiceError(about(operation, collection) + ": the answer: " + error.what(), 200);
  }
}

std::vector<Point> points_of(const std::map<std::string, Vector>& documents) {
  std::vector<Point> points;
  for (const auto& [name, vector] : documents) points.push_back(document(name, vector));
  return points;
}

/// The one that made the others give up.
[[noreturn]] void rethrow_first(const std::exception_ptr& error) {
  try {
    std::rethrow_exception(error);
  } catch (const ExceptionGroup& group) {
    std::rethrow_exception(group.exceptions().front());
  }
}

Call upsert(const std::string& collection, std::span<const Point> points, std::size_t first = 0) {
  Call call = call_to("insert into", collection, Method::PUT, "/points?wait=true");
  return call.with_text(wire::points(points, first));
}

/// The batches of one batch_insert; its workers take one after the other.
class Batches {
 public:
  Batches(std::vector<Point> points, BatchOptions options)
      : points_(std::move(points)), options_(std::move(options)) {
    if (options_.get_size() == 0) throw InvalidArgument("size", "a batch has a point at least");
    if (options_.get_concurrency() == 0)
      throw InvalidArgument("concurrency", "a request at a time at least");
  }

  std::size_t total() const noexcept { return points_.size(); }
  std::size_t workers() const noexcept { return std::min(options_.get_concurrency(), total()); }
  /// Empty when there are no more.
  std::span<const Point> next() {
    RequestRoom room(options_.get_bytes());
    const std::size_t begin = taken_;
    const std::size_t end = begin + std::min(options_.get_size(), total() - begin);
    while (taken_ < end && room.take(points_[taken_])) ++taken_;
    return std::span(points_).subspan(begin, taken_ - begin);
  }
  /// The number of its first point.
  std::size_t first_of(std::span<const Point> batch) const noexcept {
    return static_cast<std::size_t>(batch.data() - points_.data());
  }
  void done(std::size_t count) {
    done_ += count;
    if (options_.get_progress()) options_.get_progress()(done_, total());
  }

 private:
  std::vector<Point> points_;
  BatchOptions options_;
  std::size_t taken_ = 0;
  std::size_t done_ = 0;
};

}  // namespace

Coro<AsyncVectorDB> AsyncVectorDB::connect(std::string address, ClientOptions options) {
  AsyncVectorDB db(std::make_shared<Transport>(address, std::move(options)));
  Call hello("connect to " + address, Method::GET, "/");
  hello.within(kHello);
  json answer = co_await db.transport_->call(std::move(hello));
  if (!answer.is_object() || !answer.contains("version"))
    throw ServiceError("connect to " + address + ": no vector database answers there", 200);
  co_return db;
}

Coro<json> AsyncVectorDB::result_of(Call call) const {
  std::string subject = call.subject;
  json answer = co_await transport_->call(std::move(call));
  if (!answer.is_object() || !answer.contains("result"))
    throw ServiceError(subject + ": the answer has no result", 200);
  co_return std::move(answer["result"]);
}

Coro<> AsyncVectorDB::create_collection(std::string name, std::size_t dim,
                                        Distance distance) const {
  return create_collection(std::move(name), CollectionConfig(dim, distance));
}

Coro<> AsyncVectorDB::create_collection(std::string name, CollectionConfig config) const {
  Call call = call_to("create", name, Method::PUT);
  call.with_body(config.to_json()).only_once();
  co_await result_of(std::move(call));
}

Coro<bool> AsyncVectorDB::delete_collection(std::string name) const {
  Call call = call_to("delete", name, Method::DELETE);
  call.only_once();  // there might be a new one of that name
  json result = co_await result_of(std::move(call));
  co_return result.is_boolean() && result.get<bool>();
}

Coro<bool> AsyncVectorDB::collection_exists(std::string name) const {
  json result = co_await result_of(call_to("look for", name, Method::GET, "/exists"));
  co_return decoded("look for", name, [&] { return result.at("exists").get<bool>(); });
}

Coro<std::vector<std::string>> AsyncVectorDB::collections() const {
  Call call("list of collections", Method::GET, "/collections");
  json result = co_await result_of(std::move(call));
  co_return decoded("list", "collections", [&] { return wire::names(result); });
}

Coro<json> AsyncVectorDB::info(std::string collection) const {
  return result_of(call_to("info of", collection, Method::GET));
}

Coro<> AsyncVectorDB::insert(std::string collection, std::string name, Vector vector,
                             json payload) const {
  Point point = document(name, std::move(vector), std::move(payload));
  co_await result_of(upsert(collection, std::span(&point, 1)));
}

Coro<std::size_t> AsyncVectorDB::insert_vectors(std::string collection,
                                                std::vector<Point> points) const {
  std::size_t count = points.size();
  if (count != 0) co_await result_of(upsert(collection, points));
  co_return count;
}

Coro<std::size_t> AsyncVectorDB::insert_vectors(std::string collection,
                                                std::map<std::string, Vector> documents) const {
  return insert_vectors(std::move(collection), points_of(documents));
}

Coro<std::size_t> AsyncVectorDB::batch_insert(std::string collection, std::vector<Point> points,
                                              BatchOptions options) const {
  Batches batches(std::move(points), std::move(options));
  auto work = [&]() -> Coro<> {
    for (auto batch = batches.next(); !batch.empty(); batch = batches.next()) {
      co_await result_of(upsert(collection, batch, batches.first_of(batch)));
      batches.done(batch.size());
    }
  };
  auto all = [&](TaskGroup& group) -> Coro<> {
    for (std::size_t i = 0; i < batches.workers(); ++i) group.create_task(work());
    co_return;
  };
  auto outcome = co_await capture(with(TaskGroup(), all));
  if (!outcome) rethrow_first(outcome.exception());
  co_return batches.total();
}

Coro<std::size_t> AsyncVectorDB::batch_insert(std::string collection,
                                              std::map<std::string, Vector> documents,
                                              BatchOptions options) const {
  return batch_insert(std::move(collection), points_of(documents), std::move(options));
}

Coro<std::vector<Match>> AsyncVectorDB::search(std::string collection, Vector query,
                                               std::size_t top_k, SearchOptions options) const {
  Call call = call_to("search", collection, Method::POST, "/points/query");
  call.with_body(options.to_json(query, top_k));
  json result = co_await result_of(std::move(call));
  co_return decoded("search", collection, [&] { return wire::matches(result); });
}

Coro<std::vector<Record>> AsyncVectorDB::get(std::string collection,
                                             std::vector<PointId> ids) const {
  Call call = call_to("get from", collection, Method::POST, "/points");
  json body;
  body["ids"] = wire::ids(ids);
  body["with_payload"] = true;
  body["with_vector"] = true;
  call.with_body(body);
  json result = co_await result_of(std::move(call));
  co_return decoded("get from", collection, [&] { return wire::records(result); });
}

Coro<std::optional<Record>> AsyncVectorDB::get(std::string collection, std::string name) const {
  std::vector<PointId> ids(1, document_id(name));
  std::vector<Record> records = co_await get(std::move(collection), std::move(ids));
  std::optional<Record> record;
  if (!records.empty()) record = std::move(records.front());
  co_return record;
}

Coro<> AsyncVectorDB::remove(std::string collection, Selection selection) const {
  Call call = call_to("remove from", collection, Method::POST, "/points/delete?wait=true");
  call.with_body(wire::selection(selection));
  bool named = std::holds_alternative<std::vector<PointId>>(selection);
  if (!named) call.only_once();  // other points might match by then
  co_await result_of(std::move(call));
}

Coro<> AsyncVectorDB::remove(std::string collection, std::string name) const {
  std::vector<PointId> ids(1, document_id(name));
  return remove(std::move(collection), Selection(std::move(ids)));
}

Coro<std::size_t> AsyncVectorDB::count(std::string collection, Filter filter) const {
  Call call = call_to("count", collection, Method::POST, "/points/count");
  call.with_body(wire::filtered(filter));
  json result = co_await result_of(std::move(call));
  co_return decoded("count", collection, [&] { return result.at("count").get<std::size_t>(); });
}

Coro<ScrollPage> AsyncVectorDB::scroll(std::string collection, ScrollRequest request) const {
  Call call = call_to("scroll", collection, Method::POST, "/points/scroll");
  call.with_body(wire::scroll(request));
  json result = co_await result_of(std::move(call));
  co_return decoded("scroll", collection, [&] { return wire::page(result); });
}

Coro<> AsyncVectorDB::close() const {
  transport_->close();
  co_return;
}

}  // namespace vectordb

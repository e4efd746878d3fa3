// SPDX-License-Identifier: BSL-1.0
/// The client: the tutorials' AsyncVectorDB, written to the API of Qdrant 1.19.
#pragma once

#include "vectordb/client/documents.hpp"
#include "vectordb/client/errors.hpp"
#include "vectordb/client/options.hpp"
#include "vectordb/engine/requests.hpp"
#include <asyncio/coro.hpp>

#include <exception>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace vectordb {

class Call;
class Transport;

/// A point that a search found.
class Match {
 public:
  Match(PointId point, float similarity, nlohmann::json with)
      : id(point),
        document(document_name(point, with)),
        score(similarity),
        payload(std::move(with)) {}

  PointId id;
  std::string document;  ///< its name, or its id
  float score;
  nlohmann::json payload;
  std::optional<Vector> vector;  ///< if it was asked for
};

/// What a search may be told beside the vector.
class SearchOptions {
 public:
  SearchOptions() {}

  SearchOptions& filter(Filter filter) { return filter_ = std::move(filter), *this; }
  SearchOptions& offset(std::size_t count) { return offset_ = count, *this; }
  /// Looks at every vector.
  SearchOptions& exact(bool enabled = true) { return exact_ = enabled, *this; }
  /// How thoroughly the graph is searched.
  SearchOptions& hnsw_ef(std::size_t count) { return hnsw_ef_ = count, *this; }
  /// No worse matches. Throws: InvalidArgument if it is not finite.
  SearchOptions& score_threshold(float score);
  /// Without it matches have their ids as names.
  SearchOptions& with_payload(bool enabled) { return with_payload_ = enabled, *this; }
  SearchOptions& with_vector(bool enabled = true) { return with_vector_ = enabled, *this; }

  /// As the body of a request. Throws: InvalidArgument for a vector that is not finite.
  nlohmann::json to_json(const Vector& query, std::size_t top_k) const;

 private:
  Filter filter_;
  std::size_t offset_ = 0;
  bool exact_ = false;
  std::optional<std::size_t> hnsw_ef_;
  std::optional<float> score_threshold_;
  bool with_payload_ = true;
  bool with_vector_ = false;
};

/// A vector database on some server. A handle: copies name the same connections.
///
///     AsyncVectorDB db = co_await AsyncVectorDB::connect("localhost:8000");
///     co_await db.create_collection("documents", 128);
///     co_await db.insert("documents", "doc_1", vector);
///     std::vector<Match> matches = co_await db.search("documents", query, 3);
///
/// Documents have any name; see documents.hpp. Every member that awaits:
/// Throws   NotFound, BadRequest, DimensionMismatch, Unauthorized, TooLarge, Unavailable or another
///          ServiceError, with the server's words; InvalidArgument for the name of a collection
///          that cannot be in a path, and for what JSON has not: text that is not UTF-8, and NaN
///          or an infinity in a vector.
/// Cancel   closes the connection; the server may do it all the same.
/// Thread   the loop's.
class AsyncVectorDB {
 public:
  /// "localhost:8000" or a URL. Asks the server who it is; an attempt at that has 5 seconds at
  /// most.
  /// Throws   http::InvalidURL as well.
  static asyncio::Coro<AsyncVectorDB> connect(std::string address, ClientOptions options = {});

  /// Throws   AlreadyExists, also of an attempt whose answer was lost.
  asyncio::Coro<> create_collection(std::string name, std::size_t dim = 128,
                                    Distance distance = Distance::Cosine) const;
  asyncio::Coro<> create_collection(std::string name, CollectionConfig config) const;
  /// Returns  whether there was one.
  /// Throws   Unavailable as well if the answer was lost: it is not asked twice.
  asyncio::Coro<bool> delete_collection(std::string name) const;
  asyncio::Coro<bool> collection_exists(std::string name) const;
  asyncio::Coro<std::vector<std::string>> collections() const;
  /// As the server says it: "points_count", "config", "status".
  asyncio::Coro<nlohmann::json> info(std::string collection) const;

  /// One document, in the place of the one of that name.
  asyncio::Coro<> insert(std::string collection, std::string document, Vector vector,
                         nlohmann::json payload = nlohmann::json::object()) const;
  /// In one request, all or none.
  /// Returns  how many.
  asyncio::Coro<std::size_t> insert_vectors(std::string collection,
                                            std::vector<Point> points) const;
  asyncio::Coro<std::size_t> insert_vectors(std::string collection,
                                            std::map<std::string, Vector> documents) const;
  /// In as many requests as it takes: none has more points or bytes than `options` say, but for a
  /// point that has more by itself. If one fails the others are given up, and what they had
  /// brought stays.
  /// Returns  how many.
  asyncio::Coro<std::size_t> batch_insert(std::string collection, std::vector<Point> points,
                                          BatchOptions options = {}) const;
  asyncio::Coro<std::size_t> batch_insert(std::string collection,
                                          std::map<std::string, Vector> documents,
                                          BatchOptions options = {}) const;

  /// The nearest first.
  asyncio::Coro<std::vector<Match>> search(std::string collection, Vector query,
                                           std::size_t top_k = 5, SearchOptions options = {}) const;
  /// Those that are there, with payload and vector.
  asyncio::Coro<std::vector<Record>> get(std::string collection, std::vector<PointId> ids) const;
  /// Nothing if it is not there.
  asyncio::Coro<std::optional<Record>> get(std::string collection, std::string document) const;
  /// Those that are not there are passed over. With a Filter, not asked twice if the answer was
  /// lost.
  asyncio::Coro<> remove(std::string collection, Selection selection) const;
  asyncio::Coro<> remove(std::string collection, std::string document) const;
  asyncio::Coro<std::size_t> count(std::string collection, Filter filter = {}) const;
  /// A page in the order of ids, with payloads.
  asyncio::Coro<ScrollPage> scroll(std::string collection, ScrollRequest request = {}) const;

  /// Gives the connections up; requests that are under way fail.
  asyncio::Coro<> close() const;

  // For with().
  AsyncVectorDB& aenter() noexcept { return *this; }
  asyncio::Coro<> aexit(std::exception_ptr) const { return close(); }

 private:
  explicit AsyncVectorDB(std::shared_ptr<Transport> transport) : transport_(std::move(transport)) {}

  /// The answer's `result`.
  asyncio::Coro<nlohmann::json> result_of(Call call) const;

  std::shared_ptr<Transport> transport_;
};

}  // namespace vectordb

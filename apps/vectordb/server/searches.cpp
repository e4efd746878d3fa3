// SPDX-License-Identifier: BSL-1.0
#include "vectordb/engine/validation.hpp"
#include "vectordb/server/endpoints.hpp"
#include "vectordb/server/requests.hpp"
#include "vectordb/server/time_limit.hpp"
#include <asyncio/gather.hpp>
#include <asyncio/web/exceptions.hpp>

#include <algorithm>
#include <iterator>
#include <memory>
#include <span>
#include <utility>

namespace vectordb {

using namespace asyncio;

namespace {

constexpr std::size_t kMostSearches = 1000;  // of a batch

const SearchRequest& search_in(const SearchRequest& search) { return search; }
const SearchRequest& search_in(const QueryRequest& query) { return query.search; }
SearchRequest& search_in(SearchRequest& search) { return search; }
SearchRequest& search_in(QueryRequest& query) { return query.search; }

/// One answer has all of them.
template <class T>
void share_room(std::vector<T>& searches) {
  auto room = std::make_shared<PayloadRoom>();
  for (T& one : searches) search_in(one).room = room;
}

/// Beyond what a collection has, a limit asks for nothing more. No sum of these overflows.
template <class T>
void check_results(std::span<const T> searches, std::size_t dimensions, std::size_t points) {
  std::size_t results = 0;
  std::size_t numbers = 0;
  for (const T& one : searches) {
    const SearchRequest& search = search_in(one);
    check_limit(search.limit, Limits::kResults, search.place + "limit");
    std::size_t most = std::min(search.limit, points);
    results += most;
    if (search.with_vector) numbers += most * dimensions;
  }
  check_limit(results, Limits::kResults, "sum of the limits");
  check_result_vectors(numbers);
}

/// What the answer would hold in memory at once.
template <class T>
Coro<> check_results_of(Collection collection, std::span<const T> searches) {
  CollectionInfo info = co_await collection.info();
  check_results(searches, info.config.size, info.points);
}

template <class T>
Coro<> check_batch(Collection collection, const std::vector<T>& searches) {
  check_limit(searches.size(), kMostSearches, "searches");
  return check_results_of(std::move(collection), std::span(searches));
}

/// Of one search that is no batch: without vectors its limit says enough.
template <class T>
Coro<> check_single(Collection collection, const T& search) {
  bool has_vectors = search_in(search).with_vector;
  if (has_vectors) co_await check_results_of(std::move(collection), std::span(&search, 1));
}

/// A query that names nothing: the points in order, with a score of 0.
Coro<Found> first_points(Collection collection, SearchRequest search) {
  check_limit(search.limit, Limits::kResults, search.place + "limit");
  check_limit(search.offset, Limits::kResults, search.place + "offset");
  ScrollRequest scroll;
  scroll.filter = search.filter;
  if (search.offset != 0) {
    scroll.limit = search.offset;
    scroll.with_payload = false;
    ScrollPage skipped = co_await collection.scroll(scroll);
    if (!skipped.next_page_offset) co_return Found();
    scroll.offset = skipped.next_page_offset;
  }
  scroll.limit = search.limit;
  scroll.with_payload = search.with_payload;
  scroll.with_vector = search.with_vector;
  scroll.room = search.room;
  ScrollPage page = co_await collection.scroll(std::move(scroll));
  Found found;
  for (Record& record : page.points) static_cast<Record&>(found.emplace_back()) = std::move(record);
  co_return found;
}

Coro<Found> answer_to(Collection collection, QueryRequest query) {
  if (std::holds_alternative<std::monostate>(query.target))
    co_return co_await first_points(collection, query.search);
  if (auto* vector = std::get_if<Vector>(&query.target))
    co_return co_await collection.search(query.near(std::move(*vector), std::nullopt));
  PointId id = std::get<PointId>(query.target);
  std::vector<PointId> ids(1, id);
  auto records = co_await collection.retrieve(std::move(ids), false, true);
  if (records.empty())
    throw web::HTTPNotFound(query.search.place + "query: point " + id.to_string() +
                            " does not exist");
  co_return co_await collection.search(query.near(std::move(*records.front().vector), id));
}

Coro<Found> answer_to(Collection collection, SearchRequest search) {
  return collection.search(std::move(search));
}

template <class T>
void add_single(web::Application& app, Access& access, std::string_view path,
                T (*read)(const nlohmann::json&), std::string (*write)(const Found&)) {
  read_route(app, "POST", path,
             [&access, read, write](web::Request& request, std::string name) -> Coro<ResultText> {
               Collection collection = access.collection(name);
               T wanted = co_await read_body(request, read);
               co_await check_single(collection, wanted);
               Found found = co_await answer_to(collection, std::move(wanted));
               co_return co_await write_result(std::move(found), write);
             });
}

template <class T>
void add_batch(web::Application& app, Access& access, std::string_view path,
               std::vector<T> (*read)(const nlohmann::json&),
               std::string (*write)(const std::vector<Found>&)) {
  read_route(app, "POST", path,
             [&access, read, write](web::Request& request, std::string name) -> Coro<ResultText> {
               Collection collection = access.collection(name);
               std::vector<T> wanted = co_await read_body(request, read);
               co_await check_batch(collection, wanted);
               share_room(wanted);
               std::vector<Coro<Found>> running;
               for (T& one : wanted) running.push_back(answer_to(collection, std::move(one)));
               auto all = co_await gather(std::move(running));
               co_return co_await write_result(std::move(all), write);
             });
}

}  // namespace

void add_searches(web::Application& app, Access& access) {
  add_single(app, access, "/collections/{name}/points/search", &search_of, &scored);
  add_batch(app, access, "/collections/{name}/points/search/batch", &searches_of, &each_scored);
  add_single(app, access, "/collections/{name}/points/query", &construct<QueryRequest>, &queried);
  add_batch(app, access, "/collections/{name}/points/query/batch", &queries_of, &each_queried);
  read_route(app, "POST", "/collections/{name}/points/scroll",
             [&access](web::Request& request, std::string name) -> Coro<ResultText> {
               Collection collection = access.collection(name);
               ScrollRequest scroll = co_await read_body(request, &scroll_of);
               ScrollPage found = co_await collection.scroll(std::move(scroll));
               co_return co_await write_result(std::move(found), &page);
             });
  read_route(app, "POST", "/collections/{name}/points/count",
             [&access](web::Request& request, std::string name) -> Coro<ResultText> {
               Collection collection = access.collection(name);
               Filter filter = co_await read_body(request, &count_of);
               std::size_t count = co_await collection.count(std::move(filter));
               co_return "{\"count\":" + std::to_string(count) + "}";
             });
}

}  // namespace vectordb

// SPDX-License-Identifier: BSL-1.0
#include "curve.hpp"

#include <asyncio/asyncio.hpp>

#include <algorithm>
#include <utility>

namespace bench {

using namespace asyncio;
using vectordb::Collection;
using vectordb::ScoredPoint;
using vectordb::SearchRequest;

namespace {

SearchRequest request_for(const std::vector<float>& query, std::size_t ef) {
  SearchRequest request(query, kTop);
  request.hnsw_ef = ef;
  return request;
}

/// One of those that search at the same time.
Coro<> search_some(Collection collection, const Vectors& queries, std::size_t ef, std::size_t& next,
                   Stopwatch& watch) {
  while (next < queries.size()) {
    SearchRequest request = request_for(queries[next++], ef);
    const auto begin = SteadyClock::now();
    co_await collection.search(std::move(request));
    watch.add(begin);
  }
}

Coro<Speed> speed_of(Collection collection, const Vectors& queries, std::size_t ef,
                     std::size_t concurrency) {
  std::size_t next = 0;
  Stopwatch watch;
  std::vector<Coro<>> workers;
  for (std::size_t i = 0; i < concurrency; ++i)
    workers.push_back(search_some(collection, queries, ef, next, watch));
  co_await gather(std::move(workers));
  co_return watch.speed();
}

Coro<CurvePoint> measure(Collection collection, Plain& plain, const Setup& setup, std::size_t ef) {
  CurvePoint point;
  point.ef = ef;
  Recall recall, plain_recall;
  for (std::size_t i = 0; i < setup.queries.size(); ++i) {
    auto found = co_await collection.search(request_for(setup.queries[i], ef));
    recall.add(setup.truth[i], found, [](const ScoredPoint& one) { return one.id.number(); });
    plain_recall.add(setup.truth[i], plain.search(setup.queries[i], ef),
                     [](std::uint64_t id) { return id; });
  }
  point.recall = recall.value();
  point.plain_recall = plain_recall.value();
  for (int round = 0; round < kRounds; ++round) {
    Speed alone = co_await speed_of(collection, setup.queries, ef, 1);
    keep_best(point.alone, alone);
    Speed together = co_await speed_of(collection, setup.queries, ef, kConcurrency);
    keep_best(point.together, together);
    keep_best(point.plain, plain.speed(setup.queries, ef, setup.queries.size()));
  }
  co_return point;
}

std::vector<std::size_t> values_of_ef(std::size_t usual) {
  std::vector<std::size_t> all = {16, 32, 64, 128, 256, 512};
  if (std::ranges::find(all, usual) == all.end()) all.push_back(usual);
  std::ranges::sort(all);
  return all;
}

}  // namespace

Coro<std::vector<CurvePoint>> curve_of(Collection collection, Plain& plain, const Setup& setup) {
  std::vector<CurvePoint> curve;
  for (std::size_t ef : values_of_ef(setup.ef())) {
    CurvePoint point = co_await measure(collection, plain, setup, ef);
    curve.push_back(point);
  }
  co_return curve;
}

}  // namespace bench

// SPDX-License-Identifier: BSL-1.0
// vectordb_bench [POINTS [DIMENSIONS [FOLDER]]]: recall and speed of apps/vectordb/engine, beside
// plain hnswlib in the same process with the same vectors and parameters. CSV on stdout, a line for
// each ef; the rest, in words, on stderr. tools/plot_recall draws the CSV.
#include "dataset.hpp"
#include "vectordb/engine/database.hpp"
#include <asyncio/asyncio.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <hnswlib/hnswlib.h>
#include <numeric>
#include <set>
#include <string>
#include <thread>
#include <unistd.h>
#include <vector>

using namespace asyncio;
using namespace vectordb;
using bench::Dataset;
using SteadyClock = std::chrono::steady_clock;
using Vectors = std::vector<std::vector<float>>;

namespace {

constexpr std::size_t kTop = 10;
constexpr std::size_t kQueries = 1000;
constexpr std::size_t kConcurrency = 16;
constexpr int kRounds = 3;  // of each measurement, ours and the other's in turn; the best counts

double seconds_since(SteadyClock::time_point begin) {
  return std::chrono::duration<double>(SteadyClock::now() - begin).count();
}

std::size_t resident_bytes() {
  std::size_t pages = 0, resident = 0;
  std::ifstream("/proc/self/statm") >> pages >> resident;
  return resident * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
}

/// hnswlib as its own examples use it.
class Plain {
 public:
  explicit Plain(const Vectors& points)
      : space_(points[0].size()), graph_(&space_, points.size(), 16, 100) {
    in_threads(std::thread::hardware_concurrency(), points.size(),
               [&](std::size_t i) { graph_.addPoint(points[i].data(), i); });
  }
  std::set<std::uint64_t> search(const std::vector<float>& query, std::size_t ef) {
    graph_.setEf(ef);
    std::set<std::uint64_t> found;
    for (const auto& [distance, label] : graph_.searchKnnCloserFirst(query.data(), kTop))
      found.insert(label);
    return found;
  }
  /// Searches a second, by as many threads as ours are done by: more would only get more of a
  /// machine that others use as well.
  double throughput(const Vectors& queries, std::size_t ef) {
    graph_.setEf(ef);
    const auto begin = SteadyClock::now();
    in_threads(std::thread::hardware_concurrency(), queries.size(),
               [&](std::size_t i) { graph_.searchKnnCloserFirst(queries[i].data(), kTop); });
    return static_cast<double>(queries.size()) / seconds_since(begin);
  }

 private:
  template <class Work>
  static void in_threads(std::size_t count, std::size_t items, Work work) {
    std::atomic<std::size_t> next = 0;
    std::vector<std::jthread> threads;
    for (std::size_t i = 0; i < count; ++i)
      threads.emplace_back([&] {
        for (std::size_t item = next++; item < items; item = next++) work(item);
      });
  }

  hnswlib::L2Space space_;
  hnswlib::HierarchicalNSW<float> graph_;
};

SearchRequest request_for(const std::vector<float>& query, std::size_t ef) {
  SearchRequest request(query, kTop);
  request.hnsw_ef = ef;
  return request;
}

/// One of those that search at the same time; the latencies go to `latencies`.
Coro<> search_some(Collection collection, const Vectors& queries, std::size_t ef, std::size_t& next,
                   std::vector<double>& latencies) {
  while (next < queries.size()) {
    SearchRequest request = request_for(queries[next++], ef);
    const auto begin = SteadyClock::now();
    co_await collection.search(request);
    latencies.push_back(seconds_since(begin) * 1e6);
  }
}

struct Speed {
  double per_second = 0, p50 = 0, p99 = 0;
};

Coro<Speed> speed_of(Collection collection, const Vectors& queries, std::size_t ef,
                     std::size_t concurrency) {
  std::size_t next = 0;
  std::vector<double> latencies;
  const auto begin = SteadyClock::now();
  co_await with(TaskGroup(), [&](TaskGroup& group) -> Coro<> {
    for (std::size_t i = 0; i < concurrency; ++i)
      group.create_task(search_some(collection, queries, ef, next, latencies));
    co_return;
  });
  Speed speed;
  speed.per_second = static_cast<double>(latencies.size()) / seconds_since(begin);
  std::sort(latencies.begin(), latencies.end());
  speed.p50 = latencies[latencies.size() / 2];
  speed.p99 = latencies[latencies.size() * 99 / 100];
  co_return speed;
}

std::size_t hits(const std::set<std::uint64_t>& truth, const std::vector<ScoredPoint>& found) {
  return static_cast<std::size_t>(
      std::count_if(found.begin(), found.end(),
                    [&](const ScoredPoint& point) { return truth.contains(point.id.number()); }));
}

Coro<> insert(Collection collection, const Vectors& vectors, std::uint64_t first) {
  constexpr std::size_t kBatch = 1000;
  for (std::size_t at = 0; at < vectors.size(); at += kBatch) {
    std::vector<Point> points;
    for (std::size_t i = at; i < std::min(at + kBatch, vectors.size()); ++i)
      points.emplace_back(first + i, vectors[i]);
    co_await collection.upsert(std::move(points));
  }
}

/// Recall and speed at one ef, as a line.
Coro<> measure(Collection collection, Plain& plain, const Vectors& queries,
               const std::vector<std::set<std::uint64_t>>& truth, std::size_t ef) {
  std::size_t found = 0, found_plain = 0;
  for (std::size_t i = 0; i < queries.size(); ++i) {
    found += hits(truth[i], co_await collection.search(request_for(queries[i], ef)));
    for (std::uint64_t id : plain.search(queries[i], ef)) found_plain += truth[i].contains(id);
  }
  Speed alone, together;
  double other = 0;
  for (int round = 0; round < kRounds; ++round) {
    Speed one = co_await speed_of(collection, queries, ef, 1);
    if (one.per_second > alone.per_second) alone = one;
    Speed many = co_await speed_of(collection, queries, ef, kConcurrency);
    if (many.per_second > together.per_second) together = many;
    other = std::max(other, plain.throughput(queries, ef));
  }
  const auto all = static_cast<double>(kTop * queries.size());
  std::printf("%zu,%.4f,%.4f,%.0f,%.0f,%.0f,%.0f,%.2f\n", ef, static_cast<double>(found) / all,
              static_cast<double>(found_plain) / all, alone.p50, alone.p99, together.per_second,
              other, together.per_second / other);
  std::fflush(stdout);
}

Coro<> measure_beside_writes(Collection collection, Dataset& data, const Vectors& queries) {
  Vectors more = data.take(5000);
  bool done = false;
  Speed speed;
  const auto begin = SteadyClock::now();
  co_await with(TaskGroup(), [&](TaskGroup& group) -> Coro<> {
    Task<> writer = group.create_task(insert(collection, more, 10'000'000));
    while (!done) {
      speed = co_await speed_of(collection, queries, collection.config().hnsw.ef_construct,
                                kConcurrency);
      done = writer.done();
    }
  });
  std::fprintf(stderr,
               "beside a writer (%.0f points/s): %.0f searches/s at concurrency %zu, "
               "p50 %.1f ms, p99 %.1f ms\n",
               static_cast<double>(more.size()) / seconds_since(begin), speed.per_second,
               kConcurrency, speed.p50 / 1000, speed.p99 / 1000);
}

Coro<std::vector<std::set<std::uint64_t>>> exact_results(Collection collection,
                                                         const Vectors& queries) {
  std::vector<std::set<std::uint64_t>> truth;
  for (const std::vector<float>& query : queries) {
    SearchRequest request(query, kTop);
    request.exact = true;
    std::set<std::uint64_t>& ids = truth.emplace_back();
    for (const ScoredPoint& point : co_await collection.search(request))
      ids.insert(point.id.number());
  }
  co_return truth;
}

Coro<> measure_all(std::string folder, std::size_t count, std::size_t dimensions) {
  Dataset data(dimensions);
  const Vectors points = data.take(count);
  const Vectors queries = data.take(kQueries);
  const std::size_t before = resident_bytes();
  auto begin = SteadyClock::now();
  Database database = co_await Database::open(folder);
  Collection collection =
      co_await database.create("bench", CollectionConfig(dimensions, Distance::Euclid));
  co_await insert(collection, points, 0);
  std::fprintf(stderr, "%zu points of %zu dimensions written and indexed: %.1f s\n", count,
               dimensions, seconds_since(begin));
  CollectionInfo info = co_await collection.info();
  std::fprintf(stderr, "memory per vector: index %zu bytes, process %zu bytes\n",
               info.index_bytes / count, (resident_bytes() - before) / count);
  co_await database.close();
  begin = SteadyClock::now();
  Database again = co_await Database::open(folder);
  std::fprintf(stderr, "opened again: %.1f s\n", seconds_since(begin));
  begin = SteadyClock::now();
  Plain plain(points);
  std::fprintf(stderr, "plain hnswlib, built with %u threads: %.1f s\n",
               std::thread::hardware_concurrency(), seconds_since(begin));
  collection = again.get("bench");
  std::vector<std::set<std::uint64_t>> truth = co_await exact_results(collection, queries);
  std::puts("ef,recall,plain_recall,p50_us,p99_us,per_second,plain_per_second,ratio");
  for (std::size_t ef = 16; ef <= 512; ef *= 2) {
    co_await measure(collection, plain, queries, truth, ef);
    if (ef == 64) co_await measure(collection, plain, queries, truth, 100);
  }
  co_await measure_beside_writes(collection, data, queries);
  co_await again.close();
}

}  // namespace

int main(int argc, char** argv) {
  const std::size_t count = argc > 1 ? std::strtoull(argv[1], nullptr, 10) : 100'000;
  const std::size_t dimensions = argc > 2 ? std::strtoull(argv[2], nullptr, 10) : 128;
  const std::string folder =
      argc > 3 ? argv[3] : std::filesystem::temp_directory_path() / "vectordb-bench";
  std::filesystem::remove_all(folder);
  run([&]() -> Coro<> { co_await measure_all(folder, count, dimensions); });
  std::filesystem::remove_all(folder);
}

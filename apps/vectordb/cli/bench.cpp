// SPDX-License-Identifier: BSL-1.0
#include "vectordb/cli/commands.hpp"
#include "vectordb/cli/output.hpp"
#include <asyncio/eventloop.hpp>
#include <asyncio/gather.hpp>

#include <algorithm>
#include <cstdio>
#include <random>
#include <utility>
#include <vector>

namespace vectordb::cli {

using namespace asyncio;
using nlohmann::json;

namespace {

Vector random_vector(std::mt19937& random, std::size_t dim) {
  std::normal_distribution<float> component;
  Vector vector(dim);
  for (float& value : vector) value = component(random);
  return vector;
}

std::vector<Point> random_points(const Options& options) {
  std::mt19937 random(1);
  std::vector<Point> points;
  points.reserve(options.points);
  for (std::size_t i = 0; i < options.points; ++i)
    points.emplace_back(PointId(i), random_vector(random, options.dim));
  return points;
}

/// Searches, one after the other, until it is time; several at once.
class Searches {
 public:
  Searches(AsyncVectorDB& db, const Options& options)
      : db_(db), options_(options), begin_(get_running_loop().time()) {
    how_.with_payload(false).exact(options.exact);
    if (options.ef) how_.hnsw_ef(*options.ef);
  }

  Coro<> work(unsigned seed) {
    std::mt19937 random(seed);
    while (seconds_since(begin_) < options_.seconds) {
      Vector query = random_vector(random, options_.dim);
      TimePoint asked = get_running_loop().time();
      co_await db_.search(options_.scratch, std::move(query), options_.limit, how_);
      latencies_.push_back(seconds_since(asked));
    }
  }

  static double seconds_since(TimePoint begin) {
    return std::chrono::duration<double>(get_running_loop().time() - begin).count();
  }
  double per_second() const {
    return static_cast<double>(latencies_.size()) / seconds_since(begin_);
  }
  /// In milliseconds.
  double quantile(double part) {
    if (latencies_.empty()) return 0;
    std::ranges::sort(latencies_);
    auto at = static_cast<std::size_t>(part * static_cast<double>(latencies_.size() - 1));
    return latencies_[at] * 1000;
  }
  std::size_t count() const noexcept { return latencies_.size(); }

 private:
  AsyncVectorDB& db_;
  const Options& options_;
  SearchOptions how_;
  TimePoint begin_;
  std::vector<double> latencies_;
};

void print_report(const json& report, bool as_json) {
  if (as_json) return print_json(report);
  Table table({"what", "value"});
  for (const auto& [name, value] : report.items()) table.add({name, value.dump()});
  table.print();
}

double rounded(double value) { return std::round(value * 1000) / 1000; }

}  // namespace

Status bench(AsyncVectorDB& db, const Options& options) {
  co_await db.create_collection(options.scratch, options.dim);
  json report;
  std::vector<Point> points = random_points(options);  // before the time begins
  {
    ProgressBar bar("insert", options.points, options.quiet);
    BatchOptions batches;
    batches.size(options.batch)
        .concurrency(options.concurrency)
        .progress([&bar](std::size_t done, std::size_t) { bar.set(done); });
    co_await db.batch_insert(options.scratch, std::move(points), batches);
    report["points"] = options.points;
    report["inserts_per_second"] = rounded(static_cast<double>(options.points) / bar.seconds());
  }
  Searches searches(db, options);
  std::vector<Coro<>> workers;
  for (unsigned i = 0; i < options.concurrency; ++i) workers.push_back(searches.work(i));
  co_await gather(std::move(workers));
  report["searches"] = searches.count();
  report["searches_per_second"] = rounded(searches.per_second());
  report["p50_ms"] = rounded(searches.quantile(0.5));
  report["p99_ms"] = rounded(searches.quantile(0.99));
  if (!options.keep) co_await db.delete_collection(options.scratch);
  print_report(report, options.json);
  co_return kDone;
}

}  // namespace vectordb::cli

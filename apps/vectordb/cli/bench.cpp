// SPDX-License-Identifier: BSL-1.0
#include "vectordb/cli/commands.hpp"
#include "vectordb/cli/output.hpp"
#include "vectordb/cli/several.hpp"
#include "vectordb/cli/termination.hpp"
#include "vectordb/client/request_bytes.hpp"
#include <asyncio/capture.hpp>
#include <asyncio/eventloop.hpp>
#include <asyncio/threads.hpp>
#include <asyncio/timeout.hpp>
#include <asyncio/wait.hpp>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <random>
#include <utility>
#include <vector>

namespace vectordb::cli {

using namespace asyncio;
using nlohmann::json;

namespace {

constexpr std::chrono::seconds kGrace{5};  // for the server, after an error

Vector random_vector(std::mt19937& random, std::size_t dim) {
  std::normal_distribution<float> component;
  Vector vector(dim);
  for (float& value : vector) value = component(random);
  return vector;
}

/// The same each time. For a thread: many are more than the loop should wait for.
std::vector<Point> random_points(std::size_t first, std::size_t count, std::size_t dim) {
  std::mt19937 random(~static_cast<unsigned>(first));  // other numbers than the searches have
  std::vector<Point> points;
  points.reserve(count);
  for (std::size_t id = first; id < first + count; ++id)
    points.emplace_back(PointId(id), random_vector(random, dim));
  return points;
}

/// Awaits what changes the server to its end, for kGrace at most, also if it is cancelled: only
/// then it is known what is there.
Coro<> finished(Coro<> change) {
  auto task = create_task(std::move(change));
  auto waited = co_await capture(wait(task));
  auto outcome = co_await capture(wait_for(task, kGrace));
  waited.value();  // the cancellation comes before an error
  outcome.value();
}

/// The collection that is filled and searched.
class Scratch {
 public:
  Scratch(AsyncVectorDB& db, const Options& options) : db_(db), options_(options) {}

  Coro<> make() {
    auto change = [this]() -> Coro<> {
      co_await db_.create_collection(options_.scratch, options_.dim);
      exists_ = true;
    };
    co_await finished(change());
  }
  /// If it was made.
  Coro<> remove(OptionalDelay limit) {
    auto change = [this, limit]() -> Coro<> {
      co_await wait_for(db_.delete_collection(options_.scratch), limit);
    };
    if (std::exchange(exists_, false)) co_await finished(change());
  }

 private:
  AsyncVectorDB& db_;
  const Options& options_;
  bool exists_ = false;
};

/// Puts points in, a batch after the other; several at once. Each is made when its turn comes:
/// there may be more of them than there is memory for.
class Inserts {
 public:
  Inserts(AsyncVectorDB& db, const Options& options)
      : db_(db),
        options_(options),
        batch_(points_of_a_request(options)),
        bar_("insert", options.points, options.quiet) {}

  Coro<> work() {
    while (taken_ < options_.points) {
      std::size_t count = std::min(batch_, options_.points - taken_);
      std::size_t first = std::exchange(taken_, taken_ + count);
      auto points = co_await to_thread(&random_points, first, count, options_.dim);
      co_await db_.insert_vectors(options_.scratch, std::move(points));
      bar_.add(count);
    }
  }
  double per_second() const { return static_cast<double>(options_.points) / bar_.seconds(); }

 private:
  static std::size_t points_of_a_request(const Options& options) {
    const std::size_t bytes = request_bytes(Point(PointId(0), Vector(options.dim)));
    return std::clamp<std::size_t>(kRequestBytes / bytes, 1, options.batch);
  }

  AsyncVectorDB& db_;
  const Options& options_;
  std::size_t batch_;
  ProgressBar bar_;
  std::size_t taken_ = 0;
};

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

Coro<json> measure(AsyncVectorDB& db, const Options& options) {
  json report;
  report["points"] = options.points;
  {
    Inserts inserts(db, options);
    const Work insert = [&] { return inserts.work(); };
    co_await several(options.concurrency, insert);
    report["inserts_per_second"] = rounded(inserts.per_second());
  }
  Searches searches(db, options);
  unsigned seed = 0;
  const Work search = [&] { return searches.work(seed++); };
  co_await several(options.concurrency, search);
  report["searches"] = searches.count();
  report["searches_per_second"] = rounded(searches.per_second());
  report["p50_ms"] = rounded(searches.quantile(0.5));
  report["p99_ms"] = rounded(searches.quantile(0.99));
  co_return report;
}

}  // namespace

Status bench(AsyncVectorDB& db, const Options& options) {
  Termination termination;
  Scratch scratch(db, options);
  auto work = [&]() -> Coro<json> {
    co_await scratch.make();
    json report = co_await measure(db, options);
    co_return report;
  };
  auto report = co_await capture(work());
  if (!report || !options.keep) {
    OptionalDelay limit = kGrace;
    if (report) limit = std::nullopt;
    auto removed = co_await capture(scratch.remove(limit));
    if (report) removed.value();
    if (!removed)
      std::fprintf(stderr, "vectordb: the collection '%s' could not be deleted\n",
                   options.scratch.c_str());
  }
  print_report(report.value(), options.json);
  co_return kDone;
}

}  // namespace vectordb::cli

// SPDX-License-Identifier: BSL-1.0
/// hnswlib as its own examples use it: what the data base is measured against.
#pragma once

#include "dataset.hpp"
#include "speed.hpp"

#include <atomic>
#include <cstdint>
#include <hnswlib/hnswlib.h>
#include <set>
#include <thread>
#include <utility>
#include <vector>

namespace bench {

using Vectors = std::vector<std::vector<float>>;
using Ids = std::set<std::uint64_t>;

inline std::size_t processors() { return std::thread::hardware_concurrency(); }

/// Calls `work` for each item, in as many threads as there are processors: what the data base has
/// for its searches. More would only get more of a machine that others use as well.
template <class Work>
void in_threads(std::size_t items, Work work) {
  std::atomic<std::size_t> next = 0;
  std::vector<std::jthread> threads;
  for (std::size_t i = 0; i < processors(); ++i)
    threads.emplace_back([&] {
      for (std::size_t item = next++; item < items; item = next++) work(item);
    });
}

class Plain {
 public:
  Plain(const Vectors& points, std::size_t m, std::size_t ef_construct)
      : space_(points[0].size()), graph_(&space_, points.size(), m, ef_construct) {
    in_threads(points.size(), [&](std::size_t i) { graph_.addPoint(points[i].data(), i); });
  }

  Ids search(const std::vector<float>& query, std::size_t ef) {
    graph_.setEf(ef);
    Ids found;
    for (const auto& [distance, label] : graph_.searchKnnCloserFirst(query.data(), kTop))
      found.insert(label);
    return found;
  }

  /// Of at least as many searches as this, by all threads.
  Speed speed(const Vectors& queries, std::size_t ef, std::size_t searches) {
    graph_.setEf(ef);
    const double before = processor_time();
    const auto begin = SteadyClock::now();
    in_threads(searches, [&](std::size_t i) {
      graph_.searchKnnCloserFirst(queries[i % queries.size()].data(), kTop);
    });
    Speed speed;
    const auto count = static_cast<double>(searches);
    speed.per_second = count / seconds_since(begin);
    speed.here = (processor_time() - before) * 1e6 / count;
    return speed;
  }

  /// The truth: looks at every point.
  static std::vector<Ids> exact(const Vectors& points, const Vectors& queries) {
    hnswlib::L2Space space(points[0].size());
    std::vector<Ids> truth(queries.size());
    in_threads(queries.size(), [&](std::size_t i) {
      std::vector<std::pair<float, std::uint64_t>> all;
      for (std::size_t j = 0; j < points.size(); ++j)
        all.emplace_back(
            space.get_dist_func()(queries[i].data(), points[j].data(), space.get_dist_func_param()),
            j);
      const auto end = all.begin() + static_cast<std::ptrdiff_t>(std::min(kTop, all.size()));
      std::partial_sort(all.begin(), end, all.end());
      for (auto one = all.begin(); one != end; ++one) truth[i].insert(one->second);
    });
    return truth;
  }

 private:
  hnswlib::L2Space space_;
  hnswlib::HierarchicalNSW<float> graph_;
};

}  // namespace bench

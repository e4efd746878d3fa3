// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "operation.hpp"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <vector>

namespace bench {

/// How long each of many round trips took.
class Latencies {
 public:
  /// Does one and takes its time.
  template <class F>
  void measure(F&& trip) {
    auto begin = std::chrono::steady_clock::now();
    trip();
    took_.push_back(std::chrono::steady_clock::now() - begin);
  }

  void report(Count& count) {
    if (took_.empty()) return;
    std::sort(took_.begin(), took_.end());
    count.report("p50 us", percentile(50));
    count.report("p99 us", percentile(99));
  }

 private:
  double percentile(std::size_t percent) const {
    return std::chrono::duration<double, std::micro>(took_[took_.size() * percent / 100]).count();
  }

  std::vector<std::chrono::nanoseconds> took_;
};

}  // namespace bench

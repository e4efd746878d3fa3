// SPDX-License-Identifier: BSL-1.0
/// How fast searches are, and what they take of the processors.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <ctime>
#include <utility>
#include <vector>

namespace bench {

using SteadyClock = std::chrono::steady_clock;

inline constexpr std::size_t kTop = 10;
inline constexpr std::size_t kConcurrency = 16;
/// Of each measurement, the compared ones in turn: the best of each counts, and the median of the
/// rounds' ratios.
inline constexpr int kRounds = 5;

inline double seconds_since(SteadyClock::time_point begin) {
  return std::chrono::duration<double>(SteadyClock::now() - begin).count();
}

/// Of all threads of this process, in seconds.
inline double processor_time() {
  std::timespec now{};
  ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) / 1e9;
}

struct Speed {
  double per_second = 0;
  double p50 = 0, p99 = 0;     // microseconds
  double here = 0, there = 0;  // processor time of a search in this process and in the server's
};

inline void keep_best(Speed& best, const Speed& one) {
  if (one.per_second > best.per_second) best = one;
}

/// One measurement from its begin to speed().
class Stopwatch {
 public:
  void add(SteadyClock::time_point begin) { took_.push_back(seconds_since(begin) * 1e6); }

  /// `there`: seconds that the server's processors have worked meanwhile.
  Speed speed(double there = 0) {
    Speed speed;
    const auto count = static_cast<double>(std::max<std::size_t>(took_.size(), 1));
    speed.per_second = count / seconds_since(begin_);
    speed.here = (processor_time() - processors_) * 1e6 / count;
    speed.there = there * 1e6 / count;
    std::sort(took_.begin(), took_.end());
    if (took_.empty()) return speed;
    speed.p50 = took_[took_.size() / 2];
    speed.p99 = took_[took_.size() * 99 / 100];
    return speed;
  }

 private:
  SteadyClock::time_point begin_ = SteadyClock::now();
  double processors_ = processor_time();
  std::vector<double> took_;
};

}  // namespace bench

// SPDX-License-Identifier: BSL-1.0
/// What tests with threads wait for.
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <stdexcept>
#include <thread>

namespace test {

/// Far longer than anything takes; who waits that long fails.
inline constexpr std::chrono::seconds kPatience{60};

/// Closed until it is opened, for good. For any number of threads.
class Gate {
 public:
  void open() {
    std::lock_guard lock(mutex_);
    open_ = true;
    changed_.notify_all();
  }
  bool is_open() const {
    std::lock_guard lock(mutex_);
    return open_;
  }
  /// Throws after kPatience.
  void wait() const {
    std::unique_lock lock(mutex_);
    if (!changed_.wait_for(lock, kPatience, [this] { return open_; }))
      throw std::logic_error("the gate was not opened");
  }

 private:
  mutable std::mutex mutex_;
  mutable std::condition_variable changed_;
  bool open_ = false;
};

/// Yields until `condition()` holds; false after kPatience.
template <class Condition>
bool eventually(Condition condition) {
  auto end = std::chrono::steady_clock::now() + kPatience;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::yield();
  }
  return true;
}

}  // namespace test

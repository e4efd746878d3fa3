// SPDX-License-Identifier: BSL-1.0
/// The part of Python's module `threading` that the conformance programs use.
#pragma once

#include <asyncio/time.hpp>

#include <condition_variable>
#include <mutex>
#include <thread>

namespace py::threading {

class Event {
 public:
  void set() {
    std::lock_guard lock(mutex_);
    set_ = true;
    changed_.notify_all();
  }
  bool wait(asyncio::Delay timeout) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, timeout.duration(), [this] { return set_; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool set_ = false;
};

inline std::thread::id current_thread() { return std::this_thread::get_id(); }

namespace detail {
inline const std::thread::id initial_thread = std::this_thread::get_id();
}
/// The one in which the program began.
inline std::thread::id main_thread() { return detail::initial_thread; }

}  // namespace py::threading

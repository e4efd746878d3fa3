// SPDX-License-Identifier: BSL-1.0
/// A lock for many readers and one writer, in which neither starves.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <utility>

namespace vectordb {

/// std::shared_mutex lets readers in while others are reading, so that searches without a break
/// keep the writer out for ever; and a writer that locks again at once keeps out the readers. Here
/// readers that find a writer wait for that one's turn to end, and all who waited go before the
/// next one's.
///
/// To be used with std::shared_lock and std::unique_lock. Writers: one at a time.
class Turnstile {
 public:
  void lock_shared() {
    std::unique_lock lock(mutex_);
    if (!writer_) {
      ++readers_;
      return;
    }
    ++waiting_;
    readers_turn_.wait(lock, [this, turn = turn_] { return turn_ != turn; });
  }
  void unlock_shared() {
    std::unique_lock lock(mutex_);
    if (--readers_ == 0 && writer_) writers_turn_.notify_one();
  }

  void lock() {
    std::unique_lock lock(mutex_);
    writer_ = true;
    writers_turn_.wait(lock, [this] { return readers_ == 0; });
  }
  void unlock() {
    std::unique_lock lock(mutex_);
    writer_ = false;
    ++turn_;
    readers_ += std::exchange(waiting_, 0);  // they are in from now on, also if they wake later
    readers_turn_.notify_all();
  }

 private:
  std::mutex mutex_;
  std::condition_variable readers_turn_, writers_turn_;
  std::size_t readers_ = 0;  // that are in
  std::size_t waiting_ = 0;  // that found a writer
  std::uint64_t turn_ = 0;   // of writers, how many have ended
  bool writer_ = false;      // is in, or waits for the readers to leave
};

}  // namespace vectordb

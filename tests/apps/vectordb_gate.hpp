// SPDX-License-Identifier: BSL-1.0
/// An index whose work stops where a test says: what a loop does meanwhile shows that it does not
/// wait for it.
#pragma once

#include "vectordb/engine/vector_index.hpp"
#include <asyncio/asyncio.hpp>

#include <gtest/gtest.h>

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <utility>

namespace test {

/// Holds the next thread that comes by, until it is opened. The loop cannot open it while it waits
/// for that thread: then it opens by itself after a while, and the test fails.
class Gate {
 public:
  /// Thread: the loop's.
  void close() {
    std::lock_guard lock(mutex_);
    loop_ = asyncio::get_running_loop();
    held_.emplace();
    passed_ = 0;
    closed_ = true;
  }
  /// Ends when a thread is held. Thread: the loop's.
  asyncio::Coro<> wait_until_held() { co_await held_->wait(); }
  void open() {
    std::lock_guard lock(mutex_);
    released_ = true;
    loop_.reset();
    opened_.notify_all();
  }
  /// How often a thread came by since it was closed. Thread: any.
  int passed() {
    std::lock_guard lock(mutex_);
    return passed_;
  }
  /// Thread: any.
  void pass() {
    std::unique_lock lock(mutex_);
    ++passed_;
    if (!std::exchange(closed_, false)) return;
    released_ = false;
    asyncio::Event& held = *held_;
    auto tell = [&held] { held.set(); };
    loop_->call_soon_threadsafe(tell);
    bool opened = opened_.wait_for(lock, std::chrono::seconds(20), [this] { return released_; });
    EXPECT_TRUE(opened) << "the loop waits for the thread";
  }

 private:
  std::mutex mutex_;
  std::condition_variable opened_;
  std::optional<asyncio::EventLoop> loop_;
  std::optional<asyncio::Event> held_;
  bool closed_ = false, released_ = false;
  int passed_ = 0;
};

/// What a thread of the index does.
inline Gate at_put, at_search, at_vector;

}  // namespace test

namespace vectordb {

/// In the place of the library's: looks at every vector.
class GatedIndex final : public VectorIndex {
 public:
  explicit GatedIndex(std::size_t size) : size_(size) {}

  void reserve(std::size_t slots) override {
    if (slots > vectors_.size()) vectors_.resize(slots);
  }
  void put(Slot slot, std::span<const float> vector) override {
    test::at_put.pass();
    vectors_[slot].assign(vector.begin(), vector.end());
  }
  void erase(Slot slot) override { vectors_[slot].clear(); }
  std::span<const float> vector(Slot slot) const override {
    test::at_vector.pass();
    return vectors_[slot];
  }
  float distance(std::span<const float> query, Slot slot) const override {
    float sum = 0;
    for (std::size_t i = 0; i < size_; ++i)
      sum += (query[i] - vectors_[slot][i]) * (query[i] - vectors_[slot][i]);
    return sum;
  }
  std::vector<Neighbour> search(std::span<const float> query, std::size_t,
                                const SlotFilter* filter) const override {
    test::at_search.pass();
    std::vector<Neighbour> found;
    for (Slot slot = 0; slot < vectors_.size(); ++slot)
      if (!vectors_[slot].empty() && (!filter || (*filter)(slot)))
        found.push_back({distance(query, slot), slot});
    return found;
  }
  std::size_t bytes() const override { return vectors_.size() * size_ * sizeof(float); }

 private:
  std::size_t size_;
  std::vector<std::vector<float>> vectors_;
};

}  // namespace vectordb

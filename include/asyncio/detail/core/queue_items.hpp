// SPDX-License-Identifier: BSL-1.0
/// How the three queues keep their items. None allocates for each item: the room grows to the
/// largest number of items there ever was.
#pragma once

#include <algorithm>
#include <cstddef>
#include <memory>
#include <utility>
#include <vector>

namespace asyncio::detail {

/// First in, first out: a ring whose capacity is a power of two.
template <class T>
class RingItems {
 public:
  RingItems() noexcept = default;
  RingItems(const RingItems&) = delete;
  RingItems& operator=(const RingItems&) = delete;
  ~RingItems() {
    clear();
    free_ring();
  }

  void push(T&& item) {
    if (size_ == capacity()) grow();
    std::construct_at(at(size_), std::move(item));
    ++size_;
  }
  T pop() {
    T* front = at(0);
    T item(std::move(*front));
    drop_front();
    return item;
  }
  void clear() noexcept {
    while (size_ > 0) drop_front();
  }
  std::size_t size() const noexcept { return size_; }

 private:
  T* at(std::size_t index) const noexcept { return ring_ + ((begin_ + index) & mask_); }
  std::size_t capacity() const noexcept { return mask_ + 1; }
  void free_ring() noexcept {
    if (ring_) std::allocator<T>().deallocate(ring_, capacity());
  }

  void drop_front() noexcept {
    T* front = at(0);
    ++begin_;
    --size_;
    std::destroy_at(front);
  }

  void grow() {
    std::size_t room = std::max<std::size_t>(2 * capacity(), 4);
    T* ring = std::allocator<T>().allocate(room);
    std::size_t moved = 0;
    try {
      for (; moved < size_; ++moved)
        std::construct_at(ring + moved, std::move_if_noexcept(*at(moved)));
    } catch (...) {  // Rethrown; the items are where they were.
      std::destroy_n(ring, moved);
      std::allocator<T>().deallocate(ring, room);
      throw;
    }
    for (std::size_t i = 0; i < size_; ++i) std::destroy_at(at(i));
    free_ring();
    ring_ = ring;
    mask_ = room - 1;
    begin_ = 0;
  }

  T* ring_ = nullptr;
  std::size_t mask_ = static_cast<std::size_t>(-1);  // the capacity less one
  std::size_t begin_ = 0;
  std::size_t size_ = 0;
};

/// Last in, first out.
template <class T>
class StackItems {
 public:
  void push(T&& item) { items_.push_back(std::move(item)); }
  T pop() {
    T item(std::move(items_.back()));
    items_.pop_back();
    return item;
  }
  void clear() noexcept { std::vector<T>().swap(items_); }
  std::size_t size() const noexcept { return items_.size(); }

 private:
  std::vector<T> items_;
};

/// Smallest first. Equal items come out in the order in which Python's heapq gives them, which
/// std::push_heap and std::pop_heap do not. CPython: heapq.heappush, heapq.heappop.
template <class T, class Less>
class HeapItems {
 public:
  explicit HeapItems(Less less) : less_(std::move(less)) {}

  void push(T&& item) {
    items_.push_back(std::move(item));
    rise(items_.size() - 1);
  }
  T pop() {
    using std::swap;
    T last(std::move(items_.back()));
    items_.pop_back();
    if (items_.empty()) return last;
    swap(items_.front(), last);
    sink();
    return last;
  }
  void clear() noexcept { std::vector<T>().swap(items_); }
  std::size_t size() const noexcept { return items_.size(); }

 private:
  /// heapq._siftdown: the item at `hole` moves up until its parent is not greater.
  void rise(std::size_t hole) {
    using std::swap;
    while (hole > 0) {
      std::size_t parent = (hole - 1) / 2;
      if (!less_(items_[hole], items_[parent])) return;
      swap(items_[hole], items_[parent]);
      hole = parent;
    }
  }

  /// heapq._siftup: the first item goes down to a leaf along the smaller children, then rises.
  void sink() {
    using std::swap;
    std::size_t hole = 0;
    for (std::size_t child = 1; child < items_.size(); child = 2 * hole + 1) {
      std::size_t right = child + 1;
      if (right < items_.size() && !less_(items_[child], items_[right])) child = right;
      swap(items_[hole], items_[child]);
      hole = child;
    }
    rise(hole);
  }

  std::vector<T> items_;
  Less less_;
};

}  // namespace asyncio::detail

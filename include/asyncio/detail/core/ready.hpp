// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <cstdint>

namespace asyncio::detail {

/// The links of an intrusive, circular, doubly linked list.
struct Links {
  /// For links that are in a list before anybody asks.
  enum class Later { linked };

  constexpr Links() noexcept : next(nullptr), prev(nullptr) {}
  explicit Links(Later) noexcept {}

  Links* next;
  Links* prev;

  bool linked() const noexcept { return next != nullptr; }

  void unlink() noexcept {
    if (!next) return;
    next->prev = prev;
    prev->next = next;
    next = prev = nullptr;
  }
};

/// A FIFO of intrusive nodes. A node is in one list at a time and leaves it in O(1).
template <class Node>
class List {
 public:
  List() noexcept { reset(); }
  List(const List&) = delete;
  List& operator=(const List&) = delete;

  bool empty() const noexcept { return head_.next == &head_; }
  /// Of one that is not empty.
  bool has_one() const noexcept { return head_.next == head_.prev; }
  Node& front() const noexcept { return static_cast<Node&>(*head_.next); }
  Node& back() const noexcept { return static_cast<Node&>(*head_.prev); }

  void push_back(Node& node) noexcept {
    node.prev = head_.prev;
    node.next = &head_;
    head_.prev->next = &node;
    head_.prev = &node;
  }

  void push_front(Node& node) noexcept {
    node.next = head_.next;
    node.prev = &head_;
    head_.next->prev = &node;
    head_.next = &node;
  }

  Node& pop_front() noexcept {
    Node& node = front();
    Links* after = node.next;
    head_.next = after;
    after->prev = &head_;
    node.next = node.prev = nullptr;
    return node;
  }

  /// Of a list that has one.
  Node& pop_only() noexcept {
    Node& node = front();
    reset();
    node.next = node.prev = nullptr;
    return node;
  }

  /// Appends all of `other`, which is empty afterwards.
  void splice_back(List& other) noexcept {
    if (other.empty()) return;
    Links* first = other.head_.next;
    Links* last = other.head_.prev;
    first->prev = head_.prev;
    head_.prev->next = first;
    last->next = &head_;
    head_.prev = last;
    other.reset();
  }

  class iterator {
   public:
    explicit iterator(Links* at) noexcept : at_(at) {}
    Node& operator*() const noexcept { return static_cast<Node&>(*at_); }
    iterator& operator++() noexcept {
      at_ = at_->next;
      return *this;
    }
    bool operator==(const iterator&) const = default;

   private:
    Links* at_;
  };
  iterator begin() const noexcept { return iterator(head_.next); }
  iterator end() const noexcept { return iterator(const_cast<Links*>(&head_)); }

 private:
  void reset() noexcept { head_.next = head_.prev = &head_; }

  Links head_;
};

class FutureState;

/// What waits in the ready queue, or in the callback list of a future until that is done.
///
/// `run` is called once, after the node has left the queue; it may free the node.
struct Ready : Links {
  using Run = void (*)(Ready&);

  explicit Ready(Run function) noexcept : run(function) {}
  Ready(Run function, Later later) noexcept : Links(later), run(function) {}
  Ready(const Ready&) = delete;
  Ready& operator=(const Ready&) = delete;

  Run run;
};

using ReadyList = List<Ready>;

/// The links of a task in its loop's list of unfinished tasks.
struct TaskNode : Links {
  using Links::Links;
  /// Of one that is in the list, and will be in none again.
  void leave_list() noexcept {
    next->prev = prev;
    prev->next = next;
  }
};

/// A node that becomes ready at a deadline. Small, because each sleeping task holds one.
struct Timer : Ready {
  static constexpr std::uint32_t kIdle = static_cast<std::uint32_t>(-1);

  using Ready::Ready;

  bool armed() const noexcept { return index != kIdle; }

  std::uint32_t index = kIdle;  // in the heap
  std::uint32_t order = 0;      // equal deadlines fire in the order of arming
};

}  // namespace asyncio::detail

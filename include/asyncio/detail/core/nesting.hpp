// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <new>
#include <utility>
#include <vector>

namespace asyncio::detail {

/// Ends things that may hold others of their kind, which hold others: a coroutine that has one for
/// an argument, an error inside an error. Down to a depth they end inside each other, as usual;
/// those that lie deeper wait until the outermost one has ended, so that the stack need not be as
/// deep as they are (R12).
template <class T, void (*end)(T&) noexcept>
class NestedEnds {
 public:
  static void add(T thing) noexcept {
    if (depth_ >= kDeepest && postpone(thing)) return;
    ++depth_;
    end(thing);
    --depth_;
    if (depth_ == 0 && postponed_) [[unlikely]]
      end_postponed();
  }

 private:
  static constexpr unsigned kDeepest = 32;

  static bool postpone(T& thing) noexcept {
    try {
      if (!postponed_) postponed_ = new std::vector<T>();
      postponed_->push_back(std::move(thing));
      return true;
    } catch (const std::bad_alloc&) {
      return false;  // then the stack has to do
    }
  }

  static void end_postponed() noexcept {
    ++depth_;
    while (!postponed_->empty()) {
      T next = std::move(postponed_->back());
      postponed_->pop_back();
      end(next);
    }
    --depth_;
    delete std::exchange(postponed_, nullptr);
  }

  // Trivial, so that they are there for what ends after the thread's own objects.
  static inline thread_local constinit unsigned depth_ = 0;
  static inline thread_local constinit std::vector<T>* postponed_ = nullptr;
};

}  // namespace asyncio::detail

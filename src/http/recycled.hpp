// SPDX-License-Identifier: BSL-1.0
/// Shared objects that come and go with each exchange: make_recycled.
#pragma once

#include "asyncio/detail/core/recycler.hpp"

#include <cstddef>
#include <memory>
#include <utility>

namespace asyncio::http::detail {

template <class T>
class RecycledAllocator {
 public:
  using value_type = T;

  RecycledAllocator() noexcept = default;
  template <class U>
  RecycledAllocator(const RecycledAllocator<U>&) noexcept {}

  T* allocate(std::size_t count) {
    return static_cast<T*>(asyncio::detail::Recycler::allocate(count * sizeof(T)));
  }
  void deallocate(T* block, std::size_t count) noexcept {
    asyncio::detail::Recycler::deallocate(block, count * sizeof(T));
  }
  bool operator==(const RecycledAllocator&) const noexcept = default;
};

/// As std::make_shared, in the memory that coroutine frames come from.
template <class T, class... Args>
std::shared_ptr<T> make_recycled(Args&&... args) {
  static_assert(alignof(T) <= alignof(std::max_align_t));
  return std::allocate_shared<T>(RecycledAllocator<T>(), std::forward<Args>(args)...);
}

}  // namespace asyncio::http::detail

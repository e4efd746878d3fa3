// SPDX-License-Identifier: BSL-1.0
#include "asyncio/detail/core/recycler.hpp"

#include <new>

namespace asyncio::detail {

thread_local constinit Recycler::Cache Recycler::cache_{};

/// Runs at thread exit: the cache goes back to the heap and stays closed, because destructors of
/// other thread-local objects may still free frames.
struct RecyclerRelease {
  ~RecyclerRelease() {
    auto& cache = Recycler::cache_;
    cache.armed = false;
    cache.closed = true;
    for (std::size_t cls = 0; cls < Recycler::kClasses; ++cls) {
      while (auto* block = cache.free[cls]) {
        cache.free[cls] = block->next;
        ::operator delete(block);
      }
      cache.count[cls] = 0;
    }
  }
};

void Recycler::arm(Cache& cache) noexcept {
  static thread_local RecyclerRelease release;
  (void)release;
  cache.armed = true;
}

void* Recycler::allocate_slow(std::size_t size) {
  // Rounded up to its class, so that whoever takes the block next may use all of it.
  std::size_t cls = (size - 1) / kGranularity;
  return ::operator new(cls < kClasses ? (cls + 1) * kGranularity : size);
}

void Recycler::deallocate_slow(void* block, std::size_t size) noexcept {
  if (!cache_.armed && !cache_.closed && (size - 1) / kGranularity < kClasses) arm(cache_);
  ::operator delete(block);
}

}  // namespace asyncio::detail

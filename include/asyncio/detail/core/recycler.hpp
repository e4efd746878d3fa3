// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <cstdint>

namespace asyncio::detail {

/// A per-thread cache of freed blocks, for coroutine frames, tasks and handles.
///
/// A block freed on another thread than the one that allocated it simply joins that thread's
/// cache. Each size class keeps at most kCachedBytesPerClass, so a burst does not pin its peak.
/// Under AddressSanitizer nothing is cached: a recycled block would hide a use after free.
class Recycler {
 public:
  static constexpr std::size_t kGranularity = 32;
  static constexpr std::size_t kClasses = 32;  // blocks up to 1 KiB
  static constexpr std::size_t kCachedBytesPerClass = 1 << 20;

  static void* allocate(std::size_t size);
  static void deallocate(void* block, std::size_t size) noexcept;

 private:
  struct Block {
    Block* next;
  };
  struct Cache {
    Block* free[kClasses];
    std::uint32_t count[kClasses];
    bool armed;   // the thread's exit will release the cache
    bool closed;  // the thread is past that: blocks go straight to the heap
  };

  static void* allocate_slow(std::size_t size);
  static void deallocate_slow(void* block, std::size_t size) noexcept;
  static void arm(Cache& cache) noexcept;

  friend struct RecyclerRelease;
  [[gnu::tls_model("initial-exec")]] static thread_local constinit Cache cache_;
};

#if defined(__SANITIZE_ADDRESS__)
#define ASYNCIO_DETAIL_NO_RECYCLING 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define ASYNCIO_DETAIL_NO_RECYCLING 1
#endif
#endif

inline void* Recycler::allocate(std::size_t size) {
#ifndef ASYNCIO_DETAIL_NO_RECYCLING
  std::size_t cls = (size - 1) / kGranularity;
  if (cls < kClasses) {
    if (Block* block = cache_.free[cls]) {
      cache_.free[cls] = block->next;
      --cache_.count[cls];
      return block;
    }
  }
#endif
  return allocate_slow(size);
}

inline void Recycler::deallocate(void* block, std::size_t size) noexcept {
#ifndef ASYNCIO_DETAIL_NO_RECYCLING
  std::size_t cls = (size - 1) / kGranularity;
  if (cls < kClasses && cache_.armed &&
      cache_.count[cls] < kCachedBytesPerClass / ((cls + 1) * kGranularity)) {
    auto* freed = static_cast<Block*>(block);
    freed->next = cache_.free[cls];
    cache_.free[cls] = freed;
    ++cache_.count[cls];
    return;
  }
#endif
  deallocate_slow(block, size);
}

#undef ASYNCIO_DETAIL_NO_RECYCLING

/// Gives a class recycled storage; `operator delete` is told the size by the compiler.
struct Recycled {
  static void* operator new(std::size_t size) { return Recycler::allocate(size); }
  static void* operator new(std::size_t, void* where) noexcept { return where; }
  static void operator delete(void* block, std::size_t size) noexcept {
    Recycler::deallocate(block, size);
  }
};

}  // namespace asyncio::detail

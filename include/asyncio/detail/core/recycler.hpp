// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "asyncio/detail/core/ready.hpp"

#include <cstddef>
#include <cstdint>
#include <new>
#include <utility>

namespace asyncio::detail {

class SlabPool;

/// A block that is free. It lies in a slab of blocks of its size.
struct FreeBlock {
  FreeBlock* next;
};

/// The header of a slab: some memory, aligned to its size, that is cut into blocks of one size.
struct Slab : Links {
  SlabPool* owner = nullptr;
  FreeBlock* free = nullptr;
  std::uint32_t countdown = 0;  // so many frees until something is to be done (see recycler.cpp)
  std::uint16_t size_class = 0;
  bool full = false;        // no block is free, and it is in no list
  std::uint32_t fresh = 0;  // where the part begins that was never handed out
};

/// Memory for coroutine frames, tasks and handles, up to 1 KiB each: pools of equal blocks, one set
/// for each thread, without locks while a block is freed by the thread that allocated it. A slab
/// whose blocks are all free goes back to the heap, but for a few, so a burst does not pin its
/// peak.
///
/// In a process with AddressSanitizer everything comes from the heap: a recycled block would hide a
/// use after free.
class Recycler {
 public:
  static constexpr std::size_t kGranularity = 16;
  static constexpr std::size_t kClasses = 64;
  static constexpr std::size_t kSlabBytes = 32 * 1024;

  static void* allocate(std::size_t size) {
    if (class_of(size) < kClasses) {
      std::uintptr_t& latest = local_.latest[class_of(size)];
      if (latest > kNothing) return reinterpret_cast<void*>(std::exchange(latest, 0));
      Slab* slab = local_.current[class_of(size)];
      if (FreeBlock* block = slab->free) [[likely]] {
        slab->free = block->next;
        ++slab->countdown;
        return block;
      }
    }
    return allocate_slow(size);
  }

  static void deallocate(void* block, std::size_t size) noexcept {
    if (class_of(size) < kClasses) {
      std::uintptr_t& latest = local_.latest[class_of(size)];
      if (latest == 0) {
        latest = reinterpret_cast<std::uintptr_t>(block);
        return;
      }
    }
    if (class_of(size) < kClasses && local_.pool) {
      Slab* slab = slab_of(block);
      if (slab->owner == local_.pool) [[likely]] {
        auto* freed = static_cast<FreeBlock*>(block);
        freed->next = slab->free;
        slab->free = freed;
        if (--slab->countdown == 0) [[unlikely]]
          slab_due(*slab);
        return;
      }
    }
    deallocate_slow(block, size);
  }

  /// What this thread's pool has from the heap.
  static std::size_t held_bytes() noexcept;
  /// What of that is handed out: blocks of live coroutines, futures, handles and the like. A slab
  /// without a free block counts as a whole.
  static std::size_t used_bytes() noexcept;

 private:
  friend class SlabPool;
  friend struct RecyclerRelease;

  /// In `latest`: there is no pool, so nothing may be kept.
  static constexpr std::uintptr_t kNothing = 1;

  /// What a thread allocates from, by class.
  struct Local {
    constexpr Local() noexcept {
      for (std::uintptr_t& block : latest) block = kNothing;
      for (Slab*& slab : current) slab = &no_blocks_;
    }
    std::uintptr_t latest[kClasses];  // the block freed last, of any thread's pool; 0 for none
    Slab* current[kClasses];          // slabs of the thread's pool, or one without blocks
    SlabPool* pool = nullptr;
    bool closed = false;
  };

  static constexpr std::size_t class_of(std::size_t size) noexcept {
    return (size - 1) / kGranularity;
  }
  static Slab* slab_of(void* block) noexcept {
    return reinterpret_cast<Slab*>(reinterpret_cast<std::uintptr_t>(block) & ~(kSlabBytes - 1));
  }
  static void* allocate_slow(std::size_t size);
  static void deallocate_slow(void* block, std::size_t size) noexcept;
  static void slab_due(Slab& slab) noexcept;

  static Slab no_blocks_;
  [[gnu::tls_model("initial-exec")]] static thread_local constinit Local local_;
};

/// Gives a class recycled storage; `operator delete` is told the size by the compiler.
struct Recycled {
  static void* operator new(std::size_t size) { return Recycler::allocate(size); }
  static void* operator new(std::size_t, void* where) noexcept { return where; }
  static void operator delete(void* block, std::size_t size) noexcept {
    Recycler::deallocate(block, size);
  }
  /// For a class that holds something over-aligned.
  static void* operator new(std::size_t size, std::align_val_t alignment) {
    return ::operator new(size, alignment);
  }
  static void operator delete(void* block, std::size_t size, std::align_val_t alignment) noexcept {
    ::operator delete(block, size, alignment);
  }
};

}  // namespace asyncio::detail

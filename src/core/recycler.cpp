// SPDX-License-Identifier: BSL-1.0
#include "asyncio/detail/core/recycler.hpp"

#include <atomic>
#include <cstdlib>
#include <mutex>
#include <new>
#include <utility>

// Defined where AddressSanitizer is, also if only the program and not this library was built with
// it.
extern "C" [[gnu::weak]] void __asan_init();

namespace asyncio::detail {

namespace {

bool recycling() noexcept { return __asan_init == nullptr; }

/// A slab is this much smaller than its alignment, so that the heap's own header fits in between
/// and slabs lie side by side. From posix_memalign: operator new rounds the size up to the
/// alignment, and then every other 32 KiB would be a hole.
constexpr std::size_t kHeapHeader = 16;
constexpr std::size_t kEnd = Recycler::kSlabBytes - kHeapHeader;
constexpr std::size_t kBegin = (sizeof(Slab) + 15) / 16 * 16;
/// Added to the countdown of the slab that is allocated from: it must not come to zero.
constexpr std::uint32_t kCurrent = 1u << 30;
/// Empty slabs that a thread keeps (fault 33): half a megabyte.
constexpr std::size_t kSpares = 16;
/// Blocks that are cut at a time, so that memory nobody asks for is not touched.
constexpr std::size_t kCut = 16;

constexpr std::size_t size_of(std::size_t size_class) noexcept {
  return (size_class + 1) * Recycler::kGranularity;
}
constexpr std::uint32_t capacity(std::size_t size_class) noexcept {
  return static_cast<std::uint32_t>((kEnd - kBegin) / size_of(size_class));
}

/// Puts blocks from the fresh part into the free list, in order of address.
void cut(Slab& slab) noexcept {
  std::size_t size = size_of(slab.size_class);
  FreeBlock** tail = &slab.free;
  for (std::size_t i = 0; i < kCut && slab.fresh + size <= kEnd; ++i, slab.fresh += size) {
    auto* block = reinterpret_cast<FreeBlock*>(reinterpret_cast<char*>(&slab) + slab.fresh);
    *tail = block;
    tail = &block->next;
  }
  *tail = nullptr;
}

}  // namespace

constinit Slab Recycler::no_blocks_{};
thread_local constinit Recycler::Local Recycler::local_{};

/// The slabs of one thread.
///
/// A slab is in one of these states; `countdown` comes to zero when it has to leave it:
/// current  its class allocates from it. countdown = used blocks + kCurrent.
/// full     every block is used, and it is in no list. countdown = 1: the next free is noticed.
/// partial  it is in the list of its class. countdown = used blocks.
/// spare    it is empty and may become a slab of any class.
///
/// A block that another thread frees waits in `returned_` until the owner runs out of blocks. When
/// the thread ends, the pool is orphaned: who frees a block does the owner's work, under the lock,
/// and the last one deletes the pool.
class SlabPool {
 public:
  SlabPool() noexcept = default;
  SlabPool(const SlabPool&) = delete;
  SlabPool& operator=(const SlabPool&) = delete;

  std::size_t bytes() const noexcept { return slabs_ * Recycler::kSlabBytes; }

  /// For the owner.
  std::size_t used_bytes(const Recycler::Local& local) noexcept {
    take_returned();
    std::size_t full = slabs_ - spare_count_;
    std::size_t bytes = 0;
    for (std::size_t size_class = 0; size_class < Recycler::kClasses; ++size_class) {
      std::size_t blocks = 0;
      if (const Slab& current = *local.current[size_class]; current.owner) {
        blocks += current.countdown - kCurrent;
        --full;
      }
      for (const Slab& slab : partial_[size_class]) {
        blocks += slab.countdown;
        --full;
      }
      std::uintptr_t latest = local.latest[size_class];
      if (latest > Recycler::kNothing &&
          Recycler::slab_of(reinterpret_cast<void*>(latest))->owner == this)
        --blocks;
      bytes += blocks * size_of(size_class);  // modulo 2^64, if the latest one is of a full slab
    }
    return bytes + full * Recycler::kSlabBytes;
  }

  /// For the owner, when the current slab has no free block.
  void* allocate(Slab*& current, std::size_t size_class) {
    take_returned();
    if (!current->free && current->owner) cut(*current);
    if (!current->free) {
      Slab& next = next_slab(size_class);
      if (current->owner) {
        current->full = true;
        current->countdown = 1;
      }
      next.countdown += kCurrent;
      current = &next;
    }
    FreeBlock* block = current->free;
    current->free = block->next;
    ++current->countdown;
    return block;
  }

  /// For the owner: the countdown of a slab has come to zero.
  void due(Slab& slab) noexcept {
    if (slab.full) {
      slab.full = false;
      slab.countdown = capacity(slab.size_class) - 1;
      partial_[slab.size_class].push_back(slab);
    } else {
      slab.unlink();
      dispose(slab);
    }
  }

  void deallocate_foreign(void* block, Slab& slab) noexcept {
    bool last = false;
    {
      std::lock_guard lock(mutex_);
      auto* freed = static_cast<FreeBlock*>(block);
      if (orphaned_) {
        put(*freed, slab);
        last = slabs_ == 0;
      } else {
        freed->next = returned_;
        returned_ = freed;
        any_returned_.store(true, std::memory_order_relaxed);
      }
    }
    if (last) delete this;
  }

  /// The owner's thread ends.
  void orphan(Recycler::Local& local) noexcept {
    for (std::uintptr_t& latest : local.latest) {
      std::uintptr_t block = std::exchange(latest, Recycler::kNothing);
      if (block > Recycler::kNothing) forget(reinterpret_cast<void*>(block));
    }
    bool last = false;
    {
      std::lock_guard lock(mutex_);
      orphaned_ = true;
      for (Slab*& current : local.current) {
        if (!current->owner) continue;
        current->countdown -= kCurrent;
        if (current->countdown == 0)
          release(*current);
        else
          partial_[current->size_class].push_back(*current);
        current = &Recycler::no_blocks_;
      }
      while (!spares_.empty()) release(spares_.pop_front());
      put_all(returned_);
      last = slabs_ == 0;
    }
    if (last) delete this;
  }

 private:
  /// Frees a block that may be of another thread's pool.
  void forget(void* block) noexcept {
    Slab& slab = *Recycler::slab_of(block);
    if (slab.owner == this)
      put(*static_cast<FreeBlock*>(block), slab);
    else
      slab.owner->deallocate_foreign(block, slab);
  }

  /// A slab with a free block.
  Slab& next_slab(std::size_t size_class) {
    auto& partial = partial_[size_class];
    if (!partial.empty()) return partial.pop_front();
    void* memory = nullptr;
    if (!spares_.empty()) {
      memory = &spares_.pop_front();
      --spare_count_;
    } else {
      if (::posix_memalign(&memory, Recycler::kSlabBytes, kEnd) != 0) throw std::bad_alloc();
      ++slabs_;
    }
    auto* slab = ::new (memory) Slab;
    slab->owner = this;
    slab->size_class = static_cast<std::uint16_t>(size_class);
    slab->fresh = kBegin;
    cut(*slab);
    return *slab;
  }

  void dispose(Slab& slab) noexcept {
    if (orphaned_ || spare_count_ == kSpares) return release(slab);
    spares_.push_back(slab);
    ++spare_count_;
  }

  void release(Slab& slab) noexcept {
    --slabs_;
    std::free(&slab);
  }

  void put(FreeBlock& block, Slab& slab) noexcept {
    block.next = slab.free;
    slab.free = &block;
    if (--slab.countdown == 0) due(slab);
  }

  void put_all(FreeBlock* blocks) noexcept {
    while (blocks) {
      FreeBlock* next = blocks->next;
      put(*blocks, *Recycler::slab_of(blocks));
      blocks = next;
    }
  }

  void take_returned() noexcept {
    if (!any_returned_.load(std::memory_order_relaxed)) return;
    FreeBlock* blocks = nullptr;
    {
      std::lock_guard lock(mutex_);
      blocks = std::exchange(returned_, nullptr);
      any_returned_.store(false, std::memory_order_relaxed);
    }
    put_all(blocks);
  }

  List<Slab> partial_[Recycler::kClasses];
  List<Slab> spares_;
  std::size_t spare_count_ = 0;
  std::size_t slabs_ = 0;  // with the spare ones
  std::atomic<bool> any_returned_{false};
  // Guarded by the mutex; everything is, once the pool is orphaned.
  std::mutex mutex_;
  FreeBlock* returned_ = nullptr;
  bool orphaned_ = false;
};

/// Runs at the end of a thread.
struct RecyclerRelease {
  ~RecyclerRelease() {
    auto& local = Recycler::local_;
    local.closed = true;
    if (SlabPool* pool = std::exchange(local.pool, nullptr)) pool->orphan(local);
  }
  /// Makes the destructor run.
  void arm() const noexcept {}
};

void* Recycler::allocate_slow(std::size_t size) {
  std::size_t size_class = class_of(size);
  if (size_class >= kClasses || !recycling()) return ::operator new(size);
  if (local_.closed) {
    // Destructors of other thread-local objects may still start coroutines: a pool for each.
    Local alone;
    alone.pool = new SlabPool;
    void* block = alone.pool->allocate(alone.current[size_class], size_class);
    alone.pool->orphan(alone);
    return block;
  }
  if (!local_.pool) {
    static thread_local RecyclerRelease release;
    release.arm();
    local_.pool = new SlabPool;
    for (std::uintptr_t& latest : local_.latest) latest = 0;
  }
  return local_.pool->allocate(local_.current[size_class], size_class);
}

void Recycler::deallocate_slow(void* block, std::size_t size) noexcept {
  if (class_of(size) >= kClasses || !recycling()) return ::operator delete(block);
  Slab& slab = *slab_of(block);
  slab.owner->deallocate_foreign(block, slab);
}

std::size_t Recycler::held_bytes() noexcept { return local_.pool ? local_.pool->bytes() : 0; }

std::size_t Recycler::used_bytes() noexcept {
  return local_.pool ? local_.pool->used_bytes(local_) : 0;
}

void Recycler::slab_due(Slab& slab) noexcept { slab.owner->due(slab); }

}  // namespace asyncio::detail

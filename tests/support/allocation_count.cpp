// SPDX-License-Identifier: BSL-1.0
#include "allocation_count.hpp"

#include "asyncio/detail/core/recycler.hpp"

#include <atomic>
#include <cstdlib>
#include <malloc.h>
#include <new>

namespace {

std::atomic<std::size_t> made{0};
std::atomic<std::size_t> freed{0};
std::atomic<std::size_t> heap_bytes{0};
std::atomic<std::size_t> most_heap_bytes{0};
thread_local std::uint64_t left_until_failure = 0;  // 0 for none

/// Whether this allocation is to fail.
[[maybe_unused]] bool fails() noexcept {
  return left_until_failure != 0 && --left_until_failure == 0;
}

[[maybe_unused]] void* counted(void* block) noexcept {
  if (!block) return nullptr;
  made.fetch_add(1, std::memory_order_relaxed);
  const std::size_t size = malloc_usable_size(block);
  const std::size_t now = heap_bytes.fetch_add(size, std::memory_order_relaxed) + size;
  std::size_t peak = most_heap_bytes.load(std::memory_order_relaxed);
  while (peak < now &&
         !most_heap_bytes.compare_exchange_weak(peak, now, std::memory_order_relaxed)) {
  }
  return block;
}

[[maybe_unused]] void* allocate(std::size_t size) noexcept {
  return fails() ? nullptr : counted(std::malloc(size ? size : 1));
}

[[maybe_unused]] void* allocate(std::size_t size, std::align_val_t alignment) noexcept {
  if (fails()) return nullptr;
  auto align = static_cast<std::size_t>(alignment);
  return counted(std::aligned_alloc(align, (size + align - 1) / align * align));
}

[[maybe_unused]] void* or_throw(void* block) {
  if (!block) throw std::bad_alloc();
  return block;
}

[[maybe_unused]] void release(void* block) noexcept {
  if (!block) return;
  freed.fetch_add(1, std::memory_order_relaxed);
  heap_bytes.fetch_sub(malloc_usable_size(block), std::memory_order_relaxed);
  std::free(block);
}

}  // namespace

namespace test {

Allocations allocations() noexcept {
  Allocations now;
  now.made = made.load(std::memory_order_relaxed);
  now.freed = freed.load(std::memory_order_relaxed);
  now.live_bytes =
      heap_bytes.load(std::memory_order_relaxed) + asyncio::detail::Recycler::held_bytes();
  return now;
}

AllocationCount::AllocationCount() noexcept : begin_(allocations()) {
  most_heap_bytes.store(heap_bytes.load(std::memory_order_relaxed), std::memory_order_relaxed);
}

std::ptrdiff_t AllocationCount::peak_bytes() const noexcept {
  const std::size_t peak =
      most_heap_bytes.load(std::memory_order_relaxed) + asyncio::detail::Recycler::held_bytes();
  return static_cast<std::ptrdiff_t>(peak) - static_cast<std::ptrdiff_t>(begin_.live_bytes);
}

AllocationFailure::AllocationFailure(std::uint64_t which) noexcept : armed_(which != 0) {
  left_until_failure = which;
}
AllocationFailure::~AllocationFailure() { left_until_failure = 0; }
bool AllocationFailure::happened() const noexcept { return armed_ && left_until_failure == 0; }

}  // namespace test

#if defined(__SANITIZE_THREAD__)
#define TEST_HAS_OWN_OPERATORS 0
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define TEST_HAS_OWN_OPERATORS 0
#endif
#endif
#ifndef TEST_HAS_OWN_OPERATORS
#define TEST_HAS_OWN_OPERATORS 1
#endif

namespace test {
const bool kCountsAllocations = TEST_HAS_OWN_OPERATORS;
}

// ThreadSanitizer's runtime has operators of its own and allows no others: nothing is counted
// there.
#if TEST_HAS_OWN_OPERATORS

// The array forms call these by default.
void* operator new(std::size_t size) { return or_throw(allocate(size)); }
void* operator new(std::size_t size, const std::nothrow_t&) noexcept { return allocate(size); }
void* operator new(std::size_t size, std::align_val_t alignment) {
  return or_throw(allocate(size, alignment));
}
void* operator new(std::size_t size, std::align_val_t alignment, const std::nothrow_t&) noexcept {
  return allocate(size, alignment);
}
void operator delete(void* block) noexcept { release(block); }
void operator delete(void* block, std::size_t) noexcept { release(block); }
void operator delete(void* block, const std::nothrow_t&) noexcept { release(block); }
void operator delete(void* block, std::align_val_t) noexcept { release(block); }
void operator delete(void* block, std::size_t, std::align_val_t) noexcept { release(block); }
void operator delete(void* block, std::align_val_t, const std::nothrow_t&) noexcept {
  release(block);
}

#endif

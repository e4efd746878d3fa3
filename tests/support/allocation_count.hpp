// SPDX-License-Identifier: BSL-1.0
/// Counts what a test program takes from the heap with operator new, and makes that fail. The
/// program is linked with
/// allocation_count.cpp, which replaces the global operators: in CMake,
/// `asyncio_add_test(core/lock SOURCES ${counting})`.
#pragma once

#include <cstddef>
#include <cstdint>

namespace test {

/// False under ThreadSanitizer, which allows no other operators than its own: nothing is counted
/// there, and nothing fails.
extern const bool kCountsAllocations;

/// Of all threads, since the program began.
class Allocations {
 public:
  std::size_t made = 0;
  std::size_t freed = 0;
  std::size_t live_bytes = 0;  // as the heap rounds them, with the slabs of the calling thread
};
Allocations allocations() noexcept;

/// What was allocated since it was made.
class AllocationCount {
 public:
  AllocationCount() noexcept;

  std::size_t made() const noexcept { return allocations().made - begin_.made; }
  std::ptrdiff_t live() const noexcept {
    Allocations now = allocations();
    return static_cast<std::ptrdiff_t>(now.made - begin_.made) -
           static_cast<std::ptrdiff_t>(now.freed - begin_.freed);
  }
  std::ptrdiff_t live_bytes() const noexcept {
    return static_cast<std::ptrdiff_t>(allocations().live_bytes) -
           static_cast<std::ptrdiff_t>(begin_.live_bytes);
  }
  /// The most that live_bytes() has been, but for slabs that are gone already. Only of the object
  /// that was made last.
  std::ptrdiff_t peak_bytes() const noexcept;

 private:
  Allocations begin_;
};

/// While it lives, one allocation of this thread, counted from 1, throws std::bad_alloc; with 0
/// none does. One object at a time.
class AllocationFailure {
 public:
  explicit AllocationFailure(std::uint64_t which) noexcept;
  ~AllocationFailure();
  AllocationFailure(const AllocationFailure&) = delete;
  AllocationFailure& operator=(const AllocationFailure&) = delete;

  /// Whether it was come to.
  bool happened() const noexcept;

 private:
  const bool armed_;
};

}  // namespace test

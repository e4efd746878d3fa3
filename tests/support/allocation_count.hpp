// SPDX-License-Identifier: BSL-1.0
/// Counts what a test program takes from the heap with operator new. The program is linked with
/// allocation_count.cpp, which replaces the global operators: in CMake,
/// `asyncio_add_test(core/lock SOURCES ${counting})`.
#pragma once

#include <cstddef>

namespace test {

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

 private:
  Allocations begin_ = allocations();
};

}  // namespace test

// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <malloc.h>

namespace test {

/// All that was taken from malloc and not given back, also by what does not ask operator new, as
/// the slabs of small blocks. AddressSanitizer does not tell: 0 there.
inline std::size_t heap_bytes() {
  struct mallinfo2 heap = ::mallinfo2();
  return heap.uordblks + heap.hblkhd;
}

}  // namespace test

// SPDX-License-Identifier: BSL-1.0
/// Random bytes that nobody can guess.
#pragma once

#include <span>

namespace asyncio::detail {

/// On a simulated loop its seed decides them. At most 256 at once: so many the kernel gives whole.
/// Throws: OSError.
/// Thread   any: asks the loop that runs in the calling thread, and the system where none does.
void fill_random(std::span<unsigned char> bytes);

}  // namespace asyncio::detail

// SPDX-License-Identifier: BSL-1.0
/// Random bytes that nobody can guess.
#pragma once

#include <cstddef>
#include <span>
#include <string>

namespace asyncio::http::detail {

/// At most 256 at once: so many the kernel gives whole.
/// Throws: OSError.
void fill_random(std::span<unsigned char> bytes);

/// Sixteen random bytes as 32 digits.
/// Throws: OSError.
std::string random_name();

}  // namespace asyncio::http::detail

// SPDX-License-Identifier: BSL-1.0
/// Random bytes that nobody can guess.
#pragma once

#include "backend/random.hpp"

#include <string>

namespace asyncio::http::detail {

using asyncio::detail::fill_random;

/// Sixteen random bytes as 32 digits.
/// Throws: OSError.
std::string random_name();

}  // namespace asyncio::http::detail

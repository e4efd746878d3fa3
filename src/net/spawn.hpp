// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "asyncio/detail/backend/backend.hpp"
#include "asyncio/detail/net/child_state.hpp"
#include "asyncio/subprocess.hpp"

#include <array>
#include <string>
#include <vector>

namespace asyncio::detail {

/// Starts a program for the loop of `backend`. `standard` are its descriptors 0 to 2; -1 for the
/// parent's own.
///
/// It does not return before the program has begun or failed to. Throws the OSError of what failed.
Spawned spawn_process(Backend& backend, const SubprocessOptions& options,
                      const std::vector<std::string>& args, const std::array<int, 3>& standard);

}  // namespace asyncio::detail

// SPDX-License-Identifier: BSL-1.0
/// The time of day, which a test can make pass.
#pragma once

#include <chrono>

namespace asyncio {

/// The time of day, by which cookies expire and responses are dated: the system's, or on a
/// simulated loop the virtual one. The system's may jump; to measure time there is
/// EventLoop::time().
///
/// Thread   any: it asks the loop that runs in the calling thread, and the system where none does.
std::chrono::system_clock::time_point wall_time() noexcept;

}  // namespace asyncio

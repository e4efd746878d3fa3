// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <string>

namespace asyncio::detail {

/// The kernel's number of the calling thread, under which ps and gdb know it.
int this_thread_number() noexcept;

/// "thread 1234 'name'" for a thread of this process, without the name if it has ended.
std::string thread_text(int number);

}  // namespace asyncio::detail

// SPDX-License-Identifier: BSL-1.0
/// Words of programs and of traces.
#pragma once

#include <asyncio/time.hpp>

#include <exception>
#include <string>
#include <vector>

namespace differential {

/// What a statement gives that has nothing to give, or that asks for what is not there yet.
inline constexpr const char* kNone = "None";
inline constexpr const char* kAbsent = "absent";

/// "ValueError e1", as reference.py has it.
std::string describe(const std::exception_ptr& error);

/// "True" or "False".
std::string show(bool value);

/// "[a, b]"
std::string join(const std::vector<std::string>& words);

/// "none", or so many seconds.
asyncio::OptionalDelay limit_of(const std::string& word);

}  // namespace differential

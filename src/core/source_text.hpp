// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <source_location>
#include <string>
#include <string_view>
#include <typeinfo>

namespace asyncio::detail {

/// "file.cpp:12", or empty for a default-constructed location.
std::string source_text(const std::source_location& where);

/// A function's name as its author wrote it: without return type, arguments, template arguments
/// and the compilers' decorations for lambdas and coroutine clones.
std::string function_name(const std::source_location& where);
/// The same for a name as a compiler spells it.
std::string plain_function_name(std::string_view spelled);

/// A type's name as in the source.
std::string type_name(const std::type_info& type);

}  // namespace asyncio::detail

// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstdint>
#include <exception>
#include <string>

namespace asyncio::http::detail {

/// How much of the response there was.
enum class Arrived : std::uint8_t { nothing, head, body };

/// Throws what an error of its connection is for whoever asked for `what`, the words of which
/// begin the new one's. What is none of the connection is thrown as it is.
[[noreturn]] void throw_client_error(const std::string& what, Arrived arrived,
                                     const std::exception_ptr& error);

}  // namespace asyncio::http::detail

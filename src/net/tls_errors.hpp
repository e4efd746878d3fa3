// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <exception>
#include <string>

namespace asyncio::detail {

/// What OpenSSL's queue of errors says, which is empty afterwards.
///
/// An error of the operating system becomes an OSError, all else an SSLError.
std::exception_ptr take_ssl_error(const std::string& during);

[[noreturn]] void throw_ssl_error(const std::string& during);

}  // namespace asyncio::detail

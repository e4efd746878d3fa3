// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstdint>

namespace asyncio::detail {

class TlsContextState;

/// How often a context was changed: what was made with another revision may not be what it asks for
/// now. Without OpenSSL's headers.
std::uint64_t revision_of(const TlsContextState& context) noexcept;

}  // namespace asyncio::detail

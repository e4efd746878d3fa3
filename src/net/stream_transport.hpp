// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "asyncio/detail/net/connection.hpp"
#include "asyncio/transports.hpp"

namespace asyncio::detail {

/// What a transport of this library stands on; null for one of somebody else's.
const Ref<Connection>* own_connection(const Transport& transport);

}  // namespace asyncio::detail

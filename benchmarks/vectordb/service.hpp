// SPDX-License-Identifier: BSL-1.0
/// Inserts and searches through HTTP.
#pragma once

#include "report.hpp"
#include "served.hpp"
#include <asyncio/coro.hpp>

namespace bench {

/// Through the client. Returns: points a second.
asyncio::Coro<double> insert_all(const Served& server, const Setup& setup);
/// Beside plain hnswlib. Ends with writes: the setup's truth is none then.
asyncio::Coro<> measure_service(const Served& server, Plain& plain, Setup& setup,
                                ServiceFigures& figures);

}  // namespace bench

// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <asyncio/asyncio.hpp>

#include <chrono>
#include <filesystem>

namespace fetch_all {

/// Starts a small HTTP/1.0 server of the files under `root` on a free port of this machine. It
/// answers after `latency`, as a server far away would.
asyncio::Coro<asyncio::Server> start_file_server(std::filesystem::path root,
                                                 std::chrono::milliseconds latency);

}  // namespace fetch_all

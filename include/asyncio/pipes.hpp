// SPDX-License-Identifier: BSL-1.0
/// Streams on pipes, FIFOs, terminals and other character devices.
#pragma once

#include "asyncio/coro.hpp"
#include "asyncio/streams.hpp"

#include <cstddef>

namespace asyncio {

/// Reads from the reading end of a pipe, or a terminal, as `connect_read_pipe(0)`. The descriptor
/// becomes non-blocking and is closed by the reader, at the end of the pipe or with its last
/// handle.
///
/// Awaits   nothing.
/// Throws   ValueError for anything but a pipe, socket or character device.
/// Thread   the loop's.
/// asyncio  Event Loop, Working with pipes
Coro<StreamReader> connect_read_pipe(int fd, std::size_t limit = kDefaultLimit);

/// Writes to the writing end of a pipe, or a terminal. The writer closes the descriptor. It is
/// closed by itself when nobody reads any more.
Coro<StreamWriter> connect_write_pipe(int fd);

}  // namespace asyncio

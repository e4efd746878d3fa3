// SPDX-License-Identifier: BSL-1.0
/// Requests at a time.
#pragma once

#include <asyncio/coro.hpp>

#include <cstddef>
#include <functional>

namespace vectordb::cli {

/// Begins one of those that share some work.
using Work = std::function<asyncio::Coro<>()>;

/// Runs `count` of them at a time, until all have ended; the first error ends the others.
/// Throws: that error, without a group around it.
asyncio::Coro<> several(std::size_t count, const Work& work);

}  // namespace vectordb::cli

// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <exception>
#include <string>

namespace asyncio::detail {

class PromiseBase;

/// `error` leaves `frame`: remembers the frames that the latest exception of this thread has
/// passed, up to a limit.
void trace_exception(const PromiseBase& frame, const std::exception_ptr& error) noexcept;

/// `error` goes on from a future to who asked for its result, so that the trace goes on, too.
void trace_handed_on(const std::exception_ptr& error) noexcept;

/// The frames that `error` passed, outermost first, as Python prints a traceback; empty if another
/// exception came after it.
std::string exception_trace(const std::exception_ptr& error);

}  // namespace asyncio::detail

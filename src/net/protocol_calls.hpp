// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "asyncio/detail/core/loop.hpp"
#include "asyncio/eventloop.hpp"
#include "asyncio/exceptions.hpp"

#include <exception>
#include <string>

namespace asyncio::detail {

/// Calls a protocol. What it throws goes to the loop's exception handler, and is returned; an
/// interrupt ends the run of the loop, from its next iteration.
template <class F>
std::exception_ptr call_protocol(Loop& loop, const char* failed, F&& call) {
  try {
    call();
    return nullptr;
  } catch (...) {  // Reported; the transport decides what becomes of it.
    std::exception_ptr error = std::current_exception();
    if (classify(error) == ErrorKind::interrupt) {
      loop.handle().call_soon([error] { std::rethrow_exception(error); });
      return error;
    }
    ExceptionContext context(std::string("Fatal error: ") + failed);
    context.set_exception(error);
    loop.call_exception_handler(context);
    return error;
  }
}

}  // namespace asyncio::detail

// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "asyncio/detail/core/loop.hpp"
#include "asyncio/eventloop.hpp"
#include "asyncio/exceptions.hpp"
#include "asyncio/sleep.hpp"

#include <chrono>
#include <exception>
#include <memory>
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

/// What `start` begins, once its connection_made was called; a cancellation closes it. Its frame is
/// there before anything has begun, which would stay open without the memory for one. CPython: the
/// waiter that is set after connection_made.
template <class T, class Start>
Coro<std::shared_ptr<T>> until_made(Start start) {
  std::shared_ptr<T> transport = start();
  try {
    co_await sleep(std::chrono::seconds(0));
    co_await sleep(std::chrono::seconds(0));
  } catch (const CancelledError&) {
    transport->close();
    throw;
  }
  co_return transport;
}

}  // namespace asyncio::detail

// SPDX-License-Identifier: BSL-1.0
// How the operations of Boost.Asio get their loop. They have the names of ours.
#pragma once

#include "operation.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <exception>

namespace bench {

namespace asio = boost::asio;

/// Runs a coroutine that takes the count, in a context for one thread.
template <asio::awaitable<void> (*body)(Count&)>
void in_context(Count& count) {
  asio::io_context context(1);
  asio::co_spawn(context, body(count), [](std::exception_ptr error) {
    if (error) std::rethrow_exception(error);
  });
  context.run();
}

}  // namespace bench

// SPDX-License-Identifier: BSL-1.0
#include "asyncio/with.hpp"

#include "asyncio/exit_stack.hpp"

namespace asyncio {

namespace detail {

void throw_swallowed_value(const std::exception_ptr& swallowed) {
  throw RuntimeError(
      "with: the context manager swallowed the exception of a body that returns a value: " +
      describe_exception(swallowed));
}

void throw_handled_without_value(const std::exception_ptr& handled) {
  throw RuntimeError("try_: the except part returned nothing in place of the body's value, for " +
                     describe_exception(handled));
}

}  // namespace detail

Coro<bool> AsyncExitStack::aexit(std::exception_ptr error) {
  bool received = error != nullptr;
  bool replaced = false;
  while (!entries_.empty()) {
    auto entry = std::move(entries_.back());
    entries_.pop_back();
    Result<bool> left = co_await capture(entry->leave(error));
    if (left.has_exception()) {
      error = left.exception();
      replaced = true;
    } else if (left.value()) {
      error = nullptr;
      replaced = false;
    }
  }
  if (error && replaced) std::rethrow_exception(error);
  co_return received && !error;
}

}  // namespace asyncio

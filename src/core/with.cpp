// SPDX-License-Identifier: BSL-1.0
#include "asyncio/with.hpp"

#include "asyncio/exit_stack.hpp"

namespace asyncio {

namespace detail {

void throw_swallowed_value() {
  throw RuntimeError(
      "with: the context manager swallowed the exception of a body that returns a value");
}

void throw_handled_without_value() {
  throw RuntimeError("try_: the except part returned nothing in place of the body's value");
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

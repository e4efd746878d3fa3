// SPDX-License-Identifier: BSL-1.0
#include "asyncio/with.hpp"

namespace asyncio::detail {

void throw_swallowed_value(const std::exception_ptr& swallowed) {
  throw RuntimeError(
      "with: the context manager swallowed the exception of a body that returns a value: " +
      describe_exception(swallowed));
}

void throw_handled_without_value(const std::exception_ptr& handled) {
  throw RuntimeError("try_: the except part returned nothing in place of the body's value, for " +
                     describe_exception(handled));
}

}  // namespace asyncio::detail

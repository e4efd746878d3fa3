// SPDX-License-Identifier: BSL-1.0
#include "asyncio/detail/core/repeated_call.hpp"

#include "asyncio/detail/core/loop.hpp"

namespace asyncio::detail {

void RepeatedCall::call(Loop& loop) {
  if (loop.debug()) loop.name_callback(callable_type(), where_);
  ContextScope scope(context_);
  try {
    invoke();
  } catch (...) {  // Goes to the exception handler; an interrupt is thrown on.
    loop.handle_callback_error(nullptr, "callback", where_);
  }
}

}  // namespace asyncio::detail

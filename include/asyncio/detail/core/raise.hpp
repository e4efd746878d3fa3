// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <exception>
#include <utility>

namespace asyncio::detail {

#if defined(__GLIBCXX__) && !defined(__ARM_EABI_UNWINDER__) && !defined(__USING_SJLJ_EXCEPTIONS__)

/// What the unwinder throws for `error`, whose reference it takes over.
void* prepare_raise(std::exception_ptr&& error) noexcept;
/// The unwinder's, by a name that needs no <unwind.h>. Returns if there is nobody to catch it.
void unwind(void* prepared) asm("_Unwind_RaiseException");
[[noreturn]] void end_raise(void* prepared) noexcept;

/// std::rethrow_exception, but thrown by the function that calls this. The unwinder is what a
/// cancellation costs: it goes through each frame twice, and this is one frame instead of two.
[[noreturn, gnu::always_inline]] inline void raise(std::exception_ptr&& error) {
  void* prepared = prepare_raise(std::move(error));
  unwind(prepared);
  end_raise(prepared);
}

#else

[[noreturn]] inline void raise(std::exception_ptr&& error) {
  std::rethrow_exception(std::move(error));
}

#endif

}  // namespace asyncio::detail

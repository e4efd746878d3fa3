// SPDX-License-Identifier: BSL-1.0
#include "asyncio/detail/core/promise.hpp"

#include "asyncio/coro.hpp"
#include "asyncio/detail/core/guarded_log.hpp"
#include "asyncio/detail/core/nesting.hpp"
#include "asyncio/logging.hpp"
#include "source_text.hpp"

#include <string>

namespace asyncio::detail {

namespace {

std::string named(const PromiseBase& frame) {
  return "coroutine '" + function_name(frame.function) + "' (" + source_text(frame.function) + ")";
}

void destroy(PromiseBase*& frame) noexcept { destroy_frame(frame); }

}  // namespace

void destroy_nested_frame(PromiseBase* frame) noexcept {
  if (frame) NestedEnds<PromiseBase*, destroy>::add(frame);
}

void throw_broken_frame(const PromiseBase& frame) {
  throw RuntimeError(named(frame) +
                     " was miscompiled by g++ 12: give the value awaited in its condition a name "
                     "(auto value = co_await ...; if (value) ...)");
}

std::exception_ptr missing_return(const PromiseBase& frame) {
  return std::make_exception_ptr(RuntimeError(named(frame) + " ended without co_return"));
}

void throw_missing_return(const PromiseBase& frame) {
  std::rethrow_exception(missing_return(frame));
}

void throw_reused_coroutine() { throw RuntimeError("cannot reuse already awaited coroutine"); }

void report_never_awaited(const PromiseBase& frame) noexcept {
  log_guarded(LogLevel::warning, [&] { return named(frame) + " was never awaited"; });
}

}  // namespace asyncio::detail

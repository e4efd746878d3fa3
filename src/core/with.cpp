// SPDX-License-Identifier: BSL-1.0
#include "asyncio/with.hpp"

#include "asyncio/detail/core/guarded_log.hpp"
#include "asyncio/detail/core/loop.hpp"
#include "asyncio/exception_group.hpp"

#include <algorithm>

namespace asyncio::detail {

void throw_swallowed_value(const std::exception_ptr& swallowed) {
  throw RuntimeError(
      "with: the context manager swallowed the exception of a body that returns a value: " +
      describe_exception(swallowed));
}

namespace {

/// Whether `by` is `error`, or has it inside.
bool tells_of(const std::exception_ptr& by, const std::exception_ptr& error) {
  if (by == error) return true;
  try {
    std::rethrow_exception(by);
  } catch (const ExceptionGroup& group) {
    return std::ranges::any_of(group.exceptions(),
                               [&](const auto& child) { return tells_of(child, error); });
  } catch (const TimeoutError& timeout) {
    return timeout.cause() && tells_of(timeout.cause(), error);
  } catch (...) {  // It knows of no other.
    return false;
  }
}

}  // namespace

void report_replaced(const std::exception_ptr& error, const std::exception_ptr& by) noexcept {
  Loop* loop = running_loop_or_null();
  if (!loop || !loop->debug() || !error || classify(error) != ErrorKind::ordinary) return;
  if (tells_of(by, error)) return;
  log_guarded(LogLevel::warning, [&] {
    return "exception lost: " + describe_exception(by) +
           ", which a clean-up threw, took the place of " + describe_exception(error);
  });
}

void throw_handled_without_value(const std::exception_ptr& handled) {
  throw RuntimeError("try_: the except part returned nothing in place of the body's value, for " +
                     describe_exception(handled));
}

}  // namespace asyncio::detail

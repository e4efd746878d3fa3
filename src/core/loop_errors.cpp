// SPDX-License-Identifier: BSL-1.0
// What becomes of an error that nobody awaits. CPython: BaseEventLoop.call_exception_handler.
#include "asyncio/detail/core/loop.hpp"
#include "asyncio/eventloop.hpp"
#include "asyncio/exceptions.hpp"
#include "asyncio/logging.hpp"
#include "asyncio/task.hpp"
#include "source_text.hpp"

#include <exception>
#include <string>
#include <utility>

namespace asyncio::detail {

/// To be called in a catch block: an interrupt is thrown on, all else goes to the handler.
void Loop::handle_callback_error(HandleState* handle, const char* what,
                                 std::source_location where) {
  std::exception_ptr error = std::current_exception();
  if (classify(error) == ErrorKind::interrupt) throw;
  ExceptionContext context("Exception in " + std::string(what));
  context.set_exception(error);
  if (handle) {
    handle->add_reference();
    context.set_handle(Handle(*handle));
  }
  // CPython: source_traceback, which a handle has in debug mode.
  if (!handle || debug_) context.set_source(source_text(where));
  call_exception_handler(context);
}

void Loop::call_exception_handler(const ExceptionContext& context) noexcept {
  try {
    auto handler = exception_handler;  // stays alive while it replaces itself
    if (!handler) return default_exception_handler(context);
    try {
      // A loop that dies has no handle to give; the default handler still tells.
      if (auto self = weak_from_this().lock())
        handler(EventLoop(std::move(self)), context);
      else
        default_exception_handler(context);
    } catch (...) {  // CPython: "Unhandled error in exception handler"; the loop lives on.
      ExceptionContext second("Unhandled error in exception handler");
      second.set_exception(std::current_exception());
      default_exception_handler(second);
      default_exception_handler(context);
    }
  } catch (...) {  // Not even the text could be made: memory is out. Say the least.
    log(LogLevel::error, {});
  }
}

void Loop::default_exception_handler(const ExceptionContext& context) const {
  std::string text = context.message;
  if (context.task) text += "\ntask: '" + context.task->get_name() + "'";
  std::string source = context.source;
  if (source.empty() && context.handle) source = context.handle->source();
  if (!source.empty()) text += "\ncreated at: " + source;
  if (context.exception) text += "\n" + describe_exception(context.exception);
  log(LogLevel::error, std::move(text));
}

}  // namespace asyncio::detail

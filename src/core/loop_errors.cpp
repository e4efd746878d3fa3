// SPDX-License-Identifier: BSL-1.0
// What becomes of an error that nobody awaits. CPython: BaseEventLoop.call_exception_handler.
#include "asyncio/detail/core/loop.hpp"
#include "asyncio/eventloop.hpp"
#include "asyncio/exceptions.hpp"
#include "asyncio/logging.hpp"
#include "asyncio/task.hpp"
#include "source_text.hpp"

#include <exception>
#include <new>
#include <string>
#include <utility>

namespace asyncio::detail {

/// To be called in a catch block: an interrupt is thrown on, all else goes to the handler.
void Loop::handle_callback_error(HandleState* handle, const char* what,
                                 std::source_location where) {
  std::exception_ptr error = std::current_exception();
  if (classify(error) == ErrorKind::interrupt) throw;
  try {
    ExceptionContext context("Exception in " + std::string(what));
    context.set_exception(error);
    if (handle) {
      handle->add_reference();
      context.set_handle(Handle(*handle));
    }
    // CPython: source_traceback, which a handle has in debug mode.
    if (!handle || debug_) context.set_source(source_text(where));
    call_exception_handler(context);
  } catch (const std::bad_alloc&) {
    report_briefly("callback failed", error);
  }
}

void Loop::report_briefly(const char* message, const std::exception_ptr& error) noexcept {
  ExceptionContext context(message);  // so short that it needs none
  context.set_exception(error);
  call_exception_handler(context);
}

namespace {

/// A handler that stays alive while it replaces itself: a copy, or without memory for one the
/// handler itself, which goes back afterwards.
class BorrowedHandler {
 public:
  explicit BorrowedHandler(ExceptionHandler& place) noexcept : place_(place) {
    try {
      handler_ = place;
    } catch (...) {  // The report matters more.
      handler_.swap(place);
      taken_ = true;
    }
  }
  ~BorrowedHandler() {
    if (taken_ && !place_) place_.swap(handler_);
  }
  BorrowedHandler(const BorrowedHandler&) = delete;
  BorrowedHandler& operator=(const BorrowedHandler&) = delete;
  const ExceptionHandler& get() const noexcept { return handler_; }

 private:
  ExceptionHandler& place_;
  ExceptionHandler handler_;
  bool taken_ = false;
};

}  // namespace

void Loop::call_exception_handler(const ExceptionContext& context) noexcept {
  try {
    BorrowedHandler borrowed(exception_handler);
    const ExceptionHandler& handler = borrowed.get();
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

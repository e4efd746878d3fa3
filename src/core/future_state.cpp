// SPDX-License-Identifier: BSL-1.0
#include "asyncio/detail/core/future_state.hpp"

#include "asyncio/detail/core/exception_trace.hpp"
#include "asyncio/detail/core/loop.hpp"
#include "asyncio/future.hpp"
#include "asyncio/task.hpp"
#include "source_text.hpp"

#include <new>
#include <string>
#include <utility>

namespace asyncio::detail {

namespace {

/// Frees callbacks that will not be called. What one of them holds may be a future with callbacks
/// of its own, and so on: a list instead of a recursion (R12).
void discard_callbacks(ReadyList& callbacks) noexcept {
  static thread_local constinit ReadyList* under_way = nullptr;
  if (under_way) return under_way->splice_back(callbacks);
  ReadyList discarded;
  discarded.splice_back(callbacks);
  under_way = &discarded;
  while (!discarded.empty())
    if (auto* callback = DoneCallback::of(discarded.pop_front())) delete callback;
  under_way = nullptr;
}

}  // namespace

void throw_moved_from() { throw RuntimeError("the task or future has been moved from"); }

void FutureState::discard_callbacks() noexcept { detail::discard_callbacks(callbacks_); }

void FutureState::report_never_retrieved() noexcept {
  // The handler gets a handle, so the state lives until the handler has dropped it.
  references_ = 1;
  log_error_ = false;
  auto self = Ref<FutureState>::share(this);
  try {
    ExceptionContext context(std::string(is_task_ ? "Task" : "Future") +
                             " exception was never retrieved");
    context.set_exception(error_).set_source(source_text(created_));
    if (is_task_)
      context.set_task(TaskHandle(self));
    else
      context.set_future(FutureHandle(self));
    loop().call_exception_handler(context);
  } catch (const std::bad_alloc&) {
    loop().report_briefly("never retrieved", error_);
  }
}

/// Does not count as having seen the exception of a failed one, as it does in CPython: nobody has.
bool FutureState::cancel(const std::exception_ptr& reason) {
  if (done()) return false;
  set_cancelled(reason);
  return true;
}

std::exception_ptr FutureState::exception() {
  if (cancelled()) std::rethrow_exception(take_error());
  if (!done()) throw InvalidStateError("Exception is not set.");
  log_error_ = false;
  return error_;
}

std::exception_ptr FutureState::take_error() {
  log_error_ = false;
  if (cancelled() && !error_) return std::make_exception_ptr(CancelledError());
  return error_;
}

std::exception_ptr FutureState::missing_value() {
  if (!done()) return std::make_exception_ptr(InvalidStateError("Result is not set."));
  std::exception_ptr error = take_error();
  trace_handed_on(error);
  return error;
}

void FutureState::throw_if_done(const char* what) const {
  if (done())
    throw InvalidStateError(std::string(what) + ": the future is " +
                            (cancelled() ? "cancelled" : "done already"));
}

void FutureState::set_exception(std::exception_ptr error) {
  throw_if_done("set_exception");
  if (!error) throw TypeError("set_exception: the exception is null");
  finish_error(std::move(error));
}

void FutureState::finish_error(std::exception_ptr error) noexcept {
  error_ = std::move(error);
  log_error_ = true;
  finish(FutureStatus::failed);
}

void FutureState::set_cancelled(std::exception_ptr error) noexcept {
  error_ = std::move(error);
  finish(FutureStatus::cancelled);
}

/// The callbacks are on their way into the ready queue. That of a closed loop would never let go of
/// them, nor they of this.
void FutureState::hold_in_callbacks() noexcept {
  if (loop().closed()) return discard_callbacks();
  for (Ready& node : callbacks_)
    if (auto* callback = DoneCallback::of(node)) callback->hold(*this);
}

bool FutureState::loop_closed() const noexcept { return loop().closed(); }

void FutureState::check_loop_open() const { loop().check_closed(); }

void FutureState::add_done_callback(DoneCallback& callback) noexcept {
  has_done_callbacks_ = true;
  callbacks_.push_back(callback);
  if (!done()) return;
  hold_in_callbacks();
  core().ready_all(callbacks_);
}

std::exception_ptr make_cancelled(const std::string& message) {
  return std::make_exception_ptr(CancelledError(message));
}

void DoneCallback::run_callback(Ready& node) {
  std::unique_ptr<DoneCallback> callback(static_cast<DoneCallback*>(&node));
  Ref<FutureState> future = callback->future_;
  ContextScope scope(callback->context_);
  try {
    callback->invoke(future);
  } catch (...) {  // Goes to the exception handler; an interrupt is thrown on.
    future->loop().handle_callback_error(nullptr, "done callback", callback->where());
  }
}

std::size_t remove_callbacks(FutureState& future, const std::type_info& type,
                             const void* function) noexcept {
  std::size_t removed = 0;
  auto& callbacks = future.callbacks();
  for (auto it = callbacks.begin(); it != callbacks.end();) {
    Ready& node = *it;
    ++it;
    auto* callback = DoneCallback::of(node);
    if (!callback || !callback->matches(type, function)) continue;
    callback->unlink();
    delete callback;
    ++removed;
  }
  return removed;
}

std::exception_ptr FutureWait::cancellation() {
  return future_->ended_cancelled() ? future_->take_error() : task_->take_cancellation();
}

}  // namespace asyncio::detail

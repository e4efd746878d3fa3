// SPDX-License-Identifier: BSL-1.0
#include "asyncio/detail/core/thread_bridge.hpp"

#include <exception>

namespace asyncio::detail {

bool Bridge::post() noexcept {
  // Moved out first: once posted, this may end at any moment.
  std::shared_ptr<Loop> loop = std::move(loop_);
  return loop->post(*this);
}

// --- From a ConcurrentFuture to a future of the loop -------------------------------------------

IncomingBridge::DestinationDone::DestinationDone(IncomingBridge& owner) noexcept
    : Ready([](Ready& node) { static_cast<DestinationDone&>(node).bridge.destination_done(); }),
      bridge(owner) {}

IncomingBridge::IncomingBridge(Loop& loop, Source source, Ref<FutureState> destination)
    : Bridge(loop),
      source_(std::move(source)),
      destination_(std::move(destination)),
      destination_done_(*this) {}

void IncomingBridge::begin() {
  Loop& loop = destination_->loop();
  loop.add_combinator(*this);
  loop.poller().external_work(+1);
  destination_->add_callback(destination_done_);
  Source source = source_;  // observing may end it, and with it this
  add_side();
  source->observe(*this);
}

/// CPython: _call_set_state.
void IncomingBridge::ended(ConcurrentStateBase& source) noexcept {
  outcome_ = source.shared_from_this();
  if (post()) return;
  outcome_.reset();
  drop_side();
}

void IncomingBridge::forsaken() noexcept { drop_side(); }

void IncomingBridge::arrived() {
  Source outcome = std::move(outcome_);
  if (Ref<FutureState> destination = destination_) {
    drop_loop_side();
    settle(*outcome, *destination);
  }
  drop_side();
}

void IncomingBridge::discarded() noexcept {
  outcome_.reset();
  drop_side();
}

/// CPython: _set_state, _copy_future_state.
void IncomingBridge::settle(ConcurrentStateBase& outcome, FutureState& destination) {
  if (destination.done()) return;
  if (outcome.cancelled()) {
    destination.cancel(nullptr);
  } else if (std::exception_ptr error = error_of(outcome)) {
    destination.set_exception(std::move(error));
  } else {
    try {
      give(outcome, destination);
    } catch (...) {  // The value could not be copied or moved: the awaiter gets that error.
      destination.set_exception(std::current_exception());
    }
  }
}

/// CPython: _call_check_cancel.
void IncomingBridge::destination_done() noexcept {
  Source source = source_;
  // Its end arrives later, and finds no destination.
  if (destination_->cancelled() && !source->cancel()) source->request_stop();
  drop_loop_side();
}

void IncomingBridge::loop_closing() noexcept {
  bool cancelled = destination_->cancelled() && source_->cancel();
  if (!cancelled) source_->request_stop();
  drop_loop_side();
}

void IncomingBridge::drop_loop_side() noexcept {
  Combinator::unlink();
  destination_done_.unlink();
  source_.reset();
  Ref<FutureState> destination = std::move(destination_);
  destination->loop().poller().external_work(-1);
  drop_side();
}

// --- From a task of the loop to a ConcurrentFuture ---------------------------------------------

OutgoingBridge::TaskDone::TaskDone(OutgoingBridge& owner) noexcept
    : Ready([](Ready& node) { static_cast<TaskDone&>(node).bridge.task_done(); }), bridge(owner) {}

OutgoingBridge::OutgoingBridge(Loop& loop, Destination destination)
    : Bridge(loop),
      context_(current_context()),
      destination_(std::move(destination)),
      task_done_(*this) {}

void OutgoingBridge::submit(std::unique_ptr<OutgoingBridge> bridge) {
  if (!bridge->post()) throw RuntimeError("Event loop is closed");
  (void)bridge.release();
}

void OutgoingBridge::arrived() {
  if (phase_ == Phase::submitted) return start();
  // The destination was cancelled.
  if (phase_ == Phase::started) task_->cancel(nullptr);
  drop_side();
}

void OutgoingBridge::discarded() noexcept {
  if (phase_ == Phase::submitted) {
    phase_ = Phase::ended;
    drop_coroutine();
    refuse(std::make_exception_ptr(RuntimeError("Event loop is closed")));
  }
  drop_side();
}

void OutgoingBridge::start() {
  Loop& loop = running_loop();
  try {
    ContextScope scope(context_);
    task_ = make_task(loop);
  } catch (...) {  // No task could be made: the future gets that error, and so does the loop.
    phase_ = Phase::ended;
    refuse(std::current_exception());
    drop_side();
    return loop.handle_callback_error(nullptr, "callback");
  }
  phase_ = Phase::started;
  set_loop(loop);
  loop.add_combinator(*this);
  task_->add_callback(task_done_);
  Destination destination = destination_;
  add_side();
  destination->observe(*this);
}

/// CPython: _call_check_cancel. The end that this bridge itself has brought means nothing.
void OutgoingBridge::ended(ConcurrentStateBase& destination) noexcept {
  if (!destination.cancelled() || !post()) drop_side();
}

void OutgoingBridge::forsaken() noexcept { drop_side(); }

void OutgoingBridge::task_done() noexcept {
  settle();
  drop_loop_side();
}

/// CPython: _set_concurrent_future_state.
void OutgoingBridge::settle() noexcept {
  if (task_->cancelled()) destination_->cancel();
  if (!destination_->begin()) return task_->mark_retrieved();
  try {
    if (std::exception_ptr error = task_->take_error()) {
      task_ = nullptr;  // first, so that the exception is the receiver's alone
      destination_->set_exception(std::move(error));
    } else {
      give(*task_, *destination_);
    }
  } catch (const InvalidStateError&) {
    // Somebody else has set the outcome meanwhile: the first one counts.
  } catch (...) {  // The value could not be moved: who waits gets that error.
    destination_->set_exception(std::current_exception());
  }
}

void OutgoingBridge::refuse(std::exception_ptr error) noexcept {
  if (destination_->begin()) destination_->set_exception(std::move(error));
  destination_.reset();
}

void OutgoingBridge::loop_closing() noexcept {
  Destination destination = std::move(destination_);
  drop_loop_side();
  if (destination->begin())
    destination->set_exception(std::make_exception_ptr(RuntimeError("Event loop is closed")));
}

void OutgoingBridge::drop_loop_side() noexcept {
  phase_ = Phase::ended;
  Combinator::unlink();
  task_done_.unlink();
  destination_.reset();
  task_ = nullptr;
  drop_side();
}

}  // namespace asyncio::detail

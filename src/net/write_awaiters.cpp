// SPDX-License-Identifier: BSL-1.0
#include "asyncio/detail/net/write_awaiters.hpp"

namespace asyncio::detail {

/// CPython: StreamWriter.drain and FlowControlMixin._drain_helper.
bool DrainWait::drained() {
  connection_->throw_if_failed();
  return !connection_->paused() && !connection_->closing() && !connection_->drain_must_yield();
}

void DrainWait::await_suspend(PromiseBase& promise) {
  connection_->check_loop(promise);
  suspend_waiter(promise);
  if (connection_->paused() && !connection_->closing()) {
    wait_for_peer();
  } else {
    fire();  // a turn for the others; on a closing connection, for connection_lost
    ask_before_resuming();
  }
}

void DrainWait::wait_for_peer() noexcept {
  waited_ = true;
  connection_->drain_waiters().push_back(*this);
}

/// After that turn.
bool DrainWait::may_resume() noexcept {
  cancelled_ = ended_cancelled();
  if (cancelled_ || waited_ || connection_->closed() || !connection_->paused()) return true;
  wait_again();
  wait_for_peer();
  return false;
}

void DrainWait::await_resume() {
  if (!suspended()) return;
  bool cancelled = ended_cancelled() || cancelled_;
  unlink();
  if (cancelled) throw_cancelled();
  // Who has waited for the peer is told of an error, not of an end without one.
  if (waited_)
    connection_->throw_if_failed();
  else
    connection_->throw_if_unwritable();
}

bool WaitClosed::await_ready() {
  connection_->close_if_failed();
  return connection_->closed();
}

void WaitClosed::await_suspend(PromiseBase& promise) {
  connection_->check_loop(promise);
  suspend_waiter(promise);
  connection_->close_waiters().push_back(*this);
}

void WaitClosed::await_resume() {
  bool cancelled = ended_cancelled();
  unlink();
  if (cancelled) throw_cancelled();
  connection_->throw_if_lost();
}

}  // namespace asyncio::detail

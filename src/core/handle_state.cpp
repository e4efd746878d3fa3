// SPDX-License-Identifier: BSL-1.0
#include "asyncio/detail/core/handle_state.hpp"

#include "asyncio/detail/core/loop.hpp"

namespace asyncio::detail {

void HandleState::cancel() noexcept {
  if (cancelled()) return;
  cancelled_.store(true, std::memory_order_relaxed);
  if (shared_ || started_) return;  // the loop's thread drops the callable
  drop_callable();
  if (disarm()) drop_reference();
}

void HandleState::failed() { running_loop().handle_callback_error(this, "callback", where_); }

HandleState* HandleState::of(Ready& node) noexcept {
  if (node.run == &SoonState::run_callback) return static_cast<SoonState*>(&node);
  if (node.run == &TimerState::run_callback) return static_cast<TimerState*>(&node);
  return nullptr;
}

bool TimerState::disarm() noexcept {
  if (!armed()) return false;
  loop_->disarm(*this);
  return true;
}

}  // namespace asyncio::detail

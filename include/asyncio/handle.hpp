// SPDX-License-Identifier: BSL-1.0
/// The section "Callback Handles" of the chapter "Event Loop" of asyncio's documentation.
#pragma once

#include "asyncio/context.hpp"
#include "asyncio/detail/core/handle_state.hpp"
#include "asyncio/time.hpp"

#include <chrono>
#include <string>
#include <utility>

namespace asyncio {

class EventLoop;
namespace detail {
class Loop;
}

/// A scheduled callback. Dropping the handle does not cancel it. There is always a callback behind
/// it, also after a move: keep a `std::optional<Handle>` for one that may not be there.
///
/// Thread   the loop's; cancel and cancelled of a handle from call_soon_threadsafe: any.
/// asyncio  Event Loop, Callback Handles
class Handle {
 public:
  Handle(const Handle& other) noexcept : state_(other.state_) { state_->add_reference(); }
  Handle& operator=(Handle other) noexcept {
    std::swap(state_, other.state_);
    return *this;
  }
  ~Handle() { state_->drop_reference(); }

  /// The callback will not be called any more. Harmless after the call or a second time.
  void cancel() noexcept { state_->cancel(); }
  bool cancelled() const noexcept { return state_->cancelled(); }
  Context get_context() const { return state_->context().share(); }
  /// Where it was scheduled: "file:line".
  std::string source() const;

 protected:
  friend class EventLoop;
  friend class detail::Loop;
  /// Takes over the reference that the state was born with for it.
  explicit Handle(detail::HandleState& state) noexcept : state_(&state) {}

  detail::HandleState* state_;
};

/// A callback scheduled for a point in time.
class TimerHandle : public Handle {
 public:
  TimePoint when() const noexcept {
    auto& timer = static_cast<const detail::TimerState&>(*state_);
    return TimePoint(std::chrono::nanoseconds(timer.when()));
  }

 private:
  friend class EventLoop;
  explicit TimerHandle(detail::TimerState& state) noexcept : Handle(state) {}
};

}  // namespace asyncio

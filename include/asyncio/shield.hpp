// SPDX-License-Identifier: BSL-1.0
/// shield: keeps an awaitable from being cancelled with its awaiter.
#pragma once

#include "asyncio/detail/core/combinator.hpp"
#include "asyncio/gather.hpp"
#include "asyncio/task.hpp"

#include <type_traits>
#include <utility>

namespace asyncio {

namespace detail {

/// What a shield does that does not depend on the type. Order: asyncio/tasks.py, shield.
class ShieldLink : public Ready, private Combinator {
 public:
  /// The shield that waits through `node`, or null.
  static FutureState* owner_of(Ready& node) noexcept;

 protected:
  ShieldLink(FutureState& outer, Ref<FutureState> inner) noexcept;
  virtual ~ShieldLink() = default;
  void begin() noexcept;
  /// Gives the inner value to the outer future.
  virtual void pass_value(const Ref<FutureState>& inner) = 0;

 private:
  static void inner_done(Ready& node);
  void loop_closing() noexcept final;

  FutureState& outer_;
  Ref<FutureState> inner_;
};

template <class T>
class ShieldState final : public ValueFuture<T>, private ShieldLink {
 public:
  ShieldState(Loop& loop, std::source_location where, Ref<FutureState> inner)
      : ValueFuture<T>(loop, where), ShieldLink(*this, std::move(inner)) {
    begin();
  }

 private:
  void pass_value(const Ref<FutureState>& inner) override {
    if constexpr (std::is_void_v<T>)
      this->set_result();
    else if constexpr (std::is_reference_v<T>)
      this->set_result(slot_of<T>(*inner).get());
    else
      this->set_result(take_child_value<T>(inner));
  }
};

template <class Handle>
auto shield_future(const Handle& inner, std::source_location where) {
  using T = typename Handle::value_type;
  Ref<FutureState> state = inner.state();
  if (state->done()) return Future<T>(std::move(state));
  Loop& loop = state->loop();
  return Future<T>(Ref<FutureState>::adopt(new ShieldState<T>(loop, where, std::move(state))));
}

}  // namespace detail

/// Awaits `awaitable`, which runs on if the awaiter is cancelled. Keep a handle on a task you
/// shield, to wait for it after all.
///
/// Awaits   `awaitable`; a coroutine becomes a task.
/// Returns  a Future of its result.
/// Throws   (the await) what it throws; CancelledError if it, or the awaiter, is cancelled.
/// Cancel   ends the await only. A later error of `awaitable` goes to the exception handler.
/// Thread   the loop's.
/// asyncio  Coroutines and Tasks, shield
template <class A>
[[nodiscard("co_await it, or keep it")]] auto shield(
    A&& awaitable, std::source_location where = std::source_location::current()) {
  if constexpr (detail::check_awaitable<A>())
    return detail::shield_future(ensure_future(std::forward<A>(awaitable), where), where);
  else
    return detail::Refused();
}

}  // namespace asyncio

// SPDX-License-Identifier: BSL-1.0
/// ConcurrentFuture: an outcome that travels between threads.
#pragma once

#include "asyncio/detail/core/concurrent_state.hpp"
#include "asyncio/exceptions.hpp"
#include "asyncio/time.hpp"

#include <concepts>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>

namespace asyncio {

template <class T>
class ConcurrentFuture;

namespace detail {

/// To be called in a catch block: a callback threw, and nobody is there to be told but the log.
void log_callback_error() noexcept;

template <class T, class F>
class ConcurrentCallback final : public ConcurrentObserver {
 public:
  template <class G>
  explicit ConcurrentCallback(G&& function) : function_(std::forward<G>(function)) {}

  void ended(ConcurrentStateBase& state) noexcept override {
    std::unique_ptr<ConcurrentCallback> self(this);
    try {
      call(state);
    } catch (...) {  // As CPython: logged, and the other callbacks run.
      log_callback_error();
    }
  }
  void forsaken() noexcept override { delete this; }

 private:
  void call(ConcurrentStateBase& state) {
    if constexpr (std::is_invocable_v<F&, ConcurrentFuture<T>>)
      (void)std::invoke(function_, ConcurrentFuture<T>(std::static_pointer_cast<ConcurrentState<T>>(
                                       state.shared_from_this())));
    else
      (void)std::invoke(function_);
  }

  F function_;
};

}  // namespace detail

/// The outcome of a job in a thread, or of a coroutine that another thread submitted. Copies name
/// the same one.
///
/// Thread   any.
/// asyncio  concurrent.futures, Future Objects
template <class T = void>
class ConcurrentFuture {
 public:
  using value_type = T;

  /// A pending one, for who sets its outcome.
  ConcurrentFuture() : state_(std::make_shared<detail::ConcurrentState<T>>()) {}

  /// Whether there is an outcome: a value, an exception or a cancellation.
  bool done() const { return state()->done(); }
  /// Whether the work has begun and not ended.
  bool running() const { return state()->running(); }
  bool cancelled() const { return state()->cancelled(); }
  /// Cancels what has not begun.
  ///
  /// Returns  false if it runs or has ended, other than by a cancellation.
  bool cancel() const { return state()->cancel(); }

  /// Blocks until there is an outcome, at most for `limit`.
  ///
  /// Returns  a copy of the value; one that cannot be copied is moved out, once.
  /// Throws   TimeoutError; CancelledError; the exception; RuntimeError on the thread of the loop
  ///          that has to bring the outcome, where this would wait for ever; InvalidStateError if
  ///          the value was moved out before.
  T result(OptionalDelay limit = std::nullopt) const {
    state()->wait(limit);
    if (std::exception_ptr error = state()->error()) std::rethrow_exception(std::move(error));
    return state()->value();
  }
  /// The same for the exception: null if there is a value.
  std::exception_ptr exception(OptionalDelay limit = std::nullopt) const {
    state()->wait(limit);
    if (state()->cancelled()) throw CancelledError();
    return state()->error();
  }

  /// Calls `function(future)` or `function()` once there is an outcome, in the thread that brings
  /// it, or now. Callbacks run in the order of registration; what one throws goes to the log.
  template <class F>
  void add_done_callback(F&& function) const {
    using Function = std::decay_t<F>;
    static_assert(
        std::is_invocable_v<Function&, ConcurrentFuture> || std::is_invocable_v<Function&>,
        "a done callback takes the future, or nothing");
    state()->observe(*new detail::ConcurrentCallback<T, Function>(std::forward<F>(function)));
  }

  /// For who runs the work: false, and nothing to do, if it was cancelled before it began.
  ///
  /// Throws   RuntimeError if the work has begun already.
  bool set_running_or_notify_cancel() const { return state()->set_running_or_notify_cancel(); }
  /// Throws   InvalidStateError if there is an outcome.
  template <class... U>
    requires(sizeof...(U) == (std::is_void_v<T> ? 0 : 1))
  void set_result(U&&... value) const {
    state()->set_result(std::forward<U>(value)...);
  }
  void set_exception(std::exception_ptr error) const { state()->set_exception(std::move(error)); }
  template <class E>
    requires(!std::convertible_to<E, std::exception_ptr>)
  void set_exception(E&& error) const {
    set_exception(std::make_exception_ptr(std::forward<E>(error)));
  }

  /// Whether both name the same one.
  friend bool operator==(const ConcurrentFuture&, const ConcurrentFuture&) noexcept = default;

  explicit ConcurrentFuture(std::shared_ptr<detail::ConcurrentState<T>> state) noexcept
      : state_(std::move(state)) {}
  const std::shared_ptr<detail::ConcurrentState<T>>& state() const {
    if (!state_) throw RuntimeError("the ConcurrentFuture has been moved from");
    return state_;
  }

 private:
  std::shared_ptr<detail::ConcurrentState<T>> state_;
};

}  // namespace asyncio

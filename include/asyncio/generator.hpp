// SPDX-License-Identifier: BSL-1.0
/// Asynchronous generators.
#pragma once

#include "asyncio/coro.hpp"
#include "asyncio/detail/core/generator_state.hpp"
#include "asyncio/result.hpp"

#include <coroutine>
#include <exception>
#include <memory>
#include <optional>
#include <source_location>
#include <type_traits>
#include <utility>

namespace asyncio {

template <class T, class Sent = void>
class AsyncGenerator;

namespace detail {

/// What `co_yield` waits for: to be asked for the next item, or to be closed.
template <class Sent>
class [[nodiscard]] YieldAwaiter {
 public:
  explicit YieldAwaiter(GeneratorState& generator) noexcept : generator_(generator) {}
  bool await_ready() const noexcept { return false; }
  void await_suspend(std::coroutine_handle<>) noexcept { generator_.yield_to_consumer(); }
  Sent await_resume() {
    generator_.resumed();
    if constexpr (!std::is_void_v<Sent>)
      return std::move(**static_cast<std::optional<Sent>*>(generator_.sent));
  }

 private:
  GeneratorState& generator_;
};

template <class T, class Sent, Hazard Parameters, class Closure>
class GeneratorPromise final : public GeneratorState {
 public:
  GeneratorPromise() noexcept : GeneratorState(closure_hazard<Closure>(Parameters)) {}
  AsyncGenerator<T, Sent> get_return_object(
      std::source_location where = std::source_location::current()) noexcept {
    this->function = where;
    return AsyncGenerator<T, Sent>(*this);
  }
  /// The item stays in the generator's frame until the consumer has moved it out.
  YieldAwaiter<Sent> yield_value(T&& value) noexcept {
    this->item = std::addressof(value);
    return YieldAwaiter<Sent>(*this);
  }
  /// The generator keeps what has a name.
  YieldAwaiter<Sent> yield_value(const T& value) {
    static_assert(copyable_v<T>,
                  "the generator keeps a named item: write co_yield std::move(item)");
    if constexpr (copyable_v<T>) {
      copy_.emplace(value);
      this->item = std::addressof(*copy_);
    }
    return YieldAwaiter<Sent>(*this);
  }
  void return_void() noexcept { this->outcome = Outcome::value; }

 private:
  std::optional<T> copy_;
};

template <class S>
inline constexpr bool is_optional_v = false;
template <class S>
inline constexpr bool is_optional_v<std::optional<S>> = true;

/// Whether a sent value is Python's None.
template <class Sent>
bool is_none(const Sent& value) noexcept {
  if constexpr (is_optional_v<Sent>)
    return !value;
  else
    return (void)value, false;
}

/// Throw TypeError.
[[noreturn]] void throw_sent_too_early();
[[noreturn]] void throw_nothing_sent();

/// Runs the generator, inside the awaiting task, to its next `co_yield` or its end.
template <class T, class Sent>
class [[nodiscard("co_await it")]] NextAwaiter : public GeneratorWait {
 public:
  explicit NextAwaiter(GeneratorRef generator) noexcept : GeneratorWait(std::move(generator)) {}
  NextAwaiter(GeneratorRef generator, std::exception_ptr injected) noexcept
      : GeneratorWait(std::move(generator), std::move(injected)) {}
  template <class S>
  NextAwaiter(GeneratorRef generator, std::in_place_t, S&& value)
      : GeneratorWait(std::move(generator)), sent_(std::forward<S>(value)) {}

  void await_suspend(PromiseBase& promise) {
    if constexpr (!std::is_void_v<Sent>) {
      if (generator().fresh()) {
        if (sent_ && !is_none(*sent_)) throw_sent_too_early();
      } else if (!sent_ && !injected_) {
        send_none();
      }
      generator().sent = &sent_;
    }
    enter(promise);
  }
  std::optional<T> await_resume() {
    T* item = static_cast<T*>(take_item());
    if (!item) return std::nullopt;
    return std::optional<T>(std::move(*item));
  }

 private:
  /// What next() sends: Python's None, which only an optional can be.
  void send_none() {
    if constexpr (is_optional_v<Sent>)
      sent_.emplace(std::nullopt);
    else
      throw_nothing_sent();
  }

  std::conditional_t<std::is_void_v<Sent>, Unit, std::optional<value_or_unit_t<Sent>>> sent_{};
};

/// Ends the generator at its `co_yield`.
class [[nodiscard("co_await it")]] CloseAwaiter : public GeneratorWait {
 public:
  explicit CloseAwaiter(GeneratorRef generator);
  bool await_ready();
  void await_suspend(PromiseBase& promise) { enter(promise); }
  /// Throws RuntimeError if the generator yields instead of ending.
  void await_resume();
};

}  // namespace detail

/// A coroutine that yields items with `co_yield` and may `co_await` in between. It runs only while
/// it is asked for its next item, inside the task that asks.
///
///     AsyncGenerator<int> ticks() {
///       for (int i = 0;; ++i) {
///         co_yield i;
///         co_await sleep(1s);
///       }
///     }
///     auto gen = ticks();
///     while (auto tick = co_await gen.next()) use(*tick);
///
/// A generator that is dropped before its end is closed by the loop, in a task of its own, so that
/// its clean-up may await; one that has reference parameters or is a capturing lambda cannot wait
/// for that and is destroyed at once. `run` closes those that are still suspended at its end.
///
/// `co_yield` throws GeneratorExit when the generator is closed; do not yield after it.
/// Thread   the loop's.
/// asyncio  Python reference, Asynchronous generator functions
template <class T, class Sent>
class [[nodiscard("ask it for items: co_await generator.next()")]] AsyncGenerator {
 public:
  static_assert(!std::is_reference_v<T>, "yield a pointer instead of a reference");
  using value_type = T;

  /// Awaits   the next item.
  /// Returns  it: a copy of a named item, others moved out; empty at the end.
  /// Throws   what the generator throws, which is then finished; RuntimeError if it is running;
  ///          TypeError if the `co_yield` that is waiting needs a Sent. With std::optional<S> for
  ///          Sent it returns nullopt, as Python's None.
  /// Cancel   reaches the await at which the generator is suspended.
  detail::NextAwaiter<T, Sent> next() { return detail::NextAwaiter<T, Sent>(state_); }
  /// The same; `value` is what the `co_yield` that is waiting returns.
  ///
  /// Throws   TypeError before the first next(): no `co_yield` is waiting yet.
  template <class S>
    requires(!std::is_void_v<Sent>)
  detail::NextAwaiter<T, Sent> asend(S&& value) {
    return detail::NextAwaiter<T, Sent>(state_, std::in_place, std::forward<S>(value));
  }
  /// The same; the waiting `co_yield` throws `error`.
  detail::NextAwaiter<T, Sent> athrow(std::exception_ptr error) {
    return detail::NextAwaiter<T, Sent>(state_, std::move(error));
  }
  /// Ends the generator: its waiting `co_yield` throws GeneratorExit. Does nothing to one that has
  /// not begun or has ended.
  ///
  /// Awaits   its clean-up.
  /// Throws   what the clean-up throws; RuntimeError if it yields again.
  detail::CloseAwaiter aclose() { return detail::CloseAwaiter(state_); }

 private:
  template <class U, class S, detail::Hazard Parameters, class Closure>
  friend class detail::GeneratorPromise;
  explicit AsyncGenerator(detail::GeneratorState& state) noexcept : state_(state) {}

  detail::GeneratorOwner state_;
};

}  // namespace asyncio

template <class T, class Sent, class... Args>
struct std::coroutine_traits<asyncio::AsyncGenerator<T, Sent>, Args...> {
  using promise_type =
      asyncio::detail::GeneratorPromise<T, Sent, asyncio::detail::parameters_hazard<Args...>(),
                                        typename asyncio::detail::ClosureOf<Args...>::type>;
};

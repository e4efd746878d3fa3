// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "asyncio/detail/core/exception_trace.hpp"
#include "asyncio/detail/core/recycler.hpp"
#include "asyncio/detail/core/refused.hpp"

#include <coroutine>
#include <cstdint>
#include <exception>
#include <memory>
#include <new>
#include <source_location>
#include <type_traits>
#include <utility>

namespace asyncio::detail {

class PromiseBase;
class TaskState;

/// The edge from a frame to the one that waits for it, inside whose awaiter this is. A task's
/// outermost frame has none.
struct FrameLink {
  PromiseBase* parent = nullptr;
  PromiseBase* child = nullptr;
};

/// What a coroutine's parameters refer to that may die before the coroutine does.
enum class Hazard : std::uint8_t { none, reference, view, capture };

enum class Outcome : std::uint8_t { none, value, error };

/// The part of a coroutine frame that does not depend on its type.
///
/// A frame belongs to its Coro until it is awaited, then to the awaiter that `link` names, and
/// runs as a part of `task`. It never runs through the event loop: awaiting enters the child
/// frame, its end re-enters the parent, both by way of the driver loop in TaskState::drive, so
/// that the stack does not grow with the depth of the chain or the number of awaits (D12).
class PromiseBase {
 public:
  PromiseBase(const PromiseBase&) = delete;
  PromiseBase& operator=(const PromiseBase&) = delete;

  // Not those of Recycled: its placement form would take the pointer parameter of a coroutine for
  // the place of the frame.
  static void* operator new(std::size_t size) { return Recycler::allocate(size); }
  static void operator delete(void* block, std::size_t size) noexcept {
    Recycler::deallocate(block, size);
  }

  PromiseBase* parent() const noexcept { return link ? link->parent : nullptr; }
  std::coroutine_handle<PromiseBase> handle() noexcept {
    return std::coroutine_handle<PromiseBase>::from_promise(*this);
  }

  /// g++ 12 gives some coroutines without local variables a frame that is not where its promise
  /// is (compilers.md, the no-local bug). Such a frame can be neither run nor destroyed.
  struct InitialAwaiter {
    explicit InitialAwaiter(PromiseBase& owner) noexcept : promise(owner) {}
    bool await_ready() const noexcept { return false; }
    void await_suspend([[maybe_unused]] std::coroutine_handle<> frame) noexcept {
#if defined(__GNUC__) && !defined(__clang__)
      promise.broken = frame.address() != promise.handle().address();
#endif
    }
    void await_resume() const noexcept {}
    PromiseBase& promise;
  };
  InitialAwaiter initial_suspend() noexcept { return InitialAwaiter(*this); }

  /// Empty, because g++ keeps it in every frame.
  struct FinalAwaiter {
    bool await_ready() const noexcept { return false; }
    template <class Promise>
    void await_suspend(std::coroutine_handle<Promise> frame) const noexcept;
    void await_resume() const noexcept {}
  };
  FinalAwaiter final_suspend() noexcept { return {}; }

  void unhandled_exception() noexcept {
    std::exception_ptr thrown = std::current_exception();
    trace_exception(*this, thrown);
    std::construct_at(std::addressof(error_), std::move(thrown));
    outcome = Outcome::error;
  }

  /// Refuses `co_yield`, but in a generator.
  template <class U>
  Refused yield_value(U&&) {
    static_assert(never_v<U>, "co_yield needs a function that returns asyncio::AsyncGenerator");
    return Refused();
  }

  template <class A>
  auto await_transform(A&& awaitable, std::source_location where = std::source_location::current());

  bool failed() const noexcept { return outcome == Outcome::error; }
  /// Null unless it has failed.
  std::exception_ptr error() const noexcept { return failed() ? error_ : nullptr; }
  /// Of one that has failed.
  std::exception_ptr take_error() noexcept { return std::move(error_); }
  /// Its latest co_await; its beginning before the first, and once it has failed.
  std::source_location place() const noexcept {
    return failed() || awaiting_.line() == 0 ? function : awaiting_;
  }

  FrameLink* link = nullptr;
  TaskState* task = nullptr;
  std::source_location function;  // of the coroutine itself
  Outcome outcome = Outcome::none;
  Hazard hazard = Hazard::none;
  bool broken = false;
  bool owned_by_link = true;  // false for a generator's body, which its generator owns

 protected:
  explicit PromiseBase(Hazard parameters) noexcept : hazard(parameters) {}
  ~PromiseBase() {
    if (failed()) error_.~exception_ptr();
  }

 private:
  /// The place of the latest co_await and, once it has failed, the error.
  union {
    std::source_location awaiting_{};
    std::exception_ptr error_;
  };
};

/// Ends a frame that never ran or has ended. Not for one that is suspended inside a chain.
inline void destroy_frame(PromiseBase* frame) noexcept {
  // A broken frame cannot be destroyed; leaking it is the only safe thing left.
  if (frame && !frame->broken) frame->handle().destroy();
}

/// The same for one that may own, among its parameters, frames that never ran: of any depth.
void destroy_nested_frame(PromiseBase* frame) noexcept;

/// Throws the RuntimeError that tells how to avoid the miscompilation.
[[noreturn]] void throw_broken_frame(const PromiseBase& frame);
/// For a coroutine that ended without `co_return value` (g++ does not warn).
std::exception_ptr missing_return(const PromiseBase& frame);
[[noreturn]] void throw_missing_return(const PromiseBase& frame);
/// Throws for an awaited or moved-from Coro.
[[noreturn]] void throw_reused_coroutine();

template <class T>
class ValuePromise : public PromiseBase {
 public:
  static_assert(fits_frame_v<T>, "a coroutine's result may not be over-aligned: return a pointer");

  template <class U = T>
  void return_value(U&& result) {
    static_assert(std::is_convertible_v<U&&, T>,
                  "what co_return gives does not convert to the coroutine's result type");
    if constexpr (std::is_convertible_v<U&&, T>) {
      std::construct_at(std::addressof(value_), std::forward<U>(result));
      outcome = Outcome::value;
    }
  }

  /// The result, if there is one.
  T&& value() noexcept { return std::move(value_); }
  /// The result, moved out; throws what the coroutine threw. Inline, for the unwinder's sake.
  [[gnu::always_inline]] T take() {
    if (outcome == Outcome::value) [[likely]]
      return std::move(value_);
    if (failed()) std::rethrow_exception(take_error());
    throw_missing_return(*this);
  }

 protected:
  explicit ValuePromise(Hazard parameters) noexcept : PromiseBase(parameters) {}
  ~ValuePromise() {
    if (outcome == Outcome::value) value_.~T();
  }

 private:
  union {
    T value_;
  };
};

template <class T>
class ValuePromise<T&> : public PromiseBase {
 public:
  void return_value(T& result) noexcept {
    value_ = std::addressof(result);
    outcome = Outcome::value;
  }

  T& value() noexcept { return *value_; }
  [[gnu::always_inline]] T& take() {
    if (outcome == Outcome::value) [[likely]]
      return *value_;
    if (failed()) std::rethrow_exception(take_error());
    throw_missing_return(*this);
  }

 protected:
  explicit ValuePromise(Hazard parameters) noexcept : PromiseBase(parameters) {}

 private:
  T* value_ = nullptr;
};

template <>
class ValuePromise<void> : public PromiseBase {
 public:
  void return_void() noexcept { outcome = Outcome::value; }

  [[gnu::always_inline]] void take() {
    if (failed()) std::rethrow_exception(take_error());
  }

 protected:
  explicit ValuePromise(Hazard parameters) noexcept : PromiseBase(parameters) {}
};

}  // namespace asyncio::detail

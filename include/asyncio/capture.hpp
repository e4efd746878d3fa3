// SPDX-License-Identifier: BSL-1.0
/// capture: the outcome of an await as a value.
#pragma once

#include "asyncio/coro.hpp"
#include "asyncio/result.hpp"

#include <functional>
#include <optional>
#include <type_traits>
#include <utility>

namespace asyncio {

namespace detail {

/// Awaits what is not a coroutine, and catches what it throws.
template <class A>
class [[nodiscard("co_await it")]] Capture {
 public:
  explicit Capture(A awaitable)
      : awaitable_(std::forward<A>(awaitable)),
        awaiter_(awaiter_for(static_cast<A&&>(awaitable_))) {}
  Capture(const Capture&) = delete;
  Capture& operator=(const Capture&) = delete;

  bool await_ready() {
    try {
      return awaiter_.await_ready();
    } catch (...) {  // It failed without waiting: that is the outcome.
      error_ = std::current_exception();
      return true;
    }
  }

  bool await_suspend(PromiseBase& promise) {
    try {
      return suspend(promise);
    } catch (...) {  // Refused (a foreign loop, a cycle): that is the outcome.
      error_ = std::current_exception();
      return false;
    }
  }

  Result<captured_t<A>> await_resume() {
    if (error_) return Result<captured_t<A>>(Thrown(error_));
    try {
      if constexpr (std::is_void_v<captured_t<A>>) {
        awaiter_.await_resume();
        return Unit();
      } else {
        return awaiter_.await_resume();
      }
    } catch (...) {  // Becomes the Result.
      return Result<captured_t<A>>(Thrown(std::current_exception()));
    }
  }

 private:
  bool suspend(PromiseBase& promise) {
    if constexpr (std::is_void_v<decltype(awaiter_.await_suspend(promise.handle()))>) {
      awaiter_.await_suspend(promise.handle());
      return true;
    } else {
      return awaiter_.await_suspend(promise.handle());
    }
  }

  A awaitable_;
  decltype(awaiter_for(std::declval<A&&>())) awaiter_;
  std::exception_ptr error_;
};

}  // namespace detail

/// The outcome of `awaitable` as a Result, instead of an exception: C++ has no `co_await` in a
/// catch block, so this is how a clean-up awaits. A captured cancellation is in the Result, too:
/// rethrow it after the clean-up.
///
/// Awaits   `awaitable`.
/// Returns  (the await) Result<T>.
/// Cancel   reaches `awaitable`, and comes back as a Result that is `cancelled()`.
template <class T>
detail::CoroCapture<T> capture(Coro<T> coro) {
  return detail::CoroCapture<T>(coro);
}

template <class A>
  requires(!is_coroutine_v<A>)
auto capture(A&& awaitable) {
  if constexpr (detail::check_awaitable<A>())
    return detail::Capture<A>(std::forward<A>(awaitable));
  else
    return detail::Refused();
}

namespace detail {

/// Calls `F` when awaited and captures the outcome of the call and of what it returns, which may
/// be a plain value or an awaitable.
template <class F>
class [[nodiscard]] CaptureCall {
  using Returned = std::invoke_result_t<F&>;

  struct Awaited {
    explicit Awaited(F& call) : capture(asyncio::capture(call())) {}
    decltype(asyncio::capture(std::declval<Returned>())) capture;
  };

 public:
  explicit CaptureCall(F call) : call_(std::move(call)) {}

  bool await_ready() {
    try {
      awaited_.emplace(call_);
      return awaited_->capture.await_ready();
    } catch (...) {  // The call itself failed: that is the outcome.
      error_ = std::current_exception();
      return true;
    }
  }
  auto await_suspend(PromiseBase& promise) { return awaited_->capture.await_suspend(promise); }
  auto await_resume() -> decltype(std::declval<Awaited&>().capture.await_resume()) {
    using Captured = decltype(awaited_->capture.await_resume());
    if (error_) return Captured(Thrown(error_));
    return awaited_->capture.await_resume();
  }

 private:
  F call_;
  std::optional<Awaited> awaited_;
  std::exception_ptr error_;
};

template <class F>
  requires(!Awaitable<std::invoke_result_t<F&>>)
class [[nodiscard]] CaptureCall<F> {
  using Value = kept_t<std::invoke_result_t<F&>>;

 public:
  explicit CaptureCall(F call) : call_(std::move(call)) {}
  bool await_ready() const noexcept { return true; }
  void await_suspend(PromiseBase&) const noexcept {}
  Result<Value> await_resume() {
    try {
      if constexpr (std::is_void_v<Value>) {
        call_();
        return Unit();
      } else {
        return call_();
      }
    } catch (...) {  // Becomes the Result.
      return Result<Value>(Thrown(std::current_exception()));
    }
  }

 private:
  F call_;
};

}  // namespace detail

}  // namespace asyncio

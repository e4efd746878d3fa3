// SPDX-License-Identifier: BSL-1.0
/// The coroutine type, and what `co_await` accepts.
#pragma once

#include "asyncio/detail/core/awaitable.hpp"
#include "asyncio/detail/core/hazard.hpp"
#include "asyncio/detail/core/promise.hpp"
#include "asyncio/detail/core/task_state.hpp"
#include "asyncio/detail/core/wait.hpp"
#include "asyncio/future.hpp"

#include <concepts>
#include <coroutine>
#include <source_location>
#include <type_traits>
#include <utility>

namespace asyncio {

template <class T = void>
class Coro;

namespace detail {

struct CoroAccess;

/// The promise of a Coro<T> with these parameters.
template <class T, Hazard Parameters, class Closure>
class Promise final : public ValuePromise<T> {
 public:
  Promise() noexcept : ValuePromise<T>(closure_hazard<Closure>(Parameters)) {}
  Coro<T> get_return_object(std::source_location where = std::source_location::current()) noexcept {
    this->function = where;
    return Coro<T>(*this);
  }
};

/// Logs "coroutine 'f' was never awaited".
void report_never_awaited(const PromiseBase& frame) noexcept;

}  // namespace detail

/// A coroutine: what a function with `co_await` or `co_return` returns. Lazy: its body runs when
/// it is awaited (inside the awaiting task, without a turn of the loop) or made a task.
///
/// Awaits   the end of its body.
/// Returns  what the body returns with `co_return`.
/// Throws   what the body throws; RuntimeError if it has been awaited before.
/// Cancel   reaches the await at which the body is suspended.
/// Thread   made anywhere; runs in the loop's.
/// asyncio  Coroutines and Tasks, Coroutines
template <class T>
class [[nodiscard("co_await it or give it to create_task")]] Coro {
 public:
  using value_type = T;

  Coro(const Coro&) = delete;  // a coroutine is awaited once, or made a task: std::move it
  Coro& operator=(const Coro&) = delete;
  Coro(Coro&& other) noexcept : promise_(std::exchange(other.promise_, nullptr)) {}
  Coro& operator=(Coro&& other) noexcept {
    if (this != &other) {
      drop();
      promise_ = std::exchange(other.promise_, nullptr);
    }
    return *this;
  }
  ~Coro() { drop(); }

  /// Ends a coroutine that was not awaited, without the report that its destruction would make.
  void close() noexcept { detail::destroy_nested_frame(std::exchange(promise_, nullptr)); }

 private:
  friend struct detail::CoroAccess;
  template <class U, detail::Hazard Parameters, class Closure>
  friend class detail::Promise;
  explicit Coro(detail::ValuePromise<T>& promise) noexcept : promise_(&promise) {}

  void drop() noexcept {
    if (!promise_) return;
    detail::report_never_awaited(*promise_);
    close();
  }

  detail::ValuePromise<T>* promise_;
};

namespace detail {

struct CoroAccess {
  /// Takes the frame over. Throws RuntimeError if the coroutine was awaited before.
  template <class T>
  static ValuePromise<T>& take(Coro<T>& coro) {
    ValuePromise<T>& promise = check(coro);
    coro.promise_ = nullptr;
    return promise;
  }
  /// The frame, which stays with the coroutine until `release`. Throws as `take`.
  template <class T>
  static ValuePromise<T>& check(Coro<T>& coro) {
    ValuePromise<T>* promise = coro.promise_;
    if (!promise) throw_reused_coroutine();
    if (promise->broken) [[unlikely]] {
      coro.promise_ = nullptr;  // it cannot be destroyed
      throw_broken_frame(*promise);
    }
    return *promise;
  }
  template <class T>
  static void release(Coro<T>& coro) noexcept {
    coro.promise_ = nullptr;
  }
  template <class T>
  static ValuePromise<T>* peek(const Coro<T>& coro) noexcept {
    return coro.promise_;
  }
};

/// Enters the awaited coroutine, inside the same task, and owns its frame meanwhile.
template <class T>
class [[nodiscard]] CoroAwaiter : public FrameLink {
 public:
  explicit CoroAwaiter(Coro<T>& coro) { child = &CoroAccess::take(coro); }
  CoroAwaiter(const CoroAwaiter&) = delete;
  CoroAwaiter& operator=(const CoroAwaiter&) = delete;
  ~CoroAwaiter() { destroy_frame(child); }

  bool await_ready() const noexcept { return false; }
  template <class P>
  void await_suspend(std::coroutine_handle<P> frame) noexcept {
    PromiseBase& promise = frame.promise();
    parent = &promise;
    promise.task->enter(*child, *this);
  }
  [[gnu::always_inline]] T await_resume() { return static_cast<ValuePromise<T>*>(child)->take(); }
};

/// The same, with the outcome as a value: what `capture(coro)` is.
template <class T>
class [[nodiscard("co_await it")]] CoroCapture : public FrameLink {
 public:
  explicit CoroCapture(Coro<T>& coro) { child = &CoroAccess::take(coro); }
  CoroCapture(const CoroCapture&) = delete;
  CoroCapture& operator=(const CoroCapture&) = delete;
  ~CoroCapture() { destroy_frame(child); }

  bool await_ready() const noexcept { return false; }
  void await_suspend(PromiseBase& promise) {
    if (parent) [[unlikely]]
      throw_reused_coroutine();
    parent = &promise;
    promise.task->enter(*child, *this);
  }
  Result<T> await_resume() {
    auto* promise = static_cast<ValuePromise<T>*>(child);
    if (promise->failed()) return Result<T>(Thrown(promise->take_error()));
    if constexpr (std::is_void_v<T>) {
      return Result<T>(Unit());
    } else {
      try {
        return Result<T>(promise->take());
      } catch (...) {  // There was no co_return, or the value could not be moved: the outcome.
        return Result<T>(std::current_exception());
      }
    }
  }
};

/// Stands for a leaf awaiter, which stays where it is: in the awaiting frame.
template <class A>
class [[nodiscard]] LeafProxy {
 public:
  explicit LeafProxy(A& leaf) noexcept : leaf_(leaf) {}
  bool await_ready() {
    if constexpr (std::is_base_of_v<Wait, A>) {
      if (leaf_.task()) [[unlikely]]
        throw_reused_coroutine();
    }
    return leaf_.await_ready();
  }
  template <class P>
  auto await_suspend(std::coroutine_handle<P> frame) {
    return leaf_.await_suspend(static_cast<PromiseBase&>(frame.promise()));
  }
  decltype(auto) await_resume() { return leaf_.await_resume(); }

 private:
  A& leaf_;
};

/// Owns a leaf awaiter that was made for this await.
template <class A>
class [[nodiscard]] OwnedLeaf {
 public:
  template <class... Args>
  explicit OwnedLeaf(Args&&... args) : leaf_(std::forward<Args>(args)...) {}
  bool await_ready() { return leaf_.await_ready(); }
  template <class P>
  auto await_suspend(std::coroutine_handle<P> frame) {
    return leaf_.await_suspend(static_cast<PromiseBase&>(frame.promise()));
  }
  [[gnu::always_inline]] decltype(auto) await_resume() { return leaf_.await_resume(); }

 private:
  A leaf_;
};

template <class A>
class ForeignWait;

template <class A>
auto awaiter_for(A&& awaitable);

/// Owns what a user's `operator co_await` returned, and the awaiter for that.
template <class Inner>
class [[nodiscard]] ConvertedAwaiter {
 public:
  template <class Make>
  explicit ConvertedAwaiter(Make make)
      : inner_(make()), awaiter_(awaiter_for(static_cast<Inner&&>(inner_))) {}
  bool await_ready() { return awaiter_.await_ready(); }
  template <class P>
  auto await_suspend(std::coroutine_handle<P> frame) {
    return awaiter_.await_suspend(frame);
  }
  decltype(auto) await_resume() { return awaiter_.await_resume(); }

 private:
  Inner inner_;
  decltype(awaiter_for(std::declval<Inner&&>())) awaiter_;
};

/// The awaiter for an operand of co_await in a coroutine of this library.
template <class A>
auto awaiter_for(A&& awaitable) {
  using Value = std::remove_cvref_t<A>;
  if constexpr (!check_awaitable<A>()) {
    return Refused();
  } else if constexpr (is_coro_v<Value>) {
    return CoroAwaiter<typename Value::value_type>(awaitable);
  } else if constexpr (is_future_v<Value>) {
    if constexpr (std::is_lvalue_reference_v<A>)
      return OwnedLeaf<LvalueFutureAwaiter<Value>>(awaitable);
    else
      return OwnedLeaf<RvalueFutureAwaiter<Value>>(awaitable);
  } else if constexpr (OwnAwaitable<Value>) {
    return LeafProxy<std::remove_const_t<std::remove_reference_t<A>>>(awaitable);
  } else if constexpr (MemberCoAwait<A>) {
    using Inner = decltype(std::forward<A>(awaitable).operator co_await());
    return ConvertedAwaiter<Inner>(
        [&]() -> Inner { return std::forward<A>(awaitable).operator co_await(); });
  } else if constexpr (FreeCoAwait<A>) {
    using Inner = decltype(operator co_await(std::forward<A>(awaitable)));
    return ConvertedAwaiter<Inner>(
        [&]() -> Inner { return operator co_await(std::forward<A>(awaitable)); });
  } else if constexpr (ForeignAwaiter<Value>) {
    return OwnedLeaf<ForeignWait<std::remove_reference_t<A>>>(awaitable);
  }
}

template <class A>
auto PromiseBase::await_transform(A&& awaitable, std::source_location where) {
  using Awaiter = decltype(awaiter_for(std::declval<A>()));
  static_assert(fits_frame_v<Awaiter> && fits_frame_v<A> &&
                    fits_frame_v<decltype(std::declval<Awaiter&>().await_resume())>,
                "what is awaited, and its result, may not be over-aligned: use a pointer");
  awaiting_ = where;
  return awaiter_for(std::forward<A>(awaitable));
}

template <class A>
struct AwaitResult {
  using type = decltype(awaiter_for(std::declval<A>()).await_resume());
};

}  // namespace detail

/// What `co_await` accepts in a coroutine of this library.
template <class A>
concept Awaitable = detail::is_awaitable_v<A>;

/// The type of `co_await std::declval<A>()`.
template <Awaitable A>
using await_result_t = typename detail::AwaitResult<A>::type;

namespace detail {

/// What is kept of the result of awaiting an A. A reference is one if somebody gave it for a result
/// in this library; what others give, or a handle of a future, refers into the awaited thing.
template <class A>
struct Captured {
  using type = std::remove_cvref_t<await_result_t<A>>;
};
template <class A>
  requires(OwnAwaitable<std::remove_cvref_t<A>> && !is_future_v<std::remove_cvref_t<A>>)
struct Captured<A> {
  using type = kept_t<await_result_t<A>>;
};
template <class A>
  requires is_future_v<std::remove_cvref_t<A>>
struct Captured<A> {
  using type = typename std::remove_cvref_t<A>::value_type;
};
template <class A>
using captured_t = typename Captured<A>::type;

}  // namespace detail

/// Whether A is a Coro. asyncio: iscoroutine.
template <class A>
inline constexpr bool is_coroutine_v = detail::is_coro_v<std::remove_cvref_t<A>>;

/// Whether the object is a Coro.
template <class A>
constexpr bool iscoroutine(const A&) noexcept {
  return is_coroutine_v<A>;
}

/// Whether F can be called with Args and gives a Coro. asyncio: iscoroutinefunction.
template <class F, class... Args>
inline constexpr bool is_coroutine_function_v = false;
template <class F, class... Args>
  requires std::is_invocable_v<F, Args...>
inline constexpr bool is_coroutine_function_v<F, Args...> =
    is_coroutine_v<std::invoke_result_t<F, Args...>>;

}  // namespace asyncio

template <class T, class... Args>
struct std::coroutine_traits<asyncio::Coro<T>, Args...> {
  using promise_type = asyncio::detail::Promise<T, asyncio::detail::parameters_hazard<Args...>(),
                                                typename asyncio::detail::ClosureOf<Args...>::type>;
};

#include "asyncio/detail/core/foreign_wait.hpp"
#include "asyncio/detail/core/then_state.hpp"

// SPDX-License-Identifier: BSL-1.0
/// wait: until some or all of a set of tasks are done.
#pragma once

#include "asyncio/detail/core/wait.hpp"
#include "asyncio/future.hpp"
#include "asyncio/task.hpp"
#include "asyncio/time.hpp"

#include <concepts>
#include <memory>
#include <ranges>
#include <utility>
#include <vector>

namespace asyncio {

/// When `wait` returns.
enum class ReturnWhen { all_completed, first_completed, first_exception };
inline constexpr ReturnWhen ALL_COMPLETED = ReturnWhen::all_completed;
inline constexpr ReturnWhen FIRST_COMPLETED = ReturnWhen::first_completed;
inline constexpr ReturnWhen FIRST_EXCEPTION = ReturnWhen::first_exception;

/// What `wait` returns: the handles given, each once, in the order in which they were given.
template <class Handle>
class WaitResult {
 public:
  std::vector<Handle> done;
  std::vector<Handle> pending;
};

namespace detail {

/// Waits for several futures. Order follows asyncio/tasks.py, _wait.
class [[nodiscard("co_await it")]] FuturesWait : public Waiter, private Timer {
 public:
  /// `futures` are distinct.
  FuturesWait(std::vector<FutureHandle> futures, ReturnWhen when, OptionalDelay limit) noexcept;
  FuturesWait(FuturesWait&& idle) noexcept;
  ~FuturesWait();

  bool await_ready() const noexcept { return false; }
  void await_suspend(PromiseBase& promise);
  void await_resume();
  AwaitableKind kind() const noexcept final { return AwaitableKind::wait; }
  const std::vector<FutureHandle>& futures() const noexcept { return futures_; }

 private:
  struct Node : Ready {
    Node() noexcept : Ready(&Node::completed) {}
    static void completed(Ready& node);
    FuturesWait* owner = nullptr;
    FutureState* future = nullptr;
  };

 public:
  /// The task that waits through `node`, or null.
  static TaskState* task_of(Ready& node) noexcept {
    return node.run == &Node::completed ? static_cast<Node&>(node).owner->task() : nullptr;
  }

 private:
  static void expire(Ready& node);
  void release() noexcept;

  std::vector<FutureHandle> futures_;
  std::unique_ptr<Node[]> nodes_;
  std::size_t left_ = 0;
  ReturnWhen when_;
  OptionalDelay limit_;
};

/// The handles without repetitions, in order. Throws ValueError if there is none.
std::vector<FutureHandle> distinct(std::vector<FutureHandle> handles);

template <class Handle>
class [[nodiscard("co_await it")]] WaitAwaiter : public FuturesWait {
 public:
  using FuturesWait::FuturesWait;

  WaitResult<Handle> await_resume() {
    FuturesWait::await_resume();
    WaitResult<Handle> result;
    for (const auto& future : futures())
      (future.done() ? result.done : result.pending).push_back(Handle(future.state()));
    return result;
  }
};

/// Cancels `future` and waits for its end. asyncio/tasks.py, _cancel_and_wait.
FuturesWait cancel_and_wait(const FutureHandle& future);

template <class R>
concept FutureRange =
    std::ranges::input_range<R> && std::derived_from<std::ranges::range_value_t<R>, FutureHandle>;

/// What `wait` takes after a first task: further ones, then a condition, then a limit.
template <class A>
concept WaitOperand =
    is_future_v<std::remove_cvref_t<A>> || std::is_same_v<std::remove_cvref_t<A>, ReturnWhen> ||
    std::is_convertible_v<A, OptionalDelay>;

/// What looks like an operand of `wait` and is none; other functions are called `wait`, too.
template <class First, class... Rest>
concept NotForWait = (is_future_v<std::remove_cvref_t<First>> && !(WaitOperand<Rest> && ...)) ||
                     is_coro_v<std::remove_cvref_t<First>> ||
                     (std::ranges::input_range<First> && !FutureRange<First>);

/// The operands of `wait`, sorted.
class WaitOperands {
 public:
  void add(const FutureHandle& future) { futures.push_back(future); }
  void add(ReturnWhen condition) { when = condition; }
  void add(OptionalDelay time) { limit = time; }

  std::vector<FutureHandle> futures;
  ReturnWhen when = ALL_COMPLETED;
  OptionalDelay limit;
};

/// What a range of handles holds, and what several different ones have in common.
template <FutureRange R>
std::vector<FutureHandle> handles_of(R&& range) {
  std::vector<FutureHandle> handles;
  for (auto&& handle : range) handles.push_back(handle);
  return distinct(std::move(handles));
}

}  // namespace detail

/// Waits until the tasks or futures of `range` are done, all or the first of them, or `limit` has
/// passed. Cancels nothing and throws none of their exceptions.
///
/// Awaits   them; always suspends at least once.
/// Returns  (the await) `done` and `pending`: handles of the range's type, each once, in order.
/// Throws   (the call) ValueError if the range is empty.
/// Cancel   ends the wait; the tasks run on.
/// Thread   the loop's.
/// asyncio  Coroutines and Tasks, wait
template <detail::FutureRange R>
auto wait(R&& range, ReturnWhen return_when = ALL_COMPLETED, OptionalDelay limit = std::nullopt) {
  return detail::WaitAwaiter<detail::plain_handle_t<std::ranges::range_value_t<R>>>(
      detail::handles_of(std::forward<R>(range)), return_when, limit);
}
template <detail::FutureRange R>
auto wait(R&& range, OptionalDelay limit) {
  return wait(std::forward<R>(range), ALL_COMPLETED, limit);
}

/// The same for a few handles, which may be of different types; the condition and the limit follow
/// them: wait(a, b, FIRST_COMPLETED, 5s).
template <class First, class... Rest>
  requires(is_future_v<First> && (detail::WaitOperand<Rest> && ...))
auto wait(const First& first, const Rest&... rest) {
  using Plain = detail::plain_handle_t<First>;
  constexpr bool alike =
      ((std::is_same_v<Plain, detail::plain_handle_t<Rest>> || !is_future_v<Rest>) && ...);
  detail::WaitOperands operands;
  operands.add(first);
  (operands.add(rest), ...);
  return detail::WaitAwaiter<std::conditional_t<alike, Plain, FutureHandle>>(
      detail::distinct(std::move(operands.futures)), operands.when, operands.limit);
}

/// Refuses the rest, as Python does since 3.11: a coroutine that `wait` made a task of could never
/// be found in its result.
template <class First, class... Rest>
  requires detail::NotForWait<First, Rest...>
detail::Refused wait(First&&, Rest&&...) {
  if constexpr (is_future_v<First>)
    static_assert(
        detail::never_v<First>,
        "wait() takes tasks or futures, then FIRST_COMPLETED or another condition, then a limit");
  else
    static_assert(detail::never_v<First>,
                  "wait() takes tasks or futures: give each coroutine to create_task first");
  return detail::Refused();
}

}  // namespace asyncio

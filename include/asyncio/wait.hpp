// SPDX-License-Identifier: BSL-1.0
/// wait: until some or all of a set of tasks are done.
#pragma once

#include "asyncio/detail/core/wait.hpp"
#include "asyncio/future.hpp"
#include "asyncio/task.hpp"
#include "asyncio/time.hpp"

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
  FuturesWait(std::vector<Ref<FutureState>> futures, ReturnWhen when, OptionalDelay limit);
  FuturesWait(FuturesWait&&) = default;
  ~FuturesWait();

  bool await_ready() const noexcept { return false; }
  void await_suspend(PromiseBase& promise);
  void await_resume();
  AwaitableKind kind() const noexcept final { return AwaitableKind::wait; }

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

  std::vector<Ref<FutureState>> futures_;
  std::unique_ptr<Node[]> nodes_;
  std::size_t left_ = 0;
  ReturnWhen when_;
  OptionalDelay limit_;
};

/// The distinct futures among `handles`, in order. Throws ValueError if there is none.
template <class Handle>
std::vector<Handle> distinct(std::vector<Handle> handles);

std::vector<Ref<FutureState>> states_of_distinct(std::vector<Ref<FutureState>> states);

template <class Handle>
class [[nodiscard("co_await it")]] WaitAwaiter : public FuturesWait {
 public:
  WaitAwaiter(std::vector<Handle> handles, ReturnWhen when, OptionalDelay limit)
      : FuturesWait(states(handles), when, limit), handles_(std::move(handles)) {}

  WaitResult<Handle> await_resume() {
    FuturesWait::await_resume();
    WaitResult<Handle> result;
    std::vector<Ref<FutureState>> given;
    for (auto& handle : handles_) given.push_back(handle.state());
    for (auto& state : states_of_distinct(std::move(given)))
      (state->done() ? result.done : result.pending).push_back(Handle(state));
    return result;
  }

 private:
  static std::vector<Ref<FutureState>> states(const std::vector<Handle>& handles) {
    std::vector<Ref<FutureState>> result;
    for (auto& handle : handles) result.push_back(handle.state());
    return states_of_distinct(std::move(result));
  }

  std::vector<Handle> handles_;
};

/// Cancels `future` and waits for its end. asyncio/tasks.py, _cancel_and_wait.
FuturesWait cancel_and_wait(const FutureHandle& future);

template <class R>
concept FutureRange =
    std::ranges::input_range<R> && is_future_v<std::ranges::range_value_t<R>>;

}  // namespace detail
}  // namespace asyncio

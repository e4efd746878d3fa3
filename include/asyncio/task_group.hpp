// SPDX-License-Identifier: BSL-1.0
/// TaskGroup: tasks that end together.
#pragma once

#include "asyncio/detail/core/wait.hpp"
#include "asyncio/exception_group.hpp"
#include "asyncio/task.hpp"

#include <memory>
#include <type_traits>
#include <utility>

namespace asyncio {

namespace detail {
class TaskGroupState;
}

/// Tasks with a common end: leaving the `with` waits for all of them; the first that fails cancels
/// the others and the body, and all errors come out as one ExceptionGroup.
///
///     co_await with(TaskGroup(), [&](TaskGroup& group) -> Coro<> {
///       group.create_task(fetch, "a");
///       group.create_task(fetch, "b");
///       co_return;
///     });
///
/// One that is entered without `with` must be left by aexit; destroying it instead cancels its
/// tasks and is reported to the exception handler.
///
/// Thread   the loop's.
/// asyncio  Coroutines and Tasks, Task Groups
class TaskGroup {
 public:
  TaskGroup();
  TaskGroup(TaskGroup&&) noexcept;
  TaskGroup& operator=(TaskGroup&&) = delete;
  ~TaskGroup();

  /// As asyncio::create_task, in this group. Running children may add to a group that is being
  /// left. References to what outlives the `with` are fine; those to locals of its body are not:
  /// the children run on when the body is over.
  ///
  /// Throws   RuntimeError before the group is entered, while it shuts down, after it has ended;
  ///          the coroutine is closed then.
  template <class T>
  Task<T> create_task(Coro<T>&& coro, TaskOptions options = {},
                      std::source_location where = std::source_location::current()) {
    Coro<T> owned = std::move(coro);
    check_open_for(owned);
    detail::vouch_for_parameters(owned);
    Task<T> task = detail::spawn(loop(), options, std::move(owned), where);
    adopt(task.state());
    return task;
  }
  template <class... Args>
    requires(sizeof...(Args) > 4)
  auto create_task(Args&&... args) {
    return create({}, std::forward<Args>(args)...);
  }
  template <class F>
  auto create_task(F&& function,
                   detail::Caller where = detail::Caller(std::source_location::current())) {
    return create(where.location, std::forward<F>(function));
  }
  template <class F, class A>
  auto create_task(F&& function, A&& a,
                   detail::Caller where = detail::Caller(std::source_location::current())) {
    return create(where.location, std::forward<F>(function), std::forward<A>(a));
  }
  template <class F, class A, class B>
  auto create_task(F&& function, A&& a, B&& b,
                   detail::Caller where = detail::Caller(std::source_location::current())) {
    return create(where.location, std::forward<F>(function), std::forward<A>(a),
                  std::forward<B>(b));
  }
  template <class F, class A, class B, class C>
  auto create_task(F&& function, A&& a, B&& b, C&& c,
                   detail::Caller where = detail::Caller(std::source_location::current())) {
    return create(where.location, std::forward<F>(function), std::forward<A>(a), std::forward<B>(b),
                  std::forward<C>(c));
  }

  /// Cancels the children and the body; the group then ends without an exception.
  void cancel();

  /// Throws   RuntimeError outside a task or a second time.
  TaskGroup& aenter();
  /// Awaits   the children.
  /// Throws   ExceptionGroup of their errors and the body's; CancelledError if the task that holds
  ///          the group was cancelled; KeyboardInterrupt.
  Coro<bool> aexit(std::exception_ptr error);

 private:
  template <class... Args>
  auto create(std::source_location where, Args&&... args) {
    check_open_for(args...);
    auto task = detail::create_group_task(loop(), where, std::forward<Args>(args)...);
    if constexpr (!std::is_same_v<decltype(task), detail::Refused>) adopt(task.state());
    return task;
  }
  /// Coroutines that are refused are closed: nobody forgot them.
  template <class... Args>
  void check_open_for(Args&... args) const {
    if constexpr ((... || detail::is_coro_v<Args>)) {
      try {
        check_open();
      } catch (...) {  // Rethrown.
        (close(args), ...);
        throw;
      }
    } else {
      check_open();
    }
  }
  template <class A>
  static void close(A& argument) noexcept {
    if constexpr (detail::is_coro_v<A>) argument.close();
  }
  void check_state() const;
  void check_open() const;
  void adopt(const detail::Ref<detail::FutureState>& task);
  detail::Loop& loop() const noexcept;

  std::unique_ptr<detail::TaskGroupState> state_;
};

}  // namespace asyncio

// SPDX-License-Identifier: BSL-1.0
/// The chapter "Futures" of asyncio's documentation.
#pragma once

#include "asyncio/context.hpp"
#include "asyncio/detail/core/caller.hpp"
#include "asyncio/detail/core/copyable.hpp"
#include "asyncio/detail/core/future_state.hpp"
#include "asyncio/detail/core/loop.hpp"
#include "asyncio/detail/core/wait.hpp"
#include "asyncio/eventloop.hpp"
#include "asyncio/result.hpp"

#include <concepts>
#include <exception>
#include <functional>
#include <optional>
#include <source_location>
#include <string>
#include <type_traits>
#include <typeinfo>
#include <utility>

namespace asyncio {

template <class T>
class Future;
template <class T>
class Task;

namespace detail {

/// A done-callback: a node in the future's list, then in the ready queue. It holds its future only
/// in the latter, so that a future that never gets an outcome can be freed.
class DoneCallback : public Ready, public Recycled {
 public:
  virtual ~DoneCallback() = default;

  static DoneCallback* of(Ready& node) noexcept {
    return node.run == &run_callback ? static_cast<DoneCallback*>(&node) : nullptr;
  }
  /// Whether this was registered with an equal function (`type` says what `function` points to).
  virtual bool matches(const std::type_info& type, const void* function) const noexcept = 0;
  virtual const std::type_info& callable_type() const noexcept = 0;
  /// Where it was added.
  std::source_location where() const noexcept { return where_; }
  /// The future has an outcome; this is on its way into the ready queue.
  void hold(FutureState& future) noexcept { future_ = Ref<FutureState>::share(&future); }

 protected:
  DoneCallback(ContextSlot context, std::source_location where) noexcept
      : Ready(&run_callback), context_(std::move(context)), where_(where) {}

  virtual void invoke(const Ref<FutureState>& future) = 0;

 private:
  static void run_callback(Ready& node);

  Ref<FutureState> future_;
  ContextSlot context_;
  std::source_location where_;
};

template <class Handle, class F>
class TypedDoneCallback final : public DoneCallback {
 public:
  template <class G>
  TypedDoneCallback(ContextSlot context, std::source_location where, G&& function)
      : DoneCallback(std::move(context), where), function_(std::forward<G>(function)) {}

  bool matches(const std::type_info& type, const void* function) const noexcept override {
    if constexpr (std::equality_comparable<F>)
      return type == typeid(F) && *static_cast<const F*>(function) == function_;
    else
      return false;
  }
  const std::type_info& callable_type() const noexcept override { return typeid(F); }

 private:
  void invoke(const Ref<FutureState>& future) override {
    if constexpr (std::is_invocable_v<F&, Handle>)
      (void)std::invoke(function_, Handle(future));
    else
      (void)std::invoke(function_);
  }

  F function_;
};

/// Whether F is a done callback for Handle.
template <class F, class Handle>
consteval bool check_done_callback() {
  if constexpr (std::is_invocable_v<F&, Handle>) {
    return check_callback<F&, Handle>();
  } else if constexpr (std::is_invocable_v<F&>) {
    return check_callback<F&>();
  } else {
    static_assert(never_v<F>, "a done callback takes the future, or nothing");
    return false;
  }
}

std::size_t remove_callbacks(FutureState& future, const std::type_info& type,
                             const void* function) noexcept;

std::exception_ptr make_cancelled(const std::string& message);

/// The callbacks of a handle, which they are given.
template <class Derived>
class CallbackMembers {
 public:
  /// Calls `function(future)` or `function()` through the ready queue once there is an outcome, in
  /// a copy of the current context or in `context`. Callbacks run in the order of registration.
  template <class F>
  void add_done_callback(F&& function,
                         Caller where = Caller(std::source_location::current())) const {
    add(ContextSlot(), where, std::forward<F>(function));
  }
  template <class F>
  void add_done_callback(F&& function, const Context& context,
                         Caller where = Caller(std::source_location::current())) const {
    add(ContextSlot(context), where, std::forward<F>(function));
  }

  /// Removes every registration of `function`: a function pointer, or an object with `==`.
  ///
  /// Returns  how many there were.
  template <class F>
  std::size_t remove_done_callback(F function) const {
    static_assert(std::equality_comparable<F>,
                  "only a callback that can be compared can be removed: use a function pointer");
    return remove_callbacks(used(), typeid(F), &function);
  }

 private:
  FutureState& used() const { return static_cast<const Derived&>(*this).used_state(); }

  template <class F>
  void add(ContextSlot context, Caller where, F&& function) const {
    using Stored = std::decay_t<F>;
    if constexpr (check_done_callback<Stored, Derived>()) {
      FutureState& state = used();
      if (state.done()) state.check_loop_open();
      state.add_done_callback(*new TypedDoneCallback<Derived, Stored>(
          std::move(context), where.location, std::forward<F>(function)));
    }
  }
};

}  // namespace detail

/// A future or task of any value type. Copies name the same one; copying is an increment.
///
/// Awaits   its outcome.
/// Returns  (of the await) nothing.
/// Throws   its exception; CancelledError if it was cancelled.
/// Cancel   cancels it.
/// Thread   the loop's, also for copies; not for handing to another thread (see ConcurrentFuture).
///          With debug on, other members than done and cancelled throw there a RuntimeError that
///          names both threads.
class FutureHandle : public detail::CallbackMembers<FutureHandle> {
 public:
  /// What awaiting it gives, since its type is not known here.
  using value_type = void;

  /// Whether there is an outcome: a value, an exception or a cancellation.
  bool done() const { return state()->done(); }
  bool cancelled() const { return state()->cancelled(); }

  /// Requests cancellation. A plain future is cancelled at once; a task gets a CancelledError at
  /// its await; a gather passes it to its children.
  ///
  /// Returns  false if it is done already.
  bool cancel() { return used_state().cancel(nullptr); }
  bool cancel(const std::string& message) {
    return used_state().cancel(detail::make_cancelled(message));
  }

  /// The exception, or null if there is a value.
  ///
  /// Throws   CancelledError if cancelled, InvalidStateError if not done.
  std::exception_ptr exception() const { return used_state().exception(); }

  EventLoop get_loop() const { return state()->loop().handle(); }

  /// Whether both name the same future.
  friend bool operator==(const FutureHandle& a, const FutureHandle& b) noexcept {
    return a.state_ == b.state_;
  }

  explicit FutureHandle(detail::Ref<detail::FutureState> state) noexcept
      : state_(std::move(state)) {}
  const detail::Ref<detail::FutureState>& state() const {
    if (!state_) [[unlikely]]
      detail::throw_moved_from();
    return state_;
  }
  /// The same for a use that a debug loop refuses to other threads.
  detail::FutureState& used_state() const {
    state()->loop().check_owner(*state_);
    return *state_;
  }

 protected:
  detail::Ref<detail::FutureState> state_;
};

/// An outcome that somebody sets later: the bridge from callbacks to `co_await`.
///
/// Awaits   the outcome; does not suspend if there is one.
/// Returns  (of the await) a reference to the value, valid while a handle lives; awaiting an
///          rvalue handle moves the value out if that was the last handle or it cannot be copied.
/// Throws   its exception; CancelledError if it was cancelled.
/// Cancel   cancels the future.
/// Thread   the loop's.
/// asyncio  Futures
template <class T = void>
class Future : public FutureHandle, public detail::CallbackMembers<Future<T>> {
 public:
  using value_type = T;
  using detail::CallbackMembers<Future<T>>::add_done_callback;
  using detail::CallbackMembers<Future<T>>::remove_done_callback;

  /// Throws   InvalidStateError if there is an outcome already; RuntimeError if the loop is closed
  ///          and done callbacks wait, which never run (there is an outcome all the same).
  template <class... U>
    requires(sizeof...(U) == (std::is_void_v<T> ? 0 : 1))
  void set_result(U&&... value) {
    complete("set_result",
             [&](detail::ValueFuture<T>& future) { future.set_result(std::forward<U>(value)...); });
  }
  void set_exception(std::exception_ptr error) {
    complete("set_exception",
             [&](detail::ValueFuture<T>& future) { future.set_exception(std::move(error)); });
  }
  template <class E>
    requires(!std::convertible_to<E, std::exception_ptr>)
  void set_exception(E&& error) {
    set_exception(std::make_exception_ptr(std::forward<E>(error)));
  }

  /// The value, valid while a handle lives.
  ///
  /// Throws   InvalidStateError if not done, CancelledError if cancelled, else its exception.
  decltype(auto) result() const {
    used_state().check_value();
    return view();
  }

  /// A future of `function(value)`. An exception or cancellation passes through; cancelling the
  /// new future cancels this one.
  template <class F>
  auto then(F&& function, std::source_location where = std::source_location::current()) const;

  explicit Future(detail::Ref<detail::FutureState> state) noexcept
      : FutureHandle(std::move(state)) {}
  explicit Future(EventLoop loop, std::source_location where = std::source_location::current())
      : FutureHandle(detail::Ref<detail::FutureState>::adopt(
            new detail::ValueFuture<T>(loop.impl(), where))) {}

 private:
  /// `set` gives the outcome; that callbacks are stranded is told after it.
  template <class F>
  void complete(const char* operation, F set) {
    if (state()->is_task()) [[unlikely]]
      throw RuntimeError(std::string("Task does not support ") + operation + " operation");
    detail::FutureState& future = used_state();
    bool stranded = future.strands_callbacks();
    set(static_cast<detail::ValueFuture<T>&>(future));
    if (stranded) [[unlikely]]
      future.check_loop_open();
  }
  decltype(auto) view() const {
    if constexpr (std::is_void_v<T>)
      return;
    else if constexpr (std::is_reference_v<T>)
      return static_cast<T>(detail::slot_of<T>(*state_).get());
    else
      return static_cast<const T&>(detail::slot_of<T>(*state_).get());
  }
};

namespace detail {

template <class A>
inline constexpr bool is_future_v = false;
template <class T>
inline constexpr bool is_future_v<Future<T>> = true;
template <class T>
inline constexpr bool is_future_v<Task<T>> = true;
template <>
inline constexpr bool is_future_v<FutureHandle> = true;
template <>
inline constexpr bool is_future_v<TaskHandle> = true;

/// What a FutureWait waits for. A class of its own, as that of a handle's context.
struct Awaited {
  Ref<FutureState> future_;
};

/// Waits for a future or task through the task's own node in its callback list.
class FutureWait : public Wait, protected Awaited {
 public:
  bool await_ready() const noexcept { return future_->done(); }
  void await_suspend(PromiseBase& promise) {
    TaskState& task = *promise.task;
    task.check_awaits(*future_);
    future_->callbacks().push_back(task.wake_node());
    suspend_task(promise);
  }
  bool cancel(const std::exception_ptr& reason) final {
    return future_->loop().pass_cancel(*future_, reason);
  }
  AwaitableKind kind() const noexcept final { return AwaitableKind::future; }
  FutureState* awaited() const noexcept final { return future_.get(); }

 protected:
  explicit FutureWait(Ref<FutureState> future) noexcept : Awaited{std::move(future)} {}
  ~FutureWait() = default;
  /// For the destructor: if it is suspended, the task's node must not stay in the future's list.
  void leave() noexcept {
    if (task_ && task_->waiting() == this) [[unlikely]]
      task_->wake_node().unlink();
  }

  /// Throws what the task or the future has to throw.
  [[gnu::always_inline]] void check() {
    if (cancel_delivered()) [[unlikely]]
      std::rethrow_exception(cancellation());
    future_->check_value();
  }

 private:
  std::exception_ptr cancellation();
};

/// The slot of a future that a Handle names: a Task always names a task.
template <class Handle>
auto& slot_behind(FutureState& state) noexcept {
  using T = typename Handle::value_type;
  if constexpr (std::is_base_of_v<Task<T>, Handle>)
    return static_cast<TypedTask<T>&>(state).slot();
  else
    return slot_of<T>(state);
}

/// T as an lvalue handle gives it.
template <class T>
using view_t = std::conditional_t<std::is_void_v<T> || std::is_reference_v<T>, T,
                                  std::add_lvalue_reference_t<const T>>;

template <class Handle>
class LvalueFutureAwaiter final : public FutureWait {
  using T = typename Handle::value_type;

 public:
  explicit LvalueFutureAwaiter(const FutureHandle& handle) : FutureWait(handle.state()) {}
  ~LvalueFutureAwaiter() { leave(); }
  [[gnu::always_inline]] view_t<T> await_resume() {
    check();
    // A handle that does not know the type is awaited as void, whatever there is.
    if constexpr (!std::is_void_v<T>) return slot_behind<Handle>(*future_).get();
  }
};

template <class Handle>
class RvalueFutureAwaiter final : public FutureWait {
  using T = typename Handle::value_type;

 public:
  /// Shares: the handle stays with the caller until the end of the expression.
  explicit RvalueFutureAwaiter(const FutureHandle& handle) : FutureWait(handle.state()) {}
  ~RvalueFutureAwaiter() { leave(); }
  [[gnu::always_inline]] T await_resume() {
    check();
    if constexpr (std::is_void_v<T>) {
      return;
    } else if constexpr (std::is_reference_v<T>) {
      return slot_behind<Handle>(*future_).get();
    } else if constexpr (!copyable_v<T>) {
      return std::move(slot_behind<Handle>(*future_).get());
    } else {
      T& value = slot_behind<Handle>(*future_).get();
      // Ours and the operand's: nobody else can ask for the value again.
      if (future_->shared_by_two()) return std::move(value);
      return value;
    }
  }
};

}  // namespace detail

/// Whether A is a Future or Task. asyncio: isfuture.
template <class A>
inline constexpr bool is_future_v = detail::is_future_v<std::remove_cvref_t<A>>;

/// Whether the object is a Future or Task.
template <class A>
constexpr bool isfuture(const A&) noexcept {
  return is_future_v<A>;
}

template <class T>
Future<T> EventLoop::create_future(std::source_location where) {
  loop_->check_owner();
  return Future<T>(*this, where);
}

}  // namespace asyncio

/// Handles of the same future have the same hash: for unordered containers of tasks.
template <>
struct std::hash<asyncio::FutureHandle> {
  std::size_t operator()(const asyncio::FutureHandle& handle) const noexcept {
    return std::hash<void*>()(handle.state().get());
  }
};
template <class T>
struct std::hash<asyncio::Future<T>> : std::hash<asyncio::FutureHandle> {};

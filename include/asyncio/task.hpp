// SPDX-License-Identifier: BSL-1.0
/// Tasks: coroutines that run by themselves.
#pragma once

#include "asyncio/coro.hpp"
#include "asyncio/detail/core/bound_task.hpp"
#include "asyncio/detail/core/caller.hpp"
#include "asyncio/detail/core/task_state.hpp"
#include "asyncio/eventloop.hpp"
#include "asyncio/future.hpp"

#include <coroutine>
#include <iosfwd>
#include <optional>
#include <source_location>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace asyncio {

/// How a task is made.
class TaskOptions {
 public:
  TaskOptions() {}

  /// A name for logs and call graphs; "Task-N" by default.
  TaskOptions& name(std::string text) {
    name_ = std::move(text);
    return *this;
  }
  /// Runs the task in this very context instead of a copy of the current one.
  TaskOptions& context(Context given) {
    context_ = std::move(given);
    return *this;
  }
  /// Runs the task up to its first suspension before create_task returns.
  TaskOptions& eager_start(bool enabled) {
    eager_ = enabled;
    return *this;
  }

  const std::optional<std::string>& get_name() const noexcept { return name_; }
  const std::optional<Context>& get_context() const noexcept { return context_; }
  bool get_eager_start() const noexcept { return eager_; }
  /// Whether nothing was asked for.
  bool empty() const noexcept { return !name_ && !context_ && !eager_; }

 private:
  std::optional<std::string> name_;
  std::optional<Context> context_;
  bool eager_ = false;
};

/// One frame of a task: where it is suspended, or running.
class StackEntry {
 public:
  StackEntry(std::string name, std::string path, unsigned line_number)
      : function(std::move(name)), file(std::move(path)), line(line_number) {}

  std::string function;
  std::string file;
  unsigned line;
};

class TaskHandle;
class RunOptions;

namespace detail {

inline TaskState& task_of(const FutureHandle& handle) {
  return static_cast<TaskState&>(*handle.state());
}
std::vector<StackEntry> stack_of(TaskState& task, std::size_t limit);
void print_stack_of(TaskState& task, std::size_t limit, std::ostream& out);

/// What a task has beyond a future.
template <class Derived>
class TaskMembers {
 public:
  std::string get_name() const { return task().name(); }
  void set_name(std::string name) { task().set_name(std::move(name)); }

  /// Takes one cancellation request back.
  ///
  /// Returns  the number of requests that are left.
  int uncancel() { return task().uncancel(); }
  /// The number of cancellation requests that were not taken back.
  int cancelling() const { return task().cancelling(); }

  /// The context in which the task runs.
  Context get_context() const { return task().context().share(); }
  /// The task's outermost coroutine frame; null once it has ended. For debuggers.
  std::coroutine_handle<> get_coro() const {
    PromiseBase* root = task().root();
    return root ? std::coroutine_handle<>(root->handle()) : std::coroutine_handle<>();
  }
  /// The frames of the task, outermost first; empty once it has ended. At most the `limit`
  /// innermost ones.
  std::vector<StackEntry> get_stack(std::size_t limit = static_cast<std::size_t>(-1)) const {
    return stack_of(task(), limit);
  }
  void print_stack(std::ostream& out, std::size_t limit = static_cast<std::size_t>(-1)) const {
    print_stack_of(task(), limit, out);
  }

 private:
  TaskState& task() const { return task_of(static_cast<const Derived&>(*this)); }
};

}  // namespace detail

/// A task of any result type.
class TaskHandle : public FutureHandle,
                   public detail::CallbackMembers<TaskHandle>,
                   public detail::TaskMembers<TaskHandle> {
 public:
  using detail::CallbackMembers<TaskHandle>::add_done_callback;
  using detail::CallbackMembers<TaskHandle>::remove_done_callback;

  explicit TaskHandle(detail::Ref<detail::FutureState> state) noexcept
      : FutureHandle(std::move(state)) {}
};

/// A coroutine that the loop runs by itself. The loop keeps it alive until it is done, also if
/// every handle is dropped. A handle outlives the loop: it tells how the task ended, and one that
/// the loop's close left pending stays so.
///
/// Awaits   its end; does not suspend if it is done.
/// Returns  as Future.
/// Throws   what the coroutine threw; CancelledError if it ended cancelled.
/// Cancel   cancels the task, and waits for its clean-up.
/// Thread   the loop's.
/// asyncio  Coroutines and Tasks, Task Object
template <class T = void>
class Task : public Future<T>,
             public detail::CallbackMembers<Task<T>>,
             public detail::TaskMembers<Task<T>> {
 public:
  using detail::CallbackMembers<Task<T>>::add_done_callback;
  using detail::CallbackMembers<Task<T>>::remove_done_callback;

  explicit Task(detail::Ref<detail::FutureState> state) noexcept : Future<T>(std::move(state)) {}
  operator TaskHandle() const { return TaskHandle(this->state()); }
};

namespace detail {

/// On g++ 12, what create_task gives for a lambda temporary with captures: awaited in the very
/// expression that makes the lambda, it would destroy them twice (compilers.md, G1).
template <class T>
class UnnamedTask final : public Task<T> {
 public:
  using Task<T>::Task;
};
template <class T>
inline constexpr bool is_unnamed_v<UnnamedTask<T>> = true;
template <class T>
inline constexpr bool is_future_v<UnnamedTask<T>> = true;

/// The handle as the user knows it.
template <class Handle>
struct PlainHandle {
  using type = Handle;
};
template <class T>
struct PlainHandle<UnnamedTask<T>> {
  using type = Task<T>;
};
template <class Handle>
using plain_handle_t = typename PlainHandle<Handle>::type;

/// Applies options and the loop's task factory, registers the task and schedules its first step.
void begin_unusual_task(TaskState& task, PromiseBase& root, const TaskOptions& options);
/// The same without options.
void begin_watched_task(TaskState& task, PromiseBase& root);
/// For a task of which nothing is asked.
struct NoOptions {};
inline void begin_task(TaskState& task, PromiseBase& root, NoOptions = {}) {
  if (task.loop().sees_new_tasks()) [[unlikely]]
    begin_watched_task(task, root);
  else
    task.start(root);
}
inline void begin_task(TaskState& task, PromiseBase& root, const TaskOptions& options) {
  if (options.empty()) [[likely]]
    begin_task(task, root);
  else
    begin_unusual_task(task, root, options);
}

/// Makes a task of a coroutine and gives it to `begin(task, root)`.
template <class T, class Begin>
[[gnu::always_inline]] inline Task<T> spawn_with(Loop& loop, Coro<T>& coro,
                                                 std::source_location where, Begin begin) {
  ValuePromise<T>& root = CoroAccess::check(coro);
  auto* task = new TypedTask<T>(loop, where);
  auto owner = Ref<FutureState>::adopt(task);
  CoroAccess::release(coro);
  begin(*task, root);
  return Task<T>(std::move(owner));
}
template <class T, class Options>
Task<T> spawn(Loop& loop, const Options& options, Coro<T>&& coro, std::source_location where) {
  loop.check_closed();
  return spawn_with(loop, coro, where, [&](TaskState& task, PromiseBase& root) {
    // A loop's own coroutine has no caller; the function is the next best.
    if (where.line() == 0) task.set_created(root.function);
    begin_task(task, root, options);
  });
}
/// What the coroutine returns that a copy of F makes from copies of Args.
template <class F, class... Args>
using coroutine_result_t =
    typename std::invoke_result_t<std::decay_t<F>&, stored_t<Args>...>::value_type;

template <class A>
inline constexpr bool is_options_v =
    std::is_same_v<A, TaskOptions> || std::is_same_v<A, RunOptions>;

/// Whether a copy of F makes a coroutine from copies of Args.
template <class F, class... Args>
consteval bool check_coroutine_function() {
  using Function = std::decay_t<F>;
  if constexpr (is_future_v<Function>) {
    static_assert(never_v<F>, "a coroutine is needed here: use ensure_future for a Future or Task");
  } else if constexpr (!std::is_invocable_v<Function&, stored_t<Args>...> &&
                       (is_options_v<std::decay_t<Args>> || ...)) {
    static_assert(never_v<F>,
                  "options come before a function and its arguments: create_task(TaskOptions()..., "
                  "f, args...), run(RunOptions()..., f, args...)");
  } else if constexpr (!std::is_invocable_v<Function&, stored_t<Args>...>) {
    static_assert(never_v<F>,
                  "a coroutine is needed here, or a function with the arguments to call it with: "
                  "they are kept as copies and passed as rvalues (std::ref for a reference)");
  } else if constexpr (!is_coro_v<std::invoke_result_t<Function&, stored_t<Args>...>>) {
    static_assert(never_v<F>,
                  "a coroutine is needed here, and this function does not return a Coro: use "
                  "call_soon or to_thread for a plain function");
  } else {
    return true;
  }
  return false;
}

template <class Options, class F, class... Args>
auto spawn_call(Loop& loop, const Options& options, std::source_location where, F&& function,
                Args&&... args) {
  using T = coroutine_result_t<F, Args...>;
  loop.check_closed();
  auto* bound = new BoundTask<T, std::decay_t<F>, stored_t<Args>...>(
      loop, where, std::forward<F>(function), std::forward<Args>(args)...);
  auto task = Ref<FutureState>::adopt(bound);
  Coro<T> coro = bound->call();
  PromiseBase& root = CoroAccess::take(coro);
  // The task owns what its parameters refer to, unless that is itself a view of something else.
  root.hazard = (is_view_v<stored_t<Args>> || ...) ? Hazard::view : Hazard::none;
  // With many arguments there is no place for the caller's; the function is the next best.
  if (where.line() == 0) bound->set_created(root.function);
  begin_task(*bound, root, options);
  return Task<T>(std::move(task));
}

/// Any awaitable that is neither coroutine nor future, as a coroutine.
template <class A>
Coro<captured_t<A>> await_inside(A awaitable) {
  co_return co_await std::move(awaitable);
}

/// The coroutine of `function()`, with a copy of the function.
template <class F>
Coro<coroutine_result_t<F>> called_inside(F function) {
  co_return co_await function();
}

/// Sorts out the forms of create_task: (coro), (coro, options), (fn, args...),
/// (options, fn, args...). What is a coroutine in Python and an awaiter here, as `sleep(1s)`, goes
/// the way of a coroutine.
template <class Options, class First, class... Rest>
auto create_task_on(Loop& loop, std::source_location where, const Options& options, First&& first,
                    Rest&&... rest) {
  using Value = std::remove_cvref_t<First>;
  if constexpr (std::is_same_v<Value, TaskOptions>) {
    return create_task_on(loop, where, first, std::forward<Rest>(rest)...);
  } else if constexpr (is_named_once_v<First>) {
    static_assert(never_v<First>,
                  "a coroutine becomes a task once: write create_task(std::move(coro))");
    return Refused();
  } else if constexpr (is_coro_v<Value> && sizeof...(Rest) == 0) {
    return spawn(loop, options, std::move(first), where);
  } else if constexpr (is_coro_v<Value> && std::is_constructible_v<TaskOptions, Rest...>) {
    return spawn(loop, TaskOptions(std::forward<Rest>(rest)...), std::move(first), where);
  } else if constexpr (is_coro_v<Value>) {
    static_assert(never_v<First>, "create_task(coro, options): give TaskOptions().name(\"x\")");
    return Refused();
  } else if constexpr (is_awaitable_v<First> && !is_future_v<Value>) {
    return create_task_on(loop, where, options, await_inside<Value>(std::forward<First>(first)),
                          std::forward<Rest>(rest)...);
  } else if constexpr (check_coroutine_function<First, Rest...>()) {
    using T = coroutine_result_t<First, Rest...>;
    using Started = std::conditional_t<safe_callable_v<First>, Task<T>, UnnamedTask<T>>;
    return Started(
        spawn_call(loop, options, where, std::forward<First>(first), std::forward<Rest>(rest)...)
            .state());
  } else {
    return Refused();
  }
}

/// The caller waits for the task, so what its parameters refer to stays alive.
template <class T>
void vouch_for(Coro<T>& coro) noexcept {
  if (PromiseBase* frame = CoroAccess::peek(coro)) frame->hazard = Hazard::none;
}

/// What the parameters refer to is somebody else's, who waits for the task. The closure of a lambda
/// that was called need not be: most often it is a temporary.
template <class T>
void vouch_for_parameters(Coro<T>& coro) noexcept {
  PromiseBase* frame = CoroAccess::peek(coro);
  if (frame && frame->hazard != Hazard::capture) frame->hazard = Hazard::none;
}

/// The same in a task group, which outlives its tasks.
template <class First, class... Rest>
auto create_group_task(Loop& loop, std::source_location where, First&& first, Rest&&... rest) {
  if constexpr (is_coro_v<std::remove_cvref_t<First>>) vouch_for_parameters(first);
  return create_task_on(loop, where, NoOptions(), std::forward<First>(first),
                        std::forward<Rest>(rest)...);
}

/// Reports the coroutine as never awaited, as there is no loop.
template <class T>
[[noreturn, gnu::noinline]] void refuse_task(Coro<T>&& coro) {
  Coro<T> owned = std::move(coro);
  throw_no_running_loop();
}

/// create_task in the running loop.
template <class... Args>
auto create_task_here(std::source_location where, Args&&... args) {
  return create_task_on(running_loop(), where, NoOptions(), std::forward<Args>(args)...);
}

}  // namespace detail

/// Starts `coro` as a task; its body runs when the caller next suspends. What the coroutine's
/// parameters refer to must outlive the task: with debug on, a coroutine that has reference
/// parameters or is a capturing lambda is reported. Prefer create_task(function, args...).
///
/// Throws   RuntimeError("no running event loop").
/// Thread   the loop's.
/// asyncio  Coroutines and Tasks, create_task
template <class T>
Task<T> create_task(Coro<T>&& coro, TaskOptions options,
                    std::source_location where = std::source_location::current()) {
  Coro<T> owned = std::move(coro);  // reported as never awaited if there is no loop
  return detail::spawn(detail::running_loop(), options, std::move(owned), where);
}
/// The same without options; `where` is only for its default.
template <class T>
[[gnu::always_inline]] inline Task<T> create_task(
    Coro<T>&& coro, detail::Caller where = detail::Caller(std::source_location::current())) {
  detail::Loop* loop = detail::running_loop_or_null();
  if (!loop) [[unlikely]]
    detail::refuse_task(std::move(coro));
  return detail::spawn_with(
      *loop, coro, where.location,
      [](detail::TaskState& task, detail::PromiseBase& root) { detail::begin_task(task, root); });
}

/// Starts `function(args...)` as a task that owns copies of both, as std::thread does: nothing can
/// dangle, also not the captures of a lambda. std::ref passes a reference.
///
/// Options come first: create_task(options, function, args...).
///
/// Also starts what the library's functions return to be awaited, with options after it:
/// create_task(sleep(1s)), create_task(to_thread(f), TaskOptions().name("f")).
///
/// Reports say where the task was made; with more than four arguments, where the function is.
template <class F, class... Args>
  requires(sizeof...(Args) > 3)
auto create_task(F&& function, Args&&... args) {
  return detail::create_task_here({}, std::forward<F>(function), std::forward<Args>(args)...);
}
// C++ has no parameter after a pack that is deduced: the same for each number of arguments.
template <class F>
auto create_task(F&& function,
                 detail::Caller where = detail::Caller(std::source_location::current())) {
  return detail::create_task_here(where.location, std::forward<F>(function));
}
template <class F, class A>
auto create_task(F&& function, A&& a,
                 detail::Caller where = detail::Caller(std::source_location::current())) {
  return detail::create_task_here(where.location, std::forward<F>(function), std::forward<A>(a));
}
template <class F, class A, class B>
auto create_task(F&& function, A&& a, B&& b,
                 detail::Caller where = detail::Caller(std::source_location::current())) {
  return detail::create_task_here(where.location, std::forward<F>(function), std::forward<A>(a),
                                  std::forward<B>(b));
}
template <class F, class A, class B, class C>
auto create_task(F&& function, A&& a, B&& b, C&& c,
                 detail::Caller where = detail::Caller(std::source_location::current())) {
  return detail::create_task_here(where.location, std::forward<F>(function), std::forward<A>(a),
                                  std::forward<B>(b), std::forward<C>(c));
}

template <class T, std::same_as<TaskOptions> Options>
Task<T> EventLoop::create_task(Coro<T>&& coro, Options options, std::source_location where) {
  Coro<T> owned = std::move(coro);
  return detail::spawn(*loop_, options, std::move(owned), where);
}

template <class... Args>
  requires(sizeof...(Args) > 4)
auto EventLoop::create_task(Args&&... args) {
  return detail::create_task_on(*loop_, {}, detail::NoOptions(), std::forward<Args>(args)...);
}
template <class F>
auto EventLoop::create_task(F&& function, detail::Caller where) {
  return detail::create_task_on(*loop_, where.location, detail::NoOptions(),
                                std::forward<F>(function));
}
template <class F, class A>
auto EventLoop::create_task(F&& function, A&& a, detail::Caller where) {
  return detail::create_task_on(*loop_, where.location, detail::NoOptions(),
                                std::forward<F>(function), std::forward<A>(a));
}
template <class F, class A, class B>
auto EventLoop::create_task(F&& function, A&& a, B&& b, detail::Caller where) {
  return detail::create_task_on(*loop_, where.location, detail::NoOptions(),
                                std::forward<F>(function), std::forward<A>(a), std::forward<B>(b));
}
template <class F, class A, class B, class C>
auto EventLoop::create_task(F&& function, A&& a, B&& b, C&& c, detail::Caller where) {
  return detail::create_task_on(*loop_, where.location, detail::NoOptions(),
                                std::forward<F>(function), std::forward<A>(a), std::forward<B>(b),
                                std::forward<C>(c));
}

/// A Task or Future as it is; a Coro, or anything else that can be awaited, as a new task.
///
/// asyncio  Futures, ensure_future
template <class A>
auto ensure_future(A&& awaitable, std::source_location where = std::source_location::current()) {
  using Value = std::remove_cvref_t<A>;
  if constexpr (!detail::check_awaitable<A>())
    return detail::Refused();
  else if constexpr (is_future_v<Value>)
    return detail::plain_handle_t<Value>(std::forward<A>(awaitable));
  else if constexpr (is_coroutine_v<Value>)
    return create_task(std::move(awaitable), TaskOptions(), where);
  else
    return create_task(detail::await_inside<Value>(std::forward<A>(awaitable)), TaskOptions(),
                       where);
}

/// The task that runs now; empty inside a plain callback.
///
/// Throws   RuntimeError("no running event loop").
std::optional<TaskHandle> current_task();
std::optional<TaskHandle> current_task(const EventLoop& loop);

/// The tasks that are not done, in order of creation.
///
/// Throws   RuntimeError("no running event loop") if no loop is given and none runs.
std::vector<TaskHandle> all_tasks();
std::vector<TaskHandle> all_tasks(const EventLoop& loop);

/// A task factory that starts every task eagerly: `loop.set_task_factory(eager_task_factory)`.
void eager_task_factory(EventLoop loop, TaskOptions& options);
/// The same, after `inner` has seen the options.
TaskFactory create_eager_task_factory(TaskFactory inner);

template <class T>
T EventLoop::run_until_complete(Future<T> future) {
  loop_->run_until_complete(*future.state());
  if constexpr (std::is_void_v<T>)
    return future.result();
  else if constexpr (std::is_reference_v<T>)
    return future.result();
  else if constexpr (detail::copyable_v<T>)
    return T(future.result());
  else {
    future.result();
    return std::move(detail::slot_of<T>(*future.state()).get());
  }
}

template <class T>
T EventLoop::run_until_complete(Coro<T> coro) {
  loop_->check_closed();
  if (loop_->running()) throw RuntimeError("This event loop is already running");
  detail::vouch_for(coro);
  auto task = detail::spawn(*loop_, TaskOptions(), std::move(coro), std::source_location());
  detail::task_of(task).suppress_pending_report();
  return run_until_complete(static_cast<Future<T>>(task));
}

}  // namespace asyncio

template <>
struct std::hash<asyncio::TaskHandle> : std::hash<asyncio::FutureHandle> {};
template <class T>
struct std::hash<asyncio::detail::UnnamedTask<T>> : std::hash<asyncio::FutureHandle> {};
template <class T>
struct std::hash<asyncio::Task<T>> : std::hash<asyncio::FutureHandle> {};

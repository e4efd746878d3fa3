// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "asyncio/detail/core/combinator.hpp"
#include "asyncio/detail/core/future_state.hpp"
#include "asyncio/detail/core/handle_state.hpp"
#include "asyncio/detail/core/loop_core.hpp"
#include "asyncio/detail/core/poller.hpp"
#include "asyncio/detail/core/seeded_random.hpp"
#include "asyncio/detail/core/task_state.hpp"
#include "asyncio/detail/core/thread_state.hpp"
#include "asyncio/detail/core/timer_heap.hpp"

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <source_location>
#include <string>
#include <thread>
#include <typeinfo>
#include <vector>

namespace asyncio {
class EventLoop;
class Executor;
class ExceptionContext;
class TaskHooks;
class TaskOptions;
using ExceptionHandler = std::function<void(EventLoop, const ExceptionContext&)>;
using TaskFactory = std::function<void(EventLoop, TaskOptions&)>;
}  // namespace asyncio

namespace asyncio::detail {

class GeneratorState;

/// The event loop behind the EventLoop handles.
///
/// One iteration (`run_once`) asks for completions, moves due timers to the ready queue and runs
/// exactly the handles that were ready at that point: CPython's BaseEventLoop._run_once.
///
/// Invariants:
/// 1. Everything but `inbox_`, `sleeping_`, `wakers_` and the poller's `wake` belongs to the loop's
///    thread.
/// 2. A node is in one of: ready_, batch_, timers_, a future's callback list, the inbox; or idle.
/// 3. `inbox_` is a stack of posted nodes, newest first, or kClosed for good.
/// 4. Who pushes onto the inbox and then sees `sleeping_` wakes the poller; the loop sets
///    `sleeping_` and then looks at the inbox again before it sleeps. Both are seq_cst, so at
///    least one of the two sees the other (fault 39).
/// 5. The poller is closed only when no post will wake it any more: who may wake it is counted in
///    `wakers_` before it asks `sleeping_` once more, and close clears `sleeping_`, then waits for
///    `wakers_` to become zero. So no late wake-up hits a descriptor that is somebody else's by
///    now. tests/core/inbox_model.cpp checks 4 and 5 in every order of their steps.
class Loop : public LoopCore, public std::enable_shared_from_this<Loop> {
 public:
  /// Between two polls at most this many handles run, plus the rest of one iteration (fault 1).
  static constexpr unsigned kHandlesBetweenPolls = 64;

  explicit Loop(std::unique_ptr<Poller> poller);
  ~Loop();
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  // Running. CPython: BaseEventLoop.run_forever, run_until_complete, stop, close.
  void run_forever();
  void run_until_complete(FutureState& future);
  void stop() noexcept { unusual_ |= kStopping; }
  void close();
  bool running() const noexcept { return running_; }
  bool closed() const noexcept { return closed_; }
  TimePoint now() const noexcept { return poller_->now(); }
  std::int64_t now_ns() const noexcept { return poller_->now().time_since_epoch().count(); }
  Poller& poller() const noexcept { return *poller_; }
  /// Tells this loop from every other, also from those that are gone.
  std::uint64_t serial() const noexcept { return serial_; }
  /// How many loops there are. One lives as long as a handle, a task or a future of it.
  static std::size_t alive() noexcept { return alive_.load(std::memory_order_relaxed); }

  // Scheduling.
  void arm(Timer& timer, std::int64_t when) { timers_.push(timer, when); }
  void disarm(Timer& timer) noexcept { timers_.remove(timer); }
  std::size_t armed_timers() const noexcept { return timers_.size(); }
  void schedule(SoonState& handle) noexcept { ready_.push_back(handle); }
  void schedule_at(TimerState& handle, std::int64_t when);
  /// Thread   any. Throws RuntimeError if the loop is closed.
  void schedule_threadsafe(SoonState& handle);
  /// Gives the loop a node, which must not be posted again before it has run, and wakes it. If it
  /// cannot be woken, an error in the log says that it will run the node later.
  /// Returns false if the loop is closed.
  /// Thread   any. The caller keeps the loop alive during the call.
  bool post(Ready& node) noexcept;
  /// The same from a signal handler. Returns false, after a line on stderr, also if the loop cannot
  /// be woken.
  bool post_from_signal(Ready& node) noexcept;
  /// Takes back a posted node that may not have run yet. No thread may be posting it.
  void withdraw(Ready& node) noexcept;
  void check_closed() const {
    if (closed_) [[unlikely]]
      throw_closed();
  }
  void check_thread() const;
  /// For uses of what belongs to the loop, as futures and streams, that a debug loop accepts only
  /// from its own thread. The error names both (fault 45).
  void check_owner() const {
    if (debug_) [[unlikely]]
      check_owner_slow({});
  }
  /// The same; the error names the future, too.
  void check_owner(const FutureState& used) const {
    if (debug_) [[unlikely]]
      check_owner_of(used);
  }
  /// The same; `waiter` waits for what is used, and its kind names that.
  void check_owner(const Wait& waiter) const {
    if (debug_) [[unlikely]]
      check_owner_of(waiter);
  }
  /// For calls that a debug loop accepts only from its own thread.
  void check_schedulable() const {
    if (checked_) [[unlikely]]
      check_slow();
  }

  // Tasks.
  /// Null outside the steps of tasks.
  TaskState* current_task() const noexcept {
    return thread_state.running_loop == this ? thread_state.current_task : nullptr;
  }
  /// Whether a new task is of interest to a factory, to hooks or to debug mode.
  bool sees_new_tasks() const noexcept { return sees_new_tasks_; }
  const TaskFactory& task_factory() const noexcept { return task_factory_; }
  void set_task_factory(TaskFactory factory) noexcept;
  TaskHooks* task_hooks() const noexcept { return task_hooks_; }
  void set_task_hooks(TaskHooks* hooks) noexcept;
  /// Cancels `future` on behalf of a task or future that waits for it. Does not recurse: a chain of
  /// those may be of any length (R12). The order is that of a recursion.
  /// Returns what `future.cancel` returns.
  bool pass_cancel(FutureState& future, const std::exception_ptr& reason);
  /// A number for the chain that pass_cancel goes through now; 0 if it does not.
  std::uint32_t cancel_walk() const noexcept { return cancel_walk_; }
  std::vector<Ref<TaskState>> unfinished_tasks();
  /// For a poller that knows that nothing can happen any more: throws RuntimeError, which names the
  /// tasks and what they wait for.
  [[noreturn]] void throw_deadlock();

  /// Told when the loop closes, unless it has ended by then.
  void add_combinator(Combinator& combinator) noexcept { combinators_.push_back(combinator); }

  // Generators. CPython: BaseEventLoop._asyncgens.
  List<Links>& generators() noexcept { return generators_; }
  void adopt_generator(GeneratorState& generator);

  // Errors and debugging.
  void call_exception_handler(const ExceptionContext& context) noexcept;
  /// Where there is no memory to say more: `message` has 15 characters at most.
  void report_briefly(const char* message, const std::exception_ptr& error) noexcept;
  void default_exception_handler(const ExceptionContext& context) const;
  void handle_callback_error(HandleState* handle, const char* what,
                             std::source_location where = std::source_location());
  /// What a callback that is about to run is called if it is slow. For those that the loop cannot
  /// tell by their node.
  void name_callback(const std::type_info& callable, std::source_location where) noexcept {
    callable_ = &callable;
    callable_place_ = where;
  }
  bool debug() const noexcept { return debug_; }
  /// For tests: from now on tasks that are ready in the same iteration run in an order that `seed`
  /// decides. Callbacks keep theirs, which is promised.
  void shuffle_tasks(std::uint64_t seed);
  void set_debug(bool enabled) noexcept;
  EventLoop handle();
  /// For `handle`, which is about to end: if it was the last one, closes a loop that futures still
  /// keep alive.
  static void drop_handle(const std::shared_ptr<Loop>& handle) noexcept {
    if (handle.use_count() <= 2 && handle->live_futures() != 0) [[unlikely]]
      handle->close_abandoned();
  }

  ExceptionHandler exception_handler;
  std::chrono::nanoseconds slow_callback_duration{std::chrono::milliseconds(100)};
  std::shared_ptr<Executor> default_executor;
  bool executor_shutdown = false;
  bool generators_shutdown = false;
  unsigned eager_depth = 0;
  /// Waits that only the user knows of: (awaited, waiter), for the call graph.
  std::vector<std::pair<Ref<FutureState>, Ref<FutureState>>> awaited_by;

 private:
  class Running;

  // In `unusual_`: why an iteration is not just one callback after another.
  static constexpr std::uint8_t kStopping = 1;
  static constexpr std::uint8_t kWatched = 2;  // debug, shuffled or with task hooks

  bool stopping() const noexcept { return unusual_ & kStopping; }
  bool watched() const noexcept { return unusual_ & kWatched; }

  void note_interest() noexcept;
  void run_once();
  [[gnu::noinline]] void poll();
  [[gnu::noinline]] void collect_due_timers();
  void run_ready();
  bool just_callbacks() noexcept;
  [[gnu::noinline]] void run_batch();
  void run_ready_watched();
  void report_slow_poll(TimePoint begin, TimePoint deadline);
  void count_handles(unsigned count) noexcept;
  void run_watched(Ready& node);
  void run_timed(Ready& node);
  void take_inbox() noexcept {
    if (inbox_.load(std::memory_order_relaxed)) [[unlikely]]
      take_posted();
  }
  void take_posted() noexcept;
  void accept_posted(Links* newest) noexcept;
  void close_inbox() noexcept;
  void close_abandoned() noexcept;
  void list_debug_loop(bool listed) noexcept;
  void leave_executor() noexcept;
  bool push(Ready& node) noexcept;
  int wake_if_asleep() noexcept;
  [[noreturn]] static void throw_closed();
  void discard_pending() noexcept;
  void report_pending(TaskState& task) noexcept;
  void check_slow() const;
  bool in_foreign_thread() const noexcept;
  void check_owner_slow(const std::string& used) const;
  void check_owner_of(const FutureState& used) const;
  void check_owner_of(const Wait& waiter) const;
  friend void check_thread_of_loop(std::uint64_t serial, const char* used);
  static std::uint64_t next_serial() noexcept;

  static inline constinit std::atomic<std::size_t> alive_{0};

  ReadyList batch_;
  TimerHeap timers_;
  std::unique_ptr<Poller> poller_;
  const std::uint64_t serial_ = next_serial();
  unsigned handles_until_poll_ = kHandlesBetweenPolls;
  std::uint8_t unusual_ = 0;
  bool running_ = false;
  bool closed_ = false;
  bool debug_ = false;
  bool checked_ = false;  // closed or debug: calls have to look closer
  bool sees_new_tasks_ = false;
  TaskHooks* task_hooks_ = nullptr;
  TaskFactory task_factory_;
  std::unique_ptr<SeededRandom> shuffle_;
  std::atomic<Links*> inbox_{nullptr};
  std::atomic<bool> sleeping_{false};
  std::atomic<int> wakers_{0};
  std::atomic<std::thread::id> thread_{};
  std::atomic<int> thread_number_{0};         // for the text of an error
  const std::type_info* callable_ = nullptr;  // that runs in debug mode, for a report
  std::source_location callable_place_;
  List<Links> generators_;
  List<Combinator> combinators_;
  std::vector<Ref<FutureState>> to_cancel_;  // the next one is the last
  std::uint32_t cancel_walk_ = 0;
  std::uint32_t cancel_walks_ = 0;
  Loop* next_debug_loop_ = nullptr;
};

/// The first of the loops that have debug mode on; check_thread_of_loop knows the others.
inline constinit std::atomic<Loop*> debug_loops{nullptr};
/// Throws RuntimeError if the debug loop with this serial number, if there is one, runs in another
/// thread; `used` is the type of what was used.
/// Thread   any.
void check_thread_of_loop(std::uint64_t serial, const char* used);

inline Loop& FutureState::loop() const noexcept { return static_cast<Loop&>(*core_); }

[[noreturn]] void throw_no_running_loop();

/// The loop that runs in this thread, or null.
inline Loop* running_loop_or_null() noexcept { return thread_state.running_loop; }
/// Throws RuntimeError("no running event loop").
inline Loop& running_loop() {
  if (Loop* loop = running_loop_or_null()) [[likely]]
    return *loop;
  throw_no_running_loop();
}

}  // namespace asyncio::detail

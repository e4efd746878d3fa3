// SPDX-License-Identifier: BSL-1.0
#include "asyncio/detail/core/loop.hpp"

#include "asyncio/detail/core/generator_state.hpp"
#include "asyncio/detail/core/guarded_log.hpp"
#include "asyncio/detail/core/posted.hpp"
#include "asyncio/detail/core/wait.hpp"
#include "asyncio/eventloop.hpp"
#include "asyncio/exceptions.hpp"
#include "asyncio/executor.hpp"
#include "asyncio/logging.hpp"
#include "asyncio/task.hpp"
#include "shuffle.hpp"
#include "source_text.hpp"
#include "thread_text.hpp"

#include <algorithm>
#include <new>
#include <string>
#include <system_error>
#include <unistd.h>
#include <utility>

namespace asyncio::detail {

namespace {

/// What `inbox_` holds once the loop is closed.
Links closed_mark;

}  // namespace

/// Marks the loop as the one that runs in this thread.
class Loop::Running {
 public:
  explicit Running(Loop& loop) : loop_(loop), outer_context_(exchange_context(nullptr)) {
    loop_.running_ = true;
    loop_.thread_number_.store(this_thread_number(), std::memory_order_relaxed);
    loop_.thread_.store(std::this_thread::get_id(), std::memory_order_relaxed);
    thread_state.running_loop = &loop_;
  }
  ~Running() {
    loop_.poller_->stopped();
    // An interrupt may leave a batch half done: the rest stays first in line.
    loop_.batch_.splice_back(loop_.ready_);
    loop_.ready_.splice_back(loop_.batch_);
    thread_state.running_loop = nullptr;
    loop_.thread_.store(std::thread::id(), std::memory_order_relaxed);
    loop_.running_ = false;
    loop_.unusual_ &= kWatched;
    exchange_context(outer_context_);
  }

 private:
  Loop& loop_;
  ContextSlot* outer_context_;
};

std::uint64_t Loop::next_serial() noexcept {
  static std::atomic<std::uint64_t> last{0};
  return last.fetch_add(1, std::memory_order_relaxed) + 1;
}

Loop::Loop(std::unique_ptr<Poller> poller) : poller_(std::move(poller)) {
  alive_.fetch_add(1, std::memory_order_relaxed);
}

Loop::~Loop() {
  alive_.fetch_sub(1, std::memory_order_relaxed);
  close_abandoned();
  if (debug_) list_debug_loop(false);
}

/// For a loop that nobody can run any more.
void Loop::close_abandoned() noexcept {
  if (closed_ || running_) return;
  if (debug_) log_guarded(LogLevel::warning, [] { return "unclosed event loop"; });
  close();
}

// --- Running ----------------------------------------------------------------------------------

/// There is something ready.
inline void Loop::run_ready() {
  if (!ready_.has_one()) return run_batch();
  // Most often it is one alone, which needs no batch.
  Ready& node = ready_.pop_only();
  node.run(node);
}

/// One iteration. CPython: BaseEventLoop._run_once.
void Loop::run_once() {
  take_inbox();
  if (ready_.empty() || handles_until_poll_ <= 1)
    poll();
  else
    --handles_until_poll_;
  if (!timers_.empty()) collect_due_timers();
  if (watched())
    run_ready_watched();
  else if (!ready_.empty())
    run_ready();
}

/// Whether the next iteration is but to run what is ready, and so is as short as it can be.
inline bool Loop::just_callbacks() noexcept {
  return !unusual_ && !inbox_.load(std::memory_order_relaxed) && !ready_.empty() &&
         --handles_until_poll_ != 0;
}

void Loop::run_forever() {
  check_closed();
  if (running_) throw RuntimeError("This event loop is already running");
  if (thread_state.running_loop)
    throw RuntimeError("Cannot run the event loop while another loop is running");
  EventLoop alive = handle();  // the last one, if a callback drops the user's
  Running scope(*this);
  do {
    run_once();
    while (just_callbacks()) {
      if (!timers_.empty()) collect_due_timers();
      run_ready();
    }
  } while (!stopping());
}

void Loop::poll() {
  bool idle = ready_.empty() && !stopping();
  if (!idle && handles_until_poll_ > 1) return;
  handles_until_poll_ = kHandlesBetweenPolls;
  TimePoint deadline = TimePoint::min();
  if (idle) {
    deadline = TimePoint::max();
    if (!timers_.empty()) deadline = TimePoint(std::chrono::nanoseconds(timers_.next_deadline()));
    sleeping_.store(true, std::memory_order_seq_cst);
    if (inbox_.load(std::memory_order_seq_cst)) deadline = TimePoint::min();
  }
  TimePoint begin = debug_ ? now() : TimePoint();
  poller_->poll(deadline);
  if (debug_) [[unlikely]]
    report_slow_poll(begin, deadline);
  // Relaxed: a poster that still reads true wakes the poller in vain.
  if (idle) sleeping_.store(false, std::memory_order_relaxed);
  take_inbox();
}

void Loop::collect_due_timers() {
  std::int64_t now = now_ns();
  while (!timers_.empty() && timers_.next_deadline() <= now) ready_.push_back(timers_.pop());
}

/// They bring the next poll nearer, which an iteration notices when it begins.
inline void Loop::count_handles(unsigned count) noexcept {
  handles_until_poll_ = handles_until_poll_ > count ? handles_until_poll_ - count : 1;
}

void Loop::run_batch() {
  batch_.splice_back(ready_);
  unsigned ran = 0;
  while (!batch_.empty()) {
    Ready& node = batch_.pop_front();
    ++ran;
    node.run(node);
  }
  count_handles(ran - 1);  // one is counted already
}

void Loop::run_ready_watched() {
  batch_.splice_back(ready_);
  if (shuffle_) shuffle_wake_ups(batch_, *shuffle_);
  while (!batch_.empty()) {
    count_handles(1);
    Ready& node = batch_.pop_front();
    if (debug_)
      run_timed(node);
    else
      run_watched(node);
  }
}

void Loop::run_watched(Ready& node) {
  if (TaskState* task = task_hooks_ ? TaskState::of_wake_node(node) : nullptr)
    task->run_reported_step();
  else
    node.run(node);
}

/// What a poll takes beyond the time that it was to wait delays everything else (A12.5).
void Loop::report_slow_poll(TimePoint begin, TimePoint deadline) {
  if (deadline == TimePoint::max()) return;
  auto late = now() - std::max(begin, deadline);
  if (late < slow_callback_duration) return;
  log(LogLevel::warning, "Polling took " +
                             std::to_string(std::chrono::duration<double>(late).count()) +
                             " seconds longer than it was to wait");
}

void Loop::run_timed(Ready& node) {
  // What is needed for a report, taken before the node and its frame may be gone.
  Ref<TaskState> task = Ref<TaskState>::share(TaskState::of_wake_node(node));
  std::source_location from;
  if (task && task->top()) from = task->top()->place();
  callable_ = nullptr;
  if (HandleState* handle = HandleState::of(node))
    name_callback(handle->callable_type(), handle->where());
  else if (auto* callback = DoneCallback::of(node))
    name_callback(callback->callable_type(), callback->where());

  TimePoint begin = now();
  run_watched(node);
  auto took = now() - begin;
  if (took < slow_callback_duration) return;
  std::string what = "a callback";
  if (callable_) {
    what = "callback " + type_name(*callable_);
    if (std::string where = source_text(callable_place_); !where.empty())
      what += ", scheduled at " + where;
  }
  if (task) what = task->description() + ", from " + source_text(from);
  log(LogLevel::warning, "Executing " + what + " took " +
                             std::to_string(std::chrono::duration<double>(took).count()) +
                             " seconds");
}

namespace {

struct StopNode : Ready {
  explicit StopNode(Loop& owner) noexcept : Ready(&StopNode::ended), loop(owner) {}
  static void ended(Ready& node) { static_cast<StopNode&>(node).loop.stop(); }
  Loop& loop;
};

}  // namespace

void Loop::run_until_complete(FutureState& future) {
  check_closed();
  StopNode stop_node(*this);
  future.add_callback(stop_node);
  try {
    run_forever();
  } catch (...) {  // Rethrown; only the node must not stay behind.
    stop_node.unlink();
    future.mark_retrieved();
    throw;
  }
  stop_node.unlink();
  if (!future.done()) throw RuntimeError("Event loop stopped before Future completed.");
}

void Loop::close() {
  if (running_) throw RuntimeError("Cannot close a running event loop");
  if (closed_) return;
  closed_ = true;
  note_interest();
  auto alive = weak_from_this().lock();
  close_inbox();
  discard_pending();
  awaited_by.clear();
  leave_executor();
  poller_->close();
}

/// The threads of the default executor are not waited for.
void Loop::leave_executor() noexcept {
  executor_shutdown = true;
  auto executor = std::move(default_executor);
  if (!executor) return;
  try {
    executor->shutdown(false);
  } catch (...) {  // Somebody's own executor; the loop is closed all the same.
    log_guarded(LogLevel::error, [] {
      return "shutting down the default executor: " + describe_exception(std::current_exception());
    });
  }
}

/// From here on a post is refused; what was posted before is let go with the rest. Invariant 5.
void Loop::close_inbox() noexcept {
  sleeping_.store(false, std::memory_order_seq_cst);
  accept_posted(inbox_.exchange(&closed_mark, std::memory_order_seq_cst));
  while (wakers_.load(std::memory_order_seq_cst) != 0) std::this_thread::yield();
}

/// Everything that waits is let go, without running any of it.
void Loop::discard_pending() noexcept {
  while (!tasks_.empty()) {
    auto& task = static_cast<TaskState&>(tasks_.front());
    if (task.reports_pending()) report_pending(task);
    task.abandon();
  }
  while (!generators_.empty()) static_cast<GeneratorState&>(generators_.pop_front()).finish();
  while (!combinators_.empty()) combinators_.pop_front().loop_closing();
  while (!timers_.empty()) ready_.push_back(timers_.pop());
  while (!ready_.empty()) {
    Ready& node = ready_.pop_front();
    if (HandleState* handle = HandleState::of(node))
      handle->discard();
    else if (auto* callback = DoneCallback::of(node))
      delete callback;
    else if (auto* posted = Posted::of(node))
      posted->discarded();
  }
}

void Loop::report_pending(TaskState& task) noexcept {
  try {
    ExceptionContext context("Task was destroyed but it is pending!");
    context.set_task(TaskHandle(Ref<FutureState>::share(&task)));
    context.set_source(source_text(task.created()));
    call_exception_handler(context);
  } catch (const std::bad_alloc&) {
    report_briefly("a pending task", nullptr);
  }
}

// --- Scheduling -------------------------------------------------------------------------------

void Loop::schedule_at(TimerState& handle, std::int64_t when) {
  handle.set_when(when);
  try {
    timers_.push(handle, when);
  } catch (...) {  // Rethrown; the loop has no use for its reference.
    handle.drop_reference();
    throw;
  }
}

namespace {

/// Nothing is lost, but it may come late, and no caller would ever learn why.
void report_deaf(int error) noexcept {
  log_guarded(LogLevel::error, [error] {
    return "waking the event loop: " + std::generic_category().message(error) +
           "; what other threads give it waits until it wakes by itself";
  });
}

}  // namespace

void Loop::schedule_threadsafe(SoonState& handle) {
  if (post(handle)) return;
  handle.drop_reference();
  throw_closed();  // `closed_` is for the loop's thread
}

bool Loop::post(Ready& node) noexcept {
  if (running_loop_or_null() == this) {
    take_inbox();  // so that it comes after what was posted before
    ready_.push_back(node);
    return true;
  }
  if (!push(node)) return false;
  if (int error = wake_if_asleep()) report_deaf(error);
  return true;
}

bool Loop::post_from_signal(Ready& node) noexcept {
  if (!push(node)) return false;
  if (wake_if_asleep() == 0) return true;
  constexpr char kLine[] = "asyncio ERROR: a signal could not wake the event loop\n";
  [[maybe_unused]] auto written = ::write(STDERR_FILENO, kLine, sizeof kLine - 1);
  return false;
}

bool Loop::push(Ready& node) noexcept {
  Links* head = inbox_.load(std::memory_order_relaxed);
  do {
    if (head == &closed_mark) return false;
    node.next = head;
  } while (!inbox_.compare_exchange_weak(head, &node, std::memory_order_seq_cst,
                                         std::memory_order_relaxed));
  return true;
}

/// After a push. Of those who see the loop asleep, the first one wakes it.
inline int Loop::wake_if_asleep() noexcept {
  // Invariant 4: pairs with poll.
  if (!sleeping_.load(std::memory_order_seq_cst)) return 0;
  // Invariant 5.
  wakers_.fetch_add(1, std::memory_order_seq_cst);
  int error = sleeping_.exchange(false, std::memory_order_seq_cst) ? poller_->wake() : 0;
  wakers_.fetch_sub(1, std::memory_order_seq_cst);
  return error;
}

void Loop::take_posted() noexcept {
  if (closed_) return;
  // Acquire: pairs with the push, so that what the poster wrote into its node is seen.
  accept_posted(inbox_.exchange(nullptr, std::memory_order_acquire));
}

/// Appends a stack of posted nodes to the ready queue, oldest first.
void Loop::accept_posted(Links* newest) noexcept {
  Links* oldest = nullptr;
  while (newest) {
    Links* next = newest->next;
    newest->next = oldest;
    oldest = newest;
    newest = next;
  }
  while (oldest) {
    Links* next = oldest->next;
    ready_.push_back(static_cast<Ready&>(*oldest));
    oldest = next;
  }
}

void Loop::withdraw(Ready& node) noexcept {
  take_inbox();
  node.unlink();
}

void Loop::throw_closed() { throw RuntimeError("Event loop is closed"); }

void Loop::check_slow() const {
  check_closed();
  check_thread();
}

void Loop::set_debug(bool enabled) noexcept {
  if (debug_ != enabled) list_debug_loop(enabled);
  debug_ = enabled;
  note_interest();
}

void Loop::set_task_factory(TaskFactory factory) noexcept {
  task_factory_ = std::move(factory);
  note_interest();
}

void Loop::set_task_hooks(TaskHooks* hooks) noexcept {
  task_hooks_ = hooks;
  note_interest();
}

void Loop::note_interest() noexcept {
  checked_ = closed_ || debug_;
  sees_new_tasks_ = checked_ || task_hooks_ || task_factory_;
  unusual_ &= kStopping;
  if (debug_ || shuffle_ || task_hooks_) unusual_ |= kWatched;
}

void Loop::shuffle_tasks(std::uint64_t seed) {
  shuffle_ = std::make_unique<SeededRandom>(seed);
  note_interest();
}

void LoopCore::keep_alive() noexcept { self_ = static_cast<Loop&>(*this).shared_from_this(); }

void LoopCore::let_go() noexcept {
  // Moved out first: the last reference may end this object.
  auto self = std::move(self_);
}

std::vector<Ref<TaskState>> Loop::unfinished_tasks() {
  std::vector<Ref<TaskState>> tasks;
  for (auto& node : tasks_) tasks.push_back(Ref<TaskState>::share(&static_cast<TaskState&>(node)));
  return tasks;
}

bool Loop::pass_cancel(FutureState& future, const std::exception_ptr& reason) {
  if (!future.can_cancel()) return future.cancel(reason);
  to_cancel_.push_back(Ref<FutureState>::share(&future));
  if (cancel_walk_ != 0) return true;
  struct Walk {
    explicit Walk(Loop& owner) noexcept : loop(owner) {
      if (++loop.cancel_walks_ == 0) ++loop.cancel_walks_;
      loop.cancel_walk_ = loop.cancel_walks_;
    }
    ~Walk() {
      loop.cancel_walk_ = 0;
      loop.to_cancel_.clear();
      // A burst must not pin its peak.
      if (loop.to_cancel_.capacity() > 1024) std::vector<Ref<FutureState>>().swap(loop.to_cancel_);
    }
    Loop& loop;
  } walk(*this);
  while (!to_cancel_.empty()) {
    Ref<FutureState> next = std::move(to_cancel_.back());
    to_cancel_.pop_back();
    auto found = static_cast<std::ptrdiff_t>(to_cancel_.size());
    next->cancel(reason);
    std::reverse(to_cancel_.begin() + found, to_cancel_.end());
  }
  return true;
}

EventLoop Loop::handle() { return EventLoop(shared_from_this()); }

void throw_no_running_loop() { throw RuntimeError("no running event loop"); }

}  // namespace asyncio::detail

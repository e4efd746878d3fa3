// SPDX-License-Identifier: BSL-1.0
#include "asyncio/runner.hpp"

#include "asyncio/detail/core/guarded_log.hpp"
#include "asyncio/gather.hpp"
#include "asyncio/logging.hpp"

#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <memory>
#include <sys/syscall.h>
#include <thread>
#include <unistd.h>

namespace asyncio {

namespace detail {

/// What the signal handler needs; everything in it is lock-free.
struct InterruptScope::Record : Ready {
  explicit Record(TaskState& main) noexcept : Ready(&Record::deliver), task(main) {}

  static void deliver(Ready& node) {
    auto& self = static_cast<Record&>(node);
    if (self.task.done()) return;
    self.delivered = true;
    self.task.cancel(nullptr);
  }
  static void on_signal(int) noexcept;
  static std::atomic<Record*> active;
  static std::atomic<int> handlers;  // signal handlers under way, on any thread

  TaskState& task;
  std::atomic<int> count{0};
  bool delivered = false;  // to the task
  struct sigaction previous{};
};

std::atomic<InterruptScope::Record*> InterruptScope::Record::active{nullptr};
std::atomic<int> InterruptScope::Record::handlers{0};

/// Async-signal-safe: the first signal posts to the loop, the second dies of the signal; so does
/// the first if the loop cannot be woken.
void InterruptScope::Record::on_signal(int) noexcept {
  int saved = errno;
  handlers.fetch_add(1, std::memory_order_seq_cst);
  Record* record = active.load(std::memory_order_seq_cst);
  bool first = record && record->count.fetch_add(1, std::memory_order_relaxed) == 0;
  if (first) first = record->task.loop().post_from_signal(*record);
  handlers.fetch_sub(1, std::memory_order_seq_cst);
  errno = saved;
  if (first) return;
  std::signal(SIGINT, SIG_DFL);
  std::raise(SIGINT);
}

namespace {

bool in_main_thread() noexcept { return ::syscall(SYS_gettid) == ::getpid(); }

}  // namespace

InterruptScope::InterruptScope(TaskState& task) {
  if (!in_main_thread() || Record::active.load(std::memory_order_relaxed)) return;
  struct sigaction current{};
  if (::sigaction(SIGINT, nullptr, &current) != 0) return;
  // Ours, left behind by add_signal_handler: it does what the default does.
  if (current.sa_handler == &Record::on_signal) current.sa_handler = SIG_DFL;
  if (current.sa_handler != SIG_DFL) return;
  record_ = std::make_unique<Record>(task);
  record_->previous = current;
  Record::active.store(record_.get(), std::memory_order_release);
  struct sigaction ours{};
  ours.sa_handler = &Record::on_signal;
  ::sigemptyset(&ours.sa_mask);
  ours.sa_flags = SA_RESTART;
  ::sigaction(SIGINT, &ours, nullptr);
}

InterruptScope::~InterruptScope() {
  if (!record_) return;
  struct sigaction current{};
  // Somebody else's by now is theirs.
  if (::sigaction(SIGINT, nullptr, &current) == 0 && current.sa_handler == &Record::on_signal)
    ::sigaction(SIGINT, &record_->previous, nullptr);
  Record::active.store(nullptr, std::memory_order_seq_cst);
  // The signal may be handled by another thread just now; it must be done with the record.
  while (Record::handlers.load(std::memory_order_seq_cst) != 0) std::this_thread::yield();
  record_->task.loop().withdraw(*record_);
}

bool InterruptScope::interrupted() const noexcept {
  return record_ && record_->count.load(std::memory_order_relaxed) > 0;
}

bool InterruptScope::delivered() const noexcept { return record_ && record_->delivered; }

void run_main_task(TaskState& task) {
  InterruptScope interrupts(task);
  task.loop().run_until_complete(task);
  if (!interrupts.interrupted()) return;
  // A signal in the last step comes too late for an await, but is not lost.
  bool unseen = !interrupts.delivered() && task.has_value();
  if (unseen || (task.cancelled() && task.uncancel() == 0)) throw KeyboardInterrupt();
}

void refuse_running_loop(const char* message) {
  if (running_loop_or_null()) throw RuntimeError(message);
}

int report_main_error() noexcept {
  std::exception_ptr error = std::current_exception();
  std::fprintf(stderr, "%s%s\n", exception_trace(error).c_str(), describe_exception(error).c_str());
  return classify(error) == ErrorKind::interrupt ? 130 : 1;
}

namespace {

void cancel_leftovers(EventLoop loop) {
  std::vector<TaskHandle> leftovers = all_tasks(loop);
  if (leftovers.empty()) return;
  for (auto& task : leftovers) {
    if (loop.get_debug())
      log(LogLevel::warning, "the end of asyncio.run() cancelled " + task_of(task).description());
    task.cancel();
  }
  loop.run_until_complete(gather(return_exceptions, leftovers));
  for (auto& task : leftovers) {
    if (task.cancelled()) continue;
    std::exception_ptr error = task.exception();
    if (!error) continue;
    ExceptionContext context("unhandled exception during asyncio.run() shutdown");
    context.set_exception(error).set_task(task);
    loop.call_exception_handler(context);
  }
}

/// Closes the loop whatever the steps before it threw.
struct LoopCloser {
  ~LoopCloser() {
    set_event_loop(std::nullopt);
    try {
      loop.close();
    } catch (const RuntimeError& e) {
      log_guarded(LogLevel::error,
                  [&] { return std::string("closing the loop of a Runner: ") + e.what(); });
    }
  }
  EventLoop loop;
};

/// As CPython's constants.THREAD_JOIN_TIMEOUT.
constexpr std::chrono::seconds kThreadJoinTimeout{300};

}  // namespace

}  // namespace detail

Runner::~Runner() {
  try {
    close();
  } catch (...) {  // A destructor must not throw; close() is there for who wants to know.
    detail::log_guarded(LogLevel::error, [] {
      return "closing a Runner: " + describe_exception(std::current_exception());
    });
  }
}

void Runner::initialize() {
  if (state_ == State::closed) throw RuntimeError("Runner is closed");
  if (state_ == State::initialized) return;
  loop_ = options_.get_loop_factory() ? options_.get_loop_factory()() : new_event_loop();
  if (options_.get_debug()) loop_->set_debug(*options_.get_debug());
  context_ = copy_context();
  state_ = State::initialized;
}

void Runner::begin() {
  detail::refuse_running_loop("Runner.run() cannot be called from a running event loop");
  initialize();
}

EventLoop Runner::get_loop() {
  initialize();
  return *loop_;
}

void Runner::close() {
  if (state_ != State::initialized) return;
  state_ = State::closed;
  detail::LoopCloser closer{*std::exchange(loop_, std::nullopt)};
  detail::cancel_leftovers(closer.loop);
  closer.loop.run_until_complete(closer.loop.shutdown_asyncgens());
  closer.loop.run_until_complete(closer.loop.shutdown_default_executor(detail::kThreadJoinTimeout));
}

}  // namespace asyncio

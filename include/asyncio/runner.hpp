// SPDX-License-Identifier: BSL-1.0
/// The chapter "Runners" of asyncio's documentation, and the functions that make event loops.
#pragma once

#include "asyncio/coro.hpp"
#include "asyncio/eventloop.hpp"
#include "asyncio/task.hpp"

#include <concepts>
#include <functional>
#include <optional>
#include <type_traits>
#include <utility>

namespace asyncio {

/// A new loop on the backend that the environment variable ASYNCIO_BACKEND names ("epoll",
/// "io_uring", "simulated"), by default epoll.
///
/// Throws   ValueError if the variable names no backend; OSError if the system refuses one.
EventLoop new_event_loop();
/// A new loop on Linux's epoll.
EventLoop new_epoll_event_loop();
/// A new loop on Linux's io_uring. Where the system refuses that, on epoll; the first time in a
/// process a warning in the log says why. `EventLoop::backend_name` tells which.
///
/// Throws   OSError if there are no descriptors.
EventLoop new_uring_event_loop();

using LoopFactory = std::function<EventLoop()>;

/// How `run` and Runner make their loop.
class RunOptions {
 public:
  RunOptions() {}

  /// Debug mode on or off; by default the environment variable ASYNCIODEBUG decides.
  RunOptions& debug(bool enabled) {
    debug_ = enabled;
    return *this;
  }
  /// Makes the loop; by default new_event_loop.
  RunOptions& loop_factory(LoopFactory factory) {
    factory_ = std::move(factory);
    return *this;
  }

  std::optional<bool> get_debug() const noexcept { return debug_; }
  const LoopFactory& get_loop_factory() const noexcept { return factory_; }

 private:
  std::optional<bool> debug_;
  LoopFactory factory_;
};

namespace detail {

/// While it lives, SIGINT cancels `task`; a second one kills the process. Does nothing outside
/// the main thread or where the program has its own SIGINT handler.
class InterruptScope {
 public:
  explicit InterruptScope(TaskState& task);
  ~InterruptScope();
  InterruptScope(const InterruptScope&) = delete;
  InterruptScope& operator=(const InterruptScope&) = delete;

  bool interrupted() const noexcept;
  /// Whether the task was cancelled for it.
  bool delivered() const noexcept;

 private:
  struct Record;
  std::unique_ptr<Record> record_;
};

/// Runs `task` to its end. Throws KeyboardInterrupt if SIGINT cancelled it; leaves all else to be
/// asked of the task.
void run_main_task(TaskState& task);

/// Throws RuntimeError if a loop runs in this thread.
void refuse_running_loop(const char* message);

}  // namespace detail

/// Runs several coroutines, one after another, on one loop and in one context.
///
/// Thread   the one that made it.
/// asyncio  Runners, Runner
class Runner {
 public:
  explicit Runner(RunOptions options = {}) : options_(std::move(options)) {}
  Runner(const Runner&) = delete;
  Runner& operator=(const Runner&) = delete;
  /// Closes. Must not run inside a coroutine; an error then goes to the log.
  ~Runner();

  /// Runs `coro` to its end; other tasks go on meanwhile and are frozen afterwards.
  ///
  /// Returns  its result.
  /// Throws   its exception; KeyboardInterrupt after Ctrl-C; RuntimeError inside a running loop or
  ///          after close().
  template <class T>
  T run(Coro<T> coro, std::optional<Context> context = std::nullopt) {
    begin();
    TaskOptions options;
    options.context(context ? *context : *context_);
    detail::vouch_for(coro);
    Task<T> task =
        detail::spawn(loop_->impl(), std::move(options), std::move(coro), std::source_location());
    return finish(std::move(task));
  }

  /// Runs `function(args...)`, which both live in the task.
  template <class F, class... Args>
    requires(!is_coroutine_v<F>)
  decltype(auto) run(F&& function, Args&&... args) {
    if constexpr (detail::check_coroutine_function<F, Args...>()) {
      begin();
      TaskOptions options;
      options.context(*context_);
      return finish(detail::spawn_call(loop_->impl(), std::move(options), std::source_location(),
                                       std::forward<F>(function), std::forward<Args>(args)...));
    } else {
      return detail::Refused();
    }
  }

  /// The loop, made on first use.
  ///
  /// Throws   RuntimeError after close().
  EventLoop get_loop();

  /// Cancels what is left and waits for its clean-up, closes asynchronous generators, joins the
  /// default executor, closes the loop; in this order. A second call does nothing.
  void close();

 private:
  enum class State { created, initialized, closed };

  void initialize();
  void begin();

  template <class T>
  T finish(Task<T> task) {
    detail::run_main_task(detail::task_of(task));
    // The only other holder was the loop: a move is safe.
    if constexpr (std::is_void_v<T> || std::is_reference_v<T>) {
      return task.result();
    } else {
      task.result();
      return std::move(detail::slot_of<T>(*task.state()).get());
    }
  }

  RunOptions options_;
  State state_ = State::created;
  std::optional<EventLoop> loop_;
  std::optional<Context> context_;
};

/// Runs `main` on a new loop, and everything it started to a clean end: the leftover tasks are
/// cancelled and waited for, generators closed, the default executor joined, the loop closed.
///
/// Returns  what `main` returns.
/// Throws   what `main` throws; KeyboardInterrupt after Ctrl-C (a second one ends the process);
///          RuntimeError if a loop runs in this thread already.
/// Thread   any; each has its own loop.
/// asyncio  Runners, run
template <class T>
T run(Coro<T> main, RunOptions options = {}) {
  detail::refuse_running_loop("asyncio.run() cannot be called from a running event loop");
  Runner runner(std::move(options));
  if constexpr (std::is_void_v<T>) {
    runner.run(std::move(main));
    runner.close();
  } else {
    T result = runner.run(std::move(main));
    runner.close();
    return static_cast<T&&>(result);
  }
}

namespace detail {

template <class T, class F, class... Args>
T run_function(RunOptions options, F&& function, Args&&... args) {
  refuse_running_loop("asyncio.run() cannot be called from a running event loop");
  Runner runner(std::move(options));
  if constexpr (std::is_void_v<T>) {
    runner.run(std::forward<F>(function), std::forward<Args>(args)...);
    runner.close();
  } else {
    T result = runner.run(std::forward<F>(function), std::forward<Args>(args)...);
    runner.close();
    return static_cast<T&&>(result);
  }
}

}  // namespace detail

/// The same for `function(args...)`, which live as long as the run.
template <class F, class... Args>
  requires(!is_coroutine_v<F>)
decltype(auto) run(RunOptions options, F&& function, Args&&... args) {
  if constexpr (detail::check_coroutine_function<F, Args...>())
    return detail::run_function<detail::coroutine_result_t<F, Args...>>(
        std::move(options), std::forward<F>(function), std::forward<Args>(args)...);
  else
    return detail::Refused();
}

/// The same for a function without arguments, with the options where those of a coroutine are.
template <class F>
  requires(!is_coroutine_v<F> && std::is_invocable_v<std::decay_t<F>&>)
decltype(auto) run(F&& function, RunOptions options) {
  return run(std::move(options), std::forward<F>(function));
}

template <class F, class... Args>
  requires(!is_coroutine_v<F> && !std::same_as<std::remove_cvref_t<F>, RunOptions>)
decltype(auto) run(F&& function, Args&&... args) {
  return run(RunOptions(), std::forward<F>(function), std::forward<Args>(args)...);
}

namespace detail {

/// Prints the error that is being handled to stderr. Returns the exit status for it: 130 after an
/// interrupt, else 1.
int report_main_error() noexcept;

}  // namespace detail

/// The body of `int main`: runs `main_coro`, prints an exception that leaves it to stderr.
///
/// Returns  0, what the coroutine returns if it is an int, 1 after an exception, 130 after Ctrl-C.
template <class T>
int run_main(Coro<T> main_coro, RunOptions options = {}) {
  try {
    if constexpr (std::is_same_v<T, int>) {
      return run(std::move(main_coro), std::move(options));
    } else {
      run(std::move(main_coro), std::move(options));
      return 0;
    }
  } catch (...) {  // Becomes the exit status.
    return detail::report_main_error();
  }
}

/// The same for a function that returns the coroutine.
template <class F>
  requires std::is_invocable_v<F&> && (!is_coroutine_v<F>)
int run_main(F&& function, RunOptions options = {}) {
  try {
    return run_main(std::invoke(function), std::move(options));
  } catch (...) {  // Becomes the exit status.
    return detail::report_main_error();
  }
}

}  // namespace asyncio

// SPDX-License-Identifier: BSL-1.0
#include "asyncio/threads.hpp"

#include "asyncio/capture.hpp"
#include "asyncio/logging.hpp"
#include "asyncio/timeout.hpp"

#include <cstdio>
#include <string>
#include <system_error>
#include <thread>

namespace asyncio {

namespace detail {

Executor& default_executor(Loop& loop) {
  if (loop.executor_shutdown) throw RuntimeError("Executor shutdown has been called");
  if (!loop.default_executor)
    loop.default_executor = std::make_shared<ThreadPoolExecutor>(default_max_workers(), "asyncio");
  return *loop.default_executor;
}

namespace {

/// A thread that waits for an executor, since the loop must not; left behind if nobody joins it.
class JoiningThread {
 public:
  explicit JoiningThread(std::shared_ptr<Executor> executor) {
    joined_.set_running_or_notify_cancel();
    try {
      thread_ = std::thread([executor = std::move(executor), joined = joined_] {
        try {
          executor->shutdown(true);
          joined.set_result();
        } catch (...) {  // Goes to who awaits the shutdown.
          joined.set_exception(std::current_exception());
        }
      });
    } catch (const std::system_error& error) {
      throw_os_error(error.code().value(), "start a thread to join the default executor");
    }
  }
  ~JoiningThread() {
    if (thread_.joinable()) thread_.detach();
  }
  JoiningThread(const JoiningThread&) = delete;
  JoiningThread& operator=(const JoiningThread&) = delete;

  Future<> joined(const EventLoop& loop) const { return wrap_future(joined_, loop); }
  void join() { thread_.join(); }

 private:
  ConcurrentFuture<> joined_;
  std::thread thread_;
};

std::string not_joined_text(const Executor& executor, Delay limit) {
  char seconds[32];
  std::snprintf(seconds, sizeof seconds, "%g",
                std::chrono::duration<double>(limit.duration()).count());
  std::string text = "The executor did not finishing joining its threads within " +
                     std::string(seconds) + " seconds.";
  std::string names;
  for (const std::string& name : executor.busy_threads())
    names += (names.empty() ? " " : ", ") + name;
  return names.empty() ? text : text + " Still at work:" + names + ".";
}

/// CPython: BaseEventLoop.shutdown_default_executor.
Coro<void> shutdown_default_executor(EventLoop loop, OptionalDelay limit) {
  loop.impl().executor_shutdown = true;
  std::shared_ptr<Executor> executor = loop.impl().default_executor;
  if (!executor) co_return;
  JoiningThread thread(executor);
  Result<void> outcome = co_await capture(wait_for(thread.joined(loop), limit));
  if (limit && outcome.holds<TimeoutError>()) {
    log(LogLevel::warning, not_joined_text(*executor, *limit));
    executor->shutdown(false);
    // CPython keeps it, and a Runner's close would then wait once more for what is stuck.
    loop.impl().default_executor.reset();
    co_return;
  }
  outcome.value();
  thread.join();
}

}  // namespace

}  // namespace detail

void EventLoop::set_default_executor(std::shared_ptr<Executor> executor) {
  if (!executor) throw TypeError("set_default_executor: the executor is null");
  std::shared_ptr<Executor> old = std::exchange(loop_->default_executor, std::move(executor));
  // Nobody else can use it any more, and its end must not block the loop: its calls run on.
  if (old && old.use_count() == 1) old->shutdown(false);
}

Coro<void> EventLoop::shutdown_default_executor(OptionalDelay timeout) {
  return detail::shutdown_default_executor(*this, timeout);  // the handle may die before the await
}

}  // namespace asyncio

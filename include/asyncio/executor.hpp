// SPDX-License-Identifier: BSL-1.0
/// Executors: threads for blocking work.
#pragma once

#include "asyncio/concurrent_future.hpp"
#include "asyncio/detail/core/callable_check.hpp"
#include "asyncio/detail/core/work.hpp"

#include <cstddef>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace asyncio {

/// A call on its way to a thread; what an implementation of Executor gets. Call it in the thread
/// that does the work; a second call does nothing. One that is destroyed without having been called
/// cancels its future.
class Job {
 public:
  explicit Job(std::shared_ptr<detail::Work> work) noexcept : work_(std::move(work)) {}
  Job(Job&&) noexcept = default;
  Job& operator=(Job&& other) noexcept {
    Job old(std::exchange(work_, std::exchange(other.work_, nullptr)));
    return *this;
  }
  ~Job() {
    if (work_) work_->abandon();
  }

  /// Runs the call, unless its future was cancelled, and brings the outcome to the future. Callable
  /// and arguments are destroyed here, before anybody sees the outcome.
  void operator()() noexcept {
    if (std::shared_ptr<detail::Work> work = std::exchange(work_, nullptr)) work->run();
  }

 private:
  std::shared_ptr<detail::Work> work_;
};

/// Runs calls somewhere else than in the loop's thread.
///
/// Thread   any.
/// asyncio  concurrent.futures, Executor Objects
class Executor {
 public:
  Executor(const Executor&) = delete;
  Executor& operator=(const Executor&) = delete;
  virtual ~Executor() = default;

  /// Calls `function(args...)`, both copied or moved, and destroyed in the thread of the call.
  ///
  /// Returns  a ConcurrentFuture of the result.
  /// Throws   RuntimeError after shutdown; OSError if there is no thread and none can be started.
  template <class F, class... Args>
  auto submit(F&& function, Args&&... args) {
    if constexpr (detail::check_job<std::decay_t<F>, std::decay_t<Args>...>()) {
      return ConcurrentFuture<detail::call_result_t<F, Args...>>(detail::submit_work(
          *this, detail::bind_call(std::forward<F>(function), std::forward<Args>(args)...)));
    } else {
      return detail::Refused();
    }
  }

  /// Refuses further calls. With `wait`, returns when the calls have ended and the threads are
  /// joined; else they are left to themselves. With `cancel_futures`, calls that have not begun are
  /// cancelled. May be called several times, also at the same time.
  ///
  /// Throws   RuntimeError if it would wait for the calling thread.
  virtual void shutdown(bool wait = true, bool cancel_futures = false) = 0;

  /// For implementations: sees to it that `job` is called or destroyed, once.
  ///
  /// Throws   RuntimeError("cannot schedule new futures after shutdown").
  virtual void submit_job(Job job) = 0;

  /// The names of the threads that are busy with a call; for reports.
  virtual std::vector<std::string> busy_threads() const { return {}; }

 protected:
  Executor() = default;
};

/// A pool of threads, which are started when they are needed and take calls in the order of
/// submission.
///
/// asyncio  concurrent.futures, ThreadPoolExecutor
class ThreadPoolExecutor final : public Executor {
 public:
  /// min(32, processors + 4) threads at most.
  ThreadPoolExecutor();
  /// Threads are named "prefix_0", "prefix_1", ..., cut to the 15 bytes that Linux keeps; the
  /// default prefix is "ThreadPoolExecutor-N".
  ///
  /// Throws   ValueError if `max_workers` is 0.
  explicit ThreadPoolExecutor(std::size_t max_workers, std::string thread_name_prefix = {});
  /// Waits as shutdown() does; after shutdown(false) it leaves the threads to end by themselves.
  ~ThreadPoolExecutor() override;

  void shutdown(bool wait = true, bool cancel_futures = false) override;
  void submit_job(Job job) override;
  std::vector<std::string> busy_threads() const override;

  /// The number of threads that were started.
  std::size_t thread_count() const;

 private:
  class Pool;
  std::shared_ptr<Pool> pool_;
};

namespace detail {

/// min(32, processors + 4), as in CPython.
std::size_t default_max_workers() noexcept;

template <class Call, class Stop>
auto submit_work(Executor& executor, Call call, Stop stop) {
  using Item = WorkItem<kept_t<std::invoke_result_t<Call&>>, Call, Stop>;
  auto item = std::make_shared<Item>(std::move(call), std::move(stop));
  std::shared_ptr<typename Item::State> state = item;
  executor.submit_job(Job(std::move(item)));
  return state;
}

}  // namespace detail

}  // namespace asyncio

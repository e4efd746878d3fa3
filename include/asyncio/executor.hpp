// SPDX-License-Identifier: BSL-1.0
/// Executors: threads for blocking work.
#pragma once

#include "asyncio/concurrent_future.hpp"
#include "asyncio/detail/core/callable_check.hpp"
#include "asyncio/detail/core/recycler.hpp"

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>

namespace asyncio {

namespace detail {

/// A call on its way to a thread.
class Job {
 public:
  virtual ~Job() = default;
  /// Runs the call, unless it was cancelled, and brings its outcome. The callable and its
  /// arguments are destroyed here, before the outcome is seen.
  virtual void run() noexcept = 0;
  /// The call will not be run.
  virtual void cancel() noexcept = 0;
};

template <class R, class F, class... Args>
class Call final : public Job {
 public:
  template <class G, class... A>
  explicit Call(G&& function, A&&... args)
      : call_(std::in_place, std::forward<G>(function), std::forward<A>(args)...) {}

  const ConcurrentFuture<R>& future() const noexcept { return future_; }

  void run() noexcept override {
    if (!future_.set_running_or_notify_cancel()) return call_.reset();
    try {
      if constexpr (std::is_void_v<R>) {
        invoke();
        call_.reset();
        future_.set_result();
      } else {
        R result = invoke();
        call_.reset();
        future_.set_result(static_cast<R&&>(result));
      }
    } catch (...) {  // The outcome of the call.
      std::exception_ptr error = std::current_exception();
      call_.reset();
      future_.set_exception(std::move(error));
    }
  }

  void cancel() noexcept override {
    call_.reset();
    future_.cancel();
  }

 private:
  R invoke() {
    return std::apply(
        [](F& function, Args&... args) -> R {
          return std::invoke(std::move(function), std::move(args)...);
        },
        *call_);
  }

  std::optional<std::tuple<F, Args...>> call_;
  ConcurrentFuture<R> future_;
};

}  // namespace detail

/// Runs calls somewhere else than in the loop's thread.
///
/// Thread   any.
/// asyncio  concurrent.futures, Executor Objects
class Executor {
 public:
  virtual ~Executor() = default;

  /// Calls `function(args...)`, both copied or moved, and destroyed in the thread of the call.
  ///
  /// Returns  a ConcurrentFuture of the result.
  /// Throws   RuntimeError after shutdown; OSError if there is no thread and none can be started.
  template <class F, class... Args>
  auto submit(F&& function, Args&&... args) {
    if constexpr (detail::check_job<std::decay_t<F>, std::decay_t<Args>...>()) {
      using R = std::invoke_result_t<std::decay_t<F>, std::decay_t<Args>...>;
      auto call = std::make_unique<detail::Call<R, std::decay_t<F>, std::decay_t<Args>...>>(
          std::forward<F>(function), std::forward<Args>(args)...);
      ConcurrentFuture<R> future = call->future();
      submit_job(std::move(call));
      return future;
    } else {
      return detail::Refused();
    }
  }

  /// Refuses further calls. With `wait`, returns when the calls have ended; else they are left to
  /// themselves. With `cancel_futures`, those that have not begun are cancelled.
  virtual void shutdown(bool wait = true, bool cancel_futures = false) = 0;

  /// For implementations: runs or cancels `job`, once, or throws.
  virtual void submit_job(std::unique_ptr<detail::Job> job) = 0;
};

/// A pool of threads that are started when they are needed, and take calls in the order of
/// submission.
///
/// asyncio  concurrent.futures, ThreadPoolExecutor
class ThreadPoolExecutor final : public Executor {
 public:
  /// min(32, processors + 4) threads at most.
  ThreadPoolExecutor();
  /// Throws   ValueError if `max_workers` is 0.
  explicit ThreadPoolExecutor(std::size_t max_workers,
                              std::string thread_name_prefix = "asyncio-pool");
  /// shutdown(), with waiting.
  ~ThreadPoolExecutor() override;

  void shutdown(bool wait = true, bool cancel_futures = false) override;
  void submit_job(std::unique_ptr<detail::Job> job) override;

 private:
  struct Shared;
  void start_thread();

  std::shared_ptr<Shared> shared_;
};

}  // namespace asyncio

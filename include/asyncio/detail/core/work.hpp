// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "asyncio/context.hpp"
#include "asyncio/detail/core/concurrent_state.hpp"
#include "asyncio/result.hpp"

#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <tuple>
#include <type_traits>
#include <utility>

namespace asyncio {

class Executor;

namespace detail {

/// What a thread does with a call: one of the two, once.
class Work {
 public:
  virtual void run() noexcept = 0;
  virtual void abandon() noexcept = 0;

 protected:
  ~Work() = default;
};

/// A function with the arguments that it will be called with, once, as rvalues.
template <class F, class... Args>
class BoundCall {
 public:
  template <class G, class... A>
  explicit BoundCall(std::in_place_t, G&& function, A&&... args)
      : call_(std::forward<G>(function), std::forward<A>(args)...) {}

  decltype(auto) operator()() {
    return std::apply(
        [](F& function, Args&... args) -> decltype(auto) {
          return std::invoke(std::move(function), std::move(args)...);
        },
        call_);
  }

 private:
  std::tuple<F, Args...> call_;
};

template <class F, class... Args>
auto bind_call(F&& function, Args&&... args) {
  return BoundCall<std::decay_t<F>, std::decay_t<Args>...>(std::in_place, std::forward<F>(function),
                                                           std::forward<Args>(args)...);
}

template <class F, class... Args>
using call_result_t = kept_t<std::invoke_result_t<std::decay_t<F>, std::decay_t<Args>...>>;

/// Calls in a context, which changes as the call changes it. The map behind it is counted
/// atomically, so it may end in any thread.
template <class Call>
class ContextCall {
 public:
  ContextCall(ContextSlot context, Call call)
      : context_(std::move(context)), call_(std::move(call)) {}

  decltype(auto) operator()() {
    ContextScope scope(context_);
    return call_();
  }

 private:
  ContextSlot context_;
  Call call_;
};

/// A call that cannot be asked to stop.
class NoStop {
 public:
  void request_stop() const noexcept {}
};

/// A call and the future of its outcome. The future may be held for long, so the callable is
/// destroyed as soon as it has run, or will not.
template <class R, class Call, class Stop>
class WorkItem final : public ConcurrentState<R>, public Work {
 public:
  using State = ConcurrentState<R>;

  WorkItem(Call call, Stop stop) : call_(std::move(call)), stop_(std::move(stop)) {}

  void run() noexcept override {
    // Not pending: cancelled, or somebody else has set an outcome.
    if (!this->begin()) return call_.reset();
    std::exception_ptr error;
    try {
      run_call();
    } catch (...) {  // The outcome of the call.
      error = std::current_exception();
    }
    if (!error) return;
    call_.reset();
    fail(std::move(error));  // outside the catch block: from here on it is the receiver's alone
  }

  void abandon() noexcept override {
    call_.reset();
    this->cancel();
  }

  void request_stop() noexcept override { stop_.request_stop(); }

 private:
  void run_call() {
    if constexpr (std::is_void_v<R>) {
      (*call_)();
      call_.reset();
      this->set_result();
    } else {
      R result = (*call_)();
      call_.reset();
      this->set_result(static_cast<R&&>(result));
    }
  }

  void fail(std::exception_ptr error) noexcept {
    try {
      this->set_exception(std::move(error));
    } catch (const InvalidStateError&) {
      // Somebody else has set the outcome meanwhile: the first one counts.
    }
  }

  std::optional<Call> call_;
  [[no_unique_address]] Stop stop_;
};

/// Gives `call` to `executor`. Returns the state of its future.
template <class Call, class Stop = NoStop>
auto submit_work(Executor& executor, Call call, Stop stop = {});

}  // namespace detail

}  // namespace asyncio

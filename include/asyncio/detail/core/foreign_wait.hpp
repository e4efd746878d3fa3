// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "asyncio/coro.hpp"
#include "asyncio/detail/core/wait.hpp"

#include <atomic>
#include <coroutine>
#include <type_traits>
#include <utility>

namespace asyncio::detail {

/// The coroutine whose handle a foreign awaiter gets: resuming it wakes the task, through the
/// loop's inbox, so that it may happen on any thread.
class ForeignResumer {
 public:
  class promise_type {
   public:
    ForeignResumer get_return_object() noexcept {
      return ForeignResumer(std::coroutine_handle<promise_type>::from_promise(*this));
    }
    std::suspend_always initial_suspend() const noexcept { return {}; }
    std::suspend_always final_suspend() const noexcept { return {}; }
    void return_void() const noexcept {}
    void unhandled_exception() const noexcept {}
  };

  explicit ForeignResumer(std::coroutine_handle<> frame) noexcept : frame_(frame) {}
  ForeignResumer(ForeignResumer&& other) noexcept : frame_(std::exchange(other.frame_, {})) {}
  ForeignResumer& operator=(ForeignResumer&&) = delete;
  ~ForeignResumer() {
    if (frame_) frame_.destroy();
  }
  std::coroutine_handle<> handle() const noexcept { return frame_; }

 private:
  std::coroutine_handle<> frame_;
};

/// Waits for a standard awaiter of another library, which knows nothing of cancellation: a request
/// is remembered and thrown once the awaiter resumes.
class ForeignWaitBase : public Wait, protected Ready {
 public:
  bool cancel(const std::exception_ptr&) final { return false; }
  AwaitableKind kind() const noexcept final { return AwaitableKind::foreign; }

 protected:
  ForeignWaitBase() noexcept : Ready(&ForeignWaitBase::resumed) {}
  ~ForeignWaitBase();
  /// A resumer that posts this node.
  ForeignResumer make_resumer();
  /// Begins to wait, before the foreign awaiter is told: it may resume at once.
  void begin(PromiseBase& promise);
  void undo() noexcept;
  void check();

 private:
  static void resumed(Ready& node);
};

template <class A>
class ForeignWait final : public ForeignWaitBase {
 public:
  explicit ForeignWait(A& awaiter) noexcept : awaiter_(awaiter) {}

  bool await_ready() { return static_cast<bool>(awaiter_.await_ready()); }

  bool await_suspend(PromiseBase& promise) {
    resumer_.emplace(make_resumer());
    begin(promise);
    try {
      return suspend();
    } catch (...) {  // As the standard has it: thrown in the awaiting coroutine, which goes on.
      undo();
      throw;
    }
  }

  decltype(auto) await_resume() {
    check();
    return awaiter_.await_resume();
  }

 private:
  bool suspend() {
    using Suspended = decltype(awaiter_.await_suspend(resumer_->handle()));
    if constexpr (std::is_void_v<Suspended>) {
      awaiter_.await_suspend(resumer_->handle());
    } else if constexpr (std::is_same_v<Suspended, bool>) {
      if (!awaiter_.await_suspend(resumer_->handle())) {
        undo();
        return false;
      }
    } else {
      awaiter_.await_suspend(resumer_->handle()).resume();
    }
    return true;
  }

  A& awaiter_;
  std::optional<ForeignResumer> resumer_;
};

}  // namespace asyncio::detail

// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "asyncio/context.hpp"
#include "asyncio/detail/core/ready.hpp"
#include "asyncio/detail/core/recycler.hpp"
#include "asyncio/detail/core/thread_state.hpp"

#include <atomic>
#include <cstdint>
#include <functional>
#include <optional>
#include <tuple>
#include <typeinfo>
#include <utility>

namespace asyncio::detail {

class Loop;

/// A callback given to call_soon, call_later or call_at; shared by the loop and its Handle, which
/// have a reference each from the beginning.
///
/// The count is a plain number unless the handle was made by call_soon_threadsafe, where two
/// threads hold it.
class HandleState : public Timer, public Recycled {
 public:
  void add_reference() noexcept {
    if (shared_) [[unlikely]]
      std::atomic_ref(references_).fetch_add(1, std::memory_order_relaxed);
    else
      ++references_;
  }
  void drop_reference() noexcept {
    bool last = false;
    // acq_rel: the last of two threads sees what the other did to the callable.
    if (shared_) [[unlikely]]
      last = std::atomic_ref(references_).fetch_sub(1, std::memory_order_acq_rel) == 1;
    else
      last = --references_ == 0;
    if (last) delete this;
  }

  void cancel() noexcept;
  bool cancelled() const noexcept { return cancelled_.load(std::memory_order_relaxed); }
  std::int64_t when() const noexcept { return when_; }
  ContextSlot& context() noexcept { return context_; }
  void make_shared_between_threads() noexcept { shared_ = true; }
  void set_when(std::int64_t when) noexcept { when_ = when; }

 protected:
  HandleState(Loop& loop, ContextSlot context) noexcept
      : Timer(&HandleState::run_callback), loop_(&loop), context_(std::move(context)) {}
  virtual ~HandleState() = default;

  /// Calls the callable in its context unless it is cancelled, destroys it, and drops the loop's
  /// reference.
  virtual void execute() = 0;
  virtual const std::type_info& callable_type() const noexcept = 0;
  /// Destroys the callable, so that a cancelled handle keeps nothing alive.
  virtual void drop() noexcept = 0;

  /// Whether only the caller has a reference, so that nobody can get another one. Acquire: pairs
  /// with the other thread's drop_reference.
  bool unique() noexcept {
    return std::atomic_ref(references_).load(std::memory_order_acquire) == 1;
  }
  void enter() noexcept {
    started_ = true;
    thread_state.context = &context_;
  }
  static void leave() noexcept { thread_state.context = nullptr; }  // the loop itself has none
  /// In a catch block: reports the exception, but throws an interrupt on.
  void failed();

 private:
  friend class Loop;
  static void run_callback(Ready& node) {
    static_cast<HandleState&>(static_cast<Timer&>(node)).execute();
  }
  /// The loop is closing: the callable ends here, not in the thread that drops the last Handle.
  static void discard(Ready& node) noexcept {
    auto& self = static_cast<HandleState&>(static_cast<Timer&>(node));
    self.drop();
    self.drop_reference();
  }

  std::uint32_t references_ = 2;
  bool shared_ = false;
  bool started_ = false;
  std::atomic<bool> cancelled_{false};
  Loop* loop_;
  std::int64_t when_ = 0;
  ContextSlot context_;
};

template <class F, class... Args>
class Callback final : public HandleState {
 public:
  template <class G, class... A>
  Callback(Loop& loop, ContextSlot context, G&& function, A&&... args)
      : HandleState(loop, std::move(context)),
        call_(std::in_place, std::forward<G>(function), std::forward<A>(args)...) {}

 private:
  /// Does what is to be done after the call, whatever it threw.
  struct Ending {
    [[gnu::always_inline]] ~Ending() {
      handle.leave();
      if (handle.unique()) [[likely]] {
        delete &handle;
      } else {
        handle.call_.reset();
        handle.drop_reference();
      }
    }
    Callback& handle;
  };

  void execute() override {
    Ending ending{*this};
    if (cancelled()) [[unlikely]]
      return;
    enter();
    try {
      std::apply([](auto& function,
                    auto&... args) { (void)std::invoke(std::move(function), std::move(args)...); },
                 *call_);
    } catch (...) {  // Goes to the exception handler; an interrupt is thrown on.
      failed();
    }
  }
  const std::type_info& callable_type() const noexcept override { return typeid(F); }
  void drop() noexcept override { call_.reset(); }

  std::optional<std::tuple<F, Args...>> call_;
};

}  // namespace asyncio::detail

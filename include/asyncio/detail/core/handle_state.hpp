// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "asyncio/context.hpp"
#include "asyncio/detail/core/ready.hpp"
#include "asyncio/detail/core/recycler.hpp"
#include "asyncio/detail/core/thread_state.hpp"

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <source_location>
#include <tuple>
#include <typeinfo>
#include <utility>

namespace asyncio::detail {

class Loop;

/// Where a callback was scheduled, and its context. A class of its own, since one that has virtual
/// functions and something to destroy says which class it still is.
struct Scheduled {
  Scheduled(ContextSlot context, std::source_location where) noexcept
      : context_(std::move(context)), where_(where) {}

  ContextSlot context_;
  std::source_location where_;
};

/// A callback given to call_soon, call_later or call_at; shared by the loop and its Handle, which
/// have a reference each from the beginning.
///
/// The count is a plain number unless the handle was made by call_soon_threadsafe, where two
/// threads hold it.
class HandleState : public Recycled, protected Scheduled {
 public:
  HandleState(const HandleState&) = delete;
  HandleState& operator=(const HandleState&) = delete;

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
  ContextSlot& context() noexcept { return context_; }
  void make_shared_between_threads() noexcept { shared_ = true; }
  virtual const std::type_info& callable_type() const noexcept = 0;
  /// Where it was scheduled.
  std::source_location where() const noexcept { return where_; }

  /// The handle that `node` is, or null.
  static HandleState* of(Ready& node) noexcept;
  /// The loop is closing: the callable ends here, not in the thread that drops the last Handle.
  void discard() noexcept {
    drop_callable();
    drop_reference();
  }

 protected:
  HandleState(ContextSlot context, std::source_location where) noexcept
      : Scheduled(std::move(context), where) {}
  virtual ~HandleState() = default;

  /// Calls the callable in its context unless it is cancelled, destroys it, and drops the loop's
  /// reference.
  virtual void execute() = 0;
  /// Destroys the callable if there still is one, so that a cancelled handle keeps nothing alive.
  virtual void drop_callable() noexcept = 0;
  /// Takes it off the clock; false if it was not on it.
  virtual bool disarm() noexcept { return false; }

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
  std::uint32_t references_ = 2;
  bool shared_ = false;
  bool started_ = false;
  std::atomic<bool> cancelled_{false};

 protected:
  bool has_callable_ = false;
};

/// Of call_soon: no larger than it has to be, since there may be very many.
class SoonState : public HandleState, public Ready {
 protected:
  SoonState(Loop&, ContextSlot context, std::source_location where) noexcept
      : HandleState(std::move(context), where), Ready(&SoonState::run_callback, Later::linked) {}

 private:
  friend class HandleState;
  static void run_callback(Ready& node) { static_cast<SoonState&>(node).execute(); }
};

/// Of call_later and call_at.
class TimerState : public HandleState, public Timer {
 public:
  std::int64_t when() const noexcept { return when_; }
  void set_when(std::int64_t when) noexcept { when_ = when; }

 protected:
  TimerState(Loop& loop, ContextSlot context, std::source_location where) noexcept
      : HandleState(std::move(context), where), Timer(&TimerState::run_callback), loop_(&loop) {}

 private:
  friend class HandleState;
  static void run_callback(Ready& node) {
    static_cast<TimerState&>(static_cast<Timer&>(node)).execute();
  }
  bool disarm() noexcept final;

  Loop* loop_;
  std::int64_t when_ = 0;
};

template <class State, class F, class... Args>
class Callback final : public State {
 public:
  template <class G, class... A>
  Callback(Loop& loop, ContextSlot context, std::source_location where, G&& function, A&&... args)
      : State(loop, std::move(context), where) {
    std::construct_at(&call_, std::forward<G>(function), std::forward<A>(args)...);
    this->has_callable_ = true;
  }
  ~Callback() override { drop_callable(); }

 private:
  using State::has_callable_;

  /// Does what is to be done after the call, whatever it threw.
  struct Ending {
    [[gnu::always_inline]] ~Ending() {
      handle.leave();
      if (handle.unique()) [[likely]]
        delete &handle;
      else
        handle.discard();
    }
    Callback& handle;
  };

  void execute() override {
    Ending ending{*this};
    if (this->cancelled()) [[unlikely]]
      return;
    this->enter();
    try {
      std::apply([](auto& function,
                    auto&... args) { (void)std::invoke(std::move(function), std::move(args)...); },
                 call_);
    } catch (...) {  // Goes to the exception handler; an interrupt is thrown on.
      this->failed();
    }
  }
  const std::type_info& callable_type() const noexcept override { return typeid(F); }
  void drop_callable() noexcept override {
    if (std::exchange(has_callable_, false)) std::destroy_at(&call_);
  }

  union {
    std::tuple<F, Args...> call_;
  };
};

}  // namespace asyncio::detail

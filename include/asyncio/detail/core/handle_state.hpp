// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "asyncio/context.hpp"
#include "asyncio/detail/core/ready.hpp"
#include "asyncio/detail/core/recycler.hpp"

#include <atomic>
#include <cstdint>
#include <functional>
#include <optional>
#include <tuple>
#include <utility>

namespace asyncio::detail {

class Loop;

/// A callback given to call_soon, call_later or call_at; shared by the loop and its Handle.
///
/// The count is changed with plain loads and stores unless the handle was made by
/// call_soon_threadsafe, where two threads hold it.
class HandleState : public Timer, public Recycled {
 public:
  void add_reference() noexcept {
    if (shared_)
      references_.fetch_add(1, std::memory_order_relaxed);
    else
      references_.store(references_.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
  }
  void drop_reference() noexcept;

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

  virtual void invoke() = 0;
  /// Destroys the callable, so that a cancelled handle keeps nothing alive.
  virtual void drop() noexcept = 0;

 private:
  friend class Loop;
  static void run_callback(Ready& node);

  std::atomic<std::uint32_t> references_{1};
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
  void invoke() override {
    std::apply([](auto& function,
                  auto&... args) { (void)std::invoke(std::move(function), std::move(args)...); },
               *call_);
  }
  void drop() noexcept override { call_.reset(); }

  std::optional<std::tuple<F, Args...>> call_;
};

}  // namespace asyncio::detail

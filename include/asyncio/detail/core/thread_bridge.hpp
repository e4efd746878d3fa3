// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "asyncio/concurrent_future.hpp"
#include "asyncio/context.hpp"
#include "asyncio/detail/core/combinator.hpp"
#include "asyncio/detail/core/loop.hpp"
#include "asyncio/detail/core/posted.hpp"
#include "asyncio/detail/core/recycler.hpp"
#include "asyncio/task.hpp"

#include <atomic>
#include <memory>
#include <source_location>
#include <type_traits>
#include <utility>

namespace asyncio::detail {

/// What a future of a loop and a ConcurrentFuture have in common while one follows the other.
///
/// Futures of a loop are not counted atomically: only its thread may touch one, or let go of it. So
/// a bridge has two sides that share nothing but a count. The loop's side is what the loop's thread
/// uses, and lets go of at the latest when the loop closes. The other side is used by the thread
/// that ends the ConcurrentFuture, which then gives it to the loop by posting the bridge, or, if
/// the loop is closed, lets go of it. Who lets go of the last side frees the bridge.
class Bridge : public Posted, public Combinator, public ConcurrentObserver, public Recycled {
 protected:
  explicit Bridge(Loop& loop) : loop_(loop.shared_from_this()) {}
  virtual ~Bridge() = default;

  void set_loop(Loop& loop) { loop_ = loop.shared_from_this(); }

  void add_side() noexcept { sides_.fetch_add(1, std::memory_order_relaxed); }
  /// Acquire and release: who frees the bridge sees what the other side did to it.
  void drop_side() noexcept {
    if (sides_.fetch_sub(1, std::memory_order_acq_rel) == 1) delete this;
  }
  /// Gives a side to the loop, which must not be asked for any more; false if it is closed.
  bool post() noexcept;

 private:
  std::atomic<int> sides_{1};
  std::shared_ptr<Loop> loop_;  // the other side's, until it has posted: no circle with the inbox
};

/// A future of a loop that follows a ConcurrentFuture. CPython: asyncio/futures.py, _chain_future
/// from a concurrent future to one of asyncio.
class IncomingBridge : public Bridge {
 public:
  using Source = std::shared_ptr<ConcurrentStateBase>;

  /// The last step of making one; it owns itself from then on.
  void begin();

 protected:
  IncomingBridge(Loop& loop, Source source, Ref<FutureState> destination);

  /// Gives the value of `source`, which has one, to `destination`, which is pending.
  virtual void give(ConcurrentStateBase& source, FutureState& destination) = 0;
  /// The exception of `source`, null if there is none.
  virtual std::exception_ptr error_of(ConcurrentStateBase& source) = 0;

 private:
  struct DestinationDone : Ready {
    explicit DestinationDone(IncomingBridge& owner) noexcept;
    IncomingBridge& bridge;
  };

  void ended(ConcurrentStateBase& source) noexcept final;
  void forsaken() noexcept final;
  void arrived() final;
  void discarded() noexcept final;
  void loop_closing() noexcept final;
  void destination_done() noexcept;
  void settle(ConcurrentStateBase& outcome, FutureState& destination);
  void drop_loop_side() noexcept;

  // The loop's side.
  Source source_;
  Ref<FutureState> destination_;
  DestinationDone destination_done_;
  // The other side.
  Source outcome_;
};

/// With `Exclusive` nobody else can ask for the outcome, so it is moved.
template <class T, bool Exclusive>
class TypedIncomingBridge final : public IncomingBridge {
 public:
  TypedIncomingBridge(Loop& loop, Source source, Ref<FutureState> destination)
      : IncomingBridge(loop, std::move(source), std::move(destination)) {}

 private:
  void give(ConcurrentStateBase& source, FutureState& destination) override {
    auto& typed = static_cast<ConcurrentState<T>&>(source);
    auto& target = static_cast<ValueFuture<T>&>(destination);
    if constexpr (std::is_void_v<T>)
      target.set_result();
    else if constexpr (Exclusive)
      target.set_result(typed.take());
    else
      target.set_result(typed.value());
  }
  std::exception_ptr error_of(ConcurrentStateBase& source) override {
    return Exclusive ? source.take_error() : source.error();
  }
};

template <bool Exclusive, class T>
Future<T> follow(Loop& loop, std::shared_ptr<ConcurrentState<T>> source,
                 std::source_location where) {
  auto future = Ref<FutureState>::adopt(new ValueFuture<T>(loop, where));
  auto* bridge = new TypedIncomingBridge<T, Exclusive>(loop, std::move(source), future);
  bridge->begin();
  return Future<T>(std::move(future));
}

/// A ConcurrentFuture that follows a task of a loop, which another thread has asked for. CPython:
/// asyncio/tasks.py, run_coroutine_threadsafe, and _chain_future from asyncio to a concurrent
/// future.
class OutgoingBridge : public Bridge {
 public:
  using Destination = std::shared_ptr<ConcurrentStateBase>;

  /// Asks the loop to start; the last step of making one. Throws RuntimeError if it is closed.
  /// Thread   any.
  static void submit(std::unique_ptr<OutgoingBridge> bridge);
  ~OutgoingBridge() override = default;

 protected:
  OutgoingBridge(Loop& loop, Destination destination);

  virtual Ref<FutureState> make_task(Loop& loop) = 0;
  /// The task will not be made.
  virtual void drop_coroutine() noexcept = 0;
  /// Moves the value of `task`, which has one, to `destination`.
  virtual void give(FutureState& task, ConcurrentStateBase& destination) = 0;

 private:
  enum class Phase : unsigned char { submitted, started, ended };
  struct TaskDone : Ready {
    explicit TaskDone(OutgoingBridge& owner) noexcept;
    OutgoingBridge& bridge;
  };

  void ended(ConcurrentStateBase& destination) noexcept final;
  void forsaken() noexcept final;
  void arrived() final;
  void discarded() noexcept final;
  void loop_closing() noexcept final;
  void start();
  void task_done() noexcept;
  void settle() noexcept;
  void refuse(std::exception_ptr error) noexcept;
  void drop_loop_side() noexcept;

  // The loop's side; the submitting thread's until it has posted.
  Phase phase_ = Phase::submitted;
  ContextSlot context_;  // of the submitting thread: the task begins with a copy
  Destination destination_;
  Ref<FutureState> task_;
  TaskDone task_done_;
};

template <class T>
class TypedOutgoingBridge final : public OutgoingBridge {
 public:
  TypedOutgoingBridge(Loop& loop, std::shared_ptr<ConcurrentState<T>> destination, Coro<T> coro,
                      std::source_location where)
      : OutgoingBridge(loop, std::move(destination)), coro_(std::move(coro)), where_(where) {}

 private:
  Ref<FutureState> make_task(Loop& loop) override {
    return spawn(loop, TaskOptions(), std::move(coro_), where_).state();
  }
  void drop_coroutine() noexcept override { Coro<T> dropped = std::move(coro_); }

  void give(FutureState& task, ConcurrentStateBase& destination) override {
    auto& target = static_cast<ConcurrentState<T>&>(destination);
    if constexpr (std::is_void_v<T>)
      target.set_result();
    else
      target.set_result(static_cast<T&&>(slot_of<T>(task).get()));
  }

  Coro<T> coro_;
  std::source_location where_;
};

}  // namespace asyncio::detail

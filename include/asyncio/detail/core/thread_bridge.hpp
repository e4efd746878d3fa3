// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "asyncio/concurrent_future.hpp"
#include "asyncio/detail/core/combinator.hpp"
#include "asyncio/detail/core/loop.hpp"
#include "asyncio/eventloop.hpp"
#include "asyncio/task.hpp"

#include <memory>
#include <optional>
#include <type_traits>
#include <utility>

namespace asyncio::detail {

/// Brings the outcome of a ConcurrentFuture to a future of a loop. Order: asyncio/futures.py,
/// _chain_future.
///
/// Shared by the thread that ends the work, which only posts it, and the loop's thread, which alone
/// touches the future: on delivery, or when the loop closes first. Futures are not counted
/// atomically, so nobody else may let go of one.
class Delivery : public Combinator, public std::enable_shared_from_this<Delivery> {
 public:
  Delivery(Loop& loop, Ref<FutureState> future);
  virtual ~Delivery() = default;

  /// Called by the thread that ended the work.
  void post() noexcept;

 protected:
  /// Gives the outcome to the future, which is pending.
  virtual void give(FutureState& future) = 0;

 private:
  void arrive();
  void loop_closing() noexcept override;

  EventLoop loop_;
  Ref<FutureState> future_;
};

template <class T>
class TypedDelivery final : public Delivery {
 public:
  TypedDelivery(Loop& loop, Ref<FutureState> future, ConcurrentFuture<T> source)
      : Delivery(loop, std::move(future)), source_(std::move(source)) {}

 private:
  void give(FutureState& future) override {
    if (source_.cancelled()) return future.set_cancelled(nullptr);
    if (std::exception_ptr error = source_.state()->error()) return future.set_exception(error);
    auto& target = static_cast<ValueFuture<T>&>(future);
    if constexpr (std::is_void_v<T>)
      target.set_result();
    else if constexpr (std::is_reference_v<T> || std::is_copy_constructible_v<T>)
      target.set_result(source_.state()->copy());
    else
      target.set_result(source_.state()->take());
  }

  ConcurrentFuture<T> source_;
};

/// A future of a loop that stands for a ConcurrentFuture: its cancellation is passed on.
template <class T>
class WrappedFuture final : public ValueFuture<T> {
 public:
  WrappedFuture(Loop& loop, ConcurrentFuture<T> source)
      : ValueFuture<T>(loop), source_(std::move(source)) {}
  bool cancel(const std::exception_ptr& reason) override {
    if (!ValueFuture<T>::cancel(reason)) return false;
    source_.cancel();
    return true;
  }

 private:
  ConcurrentFuture<T> source_;
};

template <class T>
Future<T> wrap_concurrent(Loop& loop, ConcurrentFuture<T> source) {
  auto future = Ref<FutureState>::adopt(new WrappedFuture<T>(loop, source));
  auto delivery = std::make_shared<TypedDelivery<T>>(loop, future, source);
  source.state()->add_done_callback([delivery] { delivery->post(); });
  return Future<T>(std::move(future));
}

/// A task that another thread started, for its ConcurrentFuture. Touched by the loop's thread only,
/// but for its count.
class RemoteTask final : public Combinator {
 public:
  void hold(TaskHandle task);
  void cancel();
  void let_go() noexcept;

 private:
  void loop_closing() noexcept override { task_.reset(); }
  std::optional<TaskHandle> task_;
};

template <class T>
void pass_outcome(Task<T>& task, const ConcurrentFuture<T>& target) {
  if (!target.set_running_or_notify_cancel()) return;
  try {
    if constexpr (std::is_void_v<T>) {
      task.result();
      target.set_result();
    } else if constexpr (std::is_reference_v<T> || std::is_copy_constructible_v<T>) {
      target.set_result(task.result());
    } else {
      task.result();
      target.set_result(std::move(slot_of<T>(*task.state()).get()));
    }
  } catch (...) {  // The outcome.
    target.set_exception(std::current_exception());
  }
}

/// In the loop's thread: makes the task that another thread asked for.
template <class T>
void start_remote(Loop& loop, Coro<T> coro, ConcurrentFuture<T> target) {
  auto remote = std::make_shared<RemoteTask>();
  try {
    Task<T> task = spawn(loop, TaskOptions(), std::move(coro), std::source_location());
    remote->hold(task);
    loop.add_combinator(*remote);
    task.add_done_callback([remote, target](Task<T> ended) {
      remote->let_go();
      if (ended.cancelled())
        target.cancel();
      else
        pass_outcome(ended, target);
    });
  } catch (...) {  // No task could be made.
    if (target.set_running_or_notify_cancel()) target.set_exception(std::current_exception());
    return;
  }
  target.state()->add_done_callback([remote, target, home = loop.handle()]() mutable {
    if (!target.cancelled()) return;
    try {
      home.call_soon_threadsafe([remote] { remote->cancel(); });
    } catch (const RuntimeError&) {
      // The loop is closed, and the task gone with it.
    }
  });
}

}  // namespace asyncio::detail

// SPDX-License-Identifier: BSL-1.0
#include "asyncio/threads.hpp"

#include "asyncio/logging.hpp"
#include "asyncio/shield.hpp"
#include "asyncio/timeout.hpp"

#include <thread>

namespace asyncio {

namespace detail {

Delivery::Delivery(Loop& loop, Ref<FutureState> future)
    : loop_(loop.handle()), future_(std::move(future)) {
  loop.add_combinator(*this);
  loop.poller().external_work(+1);
}

void Delivery::post() noexcept {
  try {
    loop_.call_soon_threadsafe([self = shared_from_this()] { self->arrive(); });
  } catch (const RuntimeError&) {
    // The loop is closed: it has let go of the future, and nobody asks for the outcome.
  }
}

void Delivery::arrive() {
  Combinator::unlink();
  loop_.impl().poller().external_work(-1);
  Ref<FutureState> future = std::move(future_);
  if (!future || future->done()) return;
  try {
    give(*future);
  } catch (...) {  // The value could not be copied: the awaiter gets that error instead.
    future->set_exception(std::current_exception());
  }
}

void Delivery::loop_closing() noexcept { future_ = nullptr; }

void RemoteTask::hold(TaskHandle task) { task_.emplace(std::move(task)); }

void RemoteTask::cancel() {
  if (task_) task_->cancel();
}

void RemoteTask::let_go() noexcept {
  Combinator::unlink();
  task_.reset();
}

Executor& default_executor(Loop& loop) {
  if (loop.executor_shutdown) throw RuntimeError("Executor shutdown has been called");
  if (!loop.default_executor) loop.default_executor = std::make_shared<ThreadPoolExecutor>();
  return *loop.default_executor;
}

}  // namespace detail

void EventLoop::set_default_executor(std::shared_ptr<Executor> executor) {
  if (!executor) throw TypeError("set_default_executor: the executor is null");
  loop_->default_executor = std::move(executor);
}

/// CPython: BaseEventLoop.shutdown_default_executor.
Coro<void> EventLoop::shutdown_default_executor(OptionalDelay timeout) {
  EventLoop self = *this;
  self.impl().executor_shutdown = true;
  std::shared_ptr<Executor> executor = self.impl().default_executor;
  if (!executor) co_return;
  ConcurrentFuture<void> joined;
  Future<> done = wrap_future(joined, self);
  std::thread joiner([executor, joined] {
    executor->shutdown(true);
    joined.set_result();
  });
  auto outcome = co_await capture(wait_for(shield(done), timeout));
  if (outcome) {
    joiner.join();
    co_return;
  }
  joiner.detach();
  executor->shutdown(false);
  if (!outcome.holds<TimeoutError>()) outcome.rethrow();
  double seconds = std::chrono::duration<double>(timeout->duration()).count();
  log(LogLevel::warning, "The executor did not finishing joining its threads within " +
                             std::to_string(seconds) + " seconds.");
}

}  // namespace asyncio

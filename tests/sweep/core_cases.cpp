// SPDX-License-Identifier: BSL-1.0
#include "sweep_case.hpp"

#include <chrono>
#include <coroutine>
#include <optional>
#include <stdexcept>
#include <vector>

namespace sweep {

using namespace asyncio;
using namespace std::chrono_literals;

void require(bool condition, const char* what) {
  if (!condition) throw std::logic_error(what);
}

namespace {

class Coroutine final : public Case {
 public:
  Coro<> operation() override { co_await inner(); }
  void complete() override { gate_.set(); }
  Coro<> use_again() override {
    complete();
    co_await inner();
  }

 private:
  Coro<> inner() { co_await gate_.wait(); }
  Event gate_;
};

class FutureCase final : public Case {
 public:
  Coro<> operation() override { require(co_await future_ == 7, "wrong value"); }
  void complete() override {
    if (!future_.done()) future_.set_result(7);
  }
  Coro<> use_again() override {
    complete();
    auto outcome = co_await capture(future_);
    require(outcome ? outcome.value() == 7 : outcome.cancelled(), "the future lost its outcome");
  }

 private:
  Future<int> future_ = get_running_loop().create_future<int>();
};

class Sleep final : public Case {
 public:
  Coro<> operation() override { co_await sleep(1h); }
  void complete() override {}
  Coro<> use_again() override { co_await sleep(1h); }
};

class LockCase final : public Case {
 public:
  Coro<> prepare() override { co_await lock_.acquire(); }
  Coro<> operation() override {
    co_await lock_.acquire();
    lock_.release();
  }
  void complete() override {
    if (std::exchange(held_, false)) lock_.release();
  }
  Coro<> use_again() override {
    complete();
    co_await lock_.acquire();
    require(lock_.locked(), "acquired but not locked");
    lock_.release();
    require(!lock_.locked(), "the lock stays locked");
  }

 private:
  Lock lock_;
  bool held_ = true;
};

class EventCase final : public Case {
 public:
  Coro<> operation() override { co_await event_.wait(); }
  void complete() override { event_.set(); }
  Coro<> use_again() override {
    complete();
    co_await event_.wait();
  }

 private:
  Event event_;
};

class ConditionCase final : public Case {
 public:
  Coro<> operation() override {
    co_await with(condition_, [this]() -> Coro<> {
      co_await condition_.wait();
      require(condition_.locked(), "wait() returned without the lock");
    });
  }
  void complete() override {
    if (!done_) notifier_.emplace(create_task(notify()));
    done_ = true;
  }
  Coro<> use_again() override {
    complete();
    co_await *notifier_;
    co_await with(condition_, [] {});
    require(!condition_.locked(), "the lock stays locked");
  }

 private:
  Coro<> notify() {
    co_await with(condition_, [this] { condition_.notify_all(); });
  }
  Condition condition_;
  bool done_ = false;
  std::optional<Task<>> notifier_;
};

class SemaphoreCase final : public Case {
 public:
  Coro<> operation() override {
    co_await semaphore_.acquire();
    semaphore_.release();
  }
  void complete() override {
    if (std::exchange(held_, false)) semaphore_.release();
  }
  Coro<> use_again() override {
    complete();
    co_await semaphore_.acquire();
    require(semaphore_.locked(), "there is one permit too many");
    semaphore_.release();
    require(!semaphore_.locked(), "the permit is lost");
  }

 private:
  Semaphore semaphore_{0};
  bool held_ = true;
};

class QueueGet final : public Case {
 public:
  Coro<> operation() override { got_ = co_await queue_.get(); }
  void complete() override {
    if (!std::exchange(put_, true)) queue_.put_nowait(7);
  }
  Coro<> use_again() override {
    complete();
    if (!got_) got_ = co_await queue_.get();
    require(got_ == 7 && queue_.empty(), "the item is lost or doubled");
  }

 private:
  Queue<int> queue_;
  bool put_ = false;
  std::optional<int> got_;
};

class QueuePut final : public Case {
 public:
  Coro<> prepare() override { co_await queue_.put(1); }
  Coro<> operation() override {
    co_await queue_.put(2);
    stored_ = true;
  }
  void complete() override {
    if (!std::exchange(taken_, true)) require(queue_.get_nowait() == 1, "not the first item");
  }
  Coro<> use_again() override {
    complete();
    require(queue_.qsize() == (stored_ ? 1 : 0), "an item is lost or doubled");
    if (stored_) require(queue_.get_nowait() == 2, "not the second item");
    co_await queue_.put(3);
    require(co_await queue_.get() == 3, "not the third item");
  }

 private:
  Queue<int> queue_{1};
  bool taken_ = false;
  bool stored_ = false;
};

class QueueJoin final : public Case {
 public:
  Coro<> prepare() override {
    co_await queue_.put(1);
    queue_.get_nowait();
  }
  Coro<> operation() override { co_await queue_.join(); }
  void complete() override {
    if (!std::exchange(done_, true)) queue_.task_done();
  }
  Coro<> use_again() override {
    complete();
    co_await queue_.join();
  }

 private:
  Queue<int> queue_;
  bool done_ = false;
};

class Wait final : public Case {
 public:
  Coro<> operation() override { co_await wait(futures_); }
  void complete() override {
    for (auto& future : futures_)
      if (!future.done()) future.set_result();
  }
  Coro<> use_again() override {
    complete();
    auto result = co_await wait(futures_);
    require(result.done.size() == 2, "a future is lost");
    for (auto& future : futures_) require(!future.cancelled(), "wait() cancelled a future");
  }

 private:
  static Future<> make() { return get_running_loop().create_future(); }
  std::vector<Future<>> futures_{make(), make()};
};

class AsCompletedCase final : public Case {
 public:
  Coro<> operation() override {
    auto next = co_await completed_.next();
    taken_ = next.has_value();
  }
  void complete() override {
    if (!future_.done()) future_.set_result(7);
  }
  Coro<> use_again() override {
    complete();
    require(co_await future_ == 7, "the future lost its value");
  }

 private:
  Future<int> future_ = get_running_loop().create_future<int>();
  AsCompleted<Future<int>> completed_ = as_completed(std::vector<Future<int>>{future_});
  bool taken_ = false;
};

class TaskGroupExit final : public Case {
 public:
  Coro<> operation() override {
    auto body = [this](TaskGroup& group) {
      group.create_task(child());
      group.create_task(child());
    };
    co_await with(TaskGroup(), body);
    require(running_ == 0, "the group ended before a child did");
  }
  void complete() override { gate_.set(); }
  Coro<> use_again() override {
    require(running_ == 0, "a child outlived its group");
    complete();
    co_await operation();
  }

 private:
  Coro<> child() {
    ++running_;
    auto waited = co_await capture(gate_.wait());
    --running_;
    if (!waited) waited.rethrow();
  }
  Event gate_;
  int running_ = 0;
};

class GeneratorNext final : public Case {
 public:
  Coro<> operation() override {
    auto item = co_await items_.next();
    require(item == 7, "wrong item");
    got_ = true;
  }
  void complete() override { gate_.set(); }
  Coro<> use_again() override {
    complete();
    auto item = co_await items_.next();
    require(!item, "the generator goes on after its end");
  }

 private:
  static AsyncGenerator<int> generate(Event* gate) {
    co_await gate->wait();
    co_yield 7;
  }
  Event gate_;
  AsyncGenerator<int> items_ = generate(&gate_);
  bool got_ = false;
};

/// An awaiter of another library: all it knows is the handle.
struct ForeignAwaiter {
  explicit ForeignAwaiter(std::coroutine_handle<>& place) noexcept : waiting(place) {}
  bool await_ready() const noexcept { return false; }
  void await_suspend(std::coroutine_handle<> frame) noexcept { waiting = frame; }
  void await_resume() const noexcept {}
  std::coroutine_handle<>& waiting;
};

class Foreign final : public Case {
 public:
  Coro<> operation() override { co_await ForeignAwaiter(waiting_); }
  void complete() override {
    if (auto frame = std::exchange(waiting_, {})) frame.resume();
  }
  Coro<> use_again() override {
    complete();
    auto task = create_task(operation());
    co_await sleep(0s);
    complete();
    co_await task;
  }
  bool ends_at_once() const override { return false; }

 private:
  std::coroutine_handle<> waiting_;
};

}  // namespace

std::unique_ptr<Case> make_case(asyncio::detail::AwaitableKind kind) {
  using Kind = asyncio::detail::AwaitableKind;
  switch (kind) {
    case Kind::coroutine:
      return std::make_unique<Coroutine>();
    case Kind::future:
      return std::make_unique<FutureCase>();
    case Kind::sleep:
      return std::make_unique<Sleep>();
    case Kind::lock_acquire:
      return std::make_unique<LockCase>();
    case Kind::event_wait:
      return std::make_unique<EventCase>();
    case Kind::condition_wait:
      return std::make_unique<ConditionCase>();
    case Kind::semaphore_acquire:
      return std::make_unique<SemaphoreCase>();
    case Kind::queue_get:
      return std::make_unique<QueueGet>();
    case Kind::queue_put:
      return std::make_unique<QueuePut>();
    case Kind::queue_join:
      return std::make_unique<QueueJoin>();
    case Kind::wait:
      return std::make_unique<Wait>();
    case Kind::as_completed_next:
      return std::make_unique<AsCompletedCase>();
    case Kind::task_group_exit:
      return std::make_unique<TaskGroupExit>();
    case Kind::generator_next:
      return std::make_unique<GeneratorNext>();
    case Kind::foreign:
      return std::make_unique<Foreign>();
    case Kind::operation:
      return make_connect();
    case Kind::stream_read:
      return make_stream_read();
    case Kind::stream_drain:
      return make_stream_drain();
    case Kind::stream_wait_closed:
      return make_stream_wait_closed();
    case Kind::server_wait_closed:
      return make_server_wait_closed();
    case Kind::resolve:
      return make_resolve();
    case Kind::tls_handshake:
      return make_tls_handshake();
    case Kind::process_wait:
      return make_process_wait();
    case Kind::count:
      break;
  }
  throw std::logic_error("not an awaitable");
}

}  // namespace sweep

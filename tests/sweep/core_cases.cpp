// SPDX-License-Identifier: BSL-1.0
#include "asyncio/testing/simulated.hpp"
#include "sweep_case.hpp"

#include <chrono>
#include <coroutine>
#include <optional>
#include <utility>
#include <vector>

namespace sweep {

using namespace asyncio;
using namespace std::chrono_literals;

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
  Coro<> operation() override { co_await sleep(5ms); }
  void complete() override { asyncio::testing::block_for(5ms); }
  Coro<> use_again() override { co_await sleep(5ms); }
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

class QueueGet final : public ItemOfQueue {
 public:
  Coro<> operation() override { got_ = co_await queue_.get(); }
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
    begun_ = true;
    auto item = co_await items_.next();
    require(item == 7, "wrong item");
  }
  void complete() override { gate_.set(); }
  Coro<> use_again() override {
    complete();
    auto item = co_await items_.next();
    require(begun_ ? !item : item == 7, "the generator goes on after its end, or did not begin");
  }

 private:
  static AsyncGenerator<int> generate(Event* gate) {
    co_await gate->wait();
    co_yield 7;
  }
  Event gate_;
  AsyncGenerator<int> items_ = generate(&gate_);
  bool begun_ = false;
};

/// An awaiter of another library: all it knows is the handle.
struct ForeignAwaiter {
  explicit ForeignAwaiter(std::coroutine_handle<>& place) noexcept : waiting(place) {}
  ForeignAwaiter(const ForeignAwaiter&) = delete;
  ForeignAwaiter& operator=(const ForeignAwaiter&) = delete;
  bool await_ready() const noexcept { return false; }
  void await_suspend(std::coroutine_handle<> frame) noexcept { waiting = frame; }
  void await_resume() const noexcept {}
  ~ForeignAwaiter() { waiting = {}; }
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

constexpr Entry kEntries[] = {
    {"coroutine", AwaitableKind::coroutine, make<Coroutine>},
    {"future", AwaitableKind::future, make<FutureCase>},
    {"sleep", AwaitableKind::sleep, make<Sleep>},
    {"lock_acquire", AwaitableKind::lock_acquire, make<LockCase>},
    {"event_wait", AwaitableKind::event_wait, make<EventCase>},
    {"condition_wait", AwaitableKind::condition_wait, make<ConditionCase>},
    {"semaphore_acquire", AwaitableKind::semaphore_acquire, make<SemaphoreCase>},
    {"queue_get", AwaitableKind::queue_get, make<QueueGet>},
    {"queue_put", AwaitableKind::queue_put, make<QueuePut>},
    {"queue_join", AwaitableKind::queue_join, make<QueueJoin>},
    {"wait", AwaitableKind::wait, make<Wait>},
    {"as_completed_next", AwaitableKind::as_completed_next, make<AsCompletedCase>},
    {"task_group_exit", AwaitableKind::task_group_exit, make<TaskGroupExit>},
    {"generator_next", AwaitableKind::generator_next, make<GeneratorNext>},
    {"foreign", AwaitableKind::foreign, make<Foreign>},
};
static_assert(cover(kEntries, AwaitableKind::coroutine, AwaitableKind::operation));

}  // namespace

std::span<const Entry> core_entries() { return kEntries; }

}  // namespace sweep

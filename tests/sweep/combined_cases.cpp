// SPDX-License-Identifier: BSL-1.0
// What is made of several awaits, where there is more than one suspension to cancel at.
#include "sweep_case.hpp"

#include <chrono>
#include <mutex>
#include <optional>
#include <utility>

namespace sweep {

using namespace asyncio;
using namespace std::chrono_literals;

namespace {

Coro<int> get(Queue<int>* queue) { co_return co_await queue->get(); }
Coro<int> get_wait_for(Queue<int>* queue) { co_return co_await wait_for(get(queue), 24h); }
Coro<int> get_in_timeout(Queue<int>* queue) {
  int item = 0;
  co_await with(timeout(24h), [&]() -> Coro<> { item = co_await queue->get(); });
  co_return item;
}
Coro<int> get_next(Queue<int>* queue) {
  auto item = co_await queue->next();
  co_return *item;
}
Coro<int> get_in_exit_stack(Queue<int>* queue) {
  int item = 0;
  co_await with(AsyncExitStack(), [&](AsyncExitStack& stack) -> Coro<> {
    co_await stack.enter_async_context(timeout(24h));
    item = co_await queue->get();
  });
  co_return item;
}

/// One lock, one permit, one event, one after another, each to be waited for.
class Several final : public Case {
 public:
  Coro<> prepare() override {
    co_await lock_.acquire();
    co_await permits_.acquire();
  }
  Coro<> operation() override {
    co_await with(lock_, [this]() -> Coro<> {
      co_await with(permits_, [this]() -> Coro<> {
        co_await sleep(0s);
        co_await event_.wait();
      });
      co_await sleep(0s);
    });
  }
  void complete() override {
    if (std::exchange(completed_, true)) return;
    lock_.release();
    release_.emplace(create_task(let_go()));
  }
  Coro<> use_again() override {
    complete();
    co_await *release_;
    co_await operation();
    require(!lock_.locked() && !permits_.locked(), "a lock or a permit is lost");
    co_await permits_.acquire();
    require(permits_.locked(), "there is one permit too many");
    permits_.release();
  }

 private:
  Coro<> let_go() {
    co_await sleep(0s);
    co_await sleep(0s);
    permits_.release();
    for (int tick = 0; tick < 4; ++tick) co_await sleep(0s);
    event_.set();
  }
  Lock lock_;
  Semaphore permits_{1};
  Event event_;
  bool completed_ = false;
  std::optional<Task<>> release_;
};

/// The lock is taken when the notification comes: there are two waits.
class ConditionRetake final : public Case {
 public:
  Coro<> operation() override {
    co_await with(condition_, [this]() -> Coro<> {
      co_await condition_.wait_for([this] { return ready_; });
      require(condition_.locked(), "wait_for() returned without the lock");
    });
  }
  void complete() override {
    if (!notifier_) notifier_.emplace(create_task(notify()));
  }
  Coro<> use_again() override {
    complete();
    co_await *notifier_;
    co_await operation();
    require(!condition_.locked(), "the lock stays locked");
  }

 private:
  Coro<> notify() {
    co_await with(condition_, [this]() -> Coro<> {
      condition_.notify_all();  // in vain
      for (int tick = 0; tick < 3; ++tick) co_await sleep(0s);
    });
    co_await with(condition_, [this]() -> Coro<> {
      ready_ = true;
      condition_.notify_all();
      for (int tick = 0; tick < 3; ++tick) co_await sleep(0s);
    });
  }
  Condition condition_;
  bool ready_ = false;
  std::optional<Task<>> notifier_;
};

class BarrierWait final : public Case {
 public:
  Coro<> operation() override {
    co_await barrier_.wait();
    passed_ = true;
  }
  void complete() override {
    if (!other_) other_.emplace(create_task(wait_here()));
  }
  Coro<> use_again() override {
    complete();
    // The one that came in place of the operation waits for a partner, or has left with it.
    if (!other_->done() && !passed_) co_await barrier_.wait();
    co_await *other_;
    require(barrier_.n_waiting() == 0 && !barrier_.broken(), "somebody waits, or it broke");
    auto partner = create_task(wait_here());
    co_await barrier_.wait();
    co_await partner;
  }

 private:
  Coro<> wait_here() { co_await barrier_.wait(); }
  Barrier barrier_{2};
  bool passed_ = false;
  std::optional<Task<>> other_;
};

/// Two children; what they got stays with them.
class GatherCase final : public Case {
 public:
  Coro<> operation() override { co_await gather(children_); }
  void complete() override { gate_.set(); }
  Coro<> use_again() override {
    complete();
    for (auto& child : children_) {
      auto ended = co_await capture(child);
      if (!ended.cancelled()) ended.value();
    }
    require(running_ == 0, "a child runs on");
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
  std::vector<Task<>> children_{create_task(child()), create_task(child())};
};

class ShieldCase final : public Case {
 public:
  Coro<> operation() override { co_await shield(inner_); }
  void complete() override { gate_.set(); }
  Coro<> use_again() override {
    complete();
    co_await inner_;  // never cancelled
  }

 private:
  Coro<> wait_here() { co_await gate_.wait(); }
  Event gate_;
  Task<> inner_ = create_task(wait_here());
};

/// A thread that waits to be let go. The call cannot be taken back.
class ToThread final : public Case {
 public:
  ToThread() { gate_->lock(); }
  Coro<> operation() override {
    auto pass = [gate = gate_] { std::lock_guard passed(*gate); };
    co_await to_thread(pass);
  }
  void complete() override {
    if (std::exchange(closed_, false)) gate_->unlock();
  }
  Coro<> use_again() override {
    complete();
    co_await operation();
  }
  ~ToThread() override { complete(); }

 private:
  std::shared_ptr<std::mutex> gate_ = std::make_shared<std::mutex>();
  bool closed_ = true;
};

Coro<> close(AsyncGenerator<int>* items) { co_await items->aclose(); }
Coro<> close_at_end(AsyncGenerator<int>* items) {
  co_await with(aclosing(*items), [](AsyncGenerator<int>&) {});
}
Coro<> close_all(AsyncGenerator<int>*) { co_await get_running_loop().shutdown_asyncgens(); }

/// The cleanup of a generator waits as well.
template <Coro<> (*end)(AsyncGenerator<int>*)>
class GeneratorClose final : public Case {
 public:
  Coro<> prepare() override { co_await items_.next(); }
  Coro<> operation() override { co_await end(&items_); }
  void complete() override { gate_.set(); }
  Coro<> use_again() override {
    complete();
    co_await end(&items_);
    auto item = co_await items_.next();
    require(!item, "the generator goes on after its end");
  }

 private:
  static AsyncGenerator<int> generate(Event* gate) {
    bool closing = false;
    try {
      co_yield 7;
    } catch (const GeneratorExit&) {
      closing = true;
    }
    if (closing) co_await gate->wait();
  }
  Event gate_;
  AsyncGenerator<int> items_ = generate(&gate_);
};

constexpr Entry kEntries[] = {
    {"queue_next", AwaitableKind::queue_get, make<FromQueue<get_next>>},
    {"wait_for", AwaitableKind::coroutine, make<FromQueue<get_wait_for>>},
    {"timeout", AwaitableKind::coroutine, make<FromQueue<get_in_timeout>>},
    {"exit_stack", AwaitableKind::coroutine, make<FromQueue<get_in_exit_stack>>},
    {"several", AwaitableKind::coroutine, make<Several>},
    {"condition_wait_for", AwaitableKind::condition_wait, make<ConditionRetake>},
    {"barrier_wait", AwaitableKind::coroutine, make<BarrierWait>},
    {"gather", AwaitableKind::future, make<GatherCase>},
    {"shield", AwaitableKind::future, make<ShieldCase>},
    {"to_thread", AwaitableKind::future, make<ToThread>},
    {"generator_aclose", AwaitableKind::generator_next, make<GeneratorClose<close>>},
    {"aclosing", AwaitableKind::generator_next, make<GeneratorClose<close_at_end>>},
    {"shutdown_asyncgens", AwaitableKind::generator_next, make<GeneratorClose<close_all>>},
};

}  // namespace

std::span<const Entry> combined_entries() { return kEntries; }

}  // namespace sweep

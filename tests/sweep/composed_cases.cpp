// SPDX-License-Identifier: BSL-1.0
// What the library writes as coroutines of several awaits, and futures that follow something else.
#include "asyncio/testing/simulated.hpp"
#include "sweep_case.hpp"

#include <chrono>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

namespace sweep {

using namespace asyncio;
using namespace std::chrono_literals;

namespace {

// --- Ways to an item -----------------------------------------------------------------------------

AsyncGenerator<int> items_of(Queue<int>* queue) {
  while (true) {
    int item = co_await queue->get();
    co_yield item;
  }
}

Coro<int> get_captured(Queue<int>* queue) {
  auto got = co_await capture(queue->get());
  co_return got.value();
}
Coro<int> get_in_try(Queue<int>* queue) {
  auto body = [queue]() -> Coro<int> { co_return co_await queue->get(); };
  auto handler = [](const ValueError&) { return 0; };
  auto last = []() -> Coro<> { co_return; };
  co_return co_await try_(body).except<ValueError>(handler).finally_(last);
}
Coro<int> get_collected(Queue<int>* queue) {
  auto items = co_await collect(take(items_of(queue), 1));
  co_return items.at(0);
}
Coro<int> get_adapted(Queue<int>* queue) {
  auto same = [](int item) { return item; };
  auto any = [](int) { return true; };
  auto items = filter(transform(items_of(queue), same), any);
  auto item = co_await items.next();
  co_return *item;
}

// --- Scopes --------------------------------------------------------------------------------------

/// Something that one may have at a time, and somebody has.
template <class Held>
class Scoped final : public Case {
 public:
  Coro<> prepare() override { co_await held_.acquire(); }
  Coro<> operation() override {
    auto scope = co_await held_.scoped();
    require(held_.locked(), "it is nobody's");
  }
  void complete() override {
    if (!std::exchange(released_, true)) held_.release();
  }
  Coro<> use_again() override {
    complete();
    co_await operation();
    require(!held_.locked(), "a scope has kept it");
  }

 private:
  Held held_;
  bool released_ = false;
};

// --- Generators that are given something ---------------------------------------------------------

enum class Given { value, error };

AsyncGenerator<int, int> give_back(Event* gate) {
  int item = 0;
  try {
    item = co_yield 1;
  } catch (const ValueError&) {
    item = 7;
  }
  co_await gate->wait();
  co_yield item;
}

/// Waits between what it is given and what it gives.
template <Given given>
class GivenGenerator final : public Case {
 public:
  Coro<> prepare() override { co_await items_.next(); }
  Coro<> operation() override {
    begun_ = true;
    auto item = co_await give();
    got_ = item.value_or(0);
  }
  void complete() override { gate_.set(); }
  Coro<> use_again() override {
    complete();
    if (begun_ && got_ == 0) {  // it has ended with the cancellation
      auto item = co_await items_.next();
      require(!item, "the generator goes on after its end");
      co_return;
    }
    if (!begun_) co_await operation();
    require(got_ == 7, "not what was given");
  }

 private:
  auto give() {
    if constexpr (given == Given::value)
      return items_.asend(7);
    else
      return items_.athrow(std::make_exception_ptr(ValueError("given")));
  }
  Event gate_;
  bool begun_ = false;
  int got_ = 0;
  AsyncGenerator<int, int> items_ = give_back(&gate_);
};

// --- Ends by themselves --------------------------------------------------------------------------

template <auto wait>
class SleepsIn final : public Case {
 public:
  Coro<> operation() override { co_await wait(); }
  void complete() override { asyncio::testing::block_for(5ms); }
  Coro<> use_again() override { co_await wait(); }
};

Coro<> sleep_until_then() { co_await sleep_until(get_running_loop().time() + 5ms); }
Coro<> sleep_with_value() {
  int value = co_await sleep(5ms, 7);
  require(value == 7, "the value is lost");
}

// --- Behind an event -----------------------------------------------------------------------------

/// Ends when an event is set, and can be begun again.
template <auto wait>
class BehindEvent final : public Case {
 public:
  Coro<> operation() override { co_await wait(&gate_); }
  void complete() override { gate_.set(); }
  Coro<> use_again() override {
    complete();
    co_await wait(&gate_);
  }

 private:
  Event gate_;
};

Coro<> race(Event* gate) {
  auto attempt = [gate]() -> Coro<int> {
    co_await gate->wait();
    co_return 7;
  };
  std::vector<decltype(attempt)> attempts(2, attempt);
  auto result = co_await staggered_race(std::move(attempts), 0s);
  require(result.value == 7, "no winner");
}
Coro<> close_stack(Event* gate) {
  AsyncExitStack stack;
  stack.push_async_callback([gate]() -> Coro<> { co_await gate->wait(); });
  co_await stack.aclose();
}
Coro<> wait_captured(Event* gate) {
  auto waited = co_await capture(gate->wait());
  waited.value();
}
Coro<> ensured(Event* gate) {
  auto inner = [gate]() -> Coro<> { co_await gate->wait(); };
  co_await ensure_future(inner());
}

/// A future that follows another.
class Then final : public Case {
 public:
  Coro<> operation() override {
    int value = co_await first_.then([](int number) { return number + 1; });
    require(value == 8, "wrong value");
  }
  void complete() override {
    if (!first_.done()) first_.set_result(7);
  }
  Coro<> use_again() override {
    complete();
    auto outcome = co_await capture(first_);
    require(outcome ? outcome.value() == 7 : outcome.cancelled(), "the future lost its outcome");
  }

 private:
  Future<int> first_ = get_running_loop().create_future<int>();
};

/// A future of a thread.
class WrapFuture final : public Case {
 public:
  Coro<> operation() override {
    int value = co_await wrap_future(theirs_);
    require(value == 7, "wrong value");
  }
  void complete() override {
    if (!theirs_.done()) theirs_.set_result(7);
  }
  Coro<> use_again() override {
    complete();
    auto outcome = co_await capture(wrap_future(theirs_));
    require(outcome ? outcome.value() == 7 : outcome.cancelled(), "the future lost its outcome");
  }

 private:
  ConcurrentFuture<int> theirs_;
};

/// Threads that wait to be let go.
template <bool joins>
class InExecutor final : public Case {
 public:
  InExecutor() { gate_->lock(); }
  Coro<> prepare() override {
    if (joins) job_ = begin();
    co_return;
  }
  Coro<> operation() override {
    if (joins)
      co_await get_running_loop().shutdown_default_executor(24h);
    else
      co_await begin();
  }
  void complete() override {
    if (std::exchange(closed_, false)) gate_->unlock();
  }
  bool ends_at_once() const override { return !joins; }
  Coro<> use_again() override {
    complete();
    if (job_) co_await *job_;
    if (!joins) co_await begin();
  }
  ~InExecutor() override { complete(); }

 private:
  Future<> begin() {
    auto pass = [gate = gate_] { std::lock_guard passed(*gate); };
    return get_running_loop().run_in_executor(nullptr, pass);
  }
  std::shared_ptr<std::mutex> gate_ = std::make_shared<std::mutex>();
  bool closed_ = true;
  std::optional<Future<>> job_;
};

constexpr auto kCoroutine = AwaitableKind::coroutine;
constexpr auto kFuture = AwaitableKind::future;
constexpr auto kGenerator = AwaitableKind::generator_next;

constexpr Entry kEntries[] = {
    {"capture", AwaitableKind::queue_get, make<FromQueue<get_captured>>},
    {"try", kCoroutine, make<FromQueue<get_in_try>>},
    {"collect", kGenerator, make<FromQueue<get_collected>>},
    {"adaptors", kGenerator, make<FromQueue<get_adapted>>},
    {"lock_scoped", kCoroutine, make<Scoped<Lock>>},
    {"condition_scoped", kCoroutine, make<Scoped<Condition>>},
    {"semaphore_scoped", kCoroutine, make<Scoped<Semaphore>>},
    {"generator_asend", kGenerator, make<GivenGenerator<Given::value>>},
    {"generator_athrow", kGenerator, make<GivenGenerator<Given::error>>},
    {"sleep_until", AwaitableKind::sleep, make<SleepsIn<sleep_until_then>>},
    {"sleep_value", AwaitableKind::sleep, make<SleepsIn<sleep_with_value>>},
    {"staggered_race", kCoroutine, make<BehindEvent<race>>},
    {"exit_stack_aclose", kCoroutine, make<BehindEvent<close_stack>>},
    {"capture_event", AwaitableKind::event_wait, make<BehindEvent<wait_captured>>},
    {"ensure_future", kFuture, make<BehindEvent<ensured>>},
    {"future_then", kFuture, make<Then>},
    {"wrap_future", kFuture, make<WrapFuture>},
    {"run_in_executor", kFuture, make<InExecutor<false>>},
    {"shutdown_executor", kCoroutine, make<InExecutor<true>>},
};

}  // namespace

std::span<const Entry> composed_entries() { return kEntries; }

}  // namespace sweep

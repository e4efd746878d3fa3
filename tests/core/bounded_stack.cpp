// SPDX-License-Identifier: BSL-1.0
/// D12, R12, fault 2: neither awaits that do not suspend nor long chains grow the stack, which is
/// 256 KiB here.
#include "asyncio/asyncio.hpp"
#include "captures.hpp"
#include "rounds.hpp"
#include "virtual_loop.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <optional>
#include <string>
#include <vector>

using namespace asyncio;
using namespace std::chrono_literals;
using test::run_virtual;

namespace {

constexpr long kSample = test::kOptimized && !test::kSanitized ? 1 : 10;

/// Ten million of each kind, or what ASYNCIO_AWAITS says. A tenth of it, but for the first kind,
/// without optimization or with a sanitizer, unless ASYNCIO_AWAITS asks for more.
long awaits(bool first_kind = false) {
  if (const char* text = std::getenv("ASYNCIO_AWAITS")) return std::atol(text);
  return 10'000'000 / (first_kind ? 1 : kSample);
}

constexpr int kDepth = 100'000;

// --- Awaits that complete at once ---------------------------------------------------------------

Coro<long> one() { co_return 1; }

TEST(BoundedStack, fault2_coroutine) {
  long sum = run_virtual([]() -> Coro<long> {
    long total = 0;
    for (long i = 0, end = awaits(true); i < end; ++i) total += co_await one();
    co_return total;
  });
  EXPECT_EQ(sum, awaits(true));
}

TEST(BoundedStack, fault2_captured_coroutine) {
  long sum = run_virtual([]() -> Coro<long> {
    long total = 0;
    for (long i = 0, end = awaits(); i < end; ++i) {
      Result<long> result = co_await capture(one());
      total += *result;
    }
    co_return total;
  });
  EXPECT_EQ(sum, awaits());
}

TEST(BoundedStack, fault2_ready_future_and_done_task) {
  run_virtual([]() -> Coro<> {
    auto future = get_running_loop().create_future<long>();
    future.set_result(1);
    Task<long> task = create_task(one());
    co_await task;
    long total = 0;
    for (long i = 0, end = awaits(); i < end; ++i) {
      total += co_await future;
      total += co_await task;
    }
    EXPECT_EQ(total, 2 * awaits());
  });
}

TEST(BoundedStack, fault2_free_lock) {
  run_virtual([]() -> Coro<> {
    Lock lock;
    for (long i = 0, end = awaits(); i < end; ++i) {
      co_await lock.acquire();
      lock.release();
    }
    EXPECT_FALSE(lock.locked());
  });
}

TEST(BoundedStack, fault2_set_event) {
  run_virtual([]() -> Coro<> {
    Event event;
    event.set();
    long count = 0;
    for (long i = 0, end = awaits(); i < end; ++i) count += co_await event.wait();
    EXPECT_EQ(count, awaits());
  });
}

TEST(BoundedStack, fault2_ready_semaphore) {
  run_virtual([]() -> Coro<> {
    Semaphore semaphore(1);
    for (long i = 0, end = awaits(); i < end; ++i) {
      co_await semaphore.acquire();
      semaphore.release();
    }
    EXPECT_FALSE(semaphore.locked());
  });
}

TEST(BoundedStack, fault2_queue_with_items) {
  run_virtual([]() -> Coro<> {
    Queue<long> queue;
    long total = 0;
    for (long i = 0, end = awaits(); i < end; ++i) {
      co_await queue.put(1);
      total += co_await queue.get();
    }
    EXPECT_EQ(total, awaits());
  });
}

AsyncGenerator<long> ones(long count) {
  for (long i = 0; i < count; ++i) co_yield 1;
}

TEST(BoundedStack, fault2_generator_next) {
  run_virtual([]() -> Coro<> {
    auto generator = ones(awaits());
    long total = 0;
    while (auto item = co_await generator.next()) total += *item;
    EXPECT_EQ(total, awaits());
  });
}

struct Manager {
  int aenter() { return 1; }
  bool aexit(std::exception_ptr) { return false; }
};

TEST(BoundedStack, fault2_with) {
  run_virtual([]() -> Coro<> {
    long total = 0;
    for (long i = 0, end = awaits(); i < end; ++i)
      co_await with(Manager(), [&](int entered) { total += entered; });
    EXPECT_EQ(total, awaits());
  });
}

// --- Deep recursion -----------------------------------------------------------------------------

enum class Bottom { returns, throws, sleeps };

Coro<int> recurse(int depth, Bottom bottom) {
  if (depth > 0) {
    int below = co_await recurse(depth - 1, bottom);
    co_return below + 1;
  }
  if (bottom == Bottom::throws) throw ValueError("bottom");
  if (bottom == Bottom::sleeps) co_await sleep(1h);
  co_return 0;
}

TEST(BoundedStack, D12_recursion_returns) {
  EXPECT_EQ(run_virtual(recurse, kDepth, Bottom::returns), kDepth);
  EXPECT_EQ(run_virtual(recurse, kDepth, Bottom::sleeps), kDepth);
}

TEST(BoundedStack, D12_recursion_throws) {
  EXPECT_EQ(test::thrown([] { run_virtual(recurse, kDepth, Bottom::throws); }),
            "asyncio::ValueError: bottom");
}

TEST(BoundedStack, D12_recursion_cancelled_at_the_bottom) {
  run_virtual([]() -> Coro<> {
    Task<int> task = create_task(recurse, kDepth, Bottom::sleeps);
    co_await sleep(1s);
    task.cancel();
    Result<int> result = co_await capture(task);
    EXPECT_TRUE(result.cancelled());
  });
}

TEST(BoundedStack, R12_suspended_frames_are_destroyed_one_by_one) {
  EventLoop loop = test::new_virtual_loop();
  test::ReportCapture reports(loop);
  loop.create_task(recurse, kDepth, Bottom::sleeps);
  loop.run_until_complete([]() -> Coro<> { co_await sleep(1s); }());
  loop.close();
  EXPECT_EQ(reports.reports, std::vector<std::string>{"Task was destroyed but it is pending!"});
}

Coro<> wrap(Coro<> inner) { co_await std::move(inner); }

TEST(BoundedStack, D12_coroutines_that_hold_the_next_one_as_an_argument) {
  run_virtual([]() -> Coro<> {
    Coro<> chain = wrap([]() -> Coro<> { co_await sleep(1h); }());
    for (int i = 0; i < kDepth; ++i) chain = wrap(std::move(chain));
    Task<> task = create_task(std::move(chain));
    co_await sleep(1s);
    task.cancel();
    Result<> result = co_await capture(task);
    EXPECT_TRUE(result.cancelled());
  });
}

// --- Long chains --------------------------------------------------------------------------------

/// Each task awaits the one before; the first awaits `first`. Returns the last.
template <class F>
Task<> chain_of_tasks(Future<> first, F link) {
  Task<> last = create_task(link(first));
  for (int i = 1; i < kDepth; ++i) last = create_task(link(last));
  return last;
}
Coro<> await_it(Future<> future) { co_await future; }
Coro<> gather_it(Future<> future) { co_await gather(future); }
Coro<> shield_and_await(Future<> future) { co_await shield(future); }

enum class Ending { completes, fails, cancelled, closed };

template <class F>
void run_chain(F link, Ending ending) {
  EventLoop loop = test::new_virtual_loop();
  test::ReportCapture reports(loop);
  loop.run_until_complete([](F make, Ending end) -> Coro<> {
    auto first = get_running_loop().create_future();
    Task<> last = chain_of_tasks(first, make);
    co_await sleep(1s);
    if (end == Ending::completes) first.set_result();
    if (end == Ending::fails) first.set_exception(ValueError("first"));
    if (end == Ending::cancelled) last.cancel();
    if (end == Ending::closed) co_return;
    Result<> result = co_await capture(last);
    EXPECT_EQ(result.has_value(), end == Ending::completes);
    EXPECT_EQ(result.cancelled(), end == Ending::cancelled);
    EXPECT_EQ(result.holds<ValueError>(), end == Ending::fails);
  }(link, ending));
  loop.close();
  EXPECT_EQ(reports.reports.size(), ending == Ending::closed ? std::size_t{kDepth} : 0u);
}

TEST(BoundedStack, R12_chain_of_tasks_completes) { run_chain(await_it, Ending::completes); }
TEST(BoundedStack, R12_chain_of_tasks_fails) { run_chain(await_it, Ending::fails); }
TEST(BoundedStack, R12_chain_of_tasks_is_cancelled) { run_chain(await_it, Ending::cancelled); }
TEST(BoundedStack, R12_chain_of_tasks_is_closed) { run_chain(await_it, Ending::closed); }
TEST(BoundedStack, R12_chain_of_gathers_completes) { run_chain(gather_it, Ending::completes); }
TEST(BoundedStack, R12_chain_of_gathers_fails) { run_chain(gather_it, Ending::fails); }
TEST(BoundedStack, R12_chain_of_gathers_is_cancelled) { run_chain(gather_it, Ending::cancelled); }
TEST(BoundedStack, R12_chain_of_gathers_is_closed) { run_chain(gather_it, Ending::closed); }
TEST(BoundedStack, R12_chain_of_shields_completes) {
  run_chain(shield_and_await, Ending::completes);
}
TEST(BoundedStack, R12_chain_of_shields_is_closed) { run_chain(shield_and_await, Ending::closed); }

void run_then_chain(Ending ending) {
  EventLoop loop = test::new_virtual_loop();
  loop.run_until_complete([](Ending end) -> Coro<> {
    auto first = get_running_loop().create_future<int>();
    Future<int> last = first;
    for (int i = 0; i < kDepth; ++i) last = last.then([](int value) { return value + 1; });
    if (end == Ending::completes) first.set_result(0);
    if (end == Ending::fails) first.set_exception(ValueError("first"));
    if (end == Ending::cancelled) {
      EXPECT_TRUE(last.cancel());
    }
    if (end == Ending::closed) co_return;
    Result<int> result = co_await capture(last);
    if (end == Ending::completes) {
      EXPECT_EQ(*result, kDepth);
    }
    EXPECT_EQ(result.cancelled(), end == Ending::cancelled);
    EXPECT_EQ(result.holds<ValueError>(), end == Ending::fails);
  }(ending));
  loop.close();
}

TEST(BoundedStack, R12_chain_of_then_completes) { run_then_chain(Ending::completes); }
TEST(BoundedStack, R12_chain_of_then_fails) { run_then_chain(Ending::fails); }
TEST(BoundedStack, R12_chain_of_then_is_cancelled) { run_then_chain(Ending::cancelled); }
TEST(BoundedStack, R12_chain_of_then_is_closed) { run_then_chain(Ending::closed); }

TEST(BoundedStack, R12_chain_of_done_callbacks) {
  run_virtual([]() -> Coro<> {
    std::vector<Future<>> futures;
    for (int i = 0; i <= kDepth; ++i) futures.push_back(get_running_loop().create_future());
    for (std::size_t i = 0; i + 1 < futures.size(); ++i)
      futures[i].add_done_callback([next = futures[i + 1]]() mutable { next.set_result(); });
    futures.front().set_result();
    co_await futures.back();
  });
}

TEST(BoundedStack, R12_chain_of_done_callbacks_is_dropped) {
  EventLoop loop = test::new_virtual_loop();
  Future<> next(loop);
  for (int i = 0; i < kDepth; ++i) {
    Future<> before(loop);
    before.add_done_callback([next] { ADD_FAILURE() << "called"; });
    next = before;
  }
  next = Future<>(loop);
  loop.close();
}

Coro<> start_eagerly(int depth, int& reached) {
  ++reached;
  if (depth > 0) create_task(start_eagerly(depth - 1, reached), TaskOptions().eager_start(true));
  co_return;
}

TEST(BoundedStack, R12_eager_tasks_that_start_eager_tasks) {
  int reached = 0;
  run_virtual(
      [](int& count) -> Coro<> {
        co_await create_task(start_eagerly(kDepth, count), TaskOptions().eager_start(true));
        while (all_tasks().size() > 1) co_await sleep(0s);
      },
      reached);
  EXPECT_EQ(reached, kDepth + 1);
}

AsyncGenerator<int> nested(int depth) {
  if (depth == 0) {
    co_yield 1;
    co_yield 2;
    co_return;
  }
  auto inner = nested(depth - 1);
  while (auto item = co_await inner.next()) co_yield *item + 1;
}

TEST(BoundedStack, R12_nested_generators) {
  run_virtual([]() -> Coro<> {
    auto generator = nested(kDepth);
    auto first = co_await generator.next();
    EXPECT_EQ(*first, kDepth + 1);
    auto second = co_await generator.next();
    EXPECT_EQ(*second, kDepth + 2);
    auto end = co_await generator.next();
    EXPECT_FALSE(end);
    auto closed = nested(kDepth);
    co_await closed.next();
    co_await closed.aclose();
    auto left = nested(kDepth);
    co_await left.next();
  });
}

// --- What holds more of its kind ----------------------------------------------------------------

Coro<> hold(Coro<> inner, test::Counted) { co_await std::move(inner); }

TEST(BoundedStack, R12_coroutines_that_never_ran_hold_each_other) {
  test::LogCapture log;
  int before = test::Counted::alive;
  {
    Coro<> chain = []() -> Coro<> { co_return; }();
    for (int i = 0; i < kDepth; ++i) chain = hold(std::move(chain), test::Counted());
    EXPECT_EQ(test::Counted::alive, before + kDepth);
  }
  EXPECT_EQ(test::Counted::alive, before);
  EXPECT_EQ(log.count("coroutine 'hold'", "was never awaited"), kDepth);
}

TEST(BoundedStack, R12_coroutines_that_hold_each_other_are_closed) {
  test::LogCapture log;
  Coro<> chain = []() -> Coro<> { co_return; }();
  for (int i = 0; i < kDepth; ++i) chain = hold(std::move(chain), test::Counted());
  int before = test::Counted::alive;
  chain.close();
  EXPECT_EQ(test::Counted::alive, before - kDepth);
}

AsyncGenerator<int> source() {
  co_yield 1;
  co_yield 2;
}
AsyncGenerator<int> add_one(AsyncGenerator<int> items) {
  while (auto item = co_await items.next()) co_yield *item + 1;
}
AsyncGenerator<int> chain_of_generators() {
  AsyncGenerator<int> chain = source();
  for (int i = 0; i < kDepth; ++i) chain = add_one(std::move(chain));
  return chain;
}

TEST(BoundedStack, R12_generators_that_hold_each_other_fresh_suspended_and_ended) {
  run_virtual([]() -> Coro<> {
    {
      auto fresh = chain_of_generators();
    }
    {
      auto suspended = chain_of_generators();
      auto item = co_await suspended.next();
      EXPECT_EQ(*item, kDepth + 1);
    }
    {
      auto ended = chain_of_generators();
      int count = 0;
      while (auto item = co_await ended.next()) ++count;
      EXPECT_EQ(count, 2);
    }
  });
}

std::exception_ptr nested_errors() {
  std::exception_ptr error = std::make_exception_ptr(ValueError("innermost"));
  for (int i = 0; i < kDepth; ++i)
    error = std::make_exception_ptr(ExceptionGroup("group", {error}));
  return error;
}

TEST(BoundedStack, R12_groups_of_errors_inside_each_other_end) {
  std::exception_ptr error = nested_errors();
  EXPECT_TRUE(error);
  error = nullptr;
}

/// The text of a tree is as long as the square of its depth.
constexpr int kTreeDepth = 2'000;

TEST(BoundedStack, R12_groups_of_errors_inside_each_other_are_split_and_printed) {
  std::exception_ptr error = std::make_exception_ptr(ValueError("innermost"));
  for (int i = 0; i < kTreeDepth; ++i)
    error = std::make_exception_ptr(
        ExceptionGroup("group", {error, std::make_exception_ptr(TypeError("beside"))}));
  try {
    std::rethrow_exception(error);
  } catch (const ExceptionGroup& group) {
    auto [values, others] = group.split<ValueError>();
    EXPECT_TRUE(values);
    EXPECT_TRUE(others);
    EXPECT_EQ(values->exceptions().size(), 1u);
    std::string tree = group.tree();
    EXPECT_NE(tree.find(std::string(kTreeDepth * 2, ' ') + "asyncio::ValueError: innermost\n"),
              std::string::npos);
  }
}

/// Each question whether such a gather can be cancelled goes down to the innermost one.
constexpr int kGathers = 10'000;

FutureHandle nested_gathers(FutureHandle innermost) {
  for (int i = 0; i < kGathers; ++i) innermost = gather(std::vector<FutureHandle>{innermost});
  return innermost;
}

TEST(BoundedStack, R12_gathers_of_gathers_are_cancelled) {
  run_virtual([]() -> Coro<> {
    Task<> innermost = create_task([]() -> Coro<> { co_await sleep(1h); });
    FutureHandle all = nested_gathers(innermost);
    co_await sleep(1s);
    EXPECT_TRUE(all.cancel());
    Result<> result = co_await capture(all);
    EXPECT_TRUE(result.cancelled());
    EXPECT_TRUE(innermost.cancelled());
    EXPECT_FALSE(all.cancel());
  });
}

TEST(BoundedStack, R12_gathers_of_gathers_complete) {
  run_virtual([]() -> Coro<> {
    auto innermost = get_running_loop().create_future();
    FutureHandle all = nested_gathers(innermost);
    innermost.set_result();
    co_await all;
  });
}

TEST(BoundedStack, R12_gathers_of_gathers_are_closed) {
  EventLoop loop = test::new_virtual_loop();
  FutureHandle all = nested_gathers(Future<>(loop));
  loop.close();
  EXPECT_FALSE(all.done());
}

}  // namespace

// SPDX-License-Identifier: BSL-1.0
/// No allocation per await, at most one per coroutine or task, and nothing that stays: what the
/// pools of frames keep is bounded. Under AddressSanitizer everything comes from the heap (see
/// recycler.hpp), so there only what stays is counted.
#include "allocation_count.hpp"
#include "asyncio/asyncio.hpp"
#include "heap.hpp"
#include "rounds.hpp"
#include "virtual_loop.hpp"

#include <gtest/gtest.h>

#include <array>
#include <vector>

using namespace asyncio;
using namespace std::chrono_literals;
using test::AllocationCount;
using test::heap_bytes;
using test::run_virtual;

namespace {

#if defined(__SANITIZE_ADDRESS__)
constexpr bool kRecycles = false;
#elif defined(__has_feature)
constexpr bool kRecycles = !__has_feature(address_sanitizer);
#else
constexpr bool kRecycles = true;
#endif

constexpr int kRounds = 1000;

/// How many allocations `rounds` of `body` make, once it has been done before.
template <class F>
Coro<std::size_t> allocations_of(F body) {
  for (int i = 0; i < 3; ++i) co_await body();
  AllocationCount count;
  for (int i = 0; i < kRounds; ++i) co_await body();
  co_return count.made();
}

template <class F>
std::size_t allocations(F body) {
  return run_virtual(allocations_of<F>, body);
}

class Allocations : public ::testing::Test {};
class RecycledAllocations : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!kRecycles) GTEST_SKIP() << "AddressSanitizer: every block comes from the heap";
  }
};

// --- Awaits -------------------------------------------------------------------------------------

TEST_F(RecycledAllocations, D12_awaiting_a_coroutine) {
  auto child = [](int value) -> Coro<int> { co_return value; };
  auto body = [&]() -> Coro<> { (void)co_await child(1); };
  EXPECT_EQ(allocations(body), 0u);
}

TEST_F(RecycledAllocations, D12_awaiting_sleep) {
  EXPECT_EQ(allocations([]() -> Coro<> { co_await sleep(0s); }), 0u);
  EXPECT_EQ(allocations([]() -> Coro<> { co_await sleep(1ms); }), 0u);
  EXPECT_EQ(allocations([]() -> Coro<> { (void)co_await sleep(1ms, 5); }), 0u);
}

TEST_F(RecycledAllocations, D12_awaiting_a_ready_and_a_pending_future) {
  auto ready = []() -> Coro<> {
    auto future = get_running_loop().create_future<int>();
    future.set_result(1);
    (void)co_await future;
  };
  EXPECT_EQ(allocations(ready), 0u);
  auto pending = []() -> Coro<> {
    EventLoop loop = get_running_loop();
    auto future = loop.create_future<int>();
    loop.call_soon([future]() mutable { future.set_result(1); });
    (void)co_await future;
  };
  EXPECT_EQ(allocations(pending), 0u);
}

TEST_F(RecycledAllocations, D12_creating_and_awaiting_a_task) {
  auto child = [](int value) -> Coro<int> { co_return value; };
  auto of_coroutine = [&]() -> Coro<> { (void)co_await create_task(child(1)); };
  EXPECT_EQ(allocations(of_coroutine), 0u);
  auto of_function = [&]() -> Coro<> { (void)co_await create_task(child, 1); };
  EXPECT_EQ(allocations(of_function), 0u);
  auto done = [&]() -> Coro<> {
    Task<int> task = create_task(child(1));
    co_await sleep(0s);
    (void)co_await task;
  };
  EXPECT_EQ(allocations(done), 0u);
}

TEST_F(RecycledAllocations, D12_a_generator) {
  auto numbers = []() -> AsyncGenerator<int> {
    for (int i = 0; i < 10; ++i) co_yield i;
  };
  auto body = [&]() -> Coro<> {
    auto generator = numbers();
    while (auto number = co_await generator.next()) (void)*number;
  };
  EXPECT_EQ(allocations(body), 0u);
}

TEST_F(RecycledAllocations, D12_a_timeout_and_a_wait_for) {
  auto child = []() -> Coro<int> {
    co_await sleep(0s);
    co_return 1;
  };
  auto with_timeout = [&]() -> Coro<> {
    (void)co_await with(timeout(1s), [&]() -> Coro<int> { return child(); });
  };
  EXPECT_EQ(allocations(with_timeout), 0u);
  auto waiting = [&]() -> Coro<> { (void)co_await wait_for(child(), 1s); };
  EXPECT_EQ(allocations(waiting), 0u);
}

TEST_F(RecycledAllocations, D12_callbacks_and_timers) {
  auto soon = []() -> Coro<> {
    int calls = 0;
    get_running_loop().call_soon([&calls] { ++calls; });
    co_await sleep(0s);
  };
  EXPECT_EQ(allocations(soon), 0u);
  auto later = []() -> Coro<> {
    TimerHandle handle = get_running_loop().call_later(1s, [] {});
    handle.cancel();
    co_await sleep(0s);
  };
  EXPECT_EQ(allocations(later), 0u);
}

// --- One block for each -------------------------------------------------------------------------

TEST_F(Allocations, D12_one_block_at_most_for_a_coroutine_and_for_a_task) {
  // Larger than what the pools recycle, so that each block is seen.
  auto large = [](std::array<char, 2000> bytes) -> Coro<int> {
    co_await sleep(0s);
    co_return bytes[7];
  };
  run_virtual([&]() -> Coro<> {
    std::array<char, 2000> bytes{};
    co_await large(bytes);
    AllocationCount call;
    co_await large(bytes);
    EXPECT_LE(call.made(), 1u);  // clang may need none
    AllocationCount task;
    co_await create_task(large(bytes));
    EXPECT_LE(task.made(), 2u);  // the frame, and the task where blocks are not recycled
  });
}

// --- Nothing stays ------------------------------------------------------------------------------

/// The bytes of the heap beyond those at its making. Slabs do not come from operator new, so it
/// asks malloc; under AddressSanitizer, where there are none and malloc does not tell, operator
/// new.
class HeapGrowth {
 public:
  std::ptrdiff_t bytes() const {
    if (!kRecycles) return count_.live_bytes();
    return static_cast<std::ptrdiff_t>(heap_bytes()) - static_cast<std::ptrdiff_t>(before_);
  }

 private:
  AllocationCount count_;
  std::size_t before_ = heap_bytes();
};

/// Bytes that `body` adds between its first and its second half.
template <class F>
Coro<std::ptrdiff_t> growth(int count, F body) {
  for (int i = 0; i < count; ++i) co_await body();
  HeapGrowth second_half;
  for (int i = 0; i < count; ++i) co_await body();
  co_return second_half.bytes();
}

constexpr int kMany = 100'000;

TEST_F(Allocations, L7_tasks_in_sequence_leave_nothing) {
  auto child = []() -> Coro<> { co_await sleep(0s); };
  auto body = [&]() -> Coro<> { co_await create_task(child()); };
  EXPECT_EQ(run_virtual([&] { return growth(kMany, body); }), 0);
}

TEST_F(Allocations, L7_callbacks_in_sequence_leave_nothing) {
  auto body = []() -> Coro<> {
    for (int i = 0; i < 10; ++i) get_running_loop().call_soon([] {});
    co_await sleep(0s);
  };
  EXPECT_EQ(run_virtual([&] { return growth(kMany, body); }), 0);
}

TEST_F(Allocations, L18_timeouts_armed_and_disarmed_leave_nothing) {
  auto body = []() -> Coro<> {
    co_await with(timeout(1h), []() -> Coro<> { co_await sleep(0s); });
  };
  EXPECT_EQ(run_virtual([&] { return growth(kMany, body); }), 0);
}

Coro<> sleeper() { co_await sleep(1h); }

TEST_F(RecycledAllocations, L6_a_million_sleeping_tasks_take_at_most_400_bytes_each) {
  if (test::kSanitized) GTEST_SKIP() << "sanitizers have a heap of their own";
  run_virtual([]() -> Coro<> {
    constexpr int kTasks = 1'000'000;
    std::size_t before = heap_bytes();
    for (int i = 0; i < kTasks; ++i) create_task(sleeper());
    co_await sleep(1s);
    EXPECT_LE((heap_bytes() - before) / kTasks, 400u);
    for (auto& task : all_tasks())
      if (task != current_task()) task.cancel();
    co_await sleep(1s);
    EXPECT_EQ(all_tasks().size(), 1u);
    EXPECT_LE(heap_bytes(), before + (1 << 20));
  });
}

TEST_F(Allocations, fault14_a_million_cancels_of_one_task_take_no_memory) {
  run_virtual([]() -> Coro<> {
    auto child = []() -> Coro<> { co_await sleep(1h); };
    Task<> task = create_task(child);
    co_await sleep(0s);
    task.cancel();
    AllocationCount count;
    for (int i = 0; i < 1'000'000; ++i) task.cancel();
    EXPECT_EQ(count.live_bytes(), 0);
    (void)co_await capture(task);
  });
}

TEST_F(Allocations, fault33_a_million_cancelled_timers_give_their_memory_back) {
  if (test::kSanitized) GTEST_SKIP() << "sanitizers have a heap of their own";
  run_virtual([]() -> Coro<> {
    EventLoop loop = get_running_loop();
    HeapGrowth heap;
    std::vector<TimerHandle> timers;
    timers.reserve(1'000'000);
    for (int i = 0; i < 1'000'000; ++i) timers.push_back(loop.call_later(1h, [] {}));
    for (TimerHandle& timer : timers) timer.cancel();
    std::vector<TimerHandle>().swap(timers);
    co_await sleep(0s);
    EXPECT_LE(heap.bytes(), 1 << 20);
  });
}

TEST_F(Allocations, fault33_timeouts_that_never_fire_take_memory_only_while_they_live) {
  run_virtual([]() -> Coro<> {
    auto child = []() -> Coro<> {
      co_await with(timeout(1h), []() -> Coro<> { co_await sleep(1ms); });
    };
    HeapGrowth heap;
    for (int round = 0; round < 10; ++round) {
      std::vector<Task<>> tasks;
      for (int i = 0; i < 10'000; ++i) tasks.push_back(create_task(child));
      co_await gather(tasks);
    }
    EXPECT_LE(heap.bytes(), 1 << 20);
  });
}

}  // namespace

// SPDX-License-Identifier: BSL-1.0
// AF for every public awaitable, from the list of the cancellation sweep: one allocation after
// another throws bad_alloc, while the operation begins and while it ends. It ends with a value or
// with bad_alloc, nothing is left behind, and the same object is used again.
#include "../sweep/sweep_case.hpp"
#include "allocation_count.hpp"
#include "asyncio/testing/simulated.hpp"
#include "backends.hpp"
#include "captures.hpp"
#include "gate.hpp"
#include "memory.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>
#include <new>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace {

using namespace asyncio;
using namespace std::chrono_literals;

/// While what the allocation fails.
enum class During { beginning, end };

/// Lets the loop run until the task is done, or for a while.
Coro<> until_done(std::optional<Task<>>& task, std::chrono::milliseconds patience) {
  auto begin = std::chrono::steady_clock::now();
  for (int tick = 0; task && !task->done(); ++tick) {
    if (tick > 2'000 && std::chrono::steady_clock::now() - begin > patience) co_return;
    co_await sleep(0s);
  }
}

/// Returns whether there was such an allocation.
Coro<bool> run_once(sweep::Entry entry, During during, std::uint64_t which) {
  auto subject = entry.make();
  co_await subject->prepare();
  std::optional<Task<>> task;
  bool happened = false;
  {
    test::AllocationFailure failure(during == During::beginning ? which : 0);
    try {
      task.emplace(create_task(subject->operation()));
      for (int tick = 0; tick < 10; ++tick) co_await sleep(0s);
    } catch (const std::bad_alloc&) {
      // Of create_task: there is no task. The test's own loop takes no memory.
    }
    happened = during == During::beginning && failure.happened();
  }
  subject->complete();
  {
    auto waiting = until_done(task, 300ms);
    test::AllocationFailure failure(during == During::end ? which : 0);
    co_await std::move(waiting);
    happened = happened || (during == During::end && failure.happened());
  }
  if (task && !task->done() && happened) task->cancel();  // it was the other side that failed
  co_await until_done(task, 20s);
  if (task) {
    EXPECT_TRUE(task->done()) << "it hangs";
    if (!task->done()) co_return false;
    auto ended = co_await capture(*task);
    bool right = ended.has_value();
    bool without_memory =
        happened && !right &&
        (ended.cancelled() || ended.holds<OSError>() || test::lacks_memory(ended.exception()));
    bool without_peer = happened && entry.is_http && !ended.holds<sweep::Lost>();
    EXPECT_TRUE(right || without_memory || without_peer) << describe_exception(ended.exception());
  }
  auto again = co_await capture(wait_for(subject->use_again(), 30s));
  // The object may be closed and say so; nothing is lost.
  EXPECT_FALSE(again.holds<sweep::Lost>() || again.holds<TimeoutError>())
      << describe_exception(again.exception());
  co_return happened;
}

class AwaitableAllocations : public ::testing::TestWithParam<sweep::Entry> {
 protected:
  void SetUp() override {
    if (!test::kCountsAllocations) GTEST_SKIP() << "the sanitizer's operators do not fail";
    test::announce_termination();
  }

  static bool run(During during, std::uint64_t which) {
    SCOPED_TRACE("allocation " + std::to_string(which));
    test::allocation_of_the_moment = which;
    test::LogCapture log;
    RunOptions options;
    bool has_connections =
        GetParam().kind >= asyncio::detail::AwaitableKind::operation || GetParam().is_http;
    bool system = GetParam().loops == sweep::On::system ||
                  (has_connections && GetParam().loops == sweep::On::every_loop);
    options.loop_factory(test::factory_of(system ? "epoll" : "simulated"));
    return asyncio::run(run_once(GetParam(), during, which), options);
  }

  /// Buffers of the thread grow in an error's first; what is left each time has leaked.
  static std::ptrdiff_t blocks_of_second(During during, std::uint64_t which) {
    test::AllocationCount count;
    run(during, which);
    // A thread that a failed shutdown left behind has its own until it ends.
    (void)test::eventually([&] { return count.live() <= 0; });
    return count.live();
  }

  static void sweep_over(During during) {
    run(during, 0);
    run(during, 0);
    for (std::uint64_t which = 1;; ++which) {
      test::AllocationCount first;
      bool happened = run(during, which);
      bool clean = first.live() == 0 || blocks_of_second(during, which) <= 0;
      EXPECT_TRUE(clean) << "blocks are left by allocation " << which;
      if (!happened || HasFailure()) return;
    }
  }
};

TEST_P(AwaitableAllocations, fault191_while_it_begins) { sweep_over(During::beginning); }
TEST_P(AwaitableAllocations, fault191_while_it_ends) {
  const std::string_view name = GetParam().name;
  if (name == "exit_stack" || name == "try" || name == "collect")
    GTEST_SKIP() << "its body has got the item when what is around it fails";
  sweep_over(During::end);
}

std::vector<sweep::Entry> entries() {
  std::vector<sweep::Entry> all;
  for (const sweep::Entry& entry : sweep::all_entries()) {
    // Of the simulated network, which ends the program without memory.
    bool simulated = entry.loops == sweep::On::simulated &&
                     entry.kind != asyncio::detail::AwaitableKind::process_wait;
    if (!simulated) all.push_back(entry);
  }
  return all;
}

INSTANTIATE_TEST_SUITE_P(EveryAwaitable, AwaitableAllocations, ::testing::ValuesIn(entries()),
                         [](const ::testing::TestParamInfo<sweep::Entry>& each) {
                           return std::string(each.param.name);
                         });

}  // namespace

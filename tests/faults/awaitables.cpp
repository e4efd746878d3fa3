// SPDX-License-Identifier: BSL-1.0
// AF for every public awaitable, from the list of the cancellation sweep: one allocation after
// another throws bad_alloc, while the operation begins and while it ends. It ends with a value or
// with bad_alloc (or waits for a partner that had no memory, where there is one), nothing is left
// behind, and the same object is used again.
#include "../sweep/sweep_case.hpp"
#include "allocation_count.hpp"
#include "asyncio/testing/simulated.hpp"
#include "backends.hpp"
#include "captures.hpp"
#include "gate.hpp"
#include "memory.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <new>
#include <optional>
#include <ostream>
#include <string>
#include <string_view>
#include <utility>
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

/// Whether what it waits for is made by a task or a peer of the case, which may be who has no
/// memory: then it waits for as long as it may, and rightly.
bool has_partner(const sweep::Entry& entry) {
  static constexpr std::string_view kPartners[] = {"barrier_wait", "condition_wait", "sock_send",
                                                   "tls", "unix_connection"};
  auto named = [&](std::string_view part) {
    return std::string_view(entry.name).find(part) != std::string_view::npos;
  };
  return entry.is_http || std::ranges::any_of(kPartners, named);
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
    auto waiting = until_done(task, has_partner(entry) ? 300ms : 20s);
    test::AllocationFailure failure(during == During::end ? which : 0);
    co_await std::move(waiting);
    happened = happened || (during == During::end && failure.happened());
  }
  if (task && !task->done() && happened && has_partner(entry)) task->cancel();
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

/// An awaitable on a backend.
struct Subject {
  sweep::Entry entry;
  std::string backend;

  std::string name() const { return entry.name + ("_" + backend); }
  friend void PrintTo(const Subject& subject, std::ostream* out) { *out << subject.name(); }
};

class AwaitableAllocations : public ::testing::TestWithParam<Subject> {
 protected:
  void SetUp() override {
    if (!test::kCountsAllocations) GTEST_SKIP() << "the sanitizer's operators do not fail";
    std::string refusal = test::refusal_of(GetParam().backend);
    if (!refusal.empty()) GTEST_SKIP() << refusal;
    test::announce_termination();
  }

  static bool run(During during, std::uint64_t which) {
    SCOPED_TRACE("allocation " + std::to_string(which));
    test::allocation_of_the_moment = which;
    test::LogCapture log;
    RunOptions options;
    options.loop_factory(test::factory_of(GetParam().backend));
    return asyncio::run(run_once(GetParam().entry, during, which), options);
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
  const std::string_view name = GetParam().entry.name;
  if (name == "exit_stack" || name == "try" || name == "collect")
    GTEST_SKIP() << "its body has got the item when what is around it fails";
  sweep_over(During::end);
}

/// What needs descriptors on those of the system, the rest on the simulated one.
std::vector<std::string> backends_of(const sweep::Entry& entry) {
  bool has_connections = entry.kind >= asyncio::detail::AwaitableKind::operation || entry.is_http;
  bool system =
      entry.loops == sweep::On::system || (has_connections && entry.loops == sweep::On::every_loop);
  if (system) return {"epoll", "io_uring"};
  return {"simulated"};
}

std::vector<Subject> subjects() {
  std::vector<Subject> all;
  for (const sweep::Entry& entry : sweep::all_entries()) {
    // Of the simulated network, which ends the program without memory.
    bool simulated = entry.loops == sweep::On::simulated &&
                     entry.kind != asyncio::detail::AwaitableKind::process_wait;
    if (simulated) continue;
    for (std::string& backend : backends_of(entry)) all.push_back({entry, std::move(backend)});
  }
  return all;
}

INSTANTIATE_TEST_SUITE_P(EveryAwaitable, AwaitableAllocations, ::testing::ValuesIn(subjects()),
                         [](const ::testing::TestParamInfo<Subject>& each) {
                           return each.param.name();
                         });

}  // namespace

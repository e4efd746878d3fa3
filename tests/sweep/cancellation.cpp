// SPDX-License-Identifier: BSL-1.0
// The cancellation sweep (fault 28): every public awaitable is cancelled while it waits, in the
// same tick as it completes, in both orders, and one tick later; its frame is destroyed; after each
// the object is used again (R1, R2, R3, R4).
#include "asyncio/testing/simulated.hpp"
#include "sweep_case.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <string>

namespace {

using namespace asyncio;
using namespace std::chrono_literals;
using asyncio::detail::AwaitableKind;

enum class Moment { never, waiting, after_completion, before_completion, one_tick_later };

Coro<> settle() {
  for (int tick = 0; tick < 6; ++tick) co_await sleep(0s);
}

/// Runs the operation of one case and cancels it at `moment`.
Coro<> sweep_one(AwaitableKind kind, Moment moment) {
  auto subject = sweep::make_case(kind);
  co_await subject->prepare();
  Task<> task = create_task(subject->operation());
  co_await settle();
  bool waited = !task.done();
  EXPECT_TRUE(waited) << "the operation did not have to wait";

  if (moment == Moment::waiting || moment == Moment::before_completion) task.cancel();
  if (moment != Moment::waiting || !subject->ends_at_once()) subject->complete();
  if (moment == Moment::after_completion) task.cancel();
  if (moment == Moment::one_tick_later) {
    co_await sleep(0s);
    task.cancel();
  }

  auto ended = co_await wait(std::vector<Task<>>(1, task), 24h);
  EXPECT_TRUE(task.done()) << "neither value nor cancellation: the operation hangs";
  bool requested_early = moment == Moment::waiting || moment == Moment::before_completion;
  if (requested_early) {
    EXPECT_TRUE(task.cancelled()) << "the cancellation got lost";
  }
  if (moment == Moment::never) {
    EXPECT_FALSE(task.cancelled()) << "a cancellation was invented";
  }
  if (task.done() && !task.cancelled()) {
    EXPECT_EQ(task.exception(), nullptr);
  }

  auto again = co_await capture(wait_for(subject->use_again(), 24h));
  EXPECT_TRUE(again.has_value()) << describe_exception(again.exception());
  EXPECT_EQ(current_task()->cancelling(), 0);
}

class CancellationSweep : public ::testing::TestWithParam<int> {
 protected:
  AwaitableKind kind() const { return static_cast<AwaitableKind>(GetParam()); }
  void at(Moment moment) { asyncio::testing::run_simulated(sweep_one(kind(), moment)); }
};

TEST_P(CancellationSweep, fault28_R1_not_cancelled) { at(Moment::never); }
TEST_P(CancellationSweep, fault28_R3_while_it_waits) { at(Moment::waiting); }
TEST_P(CancellationSweep, fault28_R2_same_tick_completion_first) { at(Moment::after_completion); }
TEST_P(CancellationSweep, fault28_R4_same_tick_cancel_first) { at(Moment::before_completion); }
TEST_P(CancellationSweep, fault28_R2_one_tick_after_completion) { at(Moment::one_tick_later); }

/// The loop is closed while the operation waits: its frame is destroyed, nothing is touched later.
TEST_P(CancellationSweep, fault28_R3_frame_destroyed) {
  LogHandler previous = set_log_handler([](const LogRecord&) {});  // "destroyed but pending"
  {
    EventLoop loop = asyncio::testing::new_simulated_event_loop();
    std::unique_ptr<sweep::Case> subject;
    auto begin = [&]() -> Coro<> {
      subject = sweep::make_case(kind());
      co_await subject->prepare();
      create_task(subject->operation());
      co_await settle();
    };
    loop.run_until_complete(begin());
    EXPECT_FALSE(all_tasks(loop).empty());
    loop.close();
    EXPECT_TRUE(all_tasks(loop).empty());
  }
  set_log_handler(previous);
}

std::string case_name(const ::testing::TestParamInfo<int>& info) {
  std::string name = asyncio::detail::awaitable_name(static_cast<AwaitableKind>(info.param));
  for (char& c : name)
    if (!std::isalnum(static_cast<unsigned char>(c))) c = '_';
  return name;
}

INSTANTIATE_TEST_SUITE_P(EveryAwaitable, CancellationSweep,
                         ::testing::Range(0, static_cast<int>(asyncio::detail::kAwaitableKinds)),
                         case_name);

}  // namespace

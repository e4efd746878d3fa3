// SPDX-License-Identifier: BSL-1.0
// Locks, semaphores, conditions, queues and barriers: what a task does with them, and what has to
// hold when all tasks have ended.
#include "world.hpp"

#include <chrono>
#include <utility>

namespace fuzz {

using namespace asyncio;
using namespace std::chrono_literals;

Coro<> World::check_primitives() {
  check(!lock_.locked(), "the lock is still taken");
  check(!condition_.locked(), "the condition's lock is still taken");
  auto first = co_await capture(wait_for(semaphore_.acquire(), 1s));
  auto second = co_await capture(wait_for(semaphore_.acquire(), 1s));
  check(first && second && semaphore_.locked(), "units of the semaphore were lost or made");
  for (const auto& line : lines_) line->check_size();
  co_await check_barrier();
}

Coro<> World::use_lock(int depth) {
  if (choices.one_in(2)) {
    auto held = co_await lock_.scoped();
    co_await step(depth);
  } else if (choices.one_in(2)) {
    co_await use_semaphore(depth);
  } else {
    co_await event_.wait();
  }
}

/// Or lets tasks stand in line for it, and cancels one of them in the step that gives the unit.
Coro<> World::use_semaphore(int depth) {
  std::vector<Task> line;
  {
    auto held = co_await semaphore_.scoped();
    if (choices.one_in(2)) {
      co_await step(depth);
      co_return;
    }
    for (int i = 2 + choices.below(3); i > 0; --i) line.push_back(create_task(stand_in_line()));
    co_await sleep(some_time());
  }
  line[choices.byte() % line.size()].cancel();
  co_await wait(line);
}

Coro<int> World::stand_in_line() {
  auto held = co_await semaphore_.scoped();
  co_await sleep(some_time());
  co_return 1;
}

Coro<> World::use_condition(int depth) {
  auto held = co_await condition_.scoped();
  if (choices.one_in(2))
    condition_.notify(1 + choices.below(2));
  else
    co_await condition_.wait();
  co_await step(depth);
}

Line& World::some_line() { return *lines_[choices.byte() % lines_.size()]; }

void World::use_line() {
  Line& line = some_line();
  if (choices.one_in(32))
    line.shut_down(choices.one_in(2));
  else
    line.put_if_possible(choices.byte());
}

Coro<> World::use_queue(int) {
  Line& line = some_line();
  if (choices.one_in(2))
    co_await line.put(choices.byte());
  else if (choices.one_in(6))
    co_await line.join();
  else if (choices.one_in(3))
    co_await line.next();
  else
    co_await line.get();
}

Coro<> World::use_barrier(int) {
  if (choices.one_in(8))
    co_await barrier_.reset();
  else if (choices.one_in(8))
    co_await barrier_.abort();
  else
    co_await pass_barrier();
}

/// Whoever completes a round is the first to leave, in the step in which it arrives.
Coro<> World::pass_barrier() {
  int position = co_await barrier_.wait();
  check(position >= 0 && position < kParties, "a place in the round that there is not");
  if (position == kParties - 1) ++rounds_;
  ++passed_;
  check(passed_ <= rounds_ * kParties, "a barrier lets somebody through before the others");
}

/// It is empty again, and lets the next ones through.
Coro<> World::check_barrier() {
  check(barrier_.n_waiting() == 0, "the barrier counts somebody who has left");
  if (barrier_.broken()) co_await barrier_.reset();
  std::vector<asyncio::Task<void>> parties;
  for (int i = 0; i < kParties; ++i) parties.push_back(create_task(pass_barrier()));
  auto passed = co_await capture(wait_for(gather(parties), 1s));
  check(passed.has_value(), "the barrier lets nobody through any more");
}

}  // namespace fuzz

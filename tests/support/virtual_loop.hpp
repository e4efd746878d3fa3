// SPDX-License-Identifier: BSL-1.0
/// A loop on a clock that jumps, which knows when nothing can happen any more and lets a test look
/// into its iterations.
#pragma once

#include "asyncio/eventloop.hpp"
#include "asyncio/runner.hpp"
#include "asyncio/sleep.hpp"
#include "seeds.hpp"

#include <cstdint>
#include <cstdlib>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace test {

/// A poller without an operating system: waiting moves its clock to the deadline. A deadlock is an
/// exception, not a hang.
class VirtualPoller final : public asyncio::detail::Poller {
 public:
  std::string_view name() const noexcept override { return "virtual"; }
  asyncio::TimePoint now() noexcept override { return now_; }
  int wake() noexcept override { return 0; }
  void close() noexcept override { ++closed; }

  void poll(asyncio::TimePoint deadline) override {
    ++polls;
    if (on_poll) on_poll(deadline);
    if (deadline == asyncio::TimePoint::max() && !may_idle)
      throw std::logic_error("deadlock: nothing is ready and nothing is pending");
    if (deadline != asyncio::TimePoint::max() && deadline > now_ && !frozen) now_ = deadline;
  }

  void advance(asyncio::Delay amount) { now_ += amount.duration(); }

  int polls = 0;
  int closed = 0;
  bool may_idle = false;  // a poll for ever returns at once instead of failing
  bool frozen = false;    // the clock stands still
  std::function<void(asyncio::TimePoint deadline)> on_poll;

 private:
  asyncio::TimePoint now_{std::chrono::hours(1)};
};

/// By what number virtual loops shuffle tasks, 0 for not at all: that of an odd seed, or that of
/// the environment variable ASYNCIO_SHUFFLE, under which the tests run that no order of tasks may
/// break.
inline std::uint64_t shuffle_seed() {
  if (current_seed % 2 == 1) return current_seed;
  const char* text = std::getenv("ASYNCIO_SHUFFLE");
  return text ? std::stoull(text) : 0;
}

inline asyncio::EventLoop new_virtual_loop() {
  auto loop = std::make_shared<asyncio::detail::Loop>(std::make_unique<VirtualPoller>());
  if (std::uint64_t seed = shuffle_seed()) loop->shuffle_tasks(seed);
  return asyncio::EventLoop(std::move(loop));
}

inline VirtualPoller& poller_of(const asyncio::EventLoop& loop) {
  return static_cast<VirtualPoller&>(loop.impl().poller());
}
/// Of the running loop.
inline VirtualPoller& poller() { return poller_of(asyncio::get_running_loop()); }

/// Blocks the loop for `amount`, as a computation would.
inline void block_for(asyncio::Delay amount) { poller().advance(amount); }

inline asyncio::RunOptions virtual_options() {
  return asyncio::RunOptions().loop_factory(new_virtual_loop);
}

/// asyncio::run on a virtual loop.
template <class F, class... Args>
auto run_virtual(F&& function, Args&&... args) {
  return asyncio::run(std::invoke(function, std::forward<Args>(args)...), virtual_options());
}
/// The same with debug on.
template <class F, class... Args>
auto debug_virtual(F&& function, Args&&... args) {
  return asyncio::run(std::invoke(function, std::forward<Args>(args)...),
                      virtual_options().debug(true));
}

/// Lets the others run for so many iterations.
inline asyncio::Coro<> yields(int count) {
  for (int i = 0; i < count; ++i) co_await asyncio::sleep(std::chrono::seconds(0));
}

}  // namespace test

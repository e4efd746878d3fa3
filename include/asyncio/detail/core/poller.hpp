// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "asyncio/time.hpp"

#include <string_view>

namespace asyncio::detail {

class Backend;
class Loop;

/// What the loop asks of the layer below its callbacks: the time, and to wait.
///
/// Completions found by `poll` are put into the loop's ready queue by their own nodes.
class Poller {
 public:
  virtual ~Poller() = default;

  /// This, if it does I/O as well: what the layer above calls for each of its operations.
  virtual Backend* backend() noexcept { return nullptr; }
  /// "epoll", "io_uring", "simulated".
  virtual std::string_view name() const noexcept = 0;
  virtual TimePoint now() noexcept = 0;
  /// Waits for a completion or a wake(), at most until `deadline`: TimePoint::min() does not
  /// wait, TimePoint::max() waits for ever. EINTR and an early return are allowed.
  virtual void poll(TimePoint deadline) = 0;
  /// Ends a poll that is under way or the next one.
  /// Returns 0, or the error number if the system does not let it.
  /// Thread   any; also from a signal handler.
  virtual int wake() noexcept = 0;
  /// The loop has stopped running; its next run may be in another thread.
  virtual void stopped() noexcept {}
  /// The loop is closing: let go of everything. No wake() is under way, and none will come.
  virtual void close() noexcept = 0;
  /// A thread has begun, or ended, work that will post to the loop: a virtual clock must not jump
  /// while there is such work.
  virtual void external_work(int change) noexcept { (void)change; }
  /// Somebody outside, as a signal handler, may wake the loop from now on, or no more: that nothing
  /// else can is no deadlock, though a virtual clock need not wait for it.
  virtual void may_be_woken(int change) noexcept { (void)change; }
};

}  // namespace asyncio::detail

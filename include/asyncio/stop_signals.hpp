// SPDX-License-Identifier: BSL-1.0
/// StopSignals: the end of a service that is asked for from outside.
#pragma once

#include "asyncio/coro.hpp"
#include "asyncio/eventloop.hpp"
#include "asyncio/sync.hpp"

#include <vector>

namespace asyncio {

/// SIGINT and SIGTERM say stop, once. Once the loop has seen that, the next one does what it does
/// without us: SIGTERM ends the process, SIGINT cancels the main task. Where nothing has to be said
/// or finished, the cancellation that Ctrl-C is anyhow will do.
///
///     StopSignals signals;
///     co_await signals.wait();
///     server.close();
///
/// Throws   (the constructor) RuntimeError if this loop or another one has a handler for them.
/// Thread   the loop's.
/// asyncio  Event Loop, Unix signals
class StopSignals {
 public:
  StopSignals();
  ~StopSignals();
  StopSignals(const StopSignals&) = delete;
  StopSignals& operator=(const StopSignals&) = delete;

  /// As a signal would.
  void stop();
  bool stopped() const noexcept { return stopped_.is_set(); }
  /// Awaits   a signal, or stop().
  /// Cancel   ends the wait.
  auto wait() { return stopped_.wait(); }

 private:
  void remove();

  EventLoop loop_;
  Event stopped_;
  std::vector<int> handled_;
};

}  // namespace asyncio

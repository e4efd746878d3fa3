// SPDX-License-Identifier: BSL-1.0
/// Event loops on a way to wait of your own. Python: the module selectors, BaseEventLoop.
#pragma once

#include "asyncio/eventloop.hpp"

#include <chrono>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

namespace asyncio {

/// What a descriptor is watched for.
inline constexpr unsigned EVENT_READ = 1;
inline constexpr unsigned EVENT_WRITE = 2;

/// Says which descriptors are ready: what an event loop needs from the system, or from another
/// library's loop. Everything else, sockets, streams, TLS, processes, signals and threads, is the
/// event loop's.
///
/// Thread   that of the loop.
/// asyncio  selectors, BaseSelector
class Selector {
 public:
  /// A descriptor that is ready.
  class Key {
   public:
    int fd;
    unsigned events;
  };

  virtual ~Selector() = default;

  /// What EventLoop::backend_name says.
  virtual std::string_view name() const noexcept { return "selector"; }

  /// `fd` is watched for these events from now on, and for no others; for none, 0, before it is
  /// closed. Python: register, modify and unregister.
  ///
  /// Returns  0, or the errno of why not, which who waits for the descriptor gets as an OSError.
  virtual int modify(int fd, unsigned events) noexcept = 0;

  /// Waits until a descriptor is ready, at most for `timeout`; without one for ever. May end early.
  /// A descriptor is reported as long as it is ready, and for all that it is watched for after an
  /// error or hang-up, or if it was closed.
  ///
  /// Returns  what is ready; events that are not watched for do no harm.
  /// Throws   what comes out of `run`.
  virtual std::vector<Key> select(std::optional<std::chrono::nanoseconds> timeout) = 0;
};

/// A new loop on a selector, which it owns: `RunOptions().loop_factory(...)` runs a program on it.
/// `selector` is destroyed when the loop is closed.
///
/// Throws   OSError if there are no descriptors; ValueError for null.
/// asyncio  Event Loop, SelectorEventLoop
EventLoop new_selector_event_loop(std::unique_ptr<Selector> selector);

}  // namespace asyncio

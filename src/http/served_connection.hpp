// SPDX-License-Identifier: BSL-1.0
/// A connection of a server, whatever the version of HTTP: ServedConnection.
#pragma once

#include "asyncio/coro.hpp"

#include <chrono>

namespace asyncio::http::detail {

/// What a client gets at the end of the server that has connected and not asked yet: its request is
/// on its way, and for a client that knows no answer to it a lost one is an error. Go has 5
/// seconds.
inline constexpr auto kFirstRequest = std::chrono::seconds(1);

class ServedConnection {
 public:
  virtual ~ServedConnection() = default;

  /// Until the connection ends.
  virtual Coro<> serve() = 0;
  /// Instead: says that there is no room for it.
  virtual Coro<> turn_away() = 0;
  /// While it is served: takes no more requests, and ends when those that came are answered.
  virtual void stop() = 0;
};

}  // namespace asyncio::http::detail

// SPDX-License-Identifier: BSL-1.0
/// Server-sent events: aiohttp_sse.
#pragma once

#include "asyncio/web/stream_response.hpp"

#include <chrono>
#include <optional>
#include <string>
#include <utility>

namespace asyncio::web {

/// One of a stream of server-sent events.
class ServerEvent {
 public:
  explicit ServerEvent(std::string data) : data_(std::move(data)) {}

  ServerEvent& event(std::string name) { return event_ = std::move(name), *this; }
  ServerEvent& id(std::string id) { return id_ = std::move(id), *this; }
  /// How long a client that has lost the connection waits before the next.
  ServerEvent& retry(std::chrono::milliseconds delay) { return retry_ = delay, *this; }

  /// As it is sent.
  ///
  /// Throws   ValueError for a name or id with a line break.
  std::string text() const;

 private:
  std::string data_, event_, id_;
  std::optional<std::chrono::milliseconds> retry_;
};

/// A stream of events for a browser's EventSource.
///
/// asyncio  aiohttp_sse: EventSourceResponse
class EventSourceResponse : public StreamResponse {
 public:
  EventSourceResponse();

  Coro<> send(const ServerEvent& event);
};

}  // namespace asyncio::web

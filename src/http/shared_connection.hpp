// SPDX-License-Identifier: BSL-1.0
/// A connection that many exchanges have at a time: SharedConnection.
#pragma once

#include "asyncio/coro.hpp"
#include "asyncio/streams.hpp"
#include "http/client_channel.hpp"
#include "http/pooled_connection.hpp"

#include <memory>

namespace asyncio::http::detail {

class Connector;

/// A connection of HTTP/2. Its connector learns when nobody has it any more.
class SharedConnection : public PooledConnection {
 public:
  using PooledConnection::PooledConnection;

  /// Awaits: that the server takes one request more; who comes first has it first.
  /// Returns: null if there will be no more requests on this connection.
  virtual Coro<std::shared_ptr<ClientChannel>> open() = 0;
  /// There will be no more requests on it; who waits in `open` is told.
  virtual void retire() = 0;
  bool is_shared() const noexcept final { return true; }
};

/// Begins to speak HTTP/2.
/// Throws: RuntimeError if this build has none.
std::shared_ptr<SharedConnection> make_http2(const std::shared_ptr<Connector>& connector,
                                             ConnectionKey key, Streams streams,
                                             const HttpLimits& limits);

}  // namespace asyncio::http::detail

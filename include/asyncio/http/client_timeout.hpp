// SPDX-License-Identifier: BSL-1.0
/// The time limits of a client: ClientTimeout.
#pragma once

#include "asyncio/time.hpp"

#include <chrono>

namespace asyncio::http {

/// How long the parts of a request may take. Each limit that passes is a ServerTimeoutError. Zero
/// is no limit, as there.
///
/// asyncio  aiohttp: ClientTimeout
class ClientTimeout {
 public:
  ClientTimeout() {}

  // Each throws   ValueError for less than zero.

  /// From the request to the last byte of the body, redirects included; 5 minutes.
  ClientTimeout& total(OptionalDelay limit) { return total_ = checked("total", limit), *this; }
  /// Until there is a connection, from the pool or new, with the wait for a free one; no limit.
  ClientTimeout& connect(OptionalDelay limit) {
    return connect_ = checked("connect", limit), *this;
  }
  /// For a new connection, with the names, the proxy and TLS; 30 seconds.
  ClientTimeout& sock_connect(OptionalDelay limit) {
    return sock_connect_ = checked("sock_connect", limit), *this;
  }
  /// For the next bytes of the response, once the request is sent; no limit.
  ClientTimeout& sock_read(OptionalDelay limit) {
    return sock_read_ = checked("sock_read", limit), *this;
  }

  const OptionalDelay& get_total() const noexcept { return total_; }
  const OptionalDelay& get_connect() const noexcept { return connect_; }
  const OptionalDelay& get_sock_connect() const noexcept { return sock_connect_; }
  const OptionalDelay& get_sock_read() const noexcept { return sock_read_; }

 private:
  static OptionalDelay checked(const char* name, const OptionalDelay& limit);

  OptionalDelay total_ = std::chrono::minutes(5);
  OptionalDelay connect_;
  OptionalDelay sock_connect_ = std::chrono::seconds(30);
  OptionalDelay sock_read_;
};

}  // namespace asyncio::http

// SPDX-License-Identifier: BSL-1.0
/// What a connection of a client is good for: ConnectionKey.
#pragma once

#include "asyncio/tls.hpp"

#include <compare>
#include <cstdint>
#include <memory>
#include <string>

namespace asyncio::http::detail {

/// Connections with the same key are as good as each other; others are never shared. What all
/// connections of a session have in common is no part of it.
class ConnectionKey {
 public:
  ConnectionKey() noexcept {}

  bool secure = false;
  bool tunnel = false;  // through the proxy; always if it is secure
  std::string host;
  std::uint16_t port = 0;
  /// Empty for none.
  std::string proxy_host;
  std::uint16_t proxy_port = 0;
  bool proxy_secure = false;  // TLS on the way to it
  std::string proxy_authorization;
  /// Null for the default context. What is kept here is not another one later.
  std::shared_ptr<asyncio::detail::TlsContextState> tls;
  /// How often the context was changed.
  std::uint64_t tls_revision = 0;

  /// Whether the proxy itself is asked for what is there.
  bool asks_proxy() const noexcept { return !proxy_host.empty() && !tunnel; }

  auto operator<=>(const ConnectionKey&) const = default;
};

/// "host:port", with the proxy if there is one: for messages.
std::string text_of(const ConnectionKey& key);

}  // namespace asyncio::http::detail

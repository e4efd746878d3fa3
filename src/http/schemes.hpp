// SPDX-License-Identifier: BSL-1.0
/// What the scheme of a URL asks for.
#pragma once

#include "asyncio/http/url.hpp"

namespace asyncio::http::detail {

/// TLS.
inline bool is_secure(const URL& url) noexcept {
  return url.scheme() == "https" || url.scheme() == "wss";
}

inline bool is_websocket(const URL& url) noexcept {
  return url.scheme() == "ws" || url.scheme() == "wss";
}

}  // namespace asyncio::http::detail

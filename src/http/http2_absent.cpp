// SPDX-License-Identifier: BSL-1.0
// A client without nghttp2.
#include "asyncio/exceptions.hpp"
#include "http/http2_presence.hpp"
#include "http/shared_connection.hpp"

namespace asyncio::http::detail {

bool has_http2() noexcept { return false; }

std::shared_ptr<SharedConnection> make_http2(const std::shared_ptr<Connector>&, ConnectionKey,
                                             Streams, const HttpLimits&) {
  throw RuntimeError("asyncio::http is built without HTTP/2");
}

}  // namespace asyncio::http::detail

// SPDX-License-Identifier: BSL-1.0
// For builds without nghttp2.
#include "asyncio/exceptions.hpp"
#include "http/http2_server.hpp"

namespace asyncio::http::detail {

std::shared_ptr<ServedConnection> make_http2_server(StreamReader, StreamWriter,
                                                    const ServerSettings&, const WebHandler&) {
  throw RuntimeError("asyncio::http is built without HTTP/2");
}

}  // namespace asyncio::http::detail

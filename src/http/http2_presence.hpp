// SPDX-License-Identifier: BSL-1.0
/// Builds without nghttp2 have no HTTP/2.
#pragma once

namespace asyncio::http::detail {

bool has_http2() noexcept;

}  // namespace asyncio::http::detail

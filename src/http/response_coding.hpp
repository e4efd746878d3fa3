// SPDX-License-Identifier: BSL-1.0
/// Responses whose bodies are compressed for clients that take it: RFC 9110, 12.5.3 and 8.4.
#pragma once

#include "asyncio/web/response.hpp"
#include "http/compression.hpp"

#include <optional>
#include <string_view>

namespace asyncio::http::detail {

/// gzip or deflate, what the client likes more; gzip if both are the same to it. Nothing if it
/// takes neither, or says nothing.
std::optional<ContentCoding> accepted_coding(std::string_view accept_encoding) noexcept;

/// Prepares a head for a body that is compressed: Content-Encoding, and an ETag that is weak, for
/// the bytes are others. In any case Vary says that other clients may get other bytes.
/// Returns nothing for a body that has to stay as it is: there is none, it is a part, it is coded
/// already, the response forbids it, the client does not take it.
std::optional<ContentCoding> negotiate_coding(const Headers& request, web::Response& response);

/// Compresses a whole body, if it becomes smaller.
void compress_body(const Headers& request, web::Response& response);

}  // namespace asyncio::http::detail

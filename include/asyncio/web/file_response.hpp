// SPDX-License-Identifier: BSL-1.0
/// Files as responses: aiohttp's web.FileResponse.
#pragma once

#include "asyncio/coro.hpp"
#include "asyncio/web/request.hpp"
#include "asyncio/web/response.hpp"

#include <string>
#include <string_view>

namespace asyncio::web {

/// Answers with a file, or with what the client asks for of it: a range (one), nothing if it has
/// the file already (If-None-Match, If-Modified-Since). The content type follows from the name
/// unless `head` has one; the bytes go from the file to the socket inside the kernel where they
/// can.
///
/// Awaits   the file, and a client that reads.
/// Returns  what the handler has to return.
/// Throws   HTTPNotFound if there is no such file, or it is none; HTTPForbidden if it may not be
///          read.
/// asyncio  aiohttp: web.FileResponse
Coro<Response> file_response(Request& request, std::string path, Response head = {});

/// The content type of a file with that name; application/octet-stream if it is not known.
std::string_view content_type_of(std::string_view name) noexcept;

}  // namespace asyncio::web

// SPDX-License-Identifier: BSL-1.0
/// What file_response and StaticFiles share.
#pragma once

#include "asyncio/coro.hpp"
#include "asyncio/files.hpp"
#include "asyncio/web/request.hpp"
#include "asyncio/web/response.hpp"

#include <string>
#include <string_view>

namespace asyncio::web::detail {

/// A file that can be read at once: a FIFO would wait for its writer, and keep a thread.
/// Throws: HTTPNotFound and HTTPForbidden for what cannot be opened.
Coro<File> open_servable(std::string path);

/// Answers with what the client asks for of the file. `name` says what its content type is.
Coro<Response> answer_with_file(Request& request, File file, std::string_view name, Response head);

}  // namespace asyncio::web::detail

// SPDX-License-Identifier: BSL-1.0
/// Files as responses: aiohttp's web.FileResponse and add_static.
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

/// A handler for "/static/{name...}": answers with files below `folder`. Names that lead out of it,
/// also by a symbolic link, are not found, nor is what may not be read; folders are not listed.
class StaticFiles {
 public:
  /// Throws   OSError if there is no such folder.
  explicit StaticFiles(const std::string& folder);

  /// What a folder answers with: "index.html" of express.static. Below a name without '/' at its
  /// end the links of such a page would lead elsewhere, so that is redirected to the one with.
  /// Without an index, the default, folders are not found.
  ///
  /// Throws   ValueError for a name with '/'.
  StaticFiles& index(std::string name);

  Coro<Response> operator()(Request& request) const;

 private:
  std::string folder_;  // absolute, without links, with '/' at the end
  std::string index_;   // empty: there is none
};

}  // namespace asyncio::web

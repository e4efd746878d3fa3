// SPDX-License-Identifier: BSL-1.0
/// The files of a folder: aiohttp's add_static, Express' express.static.
#pragma once

#include "asyncio/coro.hpp"
#include "asyncio/web/request.hpp"
#include "asyncio/web/response.hpp"

#include <string>

namespace asyncio::web {

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

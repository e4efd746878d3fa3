// SPDX-License-Identifier: BSL-1.0
/// The lines of the output.
#pragma once

#include "crawler/fetcher.hpp"
#include "crawler/frontier.hpp"

#include <string>

namespace crawler {

/// A line of JSON, with its end:
/// {"url": ..., "depth": 1, "status": 200, "content_type": ..., "bytes": ..., "title": ...,
///  "links": 3, "ms": 12.5}, or with "error" or "excluded" instead of the answer.
std::string record_of(const Target& target, const Page& page);

}  // namespace crawler

// SPDX-License-Identifier: BSL-1.0
/// Conditional requests and ranges (RFC 9110, 13 and 14).
#pragma once

#include "asyncio/http/headers.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace asyncio::http::detail {

/// A representation as it is now.
struct Representation {
  std::string etag;  // with its quotes
  std::chrono::system_clock::time_point modified;
  std::uint64_t size = 0;
};

enum class Condition { Proceed, NotModified, Failed };

/// What If-Match, If-None-Match, If-Modified-Since and If-Unmodified-Since come to for a GET.
Condition check_conditions(const Headers& request, const Representation& now);

/// Some of the bytes.
struct ByteRange {
  std::uint64_t begin = 0;
  std::uint64_t size = 0;

  bool operator==(const ByteRange&) const = default;
};

enum class RangeOutcome { Whole, Part, NotSatisfiable };

/// What Range and If-Range ask for. Several ranges, and what is no range, are as none.
RangeOutcome find_range(const Headers& request, const Representation& now, ByteRange& range);

}  // namespace asyncio::http::detail

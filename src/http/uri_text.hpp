// SPDX-License-Identifier: BSL-1.0
/// The pieces of a URI, as uriparser finds and normalizes them.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace asyncio::http::detail {

/// A piece that is absent differs from an empty one ("http://h/" from "http://h/?").
struct UriPieces {
  std::optional<std::string> scheme;
  std::optional<std::string> user_info;
  std::optional<std::string> host;  // without brackets
  bool host_is_ipv6 = false;
  std::optional<std::string> port;
  std::string path;
  std::optional<std::string> query;
  std::optional<std::string> fragment;
};

/// Normalized, and resolved against `base` where there is one.
/// Throws: InvalidURL.
UriPieces parse_uri(std::string_view text, std::optional<std::string_view> base = std::nullopt);

/// A URL, or what was to be one, for error messages: without what stands before an '@', where
/// passwords are.
std::string without_secrets(std::string_view text);

}  // namespace asyncio::http::detail

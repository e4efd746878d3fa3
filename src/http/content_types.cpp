// SPDX-License-Identifier: BSL-1.0
#include "asyncio/web/file_response.hpp"
#include "http/characters.hpp"

#include <algorithm>
#include <array>

namespace asyncio::web {

namespace {

struct ContentType {
  std::string_view suffix;
  std::string_view type;
};

/// The ones of the web, by suffix.
constexpr std::array<ContentType, 34> kTypes{{
    {"avif", "image/avif"},
    {"bmp", "image/bmp"},
    {"css", "text/css; charset=utf-8"},
    {"csv", "text/csv; charset=utf-8"},
    {"gif", "image/gif"},
    {"gz", "application/gzip"},
    {"htm", "text/html; charset=utf-8"},
    {"html", "text/html; charset=utf-8"},
    {"ico", "image/vnd.microsoft.icon"},
    {"jpeg", "image/jpeg"},
    {"jpg", "image/jpeg"},
    {"js", "text/javascript; charset=utf-8"},
    {"json", "application/json"},
    {"map", "application/json"},
    {"md", "text/markdown; charset=utf-8"},
    {"mjs", "text/javascript; charset=utf-8"},
    {"mp3", "audio/mpeg"},
    {"mp4", "video/mp4"},
    {"oga", "audio/ogg"},
    {"ogv", "video/ogg"},
    {"otf", "font/otf"},
    {"pdf", "application/pdf"},
    {"png", "image/png"},
    {"svg", "image/svg+xml"},
    {"tar", "application/x-tar"},
    {"ttf", "font/ttf"},
    {"txt", "text/plain; charset=utf-8"},
    {"wasm", "application/wasm"},
    {"webm", "video/webm"},
    {"webp", "image/webp"},
    {"woff", "font/woff"},
    {"woff2", "font/woff2"},
    {"xml", "application/xml"},
    {"zip", "application/zip"},
}};

}  // namespace

std::string_view content_type_of(std::string_view name) noexcept {
  std::size_t dot = name.rfind('.');
  std::string_view suffix = dot == std::string_view::npos ? "" : name.substr(dot + 1);
  const auto* found = std::ranges::find_if(kTypes, [suffix](const ContentType& known) {
    return http::detail::equal_without_case(known.suffix, suffix);
  });
  return found == kTypes.end() ? "application/octet-stream" : found->type;
}

}  // namespace asyncio::web

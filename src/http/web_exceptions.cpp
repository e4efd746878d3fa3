// SPDX-License-Identifier: BSL-1.0
#include "asyncio/web/exceptions.hpp"
#include "http/uri_characters.hpp"

namespace asyncio::web {

namespace {

std::string line_of(http::Status status) {
  return std::to_string(status.code()) + ": " + std::string(status.phrase());
}

}  // namespace

HTTPException::HTTPException(http::Status status, std::string text)
    : std::runtime_error(line_of(status)), response_(status) {
  response_.text(text.empty() ? line_of(status) : std::move(text));
}

HTTPException::~HTTPException() = default;

void HTTPException::set_location(std::string_view location) {
  constexpr std::string_view kInReference = ":/?#[]@!$&'()*+,;=";  // RFC 3986, 2.2
  headers().set("Location", location);  // refuses what no header can have
  headers().set("Location", http::detail::requote(location, kInReference));
}

}  // namespace asyncio::web

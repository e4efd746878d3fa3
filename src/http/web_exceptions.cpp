// SPDX-License-Identifier: BSL-1.0
#include "asyncio/web/exceptions.hpp"

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

}  // namespace asyncio::web

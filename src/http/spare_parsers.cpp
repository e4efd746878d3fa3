// SPDX-License-Identifier: BSL-1.0
#include "http/spare_parsers.hpp"

#include <utility>

namespace asyncio::http::detail {

namespace {

/// More than usual heads take is not kept.
constexpr std::size_t kMaxKept = std::size_t{8} << 10;

}  // namespace

std::unique_ptr<RequestParser> SpareParsers::take(const HttpLimits& limits) {
  if (count_ == 0) return std::make_unique<RequestParser>(limits);
  std::unique_ptr<RequestParser> parser = std::move(parsers_[--count_]);
  parser->restart(limits);
  return parser;
}

void SpareParsers::put(std::unique_ptr<RequestParser> parser) noexcept {
  if (!parser || count_ == parsers_.size() || parser->held_bytes() > kMaxKept) return;
  parsers_[count_++] = std::move(parser);
}

}  // namespace asyncio::http::detail

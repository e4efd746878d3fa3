// SPDX-License-Identifier: BSL-1.0
/// What connections need of a parser between requests: SpareParsers.
#pragma once

#include "asyncio/http/limits.hpp"
#include "http/request_parser.hpp"

#include <array>
#include <cstddef>
#include <memory>

namespace asyncio::http::detail {

/// The parsers of a server's connections that have no request. Most have none (L2), so a few are
/// kept for all, with the memory of usual heads.
class SpareParsers {
 public:
  SpareParsers() noexcept = default;
  SpareParsers(const SpareParsers&) = delete;
  SpareParsers& operator=(const SpareParsers&) = delete;

  /// One that begins, with those limits.
  std::unique_ptr<RequestParser> take(const HttpLimits& limits);
  /// What the last request has left in it is gone. Null is none.
  void put(std::unique_ptr<RequestParser> parser) noexcept;

 private:
  std::array<std::unique_ptr<RequestParser>, 32> parsers_;
  std::size_t count_ = 0;
};

}  // namespace asyncio::http::detail

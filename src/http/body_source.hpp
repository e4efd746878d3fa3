// SPDX-License-Identifier: BSL-1.0
/// Where the body of a request comes from that is not in memory: BodySource.
#pragma once

#include "asyncio/coro.hpp"
#include "asyncio/generator.hpp"
#include "asyncio/http/head.hpp"

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace asyncio::http::detail {

class BodySource {
 public:
  BodySource() = default;
  BodySource(const BodySource&) = delete;
  BodySource& operator=(const BodySource&) = delete;
  virtual ~BodySource() = default;

  /// Begins at the front, once more if it can be repeated.
  ///
  /// Returns  how long it is, or that it comes in chunks.
  /// Throws   RuntimeError if it cannot be repeated and has begun before.
  virtual Coro<BodyFraming> begin() = 0;
  /// Returns  the next piece; nullopt at the end.
  virtual Coro<std::optional<std::string>> next() = 0;
  virtual bool repeatable() const noexcept = 0;
  /// Another one of the same bytes: requests that are sent at the same time each have their own
  /// place in them. Null if they can be sent once only.
  virtual std::shared_ptr<BodySource> copy() const = 0;
};

std::shared_ptr<BodySource> source_of(AsyncGenerator<std::string> pieces);
std::shared_ptr<BodySource> source_of_file(std::string path);
/// Texts, each with the source that follows it, and a text at the end.
std::shared_ptr<BodySource> source_of_parts(
    std::vector<std::pair<std::string, std::shared_ptr<BodySource>>> parts, std::string end);
/// A copy if there can be one, else `source` itself; null of null.
std::shared_ptr<BodySource> own_source(const std::shared_ptr<BodySource>& source);

}  // namespace asyncio::http::detail

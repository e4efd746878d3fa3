// SPDX-License-Identifier: BSL-1.0
/// Forms with files, part by part: aiohttp's MultipartReader.
#pragma once

#include "asyncio/coro.hpp"
#include "asyncio/http/headers.hpp"

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace asyncio::web {

class Request;

namespace detail {
class MultipartState;
}

/// What is taken of a body made of parts.
class MultipartOptions {
 public:
  MultipartOptions() noexcept {}

  /// How many parts; 1,000.
  MultipartOptions& max_parts(std::size_t count) noexcept { return max_parts_ = count, *this; }
  /// How long a line of a part's headers may be, of which there are at most 32; 8,192.
  MultipartOptions& max_header_bytes(std::size_t bytes) noexcept {
    return max_header_bytes_ = bytes, *this;
  }

  std::size_t get_max_parts() const noexcept { return max_parts_; }
  std::size_t get_max_header_bytes() const noexcept { return max_header_bytes_; }

 private:
  std::size_t max_parts_ = 1000;
  std::size_t max_header_bytes_ = 8192;
};

/// One part of a body, as it arrives. A handle, good until the next part is asked for: then its
/// reads throw RuntimeError.
///
/// Names are as the client gave them. A file name may hold "../", slashes and anything else: it is
/// something to show, never a path.
///
/// Thread   the loop's.
/// asyncio  aiohttp: BodyPartReader
class BodyPart {
 public:
  const http::Headers& headers() const noexcept { return headers_; }
  /// Of the field; empty if it has none.
  std::string_view name() const noexcept { return name_; }
  /// Of a file; nothing for a field.
  const std::optional<std::string>& filename() const noexcept { return filename_; }
  /// Without parameters; text/plain if it says nothing.
  std::string_view content_type() const noexcept;

  /// The next bytes as they arrive; empty at the end of the part. The view is good until the next
  /// call.
  ///
  /// Awaits   bytes.
  /// Throws   HTTPBadRequest for a body that is wrong or ends too early; what Request::read_some
  ///          throws.
  /// Cancel   takes nothing.
  Coro<std::string_view> read_some() const;
  /// The rest of the part.
  ///
  /// Awaits   the end of the part.
  /// Throws   as `read_some`; HTTPRequestEntityTooLarge beyond the server's client_max_size.
  /// Cancel   takes nothing.
  Coro<std::string> read() const;

 private:
  friend class MultipartReader;
  BodyPart(std::shared_ptr<detail::MultipartState> state, http::Headers headers);

  std::shared_ptr<detail::MultipartState> state_;
  std::size_t number_;
  http::Headers headers_;
  std::string name_;
  std::optional<std::string> filename_;
};

/// Reads a body made of parts: from Request::multipart. Nothing is kept of what was read: a file of
/// any size takes a few KiB.
///
///   web::MultipartReader parts = request.multipart();
///   while (auto part = co_await parts.next()) { ... co_await part->read_some() ... }
///
/// A part that is itself made of parts is bytes.
///
/// Thread   the loop's.
/// asyncio  aiohttp: MultipartReader
class MultipartReader {
 public:
  /// The next part; what was not read of the one before is skipped. nullopt at the end.
  ///
  /// Awaits   the part's headers.
  /// Throws   HTTPBadRequest for a body that is wrong, ends too early or is beyond the options.
  /// Cancel   takes nothing.
  Coro<std::optional<BodyPart>> next() const;

 private:
  friend class Request;
  explicit MultipartReader(std::shared_ptr<detail::MultipartState> state) noexcept
      : state_(std::move(state)) {}

  std::shared_ptr<detail::MultipartState> state_;
};

}  // namespace asyncio::web

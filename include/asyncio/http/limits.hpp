// SPDX-License-Identifier: BSL-1.0
/// How much of a message is taken from a peer: HttpLimits.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>

namespace asyncio::http {

/// What a peer may send in one message. Sizes are in bytes, of lines without their ends. A message
/// is refused at the limit, before what is beyond is stored.
///
/// asyncio  aiohttp: max_line_size, max_field_size, max_headers
class HttpLimits {
 public:
  HttpLimits() noexcept {}

  /// The request or status line; 8192. Beyond: 414.
  HttpLimits& start_line(std::size_t bytes) noexcept { return start_line_ = bytes, *this; }
  /// One header or trailer field, with its name; 8192. Beyond: 431.
  HttpLimits& field(std::size_t bytes) noexcept { return field_ = bytes, *this; }
  /// How many header fields; 128. Beyond: 431.
  HttpLimits& fields(std::size_t count) noexcept { return fields_ = count, *this; }
  /// The whole head, with the ends of its lines; 65536, and never more than 4 GiB. Beyond: 431.
  HttpLimits& head(std::size_t bytes) noexcept {
    constexpr std::size_t most = std::numeric_limits<std::uint32_t>::max();
    return head_ = bytes < most ? bytes : most, *this;
  }
  /// The body; no limit. Beyond: 413, for a declared length before any of it is read.
  HttpLimits& body(std::uint64_t bytes) noexcept { return body_ = bytes, *this; }
  /// All trailer fields, with the ends of their lines; 8192. Beyond: 431.
  HttpLimits& trailers(std::size_t bytes) noexcept { return trailers_ = bytes, *this; }
  /// How many trailer fields; 32. Beyond: 431.
  HttpLimits& trailer_fields(std::size_t count) noexcept { return trailer_fields_ = count, *this; }
  /// What the size lines of a body's chunks have in all beyond 16 bytes each: extensions and
  /// leading zeros; 16384. Beyond: 400.
  HttpLimits& chunk_extensions(std::size_t bytes) noexcept {
    return chunk_extensions_ = bytes, *this;
  }
  /// How many chunks of a body may have less than 16 bytes; 65536. Such chunks cost more than they
  /// bring; a stream of small events that lasts for days has as many. Beyond: 400.
  HttpLimits& tiny_chunks(std::size_t count) noexcept { return tiny_chunks_ = count, *this; }
  /// How many 1xx responses may come before the one that was asked for; 16.
  HttpLimits& informational(std::size_t count) noexcept { return informational_ = count, *this; }
  /// Of HTTP/2: how many streams the peer may have open at a time; 100. Beyond: they are refused.
  HttpLimits& streams(std::uint32_t count) noexcept { return streams_ = count, *this; }
  /// Of HTTP/2: how many streams a client may reset at once, and a tenth of that each second; 200.
  /// Beyond: the connection ends.
  HttpLimits& stream_resets(std::size_t count) noexcept { return stream_resets_ = count, *this; }
  /// Of HTTP/2: how many frames may bring nothing (pings, settings, priorities, empty data, and
  /// those that have to be answered with a reset) at once, and a tenth of that each second; 1000.
  /// Beyond: the connection ends.
  HttpLimits& idle_frames(std::size_t count) noexcept { return idle_frames_ = count, *this; }

  std::size_t start_line() const noexcept { return start_line_; }
  std::size_t field() const noexcept { return field_; }
  std::size_t fields() const noexcept { return fields_; }
  std::size_t head() const noexcept { return head_; }
  std::uint64_t body() const noexcept { return body_; }
  std::size_t trailers() const noexcept { return trailers_; }
  std::size_t trailer_fields() const noexcept { return trailer_fields_; }
  std::size_t chunk_extensions() const noexcept { return chunk_extensions_; }
  std::size_t tiny_chunks() const noexcept { return tiny_chunks_; }
  std::size_t informational() const noexcept { return informational_; }
  std::uint32_t streams() const noexcept { return streams_; }
  std::size_t stream_resets() const noexcept { return stream_resets_; }
  std::size_t idle_frames() const noexcept { return idle_frames_; }

 private:
  std::size_t start_line_ = 8192;
  std::size_t field_ = 8192;
  std::size_t fields_ = 128;
  std::size_t head_ = 65536;
  std::uint64_t body_ = std::numeric_limits<std::uint64_t>::max();
  std::size_t trailers_ = 8192;
  std::size_t trailer_fields_ = 32;
  std::size_t chunk_extensions_ = 16384;
  std::size_t tiny_chunks_ = 65536;
  std::size_t informational_ = 16;
  std::uint32_t streams_ = 100;
  std::size_t stream_resets_ = 200;
  std::size_t idle_frames_ = 1000;
};

}  // namespace asyncio::http

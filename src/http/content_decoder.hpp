// SPDX-License-Identifier: BSL-1.0
/// What undoes the Content-Encoding of a body: ContentDecoder.
#pragma once

#include "http/compression.hpp"

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace asyncio::http::detail {

/// One coding, or several of which each was applied to what the one before it made.
class ContentDecoder {
 public:
  /// More of them have no use but to cost time.
  static constexpr std::size_t kMostCodings = 5;

  ContentDecoder() = default;
  /// For the value of a Content-Encoding. If it names a coding that this build does not know, the
  /// body stays as it is.
  ///
  /// Throws   ContentEncodingError for more than kMostCodings.
  ContentDecoder(std::string_view codings, DecompressionLimits limits);

  /// Whether there is nothing to undo.
  bool empty() const noexcept { return stages_.empty(); }
  /// Takes from the front of `input` and appends at most `at_most` bytes to `output`; nothing if it
  /// needs more input.
  ///
  /// Throws   ContentEncodingError.
  void decode(std::string_view& input, std::string& output, std::size_t at_most);
  /// Throws   ContentEncodingError if the body is not complete.
  void finish() const;

 private:
  struct Stage {
    Stage(ContentCoding coding, DecompressionLimits limits) : decompressor(coding, limits) {}
    Decompressor decompressor;
    std::string undecoded;  // of the stage before
  };

  void decode(std::size_t stage, std::string_view& input, std::string& output, std::size_t at_most);

  std::vector<Stage> stages_;  // in the order of decoding
};

}  // namespace asyncio::http::detail

// SPDX-License-Identifier: BSL-1.0
/// What undoes the Content-Encoding of a body: ContentDecoder.
#pragma once

#include "http/compression.hpp"

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace asyncio::http::detail {

/// The codings that a Content-Encoding lists but identity, in the order in which they were applied;
/// nothing if it names one that this build does not know.
std::optional<std::vector<ContentCoding>> parse_codings(std::string_view list);

/// Undoes one coding, or several of which each was applied to what the one before it made.
class ContentDecoder {
 public:
  ContentDecoder() = default;
  ContentDecoder(const std::vector<ContentCoding>& codings, DecompressionLimits limits);

  /// Whether there is nothing to undo.
  bool empty() const noexcept { return stages_.empty(); }
  /// Takes from the front of `input` and appends at most `at_most` bytes to `output`; nothing if it
  /// needs more input.
  /// Throws: ContentEncodingError.
  void decode(std::string_view& input, std::string& output, std::size_t at_most);
  /// Throws: ContentEncodingError if the body is not complete.
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

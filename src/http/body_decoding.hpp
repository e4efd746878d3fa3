// SPDX-License-Identifier: BSL-1.0
/// The content codings of a request's body.
#pragma once

#include "http/compression.hpp"

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace asyncio::http::detail {

/// Undoes the codings that Content-Encoding lists, of which the last was applied last.
class BodyDecoding {
 public:
  /// Null if there are none.
  /// Throws: HTTPUnsupportedMediaType for a coding that this build does not know, and for more than
  /// two: nobody sends three but to make small bodies large.
  static std::unique_ptr<BodyDecoding> make(std::string_view codings);

  /// Takes from `input`, and gives what has come out, up to 64 KiB; nothing if it needs more. Good
  /// until the next call.
  /// Throws: ContentEncodingError.
  std::string_view decode(std::string_view& input);

  /// Throws: ContentEncodingError if the body may not end here.
  void finish() const;

 private:
  std::vector<std::unique_ptr<Decompressor>> stages_;  // the outermost coding first
  std::string between_;                                // two stages
  std::size_t between_used_ = 0;
  std::string output_;
};

}  // namespace asyncio::http::detail

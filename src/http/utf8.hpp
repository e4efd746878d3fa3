// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <string_view>

namespace asyncio::http::detail {

/// Reads text in pieces and knows the first byte that cannot be UTF-8 as RFC 3629 says: no
/// surrogates, nothing longer than it must be, nothing above U+10FFFF.
class Utf8 {
 public:
  /// False as soon as no further piece can make it text.
  bool feed(std::string_view piece) noexcept;
  /// Whether it does not end within a character.
  bool complete() const noexcept { return missing_ == 0; }

 private:
  // How many bytes of a character are missing, and the range of the next one.
  unsigned char missing_ = 0;
  unsigned char least_ = 0x80, most_ = 0xBF;
};

inline bool is_utf8(std::string_view text) noexcept {
  Utf8 reader;
  return reader.feed(text) && reader.complete();
}

}  // namespace asyncio::http::detail

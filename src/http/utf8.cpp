// SPDX-License-Identifier: BSL-1.0
#include "http/utf8.hpp"

#include <cstddef>
#include <cstdint>
#include <cstring>

namespace asyncio::http::detail {

namespace {

/// What follows a leading byte: how many bytes, and the range of the first of them.
struct Tail {
  unsigned char size, least, most;
};

constexpr Tail tail_of(unsigned char lead) noexcept {
  if (lead >= 0xC2 && lead <= 0xDF) return {1, 0x80, 0xBF};
  if (lead == 0xE0) return {2, 0xA0, 0xBF};
  if (lead == 0xED) return {2, 0x80, 0x9F};
  if (lead >= 0xE1 && lead <= 0xEF) return {2, 0x80, 0xBF};
  if (lead == 0xF0) return {3, 0x90, 0xBF};
  if (lead >= 0xF1 && lead <= 0xF3) return {3, 0x80, 0xBF};
  if (lead == 0xF4) return {3, 0x80, 0x8F};
  return {0, 0, 0};
}

/// How many of the first bytes are ASCII, in steps of eight.
std::size_t plain_prefix(std::string_view text) noexcept {
  std::size_t size = 0;
  for (std::uint64_t eight; text.size() - size >= sizeof eight; size += sizeof eight) {
    std::memcpy(&eight, text.data() + size, sizeof eight);
    if ((eight & 0x8080808080808080U) != 0) break;
  }
  return size;
}

}  // namespace

bool Utf8::feed(std::string_view piece) noexcept {
  while (!piece.empty()) {
    if (missing_ == 0) piece.remove_prefix(plain_prefix(piece));
    if (piece.empty()) break;
    auto byte = static_cast<unsigned char>(piece.front());
    piece.remove_prefix(1);
    if (missing_ > 0) {
      if (byte < least_ || byte > most_) return false;
      --missing_;
      least_ = 0x80;
      most_ = 0xBF;
    } else if (byte >= 0x80) {
      Tail tail = tail_of(byte);
      if (tail.size == 0) return false;
      missing_ = tail.size;
      least_ = tail.least;
      most_ = tail.most;
    }
  }
  return true;
}

}  // namespace asyncio::http::detail

// SPDX-License-Identifier: BSL-1.0
#include "http/utf8.hpp"

#include <cstddef>
#include <cstdint>
#include <cstring>

namespace asyncio::http::detail {

namespace {

/// A leading byte's sequence: its length, and the range of its second byte.
struct Sequence {
  std::size_t size;
  unsigned char least, most;
};

constexpr Sequence sequence_of(unsigned char lead) noexcept {
  if (lead >= 0xC2 && lead <= 0xDF) return {2, 0x80, 0xBF};
  if (lead == 0xE0) return {3, 0xA0, 0xBF};
  if (lead == 0xED) return {3, 0x80, 0x9F};
  if (lead >= 0xE1 && lead <= 0xEF) return {3, 0x80, 0xBF};
  if (lead == 0xF0) return {4, 0x90, 0xBF};
  if (lead >= 0xF1 && lead <= 0xF3) return {4, 0x80, 0xBF};
  if (lead == 0xF4) return {4, 0x80, 0x8F};
  return {0, 0, 0};
}

}  // namespace

bool is_utf8(std::string_view text) noexcept {
  const auto* at = reinterpret_cast<const unsigned char*>(text.data());
  const auto* end = at + text.size();
  while (at < end) {
    std::uint64_t eight = 0;
    if (end - at >= 8) {
      std::memcpy(&eight, at, 8);
      if ((eight & 0x8080808080808080U) == 0) {
        at += 8;
        continue;
      }
    }
    if (*at < 0x80) {
      ++at;
      continue;
    }
    Sequence sequence = sequence_of(*at);
    if (sequence.size == 0 || static_cast<std::size_t>(end - at) < sequence.size) return false;
    if (at[1] < sequence.least || at[1] > sequence.most) return false;
    for (std::size_t i = 2; i < sequence.size; ++i)
      if ((at[i] & 0xC0) != 0x80) return false;
    at += sequence.size;
  }
  return true;
}

}  // namespace asyncio::http::detail

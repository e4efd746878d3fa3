// SPDX-License-Identifier: BSL-1.0
#include "http/characters.hpp"

namespace asyncio::http::detail {

namespace {

constexpr std::size_t kShown = 40;

std::string hex(char c) {
  constexpr std::string_view digits = "0123456789abcdef";
  const auto byte = static_cast<unsigned char>(c);
  return {digits[byte >> 4], digits[byte & 15]};
}

}  // namespace

std::string quoted(std::string_view text) {
  std::string out = "\"";
  for (char c : text.substr(0, kShown)) {
    if (c >= ' ' && c <= '~' && c != '"' && c != '\\')
      out += c;
    else
      out.append("\\x").append(hex(c));
  }
  out += text.size() > kShown ? "...\"" : "\"";
  return out;
}

std::string byte_at(std::string_view text, std::size_t position) {
  return "byte 0x" + hex(text[position]) + " at " + std::to_string(position);
}

}  // namespace asyncio::http::detail

// SPDX-License-Identifier: BSL-1.0
#include "http/characters.hpp"

#include <algorithm>
#include <charconv>

namespace asyncio::http::detail {

namespace {

constexpr std::size_t kShown = 40;

std::string hex(char c) {
  constexpr std::string_view digits = "0123456789abcdef";
  const auto byte = static_cast<unsigned char>(c);
  return {digits[byte >> 4], digits[byte & 15]};
}

}  // namespace

std::string small_letters(std::string_view text) {
  std::string result(text);
  std::ranges::transform(result, result.begin(), lower);
  return result;
}

std::optional<std::uint64_t> parse_number(std::string_view text) noexcept {
  std::uint64_t number = 0;
  const char* end = text.data() + text.size();
  const auto [at, error] = std::from_chars(text.data(), end, number);
  if (error != std::errc() || at != end) return std::nullopt;
  return number;
}

std::string escaped(std::string_view text, QuotesInside quotes) {
  const std::string_view special = quotes == QuotesInside::Kept ? "\\" : "\\\"";
  std::string out;
  for (char c : text) {
    if (c >= ' ' && c <= '~' && !is_one_of(c, special))
      out += c;
    else
      out.append("\\x").append(hex(c));
  }
  return out;
}

std::string quoted(std::string_view text) {
  std::string out = "\"" + escaped(text.substr(0, kShown));
  return out += text.size() > kShown ? "...\"" : "\"";
}

std::string byte_at(std::string_view text, std::size_t position) {
  return "byte 0x" + hex(text[position]) + " at " + std::to_string(position);
}

}  // namespace asyncio::http::detail

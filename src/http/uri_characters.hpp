// SPDX-License-Identifier: BSL-1.0
/// The classes of characters that RFC 3986 knows.
#pragma once

#include <string>
#include <string_view>

namespace asyncio::http::detail {

constexpr bool is_digit(char byte) noexcept { return byte >= '0' && byte <= '9'; }

constexpr bool is_letter(char byte) noexcept {
  return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z');
}

constexpr bool is_unreserved(char byte) noexcept {
  return is_letter(byte) || is_digit(byte) || byte == '-' || byte == '.' || byte == '_' ||
         byte == '~';
}

/// 0 to 15, or -1.
constexpr int hex_value(char byte) noexcept {
  if (is_digit(byte)) return byte - '0';
  if (byte >= 'a' && byte <= 'f') return byte - 'a' + 10;
  if (byte >= 'A' && byte <= 'F') return byte - 'A' + 10;
  return -1;
}

/// Whether the text begins with %XX.
constexpr bool is_percent_encoded(std::string_view text) noexcept {
  return text.size() >= 3 && text[0] == '%' && hex_value(text[1]) >= 0 && hex_value(text[2]) >= 0;
}

inline void append_percent(std::string& to, char byte) {
  constexpr char kDigits[] = "0123456789ABCDEF";
  auto value = static_cast<unsigned char>(byte);
  to += '%';
  to += kDigits[value >> 4];
  to += kDigits[value & 15];
}

/// What is not in `allowed`, unreserved or percent-encoded already becomes so.
inline std::string requote(std::string_view text, std::string_view allowed) {
  std::string result;
  result.reserve(text.size());
  for (std::size_t at = 0; at < text.size(); ++at) {
    bool stays = is_unreserved(text[at]) || allowed.find(text[at]) != std::string_view::npos ||
                 is_percent_encoded(text.substr(at));
    if (stays)
      result += text[at];
    else
      append_percent(result, text[at]);
  }
  return result;
}

// What may stand in each part, beside what is unreserved (RFC 3986, 3.2 to 3.5).
inline constexpr std::string_view kInUserInfo = "!$&'()*+,;=:";
inline constexpr std::string_view kInPath = "!$&'()*+,;=:@/";
inline constexpr std::string_view kInQuery = "!$&'()*+,;=:@/?";

}  // namespace asyncio::http::detail

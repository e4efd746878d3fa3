// SPDX-License-Identifier: BSL-1.0
/// The classes of characters that HTTP knows (RFC 9110, 5.5 and 5.6.2), and text without case.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace asyncio::http::detail {

enum CharacterClass : std::uint8_t {
  kToken = 1,     // tchar
  kField = 2,     // field-vchar, space and tab
  kTarget = 4,    // what a request target is made of: visible ASCII but "#"
  kHostName = 8,  // what the name of a host is made of
};

constexpr bool is_one_of(char c, std::string_view set) {
  return set.find(c) != std::string_view::npos;
}

constexpr std::uint8_t classes_of(char c) {
  const auto byte = static_cast<unsigned char>(c);
  const bool alphanumeric =
      (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
  unsigned classes = 0;
  if (alphanumeric || (c != '\0' && is_one_of(c, "!#$%&'*+-.^_`|~"))) classes |= kToken;
  if (c == '\t' || (byte >= 0x20 && byte != 0x7f)) classes |= kField;
  if (byte > 0x20 && byte < 0x7f && c != '#') classes |= kTarget;
  if (alphanumeric || (c != '\0' && is_one_of(c, "-._~!$&'()*+,;=%"))) classes |= kHostName;
  return static_cast<std::uint8_t>(classes);
}

inline constexpr auto kClasses = [] {
  std::array<std::uint8_t, 256> table{};
  for (std::size_t i = 0; i < table.size(); ++i) table[i] = classes_of(static_cast<char>(i));
  return table;
}();

constexpr bool is(CharacterClass wanted, char c) noexcept {
  return (kClasses[static_cast<unsigned char>(c)] & wanted) != 0;
}

/// Where the first character is that is not of the class; npos if there is none.
constexpr std::size_t first_other(CharacterClass wanted, std::string_view text) noexcept {
  for (std::size_t i = 0; i < text.size(); ++i)
    if (!is(wanted, text[i])) return i;
  return std::string_view::npos;
}

constexpr bool is_token(std::string_view text) noexcept {
  return !text.empty() && first_other(kToken, text) == std::string_view::npos;
}

constexpr char lower(char c) noexcept {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
}

constexpr bool equal_without_case(std::string_view a, std::string_view b) noexcept {
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i)
    if (a[i] != b[i] && lower(a[i]) != lower(b[i])) return false;
  return true;
}

constexpr bool is_blank(char c) noexcept { return c == ' ' || c == '\t'; }

/// Without the spaces and tabs around it.
constexpr std::string_view trimmed(std::string_view text) noexcept {
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
  return text;
}

/// What comes before the next `separator`, which goes as well.
constexpr std::string_view take_until(std::string_view& text, char separator) noexcept {
  std::string_view piece = text.substr(0, text.find(separator));
  text.remove_prefix(piece.size() < text.size() ? piece.size() + 1 : text.size());
  return piece;
}

/// The next item of a list with commas, without the blanks around it.
constexpr std::string_view take_item(std::string_view& list) noexcept {
  return trimmed(take_until(list, ','));
}

/// Whether a list with commas has the item, whatever its case.
constexpr bool has_item(std::string_view list, std::string_view item) noexcept {
  while (!list.empty())
    if (equal_without_case(take_item(list), item)) return true;
  return false;
}

/// The text with the letters of ASCII made small.
std::string small_letters(std::string_view text);

/// Digits and nothing else, which make a number of 64 bits; "005" is 5, too.
std::optional<std::uint64_t> parse_number(std::string_view text) noexcept;

/// Text from outside for an error message: in quotes, shortened, nothing in it that a terminal or a
/// log would act on.
std::string quoted(std::string_view text);

/// The same whole and without the quotes: all of it in one line.
enum class QuotesInside { Escaped, Kept };
std::string escaped(std::string_view text, QuotesInside quotes = QuotesInside::Escaped);

/// "byte 0x0d at 3".
std::string byte_at(std::string_view text, std::size_t position);

}  // namespace asyncio::http::detail

// SPDX-License-Identifier: BSL-1.0
#include "http/parameters.hpp"

#include "asyncio/http/percent.hpp"
#include "http/characters.hpp"
#include "http/uri_characters.hpp"

#include <algorithm>

namespace asyncio::http::detail {

namespace {

void skip_blanks(std::string_view& text) noexcept {
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
}

std::string_view take_token(std::string_view& text) noexcept {
  std::string_view token = text.substr(0, first_other(kToken, text));
  text.remove_prefix(token.size());
  return token;
}

/// Others are what they seem to be: old browsers send whole paths, "C:\dir\file", as they are.
bool is_escape(std::string_view text) noexcept {
  return text.starts_with("\\\"") || text.starts_with("\\\\");
}

/// A token or a quoted string.
std::optional<std::string> take_value(std::string_view& text) {
  if (!text.starts_with('"')) {
    std::string_view token = take_token(text);
    if (token.empty()) return std::nullopt;
    return std::string(token);
  }
  std::string value;
  for (std::size_t at = 1; at < text.size(); ++at) {
    if (text[at] == '"') {
      text.remove_prefix(at + 1);
      return value;
    }
    if (is_escape(text.substr(at))) ++at;
    value += text[at];
  }
  return std::nullopt;
}

/// "UTF-8''%e2%82%ac"; nothing for another charset.
std::optional<std::string> decode_extended(std::string_view text) {
  std::size_t charset = text.find('\'');
  if (charset == std::string_view::npos) return std::nullopt;
  std::size_t language = text.find('\'', charset + 1);
  if (language == std::string_view::npos) return std::nullopt;
  if (!equal_without_case(text.substr(0, charset), "utf-8")) return std::nullopt;
  return unquote(text.substr(language + 1));
}

/// "; name=value"; returns whether it was one.
bool take_parameter(std::string_view& text, MultiDict& parameters) {
  text.remove_prefix(1);
  skip_blanks(text);
  if (text.empty()) return true;  // "a;" is common
  std::string name = small_letters(take_token(text));
  if (name.empty() || name == "*" || !text.starts_with('=')) return false;
  text.remove_prefix(1);
  bool is_extended = name.ends_with('*');
  std::optional<std::string> value = take_value(text);
  if (!value) return false;
  if (!is_extended) {
    if (!parameters.contains(name)) parameters.add(std::move(name), std::move(*value));
  } else if (std::optional<std::string> decoded = decode_extended(*value)) {
    name.pop_back();
    parameters.set(name, std::move(*decoded));
  }
  return true;
}

}  // namespace

std::optional<ParameterizedValue> parse_parameters(std::string_view text) {
  ParameterizedValue result;
  skip_blanks(text);
  std::size_t end = std::min(text.find(';'), text.size());
  result.value = small_letters(trimmed(text.substr(0, end)));
  if (result.value.empty()) return std::nullopt;
  text.remove_prefix(end);
  while (!text.empty()) {
    if (text.front() != ';' || !take_parameter(text, result.parameters)) return std::nullopt;
    skip_blanks(text);
  }
  return result;
}

std::string quoted_parameter(std::string_view text) {
  std::string result = "\"";
  for (char byte : text) {
    if (byte == '"' || byte == '\r' || byte == '\n')
      append_percent(result, byte);
    else
      result.append(byte == '\\' ? 2 : 1, byte);
  }
  return result += '"';
}

}  // namespace asyncio::http::detail

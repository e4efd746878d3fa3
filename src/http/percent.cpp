// SPDX-License-Identifier: BSL-1.0
#include "asyncio/http/percent.hpp"

#include "asyncio/exceptions.hpp"
#include "http/uri_characters.hpp"

#include <algorithm>

namespace asyncio::http {

namespace {

/// The value of a name or value in a form, where '+' is a space.
std::string form_text(std::string_view text) {
  std::string spaced(text);
  std::ranges::replace(spaced, '+', ' ');
  return unquote(spaced);
}

/// A name or value as forms have it.
void append_form_text(std::string& to, std::string_view text) {
  for (char byte : text) {
    if (byte == ' ')
      to += '+';
    else if (detail::is_unreserved(byte))
      to += byte;
    else
      detail::append_percent(to, byte);
  }
}

}  // namespace

std::string quote(std::string_view text, std::string_view safe) {
  std::string result;
  result.reserve(text.size());
  for (char byte : text) {
    bool as_it_is = detail::is_unreserved(byte) || safe.find(byte) != std::string_view::npos;
    if (as_it_is)
      result += byte;
    else
      detail::append_percent(result, byte);
  }
  return result;
}

std::string unquote(std::string_view text) {
  std::string result;
  result.reserve(text.size());
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (!detail::is_percent_encoded(text.substr(at))) {
      result += text[at];
      continue;
    }
    result +=
        static_cast<char>(detail::hex_value(text[at + 1]) * 16 + detail::hex_value(text[at + 2]));
    at += 2;
  }
  return result;
}

MultiDict parse_qsl(std::string_view text, std::size_t max_pairs) {
  MultiDict pairs;
  while (!text.empty()) {
    std::string_view part = text.substr(0, text.find('&'));
    text.remove_prefix(std::min(part.size() + 1, text.size()));
    if (part.empty()) continue;
    if (pairs.size() == max_pairs)
      throw ValueError("a query or form of more than " + std::to_string(max_pairs) + " fields");
    std::string_view name = part.substr(0, part.find('='));
    std::string_view value = part.substr(std::min(name.size() + 1, part.size()));
    pairs.add(form_text(name), form_text(value));
  }
  return pairs;
}

std::string urlencode(const MultiDict& pairs) {
  std::string text;
  for (const auto& [name, value] : pairs) {
    if (!text.empty()) text += '&';
    append_form_text(text, name);
    text += '=';
    append_form_text(text, value);
  }
  return text;
}

}  // namespace asyncio::http

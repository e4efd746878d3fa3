// SPDX-License-Identifier: BSL-1.0
/// What browsers make of what people write (the WHATWG's URL standard, as far as RFC 3986 can say
/// it).
#include "asyncio/http/percent.hpp"
#include "asyncio/http/url.hpp"
#include "http/characters.hpp"
#include "http/uri_characters.hpp"

#include <algorithm>
#include <array>
#include <idn2.h>
#include <memory>

namespace asyncio::http {

namespace {

bool is_ascii(std::string_view text) noexcept {
  return std::ranges::none_of(text, [](char byte) { return (byte & 0x80) != 0; });
}

/// Without the blanks and control bytes around it, and without line breaks and tabs.
std::string trimmed(std::string_view text) {
  auto is_blank = [](char byte) { return static_cast<unsigned char>(byte) <= ' '; };
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
  std::string result(text);
  std::erase_if(result, [](char byte) { return byte == '\t' || byte == '\n' || byte == '\r'; });
  return result;
}

/// The scheme with its ':', or nothing.
std::string_view scheme_of(std::string_view text) noexcept {
  if (text.empty() || !detail::is_letter(text.front())) return {};
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text[at] == ':') return text.substr(0, at + 1);
    bool allowed = detail::is_letter(text[at]) || detail::is_digit(text[at]) || text[at] == '+' ||
                   text[at] == '.' || text[at] == '-';
    if (!allowed) return {};
  }
  return {};
}

/// Those in which browsers take '\' for '/'.
bool is_web(std::string_view scheme) {
  constexpr std::array<std::string_view, 5> kWeb{"", "http:", "https:", "ws:", "wss:"};
  return std::ranges::find(kWeb, detail::small_letters(scheme)) != kWeb.end();
}

/// What was percent-encoded, or is another spelling of such a character, would end the host here
/// and begin something else: "a%40b" would be a user on the host b.
void check_host(std::string_view host) {
  constexpr std::string_view kForbidden = "@:/?#[]\\%\x7f";
  for (std::size_t at = 0; at < host.size(); ++at) {
    char byte = host[at];
    bool is_blank = static_cast<unsigned char>(byte) <= ' ';
    if (is_blank || detail::is_one_of(byte, kForbidden))
      throw InvalidURL("no host has " + detail::byte_at(host, at) + ": " + detail::quoted(host));
  }
}

std::string host_in_ascii(std::string_view text) {
  if (text.starts_with('[')) return std::string(text);
  std::string host = unquote(text);
  check_host(host);
  if (is_ascii(host)) return host;
  std::uint8_t* ascii = nullptr;
  int status = ::idn2_lookup_u8(reinterpret_cast<const std::uint8_t*>(host.c_str()), &ascii,
                                IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL);
  std::unique_ptr<std::uint8_t, void (*)(void*)> owner(ascii, ::idn2_free);
  if (status != IDN2_OK) throw InvalidURL("'" + host + "': " + ::idn2_strerror(status));
  std::string result(reinterpret_cast<const char*>(ascii));
  check_host(result);
  return result;
}

std::string authority_in_ascii(std::string_view text) {
  std::string result;
  std::size_t at = text.rfind('@');
  if (at != std::string_view::npos) {
    result = detail::requote(text.substr(0, at), detail::kInUserInfo) + "@";
    text.remove_prefix(at + 1);
  }
  bool bracketed = text.starts_with('[');
  std::size_t colon =
      bracketed ? text.find(':', std::min(text.find(']'), text.size())) : text.rfind(':');
  colon = std::min(colon, text.size());
  return result + host_in_ascii(text.substr(0, colon)) + std::string(text.substr(colon));
}

}  // namespace

URL URL::lenient(std::string_view original) {
  if (original.size() > kMaxSize) return URL(original);  // which refuses it
  std::string text = trimmed(original);
  std::string_view rest = text;
  std::string result(scheme_of(rest));
  rest.remove_prefix(result.size());
  std::size_t hash = std::min(rest.find('#'), rest.size());
  std::string_view fragment = rest.substr(hash);
  std::string_view before = rest.substr(0, hash);
  std::size_t mark = std::min(before.find('?'), before.size());
  std::string_view query = before.substr(mark);
  std::string path(before.substr(0, mark));
  if (is_web(result)) {
    std::ranges::replace(path, '\\', '/');
    // "http:////host" is what it is for a browser, too.
    if (!result.empty() && path.starts_with("//")) path.erase(0, path.find_first_not_of('/') - 2);
  }
  if (path.starts_with("//")) {
    std::size_t end = std::min(path.find('/', 2), path.size());
    result += "//" + authority_in_ascii(std::string_view(path).substr(2, end - 2));
    path.erase(0, end);
  }
  result += detail::requote(path, detail::kInPath);
  if (!query.empty()) result += "?" + detail::requote(query.substr(1), detail::kInQuery);
  if (!fragment.empty()) result += "#" + detail::requote(fragment.substr(1), detail::kInQuery);
  return URL(result);
}

}  // namespace asyncio::http

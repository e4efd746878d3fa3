// SPDX-License-Identifier: BSL-1.0
#include "asyncio/http/cookies.hpp"
#include "http/characters.hpp"
#include "http/dates.hpp"

#include <algorithm>
#include <charconv>
#include <utility>

namespace asyncio::http {

namespace {

constexpr std::size_t kMaxNameAndValue = 4096;
constexpr std::size_t kMaxAttribute = 1024;

/// "a=b": both without the blanks around them.
std::pair<std::string_view, std::string_view> split_pair(std::string_view text) noexcept {
  std::string_view name = detail::take_until(text, '=');
  return {detail::trimmed(name), detail::trimmed(text)};
}

bool has_control(std::string_view text) noexcept {
  return detail::first_other(detail::kField, text) != std::string_view::npos;
}

void require_attribute(const char* what, std::string_view text) {
  if (text.find(';') != std::string_view::npos || has_control(text))
    throw ValueError(std::string("cookie ") + what + " " + detail::quoted(text) +
                     ": a ';' or a control byte");
}

bool is_cookie_byte(char byte) noexcept {
  auto value = static_cast<unsigned char>(byte);
  return value > 0x20 && value < 0x7F && !detail::is_one_of(byte, "\",;\\");
}

/// Digits with or without '-'; what is beyond all clocks becomes their end.
std::optional<std::chrono::seconds> parse_max_age(std::string_view text) noexcept {
  constexpr long kCentury = 100L * 365 * 86400;
  long number = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (end != text.data() + text.size()) return std::nullopt;
  if (error == std::errc::result_out_of_range)
    number = text[0] == '-' ? -1 : kCentury;
  else if (error != std::errc())
    return std::nullopt;
  return std::chrono::seconds(std::clamp(number, -1L, kCentury));
}

SameSite parse_same_site(std::string_view text) noexcept {
  if (detail::equal_without_case(text, "none")) return SameSite::None;
  if (detail::equal_without_case(text, "lax")) return SameSite::Lax;
  if (detail::equal_without_case(text, "strict")) return SameSite::Strict;
  return SameSite::Unset;
}

const char* text_of(SameSite which) noexcept {
  switch (which) {
    case SameSite::None:
      return "; SameSite=None";
    case SameSite::Lax:
      return "; SameSite=Lax";
    case SameSite::Strict:
      return "; SameSite=Strict";
    case SameSite::Unset:
      break;
  }
  return "";
}

}  // namespace

Cookie::Cookie(std::string name, std::string value)
    : name_(std::move(name)), value_(std::move(value)) {
  if (!detail::is_token(name_))
    throw ValueError("cookie " + detail::quoted(name_) + ": not a token");
  auto at = std::ranges::find_if_not(value_, is_cookie_byte);
  if (at != value_.end())
    throw ValueError("cookie '" + name_ + "': no value can have " +
                     detail::byte_at(value_, static_cast<std::size_t>(at - value_.begin())) +
                     "; quote() it first");
}

Cookie& Cookie::domain(std::string domain) {
  require_attribute("domain", domain);
  domain_ = std::move(domain);
  return *this;
}

Cookie& Cookie::path(std::string path) {
  require_attribute("path", path);
  path_ = std::move(path);
  return *this;
}

Cookie& Cookie::max_age(std::chrono::seconds seconds) noexcept {
  max_age_ = seconds;
  return *this;
}

Cookie& Cookie::expires(Time time) noexcept {
  expires_ = time;
  return *this;
}

Cookie& Cookie::secure(bool on) noexcept {
  secure_ = on;
  return *this;
}

Cookie& Cookie::http_only(bool on) noexcept {
  http_only_ = on;
  return *this;
}

Cookie& Cookie::same_site(SameSite which) noexcept {
  same_site_ = which;
  return *this;
}

std::string Cookie::text() const {
  std::string text = name_ + "=" + value_;
  if (!domain_.empty()) text += "; Domain=" + domain_;
  if (!path_.empty()) text += "; Path=" + path_;
  if (max_age_) text += "; Max-Age=" + std::to_string(max_age_->count());
  if (expires_) text += "; Expires=" + detail::http_date(*expires_);
  if (secure_) text += "; Secure";
  if (http_only_) text += "; HttpOnly";
  return text += text_of(same_site_);
}

void Cookie::set_attribute(std::string_view name, std::string_view value) {
  if (value.size() > kMaxAttribute) return;
  auto is_named = [name](std::string_view known) {
    return detail::equal_without_case(name, known);
  };
  if (is_named("expires")) {
    if (auto time = detail::parse_cookie_date(value)) expires_ = time;
  } else if (is_named("max-age")) {
    if (auto seconds = parse_max_age(value)) max_age_ = seconds;
  } else if (is_named("domain")) {
    if (value.starts_with('.')) value.remove_prefix(1);
    domain_ = detail::small_letters(value);
  } else if (is_named("path")) {
    path_ = value.starts_with('/') ? value : "";
  } else if (is_named("secure")) {
    secure_ = true;
  } else if (is_named("httponly")) {
    http_only_ = true;
  } else if (is_named("samesite")) {
    same_site_ = parse_same_site(value);
  }
}

std::optional<Cookie> Cookie::parse(std::string_view header) {
  if (has_control(header)) return std::nullopt;
  std::string_view pair = detail::take_until(header, ';');
  if (pair.find('=') == std::string_view::npos) return std::nullopt;
  auto [name, value] = split_pair(pair);
  if (name.empty() || name.size() + value.size() > kMaxNameAndValue) return std::nullopt;
  Cookie cookie;
  cookie.name_ = name;
  cookie.value_ = value;
  while (!header.empty()) {
    auto [attribute, setting] = split_pair(detail::take_until(header, ';'));
    cookie.set_attribute(attribute, setting);
  }
  return cookie;
}

MultiDict parse_cookies(std::string_view header) {
  MultiDict cookies;
  while (!header.empty()) {
    std::string_view pair = detail::take_until(header, ';');
    if (pair.find('=') == std::string_view::npos) continue;
    auto [name, value] = split_pair(pair);
    cookies.add(std::string(name), std::string(value));
  }
  return cookies;
}

}  // namespace asyncio::http

// SPDX-License-Identifier: BSL-1.0
#include "http/dates.hpp"

#include "http/characters.hpp"
#include "http/uri_characters.hpp"

#include <algorithm>
#include <array>
#include <cstdio>

namespace asyncio::http::detail {

namespace {

using namespace std::chrono;

constexpr std::array<std::string_view, 12> kMonths{"jan", "feb", "mar", "apr", "may", "jun",
                                                   "jul", "aug", "sep", "oct", "nov", "dec"};
constexpr std::array<const char*, 7> kDays{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
constexpr std::array<const char*, 12> kMonthNames{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                  "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

bool is_delimiter(char byte) noexcept {
  auto value = static_cast<unsigned char>(byte);
  return value == 0x09 || (value >= 0x20 && value <= 0x2F) || (value >= 0x3B && value <= 0x40) ||
         (value >= 0x5B && value <= 0x60) || (value >= 0x7B && value <= 0x7E);
}

/// Takes `least` to `most` digits from the front; more are an error.
std::optional<int> take_number(std::string_view& text, std::size_t least, std::size_t most) {
  std::size_t count = 0;
  int number = 0;
  for (; count < text.size() && is_digit(text[count]) && count <= most; ++count)
    number = number * 10 + (text[count] - '0');
  if (count < least || count > most) return std::nullopt;
  text.remove_prefix(count);
  return number;
}

struct Fields {
  std::optional<int> day, month, year;
  std::optional<seconds> time;
};

/// hh:mm:ss with one or two digits each.
std::optional<seconds> parse_time(std::string_view token) {
  std::array<int, 3> parts{};
  for (std::size_t i = 0; i < parts.size(); ++i) {
    if (i > 0) {
      if (!token.starts_with(':')) return std::nullopt;
      token.remove_prefix(1);
    }
    std::optional<int> part = take_number(token, 1, 2);
    if (!part) return std::nullopt;
    parts[i] = *part;
  }
  if (parts[0] > 23 || parts[1] > 59 || parts[2] > 59) return std::nullopt;
  return hours(parts[0]) + minutes(parts[1]) + seconds(parts[2]);
}

std::optional<int> parse_month(std::string_view token) {
  if (token.size() < 3) return std::nullopt;
  const auto* found = std::ranges::find(kMonths, small_letters(token.substr(0, 3)));
  if (found == kMonths.end()) return std::nullopt;
  return static_cast<int>(found - kMonths.begin()) + 1;
}

/// A token is the first thing that it can be and that is not there yet.
void take_token(Fields& fields, std::string_view token) {
  if (!fields.time && (fields.time = parse_time(token))) return;
  std::string_view rest = token;
  if (!fields.day && (fields.day = take_number(rest, 1, 2))) return;
  if (!fields.month && (fields.month = parse_month(token))) return;
  rest = token;
  if (!fields.year) fields.year = take_number(rest, 2, 4);
}

/// A clock of nanoseconds has the years 1677 to 2262; what is outside is as early or late as can
/// be.
system_clock::time_point within_clock(sys_seconds time) noexcept {
  constexpr sys_seconds kFirst = ceil<seconds>(system_clock::time_point::min());
  constexpr sys_seconds kLast = floor<seconds>(system_clock::time_point::max());
  return std::clamp(time, kFirst, kLast);
}

}  // namespace

std::optional<system_clock::time_point> parse_cookie_date(std::string_view text) {
  Fields fields;
  while (!text.empty()) {
    auto begin = std::ranges::find_if_not(text, is_delimiter);
    auto end = std::find_if(begin, text.end(), is_delimiter);
    if (begin != end) take_token(fields, {begin, end});
    text = {end, text.end()};
  }
  if (!fields.time || !fields.day || !fields.month || !fields.year) return std::nullopt;
  int year = *fields.year;
  if (year >= 70 && year <= 99) year += 1900;
  if (year >= 0 && year <= 69) year += 2000;
  year_month_day date{std::chrono::year(year), month(static_cast<unsigned>(*fields.month)),
                      day(static_cast<unsigned>(*fields.day))};
  if (year < 1601 || !date.ok()) return std::nullopt;
  return within_clock(sys_days(date) + *fields.time);
}

std::string_view write_http_date(DateText& text, system_clock::time_point time) {
  sys_days day = floor<days>(time);
  year_month_day date(day);
  hh_mm_ss clock(floor<seconds>(time) - day);
  std::snprintf(text.data(), text.size(), "%s, %02u %s %04d %02d:%02d:%02d GMT",
                kDays[weekday(day).c_encoding()], static_cast<unsigned>(date.day()),
                kMonthNames[static_cast<unsigned>(date.month()) - 1], static_cast<int>(date.year()),
                static_cast<int>(clock.hours().count()), static_cast<int>(clock.minutes().count()),
                static_cast<int>(clock.seconds().count()));
  return text.data();
}

std::string http_date(system_clock::time_point time) {
  DateText text;
  return std::string(write_http_date(text, time));
}

}  // namespace asyncio::http::detail

// SPDX-License-Identifier: BSL-1.0
#include "http/conditions.hpp"

#include "http/characters.hpp"
#include "http/dates.hpp"

#include <algorithm>

namespace asyncio::http::detail {

namespace {

std::string_view without_weakness(std::string_view tag) noexcept {
  if (tag.starts_with("W/")) tag.remove_prefix(2);
  return tag;
}

/// Whether a list of entity tags has the one; "*" has every one.
bool has_tag(std::string_view list, std::string_view etag, bool weakly) noexcept {
  if (trimmed(list) == "*") return true;
  while (!list.empty()) {
    std::string_view tag = take_item(list);
    if ((weakly ? without_weakness(tag) : tag) == etag) return true;
  }
  return false;
}

/// The same of all fields of that name: lists may be cut into several (RFC 9110, 5.3).
bool names_tag(const Headers& request, std::string_view field, std::string_view etag, bool weakly) {
  for (std::string_view list : request.getall(field))
    if (has_tag(list, etag, weakly)) return true;
  return false;
}

/// Dates of HTTP have seconds.
auto modified_second(const Representation& now) {
  return std::chrono::floor<std::chrono::seconds>(now.modified);
}

bool modified_after(const Representation& now, std::string_view date) {
  auto then = parse_cookie_date(date);
  return !then || modified_second(now) > *then;
}

/// If-Range takes no later date: a file may become older again (RFC 9110, 13.1.5).
bool modified_at(const Representation& now, std::string_view date) {
  auto then = parse_cookie_date(date);
  return then && modified_second(now) == *then;
}

}  // namespace

Condition check_conditions(const Headers& request, const Representation& now) {
  if (request.contains("If-Match")) {
    if (!names_tag(request, "If-Match", now.etag, false)) return Condition::Failed;
  } else if (auto since = request.get("If-Unmodified-Since")) {
    if (parse_cookie_date(*since) && modified_after(now, *since)) return Condition::Failed;
  }
  if (request.contains("If-None-Match")) {
    if (names_tag(request, "If-None-Match", now.etag, true)) return Condition::NotModified;
  } else if (auto since = request.get("If-Modified-Since")) {
    if (!modified_after(now, *since)) return Condition::NotModified;
  }
  return Condition::Proceed;
}

RangeOutcome find_range(const Headers& request, const Representation& now, ByteRange& range) {
  std::string_view text = trimmed(request.get("Range", ""));
  if (auto unless = request.get("If-Range")) {
    bool is_tag = unless->find('"') != std::string_view::npos;
    bool same = is_tag ? trimmed(*unless) == now.etag : modified_at(now, *unless);
    if (!same) return RangeOutcome::Whole;
  }
  constexpr std::string_view kUnit = "bytes=";
  if (!text.starts_with(kUnit) || text.find(',') != std::string_view::npos)
    return RangeOutcome::Whole;
  text = trimmed(text.substr(kUnit.size()));
  std::size_t dash = text.find('-');
  if (dash == std::string_view::npos) return RangeOutcome::Whole;
  std::optional<std::uint64_t> first = parse_number(text.substr(0, dash));
  std::optional<std::uint64_t> last = parse_number(text.substr(dash + 1));
  if (dash == 0) {  // the last so many
    if (!last) return RangeOutcome::Whole;
    if (*last == 0 || now.size == 0) return RangeOutcome::NotSatisfiable;
    range.size = std::min(*last, now.size);
    range.begin = now.size - range.size;
    return RangeOutcome::Part;
  }
  bool is_open = dash + 1 == text.size();
  if (!first || (!last && !is_open) || (last && *last < *first)) return RangeOutcome::Whole;
  if (*first >= now.size) return RangeOutcome::NotSatisfiable;
  range.begin = *first;
  range.size = std::min(last.value_or(now.size - 1), now.size - 1) - *first + 1;
  return RangeOutcome::Part;
}

}  // namespace asyncio::http::detail

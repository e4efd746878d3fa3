// SPDX-License-Identifier: BSL-1.0
#include "http/fields.hpp"

#include "http/characters.hpp"
#include "http/headers_builder.hpp"

#include <algorithm>
#include <array>
#include <cstring>

namespace asyncio::http::detail {

/// Calls `function(item)` for each item of a list with commas; items have no blanks around them,
/// and may be empty.
template <class F>
void for_each_item(std::string_view list, F function) {
  for (;;) {
    const std::size_t comma = list.find(',');
    function(trimmed(list.substr(0, comma)));
    if (comma == std::string_view::npos) return;
    list.remove_prefix(comma + 1);
  }
}

namespace {

enum class Known : std::uint8_t {
  other,
  connection,
  content_length,
  host,
  transfer_encoding,
  upgrade
};

struct Row {
  std::string_view name;  // in lower case
  Known known = Known::other;
  Singleton singleton = Singleton::no;
};

// What RFC 9110 gives no list syntax, as far as two of them have been used to make two readers
// disagree. Responses have fewer: servers that repeat the others are many, and harmless.
constexpr Row kRows[] = {
    {"te"},
    {"host", Known::host, Singleton::in_both},
    {"from", Known::other, Singleton::in_requests},
    {"origin", Known::other, Singleton::in_requests},
    {"expect", Known::other, Singleton::in_requests},
    {"upgrade", Known::upgrade},
    {"referer", Known::other, Singleton::in_requests},
    {"if-range", Known::other, Singleton::in_requests},
    {"location", Known::other, Singleton::in_responses},
    {"connection", Known::connection},
    {"user-agent", Known::other, Singleton::in_requests},
    {"content-type", Known::other, Singleton::in_requests},
    {"max-forwards", Known::other, Singleton::in_requests},
    {"authorization", Known::other, Singleton::in_requests},
    {"content-range", Known::other, Singleton::in_both},
    {"content-length", Known::content_length, Singleton::in_both},
    {"content-location", Known::other, Singleton::in_requests},
    {"if-modified-since", Known::other, Singleton::in_requests},
    {"sec-websocket-key", Known::other, Singleton::in_requests},
    {"transfer-encoding", Known::transfer_encoding, Singleton::in_both},
    {"if-unmodified-since", Known::other, Singleton::in_requests},
    {"proxy-authorization", Known::other, Singleton::in_requests},
    {"sec-websocket-accept", Known::other, Singleton::in_responses},
    {"sec-websocket-version", Known::other, Singleton::in_requests},
};
static_assert(std::size(kRows) <= 32, "HeadFields keeps a bit for each");

constexpr std::uint16_t ends_of(std::string_view lower_name) noexcept {
  return static_cast<std::uint16_t>(lower_name.front() << 8 | lower_name.back());
}

/// A number for a name's ends and size that no two rows share: the factor was found by trying.
constexpr std::size_t slot_of(std::uint16_t ends, std::size_t size) noexcept {
  const auto both = static_cast<std::uint32_t>(std::size_t{ends} << 8 | (size & 0xff));
  return both * 0x125f'7f37u >> 27;
}

/// Where the row of each number is; some have none.
constexpr auto kRowOfSlot = [] {
  std::array<std::uint8_t, 32> rows{};
  rows.fill(std::size(kRows));
  for (std::size_t row = 0; row < std::size(kRows); ++row)
    rows[slot_of(ends_of(kRows[row].name), kRows[row].name.size())] =
        static_cast<std::uint8_t>(row);
  return rows;
}();
static_assert(std::ranges::count(kRowOfSlot, std::size(kRows)) == 32 - std::size(kRows),
              "two rows have the same number: look for another factor");

template <class Word>
Word word_at(const char* at) noexcept {
  Word word;
  std::memcpy(&word, at, sizeof word);
  return word;
}

/// Whether a token is that name, of its length, in lower case. The bit of case turns a letter of a
/// token into the small one, and what is neither letter nor "-" into nothing that a row has.
template <class Word>
bool same_words(const char* token, const char* lower_name, std::size_t size) noexcept {
  constexpr Word case_bits = static_cast<Word>(0x2020'2020'2020'2020);
  const auto same = [&](std::size_t at) {
    return (word_at<Word>(token + at) | case_bits) == word_at<Word>(lower_name + at);
  };
  for (std::size_t at = 0; at + sizeof(Word) < size; at += sizeof(Word))
    if (!same(at)) return false;
  return same(size - sizeof(Word));
}

bool is_named(std::string_view token, std::string_view lower_name) noexcept {
  if (token.size() >= 8)
    return same_words<std::uint64_t>(token.data(), lower_name.data(), token.size());
  if (token.size() >= 4)
    return same_words<std::uint32_t>(token.data(), lower_name.data(), token.size());
  return equal_without_case(token, lower_name);
}

/// The row of a name with those ends; nullptr if it has none.
const Row* row_of(std::uint16_t ends, std::string_view name) noexcept {
  const std::size_t row = kRowOfSlot[slot_of(ends, name.size())];
  if (row == std::size(kRows) || name.size() != kRows[row].name.size()) return nullptr;
  return is_named(name, kRows[row].name) ? &kRows[row] : nullptr;
}

constexpr std::string_view kNotInTrailers[] = {
    "authorization",
    "connection",
    "content-encoding",
    "content-length",
    "content-range",
    "cookie",
    "expect",
    "host",
    "keep-alive",
    "max-forwards",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "set-cookie",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "www-authenticate",
};

}  // namespace

HeadFields::HeadFields(const Headers& headers, bool request) noexcept {
  const Singleton here = request ? Singleton::in_requests : Singleton::in_responses;
  std::uint32_t seen = 0;
  for (const HeadersBuilder::Entry& entry : HeadersBuilder::index(headers)) {
    const Row* row = row_of(entry.ends, HeadersBuilder::name(headers, entry));
    if (!row) continue;
    if (row->singleton == Singleton::in_both || row->singleton == here) {
      const std::uint32_t bit = 1u << (row - kRows);
      if (seen & bit) repeated = row->name;
      seen |= bit;
    }
    const std::string_view value = HeadersBuilder::value(headers, entry);
    switch (row->known) {
      case Known::connection:
        take_options(value);
        break;
      case Known::content_length:
        content_length = value;
        has_content_length = true;
        break;
      case Known::host:
        host = value;
        has_host = true;
        break;
      case Known::transfer_encoding:
        transfer_encoding = value;
        has_transfer_encoding = true;
        break;
      case Known::upgrade:
        has_upgrade = true;
        break;
      case Known::other:
        break;
    }
  }
}

void HeadFields::take_options(std::string_view list) noexcept {
  for_each_item(list, [&](std::string_view option) {
    if (equal_without_case(option, "close")) close = true;
    if (equal_without_case(option, "keep-alive")) keep_alive = true;
    if (equal_without_case(option, "upgrade")) upgrade = true;
  });
}

Coding transfer_coding(std::string_view value) noexcept {
  if (equal_without_case(value, "chunked")) return Coding::chunked;
  std::size_t chunked = 0;
  bool valid = true, last_is_chunked = false;
  for_each_item(value, [&](std::string_view coding) {
    last_is_chunked = equal_without_case(coding, "chunked");
    if (last_is_chunked) ++chunked;
    valid = valid && is_token(coding.substr(0, coding.find(';')));
  });
  return valid && chunked == 1 && last_is_chunked ? Coding::unknown : Coding::invalid;
}

bool is_host(std::string_view value) noexcept {
  std::size_t at = 0;
  if (value.starts_with('[')) {
    at = value.find(']');
    if (at == std::string_view::npos || at < 3) return false;
    for (char c : value.substr(1, at - 1))
      if (!is(kHostName, c) && c != ':') return false;
    ++at;
  } else {
    while (at < value.size() && is(kHostName, value[at])) ++at;
  }
  if (at == 0 || at == value.size()) return at != 0;
  if (value[at] != ':' || value.size() - at > 6) return false;
  while (++at < value.size())
    if (value[at] < '0' || value[at] > '9') return false;
  return true;
}

bool allowed_in_trailers(std::string_view name) noexcept {
  for (std::string_view refused : kNotInTrailers)
    if (equal_without_case(name, refused)) return false;
  return true;
}

}  // namespace asyncio::http::detail

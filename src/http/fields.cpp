// SPDX-License-Identifier: BSL-1.0
#include "http/fields.hpp"

#include "http/characters.hpp"

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
constexpr std::size_t kLongest = 21;
static_assert(std::size(kRows) <= 32, "HeadFields keeps a bit for each");

/// The rows are in the order of their lengths; where those of each length begin.
constexpr auto kFirstOfLength = [] {
  std::array<std::uint8_t, kLongest + 2> first{};
  std::size_t row = 0;
  for (std::size_t length = 0; length < first.size(); ++length) {
    while (row < std::size(kRows) && kRows[row].name.size() < length) ++row;
    first[length] = static_cast<std::uint8_t>(row);
  }
  return first;
}();

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

/// The row of a name; nullptr if it has none.
const Row* row_of(std::string_view name) noexcept {
  if (name.size() > kLongest) return nullptr;
  for (std::size_t i = kFirstOfLength[name.size()]; i < kFirstOfLength[name.size() + 1]; ++i)
    if (is_named(name, kRows[i].name)) return &kRows[i];
  return nullptr;
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
  for (const auto [name, value] : headers) {
    const Row* row = row_of(name);
    if (!row) continue;
    if (row->singleton == Singleton::in_both || row->singleton == here) {
      const std::uint32_t bit = 1u << (row - kRows);
      if (seen & bit) repeated = row->name;
      seen |= bit;
    }
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
  const std::string_view port = value.substr(at + 1);
  return value[at] == ':' && port.size() <= 5 &&
         port.find_first_not_of("0123456789") == std::string_view::npos;
}

bool allowed_in_trailers(std::string_view name) noexcept {
  for (std::string_view refused : kNotInTrailers)
    if (equal_without_case(name, refused)) return false;
  return true;
}

}  // namespace asyncio::http::detail

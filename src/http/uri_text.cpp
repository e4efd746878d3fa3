// SPDX-License-Identifier: BSL-1.0
#include "http/uri_text.hpp"

#include "asyncio/http/url.hpp"

#include <arpa/inet.h>
#include <new>
#include <uriparser/Uri.h>

namespace asyncio::http::detail {

namespace {

class Uri {
 public:
  Uri() = default;
  Uri(const Uri&) = delete;
  Uri& operator=(const Uri&) = delete;
  ~Uri() { uriFreeUriMembersA(&uri); }

  UriUriA uri{};
};

[[noreturn]] void refuse(std::string_view text, const std::string& reason) {
  constexpr std::size_t kShown = 200;
  std::string shown = without_secrets(text);
  if (shown.size() > kShown) shown = shown.substr(0, kShown) + "...";
  throw InvalidURL("'" + shown + "': " + reason);
}

void check(int status, std::string_view text) {
  if (status == URI_ERROR_MALLOC) throw std::bad_alloc();
  if (status != URI_SUCCESS) refuse(text, "cannot be resolved");
}

void parse_into(Uri& to, std::string_view text) {
  const char* error_at = nullptr;
  int status = uriParseSingleUriExA(&to.uri, text.data(), text.data() + text.size(), &error_at);
  if (status == URI_ERROR_SYNTAX) {
    auto at = static_cast<std::size_t>(error_at - text.data());
    refuse(text, at < text.size() ? "unexpected character at offset " + std::to_string(at)
                                  : std::string("ends too early"));
  }
  check(status, text);
}

std::optional<std::string> piece(const UriTextRangeA& range) {
  if (!range.first) return std::nullopt;
  return std::string(range.first, range.afterLast);
}

/// As RFC 5952 writes it.
std::string ipv6_text(const unsigned char* address) {
  char text[INET6_ADDRSTRLEN] = {};
  ::inet_ntop(AF_INET6, address, text, sizeof text);
  return text;
}

std::string path_text(const UriUriA& uri) {
  std::string path;
  bool rooted = uri.absolutePath || (uri.hostText.first && uri.pathHead);
  if (rooted) path += '/';
  for (const UriPathSegmentA* segment = uri.pathHead; segment; segment = segment->next) {
    if (segment != uri.pathHead) path += '/';
    path.append(segment->text.first, segment->text.afterLast);
  }
  return path;
}

/// The dots of "../x" mean something until there is a base.
unsigned what_to_normalize(const UriUriA& uri) {
  bool needs_a_base = !uri.scheme.first && !uri.hostText.first && !uri.absolutePath;
  constexpr unsigned kAll = URI_NORMALIZE_SCHEME | URI_NORMALIZE_USER_INFO | URI_NORMALIZE_HOST |
                            URI_NORMALIZE_PATH | URI_NORMALIZE_QUERY | URI_NORMALIZE_FRAGMENT;
  return needs_a_base ? kAll & ~static_cast<unsigned>(URI_NORMALIZE_PATH) : kAll;
}

}  // namespace

/// The last '@' counts, wherever it is: the text may be no URL just because a password has a '/'.
std::string without_secrets(std::string_view text) {
  std::size_t begin = text.find("//");
  std::size_t end = text.rfind('@');
  if (begin == std::string_view::npos || end == std::string_view::npos || end < begin)
    return std::string(text);
  return std::string(text.substr(0, begin + 2)) + "..." + std::string(text.substr(end));
}

UriPieces parse_uri(std::string_view text, std::optional<std::string_view> base) {
  Uri given, from, resolved;
  parse_into(given, text);
  UriUriA* uri = &given.uri;
  if (base) {
    parse_into(from, *base);
    check(uriAddBaseUriExA(&resolved.uri, &given.uri, &from.uri, URI_RESOLVE_STRICTLY), text);
    uri = &resolved.uri;
  }
  check(uriNormalizeSyntaxExA(uri, what_to_normalize(*uri)), text);
  // There are none yet, and without its brackets it would be another host, and a port.
  if (uri->hostData.ipFuture.first) refuse(text, "an address of an unknown version");
  UriPieces pieces;
  pieces.scheme = piece(uri->scheme);
  pieces.user_info = piece(uri->userInfo);
  pieces.host = piece(uri->hostText);
  if (uri->hostData.ip6) {
    pieces.host = ipv6_text(uri->hostData.ip6->data);
    pieces.host_is_ipv6 = true;
  }
  pieces.port = piece(uri->portText);
  pieces.path = path_text(*uri);
  pieces.query = piece(uri->query);
  pieces.fragment = piece(uri->fragment);
  return pieces;
}

}  // namespace asyncio::http::detail

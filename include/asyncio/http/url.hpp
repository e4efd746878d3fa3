// SPDX-License-Identifier: BSL-1.0
/// URLs (RFC 3986): yarl's URL, as aiohttp's users know it.
#pragma once

#include "asyncio/http/client_errors.hpp"
#include "asyncio/http/multi_dict.hpp"

#include <compare>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace asyncio::http {

/// A URL, or a reference that is relative to one. A value type that never changes: what makes
/// another returns it. It is normalized when it is made: letters of scheme and host are small,
/// dot segments are gone, a default port is left out, the path of a host is never empty, and
/// what need not be percent-encoded is not. Views are valid as long as the URL.
///
/// `raw_` parts are as they stand in the text, the others decoded.
class URL {
 public:
  static constexpr std::size_t kMaxSize = 8192;

  /// The empty reference.
  URL() = default;

  /// Strictly what RFC 3986 allows.
  ///
  /// Throws   InvalidURL, which says what is wrong; also for http, https, ws and wss without host,
  ///          for a port above 65,535 and beyond kMaxSize bytes.
  URL(std::string_view text);
  URL(const std::string& text) : URL(std::string_view(text)) {}
  URL(const char* text) : URL(std::string_view(text)) {}

  /// As browsers read what people write and pages contain: spaces around it go, blanks and what is
  /// not ASCII are percent-encoded, '\' is '/', hosts in other scripts become their ASCII form.
  ///
  /// Throws   InvalidURL for what is none even then.
  static URL lenient(std::string_view text);

  std::string_view str() const noexcept { return text_; }
  operator std::string_view() const noexcept { return text_; }
  bool operator==(const URL& other) const noexcept { return text_ == other.text_; }
  auto operator<=>(const URL& other) const noexcept { return text_ <=> other.text_; }

  bool is_absolute() const noexcept { return has_authority_; }

  /// Without ':'; empty in a reference.
  std::string_view scheme() const noexcept { return part(scheme_); }
  bool has_credentials() const noexcept { return has_user_info_; }
  std::string user() const;
  std::string password() const;

  /// Without the brackets of an IPv6 address; empty in a reference.
  std::string_view host() const noexcept { return part(host_); }

  /// The one that stands in the text.
  std::optional<std::uint16_t> explicit_port() const noexcept { return port_; }

  /// That, or the scheme's: 80 for http and ws, 443 for https and wss.
  std::optional<std::uint16_t> port() const noexcept;

  /// What a Host header says: the host, an IPv6 address in brackets, and a port that is not the
  /// scheme's.
  std::string_view host_port() const noexcept { return part(host_port_); }

  std::string_view raw_path() const noexcept { return part(path_); }
  std::string path() const;

  /// The path's last segment, decoded.
  std::string name() const;

  /// Without '?'.
  std::string_view query_string() const noexcept { return part(query_); }
  bool has_query() const noexcept { return has_query_; }

  /// Decoded, as forms have it.
  ///
  /// Throws   ValueError for more than 1,000 fields.
  MultiDict query() const;

  /// Path and query: the target of a request.
  std::string_view path_qs() const noexcept;

  std::string_view raw_fragment() const noexcept { return part(fragment_); }
  std::string fragment() const;

  /// Scheme, host and port alone; what browsers compare.
  ///
  /// Throws   InvalidURL if it is relative.
  URL origin() const;

  /// What a reference means on a page with this URL (RFC 3986, 5.2).
  ///
  /// Throws   InvalidURL if this URL is relative.
  URL join(const URL& reference) const;

  /// One or more segments more; '/' separates, everything else is percent-encoded where it must
  /// be. Query and fragment are gone.
  URL operator/(std::string_view segments) const;

  /// With another part. Values are not encoded yet: they will be where they must, but a '%' with
  /// two hexadecimal digits behind it stays.
  ///
  /// Throws   InvalidURL if that is none, or if it is relative and the part needs a host.
  URL with_scheme(std::string_view scheme) const;
  URL with_host(std::string_view host) const;
  URL with_port(std::optional<std::uint16_t> port) const;
  URL with_credentials(std::string_view user, std::string_view password) const;
  URL without_credentials() const;
  /// Query and fragment are gone.
  URL with_path(std::string_view path) const;
  URL with_query(const MultiDict& query) const;
  URL with_query(std::string_view query) const;
  /// These after those that are there.
  URL extend_query(const MultiDict& query) const;
  URL with_fragment(std::string_view fragment) const;
  URL without_fragment() const;

 private:
  /// Of text_; both are below kMaxSize * 3.
  struct Part {
    std::uint16_t begin = 0;
    std::uint16_t size = 0;
  };
  struct Pieces;

  static URL assemble(const Pieces& pieces);
  Pieces pieces() const;
  Part append(std::string_view piece);
  std::string_view part(Part part) const noexcept {
    return std::string_view(text_).substr(part.begin, part.size);
  }

  std::string text_;
  Part scheme_, user_info_, host_, host_port_, path_, query_, fragment_;
  std::optional<std::uint16_t> port_;
  bool has_authority_ = false;
  bool has_user_info_ = false;
  bool has_query_ = false;
  bool has_fragment_ = false;
};

}  // namespace asyncio::http

template <>
struct std::hash<asyncio::http::URL> {
  std::size_t operator()(const asyncio::http::URL& url) const noexcept {
    return std::hash<std::string_view>()(url.str());
  }
};

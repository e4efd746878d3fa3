// SPDX-License-Identifier: BSL-1.0
/// Cookies (RFC 6265bis): aiohttp's CookieJar, and what servers set.
#pragma once

#include "asyncio/http/multi_dict.hpp"
#include "asyncio/http/url.hpp"
#include "asyncio/wall_time.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace asyncio::http {

/// Which requests from other sites carry a cookie.
enum class SameSite { Unset, None, Lax, Strict };

/// A cookie with its attributes. A value type.
class Cookie {
 public:
  using Time = std::chrono::system_clock::time_point;

  /// Throws   ValueError if the name is no token, or the value has bytes that a cookie cannot have
  ///          (blanks, '"', ',', ';', '\' and control bytes: quote() it first).
  Cookie(std::string name, std::string value);

  const std::string& name() const noexcept { return name_; }
  const std::string& value() const noexcept { return value_; }

  /// Throws   ValueError for a ';' or a control byte in a text.
  Cookie& domain(std::string domain);
  Cookie& path(std::string path);
  Cookie& max_age(std::chrono::seconds seconds) noexcept;
  Cookie& expires(Time time) noexcept;
  Cookie& secure(bool on = true) noexcept;
  Cookie& http_only(bool on = true) noexcept;
  Cookie& same_site(SameSite which) noexcept;

  const std::string& domain() const noexcept { return domain_; }
  const std::string& path() const noexcept { return path_; }
  std::optional<std::chrono::seconds> max_age() const noexcept { return max_age_; }
  std::optional<Time> expires() const noexcept { return expires_; }
  bool is_secure() const noexcept { return secure_; }
  bool is_http_only() const noexcept { return http_only_; }
  SameSite same_site() const noexcept { return same_site_; }

  /// The value of a Set-Cookie header.
  std::string text() const;

  /// What a Set-Cookie header says, read as browsers do; nothing if they would ignore it: without
  /// a name, with control bytes, or with name and value beyond 4,096 bytes.
  static std::optional<Cookie> parse(std::string_view header);

 private:
  Cookie() = default;
  void set_attribute(std::string_view name, std::string_view value);

  std::string name_, value_, domain_, path_;
  std::optional<std::chrono::seconds> max_age_;
  std::optional<Time> expires_;
  bool secure_ = false;
  bool http_only_ = false;
  SameSite same_site_ = SameSite::Unset;
};

/// The pairs of a Cookie header. What has no '=' is left out, quotes around a value stay.
MultiDict parse_cookies(std::string_view header);

/// The cookies of a client. What browsers refuse it refuses: those for other hosts and for public
/// suffixes, and secure ones (`Secure`, `__Secure-`, `__Host-`) that did not come over TLS. At most
/// 180 a host and 3,000 in all: the oldest make room.
class CookieJar {
 public:
  using Time = Cookie::Time;

  /// A cookie that the jar keeps.
  struct Entry {
    Cookie cookie;
    std::string domain;  // without a dot in front
    std::string path;
    std::optional<Time> expires;  // nothing: with the jar
    bool host_only = true;
    std::uint64_t order = 0;  // of creation
  };

  /// Takes what the response from that URL says in one Set-Cookie header. Returns whether it was
  /// taken; a cookie that has expired removes its predecessor.
  bool update(std::string_view set_cookie, const URL& from, Time now = wall_time());

  /// Takes one that the program made itself.
  bool update(const Cookie& cookie, const URL& from, Time now = wall_time());

  /// The value of the Cookie header for a request to that URL; empty if it has none.
  std::string header_for(const URL& url, Time now = wall_time());

  /// Those that a request to that URL carries, in the header's order. Valid until the next change.
  std::vector<const Entry*> filter(const URL& url, Time now = wall_time());

  std::size_t size() const noexcept { return entries_.size(); }
  const std::vector<Entry>& entries() const noexcept { return entries_; }
  void clear() noexcept { entries_.clear(); }
  void clear_domain(std::string_view domain);

 private:
  bool accepts(const Entry& entry, const URL& from) const;
  void make_room(const std::string& domain);
  void drop_expired(Time now);

  std::vector<Entry> entries_;
  std::uint64_t created_ = 0;
};

}  // namespace asyncio::http

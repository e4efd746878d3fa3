// SPDX-License-Identifier: BSL-1.0
#include "asyncio/http/cookies.hpp"
#include "http/characters.hpp"
#include "http/public_suffix.hpp"
#include "http/schemes.hpp"

#include <algorithm>
#include <arpa/inet.h>
#include <netinet/in.h>
#include <utility>

namespace asyncio::http {

namespace {

constexpr std::size_t kMaxOfDomain = 180;
constexpr std::size_t kMaxInAll = 3000;

bool is_address(std::string_view host) {
  std::string text(host);
  in_addr v4;
  in6_addr v6;
  return ::inet_pton(AF_INET, text.c_str(), &v4) == 1 ||
         ::inet_pton(AF_INET6, text.c_str(), &v6) == 1;
}

/// Whether the host is the domain or below it.
bool domain_matches(std::string_view host, std::string_view domain) {
  if (host == domain) return true;
  bool below = host.size() > domain.size() && host.ends_with(domain) &&
               host[host.size() - domain.size() - 1] == '.';
  return below && !is_address(host);
}

bool path_matches(std::string_view path, std::string_view of_cookie) noexcept {
  if (!path.starts_with(of_cookie)) return false;
  return path.size() == of_cookie.size() || of_cookie.ends_with('/') ||
         path[of_cookie.size()] == '/';
}

/// The folder of the page.
std::string default_path(std::string_view path) {
  std::size_t slash = path.rfind('/');
  if (slash == 0 || slash == std::string_view::npos) return "/";
  return std::string(path.substr(0, slash));
}

bool has_prefix(std::string_view name, std::string_view prefix) noexcept {
  return name.size() >= prefix.size() &&
         detail::equal_without_case(name.substr(0, prefix.size()), prefix);
}

/// Max-Age wins.
std::optional<CookieJar::Time> end_of(const Cookie& cookie, CookieJar::Time now) {
  if (cookie.max_age()) return now + *cookie.max_age();
  return cookie.expires();
}

}  // namespace

bool CookieJar::update(std::string_view set_cookie, const URL& from, Time now) {
  std::optional<Cookie> cookie = Cookie::parse(set_cookie);
  return cookie && update(*cookie, from, now);
}

bool CookieJar::update(const Cookie& cookie, const URL& from, Time now) {
  Entry entry{cookie, cookie.domain(), cookie.path(), end_of(cookie, now)};
  entry.host_only = entry.domain.empty() ||
                    (entry.domain == from.host() && detail::is_public_suffix(entry.domain));
  if (entry.host_only) entry.domain = from.host();
  if (entry.path.empty()) entry.path = default_path(from.raw_path());
  if (!accepts(entry, from)) return false;
  auto same = std::ranges::find_if(entries_, [&](const Entry& other) {
    return other.cookie.name() == cookie.name() && other.domain == entry.domain &&
           other.path == entry.path && other.host_only == entry.host_only;
  });
  entry.order = same == entries_.end() ? created_++ : same->order;
  if (same != entries_.end()) entries_.erase(same);
  if (entry.expires && *entry.expires <= now) return true;
  drop_expired(now);
  make_room(entry.domain);
  entries_.push_back(std::move(entry));
  return true;
}

bool CookieJar::accepts(const Entry& entry, const URL& from) const {
  if (!from.is_absolute()) return false;
  if (!domain_matches(from.host(), entry.domain)) return false;
  if (!entry.host_only && detail::is_public_suffix(entry.domain)) return false;
  bool secure = detail::is_secure(from);
  const std::string& name = entry.cookie.name();
  if (entry.cookie.is_secure() && !secure) return false;
  if (has_prefix(name, "__secure-") && !entry.cookie.is_secure()) return false;
  bool of_host = entry.cookie.is_secure() && entry.host_only && entry.path == "/";
  if (has_prefix(name, "__host-") && !of_host) return false;
  // What came over TLS is not replaced by what anybody on the way could have sent.
  return secure || std::ranges::none_of(entries_, [&](const Entry& other) {
           return other.cookie.is_secure() && other.cookie.name() == name &&
                  (domain_matches(other.domain, entry.domain) ||
                   domain_matches(entry.domain, other.domain)) &&
                  path_matches(entry.path, other.path);
         });
}

void CookieJar::drop_expired(Time now) {
  std::erase_if(entries_,
                [now](const Entry& entry) { return entry.expires && *entry.expires <= now; });
}

/// The oldest stands first: those that are replaced go to the end.
void CookieJar::make_room(const std::string& domain) {
  auto of_domain = [&domain](const Entry& entry) { return entry.domain == domain; };
  auto count = static_cast<std::size_t>(std::ranges::count_if(entries_, of_domain));
  if (count >= kMaxOfDomain) entries_.erase(std::ranges::find_if(entries_, of_domain));
  if (entries_.size() >= kMaxInAll) entries_.erase(entries_.begin());
}

std::vector<const CookieJar::Entry*> CookieJar::filter(const URL& url, Time now) {
  std::vector<const Entry*> found;
  if (!url.is_absolute()) return found;
  drop_expired(now);
  for (const Entry& entry : entries_) {
    bool of_host =
        entry.host_only ? entry.domain == url.host() : domain_matches(url.host(), entry.domain);
    if (of_host && path_matches(url.raw_path(), entry.path) &&
        (!entry.cookie.is_secure() || detail::is_secure(url)))
      found.push_back(&entry);
  }
  std::ranges::sort(found, [](const Entry* a, const Entry* b) {
    if (a->path.size() != b->path.size()) return a->path.size() > b->path.size();
    return a->order < b->order;
  });
  return found;
}

std::string CookieJar::header_for(const URL& url, Time now) {
  std::string header;
  for (const Entry* entry : filter(url, now)) {
    if (!header.empty()) header += "; ";
    header += entry->cookie.name() + "=" + entry->cookie.value();
  }
  return header;
}

void CookieJar::clear_domain(std::string_view domain) {
  std::erase_if(entries_,
                [domain](const Entry& entry) { return domain_matches(entry.domain, domain); });
}

}  // namespace asyncio::http

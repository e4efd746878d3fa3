// SPDX-License-Identifier: BSL-1.0
#include "asyncio/http/url.hpp"

#include "asyncio/http/percent.hpp"
#include "http/uri_characters.hpp"
#include "http/uri_text.hpp"

#include <algorithm>
#include <array>
#include <charconv>

namespace asyncio::http {

struct URL::Pieces : detail::UriPieces {};

namespace {

constexpr std::size_t kMaxQueryFields = 1000;

struct SchemePort {
  std::string_view scheme;
  std::uint16_t port;
};
/// These schemes need a host.
constexpr std::array<SchemePort, 4> kSchemes{
    {{"http", 80}, {"https", 443}, {"ws", 80}, {"wss", 443}}};

std::optional<std::uint16_t> port_of(std::string_view scheme) noexcept {
  const auto* known = std::ranges::find(kSchemes, scheme, &SchemePort::scheme);
  return known == kSchemes.end() ? std::nullopt : std::optional<std::uint16_t>(known->port);
}

[[noreturn]] void refuse(std::string_view text, const std::string& reason) {
  throw InvalidURL("'" + detail::without_secrets(text) + "': " + reason);
}

void require_size(std::size_t size) {
  if (size > URL::kMaxSize)
    throw InvalidURL("a URL of " + std::to_string(size) + " bytes; the limit is " +
                     std::to_string(URL::kMaxSize));
}

std::optional<std::uint16_t> parse_port(const std::optional<std::string>& text) {
  if (!text || text->empty()) return std::nullopt;
  std::uint16_t port = 0;
  auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), port);
  if (error != std::errc() || end != text->data() + text->size())
    throw InvalidURL("port " + *text + " is not between 0 and 65535");
  return port;
}

void check_host(const detail::UriPieces& pieces) {
  if (!pieces.scheme || !port_of(*pieces.scheme)) return;
  if (!pieces.host || pieces.host->empty())
    throw InvalidURL(*pieces.scheme + " URL without a host");
  if (pieces.host->find('%') != std::string::npos)
    throw InvalidURL("'" + *pieces.host + "': percent-encoded bytes in a host");
}

/// A path that would begin an authority ("//x") or a scheme ("a:b") must not.
std::string unambiguous_path(const detail::UriPieces& pieces) {
  if (pieces.host)
    return pieces.path.empty() && pieces.scheme && port_of(*pieces.scheme) ? "/" : pieces.path;
  if (pieces.path.starts_with("//")) return "/." + pieces.path;
  bool first_has_colon =
      pieces.path.substr(0, pieces.path.find('/')).find(':') != std::string::npos;
  return !pieces.scheme && first_has_colon ? "./" + pieces.path : pieces.path;
}

}  // namespace

URL::Part URL::append(std::string_view piece) {
  Part at{static_cast<std::uint16_t>(text_.size()), static_cast<std::uint16_t>(piece.size())};
  text_ += piece;
  require_size(text_.size());
  return at;
}

URL URL::assemble(const Pieces& pieces) {
  check_host(pieces);
  URL url;
  if (pieces.scheme) {
    url.scheme_ = url.append(*pieces.scheme);
    url.append(":");
  }
  if (pieces.host) {
    url.has_authority_ = true;
    url.append("//");
    if (pieces.user_info) {
      url.has_user_info_ = true;
      url.user_info_ = url.append(*pieces.user_info);
      url.append("@");
    }
    std::size_t begin = url.text_.size();
    if (pieces.host_is_ipv6) url.append("[");
    url.host_ = url.append(*pieces.host);
    if (pieces.host_is_ipv6) url.append("]");
    url.port_ = parse_port(pieces.port);
    if (pieces.scheme && url.port_ == port_of(*pieces.scheme)) url.port_.reset();
    if (url.port_) url.append(":" + std::to_string(*url.port_));
    url.host_port_ = {static_cast<std::uint16_t>(begin),
                      static_cast<std::uint16_t>(url.text_.size() - begin)};
  }
  url.path_ = url.append(unambiguous_path(pieces));
  if (pieces.query) {
    url.has_query_ = true;
    url.append("?");
    url.query_ = url.append(*pieces.query);
  }
  if (pieces.fragment) {
    url.has_fragment_ = true;
    url.append("#");
    url.fragment_ = url.append(*pieces.fragment);
  }
  return url;
}

URL::URL(std::string_view text) {
  require_size(text.size());
  *this = assemble(Pieces{detail::parse_uri(text)});
}

URL::Pieces URL::pieces() const {
  Pieces pieces;
  if (scheme_.size) pieces.scheme = scheme();
  if (has_user_info_) pieces.user_info = part(user_info_);
  if (has_authority_) pieces.host = host();
  pieces.host_is_ipv6 = host().find(':') != std::string_view::npos;
  if (port_) pieces.port = std::to_string(*port_);
  pieces.path = raw_path();
  if (has_query_) pieces.query = query_string();
  if (has_fragment_) pieces.fragment = raw_fragment();
  return pieces;
}

std::string URL::user() const {
  std::string_view both = part(user_info_);
  return unquote(both.substr(0, both.find(':')));
}

std::string URL::password() const {
  std::string_view both = part(user_info_);
  std::size_t colon = both.find(':');
  return colon == std::string_view::npos ? std::string() : unquote(both.substr(colon + 1));
}

std::optional<std::uint16_t> URL::port() const noexcept {
  return port_ ? port_ : port_of(scheme());
}

std::string URL::path() const { return unquote(raw_path()); }

std::string URL::name() const {
  std::string_view path = raw_path();
  return unquote(path.substr(path.rfind('/') + 1));
}

MultiDict URL::query() const { return parse_qsl(query_string(), kMaxQueryFields); }

std::string_view URL::path_qs() const noexcept {
  std::size_t end = has_query_ ? query_.begin + query_.size : path_.begin + path_.size;
  return std::string_view(text_).substr(path_.begin, end - path_.begin);
}

std::string URL::fragment() const { return unquote(raw_fragment()); }

URL URL::origin() const {
  if (!has_authority_) refuse(text_, "a relative URL has no origin");
  Pieces pieces = this->pieces();
  pieces.user_info.reset();
  pieces.path.clear();
  pieces.query.reset();
  pieces.fragment.reset();
  return assemble(pieces);
}

URL URL::join(const URL& reference) const {
  if (!has_authority_) refuse(text_, "a relative URL cannot be the base of another");
  return assemble(Pieces{detail::parse_uri(reference.text_, text_)});
}

URL URL::operator/(std::string_view segments) const {
  std::string path(raw_path());
  if (!path.ends_with('/')) path += '/';
  return with_path(path + quote(segments, detail::kInPath));
}

URL URL::with_scheme(std::string_view scheme) const {
  if (!has_authority_) refuse(text_, "a relative URL takes no scheme");
  Pieces pieces = this->pieces();
  pieces.scheme = scheme;
  return URL(assemble(pieces).text_);
}

URL URL::with_host(std::string_view host) const {
  if (!has_authority_) refuse(text_, "a relative URL takes no host");
  if (host.empty() || host.find_first_of("/?#@[]%\\ ") != std::string_view::npos)
    refuse(host, "not a host");
  Pieces pieces = this->pieces();
  pieces.host = host;
  pieces.host_is_ipv6 = host.find(':') != std::string_view::npos;
  return URL(assemble(pieces).text_);
}

URL URL::with_port(std::optional<std::uint16_t> port) const {
  if (!has_authority_) refuse(text_, "a relative URL takes no port");
  Pieces pieces = this->pieces();
  pieces.port.reset();
  if (port) pieces.port = std::to_string(*port);
  return assemble(pieces);
}

URL URL::with_credentials(std::string_view user, std::string_view password) const {
  if (!has_authority_) refuse(text_, "a relative URL takes no credentials");
  Pieces pieces = this->pieces();
  pieces.user_info = quote(user, "") + ":" + quote(password, "");
  return assemble(pieces);
}

URL URL::without_credentials() const {
  if (!has_user_info_) return *this;
  Pieces pieces = this->pieces();
  pieces.user_info.reset();
  return assemble(pieces);
}

URL URL::with_path(std::string_view path) const {
  Pieces pieces = this->pieces();
  pieces.path = detail::requote(path, detail::kInPath);
  if (has_authority_ && !pieces.path.starts_with('/')) pieces.path.insert(0, "/");
  pieces.query.reset();
  pieces.fragment.reset();
  return URL(assemble(pieces).text_);
}

URL URL::with_query(const MultiDict& query) const { return with_query(urlencode(query)); }

URL URL::with_query(std::string_view query) const {
  Pieces pieces = this->pieces();
  pieces.query.reset();
  if (!query.empty()) pieces.query = detail::requote(query, detail::kInQuery);
  return assemble(pieces);
}

URL URL::extend_query(const MultiDict& query) const {
  std::string all(query_string());
  if (!all.empty() && !query.empty()) all += '&';
  return with_query(all + urlencode(query));
}

URL URL::with_fragment(std::string_view fragment) const {
  Pieces pieces = this->pieces();
  pieces.fragment = detail::requote(fragment, detail::kInQuery);
  return assemble(pieces);
}

URL URL::without_fragment() const {
  if (!has_fragment_) return *this;
  Pieces pieces = this->pieces();
  pieces.fragment.reset();
  return assemble(pieces);
}

}  // namespace asyncio::http

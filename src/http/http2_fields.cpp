// SPDX-License-Identifier: BSL-1.0
#include "http/http2_fields.hpp"

#include "http/characters.hpp"
#include "http/fields.hpp"

#include <charconv>

namespace asyncio::http::detail {

namespace {

/// What Connection names goes with it: RFC 9110, 7.6.1.
bool is_named_by(std::string_view connection, std::string_view name) noexcept {
  while (!connection.empty())
    if (equal_without_case(trimmed(take_until(connection, ',')), name)) return true;
  return false;
}

}  // namespace

bool is_of_connection(std::string_view name) noexcept {
  constexpr std::string_view kNames[] = {"connection", "keep-alive", "proxy-connection",
                                         "transfer-encoding", "upgrade"};
  for (std::string_view banned : kNames)
    if (equal_without_case(name, banned)) return true;
  return false;
}

void Http2Fields::add_all(const Headers& headers) {
  const std::string_view connection = headers.get("Connection", "");
  for (const auto [name, value] : headers) {
    if (is_of_connection(name) || equal_without_case(name, "host")) continue;
    if (equal_without_case(name, "te") && !equal_without_case(value, "trailers")) continue;
    if (!connection.empty() && is_named_by(connection, name)) continue;
    add(name, value);
  }
}

void Http2Fields::add(std::string_view name, std::string_view value) {
  places_.push_back({text_.size(), name.size(), value.size()});
  for (char c : name) text_ += lower(c);
  text_ += value;
}

const std::vector<nghttp2_nv>& Http2Fields::view() const {
  // nghttp2 takes bytes that it may change, and copies them.
  auto* bytes = reinterpret_cast<std::uint8_t*>(const_cast<char*>(text_.data()));
  view_.clear();
  for (const Place& place : places_)
    view_.push_back({bytes + place.at, bytes + place.at + place.name_size, place.name_size,
                     place.value_size, NGHTTP2_NV_FLAG_NONE});
  return view_;
}

std::optional<std::string> check_target(const RequestHead& head) {
  const std::string_view target = head.target;
  if (target.empty() || first_other(kTarget, target) != std::string_view::npos)
    return "the path has a character that none may have";
  bool valid = target.front() == '/';
  if (head.method == Method::CONNECT)
    valid = is_host(target) && target.find(':') != std::string_view::npos && target.back() != ':';
  else if (target == "*")
    valid = head.method == Method::OPTIONS;
  if (!valid) return "a path of no known form";
  return std::nullopt;
}

std::optional<std::string> check_fields(const Headers& headers, bool request) {
  const HeadFields fields(headers, request);
  if (!fields.repeated.empty()) return "more than one " + std::string(fields.repeated);
  if (request && !fields.has_host) return "no host";
  if (fields.has_host && !is_host(fields.host)) return "a host that is none";
  return std::nullopt;
}

BodyFraming framing_of(const Headers& headers, bool ends_stream) {
  const std::string_view text = headers.get("Content-Length", "");
  if (text.empty()) return ends_stream ? BodyFraming() : BodyFraming::chunked();
  std::uint64_t length = 0;
  std::from_chars(text.data(), text.data() + text.size(), length);
  return BodyFraming::of_length(length);
}

}  // namespace asyncio::http::detail

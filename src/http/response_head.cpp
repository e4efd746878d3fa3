// SPDX-License-Identifier: BSL-1.0
#include "http/response_head.hpp"

#include "asyncio/exceptions.hpp"
#include "asyncio/wall_time.hpp"
#include "http/characters.hpp"
#include "http/dates.hpp"
#include "http/head_writer.hpp"

#include <chrono>
#include <string_view>

namespace asyncio::http::detail {

namespace {

/// Formatted once a second.
std::string_view current_date() {
  thread_local DateText text;
  thread_local std::string_view date;
  thread_local std::chrono::seconds of{-1};
  auto now = wall_time();
  auto second = std::chrono::floor<std::chrono::seconds>(now.time_since_epoch());
  if (second != of) {
    date = write_http_date(text, now);
    of = second;
  }
  return date;
}

/// Fields that the server writes itself, from what it does.
bool is_ours(std::string_view name) noexcept {
  return (name.size() == 14 && equal_without_case(name, "Content-Length")) ||
         (name.size() == 10 && equal_without_case(name, "Connection"));
}

/// Calls `field(name, value)` for what a handler has set, and for what it has left out.
template <class F>
void for_each_field(const web::Response& response, F field) {
  bool has_type = false, has_date = false;
  for (const auto [name, value] : response.headers()) {
    if (is_ours(name)) continue;
    has_type |= name.size() == 12 && equal_without_case(name, "Content-Type");
    has_date |= name.size() == 4 && equal_without_case(name, "Date");
    field(name, value);
  }
  const Status status = response.get_status();
  const bool may_have_type = !has_no_body(status) && !has_empty_body(status);
  if (!has_type && may_have_type && !response.get_content_type().empty())
    field("Content-Type", response.get_content_type());
  if (!has_date) field("Date", current_date());
}

std::uint64_t code_of(Status status) noexcept { return static_cast<std::uint64_t>(status.code()); }

/// What the server writes around the fields of a handler, its own fields with their longest values.
constexpr std::string_view kLongestFrame =
    "HTTP/1.1 999 \r\n"
    "Content-Type: \r\n"
    "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
    "Connection: keep-alive\r\n"
    "Content-Length: 18446744073709551615\r\n"
    "Transfer-Encoding: chunked\r\n"
    "\r\n";

/// The bytes that the head takes at most.
std::size_t room_for_head(const web::Response& response) noexcept {
  return kLongestFrame.size() + response.get_status().phrase().size() +
         response.get_content_type().size() + HeadWriter::room_for(response.headers());
}

}  // namespace

std::optional<std::uint64_t> declared_length(const web::Response& response) {
  std::optional<std::string_view> text = response.headers().get("Content-Length");
  if (!text) return std::nullopt;
  std::optional<std::uint64_t> length = parse_number(*text);
  if (!length) throw ValueError("response: Content-Length " + quoted(*text) + " is no number");
  return length;
}

bool asks_to_close(const web::Response& response) noexcept {
  if (response.closes() || response.headers().empty()) return response.closes();
  return has_item(response.headers().get("Connection", ""), "close");
}

void check_response(const web::Response& response) {
  Status status = response.get_status();
  if (status.is_informational())
    throw ValueError("response: " + std::to_string(status.code()) + " answers no request");
  if (response.headers().contains("Transfer-Encoding"))
    throw ValueError("response: Transfer-Encoding is the server's to set");
}

void check_whole_response(const web::Response& response, bool is_head) {
  check_response(response);
  if (response.headers().empty()) return;
  std::optional<std::uint64_t> declared = declared_length(response);
  if (!declared || is_head || has_no_body(response.get_status())) return;
  if (*declared != response.get_body().size())
    throw ValueError("response: Content-Length is " + std::to_string(*declared) +
                     ", and the body has " + std::to_string(response.get_body().size()) + " bytes");
}

void append_response_head(std::string& out, const web::Response& response,
                          const ResponseTerms& terms) {
  const Status status = response.get_status();
  HeadWriter head(out, room_for_head(response));
  if (status == Status::OK)
    head.put("HTTP/1.1 200 OK\r\n");
  else
    head.put("HTTP/1.1 ").put_number(code_of(status)).put(" ").put(status.phrase()).put("\r\n");
  for_each_field(response, [&head](std::string_view name, std::string_view value) {
    head.put_field(name, value);
  });
  if (!terms.keep_alive)
    head.put("Connection: close\r\n");
  else if (terms.version < Version::http_1_1)
    head.put("Connection: keep-alive\r\n");
  if (terms.length) head.put("Content-Length: ").put_number(*terms.length).put("\r\n");
  if (terms.chunked) head.put("Transfer-Encoding: chunked\r\n");
  head.put("\r\n");
}

Headers response_fields(const web::Response& response, std::optional<std::uint64_t> length) {
  Headers fields;
  for_each_field(response,
                 [&](std::string_view name, std::string_view value) { fields.add(name, value); });
  if (length) fields.add("Content-Length", std::to_string(*length));
  return fields;
}

}  // namespace asyncio::http::detail

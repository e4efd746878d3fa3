// SPDX-License-Identifier: BSL-1.0
#include "http/write_head.hpp"

#include "asyncio/exceptions.hpp"
#include "http/characters.hpp"
#include "http/fields.hpp"
#include "http/head_writer.hpp"

#include <array>
#include <charconv>

namespace asyncio::http::detail {

namespace {

using Kind = BodyFraming::Kind;

[[noreturn]] void refuse(const char* message, const std::string& what) {
  throw ValueError(std::string(message) + ": " + what);
}

/// What stands around the fields of a head, but for the texts of its first line: at most.
constexpr std::string_view kLongestFrame =
    "HTTP/1.1 999 \r\n"
    "Content-Length: 18446744073709551615\r\n"
    "Transfer-Encoding: chunked\r\n"
    "Connection: keep-alive\r\n"
    "\r\n";

std::string_view text_of(Version version) noexcept {
  return version == Version::http_1_0 ? "HTTP/1.0" : "HTTP/1.1";
}

/// The fields that say how the body ends must say what `body` says.
void check_framing(const char* message, const HeadFields& fields, Version version,
                   BodyFraming body) {
  if (version != Version::http_1_0 && version != Version::http_1_1)
    refuse(message, "is of another version than 1.0 and 1.1");
  if (!fields.repeated.empty()) refuse(message, "more than one " + std::string(fields.repeated));
  if (fields.has_transfer_encoding && fields.has_content_length)
    refuse(message, "transfer-encoding and content-length");
  if (body.kind() == Kind::chunked && version < Version::http_1_1)
    refuse(message, "a body in chunks in HTTP/1.0");
  if (fields.has_transfer_encoding &&
      (body.kind() != Kind::chunked ||
       transfer_coding(fields.transfer_encoding) != Coding::chunked))
    refuse(message, "a transfer-encoding that is not the body's");
  if (fields.has_content_length &&
      (body.kind() != Kind::length || parse_number(fields.content_length) != body.length()))
    refuse(message, "a content-length that is not the body's");
}

void put_framing(HeadWriter& out, const HeadFields& fields, BodyFraming body) {
  if (body.kind() == Kind::length && !fields.has_content_length)
    out.put("Content-Length: ").put_number(body.length()).put("\r\n");
  if (body.kind() == Kind::chunked && !fields.has_transfer_encoding)
    out.put("Transfer-Encoding: chunked\r\n");
}

void put_connection(HeadWriter& out, const HeadFields& fields, Version version, bool keep_alive) {
  if (!keep_alive && !fields.close && version != Version::http_1_0)
    out.put("Connection: close\r\n");
  if (keep_alive && !fields.keep_alive && version == Version::http_1_0)
    out.put("Connection: keep-alive\r\n");
}

void check(const RequestHead& head, const HeadFields& fields) {
  check_framing("request", fields, head.version, head.body);
  if (head.target.empty()) refuse("request", "the target is empty");
  if (std::size_t at = first_other(kTarget, head.target); at != std::string_view::npos)
    refuse("request", "the target has a character that none may have: " + byte_at(head.target, at));
  if (head.version >= Version::http_1_1 && !fields.has_host) refuse("request", "no host");
  if (fields.has_host && !is_host(fields.host))
    refuse("request", "a host that is none: " + quoted(fields.host));
  if (head.body.kind() == Kind::until_close)
    refuse("request", "a body that only the end of the connection would end");
  if (fields.close && head.keep_alive) refuse("request", "connection: close, and keep_alive");
}

void check(const ResponseHead& head, const HeadFields& fields) {
  check_framing("response", fields, head.version, head.body);
  if (std::size_t at = first_other(kField, head.reason); at != std::string_view::npos)
    refuse("response", "the reason has a control character: " + byte_at(head.reason, at));
  const bool bodiless = head.status.is_informational() || head.status == 204;
  if (bodiless && head.body.kind() != Kind::none)
    refuse("response", "a body with status " + std::to_string(head.status.code()));
  // Who reads it would wait for the end of the connection.
  if (!bodiless && head.status != 304 && head.body.kind() == Kind::none && !head.upgrade)
    refuse("response", "no body, which takes a length of 0");
  if (head.body.kind() == Kind::until_close && head.keep_alive)
    refuse("response", "a body that the end of the connection ends, and keep_alive");
  if (fields.close && head.keep_alive) refuse("response", "connection: close, and keep_alive");
}

}  // namespace

HeadFields checked_fields(const RequestHead& head) {
  const HeadFields fields(head.headers, true);
  check(head, fields);
  return fields;
}

void write_head(std::string& out, const RequestHead& head) {
  write_head(out, head, checked_fields(head));
}

void write_head(std::string& out, const RequestHead& head, const HeadFields& fields) {
  const std::string_view method = head.method.str();
  HeadWriter to(out, kLongestFrame.size() + method.size() + head.target.size() +
                         HeadWriter::room_for(head.headers));
  to.put(method).put(" ").put(head.target).put(" ").put(text_of(head.version)).put("\r\n");
  to.put_fields(head.headers);
  put_framing(to, fields, head.body);
  put_connection(to, fields, head.version, head.keep_alive);
  to.put("\r\n");
}

void write_head(std::string& out, const ResponseHead& head) {
  const HeadFields fields(head.headers, false);
  check(head, fields);
  HeadWriter to(out,
                kLongestFrame.size() + head.reason.size() + HeadWriter::room_for(head.headers));
  to.put(text_of(head.version)).put(" ");
  to.put_number(static_cast<std::uint64_t>(head.status.code()));
  to.put(" ").put(head.reason).put("\r\n");
  to.put_fields(head.headers);
  put_framing(to, fields, head.body);
  if (!head.upgrade) put_connection(to, fields, head.version, head.keep_alive);
  to.put("\r\n");
}

void write_chunk_size(std::string& out, std::uint64_t size) {
  if (size == 0) throw ValueError("chunk: has no bytes");
  std::array<char, 16> digits;
  char* end = std::to_chars(digits.data(), digits.data() + digits.size(), size, 16).ptr;
  out.append(digits.data(), end).append("\r\n");
}

void write_last_chunk(std::string& out, const Headers& trailers) {
  for (HeaderField field : trailers)
    if (!allowed_in_trailers(field.name))
      throw ValueError("trailer " + quoted(field.name) + ": belongs into the head");
  constexpr std::string_view kEnds = "0\r\n\r\n";
  HeadWriter to(out, kEnds.size() + HeadWriter::room_for(trailers));
  to.put("0\r\n").put_fields(trailers);
  to.put("\r\n");
}

}  // namespace asyncio::http::detail

// SPDX-License-Identifier: BSL-1.0
#include "http/write_head.hpp"

#include "asyncio/exceptions.hpp"
#include "http/characters.hpp"
#include "http/fields.hpp"

#include <array>
#include <charconv>

namespace asyncio::http::detail {

namespace {

using Kind = BodyFraming::Kind;

[[noreturn]] void refuse(const char* message, const std::string& what) {
  throw ValueError(std::string(message) + ": " + what);
}

class Digits {
 public:
  Digits(std::uint64_t number, int base) noexcept
      : end_(std::to_chars(text_.data(), text_.data() + text_.size(), number, base).ptr) {}
  std::string_view str() const noexcept {
    return {text_.data(), static_cast<std::size_t>(end_ - text_.data())};
  }

 private:
  std::array<char, 20> text_;
  const char* end_;
};

void append_version(std::string& out, Version version) {
  out.append("HTTP/1.").push_back(version == Version::http_1_0 ? '0' : '1');
}

void append_fields(std::string& out, const Headers& headers) {
  for (const auto [name, value] : headers)
    out.append(name).append(": ").append(value).append("\r\n");
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

void append_framing(std::string& out, const HeadFields& fields, BodyFraming body) {
  if (body.kind() == Kind::length && !fields.has_content_length)
    out.append("Content-Length: ").append(Digits(body.length(), 10).str()).append("\r\n");
  if (body.kind() == Kind::chunked && !fields.has_transfer_encoding)
    out.append("Transfer-Encoding: chunked\r\n");
}

void append_connection(std::string& out, const HeadFields& fields, Version version,
                       bool keep_alive) {
  if (!keep_alive && !fields.close && version != Version::http_1_0)
    out.append("Connection: close\r\n");
  if (keep_alive && !fields.keep_alive && version == Version::http_1_0)
    out.append("Connection: keep-alive\r\n");
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

void check_head(const RequestHead& head) { check(head, HeadFields(head.headers, true)); }

void write_head(std::string& out, const RequestHead& head) {
  const HeadFields fields(head.headers, true);
  check(head, fields);
  out.append(head.method.str()).append(" ").append(head.target).append(" ");
  append_version(out, head.version);
  out.append("\r\n");
  append_fields(out, head.headers);
  append_framing(out, fields, head.body);
  append_connection(out, fields, head.version, head.keep_alive);
  out.append("\r\n");
}

void write_head(std::string& out, const ResponseHead& head) {
  const HeadFields fields(head.headers, false);
  check(head, fields);
  append_version(out, head.version);
  out.append(" ").append(Digits(static_cast<std::uint64_t>(head.status.code()), 10).str());
  out.append(" ").append(head.reason).append("\r\n");
  append_fields(out, head.headers);
  append_framing(out, fields, head.body);
  if (!head.upgrade) append_connection(out, fields, head.version, head.keep_alive);
  out.append("\r\n");
}

void write_chunk_size(std::string& out, std::uint64_t size) {
  if (size == 0) throw ValueError("chunk: has no bytes");
  out.append(Digits(size, 16).str()).append("\r\n");
}

void write_last_chunk(std::string& out, const Headers& trailers) {
  for (HeaderField field : trailers)
    if (!allowed_in_trailers(field.name))
      throw ValueError("trailer " + quoted(field.name) + ": belongs into the head");
  out.append("0\r\n");
  append_fields(out, trailers);
  out.append("\r\n");
}

}  // namespace asyncio::http::detail

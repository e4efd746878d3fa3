// SPDX-License-Identifier: BSL-1.0
#include "http/response_parser.hpp"

#include "http/characters.hpp"

namespace asyncio::http::detail {

void ResponseParser::begin_head() {
  if (!expecting_) refuse(Status::BAD_REQUEST, "bytes that answer no request", 0);
}

/// llhttp takes several spaces, and other protocols' responses.
void ResponseParser::check_start_line() {
  const std::string_view line = start_line();
  const auto digit = [&](std::size_t at) { return line[at] >= '0' && line[at] <= '9'; };
  if (line.size() < 12 || !line.starts_with("HTTP/1.") || line[8] != ' ' || !digit(9) ||
      !digit(10) || !digit(11) || (line.size() > 12 && line[12] != ' ') ||
      state().status_code < 100)
    refuse_head(Status::BAD_REQUEST, "start line: is not HTTP/1.1 STATUS REASON");
}

BodyFraming ResponseParser::complete_head() {
  head_.version = version();
  check_start_line();
  head_.status = Status(state().status_code);
  head_.reason.assign(start_text());
  if (first_other(kField, head_.reason) != std::string_view::npos)
    refuse_head(Status::BAD_REQUEST, "start line: the reason has a control character");
  const HeadFields fields(head_.headers, false);
  if (!fields.repeated.empty())
    refuse_head(Status::BAD_REQUEST, "more than one " + std::string(fields.repeated));
  head_.upgrade = head_.status == 101 || (method_ == Method::CONNECT && head_.status.is_success());
  head_.body = framing(fields);
  const bool modern = head_.version == Version::http_1_1;
  head_.keep_alive = !fields.close && (modern || fields.keep_alive) && !head_.upgrade &&
                     head_.body.kind() != BodyFraming::Kind::until_close;
  if (head_.status.is_informational())
    take_informational();
  else
    expecting_ = false;
  return head_.body;
}

void ResponseParser::take_informational() {
  if (head_.status == 101) {
    if (!upgrade_) refuse_head(Status::BAD_REQUEST, "an upgrade that nobody asked for");
    expecting_ = false;
    return;
  }
  if (++informational_ > limits().informational())
    refuse_head(Status::BAD_REQUEST,
                "more than " + std::to_string(limits().informational()) + " informational ones");
  head_.keep_alive = true;  // whatever it says: the one that was asked for is still to come
}

/// RFC 9112, 6.3.
BodyFraming ResponseParser::framing(const HeadFields& fields) {
  if (fields.has_transfer_encoding && head_.version < Version::http_1_1)
    refuse_head(Status::BAD_REQUEST, "transfer-encoding in HTTP/1.0");
  if (fields.has_transfer_encoding && fields.has_content_length)
    refuse_head(Status::BAD_REQUEST, "transfer-encoding and content-length");
  if (head_.upgrade || head_.status.is_informational() || head_.status == 204 ||
      head_.status == 304 || method_ == Method::HEAD)
    return {};
  if (fields.has_transfer_encoding) {
    if (transfer_coding(fields.transfer_encoding) != Coding::chunked ||
        (state().flags & F_CHUNKED) == 0)
      refuse_head(Status::BAD_REQUEST, "transfer-encoding: another coding than chunked");
    return BodyFraming::chunked();
  }
  if (!fields.has_content_length) return BodyFraming::until_close();
  if ((state().flags & F_CONTENT_LENGTH) == 0)
    refuse_head(Status::BAD_REQUEST, "content-length: is no number");
  return BodyFraming::of_length(state().content_length);
}

MessageParser::Phase ResponseParser::phase_after() const noexcept {
  if (head_.upgrade) return Phase::switched;
  return head_.keep_alive ? Phase::between : Phase::closed;
}

}  // namespace asyncio::http::detail

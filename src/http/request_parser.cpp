// SPDX-License-Identifier: BSL-1.0
#include "http/request_parser.hpp"

#include "http/characters.hpp"
#include "http/headers_builder.hpp"

#include <array>
#include <utility>

namespace asyncio::http::detail {

namespace {

/// By llhttp's numbers.
constexpr auto kMethods = [] {
  std::array<Method, 64> methods = [&]<std::size_t... I>(std::index_sequence<I...>) {
    return std::array<Method, 64>{((void)I, Method::GET)...};
  }(std::make_index_sequence<64>());
#define ASYNCIO_METHOD(NUMBER, NAME, TEXT) methods[NUMBER] = Method(#TEXT);
  HTTP_ALL_METHOD_MAP(ASYNCIO_METHOD)
#undef ASYNCIO_METHOD
  return methods;
}();

/// http or https, and a host that the Host header could have, too: Request::host() is this one.
bool is_absolute(std::string_view target) noexcept {
  const std::size_t scheme_end = target.find("://");
  if (scheme_end == std::string_view::npos) return false;
  const std::string_view scheme = target.substr(0, scheme_end);
  if (!equal_without_case(scheme, "http") && !equal_without_case(scheme, "https")) return false;
  const std::string_view rest = target.substr(scheme_end + 3);
  return is_host(rest.substr(0, rest.find_first_of("/?")));
}

}  // namespace

std::unique_ptr<RequestHead> RequestParser::take_head() {
  auto next = std::make_unique<RequestHead>();
  fill(next->headers);
  std::swap(head_, next);
  HeadersBuilder::drop_room(next->headers);
  return next;
}

BodyFraming RequestParser::complete_head() {
  head_->method = kMethods[state().method];
  head_->target.assign(start_text());
  head_->version = version();
  check_start_line();
  check_target();
  const HeadFields fields(head_->headers, true);
  if (!fields.repeated.empty())
    refuse_head(Status::BAD_REQUEST, "more than one " + std::string(fields.repeated));
  check_host(fields);
  head_->body = framing(fields);
  const bool modern = head_->version == Version::http_1_1;
  head_->keep_alive = !fields.close && (modern || fields.keep_alive);
  head_->upgrade = modern && fields.upgrade && fields.has_upgrade;
  return head_->body;
}

/// llhttp takes several spaces, and other protocols' requests.
void RequestParser::check_start_line() {
  std::string_view line = start_line();
  const std::string_view method = head_->method.str();
  const std::size_t target_end = method.size() + 1 + head_->target.size();
  if (!line.starts_with(method) || line.substr(target_end, 8) != " HTTP/1." ||
      line.size() != target_end + 9 || line[method.size()] != ' ')
    refuse_head(Status::BAD_REQUEST, "start line: is not METHOD TARGET HTTP/1.1");
}

/// RFC 9112, 3.2: "/path", "scheme://...", "host:port" for CONNECT, "*" for OPTIONS.
void RequestParser::check_target() {
  const std::string_view target = head_->target;
  if (target.empty() || first_other(kTarget, target) != std::string_view::npos)
    refuse_head(Status::BAD_REQUEST, "start line: the target has a character that none may have");
  bool valid = false;
  if (head_->method == Method::CONNECT)
    valid = is_host(target) && target.find(':') != std::string_view::npos && target.back() != ':';
  else if (target == "*")
    valid = head_->method == Method::OPTIONS;
  else
    valid = target.front() == '/' || is_absolute(target);
  if (!valid) refuse_head(Status::BAD_REQUEST, "start line: a target of no known form");
}

/// RFC 9112, 3.2: one that is valid, or what is in front of us may have meant another.
void RequestParser::check_host(const HeadFields& fields) {
  if (!fields.has_host && head_->version >= Version::http_1_1)
    refuse_head(Status::BAD_REQUEST, "no host");
  if (fields.has_host && !is_host(fields.host))
    refuse_head(Status::BAD_REQUEST, "a host that is none");
}

/// RFC 9112, 6.3, and where it leaves a choice, the one that leaves no doubt.
BodyFraming RequestParser::framing(const HeadFields& fields) {
  if (head_->method == Method::CONNECT &&
      (fields.has_transfer_encoding || fields.has_content_length))
    refuse_head(Status::BAD_REQUEST, "a CONNECT with a body");
  if (fields.has_transfer_encoding) {
    if (head_->version < Version::http_1_1)
      refuse_head(Status::BAD_REQUEST, "transfer-encoding in HTTP/1.0");
    if (fields.has_content_length)
      refuse_head(Status::BAD_REQUEST, "transfer-encoding and content-length");
    const Coding coding = transfer_coding(fields.transfer_encoding);
    if (coding == Coding::unknown)
      refuse_head(Status::NOT_IMPLEMENTED, "transfer-encoding: another coding than chunked");
    if (coding == Coding::invalid || (state().flags & F_CHUNKED) == 0)
      refuse_head(Status::BAD_REQUEST, "transfer-encoding: does not end in one chunked");
    return BodyFraming::chunked();
  }
  if (!fields.has_content_length) return {};
  if ((state().flags & F_CONTENT_LENGTH) == 0)
    refuse_head(Status::BAD_REQUEST, "content-length: is no number");
  return BodyFraming::of_length(state().content_length);
}

}  // namespace asyncio::http::detail

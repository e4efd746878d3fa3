// SPDX-License-Identifier: BSL-1.0
#include "http/multipart_parser.hpp"

#include "asyncio/exceptions.hpp"
#include "http/characters.hpp"

#include <algorithm>

namespace asyncio::http::detail {

namespace {

constexpr std::size_t kMaxBoundary = 70;  // RFC 2046

/// How many bytes at the end could be the beginning of the text.
std::size_t overlap(std::string_view input, std::string_view text) noexcept {
  std::size_t most = std::min(input.size(), text.size() - 1);
  for (std::size_t size = most; size > 0; --size)
    if (input.ends_with(text.substr(0, size))) return size;
  return 0;
}

}  // namespace

MultipartParser::MultipartParser(std::string_view boundary, MultipartLimits limits)
    : limits_(limits) {
  bool wrong = boundary.empty() || boundary.size() > kMaxBoundary || boundary.ends_with(' ') ||
               first_other(kField, boundary) != std::string_view::npos;
  if (wrong) throw ValueError("multipart boundary " + quoted(boundary) + " cannot be one");
  delimiter_ = "\r\n--" + std::string(boundary);
}

MultipartParser::Parsed MultipartParser::parse(std::string_view input) {
  std::size_t used = 0;
  for (;;) {
    std::size_t consumed = 0;
    std::string_view data;
    Step event = step(input.substr(used), consumed, data);
    used += consumed;
    if (event) return {*event, used, data};
  }
}

MultipartParser::Step MultipartParser::step(std::string_view input, std::size_t& consumed,
                                            std::string_view& data) {
  switch (state_) {
    case State::preamble:
      return begin(input, consumed);
    case State::after_delimiter:
      return leave_delimiter(input, consumed);
    case State::head:
      return read_head(input, consumed);
    case State::body:
      return read_body(input, consumed, data);
    case State::epilogue:
      break;
  }
  consumed = input.size();
  return MultipartEvent::end;
}

/// The first delimiter has no line break in front of it. RFC 2046 knows text before it, which
/// nothing on the web sends.
MultipartParser::Step MultipartParser::begin(std::string_view input, std::size_t& consumed) {
  std::string_view expected = std::string_view(delimiter_).substr(2);
  if (input.substr(0, expected.size()) != expected.substr(0, input.size()))
    throw ValueError("multipart body: it does not begin with its boundary");
  if (input.size() < expected.size()) return MultipartEvent::need_more;
  consumed = expected.size();
  state_ = State::after_delimiter;
  return std::nullopt;
}

MultipartParser::Step MultipartParser::leave_delimiter(std::string_view input,
                                                       std::size_t& consumed) {
  if (input.size() < 2) return MultipartEvent::need_more;
  consumed = 2;
  if (input.starts_with("--")) {
    state_ = State::epilogue;
    return MultipartEvent::end;
  }
  if (!input.starts_with("\r\n"))
    throw ValueError("multipart body: " + byte_at(input, 0) + " behind a boundary");
  if (++parts_ > limits_.parts)
    throw ValueError("multipart body: more than " + std::to_string(limits_.parts) + " parts");
  headers_.clear();
  state_ = State::head;
  return std::nullopt;
}

MultipartParser::Step MultipartParser::read_head(std::string_view input, std::size_t& consumed) {
  std::size_t end = input.find("\r\n");
  if (end == std::string_view::npos) {
    check_line(input.size() - (input.ends_with('\r') ? 1 : 0));
    return MultipartEvent::need_more;
  }
  consumed = end + 2;
  if (end > 0) {
    add_field(input.substr(0, end));
    return std::nullopt;
  }
  state_ = State::body;
  return MultipartEvent::part;
}

void MultipartParser::check_line(std::size_t size) const {
  if (size > limits_.header_bytes)
    throw ValueError("multipart body: a header of a part is more than " +
                     std::to_string(limits_.header_bytes) + " bytes");
}

void MultipartParser::add_field(std::string_view line) {
  constexpr std::size_t kMaxFields = 32;
  check_line(line.size());
  std::size_t colon = line.find(':');
  if (colon == std::string_view::npos || headers_.size() == kMaxFields)
    throw ValueError("multipart body: a part with headers that are none, or too many");
  headers_.add(line.substr(0, colon), trimmed(line.substr(colon + 1)));
}

MultipartParser::Step MultipartParser::read_body(std::string_view input, std::size_t& consumed,
                                                 std::string_view& data) {
  std::size_t end = input.find(delimiter_);
  if (end == 0) {
    consumed = delimiter_.size();
    state_ = State::after_delimiter;
    return MultipartEvent::part_end;
  }
  if (end == std::string_view::npos) end = input.size() - overlap(input, delimiter_);
  if (end == 0) return MultipartEvent::need_more;
  consumed = end;
  data = input.substr(0, end);
  return MultipartEvent::data;
}

}  // namespace asyncio::http::detail

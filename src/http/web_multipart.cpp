// SPDX-License-Identifier: BSL-1.0
#include "asyncio/exceptions.hpp"
#include "asyncio/web/exceptions.hpp"
#include "asyncio/web/multipart.hpp"
#include "asyncio/web/request.hpp"
#include "http/characters.hpp"
#include "http/multipart_parser.hpp"
#include "http/parameters.hpp"
#include "http/server_exchange.hpp"

#include <algorithm>
#include <utility>

namespace asyncio::web {

namespace detail {

using http::detail::MultipartEvent;
using http::detail::MultipartParser;

namespace {

[[noreturn]] void refuse(const std::string& reason) {
  throw HTTPBadRequest("400: Bad Request: " + reason);
}

MultipartParser parser_for(std::string_view boundary, const MultipartOptions& options) {
  http::detail::MultipartLimits limits;
  limits.parts = options.get_max_parts();
  limits.header_bytes = options.get_max_header_bytes();
  try {
    return MultipartParser(boundary, limits);
  } catch (const ValueError& error) {
    refuse(error.what());
  }
}

}  // namespace

class MultipartState {
 public:
  MultipartState(Request& request, std::string_view boundary, const MultipartOptions& options)
      : request_(request), parser_(parser_for(boundary, options)) {}

  std::size_t max_size() { return request_.exchange().settings().client_max_size; }
  const http::Headers& headers() const noexcept { return parser_.headers(); }
  std::size_t number() const noexcept { return number_; }

  /// Returns whether there is another part.
  Coro<bool> next_part() {
    while (!ended_) {
      MultipartParser::Parsed parsed = co_await next();
      kept_.clear();
      in_part_ = parsed.event == MultipartEvent::part;
      ended_ = parsed.event == MultipartEvent::end;
      if (!in_part_) continue;
      ++number_;
      co_return true;
    }
    ++number_;
    co_return false;
  }

  Coro<std::string_view> read_some(std::size_t of) {
    if (of == number_ && !kept_.empty()) {
      given_ = std::exchange(kept_, std::string());
      co_return given_;
    }
    co_return co_await read_data(of);
  }

  /// The rest of a part, with what a call has read that was cancelled.
  Coro<std::string> read(std::size_t of) {
    for (;;) {
      std::string_view some = co_await read_data(of);
      if (some.empty()) co_return std::exchange(kept_, std::string());
      if (kept_.size() + some.size() > max_size()) {
        kept_.clear();
        throw HTTPRequestEntityTooLarge();
      }
      kept_ += some;
    }
  }

 private:
  Coro<std::string_view> read_data(std::size_t of) {
    if (of != number_) throw RuntimeError("this part of the body is over: another was asked for");
    if (!in_part_) co_return std::string_view();
    MultipartParser::Parsed parsed = co_await next();
    in_part_ = parsed.event == MultipartEvent::data;
    co_return parsed.data;
  }

  /// What the parser gives is a part of the buffer, and so good until the next call.
  Coro<MultipartParser::Parsed> next() {
    for (;;) {
      MultipartParser::Parsed parsed = parse();
      if (parsed.event != MultipartEvent::need_more) co_return parsed;
      buffer_.erase(0, used_);
      used_ = 0;
      std::string_view more = co_await read_more();
      if (more.empty()) refuse("the body ends before its last boundary");
      buffer_ += more;
    }
  }

  Coro<std::string_view> read_more() {
    if (from_ == From::nowhere) from_ = request_.take_body() ? From::client : From::kept;
    if (from_ == From::client) {
      std::string_view piece = co_await request_.read_piece();
      co_return piece;
    }
    if (from_ == From::ended) co_return std::string_view();
    whole_ = co_await request_.read();
    from_ = From::ended;
    co_return whole_;
  }

  MultipartParser::Parsed parse() {
    try {
      MultipartParser::Parsed parsed = parser_.parse(std::string_view(buffer_).substr(used_));
      used_ += parsed.consumed;
      return parsed;
    } catch (const ValueError& error) {
      refuse(error.what());
    }
  }

  enum class From : unsigned char { nowhere, client, kept, ended };

  Request& request_;
  MultipartParser parser_;
  std::string buffer_;
  std::size_t used_ = 0;    // of the buffer
  std::string kept_;        // of the part, what a read() has got that was cancelled
  std::string given_;       // of that, what read_some() has given
  std::size_t number_ = 0;  // of the part, from 1
  std::string whole_;       // the body, if read() keeps it
  From from_ = From::nowhere;
  bool in_part_ = false;
  bool ended_ = false;
};

}  // namespace detail

BodyPart::BodyPart(std::shared_ptr<detail::MultipartState> state, http::Headers headers)
    : state_(std::move(state)), number_(state_->number()), headers_(std::move(headers)) {
  auto disposition =
      http::detail::parse_parameters(headers_.get("Content-Disposition", "form-data"));
  if (!disposition) detail::refuse("a part with a Content-Disposition that is none");
  name_ = disposition->parameters.get("name", "");
  if (auto filename = disposition->parameters.get("filename")) filename_ = std::string(*filename);
}

std::string_view BodyPart::content_type() const noexcept {
  std::string_view value = headers_.get("Content-Type", "text/plain");
  return http::detail::trimmed(value.substr(0, value.find(';')));
}

Coro<std::string_view> BodyPart::read_some() const { return state_->read_some(number_); }

Coro<std::string> BodyPart::read() const {
  auto state = state_;
  co_return co_await state->read(number_);
}

Coro<std::optional<BodyPart>> MultipartReader::next() const {
  auto state = state_;
  bool is_there = co_await state->next_part();
  if (!is_there) co_return std::nullopt;
  std::optional<BodyPart> part = BodyPart(state, state->headers());
  co_return part;
}

MultipartReader Request::multipart(const MultipartOptions& options) {
  auto type = http::detail::parse_parameters(head_.headers.get("Content-Type", ""));
  if (!type || !type->value.starts_with("multipart/")) throw HTTPUnsupportedMediaType();
  return MultipartReader(std::make_shared<detail::MultipartState>(
      *this, type->parameters.get("boundary", ""), options));
}

}  // namespace asyncio::web

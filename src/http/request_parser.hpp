// SPDX-License-Identifier: BSL-1.0
/// What a server reads requests with: RequestParser.
#pragma once

#include "http/fields.hpp"
#include "http/message_parser.hpp"

#include <memory>

namespace asyncio::http::detail {

/// Requests, one behind the other. Throws BadRequest: answer with its status, and close.
///
/// A body is in pieces of the input, which `parse` gives one at a time. Requests that offer an
/// upgrade, and CONNECT, end as others do; whoever agrees takes the bytes behind them.
class RequestParser final : public MessageParser {
 public:
  explicit RequestParser(const HttpLimits& limits = {})
      : MessageParser(HTTP_REQUEST, limits), head_(std::make_unique<RequestHead>()) {
    fill(head_->headers);
  }

  /// Begins as a new one, for another connection; keeps the memory.
  void restart(const HttpLimits& limits) noexcept {
    MessageParser::restart(limits);
    head_->version = Version::http_1_1;
  }
  std::size_t held_bytes() const noexcept {
    return MessageParser::held_bytes() + head_->target.capacity();
  }

  /// Good from the event `head` until the first byte of the next request. May be moved from.
  RequestHead& head() noexcept { return *head_; }
  const RequestHead& head() const noexcept { return *head_; }
  /// For who keeps it longer than the parser: as small as it can be where it is.
  std::unique_ptr<RequestHead> take_head();

 private:
  void begin_head() override {}
  BodyFraming complete_head() override;
  bool is_expecting() const noexcept override { return false; }
  Phase phase_after() const noexcept override {
    return head_->keep_alive ? Phase::between : Phase::closed;
  }

  void check_start_line();
  void check_target();
  void check_host(const HeadFields& fields);
  BodyFraming framing(const HeadFields& fields);

  std::unique_ptr<RequestHead> head_;
};

}  // namespace asyncio::http::detail

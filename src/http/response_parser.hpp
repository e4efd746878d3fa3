// SPDX-License-Identifier: BSL-1.0
/// What a client reads responses with: ResponseParser.
#pragma once

#include "http/fields.hpp"
#include "http/message_parser.hpp"

namespace asyncio::http::detail {

/// Responses to requests that were announced by `expect`. Informational ones come as messages of
/// their own, and the one that was asked for is still due.
class ResponseParser final : public MessageParser {
 public:
  explicit ResponseParser(const HttpLimits& limits = {}) : MessageParser(HTTP_RESPONSE, limits) {
    fill(head_.headers);
  }

  /// Says that a request was sent, and whether it offered an upgrade; once the last response has
  /// ended. Bytes that come without one are an error.
  void expect(const Method& method, bool upgrade = false) noexcept {
    method_ = method;
    upgrade_ = upgrade;
    expecting_ = true;
    informational_ = 0;
  }

  /// Good from the event `head` until the first byte of the next response. May be moved from.
  ResponseHead& head() noexcept { return head_; }

 private:
  void begin_head() override;
  BodyFraming complete_head() override;
  bool is_expecting() const noexcept override { return expecting_; }
  Phase phase_after() const noexcept override;

  void check_start_line();
  void take_informational();
  BodyFraming framing(const HeadFields& fields);

  Method method_ = Method::GET;
  bool upgrade_ = false;
  bool expecting_ = false;
  std::size_t informational_ = 0;
  ResponseHead head_;
};

}  // namespace asyncio::http::detail

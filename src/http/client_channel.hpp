// SPDX-License-Identifier: BSL-1.0
/// What a request goes out on and its response comes in on: ClientChannel.
#pragma once

#include "asyncio/coro.hpp"
#include "asyncio/time.hpp"
#include "http/client_request.hpp"
#include "http/message_parser.hpp"

#include <cstddef>
#include <string>

namespace asyncio::http::detail {

/// One exchange with a server: a whole connection of HTTP/1, or a stream of HTTP/2. It ends with
/// `release` or `abort`, after which nothing else may be called but `break_off`, and what sends a
/// body, which throws then; without either it is aborted.
class ClientChannel {
 public:
  ClientChannel() = default;
  ClientChannel(const ClientChannel&) = delete;
  ClientChannel& operator=(const ClientChannel&) = delete;
  virtual ~ClientChannel() = default;

  /// Sends the head, and the body unless it comes from a source.
  virtual void send(const ClientRequest& request) = 0;
  /// Sends a piece of a body from a source, not empty, and its end.
  /// Awaits: room for it.
  /// Throws: ConnectionResetError after the end of the exchange.
  virtual Coro<> send_piece(std::string piece) = 0;
  virtual Coro<> send_end() = 0;
  /// Whether a part of what was given to be sent is still here.
  virtual bool sending() const noexcept = 0;

  /// The next event of the response without waiting; `need_more` if there is none. A piece of the
  /// body is good until the next call.
  /// Throws: ProtocolError; what has ended the channel.
  virtual Parsed next_buffered() = 0;
  /// Awaits: more of the response, no longer than that.
  /// Returns: 0 if no more will come; `finish` says what that means.
  /// Throws: TimeoutError, after which nothing more may be read.
  virtual Coro<std::size_t> more(OptionalDelay limit) = 0;
  /// The event that the end of the input is.
  /// Throws: IncompleteMessage if the response may not end here.
  virtual Event finish() = 0;
  /// After the event `head`, until the first byte of the next response. May be moved from.
  virtual ResponseHead& head() noexcept = 0;

  /// Whether not a byte of the response that is due has come.
  virtual bool is_silent() const noexcept = 0;
  /// Whether the server has said that it has done nothing for the request.
  virtual bool is_refused() const noexcept = 0;
  /// Whether what it goes over has served another request before.
  virtual bool is_reused() const noexcept = 0;

  /// Ends the exchange from our side with an error, which `next_buffered` or `more` throws.
  virtual void break_off() noexcept = 0;
  /// The exchange is over; what it went over may serve others if that is `reusable`.
  virtual void release(bool reusable) = 0;
  virtual void abort() noexcept = 0;
};

}  // namespace asyncio::http::detail

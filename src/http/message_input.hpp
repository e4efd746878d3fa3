// SPDX-License-Identifier: BSL-1.0
/// What a parser makes of the bytes of a connection.
#pragma once

#include "asyncio/coro.hpp"
#include "asyncio/detail/net/read_awaiters.hpp"
#include "asyncio/streams.hpp"
#include "http/message_parser.hpp"

#include <cstddef>
#include <string_view>
#include <utility>

namespace asyncio::http::detail {

/// Feeds a parser from a stream, whose buffer the bytes stay in.
class MessageInput {
 public:
  /// The parser is set before there is anything to parse.
  explicit MessageInput(StreamReader reader) noexcept : reader_(std::move(reader)) {}
  MessageInput(StreamReader reader, MessageParser& parser) noexcept
      : reader_(std::move(reader)), parser_(&parser) {}

  void set_parser(MessageParser& parser) noexcept { parser_ = &parser; }

  const StreamReader& reader() const noexcept { return reader_; }
  /// What has come and was not parsed yet.
  std::string_view buffered() const noexcept { return reader_.state()->buffer().view(); }

  /// Awaits: bytes, or the end of the stream.
  /// Returns: how many have come; 0 at the end.
  asyncio::detail::ReadMore more() const { return asyncio::detail::ReadMore(reader_.state()); }

  /// Drops what has come, waiting for it.
  /// Returns: how many bytes; 0 at the end.
  Coro<std::size_t> drop_more();

  /// No further message is read soon: what is buffered stays.
  void give_back() noexcept { reader_.state()->buffer().give_back(); }

  /// The next event without waiting; `need_more` if there is none.
  Parsed next_buffered() {
    drop(std::exchange(lent_, 0));
    Parsed parsed = parser_->parse(buffered());
    // A piece of a body is looked at before it is dropped.
    if (parsed.event == Event::body)
      lent_ = parsed.consumed;
    else
      drop(parsed.consumed);
    return parsed;
  }

  /// Awaits: the next event.
  /// Returns: `need_more` if the stream has ended where it may.
  /// Throws: ProtocolError; IncompleteMessage if it has ended elsewhere; what reading throws.
  Coro<Parsed> next();

 private:
  void drop(std::size_t count) noexcept { reader_.state()->buffer().drop(count); }

  StreamReader reader_;
  MessageParser* parser_ = nullptr;
  std::size_t lent_ = 0;
};

}  // namespace asyncio::http::detail

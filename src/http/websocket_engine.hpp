// SPDX-License-Identifier: BSL-1.0
/// The messages of a WebSocket, without input and output: bytes go in, messages come out, and the
/// other way round.
#pragma once

#include "asyncio/http/ws_message.hpp"
#include "http/permessage_deflate.hpp"
#include "http/utf8.hpp"
#include "http/websocket_frames.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace asyncio::http::detail {

/// Reads no further than the message it gives: what follows stays where it is, so that a peer is
/// not read faster than its messages are taken. All that it has to say is appended to a string of
/// the caller's.
class WebSocketEngine {
 public:
  struct Settings {
    bool is_client = false;
    std::size_t max_message = std::size_t{4} << 20;  // 0 for no limit
    std::optional<DeflateTerms> deflate{};
    bool autoping = true;   // answers pings, and shows no ping or pong
    bool autoclose = true;  // answers a close
  };

  explicit WebSocketEngine(const Settings& settings);
  WebSocketEngine(const WebSocketEngine&) = delete;
  WebSocketEngine& operator=(const WebSocketEngine&) = delete;

  /// The next message; takes from the front of `input` what it is made of, or all. What breaks the
  /// protocol is answered with a close that says so, and nothing is read after that.
  std::optional<WSMessage> next(std::string_view& input, std::string& output);

  /// Nothing is sent after a close.
  /// Throws: ValueError for a ping or pong of more than 125 bytes.
  void send(WSMsgType type, std::string_view data, std::string& output);
  /// Throws: ValueError for a code that may not be sent, or a reason of more than 123 bytes.
  void close(WSCloseCode code, std::string_view reason, std::string& output);

  bool is_close_sent() const noexcept { return sent_code_.has_value(); }
  bool is_close_received() const noexcept { return close_received_; }
  /// Whether the peer has broken the protocol.
  bool failed() const noexcept { return !error_.empty(); }
  /// What it has done.
  std::string_view error() const noexcept { return error_; }
  /// Whether the peer may still say something.
  bool wants_input() const noexcept { return !close_received_ && !failed(); }
  /// Why we closed, once that is sent.
  WSCloseCode sent_code() const noexcept { return sent_code_.value_or(WSCloseCode::None); }

 private:
  bool begin_frame(std::string& output);
  void take_payload(std::string_view& input, std::string& output);
  void take_control(std::string_view piece);
  void take_data(std::string_view piece, std::string& output);
  void take_compressed(std::string_view piece, std::string& output);
  void check_text(std::size_t from, std::string& output);
  void make_room(std::size_t size);
  std::optional<WSMessage> end_frame(std::string& output);
  std::optional<WSMessage> end_message(std::string& output);
  std::optional<WSMessage> end_close(std::string_view payload, std::string& output);
  void take_decompressed(PermessageDeflate::Outcome outcome, std::size_t from, std::string& output);
  void refuse(WSCloseCode code, std::string_view error, std::string& output);
  void write(Opcode opcode, bool compressed, std::string_view payload, std::string& output) const;

  const std::size_t max_message_;
  FrameHeadReader heads_;
  std::unique_ptr<PermessageDeflate> deflate_;
  const bool is_client_, autoping_, autoclose_;
  bool in_payload_ = false;  // of heads_.head()
  bool in_message_ = false;  // its first frame has begun
  bool is_text_ = false;
  bool is_compressed_ = false;
  bool close_received_ = false;
  Utf8 utf8_;
  std::uint64_t position_ = 0;  // in the payload
  std::string message_;
  std::optional<WSCloseCode> sent_code_;
  std::string_view error_;
  std::unique_ptr<std::string> control_;  // of a frame that is no message, if it has any
};

}  // namespace asyncio::http::detail

// SPDX-License-Identifier: BSL-1.0
/// The frames of a WebSocket, without input and output: bytes go in, messages come out, and the
/// other way round.
#pragma once

#include "asyncio/http/ws_message.hpp"
#include "http/permessage_deflate.hpp"

#include <cstddef>
#include <deque>
#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

struct wslay_event_context;

namespace asyncio::http::detail {

class WebSocketEngine {
 public:
  struct Settings {
    bool is_client = false;
    std::size_t max_message = std::size_t{4} << 20;
    std::optional<DeflateTerms> deflate{};
  };

  explicit WebSocketEngine(const Settings& settings);
  WebSocketEngine(const WebSocketEngine&) = delete;
  WebSocketEngine& operator=(const WebSocketEngine&) = delete;
  ~WebSocketEngine();

  /// Takes what the peer has sent. What breaks the protocol queues a close frame that says so, and
  /// nothing is read after that.
  void feed(std::string_view bytes);

  /// The next message; pings have been answered when it comes, and a close as well.
  std::optional<WSMessage> next();

  /// Queues a message. Nothing is sent after a close.
  void send(WSMsgType type, std::string_view data);
  /// Throws: ValueError for a code that may not be sent, or a reason of more than 123 bytes.
  void close(WSCloseCode code, std::string_view reason);

  /// Appends what is to be sent.
  void take_output(std::string& output);

  bool is_close_sent() const noexcept;
  bool is_close_received() const noexcept;
  /// Whether the peer may still say something.
  bool wants_input() const noexcept;
  /// Why we closed, once that is sent.
  WSCloseCode sent_code() const noexcept;

 private:
  struct Received {
    WSMsgType type;
    bool compressed;
    std::string data;
    WSCloseCode code;
  };
  struct Callbacks;

  std::optional<WSMessage> open(Received received);
  void add_code(std::string& output);
  std::optional<WSMessage> refuse(WSCloseCode code, std::string_view reason);

  Settings settings_;
  std::optional<PermessageDeflate> deflate_;
  wslay_event_context* context_ = nullptr;
  std::string_view input_;
  std::string* output_ = nullptr;
  std::deque<Received> received_;
  std::exception_ptr failure_;  // of a callback
  bool close_lacks_code_ = false;
  bool code_added_ = false;
};

}  // namespace asyncio::http::detail

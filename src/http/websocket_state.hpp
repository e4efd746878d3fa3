// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "asyncio/coro.hpp"
#include "asyncio/http/websocket.hpp"
#include "asyncio/streams.hpp"
#include "http/deadline.hpp"
#include "http/websocket_engine.hpp"

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace asyncio::http::detail {

/// The engine between the streams of a connection.
class WebSocketState {
 public:
  WebSocketState(StreamReader reader, StreamWriter writer, const WebSocketOptions& options,
                 bool is_client, std::optional<DeflateTerms> deflate, std::string protocol);
  WebSocketState(const WebSocketState&) = delete;
  WebSocketState& operator=(const WebSocketState&) = delete;
  ~WebSocketState();

  Coro<WSMessage> receive();
  Coro<> send(WSMsgType type, std::string_view data);
  Coro<> close(WSCloseCode code, std::string_view reason);
  /// Keeps that as long as itself.
  void hold(std::shared_ptr<void> owner) { holds_ = std::move(owner); }
  bool closed() const noexcept { return closed_ || engine_.is_close_sent(); }
  std::optional<WSCloseCode> close_code() const noexcept { return code_; }
  std::string_view protocol() const noexcept { return protocol_; }

 private:
  void flush();
  void heard();
  void silent();
  void end(WSCloseCode code);
  Coro<> await_goodbye();
  std::optional<WSMessage> take();

  std::shared_ptr<void> holds_;
  StreamReader reader_;
  StreamWriter writer_;
  WebSocketEngine engine_;
  OptionalDelay heartbeat_;
  Delay close_timeout_;
  std::string protocol_;
  Deadline deadline_;
  bool pinged_ = false;
  bool closed_ = false;
  std::optional<WSCloseCode> code_;
};

}  // namespace asyncio::http::detail

// SPDX-License-Identifier: BSL-1.0
/// WebSockets, on either side: what aiohttp's ClientWebSocketResponse and WebSocketResponse share.
#pragma once

#include "asyncio/coro.hpp"
#include "asyncio/http/ws_message.hpp"
#include "asyncio/time.hpp"

#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace asyncio::http {

namespace detail {
class WebSocketState;
}

/// How a WebSocket behaves.
class WebSocketOptions {
 public:
  WebSocketOptions() {}

  /// What the messages may mean: a client offers these, and a server takes the first that it knows.
  WebSocketOptions& protocols(std::vector<std::string> names) {
    return protocols_ = std::move(names), *this;
  }
  /// The largest message that is taken, decompressed; 4 MiB. A larger one closes the connection.
  WebSocketOptions& max_msg_size(std::size_t bytes) { return max_msg_size_ = bytes, *this; }
  /// Pings a peer that has sent nothing for so long, and gives it half of that to answer; off.
  /// It needs somebody who receives.
  WebSocketOptions& heartbeat(OptionalDelay interval) { return heartbeat_ = interval, *this; }
  /// How long close() waits for the peer's answer; 10 seconds.
  WebSocketOptions& close_timeout(Delay limit) { return close_timeout_ = limit, *this; }
  /// Compresses if the peer can, too (permessage-deflate); on.
  WebSocketOptions& compress(bool enabled) { return compress_ = enabled, *this; }

  const std::vector<std::string>& get_protocols() const noexcept { return protocols_; }
  std::size_t get_max_msg_size() const noexcept { return max_msg_size_; }
  const OptionalDelay& get_heartbeat() const noexcept { return heartbeat_; }
  Delay get_close_timeout() const noexcept { return close_timeout_; }
  bool get_compress() const noexcept { return compress_; }

 private:
  std::vector<std::string> protocols_;
  std::size_t max_msg_size_ = std::size_t{4} << 20;
  OptionalDelay heartbeat_;
  Delay close_timeout_ = std::chrono::seconds(10);
  bool compress_ = true;
};

/// A connection over which messages go both ways. A handle: copies name the same. One task may
/// receive while others send.
///
///   while (auto message = co_await ws.next()) co_await ws.send_str(message->data);
///
/// Thread   the loop's.
/// asyncio  aiohttp: ClientWebSocketResponse
class WebSocket {
 public:
  explicit WebSocket(std::shared_ptr<detail::WebSocketState> state) noexcept
      : state_(std::move(state)) {}

  /// Awaits: the next message; pings are answered meanwhile.
  /// Returns: a Text or Binary; the peer's Close, once it is answered; Closed after that, and when
  /// the connection was lost (close_code() says AbnormalClosure) or the peer broke the protocol.
  /// Throws: RuntimeError if another task is in here.
  /// Cancel: takes nothing.
  Coro<WSMessage> receive() const;
  /// The next Text or Binary; nothing when the WebSocket is closed.
  Coro<std::optional<WSMessage>> next() const;

  /// Awaits: room for it, when the peer does not read.
  /// Throws: ConnectionResetError if it is closed or lost.
  Coro<> send_str(std::string_view text) const;
  Coro<> send_bytes(std::string_view bytes) const;
  Coro<> ping(std::string_view data = {}) const;

  /// Says goodbye, and waits for the peer's. Harmless a second time.
  /// Throws: ValueError for a code that may not be sent, or a reason of more than 123 bytes.
  /// Cancel: drops the connection.
  Coro<> close(WSCloseCode code = WSCloseCode::Ok, std::string_view reason = {}) const;

  bool closed() const noexcept;
  /// The peer's code, or ours if it broke the protocol; nothing while it is open.
  std::optional<WSCloseCode> close_code() const noexcept;
  /// The protocol that both sides know; empty if there is none.
  std::string_view protocol() const noexcept;

 private:
  std::shared_ptr<detail::WebSocketState> state_;
};

}  // namespace asyncio::http

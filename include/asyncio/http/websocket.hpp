// SPDX-License-Identifier: BSL-1.0
/// WebSockets, on either side: what aiohttp's ClientWebSocketResponse and WebSocketResponse share.
#pragma once

#include "asyncio/coro.hpp"
#include "asyncio/http/json.hpp"
#include "asyncio/http/websocket_options.hpp"
#include "asyncio/http/ws_message.hpp"

#include <concepts>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace asyncio::http {

namespace detail {
class WebSocketState;
}

/// A connection over which messages go both ways. A handle: copies name the same. One task may
/// receive while others send; who closes may be another again.
///
///     while (auto message = co_await ws.next()) co_await ws.send_str(message->data);
///
/// When the last handle goes, the peer is told so with a close; nobody waits for its answer.
///
/// Thread   the loop's.
/// asyncio  aiohttp: ClientWebSocketResponse, WebSocketResponse
class WebSocket {
 public:
  /// The next message, whatever it is.
  ///
  /// Awaits   it; pings are answered meanwhile. For no longer than the receive_timeout.
  /// Returns  a Text or Binary; the peer's Close, once it is answered; Closed after that, when the
  ///          connection was lost (close_code() says AbnormalClosure), when the peer has broken the
  ///          protocol, and while somebody else closes. Without autoping also a Ping or Pong.
  /// Throws   RuntimeError if another task is in here, and after the fifth Closed: a loop that does
  ///          not look at it would keep every other task from running; TimeoutError.
  /// Cancel   takes nothing.
  /// asyncio  aiohttp: ClientWebSocketResponse.receive
  Coro<WSMessage> receive() const;

  /// The next Text or Binary: `async for`.
  ///
  /// Returns  nullopt when the WebSocket is closed.
  /// Throws   as receive, also after the fifth nullopt.
  /// Cancel   takes nothing.
  Coro<std::optional<WSMessage>> next() const;

  /// The next message if it is a text, or if it is binary.
  ///
  /// Throws   TypeError for anything else, which is lost; as receive.
  /// asyncio  aiohttp: ClientWebSocketResponse.receive_str, receive_bytes
  Coro<std::string> receive_str() const;
  Coro<std::string> receive_bytes() const;

  /// The next text as JSON: see JsonCodec.
  ///
  /// Throws   ValueError for what is none; as receive_str.
  /// asyncio  aiohttp: ClientWebSocketResponse.receive_json
  template <Json T>
  Coro<T> receive_json() const {
    std::string text = co_await receive_str();
    co_return JsonCodec<T>::parse(text);
  }

  /// Sends a message. Text is not checked to be UTF-8; the peer does that.
  ///
  /// Awaits   room for it, when the peer does not read.
  /// Throws   ConnectionResetError if the WebSocket is closed or the connection lost.
  /// Cancel   ends the wait; the message is sent whole.
  /// asyncio  aiohttp: ClientWebSocketResponse.send_str, send_bytes
  Coro<> send_str(std::string_view text) const;
  Coro<> send_bytes(std::string_view bytes) const;

  /// A value as JSON.
  ///
  /// Throws   as send_str, and what the JsonCodec throws.
  /// asyncio  aiohttp: ClientWebSocketResponse.send_json
  template <Json T>
  Coro<> send_json(const T& value) const {
    return send_text(JsonCodec<T>::dump(value));
  }

  /// A ping, or a pong that answers one if autoping is off.
  ///
  /// Throws   ValueError for more than 125 bytes; as send_str.
  /// asyncio  aiohttp: ClientWebSocketResponse.ping, pong
  Coro<> ping(std::string_view data = {}) const;
  Coro<> pong(std::string_view data = {}) const;

  /// Says goodbye, and waits for the peer's for no longer than close_timeout. Messages that come
  /// before that are given to a task that is in receive(), or else dropped. Harmless a second time.
  ///
  /// Throws   ValueError for a code that may not be sent, or a reason of more than 123 bytes.
  /// Cancel   drops the connection.
  /// asyncio  aiohttp: ClientWebSocketResponse.close
  Coro<> close(WSCloseCode code = WSCloseCode::Ok, std::string_view reason = {}) const;

  /// Whether nothing can be sent any more.
  bool closed() const noexcept;
  /// The peer's code, or ours if it broke the protocol; nothing while it is open.
  std::optional<WSCloseCode> close_code() const noexcept;
  /// How the peer has broken the protocol, in words; empty if it has not.
  std::string_view error() const noexcept;
  /// The protocol that both sides know; empty if there is none.
  std::string_view protocol() const noexcept;
  /// Whether messages are compressed: both sides wanted that.
  bool compressed() const noexcept;

  /// For the library.
  explicit WebSocket(std::shared_ptr<detail::WebSocketState> state) noexcept
      : state_(std::move(state)) {}

 private:
  Coro<> send_text(std::string text) const;
  Coro<std::string> receive_of(WSMsgType type) const;

  std::shared_ptr<detail::WebSocketState> state_;
};

}  // namespace asyncio::http

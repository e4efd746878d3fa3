// SPDX-License-Identifier: BSL-1.0
#include "asyncio/http/websocket.hpp"

#include "asyncio/exceptions.hpp"
#include "asyncio/timeout.hpp"
#include "http/websocket_state.hpp"

#include <utility>

namespace asyncio::http {

namespace {

using detail::is_data;
using detail::WebSocketState;

std::string_view name_of(WSMsgType type) noexcept {
  switch (type) {
    case WSMsgType::Text:
      return "Text";
    case WSMsgType::Binary:
      return "Binary";
    case WSMsgType::Ping:
      return "Ping";
    case WSMsgType::Pong:
      return "Pong";
    case WSMsgType::Close:
      return "Close";
    case WSMsgType::Closed:
      break;
  }
  return "Closed";
}

Coro<WSMessage> receive_within(std::shared_ptr<WebSocketState> state) {
  Delay limit = *state->receive_timeout();
  WSMessage message = co_await wait_for(WebSocketState::receive(state), limit);
  co_return message;
}

Coro<std::optional<WSMessage>> next_within(std::shared_ptr<WebSocketState> state) {
  for (;;) {
    WSMessage message = co_await receive_within(state);
    if (is_data(message)) co_return std::move(message);
    bool goes_on = message.type == WSMsgType::Ping || message.type == WSMsgType::Pong;
    if (!goes_on) co_return std::nullopt;
  }
}

Coro<WSMessage> receive_from(const std::shared_ptr<WebSocketState>& state) {
  return state->receive_timeout() ? receive_within(state) : WebSocketState::receive(state);
}

}  // namespace

WebSocketOptions& WebSocketOptions::window_bits(int bits) {
  if (bits < 9 || bits > 15)
    throw ValueError("window_bits is " + std::to_string(bits) + ", not 9 to 15");
  window_bits_ = bits;
  return *this;
}

Coro<WSMessage> WebSocket::receive() const { return receive_from(state_); }

Coro<std::optional<WSMessage>> WebSocket::next() const {
  return state_->receive_timeout() ? next_within(state_) : WebSocketState::next(state_);
}

Coro<std::string> WebSocket::receive_of(WSMsgType type) const {
  auto state = state_;
  WSMessage message = co_await receive_from(state);
  if (message.type != type)
    throw TypeError("Received message " + std::string(name_of(message.type)) + " is not " +
                    std::string(name_of(type)));
  co_return std::move(message.data);
}

Coro<std::string> WebSocket::receive_str() const { return receive_of(WSMsgType::Text); }
Coro<std::string> WebSocket::receive_bytes() const { return receive_of(WSMsgType::Binary); }

Coro<> WebSocket::send_text(std::string text) const {
  co_await WebSocketState::send(state_, WSMsgType::Text, text);
}
Coro<> WebSocket::send_str(std::string_view text) const {
  return WebSocketState::send(state_, WSMsgType::Text, text);
}
Coro<> WebSocket::send_bytes(std::string_view bytes) const {
  return WebSocketState::send(state_, WSMsgType::Binary, bytes);
}
Coro<> WebSocket::ping(std::string_view data) const {
  return WebSocketState::send(state_, WSMsgType::Ping, data);
}
Coro<> WebSocket::pong(std::string_view data) const {
  return WebSocketState::send(state_, WSMsgType::Pong, data);
}
Coro<> WebSocket::close(WSCloseCode code, std::string_view reason) const {
  return WebSocketState::close(state_, code, reason);
}

bool WebSocket::closed() const noexcept { return state_->closed(); }
std::optional<WSCloseCode> WebSocket::close_code() const noexcept { return state_->close_code(); }
std::string_view WebSocket::error() const noexcept { return state_->error(); }
std::string_view WebSocket::protocol() const noexcept { return state_->protocol(); }
bool WebSocket::compressed() const noexcept { return state_->compressed(); }

}  // namespace asyncio::http

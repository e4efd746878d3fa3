// SPDX-License-Identifier: BSL-1.0
#include "asyncio/http/websocket.hpp"

#include "asyncio/capture.hpp"
#include "asyncio/detail/net/read_awaiters.hpp"
#include "asyncio/exceptions.hpp"
#include "asyncio/timeout.hpp"
#include "http/websocket_state.hpp"

#include <cerrno>
#include <utility>

namespace asyncio::http {

namespace detail {

WebSocketState::WebSocketState(StreamReader reader, StreamWriter writer,
                               const WebSocketOptions& options, bool is_client,
                               std::optional<DeflateTerms> deflate, std::string protocol)
    : reader_(std::move(reader)),
      writer_(std::move(writer)),
      engine_({is_client, options.get_max_msg_size(), deflate}),
      heartbeat_(options.get_heartbeat()),
      close_timeout_(options.get_close_timeout()),
      protocol_(std::move(protocol)),
      deadline_(get_running_loop(), [this] { silent(); }) {
  heard();
}

WebSocketState::~WebSocketState() { writer_.abort(); }

void WebSocketState::heard() {
  pinged_ = false;
  if (heartbeat_ && !closed_) deadline_.set(*heartbeat_);
}

/// Nothing has come for too long.
void WebSocketState::silent() {
  if (closed_) return;
  if (std::exchange(pinged_, true)) return end(WSCloseCode::AbnormalClosure);
  engine_.send(WSMsgType::Ping, {});
  flush();
  deadline_.set(heartbeat_->duration() / 2);
}

/// The connection is no more.
void WebSocketState::end(WSCloseCode code) {
  if (!code_) code_ = code;
  closed_ = true;
  deadline_.clear();
  if (code == WSCloseCode::AbnormalClosure)
    writer_.abort();
  else
    writer_.close();
}

void WebSocketState::flush() {
  thread_local std::string output;
  output.clear();
  engine_.take_output(output);
  if (!output.empty() && !writer_.is_closing()) writer_.write(std::string_view(output));
}

/// A message that the user is to see.
std::optional<WSMessage> WebSocketState::take() {
  while (auto message = engine_.next()) {
    if (message->type == WSMsgType::Ping || message->type == WSMsgType::Pong) continue;
    if (message->type == WSMsgType::Close) {
      if (!code_) code_ = message->close_code;
      flush();
      end(message->close_code);
    }
    return message;
  }
  flush();
  return std::nullopt;
}

Coro<WSMessage> WebSocketState::receive() {
  while (!closed_) {
    std::optional<WSMessage> message = take();
    if (message) co_return std::move(*message);
    if (!engine_.wants_input()) {
      end(engine_.sent_code());
      break;
    }
    auto& buffer = reader_.state()->buffer();
    if (buffer.empty()) {
      auto got = co_await capture(asyncio::detail::ReadMore(reader_.state()));
      if (got.cancelled()) got.rethrow();
      if (!got || got.value() == 0) {
        end(WSCloseCode::AbnormalClosure);
        break;
      }
    }
    heard();
    engine_.feed(buffer.view());
    buffer.clear();
    flush();
    // A peer that pings without reading gets no more answers than the kernel takes.
    auto drained = co_await capture(writer_.drain());
    if (drained.cancelled()) drained.rethrow();
  }
  co_return WSMessage();
}

Coro<> WebSocketState::send(WSMsgType type, std::string_view data) {
  if (closed()) throw ConnectionResetError(ECONNRESET, "send on a WebSocket that is closed");
  engine_.send(type, data);
  flush();
  co_await writer_.drain();
}

Coro<> WebSocketState::close(WSCloseCode code, std::string_view reason) {
  if (closed()) co_return;
  engine_.close(code, reason);
  flush();
  auto outcome = co_await capture(wait_for(await_goodbye(), close_timeout_));
  if (!closed_) end(outcome ? WSCloseCode::Ok : WSCloseCode::AbnormalClosure);
  if (outcome.cancelled()) outcome.rethrow();
}

/// What comes before the peer's goodbye is dropped. A task that receives sees it instead.
Coro<> WebSocketState::await_goodbye() {
  while (!closed_ && !reader_.state()->waiter()) {
    WSMessage message = co_await receive();
    if (message.type == WSMsgType::Close) co_return;
  }
  auto ended = co_await capture(writer_.wait_closed());
  if (ended.cancelled()) ended.rethrow();
}

}  // namespace detail

Coro<WSMessage> WebSocket::receive() const { return state_->receive(); }

Coro<std::optional<WSMessage>> WebSocket::next() const {
  auto state = state_;
  WSMessage message = co_await state->receive();
  bool is_data = message.type == WSMsgType::Text || message.type == WSMsgType::Binary;
  if (!is_data) co_return std::nullopt;
  co_return std::move(message);
}

Coro<> WebSocket::send_str(std::string_view text) const {
  return state_->send(WSMsgType::Text, text);
}
Coro<> WebSocket::send_bytes(std::string_view bytes) const {
  return state_->send(WSMsgType::Binary, bytes);
}
Coro<> WebSocket::ping(std::string_view data) const { return state_->send(WSMsgType::Ping, data); }
Coro<> WebSocket::close(WSCloseCode code, std::string_view reason) const {
  return state_->close(code, reason);
}
bool WebSocket::closed() const noexcept { return state_->closed(); }
std::optional<WSCloseCode> WebSocket::close_code() const noexcept { return state_->close_code(); }
std::string_view WebSocket::protocol() const noexcept { return state_->protocol(); }

}  // namespace asyncio::http

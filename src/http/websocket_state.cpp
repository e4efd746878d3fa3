// SPDX-License-Identifier: BSL-1.0
#include "http/websocket_state.hpp"

#include "asyncio/capture.hpp"
#include "asyncio/detail/net/read_awaiters.hpp"
#include "asyncio/exceptions.hpp"
#include "asyncio/timeout.hpp"

#include <cerrno>
#include <exception>
#include <type_traits>
#include <utility>

namespace asyncio::http::detail {

namespace {

/// How often a receive says that there is no more: a loop that does not look would never let
/// another task run. aiohttp: THRESHOLD_CONNLOST_ACCESS.
constexpr unsigned char kMostEnds = 5;
/// What a peer may go on sending that was told that it has broken the protocol.
constexpr std::size_t kMaxDropped = std::size_t{16} << 20;
/// What the thread's output keeps for the next time.
constexpr std::size_t kMaxKept = std::size_t{256} << 10;

/// Where the engine writes: used between two suspensions only.
std::string& empty_output() {
  thread_local std::string output;
  output.clear();
  if (output.capacity() > kMaxKept) output.shrink_to_fit();
  return output;
}

}  // namespace

/// While it lives, a task reads.
class WebSocketState::Reading {
 public:
  explicit Reading(WebSocketState& state) noexcept : state_(state) { state_.reading_ = true; }
  Reading(const Reading&) = delete;
  Reading& operator=(const Reading&) = delete;
  ~Reading() {
    state_.reading_ = false;
    auto left = std::exchange(state_.reader_left_, std::nullopt);
    if (left && !left->done()) left->set_result();
  }

 private:
  WebSocketState& state_;
};

WebSocketState::WebSocketState(StreamReader reader, StreamWriter writer,
                               const WebSocketOptions& options, bool is_client,
                               WebSocketTerms terms, std::shared_ptr<void> owner)
    : owner_(std::move(owner)),
      reader_(std::move(reader)),
      writer_(std::move(writer)),
      engine_({is_client, options.get_max_msg_size(), terms.deflate, options.get_autoping(),
               options.get_autoclose()}),
      close_timeout_(options.get_close_timeout()),
      compressed_(terms.deflate.has_value()) {
  const OptionalDelay& heartbeat = options.get_heartbeat();
  if (!heartbeat && !options.get_receive_timeout() && terms.protocol.empty()) return;
  extra().heartbeat = heartbeat;
  extra().receive_timeout = options.get_receive_timeout();
  extra().pong_timeout = options.get_pong_timeout();
  if (heartbeat && !extra().pong_timeout) extra().pong_timeout = heartbeat->duration() / 2;
  extra().protocol = std::move(terms.protocol);
  heard();
}

WebSocketState::Extra& WebSocketState::extra() {
  if (!extra_) extra_ = std::make_unique<Extra>(static_cast<Deadline::Owner&>(*this));
  return *extra_;
}

void WebSocketState::stop_deadline() noexcept {
  if (extra_) extra_->deadline.clear();
}

/// Whoever leaves without close() has ended normally, or something has thrown past it.
WebSocketState::~WebSocketState() {
  if (closed_) return;
  leave(std::uncaught_exceptions() > 0 ? WSCloseCode::GoingAway : WSCloseCode::Ok);
  try {
    writer_.close();
  } catch (...) {  // no memory for a goodbye of TLS
    writer_.abort();
  }
}

void WebSocketState::leave(WSCloseCode code) noexcept {
  if (std::exchange(closed_, true)) return;
  stop_deadline();
  try {
    std::string& output = empty_output();
    engine_.close(code, {}, output);
    flush(output);
  } catch (...) {  // no memory for a goodbye: it goes without
    writer_.abort();
  }
}

void WebSocketState::heard() {
  pinged_ = false;
  if (extra_ && extra_->heartbeat && !closed_) extra_->deadline.set(*extra_->heartbeat);
}

/// Nothing has come for too long, or the last bytes cannot be sent.
void WebSocketState::expired() {
  if (closed_) return writer_.abort();
  if (!reading_ || engine_.failed()) return heard();
  if (std::exchange(pinged_, true)) return end(WSCloseCode::AbnormalClosure);
  std::string& output = empty_output();
  engine_.send(WSMsgType::Ping, {}, output);
  flush(output);
  extra().deadline.set(*extra().pong_timeout);
}

/// The connection is no more, but for what is still to be sent.
void WebSocketState::end(WSCloseCode code) {
  if (!code_) code_ = code;
  closed_ = true;
  stop_deadline();
  if (code == WSCloseCode::AbnormalClosure) return writer_.abort();
  writer_.close();
  if (writer_.get_write_buffer_size() > 0) extra().deadline.set(close_timeout_);
}

void WebSocketState::flush(std::string& output) {
  if (output.empty() || writer_.is_closing()) return;
  writer_.write(std::string_view(output));
}

/// The next message of what has come.
std::optional<WSMessage> WebSocketState::take() {
  auto& buffer = reader_.state()->buffer();
  std::string& output = empty_output();
  std::string_view bytes = buffer.view();
  const std::size_t size = bytes.size();
  std::optional<WSMessage> message = engine_.next(bytes, output);
  buffer.drop(size - bytes.size());
  owes_drain_ |= !output.empty();
  flush(output);
  if (message && message->type == WSMsgType::Close) {
    if (!code_) code_ = message->close_code;
    if (engine_.is_close_sent()) end(message->close_code);
  }
  return message;
}

/// A message, if there is one; else what comes next.
std::optional<WSMessage> WebSocketState::advance(Next& next) {
  if (goodbye_ && all_sent_) return std::move(*std::exchange(goodbye_, nullptr));
  next = closed_ && !goodbye_ ? Next::end : Next::settle;
  // A peer that pings without reading gets no more answers than the kernel takes.
  if (closed_ || owes_drain_) return std::nullopt;
  std::optional<WSMessage> message = take();
  if (message && message->type == WSMsgType::Close && closed_) {
    goodbye_ = std::make_unique<WSMessage>(std::move(*message));
    return std::nullopt;
  }
  const bool waits = engine_.wants_input();
  // Without autoclose: close() answers it.
  const bool ends = engine_.is_close_received();
  if (waits || ends) next = ends ? Next::end : Next::wait;
  return message;
}

void WebSocketState::count_end() {
  if (ends_told_ == kMostEnds) throw RuntimeError("WebSocket connection is closed.");
  ++ends_told_;
}

/// One frame, in which most WebSockets are most of the time (L4); what is rare has its own.
template <class Result>
Coro<Result> WebSocketState::read(Self self, bool closes) {
  if (!closes && self->closing_ && !self->closed_) {
    auto ended = co_await capture(self->writer_.wait_closed());
    if (ended.cancelled()) ended.rethrow();
    self->count_end();
    co_return Result();
  }
  if (self->reading_) throw RuntimeError("Concurrent call to receive() is not allowed");
  Reading reading(*self);
  for (;;) {
    Next next = Next::wait;
    if (std::optional<WSMessage> message = self->advance(next)) {
      if constexpr (std::is_same_v<Result, WSMessage>) {
        co_return std::move(*message);
      } else {
        if (is_data(*message)) co_return std::move(message);
        if (message->type == WSMsgType::Close) co_return std::nullopt;
        continue;
      }
    }
    if (next == Next::end) {
      if (!closes) self->count_end();
      co_return Result();
    }
    if (next == Next::settle) {
      co_await settle(self);
      continue;
    }
    auto got = co_await capture(asyncio::detail::ReadMore(self->reader_.state()));
    if (got.cancelled()) got.rethrow();
    if (!got || got.value() == 0) {
      self->end(WSCloseCode::AbnormalClosure);
      if (!closes) self->count_end();
      co_return Result();
    }
    self->heard();
  }
}

Coro<WSMessage> WebSocketState::receive(Self self) {
  return read<WSMessage>(std::move(self), false);
}

Coro<std::optional<WSMessage>> WebSocketState::next(Self self) {
  return read<std::optional<WSMessage>>(std::move(self), false);
}

/// Waits for what has to be over before a receive goes on.
Coro<> WebSocketState::settle(Self self) {
  if (self->goodbye_) {
    auto sent = co_await capture(await_sent(self));
    if (sent.cancelled()) sent.rethrow();
    self->all_sent_ = true;
  } else if (std::exchange(self->owes_drain_, false)) {
    auto drained = co_await capture(self->writer_.drain());
    if (drained.cancelled()) drained.rethrow();
  } else {  // the peer has broken the protocol
    self->code_ = self->engine_.sent_code();
    auto left = co_await capture(wait_for(await_end(self), self->close_timeout_));
    if (!self->closed_) self->end(*self->code_);
    if (left.cancelled()) left.rethrow();
  }
}

/// What was sent before the peer's goodbye, and our own, is to reach it: who gets the Close may
/// drop the WebSocket at once.
Coro<> WebSocketState::await_sent(Self self) {
  const std::size_t left = self->writer_.get_write_buffer_size();
  if (left > 0) co_await self->writer_.wait_closed();
}

/// A connection that is closed with bytes unread is reset, and the peer may never see why: so it
/// gets some time to read it.
Coro<> WebSocketState::await_end(Self self) {
  if (self->writer_.can_write_eof()) self->writer_.write_eof();
  auto& buffer = self->reader_.state()->buffer();
  std::size_t dropped = 0, got = 0;
  do {
    dropped += buffer.size();
    buffer.clear();
    got = co_await asyncio::detail::ReadMore(self->reader_.state());
  } while (got > 0 && dropped < kMaxDropped);
}

Coro<> WebSocketState::send(Self self, WSMsgType type, std::string_view data) {
  if (self->closed()) throw ConnectionResetError(ECONNRESET, "send on a WebSocket that is closed");
  std::string& output = empty_output();
  self->engine_.send(type, data, output);
  self->flush(output);
  try {
    co_await self->writer_.drain();
  } catch (const ConnectionResetError&) {
    throw;
  } catch (const OSError& error) {  // a broken pipe, TLS that was tampered with: lost is lost
    throw ConnectionResetError(ECONNRESET, "send on a WebSocket: " + std::string(error.what()));
  }
}

Coro<> WebSocketState::close(Self self, WSCloseCode code, std::string_view reason) {
  if (self->closed()) co_return;
  std::string& output = empty_output();
  self->engine_.close(code, reason, output);
  self->flush(output);
  if (self->engine_.is_close_received()) {
    self->end(*self->code_);
    co_return;
  }
  self->closing_ = true;
  auto outcome = co_await capture(wait_for(await_goodbye(self), self->close_timeout_));
  if (!self->closed_) self->end(WSCloseCode::AbnormalClosure);
  if (outcome.cancelled()) outcome.rethrow();
}

/// What comes before it is dropped, but for what a task gets that is in receive().
Coro<> WebSocketState::await_goodbye(Self self) {
  while (!self->closed_) {
    if (self->reading_) {
      Future<void> left = get_running_loop().create_future<void>();
      self->reader_left_ = left;
      co_await left;
      continue;
    }
    WSMessage message = co_await read<WSMessage>(self, true);
    (void)message;
  }
}

}  // namespace asyncio::http::detail

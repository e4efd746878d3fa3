// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "asyncio/coro.hpp"
#include "asyncio/future.hpp"
#include "asyncio/http/websocket.hpp"
#include "asyncio/streams.hpp"
#include "http/deadline.hpp"
#include "http/websocket_engine.hpp"
#include "http/websocket_handshake.hpp"

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace asyncio::http::detail {

inline bool is_data(const WSMessage& message) noexcept {
  return message.type == WSMsgType::Text || message.type == WSMsgType::Binary;
}

/// The engine between the streams of a connection. Its coroutines keep it.
///
/// One task at a time reads: one in receive(), or else the one in close(), which others then wait
/// for. A message is taken out of the reader's buffer in the same step in which it is returned, so
/// that whoever is cancelled has taken nothing.
class WebSocketState final : private Deadline::Owner {
 public:
  using Self = std::shared_ptr<WebSocketState>;

  /// `owner` is kept as long as this.
  WebSocketState(StreamReader reader, StreamWriter writer, const WebSocketOptions& options,
                 bool is_client, WebSocketTerms terms, std::shared_ptr<void> owner = nullptr);
  WebSocketState(const WebSocketState&) = delete;
  WebSocketState& operator=(const WebSocketState&) = delete;
  ~WebSocketState();

  static Coro<WSMessage> receive(Self self);
  /// The next text or binary; nullopt when there is no more.
  static Coro<std::optional<WSMessage>> next(Self self);
  static Coro<> send(Self self, WSMsgType type, std::string_view data);
  static Coro<> close(Self self, WSCloseCode code, std::string_view reason);
  /// Says goodbye, unless that was done before. Who calls it ends the connection.
  void leave(WSCloseCode code) noexcept;

  OptionalDelay receive_timeout() const noexcept {
    return extra_ ? extra_->receive_timeout : OptionalDelay();
  }
  bool closed() const noexcept { return closed_ || engine_.is_close_sent(); }
  std::optional<WSCloseCode> close_code() const noexcept { return code_; }
  std::string_view error() const noexcept { return engine_.error(); }
  std::string_view protocol() const noexcept {
    return extra_ ? std::string_view(extra_->protocol) : std::string_view();
  }
  bool compressed() const noexcept { return compressed_; }

 private:
  class Reading;

  /// What many WebSockets never need, so that one that is idle has no room for it (L4).
  struct Extra {
    explicit Extra(Deadline::Owner& owner) : deadline(get_running_loop(), owner) {}

    OptionalDelay heartbeat{}, pong_timeout{}, receive_timeout{};
    std::string protocol;
    Deadline deadline;  // of the peer's next word; when closed, of its reading
  };

  /// What a receive without a message does.
  enum class Next : unsigned char { wait, settle, end };

  template <class Result>
  static Coro<Result> read(Self self, bool closes);
  static Coro<> settle(Self self);
  static Coro<> await_goodbye(Self self);
  static Coro<> await_end(Self self);
  static Coro<> await_sent(Self self);
  std::optional<WSMessage> advance(Next& next);
  std::optional<WSMessage> take();
  void count_end();
  Extra& extra();
  void stop_deadline() noexcept;
  void flush(std::string& output);
  void heard();
  void expired() override;
  void end(WSCloseCode code);

  std::shared_ptr<void> owner_;
  StreamReader reader_;
  StreamWriter writer_;
  WebSocketEngine engine_;
  std::unique_ptr<Extra> extra_;
  Delay close_timeout_;
  std::optional<Future<void>> reader_left_;
  std::unique_ptr<WSMessage> goodbye_;  // which the peer has said, and nobody has got yet
  std::optional<WSCloseCode> code_;
  bool compressed_;
  unsigned char ends_told_ = 0;  // to who receives where nothing comes any more
  bool reading_ = false;         // a task is
  bool closing_ = false;         // a task is in close()
  bool closed_ = false;          // the connection is, or will be when everything is sent
  bool pinged_ = false;          // and nothing heard since
  bool owes_drain_ = false;      // something was sent that nobody has waited for
  bool all_sent_ = false;        // that was to reach the peer before the goodbye is given
};

}  // namespace asyncio::http::detail

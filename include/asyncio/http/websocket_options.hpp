// SPDX-License-Identifier: BSL-1.0
/// How a WebSocket behaves.
#pragma once

#include "asyncio/time.hpp"

#include <chrono>
#include <concepts>
#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace asyncio::http {

/// What ws_connect and web::websocket are told.
///
/// asyncio  aiohttp: the arguments of ClientSession.ws_connect and WebSocketResponse
class WebSocketOptions {
 public:
  WebSocketOptions() {}

  /// What the messages may mean: a client offers these, and a server takes the first of them that
  /// was offered. None by default.
  WebSocketOptions& protocols(std::vector<std::string> names) {
    return protocols_ = std::move(names), *this;
  }
  /// The same, spelled so that g++ 12 compiles it within a co_await.
  template <std::convertible_to<std::string>... Names>
    requires(sizeof...(Names) > 0)
  WebSocketOptions& protocols(Names&&... names) {
    protocols_.clear();
    (protocols_.emplace_back(std::forward<Names>(names)), ...);
    return *this;
  }
  /// The largest message that is taken, decompressed; 4 MiB. A larger one closes the connection. 0
  /// for no limit: then a peer may use up the memory, and a few bytes of it may become very many.
  WebSocketOptions& max_msg_size(std::size_t bytes) { return max_msg_size_ = bytes, *this; }
  /// Pings a peer that has sent nothing for so long, and drops the connection if it goes on sending
  /// nothing for `pong_timeout`, by default half as long; off. Only the time counts in which a task
  /// is in receive(): nobody else would hear the peer.
  WebSocketOptions& heartbeat(OptionalDelay interval, OptionalDelay pong_timeout = std::nullopt) {
    return heartbeat_ = interval, pong_timeout_ = pong_timeout, *this;
  }
  /// How long receive() waits for a message; without end by default.
  WebSocketOptions& receive_timeout(OptionalDelay limit) { return receive_timeout_ = limit, *this; }
  /// How long close() waits for the peer's answer, and a peer that is closed to may take to read;
  /// 10 seconds.
  WebSocketOptions& close_timeout(Delay limit) { return close_timeout_ = limit, *this; }
  /// Whether pings are answered, and neither they nor pongs given to who receives; on.
  WebSocketOptions& autoping(bool enabled) { return autoping_ = enabled, *this; }
  /// Whether the peer's close is answered at once; on. If not, call close() when it comes.
  WebSocketOptions& autoclose(bool enabled) { return autoclose_ = enabled, *this; }

  /// Compresses if the peer can, too (permessage-deflate); on.
  WebSocketOptions& compress(bool enabled) { return compress_ = enabled, *this; }
  /// Whether a compressed message may refer to those before it, in each direction; on. That makes
  /// small messages smaller, and costs 256 KiB a connection for what is sent and 40 KiB for what is
  /// received. A peer may forbid it; then, and without it, a connection needs nothing.
  WebSocketOptions& context_takeover(bool enabled) { return context_takeover_ = enabled, *this; }
  /// How far back compressed messages refer, in both directions: 2^9 to 2^15 bytes, the default.
  ///
  /// Throws   ValueError for another number than 9 to 15.
  WebSocketOptions& window_bits(int bits);

  /// For servers: whether pages of this origin ("https://example.org") may use the WebSocket. By
  /// default those of the server's own host. Requests without Origin do not come from a browser,
  /// and are not asked about.
  WebSocketOptions& check_origin(std::function<bool(std::string_view origin)> may) {
    return check_origin_ = std::move(may), *this;
  }

  const std::vector<std::string>& get_protocols() const noexcept { return protocols_; }
  std::size_t get_max_msg_size() const noexcept { return max_msg_size_; }
  const OptionalDelay& get_heartbeat() const noexcept { return heartbeat_; }
  const OptionalDelay& get_pong_timeout() const noexcept { return pong_timeout_; }
  const OptionalDelay& get_receive_timeout() const noexcept { return receive_timeout_; }
  Delay get_close_timeout() const noexcept { return close_timeout_; }
  bool get_autoping() const noexcept { return autoping_; }
  bool get_autoclose() const noexcept { return autoclose_; }
  bool get_compress() const noexcept { return compress_; }
  bool get_context_takeover() const noexcept { return context_takeover_; }
  int get_window_bits() const noexcept { return window_bits_; }
  const std::function<bool(std::string_view)>& get_check_origin() const noexcept {
    return check_origin_;
  }

 private:
  std::vector<std::string> protocols_;
  std::size_t max_msg_size_ = std::size_t{4} << 20;
  OptionalDelay heartbeat_;
  OptionalDelay pong_timeout_;
  OptionalDelay receive_timeout_;
  Delay close_timeout_ = std::chrono::seconds(10);
  bool autoping_ = true;
  bool autoclose_ = true;
  bool compress_ = true;
  bool context_takeover_ = true;
  int window_bits_ = 15;
  std::function<bool(std::string_view)> check_origin_;
};

}  // namespace asyncio::http

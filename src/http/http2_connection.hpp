// SPDX-License-Identifier: BSL-1.0
/// An Http2Session between the streams of a connection, for clients and servers.
#pragma once

#include "asyncio/coro.hpp"
#include "asyncio/eventloop.hpp"
#include "asyncio/handle.hpp"
#include "asyncio/streams.hpp"
#include "asyncio/task.hpp"
#include "asyncio/time.hpp"
#include "http/http2_session.hpp"

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace asyncio::http::detail {

/// One task reads, in `run`, and gives each stream what is its own; others wait for their streams.
/// What the session has to say is written once an iteration of the loop, for all streams together,
/// and only as fast as the peer takes it.
///
/// Its coroutines keep it, and the streams they are given.
class Http2Connection : public std::enable_shared_from_this<Http2Connection> {
 public:
  using Stream = std::shared_ptr<Http2Stream>;

  /// A peer that takes nothing of what is written within the progress timeout loses the
  /// connection.
  Http2Connection(StreamReader reader, StreamWriter writer, Http2Role role, const Http2Terms& terms,
                  Delay progress_timeout);
  Http2Connection(const Http2Connection&) = delete;
  Http2Connection& operator=(const Http2Connection&) = delete;
  ~Http2Connection();

  /// Reads until the connection ends; then every stream has, too. Calls `received` whenever
  /// something has come. When the session is over, our side ends, and the peer gets some time to
  /// read what was sent: a connection that is closed with bytes unread is reset.
  /// Cancel: as the end of the connection.
  Coro<> run(std::function<void()> received);

  Http2Session& session() noexcept { return session_; }
  const StreamReader& reader() const noexcept { return reader_; }
  const StreamWriter& writer() const noexcept { return writer_; }
  /// What is to be called when streams have ended with what was sent; it may not flush.
  void when_freed(std::function<void()> freed) { freed_ = std::move(freed); }
  /// To be called after the session was given something to send.
  void flush_soon();
  void flush();

  /// Awaits: the head of the stream.
  /// Throws: why there is none.
  Coro<> wait_head(Stream stream);
  /// Awaits: some of the body.
  /// Returns: nothing at its end.
  /// Throws: why it is not whole, after what has come of it.
  /// Cancel: takes nothing.
  Coro<std::string> read(Stream stream);
  /// Adds to the body.
  /// Awaits: room, if the peer does not take it.
  /// Throws: ConnectionResetError if it never will.
  Coro<> write(Stream stream, std::string_view data);
  /// Awaits: the end of the input, of which nothing is read any more.
  Coro<> wait_input(Stream stream);
  /// Awaits: room for more of the body, or that the stream is closed.
  Coro<> wait_room(Stream stream);
  /// Awaits: that our side has ended and was sent, or that the stream is closed.
  Coro<> wait_sent(Stream stream);

 private:
  using Self = std::shared_ptr<Http2Connection>;

  Coro<> receive_all(const std::function<void()>& received);
  static Coro<> send_rest(Self self);
  Coro<> stop_sending();
  void send_some();
  void end_output();
  void watch_end();

  StreamReader reader_;
  StreamWriter writer_;
  Http2Session session_;
  EventLoop loop_;
  Delay progress_timeout_;
  std::function<void()> freed_;
  std::optional<Handle> flush_;
  std::optional<TimerHandle> end_;  // of the peer's time to read what is left
  std::size_t unsent_ = 0;          // when that began
  bool output_ended_ = false;
  std::optional<Task<void>> sending_;  // while the peer does not take what is written
};

}  // namespace asyncio::http::detail

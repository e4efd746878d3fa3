// SPDX-License-Identifier: BSL-1.0
/// The streams of an HTTP/2 connection, without input and output: bytes go in, heads and bodies
/// come out, and the other way round.
#pragma once

#include "asyncio/http/limits.hpp"
#include "asyncio/time.hpp"
#include "http/http2_stream.hpp"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <exception>
#include <map>
#include <memory>
#include <string>
#include <string_view>

struct nghttp2_session;

namespace asyncio::http::detail {

enum class Http2Role : std::uint8_t { client, server };

/// What one end allows the other.
struct Http2Terms {
  HttpLimits limits;
  /// What may come of a body before some of it was read.
  std::uint32_t stream_window = 256u << 10;
  /// The same for all streams together: the memory that a connection may take for bodies.
  std::uint32_t connection_window = 1u << 20;
};

/// nghttp2 knows the frames, the states of streams, the windows and HPACK. This sets the limits,
/// holds what is on its way in either direction, and applies the policy that the HTTP/1 parser has,
/// so that a handler cannot tell the two apart.
///
/// A body's bytes count as taken, and the peer may send as many more, when they are read: a peer is
/// not read faster than its bodies are. What is written stays here until the peer's window lets it
/// go; `Http2Stream::unsent` says how much.
///
/// After an error of the connection nothing is taken any more: what has to be said is in the
/// output, and every stream has the error.
class Http2Session {
 public:
  /// Frames that a block may go on in (CVE-2024-28182).
  static constexpr std::size_t kMaxContinuations = 8;

  Http2Session(Http2Role role, const Http2Terms& terms);
  ~Http2Session();
  Http2Session(const Http2Session&) = delete;
  Http2Session& operator=(const Http2Session&) = delete;

  /// Takes what the peer has sent, in pieces of any size.
  /// Throws: std::bad_alloc, after which only `lose` may be called.
  void receive(std::string_view input, TimePoint now);
  /// Appends what is to be sent now, and stops with the frame that reaches `most` bytes.
  void send(std::string& output, std::size_t most);
  /// Whether `send` has something.
  bool wants_output() const noexcept;
  /// Whether nothing will be received or sent any more.
  bool is_over() const noexcept;
  /// The connection has gone: every stream that is not whole gets the error.
  void lose(const std::exception_ptr& error);

  /// At a server: the next request whose head is there; null if there is none.
  std::shared_ptr<Http2Stream> next_request();
  /// Sends a head that another one follows: 100 or 103.
  void inform(Http2Stream& stream, const ResponseHead& head);
  /// Sends the head of the answer. Without a body the stream ends with it.
  void respond(Http2Stream& stream, Status status, const Headers& fields, bool has_body);

  /// At a client: whether `request` may be called now. If not, and not `is_ending`, later.
  bool may_request() const noexcept;
  /// Sends the head of a request, whose target is a path. Without a body it ends with it.
  /// Throws: ValueError for one that cannot be sent, and sends nothing.
  std::shared_ptr<Http2Stream> request(const RequestHead& head, std::string_view scheme,
                                       bool has_body);

  /// What has come of the body; empty if nothing has.
  std::string read(Http2Stream& stream);
  /// Nobody will read the rest, of which the peer may send what the stream's window allows, and no
  /// more.
  void drop_input(Http2Stream& stream);
  /// Adds to the body. Dropped if the stream is closed.
  void write(Http2Stream& stream, std::string_view data);
  void write(Http2Stream& stream, std::string&& data);
  /// The body has ended.
  void end(Http2Stream& stream);
  /// Harmless if it is closed.
  void reset(Http2Stream& stream, Http2Code code);

  void ping();
  /// How many answers to `ping` have come.
  std::size_t pongs() const noexcept { return pongs_; }
  /// At a server: tells the peer to make no more requests, and pings it, so that a pong says that
  /// it has heard; requests that are under way are still taken.
  void announce_end();
  /// Takes no more streams. The session is over when those that there are have ended.
  void go_away(Http2Code code = Http2Code::no_error);
  /// Whether either end has said that there will be no more streams.
  bool is_ending() const noexcept { return going_ || peer_going_; }

  /// Streams that are not closed.
  std::size_t active() const noexcept { return streams_.size(); }
  /// Of our streams, how many the peer allows at a time.
  std::uint32_t peer_max_streams() const noexcept;
  /// Whether a head has begun to come that is not whole.
  bool in_head() const noexcept { return in_head_; }
  /// Whether the peer's first settings have come.
  bool is_open() const noexcept { return is_open_; }
  /// What was wrong, or what the peer has said it was; empty if nothing was.
  const std::string& failure() const noexcept { return failure_; }

 private:
  struct Callbacks;
  friend struct Callbacks;
  using Streams = std::map<std::int32_t, std::shared_ptr<Http2Stream>>;

  Http2Stream* find(std::int32_t id) noexcept;
  Http2Stream& adopt(std::int32_t id);
  void begin_block(Http2Stream& stream);
  bool is_counted(const Http2Stream& stream, std::string_view name) const;
  int take_field(Http2Stream& stream, std::string_view name, std::string_view value);
  void take_pseudo(Http2Stream& stream, std::string_view name, std::string_view value);
  void take_regular(Http2Stream& stream, std::string_view name, std::string_view value);
  void end_block(Http2Stream& stream, bool ends_stream);
  void end_request_head(Http2Stream& stream, bool ends_stream);
  void complete_request(Http2Stream& stream, bool ends_stream);
  static bool take_authority(Headers& headers, std::string_view authority);
  void end_response_head(Http2Stream& stream, bool ends_stream);
  void end_trailers(Http2Stream& stream);
  void take_data(Http2Stream& stream, std::string_view data);
  void end_input(Http2Stream& stream) noexcept;
  void fail_input(Http2Stream& stream, const std::exception_ptr& error) noexcept;
  void refuse(Http2Stream& stream, Status status, const std::string& what);
  void refuse_malformed(Http2Stream& stream, const std::string& what);
  static std::exception_ptr reason_of(const Http2Stream& stream, Http2Code code);
  void close_stream(std::int32_t id, Http2Code code);
  void resume(Http2Stream& stream);
  bool spend_idle_frame() noexcept;
  bool answers_wait() const noexcept;
  void fail(Http2Code code, const std::string& what);

  const Http2Role role_;
  const Http2Terms terms_;
  nghttp2_session* session_ = nullptr;
  Streams streams_;
  std::deque<std::shared_ptr<Http2Stream>> requests_;  // whose heads are whole
  std::string* output_ = nullptr;                      // while `send` runs
  std::size_t most_ = 0;                               // what `send` stops behind
  std::exception_ptr thrown_;                          // in a callback: nghttp2 is C
  std::string failure_;
  TimePoint now_{};
  TimePoint counted_at_{};
  double idle_frames_left_;
  std::int32_t last_taken_ = 0;  // of the peer's streams, once we take no more
  std::size_t pongs_ = 0;
  std::size_t continuations_ = 0;  // of a block
  bool in_head_ = false;
  bool is_open_ = false;
  bool announced_ = false;
  bool going_ = false;
  bool peer_going_ = false;
  bool failed_ = false;
  bool flooded_ = false;
};

}  // namespace asyncio::http::detail

// SPDX-License-Identifier: BSL-1.0
/// One exchange of an HTTP/2 connection: Http2Stream.
#pragma once

#include "asyncio/http/errors.hpp"
#include "asyncio/http/head.hpp"
#include "asyncio/sync.hpp"

#include <cstddef>
#include <cstdint>
#include <exception>
#include <optional>
#include <string>
#include <utility>

namespace asyncio::http::detail {

/// RFC 9113, 7.
enum class Http2Code : std::uint32_t {
  no_error = 0,
  protocol_error = 1,
  internal_error = 2,
  flow_control_error = 3,
  settings_timeout = 4,
  stream_closed = 5,
  frame_size_error = 6,
  refused_stream = 7,
  cancel = 8,
  compression_error = 9,
  connect_error = 10,
  enhance_your_calm = 11,
  inadequate_security = 12,
  http_1_1_required = 13,
};

/// "PROTOCOL_ERROR"; "unknown" for a code that is none.
const char* name_of(Http2Code code) noexcept;

/// What an Http2Session knows of a stream. Only the session changes it; who waits looks again at
/// what it waits for whenever `readable` or `writable` is set, and clears them before.
///
///   input:   head ──> body ──> ended        error() says why it has ended before that
///   output:  head ──> body ──> ended ──> sent
///   A stream is closed when both have ended, or one end has reset it, or the connection has gone.
class Http2Stream {
 public:
  explicit Http2Stream(std::int32_t id) noexcept : id_(id) {}
  Http2Stream(const Http2Stream&) = delete;
  Http2Stream& operator=(const Http2Stream&) = delete;

  /// At a server. Its Host is the authority.
  RequestHead request;
  /// At a client, without those of status 1xx.
  ResponseHead response;
  /// After the body; they never change what is in the head.
  Headers trailers;

  std::int32_t id() const noexcept { return id_; }
  /// Whether the peer's head is there.
  bool has_head() const noexcept { return has_head_; }
  /// What came of the body and was not read yet, in bytes.
  std::size_t unread() const noexcept { return incoming_.size(); }
  /// Whether the peer's body has come to its end; some of it may be unread.
  bool input_ended() const noexcept { return input_ended_; }
  /// Why there will be no more input, if that is not its end; null if there is no reason.
  const std::exception_ptr& error() const noexcept { return error_; }
  /// What the peer has not let us send yet, in bytes.
  std::size_t unsent() const noexcept { return outgoing_.size() - outgoing_at_; }
  /// Whether our side has ended and all of it has been sent.
  bool output_sent() const noexcept { return output_sent_; }
  bool closed() const noexcept { return closed_; }
  /// Why it was closed.
  Http2Code code() const noexcept { return code_; }
  /// At a server: the request has to be answered with this, whatever it is; its body is not read.
  const std::optional<BadRequest>& refusal() const noexcept { return refusal_; }

  /// Set with each change of the input, and of the output.
  asyncio::Event readable, writable;

 private:
  friend class Http2Session;

  /// What the pseudo-header fields of a head have said.
  struct Pseudo {
    std::string method, scheme, authority, path;
    int status = 0;
  };

  const std::int32_t id_;
  Pseudo pseudo_;
  std::size_t head_size_ = 0;    // of the fields of a block, as RFC 9113, 6.5.2, counts
  std::size_t field_count_ = 0;  // of a block
  std::size_t informational_ = 0;
  std::size_t tiny_frames_ = 0;
  std::uint64_t received_ = 0;  // of the body
  std::string incoming_;
  std::string outgoing_;
  std::size_t outgoing_at_ = 0;
  std::exception_ptr error_;
  std::optional<BadRequest> refusal_;
  Http2Code code_ = Http2Code::no_error;
  bool is_head_request_ = false;
  bool has_head_ = false;
  bool in_trailers_ = false;
  bool input_ended_ = false;
  bool drops_input_ = false;
  bool output_ended_ = false;
  bool output_sent_ = false;
  bool deferred_ = false;  // nghttp2 waits for more output
  bool reset_by_peer_ = false;
  bool closed_ = false;
};

}  // namespace asyncio::http::detail

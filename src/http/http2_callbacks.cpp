// SPDX-License-Identifier: BSL-1.0
#include "http/http2_callbacks.hpp"

#include "asyncio/exceptions.hpp"

#include <algorithm>
#include <cerrno>
#include <new>
#include <string>
#include <string_view>

namespace asyncio::http::detail {

namespace {

constexpr int kFrameHead = 9;

Http2Session& session_of(void* self) noexcept { return *static_cast<Http2Session*>(self); }

std::string_view text_of(const std::uint8_t* bytes, std::size_t size) noexcept {
  return {reinterpret_cast<const char*>(bytes), size};
}

/// Whether such a frame alone brings the connection no further.
bool is_idle(const nghttp2_frame_hd& head) noexcept {
  switch (head.type) {
    case NGHTTP2_DATA:
      return head.length == 0 && (head.flags & NGHTTP2_FLAG_END_STREAM) == 0;
    case NGHTTP2_HEADERS:
    case NGHTTP2_CONTINUATION:
    case NGHTTP2_WINDOW_UPDATE:
    case NGHTTP2_RST_STREAM:  // has a limit of its own
    case NGHTTP2_GOAWAY:
      return false;
    default:
      return true;
  }
}

/// Whether the peer made us reset a stream (CVE-2025-8671): not if a handler has failed.
bool is_fault(std::uint32_t code) noexcept {
  return code != NGHTTP2_NO_ERROR && code != NGHTTP2_CANCEL && code != NGHTTP2_INTERNAL_ERROR;
}

}  // namespace

const nghttp2_session_callbacks* Http2Session::Callbacks::all() {
  static const nghttp2_session_callbacks* shared = [] {
    nghttp2_session_callbacks* made = nullptr;
    if (nghttp2_session_callbacks_new(&made) != 0) throw std::bad_alloc();
    nghttp2_session_callbacks_set_on_begin_frame_callback(made, on_begin_frame);
    nghttp2_session_callbacks_set_on_begin_headers_callback(made, on_begin_headers);
    nghttp2_session_callbacks_set_on_header_callback(made, on_header);
    nghttp2_session_callbacks_set_on_invalid_header_callback(made, on_invalid_header);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(made, on_data);
    nghttp2_session_callbacks_set_on_frame_recv_callback(made, on_frame);
    nghttp2_session_callbacks_set_on_invalid_frame_recv_callback(made, on_invalid_frame);
    nghttp2_session_callbacks_set_on_stream_close_callback(made, on_close);
    nghttp2_session_callbacks_set_on_frame_send_callback(made, on_sent);
    nghttp2_session_callbacks_set_on_frame_not_send_callback(made, on_not_sent);
    nghttp2_session_callbacks_set_send_data_callback(made, on_send_data);
    return made;
  }();
  return shared;
}

/// Calls a function of the session from C.
template <class F>
int guarded(std::exception_ptr& thrown, F function) noexcept {
  try {
    return function();
  } catch (...) {  // for Http2Session::receive or send
    thrown = std::current_exception();
    return NGHTTP2_ERR_CALLBACK_FAILURE;
  }
}

int Http2Session::Callbacks::on_begin_frame(nghttp2_session*, const nghttp2_frame_hd* head,
                                            void* self) {
  Http2Session& session = session_of(self);
  if (head->type == NGHTTP2_HEADERS) session.continuations_ = 0;
  const bool is_endless = head->type == NGHTTP2_CONTINUATION &&
                          ++session.continuations_ > Http2Session::kMaxContinuations;
  if (!is_endless && (!is_idle(*head) || session.spend_idle_frame())) return 0;
  session.flooded_ = true;
  return NGHTTP2_ERR_CALLBACK_FAILURE;
}

int Http2Session::Callbacks::on_begin_headers(nghttp2_session*, const nghttp2_frame* frame,
                                              void* self) {
  Http2Session& session = session_of(self);
  return guarded(session.thrown_, [&] {
    if (frame->hd.type != NGHTTP2_HEADERS) return 0;
    Http2Stream* stream = session.find(frame->hd.stream_id);
    if (!stream && frame->headers.cat == NGHTTP2_HCAT_REQUEST)
      stream = &session.adopt(frame->hd.stream_id);
    if (stream) session.begin_block(*stream);
    return 0;
  });
}

int Http2Session::Callbacks::on_header(nghttp2_session*, const nghttp2_frame* frame,
                                       const std::uint8_t* name, std::size_t name_size,
                                       const std::uint8_t* value, std::size_t value_size,
                                       std::uint8_t, void* self) {
  Http2Session& session = session_of(self);
  return guarded(session.thrown_, [&] {
    Http2Stream* stream = session.find(frame->hd.stream_id);
    if (!stream) return 0;
    return session.take_field(*stream, text_of(name, name_size), text_of(value, value_size));
  });
}

/// By itself nghttp2 would pass over a field that RFC 9113, 8.2.1, makes the message malformed.
int Http2Session::Callbacks::on_invalid_header(nghttp2_session* raw, const nghttp2_frame* frame,
                                               const std::uint8_t*, std::size_t,
                                               const std::uint8_t*, std::size_t, std::uint8_t,
                                               void* self) {
  Http2Session& session = session_of(self);
  return guarded(session.thrown_, [&]() -> int {
    session.in_head_ = false;
    if (Http2Stream* stream = session.find(frame->hd.stream_id))
      session.fail_input(*stream, std::make_exception_ptr(
                                      ProtocolError("HTTP/2 stream: a field that none may be", 0)));
    nghttp2_submit_rst_stream(raw, NGHTTP2_FLAG_NONE, frame->hd.stream_id, NGHTTP2_PROTOCOL_ERROR);
    return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
  });
}

int Http2Session::Callbacks::on_data(nghttp2_session*, std::uint8_t, std::int32_t id,
                                     const std::uint8_t* bytes, std::size_t size, void* self) {
  Http2Session& session = session_of(self);
  return guarded(session.thrown_, [&] {
    if (Http2Stream* stream = session.find(id))
      session.take_data(*stream, text_of(bytes, size));
    else
      nghttp2_session_consume_connection(session.session_, size);
    return 0;
  });
}

int Http2Session::Callbacks::on_frame(nghttp2_session*, const nghttp2_frame* frame, void* self) {
  Http2Session& session = session_of(self);
  return guarded(session.thrown_, [&] {
    Http2Stream* stream = session.find(frame->hd.stream_id);
    const bool ends = (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0;
    const bool is_ack = (frame->hd.flags & NGHTTP2_FLAG_ACK) != 0;
    switch (frame->hd.type) {
      case NGHTTP2_HEADERS:
        if (stream) session.end_block(*stream, ends);
        break;
      case NGHTTP2_DATA:
        if (stream && ends) session.end_input(*stream);
        break;
      case NGHTTP2_RST_STREAM:
        if (stream) stream->reset_by_peer_ = true;
        break;
      case NGHTTP2_SETTINGS:
        session.is_open_ = true;
        break;
      case NGHTTP2_PING:
        session.pongs_ += is_ack;
        break;
      case NGHTTP2_GOAWAY:
        session.peer_going_ = true;
        if (frame->goaway.error_code != NGHTTP2_NO_ERROR && session.failure_.empty())
          session.failure_ = std::string("the peer has ended the connection: ") +
                             nghttp2_http2_strerror(frame->goaway.error_code);
        break;
      default:
        break;
    }
    return 0;
  });
}

int Http2Session::Callbacks::on_invalid_frame(nghttp2_session*, const nghttp2_frame* frame,
                                              int error, void* self) {
  Http2Session& session = session_of(self);
  return guarded(session.thrown_, [&] {
    session.in_head_ = false;
    if (Http2Stream* stream = session.find(frame->hd.stream_id))
      session.fail_input(
          *stream, std::make_exception_ptr(
                       ProtocolError(std::string("HTTP/2 stream: ") + nghttp2_strerror(error), 0)));
    return 0;
  });
}

int Http2Session::Callbacks::on_close(nghttp2_session*, std::int32_t id, std::uint32_t code,
                                      void* self) {
  Http2Session& session = session_of(self);
  return guarded(session.thrown_, [&] {
    session.close_stream(id, static_cast<Http2Code>(code));
    return 0;
  });
}

void Http2Session::Callbacks::note_sent(Http2Session& session, const nghttp2_frame& frame) {
  if (frame.hd.type == NGHTTP2_GOAWAY && frame.goaway.error_code != NGHTTP2_NO_ERROR)
    return session.fail(static_cast<Http2Code>(frame.goaway.error_code),
                        nghttp2_http2_strerror(frame.goaway.error_code));
  // A ping overtakes other frames: it is not asked for before.
  if (frame.hd.type == NGHTTP2_GOAWAY && session.announced_ && !session.going_) session.ping();
  if (frame.hd.type == NGHTTP2_RST_STREAM && is_fault(frame.rst_stream.error_code) &&
      !session.spend_idle_frame())
    return session.fail(Http2Code::enhance_your_calm, "too many streams that had to be reset");
  if (frame.hd.type != NGHTTP2_HEADERS && frame.hd.type != NGHTTP2_DATA) return;
  if ((frame.hd.flags & NGHTTP2_FLAG_END_STREAM) == 0) return;
  Http2Stream* stream = session.find(frame.hd.stream_id);
  if (!stream) return;
  stream->output_sent_ = true;
  stream->writable.set();
}

int Http2Session::Callbacks::on_sent(nghttp2_session*, const nghttp2_frame* frame, void* self) {
  Http2Session& session = session_of(self);
  return guarded(session.thrown_, [&] {
    note_sent(session, *frame);
    return 0;
  });
}

/// A request that was not sent has no stream that nghttp2 could close.
int Http2Session::Callbacks::on_not_sent(nghttp2_session*, const nghttp2_frame* frame, int,
                                         void* self) {
  Http2Session& session = session_of(self);
  return guarded(session.thrown_, [&] {
    if (frame->hd.type == NGHTTP2_HEADERS && frame->headers.cat == NGHTTP2_HCAT_REQUEST)
      session.close_stream(frame->hd.stream_id, Http2Code::refused_stream);
    return 0;
  });
}

std::ptrdiff_t Http2Session::Callbacks::on_read(nghttp2_session*, std::int32_t id, std::uint8_t*,
                                                std::size_t most, std::uint32_t* flags,
                                                nghttp2_data_source*, void* self) {
  Http2Stream* stream = session_of(self).find(id);
  if (!stream) return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
  const std::size_t size = std::min(stream->unsent(), most);
  const bool is_last = size == stream->unsent() && stream->output_ended_;
  if (size == 0 && !is_last) {
    stream->deferred_ = true;
    return NGHTTP2_ERR_DEFERRED;
  }
  *flags |= NGHTTP2_DATA_FLAG_NO_COPY;
  if (is_last) *flags |= NGHTTP2_DATA_FLAG_EOF;
  return static_cast<std::ptrdiff_t>(size);
}

int Http2Session::Callbacks::on_send_data(nghttp2_session*, nghttp2_frame* frame,
                                          const std::uint8_t* head, std::size_t size,
                                          nghttp2_data_source*, void* self) {
  Http2Session& session = session_of(self);
  return guarded(session.thrown_, [&]() -> int {
    Http2Stream* stream = session.find(frame->hd.stream_id);
    if (!stream) return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
    std::string& output = *session.output_;
    output.append(reinterpret_cast<const char*>(head), kFrameHead);
    output.append(stream->outgoing_, stream->outgoing_at_, size);
    stream->outgoing_at_ += size;
    if (stream->unsent() == 0) {
      stream->outgoing_.clear();
      stream->outgoing_at_ = 0;
    }
    stream->writable.set();
    // By itself nghttp2 would go on as long as there are bodies and windows for them.
    return output.size() < session.most_ ? 0 : NGHTTP2_ERR_PAUSE;
  });
}

}  // namespace asyncio::http::detail

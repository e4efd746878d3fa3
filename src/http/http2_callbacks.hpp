// SPDX-License-Identifier: BSL-1.0
/// What nghttp2 calls for an Http2Session.
#pragma once

#include "http/http2_session.hpp"

#include <cstddef>
#include <cstdint>
#include <nghttp2/nghttp2.h>

namespace asyncio::http::detail {

/// nghttp2 is C: nothing is thrown through it. What a callback throws is kept until nghttp2 has
/// returned.
struct Http2Session::Callbacks {
  static const nghttp2_session_callbacks* all();

  static void note_sent(Http2Session& session, const nghttp2_frame& frame);

  static int on_begin_frame(nghttp2_session*, const nghttp2_frame_hd* head, void* self);
  static int on_begin_headers(nghttp2_session*, const nghttp2_frame* frame, void* self);
  static int on_header(nghttp2_session*, const nghttp2_frame* frame, const std::uint8_t* name,
                       std::size_t name_size, const std::uint8_t* value, std::size_t value_size,
                       std::uint8_t flags, void* self);
  static int on_invalid_header(nghttp2_session*, const nghttp2_frame* frame,
                               const std::uint8_t* name, std::size_t name_size,
                               const std::uint8_t* value, std::size_t value_size,
                               std::uint8_t flags, void* self);
  static int on_data(nghttp2_session*, std::uint8_t flags, std::int32_t id,
                     const std::uint8_t* bytes, std::size_t size, void* self);
  static int on_frame(nghttp2_session*, const nghttp2_frame* frame, void* self);
  static int on_invalid_frame(nghttp2_session*, const nghttp2_frame* frame, int error, void* self);
  static int on_close(nghttp2_session*, std::int32_t id, std::uint32_t code, void* self);
  static int on_sent(nghttp2_session*, const nghttp2_frame* frame, void* self);
  static int on_not_sent(nghttp2_session*, const nghttp2_frame* frame, int error, void* self);
  static std::ptrdiff_t on_read(nghttp2_session*, std::int32_t id, std::uint8_t* room,
                                std::size_t most, std::uint32_t* flags, nghttp2_data_source*,
                                void* self);
  static int on_send_data(nghttp2_session*, nghttp2_frame* frame, const std::uint8_t* head,
                          std::size_t size, nghttp2_data_source*, void* self);
};

}  // namespace asyncio::http::detail

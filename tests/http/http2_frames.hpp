// SPDX-License-Identifier: BSL-1.0
/// Frames of HTTP/2 by hand, and those of a peer in words.
#pragma once

#include "http/http2_server.hpp"

#include <cstdint>
#include <nghttp2/nghttp2.h>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace test {

namespace h2 {

enum Type {
  data,
  headers,
  priority,
  rst_stream,
  settings,
  push_promise,
  ping,
  goaway,
  window_update,
  continuation
};
enum Flag { end_stream = 1, ack = 1, end_headers = 4, padded = 8, prioritized = 32 };

inline std::string number(std::uint64_t value, int bytes) {
  std::string text;
  for (int shift = 8 * (bytes - 1); shift >= 0; shift -= 8)
    text += static_cast<char>(value >> shift & 0xFF);
  return text;
}

inline std::string frame(int type, int flags, std::uint32_t stream, std::string_view payload = "") {
  return number(payload.size(), 3) + number(static_cast<std::uint64_t>(type), 1) +
         number(static_cast<std::uint64_t>(flags), 1) + number(stream, 4) + std::string(payload);
}

using Fields = std::vector<std::pair<std::string, std::string>>;

inline std::string hpack_text(std::string_view text) {
  std::string size;
  if (text.size() < 127) return size + static_cast<char>(text.size()) + std::string(text);
  size += '\x7f';
  std::size_t rest = text.size() - 127;
  for (; rest >= 128; rest /= 128) size += static_cast<char>(rest % 128 + 128);
  return size + static_cast<char>(rest) + std::string(text);
}

/// HPACK without an index: RFC 7541, 6.2.2.
inline std::string block(const Fields& fields) {
  std::string text;
  for (const auto& [name, value] : fields) text += '\0' + hpack_text(name) + hpack_text(value);
  return text;
}

inline Fields request(const std::string& method, const std::string& path, Fields more = {}) {
  Fields fields{{":method", method}, {":scheme", "http"}, {":path", path}, {":authority", "h"}};
  for (auto& field : more) fields.push_back(std::move(field));
  return fields;
}

inline std::string open(std::uint32_t stream, const Fields& fields, int flags = end_stream) {
  return frame(headers, flags | end_headers, stream, block(fields));
}
inline std::string get(std::uint32_t stream, const std::string& path, Fields more = {}) {
  return open(stream, request("GET", path, std::move(more)));
}
inline std::string post(std::uint32_t stream, const std::string& path, Fields more = {}) {
  return open(stream, request("POST", path, std::move(more)), 0);
}

inline std::string setting(int name, std::uint64_t value) {
  return number(static_cast<std::uint64_t>(name), 2) + number(value, 4);
}

inline std::string window(std::uint32_t size) { return setting(4, size); }
inline std::string new_window(std::uint32_t size) { return frame(settings, 0, 0, window(size)); }
inline std::string more(std::uint32_t stream, std::uint32_t count) {
  return frame(window_update, 0, stream, number(count, 4));
}

/// What one side says, and what it waits for before it goes on.
struct Step {
  std::string frames;
  const char* until;
};

/// Who has the answer to it has all that the peer had to say before it came; but an answer goes
/// before bodies that could go at the same time.
inline std::string asked(const char* text = "12345678") { return frame(ping, 0, 0, text); }
inline constexpr const char* kAnswered = "pong 12345678";

/// What a client begins with.
inline std::string hello(std::string_view settings_payload = "") {
  return std::string(asyncio::http::detail::kHttp2Preface) +
         frame(settings, 0, 0, settings_payload);
}

/// "1 200" for a response, "1 reset CANCEL", "goaway NO_ERROR 3", "pong 12345678", "1 'body'",
/// "1 end": those frames of a server that say something, one after another with ", " between.
class Said {
 public:
  Said() { nghttp2_hd_inflate_new(&inflater_); }
  Said(const Said&) = delete;
  Said& operator=(const Said&) = delete;
  ~Said() { nghttp2_hd_inflate_del(inflater_); }

  void take(std::string_view bytes) {
    rest_ += bytes;
    while (rest_.size() >= 9 && rest_.size() >= 9 + value(0, 3)) {
      const std::size_t size = value(0, 3);
      take_frame(static_cast<int>(value(3, 1)), static_cast<int>(value(4, 1)), value(5, 4),
                 std::string_view(rest_).substr(9, size));
      rest_.erase(0, 9 + size);
    }
  }

  const std::string& text() const { return text_; }
  /// What is no whole frame.
  const std::string& rest() const { return rest_; }
  /// The fields of the last head.
  const Fields& fields() const { return fields_; }
  std::size_t body_bytes() const { return body_bytes_; }
  /// How often the peer's SETTINGS were acknowledged.
  std::size_t settings_taken() const { return settings_taken_; }

 private:
  std::size_t value(std::size_t at, std::size_t bytes) const { return value(rest_, at, bytes); }
  static std::size_t value(std::string_view text, std::size_t at, std::size_t bytes) {
    std::size_t number = 0;
    for (char c : text.substr(at, bytes)) number = number << 8 | static_cast<unsigned char>(c);
    return number;
  }
  void say(const std::string& what) { text_ += (text_.empty() ? "" : ", ") + what; }

  void take_frame(int type, int flags, std::size_t stream, std::string_view payload) {
    const std::string id = std::to_string(stream) + " ";
    auto code = [&](std::size_t at) {
      return nghttp2_http2_strerror(static_cast<std::uint32_t>(value(payload, at, 4)));
    };
    body_bytes_ += type == data ? payload.size() : 0;
    settings_taken_ += type == settings && (flags & ack) != 0 ? 1 : 0;
    if (type == data && !payload.empty() && payload.size() < 100)
      say(id + "'" + std::string(payload) + "'");
    if (type == headers) say(id + status(payload));
    if (type == rst_stream) say(id + "reset " + code(0));
    if (type == goaway)
      say(std::string("goaway ") + code(4) + " " + std::to_string(value(payload, 0, 4)));
    if (type == ping) say(((flags & ack) != 0 ? "pong " : "ping ") + std::string(payload));
    if ((type == data || type == headers) && (flags & end_stream) != 0) say(id + "end");
  }

  std::string status(std::string_view payload) {
    fields_.clear();
    const auto* at = reinterpret_cast<const std::uint8_t*>(payload.data());
    for (std::size_t left = payload.size();;) {
      nghttp2_nv nv;
      int flags = 0;
      auto used = nghttp2_hd_inflate_hd2(inflater_, &nv, &flags, at, left, 1);
      if (used < 0) return "nonsense";
      at += used;
      left -= static_cast<std::size_t>(used);
      if ((flags & NGHTTP2_HD_INFLATE_EMIT) != 0)
        fields_.emplace_back(std::string(reinterpret_cast<char*>(nv.name), nv.namelen),
                             std::string(reinterpret_cast<char*>(nv.value), nv.valuelen));
      if ((flags & NGHTTP2_HD_INFLATE_FINAL) != 0 || (used == 0 && left == 0)) break;
    }
    nghttp2_hd_inflate_end_headers(inflater_);
    return fields_.empty() ? "no head" : fields_.front().second;
  }

  nghttp2_hd_inflater* inflater_ = nullptr;
  std::string rest_, text_;
  Fields fields_;
  std::size_t body_bytes_ = 0;
  std::size_t settings_taken_ = 0;
};

/// Awaits: that the peer has said it, or has ended.
inline asyncio::Coro<> take_until(asyncio::StreamReader reader, Said* said, std::string what) {
  while (said->text().find(what) == std::string::npos) {
    std::string part = co_await reader.read(65536);
    if (part.empty()) break;
    said->take(part);
  }
}

inline std::string said(std::string_view bytes) {
  Said words;
  words.take(bytes);
  return words.text();
}

}  // namespace h2

}  // namespace test

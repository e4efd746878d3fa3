// SPDX-License-Identifier: BSL-1.0
/// The other end of a WebSocket as bytes: what our server and our client make of a script.
#pragma once

#include "asyncio/asyncio.hpp"
#include "asyncio/http/client.hpp"
#include "asyncio/web/websocket_response.hpp"
#include "connected.hpp"
#include "http/websocket_handshake.hpp"
#include "served.hpp"

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace test {

using namespace asyncio;
using http::WebSocket;
using http::WebSocketOptions;
using http::WSCloseCode;
using http::WSMessage;
using http::WSMsgType;

// A frame's first byte, final unless it says otherwise.
inline constexpr int kText = 0x81, kBinary = 0x82, kClose = 0x88, kPing = 0x89, kPong = 0x8A;
inline constexpr int kTextBegins = 0x01, kBinaryBegins = 0x02, kGoesOn = 0x00, kEnds = 0x80;

class Frame {
 public:
  Frame(int first_byte, std::string text) : first(first_byte), payload(std::move(text)) {}
  bool operator==(const Frame&) const = default;

  int first;
  std::string payload;
  bool masked = false;
  std::string mask = {};
};

/// `bytes` bytes of a number, the highest first.
inline std::string big_endian(std::uint64_t number, int bytes) {
  std::string text;
  for (int shift = 8 * (bytes - 1); shift >= 0; shift -= 8)
    text += static_cast<char>(number >> shift & 0xFF);
  return text;
}

/// A frame's head whose length is told in 0, 2 or 8 further bytes.
inline std::string head_bytes(int first, std::uint64_t length, int length_bytes, bool masked) {
  int small = length_bytes == 0 ? static_cast<int>(length) : (length_bytes == 2 ? 126 : 127);
  std::string bytes{static_cast<char>(first), static_cast<char>(small | (masked ? 0x80 : 0))};
  if (length_bytes > 0) bytes += big_endian(length, length_bytes);
  return bytes;
}

inline std::string frame_bytes(int first, std::string_view payload, bool masked) {
  int length_bytes = payload.size() < 126 ? 0 : (payload.size() < 65536 ? 2 : 8);
  std::string bytes = head_bytes(first, payload.size(), length_bytes, masked);
  if (!masked) return bytes.append(payload);
  constexpr std::string_view kMask = "\x37\xfa\x21\x3d";
  bytes += kMask;
  for (std::size_t i = 0; i < payload.size(); ++i)
    bytes += static_cast<char>(payload[i] ^ kMask[i % 4]);
  return bytes;
}

inline std::string frame_bytes(const std::vector<Frame>& frames, bool masked) {
  std::string bytes;
  for (const Frame& frame : frames) bytes += frame_bytes(frame.first, frame.payload, masked);
  return bytes;
}

/// The frames that bytes are, as far as they are whole.
inline std::vector<Frame> frames_of(std::string_view bytes) {
  std::vector<Frame> frames;
  auto byte = [&](std::size_t at) { return static_cast<unsigned char>(bytes[at]); };
  while (bytes.size() >= 2) {
    bool masked = (byte(1) & 0x80) != 0;
    std::size_t length = byte(1) & 0x7F;
    std::size_t more = length == 126 ? 2 : (length == 127 ? 8 : 0);
    std::size_t head = 2 + more + (masked ? 4 : 0);
    if (bytes.size() < head) break;
    if (more > 0) length = 0;
    for (std::size_t i = 0; i < more; ++i) length = length << 8 | byte(2 + i);
    if (bytes.size() - head < length) break;
    Frame frame(byte(0), std::string(bytes.substr(head, length)));
    frame.masked = masked;
    if (masked) {
      frame.mask = bytes.substr(2 + more, 4);
      for (std::size_t i = 0; i < length; ++i)
        frame.payload[i] = static_cast<char>(frame.payload[i] ^ frame.mask[i % 4]);
    }
    frames.push_back(std::move(frame));
    bytes.remove_prefix(head + length);
  }
  return frames;
}

inline std::string close_payload(int code, std::string_view reason = {}) {
  return big_endian(static_cast<std::uint64_t>(code), 2).append(reason);
}

/// The code of a close frame; 0 without one.
inline int code_of(const Frame& frame) {
  if (frame.payload.size() < 2) return 0;
  return static_cast<unsigned char>(frame.payload[0]) << 8 |
         static_cast<unsigned char>(frame.payload[1]);
}

/// Which end is ours.
enum class Role { server, client };
/// For the names of tests.
class RoleName {
 public:
  template <class Info>
  std::string operator()(const Info& role) const {
    return role.param == Role::server ? "server" : "client";
  }
};

/// What came of it.
class Conversation {
 public:
  Conversation() {}

  std::vector<Frame> replies;   // what we have sent
  std::vector<WSMessage> seen;  // what our user got, to the Close or Closed
  std::optional<WSCloseCode> code;
  bool hung = false;   // we have not ended the connection
  bool over = false;   // our user has
  std::string head{};  // the peer's view of the handshake

  /// The code of our close frame; -1 if there is none, or another frame follows.
  int close_sent() const {
    if (replies.empty() || (replies.back().first & 0x0F) != 8) return -1;
    return code_of(replies.back());
  }
  std::vector<Frame> before_close() const {
    std::vector<Frame> others = replies;
    if (!others.empty() && (others.back().first & 0x0F) == 8) others.pop_back();
    return others;
  }
};

/// What the peer says, given whether it has to mask.
using Script = std::function<std::string(bool masked)>;

class Setting {
 public:
  Setting() {}

  WebSocketOptions options{};
  std::string headers{};              // of the peer's handshake
  std::vector<std::size_t> pieces{};  // the peer sends so many bytes at once, in turn; or all
  bool echoes = true;                 // our user sends everything back
};

/// What our user does, on either side.
inline Coro<> talk(WebSocket ws, Conversation* result, bool echoes) {
  try {
    for (;;) {
      WSMessage message = co_await ws.receive();
      result->seen.push_back(message);
      if (message.type == WSMsgType::Close || message.type == WSMsgType::Closed) break;
      if (!echoes) continue;
      if (message.type == WSMsgType::Text)
        co_await ws.send_str(message.data);
      else
        co_await ws.send_bytes(message.data);
    }
  } catch (const ConnectionResetError&) {  // the script has ended while we were sending
  }
  result->code = ws.close_code();
  result->over = true;
}

inline Coro<> send_pieces(StreamWriter writer, std::string bytes, const Setting* setting) {
  std::string_view left = bytes;
  try {
    for (std::size_t i = 0; !left.empty(); ++i) {
      const auto& pieces = setting->pieces;
      std::string_view piece =
          left.substr(0, pieces.empty() ? left.size() : pieces[i % pieces.size()]);
      left.remove_prefix(piece.size());
      writer.write(piece);
      co_await writer.drain();
      if (!left.empty()) co_await sleep(0s);
    }
  } catch (const OSError&) {  // they have ended the connection
  }
}

/// The peer, once the handshake is done: says its lines and listens to the end.
inline Coro<> perform(StreamReader reader, StreamWriter writer, std::string bytes,
                      const Setting* setting, Conversation* result) {
  auto sending = create_task(send_pieces, writer, std::move(bytes), setting);
  std::string heard;
  auto listen = [&]() -> Coro<> {
    for (;;) {
      std::string some = co_await reader.read(1 << 16);
      if (some.empty()) break;
      heard += some;
    }
  };
  auto ended = co_await capture(wait_for(listen(), 100s));
  result->hung = ended.holds<TimeoutError>();
  sending.cancel();
  auto sent = co_await capture(sending);
  (void)sent;
  result->replies = frames_of(heard);
  writer.abort();
}

inline std::string offer_head(std::string_view headers) {
  return "GET /ws HTTP/1.1\r\nHost: here\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
         "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n" +
         std::string(headers) + "\r\n";
}

/// What a scripted server answers to the request's head.
inline std::string answer_head(const std::string& request, std::string_view headers) {
  std::string_view name = "Sec-WebSocket-Key: ";
  std::size_t at = request.find(name) + name.size();
  std::string key = request.substr(at, request.find("\r\n", at) - at);
  return "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
         "Sec-WebSocket-Accept: " +
         http::detail::websocket_accept(key) + "\r\n" + std::string(headers) + "\r\n";
}

/// Our server and a scripted client. What the client says follows its handshake at once.
inline Coro<Conversation> converse_with_server(Script script, Setting setting) {
  Conversation result;
  web::Application app;
  app.get("/ws", [&](web::Request& request) -> Coro<web::Response> {
    WebSocket ws = co_await web::websocket(request, setting.options);
    co_await talk(ws, &result, setting.echoes);
    co_return web::Response::sent();
  });
  Served served = co_await serve(std::move(app));
  Streams streams = co_await open_connection("127.0.0.1", served.port());
  std::string bytes = script(true);
  streams.second.write(offer_head(setting.headers));
  result.head = co_await streams.first.readuntil("\r\n\r\n");
  co_await perform(streams.first, streams.second, std::move(bytes), &setting, &result);
  co_await served.cleanup();
  co_return result;
}

/// Our client and a scripted server.
inline Coro<Conversation> converse_with_client(Script script, Setting setting) {
  Conversation result;
  auto finished = get_running_loop().create_future<void>();
  auto peer = [&](StreamReader reader, StreamWriter writer) -> Coro<> {
    result.head = co_await reader.readuntil("\r\n\r\n");
    writer.write(answer_head(result.head, setting.headers));
    std::string bytes = script(false);
    co_await perform(reader, writer, std::move(bytes), &setting, &result);
    finished.set_result();
  };
  Server server = co_await start_server(peer, "127.0.0.1", 0);
  http::ClientSession session;
  http::URL url("http://127.0.0.1:" + std::to_string(server.sockets().at(0).port()) + "/ws");
  {
    WebSocket ws = co_await session.ws_connect(url, setting.options);
    co_await talk(ws, &result, setting.echoes);
  }
  co_await finished;
  session.close();
  server.close();
  co_await server.wait_closed();
  co_return result;
}

inline Coro<Conversation> converse(Role ours, Script script, Setting setting = {}) {
  return ours == Role::server ? converse_with_server(std::move(script), std::move(setting))
                              : converse_with_client(std::move(script), std::move(setting));
}

/// The same with frames that are well formed.
inline Script saying(std::vector<Frame> frames) {
  return [frames = std::move(frames)](bool masked) { return frame_bytes(frames, masked); };
}

using Handler = std::function<Coro<>(WebSocket)>;

/// A server whose WebSockets are for `handler`.
inline Coro<Served> serve_each(Handler handler, WebSocketOptions options = {}) {
  web::Application app;
  app.get("/ws", [handler, options](web::Request& request) -> Coro<web::Response> {
    WebSocket ws = co_await web::websocket(request, options);
    co_await handler(ws);
    co_return web::Response::sent();
  });
  co_return co_await serve(std::move(app));
}

/// A scripted client, after its handshake.
inline Coro<Streams> shaken(const Served& served, ConnectOptions options = {}) {
  Streams streams = co_await open_connection("127.0.0.1", served.port(), options);
  streams.second.write(offer_head(""));
  std::string head = co_await streams.first.readuntil("\r\n\r\n");
  if (!head.starts_with("HTTP/1.1 101 ")) throw RuntimeError("no WebSocket: " + head);
  co_return streams;
}

}  // namespace test

// SPDX-License-Identifier: BSL-1.0
/// A whole WebSocket, of our server or our client, whose peer says anything: an echo ends, says
/// nothing that a WebSocket may not say, and says the same however the peer's bytes are split.
#include "asyncio/logging.hpp"
#include "asyncio/testing/simulated.hpp"
#include "choices.hpp"
#include "http/utf8.hpp"
#include "websocket_peer.hpp"

#include <string>
#include <utility>
#include <vector>

using namespace asyncio;
using namespace test;
using fuzz::check;
using fuzz::Choices;

namespace {

constexpr std::size_t kMaxMessage = 1000;

/// Frames as they were chosen, or the bytes as they are.
std::string said_by_peer(Choices& choices, bool masked) {
  if (choices.one_in(2)) return choices.rest();
  std::string bytes;
  while (choices.any()) {
    const int first = choices.byte();
    const std::size_t size = choices.byte();
    bytes += frame_bytes(first, choices.text(size), masked);
  }
  return bytes;
}

std::string describe(const Frame& frame) {
  return std::to_string(frame.first) + ":" + frame.payload + "\n";
}

/// What we have said and seen, in words. Compressed frames are compared by what is in them.
std::string transcript(const Conversation& conversation, bool compressed, Role ours) {
  std::string text;
  for (const Frame& frame : conversation.replies) {
    check(frame.masked == (ours == Role::client), "a mask is wrong");
    const int opcode = frame.first & 0x0F;
    const bool is_control = opcode >= 8;
    check(opcode <= 2 || (opcode >= 8 && opcode <= 10), "an opcode that there is not");
    check((frame.first & 0x30) == 0, "a reserved bit");
    check(((frame.first & 0x40) != 0) == (compressed && !is_control), "RSV1 is wrong");
    check(!is_control || frame.payload.size() <= 125, "a control frame that is too large");
    text += describe(frame);
  }
  for (const WSMessage& message : conversation.seen) {
    check(message.data.size() <= kMaxMessage, "a message that is too large");
    check(message.type != WSMsgType::Text || http::detail::is_utf8(message.data),
          "a text that is none");
    text += std::to_string(static_cast<int>(message.type)) + ":" + message.data + ":" +
            std::to_string(static_cast<int>(message.close_code)) + "\n";
  }
  check(conversation.over, "the user was not told of the end");
  text += conversation.hung ? "left open" : "closed";
  return text + std::to_string(static_cast<int>(conversation.code.value_or(WSCloseCode::None)));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static bool quiet = (set_log_handler([](const LogRecord&) {}), true);
  (void)quiet;
  Choices choices(data, size);
  const Role ours = choices.one_in(2) ? Role::client : Role::server;
  Setting setting;
  setting.options.max_msg_size(kMaxMessage);
  const bool compressed = choices.one_in(2);
  if (compressed) {
    setting.headers = "Sec-WebSocket-Extensions: permessage-deflate";
    if (choices.one_in(2)) setting.headers += "; server_no_context_takeover";
    if (choices.one_in(2)) setting.headers += "; client_no_context_takeover";
    setting.headers += "\r\n";
  }
  std::vector<std::size_t> pieces;
  for (int left = 1 + choices.below(4); left > 0; --left)
    pieces.push_back(1 + choices.byte() % 40u);
  const std::string bytes = said_by_peer(choices, ours == Role::server);
  const auto told = [&](std::vector<std::size_t> sizes) {
    setting.pieces = std::move(sizes);
    auto script = [&](bool) { return bytes; };
    return transcript(testing::run_simulated(converse(ours, script, setting)), compressed, ours);
  };
  const std::string whole = told({});
  check(told(pieces) == whole, "the pieces of the input change what it means");
  check(told({1}) == whole, "single bytes change what the input means");
  return 0;
}

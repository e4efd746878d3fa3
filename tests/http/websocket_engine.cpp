// SPDX-License-Identifier: BSL-1.0
#include "http/websocket_engine.hpp"

#include "asyncio/exceptions.hpp"
#include "http/utf8.hpp"

#include <gtest/gtest.h>

#include <limits>
#include <optional>
#include <random>
#include <string>
#include <vector>

using namespace asyncio;
using namespace asyncio::http::detail;
using http::WSCloseCode;
using http::WSMessage;
using http::WSMsgType;

namespace {

/// An end, with what it has to say.
class Side {
 public:
  explicit Side(const WebSocketEngine::Settings& settings) : engine(settings) {}

  void send(WSMsgType type, std::string_view data) { engine.send(type, data, said_); }
  void close(WSCloseCode code, std::string_view reason) { engine.close(code, reason, said_); }
  std::string said() { return std::exchange(said_, {}); }

  /// What it makes of these bytes, in pieces.
  std::vector<WSMessage> hear(std::string_view bytes, std::size_t piece = std::string_view::npos) {
    std::vector<WSMessage> messages;
    while (!bytes.empty()) {
      std::string_view some = bytes.substr(0, piece);
      bytes.remove_prefix(some.size());
      while (auto message = engine.next(some, said_)) messages.push_back(std::move(*message));
    }
    return messages;
  }

  WebSocketEngine engine;

 private:
  std::string said_;
};

/// A frame of a client with a mask of zeros.
std::string frame(int first, std::string_view payload) {
  std::string bytes{static_cast<char>(first)};
  if (payload.size() < 126) {
    bytes += static_cast<char>(0x80 | payload.size());
  } else {
    bytes += static_cast<char>(0x80 | 126);
    bytes += static_cast<char>(payload.size() >> 8);
    bytes += static_cast<char>(payload.size() & 0xFF);
  }
  return bytes + std::string(4, '\0') + std::string(payload);
}

/// What a server answers to bytes that break the protocol.
WSCloseCode code_for(std::string_view bytes, const WebSocketEngine::Settings& settings = {}) {
  Side server(settings);
  for (const WSMessage& message : server.hear(bytes)) EXPECT_NE(message.type, WSMsgType::Text);
  EXPECT_FALSE(server.engine.wants_input());
  Side client({.is_client = true});
  std::vector<WSMessage> got = client.hear(server.said());
  EXPECT_EQ(got.size(), 1u);
  EXPECT_EQ(got.at(0).close_code, server.engine.sent_code());
  EXPECT_EQ(got.at(0).data, server.engine.error());
  return server.engine.sent_code();
}

struct Both {
  explicit Both(std::optional<DeflateTerms> terms = std::nullopt)
      : client({.is_client = true, .deflate = terms}), server({.deflate = terms}) {}

  Side client;
  Side server;
};

TEST(WebSocketEngine, S44_messages_arrive_whole_in_pieces_of_any_size) {
  std::string large(100'000, 'x');
  for (std::size_t piece : {std::size_t{1}, std::size_t{1000}, std::string_view::npos}) {
    Both both;
    for (std::string_view text :
         {std::string_view("hello"), std::string_view(), std::string_view(large)})
      both.client.send(WSMsgType::Text, text);
    both.client.send(WSMsgType::Binary, std::string_view("\0\xff", 2));
    std::vector<WSMessage> got = both.server.hear(both.client.said(), piece);
    ASSERT_EQ(got.size(), 4u);
    EXPECT_EQ(got[0].type, WSMsgType::Text);
    EXPECT_EQ(got[0].data, "hello");
    EXPECT_EQ(got[1].data, "");
    EXPECT_TRUE(got[2].data == large);
    EXPECT_EQ(got[3].type, WSMsgType::Binary);
    both.server.send(WSMsgType::Text, "back");
    EXPECT_EQ(both.server.said(),
              "\x81\x04"
              "back");
  }
}

TEST(WebSocketEngine, S44_fragments_become_one_message_and_pings_between_them_are_answered) {
  const std::string bytes =
      frame(0x01, "one ") + frame(0x89, "?") + frame(0x00, "two ") + frame(0x80, "three");
  Side server({});
  std::vector<WSMessage> got = server.hear(bytes);
  ASSERT_EQ(got.size(), 1u);
  EXPECT_EQ(got[0].data, "one two three");
  EXPECT_EQ(server.said(), "\x8a\x01?");
  Side shows({.autoping = false});
  got = shows.hear(bytes);
  ASSERT_EQ(got.size(), 2u);
  EXPECT_EQ(got[0].type, WSMsgType::Ping);
  EXPECT_EQ(got[0].data, "?");
  EXPECT_EQ(shows.said(), "");
}

TEST(WebSocketEngine, S44_both_sides_close) {
  Both both;
  both.client.close(WSCloseCode::GoingAway, "bye");
  both.client.send(WSMsgType::Text, "too late");
  std::vector<WSMessage> got = both.server.hear(both.client.said());
  ASSERT_EQ(got.size(), 1u);
  EXPECT_EQ(got[0].type, WSMsgType::Close);
  EXPECT_EQ(got[0].close_code, WSCloseCode::GoingAway);
  EXPECT_EQ(got[0].data, "bye");
  EXPECT_FALSE(both.client.engine.is_close_received());
  got = both.client.hear(both.server.said());
  ASSERT_EQ(got.size(), 1u);
  EXPECT_TRUE(both.client.engine.is_close_received() && both.client.engine.is_close_sent());
  EXPECT_TRUE(both.server.engine.is_close_received() && both.server.engine.is_close_sent());
  Side server({});
  got = server.hear(frame(0x88, ""));
  ASSERT_EQ(got.size(), 1u);
  EXPECT_EQ(got[0].close_code, WSCloseCode::None);
}

TEST(WebSocketEngine, R13_what_breaks_the_protocol_is_answered_with_its_code) {
  EXPECT_EQ(code_for(std::string("\x81\x01x", 3)), WSCloseCode::ProtocolError);  // no mask
  EXPECT_EQ(code_for(frame(0xC1, "x")), WSCloseCode::ProtocolError);             // RSV1
  EXPECT_EQ(code_for(frame(0x83, "x")), WSCloseCode::ProtocolError);             // opcode 3
  EXPECT_EQ(code_for(frame(0x09, "x")), WSCloseCode::ProtocolError);             // ping in parts
  EXPECT_EQ(code_for(frame(0x89, std::string(126, 'x'))), WSCloseCode::ProtocolError);
  EXPECT_EQ(code_for(frame(0x80, "x")), WSCloseCode::ProtocolError);  // continues nothing
  EXPECT_EQ(code_for(frame(0x01, "x") + frame(0x81, "y")), WSCloseCode::ProtocolError);
  EXPECT_EQ(code_for(frame(0x88, "x")), WSCloseCode::ProtocolError);         // half a code
  EXPECT_EQ(code_for(frame(0x88, "\x03\xed")), WSCloseCode::ProtocolError);  // 1005
  EXPECT_EQ(code_for(frame(0x81, "\xff")), WSCloseCode::InvalidText);
  EXPECT_EQ(code_for(frame(0x81, "\xed\xa0\x80")), WSCloseCode::InvalidText);
  EXPECT_EQ(code_for(frame(0x82, std::string(1001, 'x')), {.max_message = 1000}),
            WSCloseCode::MessageTooBig);
  EXPECT_EQ(code_for(frame(0x02, std::string(600, 'x')) + frame(0x80, std::string(600, 'x')),
                     {.max_message = 1000}),
            WSCloseCode::MessageTooBig);
}

TEST(WebSocketEngine, R13_a_client_says_why_too) {
  Both both;
  EXPECT_TRUE(both.client.hear("\x09\x01x").empty());
  std::vector<WSMessage> got = both.server.hear(both.client.said());
  ASSERT_EQ(got.size(), 1u);
  EXPECT_EQ(got[0].close_code, WSCloseCode::ProtocolError);
}

TEST(WebSocketEngine, R13_what_cannot_be_sent_is_refused) {
  Side engine({});
  EXPECT_THROW(engine.close(WSCloseCode::AbnormalClosure, ""), ValueError);
  EXPECT_THROW(engine.close(static_cast<WSCloseCode>(2000), ""), ValueError);
  EXPECT_THROW(engine.close(WSCloseCode::Ok, std::string(124, 'x')), ValueError);
  EXPECT_THROW(engine.send(WSMsgType::Ping, std::string(126, 'x')), ValueError);
  EXPECT_THROW(engine.send(WSMsgType::Close, ""), ValueError);
}

TEST(PermessageDeflate, S44_messages_shrink_and_come_back) {
  for (bool forget : {false, true}) {
    for (int bits : {9, 12, 15}) {
      Both both(DeflateTerms{forget, forget, bits, bits});
      std::mt19937 random(3);
      for (std::size_t size : {0, 0, 5, 1000, 1000, 70'000}) {
        std::string text(size, 'x');
        for (std::size_t i = 0; i < size; i += 20) text[i] = static_cast<char>('a' + random() % 26);
        both.client.send(WSMsgType::Text, text);
        std::string packed = both.client.said();
        EXPECT_LT(packed.size(), size / 4 + 20);
        std::vector<WSMessage> got = both.server.hear(packed, 7);
        ASSERT_EQ(got.size(), 1u);
        EXPECT_TRUE(got[0].data == text);
        both.server.send(WSMsgType::Binary, text);
        got = both.client.hear(both.server.said());
        ASSERT_EQ(got.size(), 1u);
        EXPECT_TRUE(got[0].data == text);
      }
    }
  }
}

TEST(PermessageDeflate, R13_a_bomb_and_garbage_are_refused) {
  DeflateTerms terms;
  PermessageDeflate packer(terms, true);
  std::string bomb = frame(0xC2, packer.compress(std::string(5'000'000, 'x')));
  EXPECT_EQ(code_for(bomb, {.deflate = terms}), WSCloseCode::MessageTooBig);
  EXPECT_EQ(code_for(frame(0xC2, "\xff\xff\xff"), {.deflate = terms}), WSCloseCode::InvalidText);
  PermessageDeflate other(terms, true);
  EXPECT_EQ(code_for(frame(0xC1, other.compress("\xff")), {.deflate = terms}),
            WSCloseCode::InvalidText);
  // Only a message's first frame says that it is compressed.
  EXPECT_EQ(code_for(frame(0x41, "x") + frame(0xC0, "y"), {.deflate = terms}),
            WSCloseCode::ProtocolError);
}

/// The fuzzer's: of two things that are wrong, which one is told depended on the pieces.
TEST(PermessageDeflate, R13_what_is_wrong_first_is_told_however_a_frame_is_cut) {
  const DeflateTerms terms;
  PermessageDeflate other(terms, true);
  const std::string bytes = frame(0xC1, other.compress("\xff" + std::string(5000, 'a')));
  for (std::size_t piece : {std::size_t{1}, std::size_t{7}, std::string_view::npos}) {
    Side server({.max_message = 1000, .deflate = terms});
    server.hear(bytes, piece);
    EXPECT_EQ(server.engine.sent_code(), WSCloseCode::InvalidText) << piece;
    EXPECT_EQ(server.engine.error(), "a text that is not UTF-8") << piece;
  }
}

/// No sum with a limit wraps, which made one of 0 of the highest, and a loop without an end.
TEST(WebSocketEngine, R13_there_may_be_no_limit_at_all) {
  const std::string text(5'000'000, 'x');
  for (std::size_t limit : {std::size_t{0}, std::numeric_limits<std::size_t>::max(),
                            std::numeric_limits<std::size_t>::max() - 1}) {
    for (bool compress : {false, true}) {
      std::optional<DeflateTerms> terms;
      if (compress) terms = DeflateTerms();
      Side client({.is_client = true, .deflate = terms});
      Side server({.max_message = limit, .deflate = terms});
      client.send(WSMsgType::Text, text);
      client.send(WSMsgType::Text, "");
      std::vector<WSMessage> got = server.hear(client.said());
      ASSERT_EQ(got.size(), 2u) << limit;
      EXPECT_TRUE(got[0].data == text);
    }
  }
  EXPECT_EQ(code_for(frame(0x82, "xx"), {.max_message = 1}), WSCloseCode::MessageTooBig);
}

TEST(PermessageDeflate, R13_a_limit_can_be_the_highest_number) {
  PermessageDeflate packer(DeflateTerms(), true);
  PermessageDeflate reader(DeflateTerms(), false);
  const std::string text(10'000, 'x');
  std::string message;
  const std::size_t most = std::numeric_limits<std::size_t>::max();
  EXPECT_EQ(reader.decompress(packer.compress(text), most, message),
            PermessageDeflate::Outcome::good);
  EXPECT_EQ(reader.finish(most, message), PermessageDeflate::Outcome::good);
  EXPECT_TRUE(message == text);
}

std::optional<DeflateTerms> accepted(std::string_view offers) {
  return accept_deflate(offers, DeflateTerms());
}
std::optional<DeflateTerms> settled(std::string_view answer) {
  return read_deflate_answer(answer, DeflateTerms());
}

TEST(DeflateTerms, S44_are_negotiated_as_RFC_7692_says) {
  EXPECT_EQ(accepted("permessage-deflate"), DeflateTerms());
  EXPECT_EQ(accepted(deflate_offer(DeflateTerms())), DeflateTerms());
  EXPECT_EQ(accepted("other, permessage-deflate; server_max_window_bits=10; "
                     "client_max_window_bits=11; client_no_context_takeover"),
            (DeflateTerms{false, true, 10, 11}));
  EXPECT_EQ(accepted("permessage-deflate; unknown, permessage-deflate"), DeflateTerms());
  for (std::string_view none :
       {"", "other", "permessage-deflate; server_max_window_bits", "permessage-deflate; x=1",
        "permessage-deflate; server_max_window_bits=7",
        "permessage-deflate; server_max_window_bits=8",
        "permessage-deflate; server_max_window_bits=010",
        "permessage-deflate; server_no_context_takeover; server_no_context_takeover",
        "permessage-deflate; server_no_context_takeover=1"})
    EXPECT_EQ(accepted(none), std::nullopt) << none;
  DeflateTerms terms{true, false, 10, 15};
  EXPECT_EQ(deflate_answer(terms),
            "permessage-deflate; server_no_context_takeover; server_max_window_bits=10");
  EXPECT_EQ(settled(deflate_answer(terms)), terms);
  EXPECT_EQ(settled(""), std::nullopt);
  for (std::string_view wrong : {"other", "permessage-deflate, permessage-deflate",
                                 "permessage-deflate; client_max_window_bits",
                                 "permessage-deflate; client_max_window_bits=8"})
    EXPECT_THROW(settled(wrong), ValueError) << wrong;
}

TEST(DeflateTerms, S44_each_side_limits_what_it_wants) {
  const DeflateTerms little{true, true, 10, 11};
  EXPECT_EQ(deflate_offer(little),
            "permessage-deflate; server_no_context_takeover; client_no_context_takeover; "
            "server_max_window_bits=10; client_max_window_bits=11");
  // A server may use less than it was asked for, and tell a client to that has said it can.
  EXPECT_EQ(accept_deflate(deflate_offer(DeflateTerms()), little), little);
  EXPECT_EQ(accept_deflate("permessage-deflate", little), (DeflateTerms{true, true, 10, 15}));
  EXPECT_EQ(accept_deflate("permessage-deflate; client_max_window_bits=9; "
                           "server_max_window_bits=9",
                           little),
            (DeflateTerms{true, true, 9, 9}));
  // A client holds the server to what it has asked for, and may itself use less.
  EXPECT_EQ(read_deflate_answer("permessage-deflate; server_no_context_takeover; "
                                "server_max_window_bits=10",
                                little),
            little);
  EXPECT_THROW(read_deflate_answer("permessage-deflate", little), ValueError);
  EXPECT_THROW(read_deflate_answer("permessage-deflate; server_no_context_takeover", little),
               ValueError);
}

TEST(Utf8, R13_is_checked_as_RFC_3629_says) {
  for (std::string_view right :
       {"", "plain text, longer than eight", "\xc2\x80", "\xdf\xbf", "\xe0\xa0\x80", "\xed\x9f\xbf",
        "\xee\x80\x80", "\xef\xbf\xbf", "\xf0\x90\x80\x80", "\xf4\x8f\xbf\xbf", "12345678\xc3\xa9"})
    EXPECT_TRUE(is_utf8(right)) << right;
  for (std::string_view wrong :
       {"\x80", "\xc0\x80", "\xc1\xbf", "\xc2", "\xe0\x9f\xbf", "\xed\xa0\x80", "\xe2\x82",
        "\xf0\x8f\xbf\xbf", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xff", "12345678\x80",
        "\xe2\x82\x41", "\xc2\x41"})
    EXPECT_FALSE(is_utf8(wrong)) << wrong;
}

TEST(Utf8, fault159_knows_the_first_wrong_byte) {
  Utf8 reader;
  EXPECT_TRUE(reader.feed("12345678\xf4"));
  EXPECT_FALSE(reader.complete());
  EXPECT_TRUE(reader.feed("\x8f"));
  EXPECT_TRUE(reader.feed("\xbf"));
  EXPECT_TRUE(reader.feed("\xbf"));
  EXPECT_TRUE(reader.complete());
  EXPECT_TRUE(reader.feed("\xf4"));
  EXPECT_FALSE(reader.feed("\x90"));  // above U+10FFFF, whatever follows
}

}  // namespace

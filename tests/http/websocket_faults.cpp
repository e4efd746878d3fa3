// SPDX-License-Identifier: BSL-1.0
// What can go wrong on a WebSocket, over whole connections: our server and a scripted client, our
// client and a scripted server.
#include "allocation_count.hpp"
#include "asyncio/testing/network.hpp"
#include "asyncio/testing/simulated.hpp"
#include "captures.hpp"
#include "seeds.hpp"
#include "websocket_peer.hpp"

#include <gtest/gtest.h>

#include <set>
#include <string>
#include <vector>

using namespace asyncio;
using namespace std::chrono_literals;
using namespace test;
using asyncio::testing::run_simulated;

namespace {

/// For both roles.
class WebSocketFaults : public ::testing::TestWithParam<Role> {
 public:
  Role ours() const { return GetParam(); }

  Conversation play(Script script, Setting setting = {}, std::uint64_t seed = 0) {
    return run_simulated(converse(ours(), std::move(script), std::move(setting)), seed);
  }
  /// The code with which we close; every conversation that breaks the protocol ends with one, and
  /// our user has seen nothing but `messages` and the end.
  int code_for(Script script, Setting setting = {}, std::size_t messages = 0) {
    Conversation result = play(std::move(script), std::move(setting));
    EXPECT_FALSE(result.hung);
    EXPECT_TRUE(result.over);
    EXPECT_EQ(result.seen.size(), messages + 1);
    if (result.seen.empty()) return -2;
    EXPECT_EQ(result.seen.back().type, WSMsgType::Closed);
    EXPECT_EQ(static_cast<int>(result.code.value_or(WSCloseCode::None)), result.close_sent());
    return result.close_sent();
  }
  int code_for(std::vector<Frame> frames, Setting setting = {}, std::size_t messages = 0) {
    return code_for(saying(std::move(frames)), std::move(setting), messages);
  }
};
INSTANTIATE_TEST_SUITE_P(Roles, WebSocketFaults, ::testing::Values(Role::server, Role::client),
                         RoleName());

Setting with_deflate(std::string_view parameters = "") {
  Setting setting;
  setting.headers =
      "Sec-WebSocket-Extensions: permessage-deflate" + std::string(parameters) + "\r\n";
  return setting;
}

TEST_P(WebSocketFaults, fault154_a_mask_that_is_wrong_is_1002) {
  EXPECT_EQ(code_for([](bool masked) { return frame_bytes(kText, "hello", !masked); }), 1002);
  EXPECT_EQ(code_for([](bool masked) { return frame_bytes(kPing, "", !masked); }), 1002);
}

TEST_P(WebSocketFaults, fault155_frames_that_there_are_not_are_1002) {
  for (int rsv : {0x10, 0x20, 0x30, 0x40, 0x50, 0x60, 0x70})
    for (int first : {kText, kBinary, kPing, kPong, kClose})
      EXPECT_EQ(code_for({{first | rsv, ""}}), 1002) << first << " " << rsv;
  for (int opcode : {3, 4, 5, 6, 7, 11, 12, 13, 14, 15})
    for (int fin : {0x00, 0x80}) EXPECT_EQ(code_for({{fin | opcode, "x"}}), 1002) << opcode;
  for (int control : {kPing, kPong, kClose}) {
    EXPECT_EQ(code_for({{control, std::string(126, 'x')}}), 1002);
    EXPECT_EQ(code_for({{control & 0x0F, "xx"}}), 1002);
    // Told in two bytes, though it would fit into one.
    EXPECT_EQ(code_for([&](bool masked) {
                return head_bytes(control, 2, 2, masked) + std::string(masked ? 6 : 2, '\3');
              }),
              1002);
  }
  EXPECT_EQ(code_for({{kEnds, "stray"}}), 1002);
  EXPECT_EQ(code_for({{kGoesOn, "stray"}}), 1002);
  EXPECT_EQ(code_for({{kText, "whole"}, {kEnds, "stray"}}, {}, 1), 1002);
  EXPECT_EQ(code_for({{kTextBegins, "one"}, {kText, "two"}}), 1002);
  EXPECT_EQ(code_for({{kTextBegins, "one"}, {kBinaryBegins, "two"}}), 1002);
  EXPECT_EQ(code_for({{kTextBegins, "one"}, {kPing, "fine"}, {kBinary, "two"}}), 1002);
}

TEST_P(WebSocketFaults, fault156_lengths_that_cannot_be_are_refused_before_there_is_memory) {
  constexpr std::uint64_t kHighest = std::uint64_t{1} << 63;
  const std::string mask = ours() == Role::server ? "mask" : "";
  auto head = [&](std::uint64_t length, int length_bytes) {
    return code_for([&](bool masked) {
      return head_bytes(kBinary, length, length_bytes, masked) + mask + "payload";
    });
  };
  EXPECT_EQ(head(kHighest, 8), 1002);
  EXPECT_EQ(head(~std::uint64_t{0}, 8), 1002);
  for (std::uint64_t length : {0, 1, 125}) EXPECT_EQ(head(length, 2), 1002);
  for (std::uint64_t length : {0, 125, 126, 65535}) EXPECT_EQ(head(length, 8), 1002);
  AllocationCount count;
  for (std::uint64_t length : {std::uint64_t{4 << 20} + 1, std::uint64_t{1} << 40, kHighest - 1})
    EXPECT_EQ(head(length, 8), 1009);
  if (kCountsAllocations) {
    EXPECT_LT(count.live_bytes(), 1 << 20);
  }
  // The parts of a message count together; what is announced is counted, not what has come.
  Setting small;
  small.options.max_msg_size(1000);
  EXPECT_EQ(
      code_for({{kBinaryBegins, std::string(600, 'x')}, {kGoesOn, std::string(401, 'x')}}, small),
      1009);
  Conversation fits = play(saying({{kBinaryBegins, std::string(600, 'x')},
                                   {kEnds, std::string(400, 'x')},
                                   {kClose, close_payload(1000)}}),
                           small);
  ASSERT_EQ(fits.seen.size(), 2u);
  EXPECT_EQ(fits.seen[0].data.size(), 1000u);
}

/// While the peer goes on sending parts of one byte, never the last.
Coro<> endless_fragments(Role ours, std::size_t fragments, std::size_t limit) {
  Setting setting;
  setting.options.max_msg_size(limit);
  std::string bytes = frame_bytes(kBinaryBegins, "x", ours == Role::server);
  const std::string one = frame_bytes(kGoesOn, "x", ours == Role::server);
  for (std::size_t i = 1; i < fragments; ++i) bytes += one;
  std::ptrdiff_t most = 0;
  AllocationCount count;
  auto watch = [&]() -> Coro<> {
    for (;;) {
      most = std::max(most, count.live_bytes());
      co_await sleep(1ms);
    }
  };
  Task<> watching = create_task(watch());
  setting.pieces = {10'000};
  auto script = [&](bool) { return bytes; };
  Conversation result = co_await converse(ours, script, setting);
  watching.cancel();
  EXPECT_EQ(result.close_sent(), fragments > limit ? 1009 : -1);
  // The script, and what the test's own peer holds, are not ours.
  if (kCountsAllocations) {
    EXPECT_LT(most, static_cast<std::ptrdiff_t>(2 * bytes.size() + limit + (1 << 20)));
  }
}

TEST_P(WebSocketFaults, fault157_a_message_in_endless_parts_takes_no_more_than_its_bytes) {
  run_simulated(endless_fragments(ours(), 131'000, 100'000));
}

TEST_P(WebSocketFaults, fault157_a_frame_in_single_bytes_is_whole) {
  Setting bytewise;
  bytewise.pieces = {1};
  const std::string text = "\xc3\xa9t\xc3\xa9 " + pattern(0) + std::string(300, 'y');
  Conversation result = play(
      saying({{kText, text}, {kPing, "p"}, {kClose, close_payload(1001, "\xc3\xa9")}}), bytewise);
  ASSERT_EQ(result.seen.size(), 2u);
  EXPECT_EQ(result.seen[0].data, text);
  EXPECT_EQ(result.seen[1].close_code, WSCloseCode::GoingAway);
  EXPECT_EQ(result.seen[1].data, "\xc3\xa9");
  EXPECT_EQ(result.close_sent(), 1001);
}

TEST_P(WebSocketFaults, fault158_compressed_messages_that_are_none_are_refused) {
  http::detail::DeflateTerms terms;
  http::detail::PermessageDeflate packer(terms, ours() == Role::server);
  const std::string bomb = packer.compress(std::string(5'000'000, 'x'));
  EXPECT_LT(bomb.size(), 10'000u);
  EXPECT_EQ(code_for({{0xC2, bomb}}, with_deflate()), 1009);
  // The same in parts: the message counts, not its frames.
  EXPECT_EQ(code_for({{0x42, bomb.substr(0, 100)}, {kEnds, bomb.substr(100)}}, with_deflate()),
            1009);
  EXPECT_EQ(code_for({{0xC1, "x"}}), 1002);  // not negotiated
  EXPECT_EQ(code_for({{kTextBegins, "x"}, {0xC0, "y"}}, with_deflate()), 1002);
  EXPECT_EQ(code_for({{kTextBegins, "x"}, {0x40, "y"}}, with_deflate()), 1002);
  for (int control : {kPing, kPong, kClose})
    EXPECT_EQ(code_for({{control | 0x40, ""}}, with_deflate()), 1002);
  EXPECT_EQ(code_for({{0xC2, "\xff\xff\xff"}}, with_deflate()), 1007);
  // A final block, then more than the one byte that may follow.
  EXPECT_EQ(code_for({{0xC2, std::string("\x03\x00\x00\x00", 4)}}, with_deflate()), 1007);
  // Cut: what is missing is not made up.
  std::string cut = packer.compress(pattern(1000));
  EXPECT_EQ(code_for({{0xC2, cut.substr(0, cut.size() / 2)}}, with_deflate()), 1007);
  // A message that refers to one before it, which the other side was told to forget.
  const std::string forgets = "; server_no_context_takeover; client_no_context_takeover";
  http::detail::PermessageDeflate keeps(terms, ours() == Role::server);
  const std::string first = keeps.compress(pattern(500)), second = keeps.compress(pattern(500));
  EXPECT_LT(second.size(), first.size() / 4);
  EXPECT_EQ(code_for({{0xC2, first}, {0xC2, second}}, with_deflate(forgets), 1), 1007);
  Conversation fine = play(saying({{0xC2, first}, {0xC2, second}, {kClose, ""}}), with_deflate());
  ASSERT_EQ(fine.seen.size(), 3u);
  EXPECT_TRUE(fine.seen[0].data == fine.seen[1].data);
}

TEST_P(WebSocketFaults, fault159_what_is_no_UTF8_is_1007_at_its_first_wrong_byte) {
  using namespace std::string_literals;
  const std::vector<std::string> wrong{
      "\x80",         "\xc0\x80",         "\xc1\xbf",         "\xe0\x9f\xbf", "\xed\xa0\x80",
      "\xed\xbf\xbf", "\xf0\x8f\xbf\xbf", "\xf4\x90\x80\x80", "\xf5",         "\xff",
      "12345678\x80", "\xe2\x82\x41",     "\xc2\x41"};
  for (const std::string& text : wrong) {
    EXPECT_EQ(code_for({{kText, text}}), 1007);
    // The message would go on, and the frame as well: nobody waits for them.
    EXPECT_EQ(code_for({{kTextBegins, "fine " + text}}), 1007);
    EXPECT_EQ(code_for([&](bool masked) {
                std::string whole = frame_bytes(kText, text + std::string(200, 'x'), masked);
                return whole.substr(0, whole.size() - 200);
              }),
              1007);
    EXPECT_EQ(code_for({{kClose, close_payload(1000, text)}}), 1007);
    // Each byte a frame of its own.
    std::vector<Frame> parts{{kTextBegins, ""}};
    for (char byte : text) parts.emplace_back(kGoesOn, std::string(1, byte));
    EXPECT_EQ(code_for(parts), 1007);
    Setting bytewise;
    bytewise.pieces = {1};
    EXPECT_EQ(code_for({{kClose, close_payload(1000, text)}}, bytewise), 1007);
  }
  for (const std::string& text : {"\xc2"s, "\xe2\x82"s, "\xf0\x9f\x92"s}) {
    EXPECT_EQ(code_for({{kText, text}}), 1007);
    EXPECT_EQ(code_for({{kTextBegins, text}, {kEnds, ""}}), 1007);
    EXPECT_EQ(code_for({{kClose, close_payload(1000, text)}}), 1007);
  }
  // A character in two frames is none the worse for it.
  Conversation fine =
      play(saying({{kTextBegins, "\xf0\x9f"}, {kPing, "\xff"}, {kEnds, "\x92\xa9"}, {kClose, ""}}));
  ASSERT_EQ(fine.seen.size(), 2u);
  EXPECT_EQ(fine.seen[0].data, "\xf0\x9f\x92\xa9");
}

TEST_P(WebSocketFaults, fault160_a_close_that_says_nonsense_is_1002) {
  EXPECT_EQ(code_for({{kClose, "x"}}), 1002);
  for (int code : {0, 1, 500, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65535})
    EXPECT_EQ(code_for({{kClose, close_payload(code)}}), 1002) << code;
  EXPECT_EQ(code_for({{kClose, close_payload(1000, std::string(124, 'x'))}}), 1002);
  for (int code : {1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000,
                   3999, 4000, 4999}) {
    Conversation result = play(saying({{kClose, close_payload(code, std::string(123, 'x'))}}));
    ASSERT_EQ(result.seen.size(), 1u);
    EXPECT_EQ(result.seen[0].type, WSMsgType::Close);
    EXPECT_EQ(static_cast<int>(result.seen[0].close_code), code);
    EXPECT_EQ(result.seen[0].data, std::string(123, 'x'));
    EXPECT_EQ(result.close_sent(), code);
  }
}

TEST_P(WebSocketFaults, fault160_the_user_sees_one_close_and_nothing_after_it) {
  Conversation result = play(saying({{kText, "before"},
                                     {kClose, close_payload(1000)},
                                     {kText, "after"},
                                     {kPing, "after"},
                                     {kClose, close_payload(1001)}}));
  ASSERT_EQ(result.seen.size(), 2u);
  EXPECT_EQ(result.seen[1].type, WSMsgType::Close);
  EXPECT_EQ(result.code, WSCloseCode::Ok);
  ASSERT_EQ(result.replies.size(), 2u);  // the echo, the close
  EXPECT_FALSE(result.hung);
}

/// A server that answers nothing, or only to what it has read.
Coro<> close_to_silence(bool answers) {
  auto peer = [&](StreamReader reader, StreamWriter writer) -> Coro<> {
    std::string head = co_await reader.readuntil("\r\n\r\n");
    writer.write(answer_head(head, ""));
    if (answers) {  // both say it at once
      writer.write(frame_bytes(kText, "last words", false));
      writer.write(frame_bytes(kClose, close_payload(4000), false));
    }
    std::string rest = co_await reader.read();
    std::vector<Frame> frames = frames_of(rest);
    EXPECT_EQ(frames.size(), 1u);
    EXPECT_EQ(code_of(frames.at(0)), 1001);
    writer.close();
  };
  Server server = co_await start_server(peer, "127.0.0.1", 0);
  http::ClientSession session;
  http::URL url("http://127.0.0.1:" + std::to_string(server.sockets().at(0).port()) + "/");
  WebSocket ws = co_await session.ws_connect(url, WebSocketOptions().close_timeout(3s));
  TimePoint before = get_running_loop().time();
  co_await ws.close(WSCloseCode::GoingAway);
  auto took = get_running_loop().time() - before;
  EXPECT_EQ(took >= 3s, !answers);
  EXPECT_LT(took, 4s);
  EXPECT_EQ(ws.close_code(),
            answers ? static_cast<WSCloseCode>(4000) : WSCloseCode::AbnormalClosure);
  co_await ws.close();
  WSMessage after = co_await ws.receive();
  EXPECT_EQ(after.type, WSMsgType::Closed);
  session.close();
  server.close();
  co_await server.wait_closed();
}

TEST(WebSocketClose, fault160_a_close_without_an_answer_ends_with_its_limit) {
  run_simulated(close_to_silence(false));
  run_simulated(close_to_silence(true));
}

}  // namespace

// SPDX-License-Identifier: BSL-1.0
// Fault 168: the groups of cases that WebSocket libraries are compared by, written from RFC 6455
// and RFC 7692: 1 framing, 2 pings, 3 reserved bits, 4 opcodes, 5 fragments, 6 UTF-8, 7 closing,
// 9 sizes, 10 pieces, 12 and 13 compression. Each is a script and what an echo says to it, on
// either side.
#include "asyncio/testing/simulated.hpp"
#include "websocket_peer.hpp"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

using namespace asyncio;
using namespace test;
using asyncio::testing::run_simulated;

namespace {

constexpr int kNoCode = 0;

/// What is said, and what has to be answered: whole messages, pongs, and a close.
class Case {
 public:
  Case(std::string its_name, std::vector<Frame> says, std::vector<Frame> gets, int its_code = 1000)
      : name(std::move(its_name)),
        script(std::move(says)),
        answers(std::move(gets)),
        code(its_code) {
    if (code == 1000) script.emplace_back(kClose, close_payload(1000));
  }
  Case&& in_pieces(std::size_t bytes) && {
    piece = bytes;
    return std::move(*this);
  }

  std::string name;
  std::vector<Frame> script;
  std::vector<Frame> answers;
  int code;
  std::size_t piece = 0;
};

std::string sized(std::size_t size) { return std::string(size, '*'); }

/// A message in frames of so many bytes.
std::vector<Frame> fragmented(int opcode, const std::string& text, std::size_t size) {
  std::vector<Frame> frames;
  for (std::size_t at = 0; at < text.size(); at += size)
    frames.emplace_back(at == 0 ? opcode : kGoesOn, text.substr(at, size));
  frames.back().first |= kEnds;
  return frames;
}

void add_framing(std::vector<Case>& cases) {
  for (int first : {kText, kBinary}) {
    std::string group = first == kText ? "1.1." : "1.2.";
    int number = 0;
    for (std::size_t size : {0, 125, 126, 127, 128, 65535, 65536}) {
      Frame frame(first, sized(size));
      cases.emplace_back(group + std::to_string(++number), std::vector{frame}, std::vector{frame});
    }
    Frame frame(first, sized(65536));
    cases.push_back(Case(group + "8", {frame}, {frame}).in_pieces(997));
  }
}

void add_pings(std::vector<Case>& cases) {
  using Frames = std::vector<Frame>;
  const std::string binary("\x00\xff\xfe\xfd\xfc\xfb\x00\xff", 8);
  cases.emplace_back("2.1", Frames{{kPing, ""}}, Frames{{kPong, ""}});
  cases.emplace_back("2.2", Frames{{kPing, "Hello"}}, Frames{{kPong, "Hello"}});
  cases.emplace_back("2.3", Frames{{kPing, binary}}, Frames{{kPong, binary}});
  const std::string most(125, '\xfe');
  cases.emplace_back("2.4", Frames{{kPing, most}}, Frames{{kPong, most}});
  cases.emplace_back("2.5", Frames{{kPing, most + "x"}}, Frames{}, 1002);
  cases.push_back(Case("2.6", {{kPing, most}}, {{kPong, most}}).in_pieces(1));
  cases.emplace_back("2.7", Frames{{kPong, ""}}, Frames{});
  cases.emplace_back("2.8", Frames{{kPong, "unasked"}}, Frames{});
  cases.emplace_back("2.9", Frames{{kPong, "unasked"}, {kPing, "p"}}, Frames{{kPong, "p"}});
  Frames pings, pongs;
  for (int i = 0; i < 10; ++i) {
    pings.emplace_back(kPing, "payload-" + std::to_string(i));
    pongs.emplace_back(kPong, "payload-" + std::to_string(i));
  }
  cases.emplace_back("2.10", pings, pongs);
  cases.push_back(Case("2.11", pings, pongs).in_pieces(1));
}

void add_reserved(std::vector<Case>& cases) {
  using Frames = std::vector<Frame>;
  const Frame hello(kText, "Hello");
  cases.emplace_back("3.1", Frames{{0xC1, "Hello"}}, Frames{}, 1002);
  cases.emplace_back("3.2", Frames{hello, {0xA1, "Hello"}, {kPing, ""}}, Frames{hello}, 1002);
  cases.emplace_back("3.3", Frames{hello, {0xB1, "Hello"}, {kPing, ""}}, Frames{hello}, 1002);
  for (std::size_t piece : {0, 1})
    cases.push_back(
        Case("3.4", {hello, {0xC1, "Hello"}, {kPing, ""}}, {hello}, 1002).in_pieces(piece));
  cases.emplace_back("3.5", Frames{{0xD2, "Hello"}}, Frames{}, 1002);
  cases.emplace_back("3.6", Frames{{0xE9, "Hello"}}, Frames{}, 1002);
  cases.emplace_back("3.7", Frames{{0xF8, ""}}, Frames{}, 1002);
}

void add_opcodes(std::vector<Case>& cases) {
  using Frames = std::vector<Frame>;
  const Frame hello(kText, "Hello");
  for (int base : {3, 11}) {
    std::string group = base == 3 ? "4.1." : "4.2.";
    for (int i = 0; i < 5; ++i) {
      std::string payload = i % 2 == 0 ? "" : "payload";
      Frame wrong(0x80 | (base + i), payload);
      Frames script = i < 2 ? Frames{wrong} : Frames{hello, wrong, {kPing, ""}};
      Frames answers = i < 2 ? Frames{} : Frames{hello};
      cases.push_back(
          Case(group + std::to_string(i + 1), script, answers, 1002).in_pieces(i > 2 ? 1 : 0));
    }
  }
}

void add_fragments(std::vector<Case>& cases) {
  using Frames = std::vector<Frame>;
  const Frame begin(kTextBegins, "fragment1"), end(kEnds, "fragment2");
  const Frame ping(kPing, "ping"), pong(kPong, "ping"), both(kText, "fragment1fragment2");
  auto add = [&](int number, const Frames& script, const Frames& answers, int code = 1000) {
    for (std::size_t piece : {0, 1})
      cases.push_back(Case("5." + std::to_string(number), script, answers, code).in_pieces(piece));
  };
  add(1, {{kPing & 0x0F, "fragment1"}, {kEnds, "fragment2"}}, {}, 1002);
  add(2, {{kPong & 0x0F, "fragment1"}, {kEnds, "fragment2"}}, {}, 1002);
  add(3, {begin, end}, {both});
  add(6, {begin, ping, end}, {pong, both});
  add(9, {{kEnds, "stray"}, {kText, "Hello"}}, {}, 1002);
  add(12, {{kGoesOn, "stray"}, {kText, "Hello"}}, {}, 1002);
  add(15, {begin, end, {kGoesOn, "fragment3"}, {kText, "fragment4"}}, {both}, 1002);
  add(16, {{kGoesOn, "1"}, {kTextBegins, "2"}, {kEnds, "3"}}, {}, 1002);
  add(17, {{kEnds, "1"}, {kTextBegins, "2"}, {kEnds, "3"}}, {}, 1002);
  add(18, {begin, {kText, "fragment2"}}, {}, 1002);
  add(19, {begin, {kGoesOn, ""}, ping, {kGoesOn, "x"}, ping, {kEnds, ""}},
      {pong, pong, {kText, "fragment1x"}});
  add(20, {{kBinaryBegins, ""}, {kGoesOn, ""}, {kEnds, ""}}, {{kBinary, ""}});
}

void add_utf8(std::vector<Case>& cases) {
  using Frames = std::vector<Frame>;
  const std::string mixed =
      "\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5 Hello-\xc2\xb5@\xc3\x9f\xc3\xb6";
  auto valid = [&](const std::string& name, const std::string& text) {
    Frame whole(kText, text);
    cases.emplace_back(name, Frames{whole}, Frames{whole});
    if (text.empty()) return;
    cases.emplace_back(name + " in frames", fragmented(kTextBegins, text, 1), Frames{whole});
    cases.push_back(Case(name + " in bytes", {whole}, {whole}).in_pieces(1));
  };
  auto invalid = [&](const std::string& name, const std::string& text) {
    cases.emplace_back(name, Frames{{kText, text}}, Frames{}, 1007);
    cases.emplace_back(name + " in frames", fragmented(kTextBegins, text, 1), Frames{}, 1007);
    cases.push_back(Case(name + " in bytes", {{kText, text}}, {}, 1007).in_pieces(1));
  };
  valid("6.1.1", "");
  cases.emplace_back("6.1.2", Frames{{kTextBegins, ""}, {kGoesOn, ""}, {kEnds, ""}},
                     Frames{{kText, ""}});
  cases.emplace_back("6.1.3", Frames{{kTextBegins, ""}, {kGoesOn, "middle"}, {kEnds, ""}},
                     Frames{{kText, "middle"}});
  valid("6.2", mixed);
  invalid("6.3", mixed + "\xed\xa0\x80" + "edited");
  invalid("6.4", mixed + "\xf4\x90\x80\x80" + "edited");
  valid("6.5", mixed.substr(0, 11));
  // Every prefix of one that ends within a character is wrong only with the end.
  for (std::size_t size : {1, 3, 4, 6, 8, 10}) invalid("6.6", mixed.substr(0, size));
  int number = 0;
  for (const char* text :
       {"\xc2\x80", "\xe0\xa0\x80", "\xf0\x90\x80\x80", "\x7f", "\xdf\xbf", "\xef\xbf\xbf",
        "\xed\x9f\xbf", "\xee\x80\x80", "\xef\xbf\xbd", "\xf4\x8f\xbf\xbf", "\xef\xbf\xbe",
        "\xf0\x9f\xbf\xbe", "\xf0\xaf\xbf\xbf", "\xf3\xbf\xbf\xbe"})
    valid("6.7, 6.9, 6.22, 6.23: " + std::to_string(++number), text);
  for (const char* text : {"\xf8\x88\x80\x80\x80",
                           "\xfc\x84\x80\x80\x80\x80",
                           "\xf7\xbf\xbf\xbf",
                           "\xfb\xbf\xbf\xbf\xbf",
                           "\xfd\xbf\xbf\xbf\xbf\xbf",
                           "\xf4\x90\x80\x80",
                           "\x80",
                           "\xbf",
                           "\x80\xbf\x80\xbf",
                           "\xc0 \xc1 \xdf ",
                           "\xe0 \xef ",
                           "\xf0 \xf4 ",
                           "\xf8 ",
                           "\xfc ",
                           "\xc0",
                           "\xe0\x80",
                           "\xf0\x80\x80",
                           "\xdf",
                           "\xef\xbf",
                           "\xf7\xbf\xbf",
                           "\xfe",
                           "\xff",
                           "\xfe\xfe\xff\xff",
                           "\xc0\xaf",
                           "\xe0\x80\xaf",
                           "\xf0\x80\x80\xaf",
                           "\xf8\x80\x80\x80\xaf",
                           "\xc1\xbf",
                           "\xe0\x9f\xbf",
                           "\xf0\x8f\xbf\xbf",
                           "\xc0\x80x",
                           "\xed\xa0\x80",
                           "\xed\xad\xbf",
                           "\xed\xae\x80",
                           "\xed\xaf\xbf",
                           "\xed\xb0\x80",
                           "\xed\xbe\x80",
                           "\xed\xbf\xbf",
                           "\xed\xa0\x80\xed\xb0\x80",
                           "\xed\xaf\xbf\xed\xbf\xbf"})
    invalid("6.8, 6.10 to 6.21: " + std::to_string(++number), text);
}

void add_closing(std::vector<Case>& cases) {
  using Frames = std::vector<Frame>;
  const Frame hello(kText, "Hello");
  auto add = [&](const char* name, const Frames& script, const Frames& answers, int code) {
    cases.emplace_back(name, script, answers, code);
  };
  add("7.1.1", {hello, {kClose, close_payload(1001)}}, {hello}, 1001);
  add("7.1.2", {{kClose, close_payload(1001)}, {kClose, close_payload(1001)}}, {}, 1001);
  add("7.1.3", {{kClose, close_payload(1001)}, {kPing, ""}}, {}, 1001);
  add("7.1.4", {{kClose, close_payload(1001)}, hello}, {}, 1001);
  add("7.1.5", {{kTextBegins, "x"}, {kClose, close_payload(1001)}, {kEnds, "y"}}, {}, 1001);
  add("7.1.6", {{kText, sized(256 << 10)}, {kClose, close_payload(1001)}, {kPing, ""}},
      {{kText, sized(256 << 10)}}, 1001);
  add("7.3.1", {{kClose, ""}}, {}, kNoCode);
  add("7.3.2", {{kClose, "a"}}, {}, 1002);
  add("7.3.4", {{kClose, close_payload(1001, "Hello")}}, {}, 1001);
  add("7.3.5", {{kClose, close_payload(1001, std::string(123, '*'))}}, {}, 1001);
  add("7.3.6", {{kClose, close_payload(1001, std::string(124, '*'))}}, {}, 1002);
  add("7.5.1", {{kClose, close_payload(1001, "\xce\xba\xed\xa0\x80")}}, {}, 1007);
  for (int code :
       {1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 3999, 4000, 4999})
    add("7.7", {{kClose, close_payload(code)}}, {}, code);
  for (int code : {0, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65535})
    add("7.9, 7.13", {{kClose, close_payload(code)}}, {}, 1002);
}

void add_sizes(std::vector<Case>& cases) {
  using Frames = std::vector<Frame>;
  const std::size_t largest = std::size_t{1} << 20;
  for (int first : {kText, kBinary}) {
    std::string group = first == kText ? "9.1" : "9.2";
    for (std::size_t size = std::size_t{64} << 10; size <= largest; size *= 4)
      cases.emplace_back(group, Frames{{first, sized(size)}}, Frames{{first, sized(size)}});
    const std::string text = sized(largest);
    for (std::size_t size = 1024; size <= largest; size *= 16)
      cases.emplace_back(group + ": frames", fragmented(first & 0x0F, text, size),
                         Frames{{first, text}});
    for (std::size_t piece : {1024, 32768})
      cases.push_back(Case(group + ": pieces", {{first, text}}, {{first, text}}).in_pieces(piece));
  }
  for (int first : {kText, kBinary})
    for (std::size_t size : {std::size_t{4} << 20, std::size_t{16} << 20}) {
      Frame most(first, sized(size));
      cases.emplace_back("9.1.5 to 9.2.6", Frames{most}, Frames{most});
    }
  for (std::size_t size : {0, 64, 1024}) {
    Frames thousand(1000, Frame(kText, sized(size)));
    cases.emplace_back("9.7: " + std::to_string(size) + " bytes", thousand, thousand);
  }
  Frame frame(kText, sized(65536));
  cases.push_back(Case("10.1.1", {frame}, {frame}).in_pieces(1300));
}

std::string shown(const std::vector<Frame>& frames) {
  std::string text;
  for (const Frame& frame : frames)
    text += std::to_string(frame.first) + ":" + std::to_string(frame.payload.size()) + "'" +
            frame.payload.substr(0, 20) + "' ";
  return text;
}

class WebSocketCases : public ::testing::TestWithParam<Role> {
 public:
  void play(const std::vector<Case>& cases) {
    for (const Case& one : cases) {
      SCOPED_TRACE(one.name);
      Setting setting;
      if (one.piece > 0) setting.pieces = {one.piece};
      setting.options.compress(false).max_msg_size(std::size_t{16} << 20);
      Conversation result = run_simulated(converse(GetParam(), saying(one.script), setting));
      std::vector<Frame> answers = result.before_close();
      for (Frame& answer : answers) answer.masked = false, answer.mask.clear();
      EXPECT_TRUE(answers == one.answers) << shown(answers) << "instead of " << shown(one.answers);
      EXPECT_EQ(result.close_sent(), one.code);
      EXPECT_FALSE(result.hung);
      EXPECT_TRUE(result.over);
    }
  }
  void play(void (*add)(std::vector<Case>&)) {
    std::vector<Case> cases;
    add(cases);
    play(cases);
  }
};
INSTANTIATE_TEST_SUITE_P(Roles, WebSocketCases, ::testing::Values(Role::server, Role::client),
                         RoleName());

TEST_P(WebSocketCases, fault168_group_1_framing) { play(add_framing); }
TEST_P(WebSocketCases, fault168_group_2_pings) { play(add_pings); }
TEST_P(WebSocketCases, fault168_group_3_reserved_bits) { play(add_reserved); }
TEST_P(WebSocketCases, fault168_group_4_opcodes) { play(add_opcodes); }
TEST_P(WebSocketCases, fault168_group_5_fragments) { play(add_fragments); }
TEST_P(WebSocketCases, fault168_group_6_utf8) { play(add_utf8); }
TEST_P(WebSocketCases, fault168_group_7_closing) { play(add_closing); }
TEST_P(WebSocketCases, fault168_groups_9_and_10_sizes_and_pieces) { play(add_sizes); }

// --- Groups 12 and 13: both ends are ours, but each message is compared.

/// Text that shrinks as prose does, or bytes that do not.
std::string content(std::size_t size, bool shrinks, std::mt19937& random) {
  constexpr std::string_view kWords = "the quick brown fox jumps over a lazy dog and so on ";
  std::string text;
  while (text.size() < size) {
    if (shrinks)
      text += kWords.substr(random() % kWords.size() / 4 * 4, 4 + random() % 9);
    else
      text += static_cast<char>(random());
  }
  text.resize(size);
  return text;
}

Coro<> exchange(WebSocketOptions of_server, WebSocketOptions of_client, int rounds,
                std::size_t largest) {
  web::Application app;
  app.get("/ws", [of_server](web::Request& request) -> Coro<web::Response> {
    WebSocket ws = co_await web::websocket(request, of_server);
    EXPECT_TRUE(ws.compressed());
    while (auto message = co_await ws.next()) {
      if (message->type == WSMsgType::Text)
        co_await ws.send_str(message->data);
      else
        co_await ws.send_bytes(message->data);
    }
    co_return web::Response::sent();
  });
  Served served = co_await serve(std::move(app));
  http::ClientSession session;
  WebSocket ws = co_await session.ws_connect(served.url() / "ws", of_client);
  EXPECT_TRUE(ws.compressed());
  std::mt19937 random(12);
  std::size_t size = 0;
  for (int i = 0; i < rounds; ++i) {
    std::string text = content(size, true, random);
    std::string bytes = content(size, i % 2 == 0, random);
    co_await ws.send_str(text);
    std::string got_text = co_await ws.receive_str();
    EXPECT_TRUE(got_text == text);
    co_await ws.send_bytes(bytes);
    std::string got_bytes = co_await ws.receive_bytes();
    EXPECT_TRUE(got_bytes == bytes);
    size = size == 0 || size * 4 > largest ? 16 : size * 4;
  }
  co_await ws.close();
  EXPECT_EQ(ws.close_code(), WSCloseCode::Ok);
  session.close();
  co_await served.cleanup();
}

TEST(WebSocketCompression, fault168_groups_12_and_13_messages_of_all_sizes_and_terms) {
  for (bool server_keeps : {true, false})
    for (bool client_keeps : {true, false})
      for (int bits : {9, 12, 15}) {
        WebSocketOptions server, client;
        server.context_takeover(server_keeps).window_bits(bits);
        client.context_takeover(client_keeps).window_bits(24 - bits);
        run_simulated(exchange(server, client, 24, std::size_t{128} << 10));
      }
  WebSocketOptions as_large_as_may_be;
  as_large_as_may_be.max_msg_size(1 << 20);
  run_simulated(exchange(as_large_as_may_be, as_large_as_may_be, 18, 1 << 20));
}

}  // namespace

// SPDX-License-Identifier: BSL-1.0
// The client with servers whose frames are wrong, or end too early: by section of RFC 9113 and, for
// field blocks, RFC 7541; what the server has of the same kind is in http2_faults.cpp.
#include "asyncio/asyncio.hpp"
#include "asyncio/http/client.hpp"
#include "asyncio/testing/simulated.hpp"
#include "captures.hpp"
#include "http2_peer.hpp"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

using namespace asyncio;
using namespace std::chrono_literals;
using asyncio::testing::run_simulated;
using http::ClientSession;
using http::RequestOptions;
using http::SessionOptions;
using http::URL;
using test::kStatus200;
using test::over_http2;
using test::RawServer;
using test::text_of;
using test::whole_answer;
using test::h2::frame;

namespace {

namespace h2 = test::h2;

struct FrameCase {
  const char* name;
  /// What the server says when the request has come, and then closes.
  std::string bytes;
  /// The kind of the error, or the body.
  const char* outcome;
};

/// Says that on the first connection; on others it answers as it should.
RawServer::Handler once(std::string bytes) {
  auto count = std::make_shared<int>(0);
  return [bytes = std::move(bytes), count](StreamReader reader, StreamWriter writer) -> Coro<> {
    const bool first = ++*count == 1;
    std::uint32_t id = co_await test::read_first_request(reader);
    co_await writer.send(frame(h2::settings, 0, 0));
    std::string answer = bytes;
    if (!first) answer = whole_answer(id, "well");
    co_await writer.send(answer);
    if (first) co_return;
    co_await reader.read();
  };
}

std::string kind_of(const std::exception_ptr& error) {
  Result<> outcome(error);
  if (outcome.holds<http::ServerDisconnectedError>()) return "ServerDisconnectedError";
  if (outcome.holds<http::ClientPayloadError>()) return "ClientPayloadError";
  if (outcome.holds<http::ProtocolError>()) return "ProtocolError";
  return describe_exception(error);
}

/// A request that is not repeated, and then one that is: the body or the kind of the error.
Coro<std::string> outcome_of(std::string bytes) {
  RawServer server = co_await RawServer::start(once(std::move(bytes)));
  ClientSession session(over_http2());
  auto text = co_await capture(text_of(session, server.url()));
  auto next = co_await capture(text_of(session, server.url("/next")));
  EXPECT_TRUE(next && next.value() == "well") << "the next one does not suffer";
  session.close();
  co_await server.stop();
  if (!text) co_return kind_of(text.exception());
  co_return text.value();
}

std::string head(const std::string& fields = {}) {
  return frame(h2::headers, h2::end_headers, 1, kStatus200 + fields);
}

std::string ended(const std::string& block) {
  return frame(h2::headers, h2::end_headers | h2::end_stream, 1, block);
}

std::string data(std::string_view body, int flags = h2::end_stream) {
  return frame(h2::data, flags, 1, body);
}

/// RFC 7541: what stands behind a status.
void add_blocks(std::vector<FrameCase>& all) {
  auto add = [&all](const char* name, const std::string& rest, const char* outcome) {
    all.push_back({name, head(rest) + data("body"), outcome});
  };
  auto value = [](const std::string& text) { return '\0' + h2::hpack_text("x") + text; };
  const char* wrong = "ProtocolError";
  add("7541, 2.3.3 an index beyond the tables", "\xbe", wrong);
  add("7541, 2.3.3 a name beyond the tables", "\x7e" + h2::hpack_text("y"), wrong);
  add("7541, 4.2 a size of the table behind fields", "\x20", wrong);
  add("7541, 5.2 Huffman's code", value("\x81\x1f"), "body");
  add("7541, 5.2 padding that is not of ones", value("\x81\x18"), wrong);
  add("7541, 5.2 padding of a byte and more", value("\x82\x1f\xff"), wrong);
  add("7541, 5.2 the end of strings inside one", value("\x84\xff\xff\xff\xff"), wrong);
  add("7541, 5.2 a string longer than its block", value("\x05yyyy"), wrong);
  add("7541, 6.1 index 0", "\x80", wrong);
  all.push_back({"7541, 4.2 two sizes of the table at the beginning",
                 ended("\x20\x3f\xe1\x1f" + kStatus200), ""});  // 0, 4096
  all.push_back({"7541, 6.3 a size of the table that we do not allow",
                 ended("\x3f\xe2\x1f" + kStatus200), wrong});  // 4097
}

std::vector<FrameCase> cases() {
  const std::string part = head() + data("part", 0);
  std::vector<FrameCase> all{
      {"8.1 head and body", head() + data("body"), "body"},
      {"8.1 head, body, trailers", part + ended(h2::block({{"x", "y"}})), "part"},
      {"6.1 padding", head() + data(std::string("\x02", 1) + "ab" + std::string(2, '\0'), 9), "ab"},
      {"5.5 unknown frame", frame(0x77, 0xff, 1, "what") + head() + data("body"), "body"},
      {"3.4 HTTP/1", "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n", "ProtocolError"},
      {"4.2 a frame of 16 KiB and 1", head() + data(std::string(16385, 'x')), "ClientPayloadError"},
      {"4.3 no such index", frame(h2::headers, 5, 1, "\xff\xff\xff\x7f"), "ProtocolError"},
      {"5.1 DATA before HEADERS", data("body"), "ProtocolError"},
      {"8.1 DATA behind a head of status 1xx alone",
       frame(h2::headers, h2::end_headers, 1, h2::block({{":status", "103"}})) + data("body"),
       "ProtocolError"},
      {"5.1.1 HEADERS on an idle stream", frame(h2::headers, 5, 3, kStatus200), "ProtocolError"},
      {"5.1.1 HEADERS on an even stream", frame(h2::headers, 5, 2, kStatus200), "ProtocolError"},
      {"5.1.1 DATA on an idle stream", head() + frame(h2::data, 1, 5, "foreign"),
       "ClientPayloadError"},
      {"6.1 DATA on stream 0", head() + frame(h2::data, 1, 0, "x"), "ClientPayloadError"},
      {"6.1 too much padding", head() + data("\x09xx", 9), "ClientPayloadError"},
      {"6.2 HEADERS on stream 0", frame(h2::headers, 5, 0, kStatus200), "ProtocolError"},
      {"6.3 PRIORITY of 4 bytes", part + frame(h2::priority, 0, 1, "1234"), "ClientPayloadError"},
      {"6.4 RST_STREAM for the request", frame(h2::rst_stream, 0, 1, h2::number(2, 4)),
       "ServerDisconnectedError"},
      {"6.4 RST_STREAM in the body", part + frame(h2::rst_stream, 0, 1, h2::number(2, 4)),
       "ClientPayloadError"},
      {"7 RST_STREAM with an unknown code", part + frame(h2::rst_stream, 0, 1, h2::number(99, 4)),
       "ClientPayloadError"},
      {"7 GOAWAY with an unknown code, and the answer to its end",
       head() + frame(h2::goaway, 0, 0, h2::number(1, 4) + h2::number(99, 4)) + data("whole"),
       "whole"},
      {"5.1 CONTINUATION in the body", part + frame(h2::continuation, 4, 1, kStatus200),
       "ClientPayloadError"},
      {"6.4 RST_STREAM NO_ERROR in the body", part + frame(h2::rst_stream, 0, 1, h2::number(0, 4)),
       "ClientPayloadError"},
      {"6.4 RST_STREAM of 3 bytes", part + frame(h2::rst_stream, 0, 1, "123"),
       "ClientPayloadError"},
      {"6.4 RST_STREAM on stream 0", part + frame(h2::rst_stream, 0, 0, h2::number(8, 4)),
       "ClientPayloadError"},
      {"6.5 SETTINGS of 5 bytes", part + frame(h2::settings, 0, 0, "12345"), "ClientPayloadError"},
      {"6.5 SETTINGS on a stream", part + frame(h2::settings, 0, 1), "ClientPayloadError"},
      {"6.5 an ACK with a payload", part + frame(h2::settings, h2::ack, 0, "123456"),
       "ClientPayloadError"},
      {"6.5.2 a window beyond 2^31",
       part + frame(h2::settings, 0, 0, std::string("\0\x04\xff\xff\xff\xff", 6)),
       "ClientPayloadError"},
      {"6.6 PUSH_PROMISE",
       frame(h2::settings, h2::ack, 0) +
           frame(h2::push_promise, 4, 1, h2::number(2, 4) + kStatus200),
       "ProtocolError"},
      {"6.7 PING of 7 bytes", part + frame(h2::ping, 0, 0, "1234567"), "ClientPayloadError"},
      {"6.7 PING on a stream", part + frame(h2::ping, 0, 1, "12345678"), "ClientPayloadError"},
      {"6.8 GOAWAY on a stream",
       part + frame(h2::goaway, 0, 1, h2::number(1, 4) + h2::number(0, 4)), "ClientPayloadError"},
      {"6.8 GOAWAY, and the answer to its end",
       head() + frame(h2::goaway, 0, 0, h2::number(1, 4) + h2::number(0, 4)) + data("whole"),
       "whole"},
      {"6.8 GOAWAY in the body, and the end",
       part + frame(h2::goaway, 0, 0, h2::number(1, 4) + h2::number(0, 4)), "ClientPayloadError"},
      {"6.8 GOAWAY before the request: sent again",
       frame(h2::goaway, 0, 0, h2::number(0, 4) + h2::number(0, 4)), "well"},
      {"6.9 WINDOW_UPDATE of 0", part + frame(h2::window_update, 0, 1, h2::number(0, 4)),
       "ClientPayloadError"},
      {"6.9 WINDOW_UPDATE of 0 for all", part + frame(h2::window_update, 0, 0, h2::number(0, 4)),
       "ClientPayloadError"},
      {"6.9.1 a window beyond 2^31",
       part + frame(h2::window_update, 0, 0, h2::number(0x7fffffff, 4)), "ClientPayloadError"},
      {"6.10 CONTINUATION alone", frame(h2::continuation, 4, 1, kStatus200), "ProtocolError"},
      {"6.10 a head that DATA interrupts", frame(h2::headers, 0, 1, kStatus200) + data("x"),
       "ProtocolError"},
      {"6.10 a head in two frames",
       frame(h2::headers, 0, 1, kStatus200) +
           frame(h2::continuation, h2::end_headers, 1, h2::block({{"x", "y"}})) + data("body"),
       "body"},
      {"8.1.1 less than Content-Length", head(h2::block({{"content-length", "9"}})) + data("short"),
       "ClientPayloadError"},
      {"8.1.1 more than Content-Length", head(h2::block({{"content-length", "3"}})) + data("long"),
       "ClientPayloadError"},
      {"8.1.1 two Content-Lengths",
       head(h2::block({{"content-length", "4"}}) + h2::block({{"content-length", "5"}})) +
           data("four"),
       "ProtocolError"},
      {"8.1.1 Content-Length that is no number",
       head(h2::block({{"content-length", "4x"}})) + data("four"), "ProtocolError"},
      {"8.2.1 a capital", head(h2::block({{"Server", "x"}})) + data("body"), "ProtocolError"},
      {"8.2.1 a line break in a value", head(h2::block({{"x", "a\r\nb: c"}})) + data("body"),
       "ProtocolError"},
      {"8.2.2 Connection", head(h2::block({{"connection", "close"}})) + data("body"),
       "ProtocolError"},
      {"8.2.2 Transfer-Encoding",
       head(h2::block({{"transfer-encoding", "chunked"}})) + data("body"), "ProtocolError"},
      {"8.3 a path in a response", head(h2::block({{":path", "/"}})) + data("body"),
       "ProtocolError"},
      {"8.3.2 no status",
       frame(h2::headers, h2::end_headers, 1, h2::block({{"x", "y"}})) + data("body"),
       "ProtocolError"},
      {"8.3.2 two statuses", head(kStatus200) + data("body"), "ProtocolError"},
      {"8.6 status 101", ended(h2::block({{":status", "101"}})), "ProtocolError"},
      {"8.3.2 status 000", ended(h2::block({{":status", "000"}})), "ProtocolError"},
      {"8.3.2 status 099 and a body",
       frame(h2::headers, h2::end_headers, 1, h2::block({{":status", "099"}})) + data("body"),
       "ProtocolError"},
      {"8.1 nothing but 1xx", ended(h2::block({{":status", "103"}})), "ProtocolError"},
      {"15.2 without an end: 1xx", frame(h2::headers, 4, 1, h2::block({{":status", "103"}})),
       "ServerDisconnectedError"},
      {"8.1 the end in the head", frame(h2::headers, 0, 1, kStatus200), "ServerDisconnectedError"},
      {"8.1 the end before the head", "", "ServerDisconnectedError"},
      {"8.1 the end in the body", part, "ClientPayloadError"},
      {"9110, 15.3.5 a body with 204", frame(h2::headers, 4, 1, "\x89") + data("body"),
       "ClientPayloadError"},
  };
  add_blocks(all);
  std::string endless;
  for (int i = 0; i < 20; ++i) endless += frame(h2::headers, 4, 1, h2::block({{":status", "103"}}));
  all.push_back({"too many 1xx", endless + head() + data("body"), "ProtocolError"});
  std::string fields;
  for (int i = 0; i < 200; ++i) fields += h2::block({{"x", "y"}});
  all.push_back({"too many fields", head(fields) + data("body"), "ProtocolError"});
  return all;
}

TEST(ClientHttp2Frames, fault145_R2_a_server_that_does_not_keep_to_http2) {
  for (const FrameCase& each : cases()) {
    std::string outcome = run_simulated([&] { return outcome_of(each.bytes); });
    EXPECT_EQ(outcome, each.outcome) << each.name;
  }
}

TEST(ClientHttp2Frames, R2_what_is_wrong_behind_a_head_is_an_error_of_who_reads_on) {
  run_simulated([]() -> Coro<> {
    const std::string bytes = frame(h2::headers, h2::end_headers, 1, kStatus200) + data("body");
    RawServer server = co_await RawServer::start(once(bytes));
    ClientSession session(over_http2());
    auto response = co_await session.head(server.url());
    EXPECT_EQ(response.status(), http::Status::OK);
    auto body = co_await capture(response.read());
    EXPECT_TRUE(body.holds<http::ClientPayloadError>());
    session.close();
    co_await server.stop();
  });
}

struct Talk {
  const char* name;
  /// What the server says, and waits for; the second request is a body of two bytes.
  std::vector<h2::Step> steps;
  /// How often the client says so.
  std::size_t settings_taken;
  /// What it says.
  const char* said;
};

std::vector<Talk> talks() {
  // The client takes the settings to heart before the second request.
  auto begin = [](const std::string& payload) {
    return frame(h2::settings, 0, 0, payload) + whole_answer(1, "well");
  };
  return {
      {"6.5.3 the last of several values counts",
       {{"", "1 end"},
        {begin(h2::window(100) + h2::window(1)), "3 'a'"},
        {h2::asked(), h2::kAnswered},
        {h2::more(3, 1), "3 end"}},
       1,
       "1 GET, 1 end, 3 POST, 3 'a', pong 12345678, 3 'b', 3 end"},
      {"6.9.2 a window below 0 is waited for",
       {{"", "1 end"},
        {begin(h2::window(1)), "3 'a'"},
        {h2::new_window(0) + h2::more(3, 1) + h2::asked("87654321"), "pong 87654321"},
        {h2::asked(), h2::kAnswered},
        {h2::more(3, 1), "3 end"}},
       2,
       "1 GET, 1 end, 3 POST, 3 'a', pong 87654321, pong 12345678, 3 'b', 3 end"},
      {"6.9.2 a window that SETTINGS open",
       {{"", "1 end"},
        {begin(h2::window(0)), "3 POST"},
        {h2::asked(), h2::kAnswered},
        {h2::new_window(5), "3 end"}},
       2,
       "1 GET, 1 end, 3 POST, pong 12345678, 3 'ab', 3 end"},
  };
}

Coro<> expect_talk(const Talk* talk) {
  h2::Said said;
  auto speak = [&](StreamReader reader, StreamWriter writer) -> Coro<> {
    co_await reader.readexactly(24);
    for (const h2::Step& step : talk->steps) {
      co_await writer.send(step.frames);
      co_await h2::take_until(reader, &said, step.until);
    }
    co_await writer.send(whole_answer(3, "done"));
    co_await reader.read();
  };
  RawServer server = co_await RawServer::start(speak);
  ClientSession session(over_http2());
  std::string first = co_await text_of(session, server.url());
  auto response = co_await session.post(server.url(), RequestOptions().data("ab"));
  std::string second = co_await response.text();
  EXPECT_EQ(first + second, "welldone") << talk->name;
  EXPECT_EQ(said.text(), talk->said) << talk->name;
  EXPECT_EQ(said.settings_taken(), talk->settings_taken) << talk->name;
  session.close();
  co_await server.stop();
}

TEST(ClientHttp2Frames, R6_bodies_and_the_windows_of_the_server) {
  for (const Talk& talk : talks()) run_simulated([&] { return expect_talk(&talk); });
}

}  // namespace

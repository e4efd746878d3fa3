// SPDX-License-Identifier: BSL-1.0
// What clients of HTTP/2 do wrong, by the sections of RFC 9113 and, for field blocks, RFC 7541:
// frames for a whole server, on simulated connections and their clock, so that an idle connection
// ends at once.
//
// The cases are those of the h2spec suite, which goes by the sections of RFC 7540. What it calls
// 3.5 is 3.4 here (an invalid preface is HTTP/1 to a server that has both: http2_server.cpp, fault
// 120), 8.1.2 and below are 8.2 and 8.3, 8.1.2.6 is 8.1.1, 8.2 is 6.6; its sections of HPACK are
// "7541". Left out are
//   5.3.1, PRIORITY of a stream that depends on itself: RFC 9113, 5.3.2 has no priorities any more,
//     and so all such frames are passed over;
//   5.1, that frames of a stream that was answered are errors: nobody keeps a list of those, and
//     such frames are passed over, as they are of a stream that was reset;
//   5.4.1, that the connection ends after an error: every case here waits for its end;
//   its generic part, that all frames and forms of fields are taken: the rest of these tests do.
#include "backends.hpp"
#include "connected.hpp"
#include "http2_client.hpp"
#include "raw_client.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

using namespace asyncio;
using namespace std::chrono_literals;
using namespace test::h2;
using test::exchange;
using test::Served;

namespace {

class Http2Faults : public test::BackendTest {};
INSTANTIATE_TEST_SUITE_P(Backends, Http2Faults, ::testing::Values("simulated"), test::backend_name);

/// What it is, what a client sends after its preface, and what the answer has to begin with, but
/// for what is said to the request on stream 101 behind it: that is answered unless the connection
/// has ended.
struct Case {
  const char* what;
  std::string frames;
  const char* answer;
};

constexpr const char* kFine = "";  // nothing but the answer on stream 101
const std::string kBody = "0123456789";

std::string repeated(std::size_t count, const std::string& text) {
  std::string all;
  for (std::size_t i = 0; i < count; ++i) all += text;
  return all;
}

/// One of so many frames, each on a stream of its own.
template <class F>
std::string on_streams(std::uint32_t count, F frames) {
  std::string all;
  for (std::uint32_t i = 0; i < count; ++i) all += frames(2 * i + 1);
  return all;
}

std::vector<Case> connections() {
  std::string too_large(16385, 'x');
  return {
      {"4.1 an unknown type is passed over", frame(77, 0, 0, "12345678"), kFine},
      {"4.1 unknown flags are passed over", frame(ping, 0xFE, 0, "12345678"), "pong 12345678"},
      {"4.1 the reserved bit is passed over", frame(ping, 0, 0x80000000, "12345678"),
       "pong 12345678"},
      {"4.2 DATA as large as a frame may be",
       post(1, "/hold") + frame(data, 1, 1, std::string(16384, 'x')), "1 200"},
      {"4.2 DATA beyond the largest frame", post(1, "/") + frame(data, 0, 1, too_large),
       "goaway FRAME_SIZE_ERROR 1"},
      {"4.2 HEADERS beyond the largest frame", frame(headers, 5, 1, too_large),
       "goaway FRAME_SIZE_ERROR"},
      {"4.3 a block that cannot be decoded", frame(headers, 5, 1, "\xff\xff\xff\xff\xff\xff\xff"),
       "goaway COMPRESSION_ERROR"},
      {"4.3 another frame inside a block",
       frame(headers, 1, 1, block(request("GET", "/"))) + frame(ping, 0, 0, "12345678"),
       "goaway PROTOCOL_ERROR"},
      {"4.3 a block of another stream inside a block",
       frame(headers, 1, 1, block(request("GET", "/"))) + get(3, "/"), "goaway PROTOCOL_ERROR"},
      {"4.3 a PRIORITY inside a block",
       frame(headers, 1, 1, block(request("GET", "/"))) + frame(priority, 0, 1, "12345"),
       "goaway PROTOCOL_ERROR"},
      {"5.1.1 a stream with an even number", get(2, "/"), "goaway PROTOCOL_ERROR"},
      {"5.5 an unknown frame inside a block",
       frame(headers, 1, 1, block(request("GET", "/"))) + frame(77, 0, 1), "goaway PROTOCOL_ERROR"},
      {"6.5 SETTINGS of a stream", frame(settings, 0, 1), "goaway PROTOCOL_ERROR"},
      {"6.5 SETTINGS of seven bytes", frame(settings, 0, 0, "1234567"), "goaway FRAME_SIZE_ERROR"},
      {"6.5 an acknowledgement with settings", frame(settings, ack, 0, setting(1, 1)),
       "goaway FRAME_SIZE_ERROR"},
      {"6.5.2 ENABLE_PUSH of 2", frame(settings, 0, 0, setting(2, 2)), "goaway PROTOCOL_ERROR"},
      {"6.5.2 a window beyond 2^31-1", frame(settings, 0, 0, setting(4, 0x80000000)),
       "goaway FLOW_CONTROL_ERROR"},
      {"6.5.2 a largest frame that is too small", frame(settings, 0, 0, setting(5, 16383)),
       "goaway PROTOCOL_ERROR"},
      {"6.5.2 a largest frame that is too large", frame(settings, 0, 0, setting(5, 1 << 24)),
       "goaway PROTOCOL_ERROR"},
      {"6.5.2 an unknown setting is passed over", frame(settings, 0, 0, setting(99, 7)), kFine},
      {"6.6 a client that pushes", frame(push_promise, 4, 1, number(2, 4)),
       "goaway PROTOCOL_ERROR"},
      {"6.7 a PING of a stream", frame(ping, 0, 1, "12345678"), "goaway PROTOCOL_ERROR"},
      {"6.7 a PING of seven bytes", frame(ping, 0, 0, "1234567"), "goaway FRAME_SIZE_ERROR"},
      {"6.7 the answer to no PING", frame(ping, ack, 0, "12345678"), kFine},
      {"6.8 a GOAWAY of a stream", frame(goaway, 0, 1, number(0, 8)), "goaway PROTOCOL_ERROR"},
      {"6.9 an empty WINDOW_UPDATE", frame(window_update, 0, 0, number(0, 4)),
       "goaway PROTOCOL_ERROR"},
      {"6.9 a WINDOW_UPDATE of three bytes", frame(window_update, 0, 0, "123"),
       "goaway FRAME_SIZE_ERROR"},
      {"6.9.1 a window beyond 2^31-1", frame(window_update, 0, 0, number(0x7fffffff, 4)),
       "goaway FLOW_CONTROL_ERROR"},
      {"6.10 a CONTINUATION of nothing", frame(continuation, 4, 1, block(request("GET", "/"))),
       "goaway PROTOCOL_ERROR"},
      {"6.10 a CONTINUATION of stream 0",
       frame(headers, 1, 1, block(request("GET", "/"))) + frame(continuation, 4, 0),
       "goaway PROTOCOL_ERROR"},
      {"6.10 a head in many frames",
       frame(headers, 1, 1, block({{":method", "GET"}})) +
           frame(continuation, 0, 1, block({{":scheme", "http"}, {":path", "/"}})) +
           frame(continuation, 0, 1) + frame(continuation, 4, 1, block({{":authority", "h"}})),
       "1 200"},
      {"6.10 a CONTINUATION of a head that has ended",
       frame(headers, 0, 1, block({{":method", "POST"}, {":scheme", "http"}})) +
           frame(continuation, 4, 1, block({{":path", "/hold"}, {":authority", "h"}})) +
           frame(continuation, 4, 1, block({{"x", "y"}})),
       "goaway PROTOCOL_ERROR"},
  };
}

/// RFC 7541: what stands behind the fields of a request on stream 1.
std::vector<Case> blocks() {
  std::vector<Case> cases;
  auto add = [&](const char* what, const std::string& rest, const char* answer) {
    cases.push_back({what, frame(headers, 5, 1, block(request("GET", "/")) + rest), answer});
  };
  // A field that is not indexed: its name as text, and this as its value.
  auto value = [](const std::string& text) { return '\0' + hpack_text("x") + text; };
  const char* wrong = "goaway COMPRESSION_ERROR";
  add("2.3.3 an index beyond the tables", "\xbe", wrong);
  add("2.3.3 a name beyond the tables", "\x7e" + hpack_text("y"), wrong);
  add("2.3.3 the first of the dynamic table", "\x40" + hpack_text("x") + hpack_text("y") + "\xbe",
      "1 200");
  add("4.2 a size of the table behind fields", "\x20", wrong);
  add("5.1 a number without end", "\xff\x80\x80\x80\x80\x80\x80\x80\x80\x80", wrong);
  add("5.2 Huffman's code", value("\x81\x1f"), "1 200");  // "a", and three ones
  add("5.2 padding that is not of ones", value("\x81\x18"), wrong);
  add("5.2 padding of a byte and more", value("\x82\x1f\xff"), wrong);
  add("5.2 the end of strings inside one", value("\x84\xff\xff\xff\xff"), wrong);
  add("5.2 a string longer than its block", value("\x05yyyy"), wrong);
  add("6.1 index 0", "\x80", wrong);
  auto sized = [&](const char* what, const std::string& sizes, const char* answer) {
    cases.push_back({what, frame(headers, 5, 1, sizes + block(request("GET", "/"))), answer});
  };
  sized("4.2 two sizes of the table at the beginning", "\x20\x3f\xe1\x1f", "1 200");  // 0, 4096
  sized("6.3 a size of the table that we do not allow", "\x3f\xe2\x1f", wrong);       // 4097
  return cases;
}

std::vector<Case> streams() {
  const std::string whole = get(1, "/hold"), part = post(1, "/hold");
  const std::string reset = frame(rst_stream, 0, 1, number(8, 4));
  const std::string hundred = on_streams(100, [](std::uint32_t id) { return get(id, "/hold"); });
  return {
      {"5.1 DATA of an idle stream", frame(data, 1, 1, kBody), "goaway PROTOCOL_ERROR"},
      {"5.1 RST_STREAM of an idle stream", frame(rst_stream, 0, 1, number(8, 4)),
       "goaway PROTOCOL_ERROR"},
      {"5.1 WINDOW_UPDATE of an idle stream", frame(window_update, 0, 1, number(8, 4)),
       "goaway PROTOCOL_ERROR"},
      {"5.1 DATA after the end", whole + frame(data, 1, 1, kBody), "goaway STREAM_CLOSED 1"},
      {"5.1 HEADERS after the end", whole + whole, "goaway STREAM_CLOSED 1"},
      {"5.1 CONTINUATION after the end", whole + frame(continuation, 4, 1, block({{"x", "y"}})),
       "goaway PROTOCOL_ERROR"},
      {"5.1 HEADERS after a reset", part + reset + whole, "10001 200"},
      {"5.1 CONTINUATION after a reset",
       part + reset + frame(continuation, 4, 1, block({{"x", "y"}})), "goaway PROTOCOL_ERROR"},
      {"5.1 DATA after a reset is passed over", part + reset + frame(data, 1, 1, kBody),
       "10001 200"},
      {"5.1.2 a stream too many, before the limit is known", hundred + get(201, "/") + reset,
       "201 reset REFUSED_STREAM"},
      {"5.1.2 a stream too many", frame(settings, ack, 0) + hundred + get(201, "/"),
       "goaway PROTOCOL_ERROR"},
      {"5.3.2 HEADERS that depend on themselves",
       frame(headers, 5 | prioritized, 1, number(1, 4) + "x" + block(request("GET", "/"))),
       "goaway PROTOCOL_ERROR"},
      {"5.3.2 PRIORITY of a stream that depends on itself",
       part + frame(priority, 0, 1, number(1, 4) + "x"), "10001 200"},
      {"5.1.1 HEADERS of a lower stream are passed over", get(5, "/") + get(3, "/"),
       "5 200, 10001 200"},
      {"6.1 DATA of stream 0", frame(data, 0, 0, kBody), "goaway PROTOCOL_ERROR"},
      {"6.1 padding beyond the frame", part + frame(data, padded, 1, "\x0b" + kBody),
       "goaway PROTOCOL_ERROR 1"},
      {"6.2 HEADERS of stream 0", get(0, "/"), "goaway PROTOCOL_ERROR"},
      {"6.2 padding beyond the block",
       frame(headers, 5 | padded, 1, "\x7f" + block({{":method", "GET"}})),
       "goaway PROTOCOL_ERROR"},
      {"6.3 PRIORITY of stream 0 is passed over, as all are", frame(priority, 0, 0, "12345"),
       kFine},
      {"6.3 PRIORITY of four bytes", part + frame(priority, 0, 1, "1234"),
       "goaway FRAME_SIZE_ERROR 1"},
      {"6.4 RST_STREAM of stream 0", frame(rst_stream, 0, 0, number(8, 4)),
       "goaway PROTOCOL_ERROR"},
      {"6.4 RST_STREAM of three bytes", part + frame(rst_stream, 0, 1, "123"),
       "goaway FRAME_SIZE_ERROR 1"},
      {"7 RST_STREAM with an unknown code", part + frame(rst_stream, 0, 1, number(0xFFFF, 4)),
       "10001 200"},
      {"6.9 an empty WINDOW_UPDATE", part + frame(window_update, 0, 1, number(0, 4)),
       "goaway PROTOCOL_ERROR 1"},
      {"6.9.1 a window beyond 2^31-1", part + frame(window_update, 0, 1, number(0x7fffffff, 4)),
       "1 reset FLOW_CONTROL_ERROR"},
      {"6.9.1 more than the window allows",
       part + repeated(17, frame(data, 0, 1, std::string(16384, 'x'))),
       "1 reset FLOW_CONTROL_ERROR"},
      {"8.1 trailers that do not end", part + open(1, {{"x", "y"}}, 0), "1 reset PROTOCOL_ERROR"},
  };
}

/// A head that makes its request malformed: 8.1.1 resets the stream.
std::vector<Case> malformed() {
  std::vector<Case> cases;
  auto add = [&](const char* what, const Fields& fields) {
    cases.push_back({what, open(1, fields), "1 reset PROTOCOL_ERROR"});
  };
  auto with = [](const std::string& name, const std::string& value) {
    return request("GET", "/", {{name, value}});
  };
  add("8.2.1 a name in upper case", with("X-Name", "1"));
  add("8.2.1 a name with a space", with("x name", "1"));
  add("8.2.1 a value with CR and LF", with("x", "1\r\ny: 2"));
  add("8.2.1 a value with a zero byte", with("x", std::string("1\0", 2)));
  add("8.2.1 a value that begins with a space", with("x", " 1"));
  add("8.2.2 connection", with("connection", "close"));
  add("8.2.2 keep-alive", with("keep-alive", "5"));
  add("8.2.2 proxy-connection", with("proxy-connection", "close"));
  add("8.2.2 transfer-encoding", with("transfer-encoding", "chunked"));
  add("8.2.2 upgrade", with("upgrade", "h2c"));
  add("8.2.2 another TE than trailers", with("te", "gzip"));
  add("8.3 an unknown pseudo-header field", with(":other", "1"));
  add("8.3 a pseudo-header field after others",
      {{":method", "GET"}, {":scheme", "http"}, {"x", "1"}, {":path", "/"}});
  add("8.3 one of responses", with(":status", "200"));
  add("8.3.1 no method", {{":scheme", "http"}, {":path", "/"}, {":authority", "h"}});
  add("8.3.1 no scheme", {{":method", "GET"}, {":path", "/"}, {":authority", "h"}});
  add("8.3.1 no path", {{":method", "GET"}, {":scheme", "http"}, {":authority", "h"}});
  add("8.3.1 two methods", with(":method", "GET"));
  add("8.3.1 two schemes", with(":scheme", "http"));
  add("8.3.1 two paths", with(":path", "/"));
  add("8.3.1 an empty path", request("GET", ""));
  add("8.3.1 no authority and no host", {{":method", "GET"}, {":scheme", "http"}, {":path", "/"}});
  add("8.5 CONNECT with a path", request("CONNECT", "/"));
  add("8.1.1 a Content-Length that is no number", with("content-length", "1x"));
  add("8.1.1 two of them", request("GET", "/", {{"content-length", "0"}, {"content-length", "0"}}));
  add("8.1.1 a length without a body", with("content-length", "5"));
  cases.push_back({"8.1 a pseudo-header field among the trailers",
                   post(1, "/hold") + open(1, {{":path", "/"}}), "1 reset PROTOCOL_ERROR"});
  cases.push_back({"8.1.1 more body than its length",
                   post(1, "/hold", {{"content-length", "5"}}) + frame(data, 1, 1, kBody),
                   "1 reset PROTOCOL_ERROR"});
  cases.push_back({"8.1.1 more body than its length, in two frames",
                   post(1, "/hold", {{"content-length", "15"}}) + frame(data, 0, 1, kBody) +
                       frame(data, 1, 1, kBody),
                   "1 reset PROTOCOL_ERROR"});
  cases.push_back({"8.1.1 less body than its length",
                   post(1, "/hold", {{"content-length", "15"}}) + frame(data, 1, 1, kBody),
                   "1 reset PROTOCOL_ERROR"});
  return cases;
}

/// A head that nghttp2 takes and the policy of HTTP/1 does not: the same answer.
std::vector<Case> refused() {
  std::vector<Case> cases;
  auto add = [&](const char* what, const Fields& fields, const char* status) {
    cases.push_back({what, open(1, fields), status});
  };
  auto with = [](const std::string& name, const std::string& value) {
    return request("GET", "/", {{name, value}});
  };
  add("a host that is not the authority", with("host", "other"), "1 400");
  add("an authority with a user",
      {{":method", "GET"}, {":scheme", "http"}, {":path", "/"}, {":authority", "u@h"}}, "1 400");
  add("a scheme that is no web",
      {{":method", "GET"}, {":scheme", "ftp"}, {":path", "/"}, {":authority", "h"}}, "1 400");
  add("two of what may be once", request("GET", "/", {{"origin", "a"}, {"origin", "b"}}), "1 400");
  add("a path with '#'", request("GET", "/a#b"), "1 400");
  add("a method that is too long", request(std::string(24, 'X'), "/"), "1 501");
  add("a path of 8193 bytes", request("GET", "/" + std::string(8192, 'x')), "1 414");
  add("a field of more than 8192 bytes", with("x", std::string(8190, 'x')), "1 431");
  Fields many = request("GET", "/");
  for (int i = 0; i < 129; ++i) many.emplace_back("x" + std::to_string(i), "y");
  add("129 fields", many, "1 431");
  add("another expectation", with("expect", "miracles"), "1 417");
  return cases;
}

std::vector<Case> floods() {
  const std::string part = post(1, "/hold");
  const std::string opened = frame(headers, 0, 1, block(request("GET", "/")));
  Fields bomb = request("GET", "/");
  // One field of 4000 bytes into the index, then 9000 bytes that stand for it each.
  std::string indexed = '\x40' + hpack_text("x") + hpack_text(std::string(4000, 'y'));
  std::string bombed = block(bomb) + indexed + std::string(9000, '\xbe');
  const char* calm = "goaway ENHANCE_YOUR_CALM";
  return {
      {"pings", repeated(2000, frame(ping, 0, 0, "12345678")), calm},
      {"answers to no ping", repeated(2000, frame(ping, ack, 0, "12345678")), calm},
      {"settings", repeated(2000, frame(settings, 0, 0)), calm},
      {"priorities", repeated(2000, frame(priority, 0, 3, "12345")), calm},
      {"empty DATA", part + repeated(2000, frame(data, 0, 1)), calm},
      {"CONTINUATION without end",
       opened + repeated(20, frame(continuation, 0, 1, block({{"a", "b"}}))), calm},
      {"a head that is a bomb", frame(headers, 5, 1, bombed), calm},
      {"CVE-2023-44487: requests that are reset",
       on_streams(300,
                  [](std::uint32_t id) {
                    return get(id, "/hold") + frame(rst_stream, 0, id, number(8, 4));
                  }),
       "goaway"},
      {"CVE-2025-8671: requests that we have to reset",
       on_streams(1200, [](std::uint32_t id) { return get(id, "/hold", {{"X", "1"}}); }), calm},
  };
}

web::Application application() {
  web::Application app;
  app.add_route("*", "/{rest...}", [](web::Request& request) -> Coro<web::Response> {
    const bool holds = request.path() == "/hold";
    if (holds) co_await sleep(1s);
    std::string body = co_await request.read();
    co_return web::Response("ok" + body);
  });
  return app;
}

Coro<std::string> answer_to(std::string frames) {
  Served served = co_await test::serve(application(), with_http2());
  std::string bytes = hello() + frames + get(10001, "/last");
  std::string answer = co_await exchange(served.port(), std::move(bytes));
  co_await served.cleanup();
  co_return said(answer);
}

Coro<> expect_answers(std::vector<Case> cases) {
  for (const Case& one : cases) {
    std::string answer = co_await answer_to(one.frames);
    const std::string expected = one.answer;
    const bool ended = expected.starts_with("goaway");
    EXPECT_NE(answer.find(expected), std::string::npos) << one.what << ": " << answer;
    const bool answered = answer.find("10001 200") != std::string::npos;
    EXPECT_NE(answered, ended) << one.what << ": " << answer;
    const std::string end = ended ? "goaway" : "goaway NO_ERROR";  // of an idle connection
    EXPECT_NE(answer.find(end), std::string::npos) << one.what << ": " << answer;
  }
}

TEST_P(Http2Faults, R13_of_a_connection) { run(expect_answers, connections()); }
TEST_P(Http2Faults, R13_of_a_block) { run(expect_answers, blocks()); }
TEST_P(Http2Faults, R13_of_a_stream) { run(expect_answers, streams()); }
TEST_P(Http2Faults, R13_of_a_head) { run(expect_answers, malformed()); }
TEST_P(Http2Faults, R13_of_a_head_as_in_http1) { run(expect_answers, refused()); }
TEST_P(Http2Faults, R13_floods) { run(expect_answers, floods()); }

/// All that a server says in the course of it.
struct Talk {
  const char* what;
  std::vector<Step> steps;
  std::size_t settings_taken;  // how often the server says so, the first ones included
  const char* said;
};

std::vector<Talk> talks() {
  return {
      {"5.1 DATA and HEADERS of a stream that has its answer are passed over",
       {{get(1, "/"), "1 end"},
        {frame(data, 1, 1, kBody) + get(1, "/") + asked(), kAnswered},
        {get(3, "/"), "3 end"}},
       1,
       "1 200, 1 'ok', 1 end, pong 12345678, 3 200, 3 'ok', 3 end"},
      {"5.1 CONTINUATION of one",
       {{get(1, "/"), "1 end"}, {frame(continuation, 4, 1, block({{"x", "y"}})), "goaway"}},
       1,
       "1 200, 1 'ok', 1 end, goaway PROTOCOL_ERROR 1"},
      {"7 GOAWAY with an unknown code ends like others",
       {{frame(goaway, 0, 0, number(0, 4) + number(0xFFFF, 4)) + get(1, "/"), "the end"}},
       1,
       "1 200, 1 'ok', 1 end"},
      {"6.5.3 the last of several values counts, and all are acknowledged at once",
       {{frame(settings, 0, 0, window(100) + window(1)) + get(1, "/"), "1 'o'"},
        {asked(), kAnswered},
        {more(1, 1), "1 end"}},
       2,
       "1 200, 1 'o', pong 12345678, 1 'k', 1 end"},
      {"6.9.1 no more than the window",
       {{new_window(1) + get(1, "/"), "1 'o'"}, {asked(), kAnswered}, {more(1, 1), "1 end"}},
       2,
       "1 200, 1 'o', pong 12345678, 1 'k', 1 end"},
      {"6.9.2 a window that SETTINGS open",
       {{new_window(0) + get(1, "/"), "1 200"}, {asked(), kAnswered}, {new_window(5), "1 end"}},
       3,
       "1 200, pong 12345678, 1 'ok', 1 end"},
      {"6.9.2 a window below 0 is waited for",
       {{new_window(1) + get(1, "/"), "1 'o'"},
        {new_window(0) + more(1, 1) + asked(), kAnswered},
        {asked("87654321"), "pong 87654321"},
        {more(1, 1), "1 end"}},
       3,
       "1 200, 1 'o', pong 12345678, pong 87654321, 1 'k', 1 end"},
  };
}

Coro<> expect_talks(std::vector<Talk> talks) {
  for (const Talk& talk : talks) {
    Served served = co_await test::serve(application(), with_http2());
    Client client = co_await connected_to(served.port(), "");
    for (const Step& step : talk.steps) {
      client.send(step.frames);
      co_await client.until(step.until);
    }
    EXPECT_EQ(client.said().text(), talk.said) << talk.what;
    EXPECT_EQ(client.said().settings_taken(), talk.settings_taken) << talk.what;
    client.close();
    co_await served.cleanup();
  }
}

TEST_P(Http2Faults, R13_of_windows_settings_and_streams_that_have_ended) {
  run(expect_talks, talks());
}

}  // namespace

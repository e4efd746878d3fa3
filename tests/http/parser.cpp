// SPDX-License-Identifier: BSL-1.0
#include "allocation_count.hpp"
#include "http_transcript.hpp"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

using namespace test;
using http::Method;

namespace {

constexpr std::string_view kRequests =
    "GET /plaintext?a=b HTTP/1.1\r\nHost: localhost:8080\r\nAccept: \t text/plain "
    "\t\r\nEmpty:\r\n\r\n"
    "POST /upload HTTP/1.1\r\nhost: x\r\nContent-Length: 11\r\n\r\nhello world"
    "PUT /chunks HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: Chunked\r\n\r\n"
    "5;name=value;q=\"a b\"\r\nhello\r\n006\r\n world\r\n0\r\nETag: 1\r\nX-Sum:  2 \r\n\r\n"
    "POST /nothing HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n"
    "\r\nGET /chat HTTP/1.1\r\nHost: x\r\nConnection: keep-alive, Upgrade\r\nUpgrade: ws\r\n\r\n"
    "CONNECT example.org:443 HTTP/1.1\r\nHost: example.org:443\r\n\r\n"
    "GET /old HTTP/1.0\r\nConnection: Keep-Alive\r\nUpgrade: ws\r\n\r\n"
    "M-SEARCH * HTTP/1.0\r\n\r\n";

constexpr std::string_view kRequestsText =
    "GET /plaintext?a=b 1.1 keep body none\n"
    "  Host: localhost:8080\n  Accept: text/plain\n  Empty: \nend\n"
    "POST /upload 1.1 keep body 11\n  host: x\n  Content-Length: 11\nbody hello world\nend\n"
    "PUT /chunks 1.1 keep body chunked\n  Host: x\n  Transfer-Encoding: Chunked\n"
    "body hello world\n  ETag: 1\n  X-Sum: 2\nend\n"
    "POST /nothing 1.1 keep body 0\n  Host: x\n  Content-Length: 0\nend\n"
    "GET /chat 1.1 keep body none upgrade\n"
    "  Host: x\n  Connection: keep-alive, Upgrade\n  Upgrade: ws\nend\n"
    "CONNECT example.org:443 1.1 keep body none\n  Host: example.org:443\nend\n"
    "GET /old 1.0 keep body none\n  Connection: Keep-Alive\n  Upgrade: ws\nend\n"
    "400 request: start line: a target of no known form (byte 23)\n";

TEST(RequestParser, fault75_split_anywhere_the_same_comes_out) {
  EXPECT_EQ(requests_text(kRequests), kRequestsText);
  for (std::size_t piece = 1; piece < 100; ++piece)
    EXPECT_EQ(requests_text(kRequests, {}, piece), kRequestsText) << "pieces of " << piece;
  for (std::size_t cut = 0; cut <= kRequests.size(); ++cut) {
    RequestParser parser;
    Transcript transcript(parser);
    if (transcript.feed(kRequests.substr(0, cut))) transcript.feed(kRequests.substr(cut));
    EXPECT_EQ(transcript.text(), kRequestsText) << "cut at " << cut;
  }
}

TEST(RequestParser, long_input_takes_the_same_way) {
  // Beyond what is copied without a look at its lines.
  std::string bytes;
  for (int i = 0; i < 40; ++i)
    bytes += "POST / HTTP/1.1\r\nHost: a\r\nX: " + std::string(300, 'x') +
             "\r\nContent-Length: 400\r\n\r\n" + std::string(400, '\n');
  const std::string whole = requests_text(bytes);
  for (std::size_t piece : {1u, 13u, 1023u, 1024u, 1025u, 4096u})
    EXPECT_EQ(requests_text(bytes, {}, piece), whole) << piece;
  EXPECT_TRUE(whole.ends_with("end\nfinished\n"));
}

TEST(RequestParser, bytes_behind_a_message_stay_unread) {
  const std::string first = "GET /1 HTTP/1.1\r\nHost: a\r\n\r\n";
  const std::string bytes = first + "GET /2 HTTP/1.1\r\n";
  RequestParser parser;
  auto parsed = parser.parse(bytes);
  EXPECT_EQ(parsed.event, Event::head);
  EXPECT_EQ(parsed.consumed, first.size());
  parsed = parser.parse(std::string_view(bytes).substr(first.size()));
  EXPECT_EQ(parsed.event, Event::end);
  EXPECT_EQ(parsed.consumed, 0u);
  EXPECT_EQ(parser.head().target, "/1");  // until the first byte of the next
  parsed = parser.parse(std::string_view(bytes).substr(first.size()));
  EXPECT_EQ(parsed.event, Event::need_more);
}

TEST(RequestParser, a_body_is_a_part_of_the_input) {
  const std::string bytes = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello";
  RequestParser parser;
  auto parsed = parser.parse(bytes);
  const std::string_view rest = std::string_view(bytes).substr(parsed.consumed);
  parsed = parser.parse(rest);
  EXPECT_EQ(parsed.event, Event::body);
  EXPECT_EQ(parsed.body.data(), rest.data());
  EXPECT_EQ(parsed.body, "hello");
  EXPECT_EQ(parser.parse({}).event, Event::end);
}

TEST(RequestParser, the_end_of_a_connection) {
  RequestParser parser;
  EXPECT_EQ(parser.finish(), Event::need_more);
  EXPECT_EQ(requests_text("\r\n\r\n"), "finished\n");
  EXPECT_EQ(requests_text("G"),
            "error the connection ended inside the head of a request (byte 1)\n");
  EXPECT_EQ(requests_text("GET / HTTP/1.0\r\n\r\n"), "GET / 1.0 close body none\nend\nfinished\n");
}

TEST(RequestParser, used_again_it_allocates_nothing) {
  RequestParser parser;
  const auto once = [&] {
    std::string_view rest =
        "POST /some/path/that/is/long HTTP/1.1\r\nHost: localhost:8080\r\nA: b\r\nC: d\r\n"
        "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nE: f\r\n\r\n";
    for (;;) {
      const auto parsed = parser.parse(rest);
      rest.remove_prefix(parsed.consumed);
      if (parsed.event == Event::end) return;
    }
  };
  once();
  test::AllocationCount count;
  for (int i = 0; i < 100; ++i) once();
  EXPECT_EQ(count.made(), 0u);
}

TEST(RequestParser, a_head_that_was_moved_from_is_made_anew) {
  RequestParser parser;
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(parser.parse("GET /x HTTP/1.1\r\nHost: a\r\n\r\n").event, Event::head);
    const http::RequestHead taken = std::move(parser.head());
    EXPECT_EQ(head_text(taken), "GET /x 1.1 keep body none\n  Host: a\n");
    EXPECT_EQ(parser.parse({}).event, Event::end);
  }
}

TEST(RequestParser, without_memory_it_fails_and_says_so) {
  for (std::uint64_t which = 1;; ++which) {
    RequestParser parser;
    bool happened = false, thrown = false;
    {
      test::AllocationFailure failure(which);
      try {
        parser.parse("GET /a/path/that/is/longer/than/a/small/string HTTP/1.1\r\nHost: a\r\n\r\n");
      } catch (const std::bad_alloc&) {
        thrown = true;
      }
      happened = failure.happened();
    }
    EXPECT_EQ(thrown, happened);
    if (!happened) break;
    EXPECT_THROW(parser.parse("GET"), http::BadRequest);
  }
}

TEST(ResponseParser, knows_where_each_body_ends) {
  const auto text = [](Method method, std::string_view bytes, bool upgrade = false) {
    const std::string whole = response_text(method, bytes, upgrade);
    for (std::size_t piece : {1u, 2u, 3u, 5u, 8u})
      EXPECT_EQ(response_text(method, bytes, upgrade, {}, piece), whole) << piece;
    return whole;
  };
  EXPECT_EQ(text(Method::GET, "HTTP/1.1 200 Fine\r\nContent-Length: 3\r\n\r\nabc"),
            "200 Fine 1.1 keep body 3\n  Content-Length: 3\nbody abc\nend\nfinished\n");
  EXPECT_EQ(text(Method::GET,
                 "HTTP/1.1 200 \r\nTransfer-Encoding: chunked\r\n\r\n"
                 "3\r\nabc\r\n0\r\nETag: 1\r\n\r\n"),
            "200  1.1 keep body chunked\n  Transfer-Encoding: chunked\n"
            "body abc\n  ETag: 1\nend\nfinished\n");
  EXPECT_EQ(text(Method::GET, "HTTP/1.1 200 OK\r\n\r\nabc"),
            "200 OK 1.1 close body until close\nbody abc\nend\n");
  EXPECT_EQ(text(Method::GET, "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\n\r\n"),
            "200 OK 1.0 close body until close\n  Connection: keep-alive\nend\n");
  EXPECT_EQ(text(Method::HEAD, "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n"),
            "200 OK 1.1 keep body none\n  Content-Length: 3\nend\nfinished\n");
  EXPECT_EQ(text(Method::HEAD, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"),
            "200 OK 1.1 keep body none\n  Transfer-Encoding: chunked\nend\nfinished\n");
  EXPECT_EQ(text(Method::GET, "HTTP/1.1 204 No Content\r\nContent-Length: 3\r\n\r\n"),
            "204 No Content 1.1 keep body none\n  Content-Length: 3\nend\nfinished\n");
  EXPECT_EQ(text(Method::GET, "HTTP/1.1 304 Not Modified\r\nContent-Length: 3\r\n\r\n"),
            "304 Not Modified 1.1 keep body none\n  Content-Length: 3\nend\nfinished\n");
  EXPECT_EQ(text(Method::GET,
                 "HTTP/1.1 100 Continue\r\nConnection: close\r\n\r\n"
                 "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n"
                 "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"),
            "100 Continue 1.1 keep body none\n  Connection: close\nend\n"
            "103 Early Hints 1.1 keep body none\n  Link: x\nend\n"
            "200 OK 1.1 close body 0\n  Content-Length: 0\n  Connection: close\nend\nfinished\n");
}

TEST(ResponseParser, leaves_the_bytes_of_another_protocol) {
  const std::string head = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: ws\r\n\r\n";
  ResponseParser parser;
  parser.expect(Method::GET, true);
  auto parsed = parser.parse(head + "\x81\x05hello");
  EXPECT_EQ(parsed.event, Event::head);
  EXPECT_EQ(parsed.consumed, head.size());
  EXPECT_TRUE(parser.head().upgrade);
  EXPECT_EQ(parser.parse("\x81\x05hello").event, Event::end);
  EXPECT_EQ(parser.parse({}).event, Event::need_more);
  EXPECT_THROW(parser.parse("\x81"), http::ProtocolError);

  ResponseParser tunnel;
  tunnel.expect(Method::CONNECT);
  parsed = tunnel.parse("HTTP/1.1 200 Connected\r\nContent-Length: 5\r\n\r\nhello");
  EXPECT_TRUE(tunnel.head().upgrade);
  EXPECT_EQ(tunnel.head().body.kind(), http::BodyFraming::Kind::none);
  ResponseParser refused;
  refused.expect(Method::CONNECT);
  refused.parse("HTTP/1.1 407 No\r\nContent-Length: 5\r\n\r\nhello");
  EXPECT_FALSE(refused.head().upgrade);
  EXPECT_EQ(refused.head().body.length(), 5u);
}

TEST(ResponseParser, one_response_for_each_request) {
  ResponseParser parser;
  const std::string_view response = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
  for (int i = 0; i < 3; ++i) {
    parser.expect(Method::GET);
    EXPECT_EQ(parser.parse(response).event, Event::head);
    EXPECT_EQ(parser.parse({}).event, Event::end);
  }
  EXPECT_THROW(parser.parse(response), http::ProtocolError);
}

}  // namespace

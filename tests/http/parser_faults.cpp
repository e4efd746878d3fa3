// SPDX-License-Identifier: BSL-1.0
// What smuggles, splits or floods is refused, at the same byte however the input is split. The
// vectors are those by which parsers in the field were found to differ.
#include "http_transcript.hpp"

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

using namespace test;
using http::HttpLimits;
using http::Method;

namespace {

constexpr std::string_view kHead = "POST / HTTP/1.1\r\nHost: a\r\n";

std::string post(std::string_view rest) { return std::string(kHead).append(rest); }
std::string chunked(std::string_view body) {
  return post("Transfer-Encoding: chunked\r\n\r\n").append(body);
}
std::string get(std::string_view start_line) {
  return std::string(start_line) + "\r\nHost: a\r\n\r\n";
}

/// The last line of what a server's parser says, the same for every size of the pieces.
std::string outcome(std::string_view bytes, const HttpLimits& limits = {}) {
  const std::string whole = requests_text(bytes, limits);
  for (std::size_t piece : {1u, 2u, 3u, 7u, 64u})
    EXPECT_EQ(requests_text(bytes, limits, piece), whole) << "in pieces of " << piece;
  const std::size_t line = whole.rfind('\n', whole.size() - 2);
  return whole.substr(line == std::string::npos ? 0 : line + 1);
}

/// The status with which it is refused; 0 if it is not.
int refused(std::string_view bytes, const HttpLimits& limits = {}) {
  const std::string said = outcome(bytes, limits);
  return said.find(" request: ") == 3 ? std::stoi(said) : 0;
}

std::string response_outcome(std::string_view bytes, Method method = Method::GET,
                             const HttpLimits& limits = {}) {
  const std::string whole = response_text(method, bytes, false, limits);
  for (std::size_t piece : {1u, 2u, 3u, 7u})
    EXPECT_EQ(response_text(method, bytes, false, limits, piece), whole) << piece;
  const std::size_t line = whole.rfind('\n', whole.size() - 2);
  return whole.substr(line == std::string::npos ? 0 : line + 1);
}

TEST(ParserFaults, fault115_two_ways_to_know_the_length) {
  EXPECT_EQ(refused(post("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n")), 400);
  EXPECT_EQ(refused(post("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n")), 400);
  EXPECT_EQ(refused(post("Transfer-Encoding: xchunked\r\nContent-Length: 5\r\n\r\nabcde")), 400);
  EXPECT_EQ(refused(post("Content-Length: 5\r\nContent-Length: 5\r\n\r\nabcde")), 400);
  EXPECT_EQ(refused(post("Content-Length: 5\r\nContent-Length: 6\r\n\r\nabcdef")), 400);
  EXPECT_EQ(refused(post("Content-Length: 5, 5\r\n\r\nabcde")), 400);
  // Nothing behind it is taken for a request.
  const std::string said = requests_text(post(
      "Content-Length: 5\r\nContent-Length: 5\r\n\r\nabcdeGET /evil HTTP/1.1\r\nHost: a\r\n\r\n"));
  EXPECT_EQ(said.find("evil"), std::string::npos);
}

TEST(ParserFaults, fault116_lengths_that_are_no_numbers) {
  for (std::string_view length :
       {"+5", "-1", "0x5", "5_0", "1e2", "\xd9\xa3", "5 5", "18446744073709551616",
        "18446744073709551621", "99999999999999999999999", "", "5;", "\"5\"", "5\x0b"})
    EXPECT_EQ(refused(post("Content-Length: " + std::string(length) + "\r\n\r\nabcde")), 400)
        << length;
}

TEST(ParserFaults, fault117_transfer_codings) {
  for (std::string_view coding :
       {"xchunked", "chunked, identity", "chunked, chunked", ",chunked",
        "\x0b"
        "chunked",
        "identity", "chunked;q=1", "chunked,", "\"chunked\"", "gzip", "chunked gzip", ""})
    EXPECT_EQ(refused(post("Transfer-Encoding: " + std::string(coding) + "\r\n\r\n0\r\n\r\n")), 400)
        << coding;
  EXPECT_EQ(refused(post("Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n")), 501);
  EXPECT_EQ(
      refused(post("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n")),
      400);
  EXPECT_EQ(refused(post("Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n")),
            400);
  EXPECT_EQ(refused("POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
            400);
  EXPECT_EQ(refused(post("Transfer-Encoding:  CHUNKED  \r\n\r\n0\r\n\r\n")), 0);
}

TEST(ParserFaults, fault118_lines_and_names) {
  const std::vector<std::string> heads{
      "GET / HTTP/1.1\nHost: a\n\n",
      "GET / HTTP/1.1\r\nHost: a\nX: b\r\n\r\n",
      "GET / HTTP/1.1\r\nHost: a\r\n\n",
      "GET / HTTP/1.1\rHost: a\r\n\r\n",
      "GET / HTTP/1.1\r\nHost: a\rX: b\r\n\r\n",
      "GET / HTTP/1.1\r\nHost: a\r\nX:\rTransfer-Encoding: chunked\r\n\r\n",
      "GET / HTTP/1.1\r\nHost: a\r\n\rX",
      "GET / HTTP/1.1\r\nHost: a\r\nX: b\r\n Content-Length: 5\r\n\r\n",
      "GET / HTTP/1.1\r\nHost: a\r\nX: b\r\n\tc\r\n\r\n",
      "GET / HTTP/1.1\r\n Host: a\r\n\r\n",
      "GET / HTTP/1.1\r\nHost : a\r\n\r\n",
      "GET / HTTP/1.1\r\nHost: a\r\nX\t: b\r\n\r\n",
      "GET / HTTP/1.1\r\nHost: a\r\nX: b" + std::string(1, '\0') + "c\r\n\r\n",
      "GET / HTTP/1.1\r\nHost: a\r\nX: b\x01\r\n\r\n",
      "GET / HTTP/1.1\r\nHost: a\r\nX: b\x7f\r\n\r\n",
      "GET / HTTP/1.1\r\nHost: a\r\n: b\r\n\r\n",
      "GET / HTTP/1.1\r\nHost: a\r\nX\r\n\r\n",
      "GET / HTTP/1.1\r\nHost: a\r\nX\xc3\xa4: b\r\n\r\n",
      "GET / HTTP/1.1\r\nHost: a\r\nX(: b\r\n\r\n",
  };
  for (const std::string& head : heads) EXPECT_EQ(refused(head), 400) << head;
}

TEST(ParserFaults, fault118_an_error_says_where_and_repeats_nothing) {
  EXPECT_EQ(outcome("GET / HTTP/1.1\r\nHost: secret\r\nX: b\x01\r\n\r\n"),
            "400 request: header field 2: Invalid header value char (byte 34)\n");
  EXPECT_EQ(outcome(chunked("3;\x01\r\nabc\r\n")),
            "400 request: chunk size: Invalid character in chunk extensions name (byte 59)\n");
}

TEST(ParserFaults, fault119_chunk_sizes) {
  for (std::string_view body : {"10000000000000000\r\n",
                                "fffffffffffffffff\r\n",
                                "-2\r\n",
                                "+1\r\na\r\n",
                                "0x1\r\na\r\n",
                                "1 \r\na\r\n",
                                "1\na\r\n",
                                "1\r\nab\r\n",
                                "1\r\na\n",
                                "1\r\na0\r\n\r\n",
                                "1\r\naX\r\n",
                                "1;a\nb\r\na\r\n",
                                "1;a=\"\n\"\r\na\r\n",
                                "1;a=\"b\r\na\r\n",
                                "g\r\n",
                                "\r\n",
                                "1,2\r\na\r\n",
                                "0\r\nX : y\r\n\r\n",
                                "0\r\nX: y\rZ: z\r\n\r\n",
                                "0\r\n\n",
                                "0\n\r\n",
                                "1;;\r\na\r\n"})
    EXPECT_EQ(refused(chunked(body)), 400) << body;
  EXPECT_EQ(refused(chunked("1;a=b;c=\"d\"\r\na\r\n0000\r\n\r\n")), 0);
  EXPECT_EQ(refused(chunked("1;" + std::string(1 << 20, 'a') + "\r\na\r\n0\r\n\r\n")), 400);
}

TEST(ParserFaults, fault119_what_belongs_into_the_head_is_no_trailer) {
  for (std::string_view name : {"Content-Length", "transfer-encoding", "Host", "Authorization",
                                "Cookie", "Connection", "Trailer", "Upgrade"})
    EXPECT_EQ(refused(chunked("0\r\n" + std::string(name) + ": 1\r\n\r\n")), 400) << name;
  EXPECT_EQ(requests_text(chunked("0\r\nETag: 1\r\n\r\n")),
            "POST / 1.1 keep body chunked\n  Host: a\n  Transfer-Encoding: chunked\n"
            "  ETag: 1\nend\nfinished\n");
}

TEST(ParserFaults, fault120_start_lines) {
  EXPECT_EQ(refused(get("GET / HTTP/2.0")), 505);
  EXPECT_EQ(refused(get("GET / HTTP/0.9")), 505);
  EXPECT_EQ(refused(get("GET / HTTP/1.2")), 505);
  EXPECT_EQ(refused(get("GET / HTTP/9.9")), 505);
  EXPECT_EQ(refused("GET /\r\n\r\n"), 505);
  EXPECT_EQ(refused("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), 505);
  EXPECT_EQ(refused("PRI / HTTP/1.1\r\nHost: a\r\n\r\n"), 400);
  for (std::string_view line :
       {"GET / http/1.1",         "GET / HTTP/1.1 ",         "GET /  HTTP/1.1",
        "GET  / HTTP/1.1",        "GET / HTTP/11",           "get / HTTP/1.1",
        "G\x01T / HTTP/1.1",      "GET  HTTP/1.1",           "GET * HTTP/1.1",
        "GET a HTTP/1.1",         "GET a:80 HTTP/1.1",       "GET /a#b HTTP/1.1",
        "GET /\xc3\xa4 HTTP/1.1", "GET /a\x7f HTTP/1.1",     "GET http:/a HTTP/1.1",
        "OPTIONS ** HTTP/1.1",    "CONNECT / HTTP/1.1",      "CONNECT a HTTP/1.1",
        "CONNECT a: HTTP/1.1",    "CONNECT a:b HTTP/1.1",    "PLAY / RTSP/1.0",
        "GET / ICE/1.0",          "\x16\x03\x01\x02\x01\x01"})
    EXPECT_EQ(refused(get(line)), 400) << line;
  for (std::string_view target :
       {"http://a@b/", "http://a:b@c/", "http://h:99999999/", "http://h:x/", "foo://h/", "ws://h/",
        "http://", "http:///", "http://?a", "http://[::1/", "http://a\\b/", "://h/"})
    EXPECT_EQ(refused(get("GET " + std::string(target) + " HTTP/1.1")), 400) << target;
  EXPECT_EQ(refused(std::string(65536, 'A') + " / HTTP/1.1\r\nHost: a\r\n\r\n"), 400);
  for (std::string_view line :
       {"GET http://a/b?c=/d HTTP/1.1", "GET HTTPS://[::1]:80?a@b HTTP/1.1",
        "GET http://a HTTP/1.1", "OPTIONS * HTTP/1.1", "CONNECT a:443 HTTP/1.1",
        "CONNECT [::1]:443 HTTP/1.1", "GET /a?b=c&d=[1]|{} HTTP/1.1", "\r\nGET / HTTP/1.1"})
    EXPECT_EQ(refused(get(line)), 0) << line;
}

// CVE-2026-34525 of aiohttp.
TEST(ParserFaults, fault120_one_host_that_is_valid) {
  EXPECT_EQ(refused("GET / HTTP/1.1\r\n\r\n"), 400);
  EXPECT_EQ(refused("GET / HTTP/1.1\r\nX: Host: a\r\n\r\n"), 400);
  EXPECT_EQ(refused("GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n"), 400);
  EXPECT_EQ(refused("GET / HTTP/1.0\r\nHost: a\r\nHOST: b\r\n\r\n"), 400);
  EXPECT_EQ(refused("GET / HTTP/1.0\r\n\r\n"), 0);
  for (std::string_view host :
       {"", "a b", "a/b", "a@b", "a:b", "a:1:2", "[::1", "::1", "[]", "[::1]x", "a]", "a:123456",
        ":80", "a?b", "a#b", "a\\b", "\xc3\xa4"})
    EXPECT_EQ(refused("GET / HTTP/1.1\r\nHost: " + std::string(host) + "\r\n\r\n"), 400) << host;
  for (std::string_view host :
       {"a", "A.example:", "a:80", "[::1]", "[fe80::1]:8080", "1.2.3.4:65535", "x_y-z.~%20"})
    EXPECT_EQ(refused("GET / HTTP/1.1\r\nHost: " + std::string(host) + "\r\n\r\n"), 0) << host;
}

TEST(ParserFaults, fault120_fields_of_which_there_is_one) {
  for (std::string_view name : {"Content-Type", "Authorization", "User-Agent", "Referer", "Origin",
                                "Expect", "Sec-WebSocket-Key", "If-Range", "Max-Forwards"}) {
    const std::string field = std::string(name) + ": 1\r\n";
    EXPECT_EQ(refused(post(field + "\r\n")), 0) << name;
    EXPECT_EQ(refused(post(field + field + "\r\n")), 400) << name;
  }
  EXPECT_EQ(refused(post("Accept: a\r\nAccept: b\r\nCookie: c\r\nCookie: d\r\n\r\n")), 0);
}

/// At the limit it passes, one more is refused, and with a bad byte behind it still for the limit.
void expect_limit(int status, const HttpLimits& limits, const std::string& fits,
                  const std::string& beyond) {
  EXPECT_EQ(refused(fits, limits), 0) << outcome(fits, limits);
  EXPECT_EQ(refused(beyond, limits), status) << outcome(beyond, limits);
}

TEST(ParserFaults, fault122_limits_of_the_head) {
  const auto line = [](std::size_t size) {
    return get("GET /" + std::string(size - 14, 'a') + " HTTP/1.1");
  };
  expect_limit(414, {}, line(8192), line(8193));
  const auto field = [](std::size_t size) {
    return "GET / HTTP/1.1\r\nHost: a\r\nX: " + std::string(size - 3, 'a') + "\r\n\r\n";
  };
  expect_limit(431, {}, field(8192), field(8193));
  expect_limit(431, {}, field(8192), "GET / HTTP/1.1\r\n" + std::string(8195, 'X'));
  const auto fields = [](int count) {
    std::string head = "GET / HTTP/1.1\r\nHost: a\r\n";
    for (int i = 1; i < count; ++i) head += "X: y\r\n";
    return head + "\r\n";
  };
  expect_limit(431, {}, fields(128), fields(129));
  const auto head = [&](std::size_t size) {
    std::string text = "GET / HTTP/1.1\r\nHost: a\r\n";
    while (text.size() + 2 < size) {
      const std::size_t next = std::min<std::size_t>(8000, size - 2 - text.size());
      text += "X: " + std::string(next - 5, 'a') + "\r\n";
    }
    return text + "\r\n";
  };
  expect_limit(431, {}, head(65536), head(65537));
  // Blank lines in front are of the head, too.
  EXPECT_EQ(refused(std::string(70000, '\n')), 431);
}

TEST(ParserFaults, fault122_a_limit_counts_before_what_is_wrong_behind_it) {
  const HttpLimits limits = HttpLimits().field(20).start_line(30);
  EXPECT_EQ(refused("GET / HTTP/1.1\r\n" + std::string(22, 'X') + "\x01: y\r\n\r\n", limits), 431);
  EXPECT_EQ(refused("GET / HTTP/1.1\r\n" + std::string(21, 'X') + "\x01: y\r\n\r\n", limits), 400);
  EXPECT_EQ(refused("GET /" + std::string(30, 'a') + "\x01 HTTP/1.1\r\n\r\n", limits), 414);
}

TEST(ParserFaults, fault122_limits_of_the_body) {
  const HttpLimits limits = HttpLimits().body(5);
  expect_limit(413, limits, post("Content-Length: 5\r\n\r\nabcde"),
               post("Content-Length: 6\r\n\r\n"));
  expect_limit(413, limits, chunked("3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"),
               chunked("3\r\nabc\r\n3\r\n"));
  EXPECT_EQ(response_outcome("HTTP/1.1 200 OK\r\n\r\nabcde", Method::GET, limits), "end\n");
  EXPECT_EQ(response_outcome("HTTP/1.1 200 OK\r\n\r\nabcdef", Method::GET, limits),
            "error response: body: is longer than 5 bytes (byte 24)\n");
}

// CVE-2026-22815, -54277 of aiohttp.
TEST(ParserFaults, fault122_limits_of_the_trailers) {
  const HttpLimits limits = HttpLimits().trailers(20);
  expect_limit(431, limits, chunked("0\r\nA: 4567890\r\nB: c\r\n\r\n"),
               chunked("0\r\nA: 4567890\r\nB: cd\r\n\r\n"));
  expect_limit(431, HttpLimits().trailer_fields(3), chunked("0\r\nA: b\r\nA: b\r\nA: b\r\n\r\n"),
               chunked("0\r\nA: b\r\nA: b\r\nA: b\r\nA: b\r\n\r\n"));
  expect_limit(431, HttpLimits().field(30), chunked("0\r\nA: " + std::string(27, 'x') + "\r\n\r\n"),
               chunked("0\r\nA: " + std::string(28, 'x') + "\r\n\r\n"));
}

// CVE-2025-69229 of aiohttp.
TEST(ParserFaults, fault122_limits_of_chunks) {
  const HttpLimits tiny = HttpLimits().tiny_chunks(3);
  const std::string one = "1\r\na\r\n", large = "10\r\n0123456789abcdef\r\n", end = "0\r\n\r\n";
  expect_limit(400, tiny, chunked(one + large + one + large + large + one + end),
               chunked(one + one + one + one + end));
  const HttpLimits extensions = HttpLimits().chunk_extensions(10);
  // A line may have 16 bytes beside its end; what is beyond is counted over all lines.
  const std::string by_five = "1;" + std::string(19, 'e') + "\r\na\r\n";
  expect_limit(400, extensions, chunked(by_five + by_five + one + end),
               chunked(by_five + by_five + "1;" + std::string(15, 'e') + "\r\na\r\n" + end));
  EXPECT_EQ(refused(chunked(std::string(100'000, '0') + "\r\n\r\n")), 400);
}

TEST(ParserFaults, bytes_after_the_last_message) {
  EXPECT_EQ(refused("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\nGET"), 400);
  // A tab there is where llhttp 9.2 takes the connection for one that is kept.
  EXPECT_EQ(refused("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\t\r\n\r\nGET"), 400);
  EXPECT_EQ(refused("GET / HTTP/1.1\r\nHost: a\r\nConnection: x,\tCLOSE ,y\r\n\r\nGET"), 400);
  EXPECT_EQ(refused("GET / HTTP/1.0\r\n\r\nGET"), 400);
}

TEST(ParserFaults, a_parser_that_refused_something_refuses_everything) {
  RequestParser parser;
  Transcript transcript(parser);
  EXPECT_FALSE(transcript.feed("GET / HTTP/1.1\r\n\r\n"));
  EXPECT_FALSE(transcript.feed("GET / HTTP/1.1\r\nHost: a\r\n\r\n"));
  EXPECT_FALSE(transcript.finish());
  EXPECT_EQ(transcript.text(),
            "400 request: no host (byte 18)\n"
            "400 request: an earlier message of the connection was refused (byte 0)\n"
            "error the connection ended after an error in a request (byte 18)\n");
}

TEST(ParserFaults, fault144_responses) {
  // "\r\r" after a status line, which llhttp 9.2 takes for the end of it.
  EXPECT_EQ(response_outcome("HTTP/1.1 200 OK\r\rX: y\r\n\r\n").substr(0, 15), "error response:");
  EXPECT_EQ(response_outcome("HTTP/1.1 200 OK\r\r\n").substr(0, 15), "error response:");
  for (std::string_view line :
       {"HTTP/1.1 99 X", "HTTP/1.1 099 X", "HTTP/1.1 1000 X", "HTTP/1.1 20 X", "HTTP/1.1 OK",
        "HTTP/2.0 200 OK", "HTTP/1.2 200 OK", "http/1.1 200 OK", "HTTP/1.1  200 OK",
        "HTTP/1.1 200 O\x01K", "HTTP/1.1 200 O\nK", "ICY 200 OK", "HTTP/1.1 -200 OK"})
    EXPECT_EQ(response_outcome(std::string(line) + "\r\nContent-Length: 0\r\n\r\n").substr(0, 15),
              "error response:")
        << line;
  EXPECT_EQ(response_outcome("HTTP/1.1 101 Switching\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n"),
            "error response: an upgrade that nobody asked for (byte 59)\n");
  std::string flood;
  for (int i = 0; i < 17; ++i) flood += "HTTP/1.1 100 Continue\r\n\r\n";
  EXPECT_EQ(response_outcome(flood), "error response: more than 16 informational ones (byte 25)\n");
  EXPECT_EQ(response_outcome("HTTP/1.1 200 " + std::string(10'000, 'a')),
            "error response: start line: is longer than 8192 bytes (byte 8194)\n");
}

TEST(ParserFaults, fault145_a_body_that_is_cut_is_an_error) {
  EXPECT_EQ(response_outcome("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nab"),
            "error the connection ended inside the body of a response (byte 40)\n");
  for (std::string_view body :
       {"", "3", "3\r\n", "3\r\nab", "3\r\nabc", "3\r\nabc\r\n", "0\r\n", "0\r\nX: y\r\n"})
    EXPECT_EQ(response_outcome("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" +
                               std::string(body))
                  .substr(0, 50),
              "error the connection ended inside the body of a re")
        << body;
  EXPECT_EQ(response_outcome("HTTP/1.1 200 O"),
            "error the connection ended inside the head of a response (byte 14)\n");
  EXPECT_EQ(response_outcome(""), "error the connection ended before a response (byte 0)\n");
  EXPECT_EQ(response_outcome("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabcd"),
            "error response: bytes that answer no request (byte 0)\n");
}

TEST(ParserFaults, fault145_lengths_of_responses) {
  for (std::string_view fields :
       {"Content-Length: 5\r\nTransfer-Encoding: chunked", "Content-Length: 5\r\nContent-Length: 5",
        "Content-Length: +5", "Content-Length: 5, 5", "Transfer-Encoding: gzip",
        "Transfer-Encoding: gzip, chunked", "Transfer-Encoding: chunked, identity",
        "Location: /a\r\nLocation: /b"})
    EXPECT_EQ(
        response_outcome("HTTP/1.1 200 OK\r\n" + std::string(fields) + "\r\n\r\n").substr(0, 15),
        "error response:")
        << fields;
  EXPECT_EQ(response_outcome("HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
            "error response: transfer-encoding in HTTP/1.0 (byte 47)\n");
}

}  // namespace

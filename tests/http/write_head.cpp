// SPDX-License-Identifier: BSL-1.0
#include "http/write_head.hpp"

#include "allocation_count.hpp"
#include "asyncio/exceptions.hpp"
#include "http_transcript.hpp"

#include <gtest/gtest.h>

#include <functional>
#include <string>

using asyncio::ValueError;
using namespace asyncio::http;
using namespace asyncio::http::detail;

namespace {

template <class Head>
std::string written(const Head& head) {
  std::string out = "before ";
  write_head(out, head);
  EXPECT_TRUE(out.starts_with("before "));
  return out.substr(7);
}

/// What is wrong with a head once it is changed that way; nothing is written.
template <class Head>
std::string refusal(const std::function<void(Head&)>& change) {
  Head head;
  head.headers.add("Host", "a");
  head.body = BodyFraming::of_length(0);
  change(head);
  std::string out = "x";
  try {
    write_head(out, head);
    return "";
  } catch (const ValueError& error) {
    EXPECT_EQ(out, "x");
    return error.what();
  }
}

TEST(WriteHead, of_requests) {
  RequestHead head("GET", "/a?b", {{"Host", "x"}, {"Accept", "*/*"}});
  EXPECT_EQ(written(head), "GET /a?b HTTP/1.1\r\nHost: x\r\nAccept: */*\r\n\r\n");
  head.method = Method::POST;
  head.body = BodyFraming::of_length(0);
  EXPECT_EQ(written(head),
            "POST /a?b HTTP/1.1\r\nHost: x\r\nAccept: */*\r\nContent-Length: 0\r\n\r\n");
  head.body = BodyFraming::chunked();
  head.keep_alive = false;
  EXPECT_EQ(written(head),
            "POST /a?b HTTP/1.1\r\nHost: x\r\nAccept: */*\r\nTransfer-Encoding: chunked\r\n"
            "Connection: close\r\n\r\n");
  head.body = {};
  head.version = Version::http_1_0;
  EXPECT_EQ(written(head), "POST /a?b HTTP/1.0\r\nHost: x\r\nAccept: */*\r\n\r\n");
  head.keep_alive = true;
  EXPECT_EQ(written(head),
            "POST /a?b HTTP/1.0\r\nHost: x\r\nAccept: */*\r\nConnection: keep-alive\r\n\r\n");
}

TEST(WriteHead, of_responses) {
  ResponseHead head(Status::NOT_FOUND, {{"Server", "x"}});
  head.body = BodyFraming::of_length(18446744073709551615u);
  EXPECT_EQ(written(head),
            "HTTP/1.1 404 Not Found\r\nServer: x\r\nContent-Length: 18446744073709551615\r\n\r\n");
  head = ResponseHead(Status::SWITCHING_PROTOCOLS, {{"Connection", "upgrade"}, {"Upgrade", "ws"}});
  head.upgrade = true;
  head.keep_alive = false;
  EXPECT_EQ(written(head),
            "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: ws\r\n\r\n");
  head = ResponseHead(599);
  head.body = BodyFraming::until_close();
  head.keep_alive = false;
  EXPECT_EQ(written(head), "HTTP/1.1 599 \r\nConnection: close\r\n\r\n");
  EXPECT_EQ(written(ResponseHead(204)), "HTTP/1.1 204 No Content\r\n\r\n");
}

TEST(WriteHead, fields_that_agree_are_written_once) {
  RequestHead head("POST", "/",
                   {{"Host", "x"}, {"content-length", "5"}, {"connection", "x, close"}});
  head.body = BodyFraming::of_length(5);
  head.keep_alive = false;
  EXPECT_EQ(written(head),
            "POST / HTTP/1.1\r\nHost: x\r\ncontent-length: 5\r\nconnection: x, close\r\n\r\n");
}

TEST(WriteHead, a_length_with_zeros_before_it_is_the_same) {
  RequestHead head("POST", "/", {{"Host", "x"}, {"Content-Length", "005"}});
  head.body = BodyFraming::of_length(5);
  EXPECT_EQ(written(head), "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 005\r\n\r\n");
}

TEST(WriteHead, fault128_reasons) {
  for (char c : std::string("\r\n\0\x01\x7f", 5)) {
    EXPECT_NE(
        refusal<ResponseHead>([&](ResponseHead& head) { head.reason = std::string("O") + c; }), "")
        << int{c};
  }
  EXPECT_EQ(refusal<ResponseHead>([](ResponseHead& head) { head.reason = "OK\r\nX: y"; }),
            "response: the reason has a control character: byte 0x0d at 2");
}

TEST(WriteHead, fault129_heads_whose_body_nobody_could_find) {
  const auto response = refusal<ResponseHead>;
  EXPECT_EQ(response([](ResponseHead& head) { head.body = {}; }),
            "response: no body, which takes a length of 0");
  EXPECT_EQ(response([](ResponseHead& head) { head.status = 204; }),
            "response: a body with status 204");
  EXPECT_EQ(response([](ResponseHead& head) { head.body = BodyFraming::until_close(); }),
            "response: a body that the end of the connection ends, and keep_alive");
  EXPECT_EQ(response([](ResponseHead& head) { head.headers.add("Content-Length", "1"); }),
            "response: a content-length that is not the body's");
  EXPECT_EQ(response([](ResponseHead& head) { head.headers.add("Transfer-Encoding", "chunked"); }),
            "response: a transfer-encoding that is not the body's");
  EXPECT_EQ(response([](ResponseHead& head) {
              head.headers.add("Transfer-Encoding", "chunked");
              head.headers.add("Content-Length", "0");
            }),
            "response: transfer-encoding and content-length");
  EXPECT_EQ(response([](ResponseHead& head) {
              head.headers.add("Content-Length", "0");
              head.headers.add("Content-Length", "0");
            }),
            "response: more than one content-length");
  EXPECT_EQ(response([](ResponseHead& head) {
              head.body = BodyFraming::chunked();
              head.version = Version::http_1_0;
            }),
            "response: a body in chunks in HTTP/1.0");
  EXPECT_EQ(response([](ResponseHead& head) { head.headers.add("Connection", "close"); }),
            "response: connection: close, and keep_alive");
}

TEST(WriteHead, fault147_requests) {
  const auto request = refusal<RequestHead>;
  EXPECT_EQ(request([](RequestHead& head) { head.target = "/a b"; }),
            "request: the target has a character that none may have: byte 0x20 at 2");
  for (std::string_view target : {"/\r\nX: y", "/\n", "", "/\t", "/\x7f", "/\xc3\xa4", "/a#b"})
    EXPECT_NE(request([&](RequestHead& head) { head.target = target; }), "") << target;
  EXPECT_NE(request([](RequestHead& head) { head.target = std::string("/\0", 2); }), "");
  EXPECT_EQ(request([](RequestHead& head) { head.headers.clear(); }), "request: no host");
  EXPECT_EQ(request([](RequestHead& head) { head.headers.set("Host", "a/b"); }),
            "request: a host that is none: \"a/b\"");
  EXPECT_EQ(request([](RequestHead& head) { head.headers.add("Host", "a"); }),
            "request: more than one host");
  EXPECT_EQ(request([](RequestHead& head) { head.body = BodyFraming::until_close(); }),
            "request: a body that only the end of the connection would end");
  EXPECT_EQ(request([](RequestHead& head) { head.version = Version(2, 0); }),
            "request: is of another version than 1.0 and 1.1");
}

TEST(WriteHead, chunks) {
  std::string out;
  write_chunk_size(out, 0x1a2b);
  EXPECT_EQ(out, "1a2b\r\n");
  EXPECT_THROW(write_chunk_size(out, 0), ValueError);
  out.clear();
  write_last_chunk(out);
  EXPECT_EQ(out, "0\r\n\r\n");
  out.clear();
  write_last_chunk(out, {{"ETag", "1"}});
  EXPECT_EQ(out, "0\r\nETag: 1\r\n\r\n");
  EXPECT_THROW(write_last_chunk(out, {{"Content-Length", "1"}}), ValueError);
  EXPECT_EQ(out, "0\r\nETag: 1\r\n\r\n");
}

TEST(WriteHead, what_is_written_is_read_as_the_same) {
  RequestHead head("PUT", "http://x/a", {{"Host", "x"}, {"A", "b c"}, {"Empty", ""}});
  head.body = BodyFraming::chunked();
  std::string out;
  write_head(out, head);
  for (std::string_view chunk : {"hello ", "world"}) {
    write_chunk_size(out, chunk.size());
    out.append(chunk).append(kChunkEnd);
  }
  write_last_chunk(out, {{"ETag", "1"}});
  EXPECT_EQ(test::requests_text(out),
            "PUT http://x/a 1.1 keep body chunked\n  Host: x\n  A: b c\n  Empty: \n"
            "  Transfer-Encoding: chunked\nbody hello world\n  ETag: 1\nend\nfinished\n");
}

TEST(WriteHead, used_again_the_buffer_is_all_it_takes) {
  RequestHead request("GET", "/", {{"Host", "x"}, {"A", "b"}});
  ResponseHead response(200, {{"Server", "x"}});
  response.body = BodyFraming::of_length(13);
  std::string out;
  const auto once = [&] {
    out.clear();
    write_head(out, request);
    write_head(out, response);
  };
  once();
  test::AllocationCount count;
  once();
  EXPECT_EQ(count.made(), 0u);
}

}  // namespace

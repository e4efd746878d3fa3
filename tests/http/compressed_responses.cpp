// SPDX-License-Identifier: BSL-1.0
// Responses that are compressed for clients that take it.
#include "asyncio/asyncio.hpp"
#include "asyncio/http/client.hpp"
#include "asyncio/web/stream_response.hpp"
#include "backends.hpp"
#include "raw_client.hpp"
#include "served.hpp"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

using namespace asyncio;
using http::ClientResponse;
using http::ClientSession;
using http::Headers;
using http::RequestOptions;
using test::serve;
using test::Served;

namespace {

class CompressedResponses : public test::BackendTest {};
INSTANTIATE_TEST_SUITE_P(Backends, CompressedResponses, test::all_backends, test::backend_name);

const std::string kWords = [] {
  std::string words;
  for (int i = 0; i < 200; ++i) words += "plain words ";
  return words;
}();

/// "/" is the plain case; the others are those in which nothing may be compressed, or not all.
web::Application application(Event& seen) {
  web::Application app;
  auto add = [&app](std::string_view path, auto change) {
    app.get(path, [change](web::Request&) -> Coro<web::Response> {
      web::Response response(kWords);
      response.enable_compression();
      change(response);
      co_return response;
    });
  };
  add("/", [](web::Response& response) { response.header("ETag", "\"1\""); });
  add("/length", [](web::Response& response) { response.header("Content-Length", "2400"); });
  add("/short", [](web::Response& response) { response.text("short"); });
  add("/coded", [](web::Response& response) { response.header("Content-Encoding", "identity"); });
  add("/part", [](web::Response& response) {
    response.status(http::Status::PARTIAL_CONTENT).header("Content-Range", "bytes 0-2399/5000");
  });
  add("/fixed",
      [](web::Response& response) { response.header("Cache-Control", "max-age=5, No-Transform"); });
  add("/none", [](web::Response& response) { response.status(http::Status::NO_CONTENT); });
  add("/vary", [](web::Response& response) { response.header("Vary", "Cookie, accept-encoding"); });
  app.get("/stream", [&seen](web::Request& request) -> Coro<web::Response> {
    web::StreamResponse stream;
    stream.content_length(2 * kWords.size()).enable_compression();
    co_await stream.prepare(request);
    co_await stream.write(kWords);
    co_await stream.write("");
    co_await seen.wait();
    co_await stream.write(kWords);
    web::Response response = co_await stream.write_eof();
    co_return response;
  });
  return app;
}

struct Case {
  const char* path;
  const char* accepted;
  const char* coding;  // "-" if there is to be none
  const char* vary;
};

constexpr Case kCases[] = {
    {"/", "gzip, deflate, br", "gzip", "Accept-Encoding"},
    {"/", "deflate", "deflate", "Accept-Encoding"},
    {"/", "gzip;q=0.5, Deflate;q=0.8", "deflate", "Accept-Encoding"},
    {"/", "gzip;q=0, *", "deflate", "Accept-Encoding"},
    {"/", "*;q=0.1", "gzip", "Accept-Encoding"},
    {"/", "X-GZIP ; q=1.000", "gzip", "Accept-Encoding"},
    {"/", "gzip;q=0.000, deflate;Q=0", "-", "Accept-Encoding"},
    {"/", "gzip;q=x", "-", "Accept-Encoding"},
    {"/", "br, zstd, identity", "-", "Accept-Encoding"},
    {"/", "", "-", "Accept-Encoding"},
    {"/length", "gzip", "gzip", "Accept-Encoding"},
    {"/short", "gzip", "-", "Accept-Encoding"},
    {"/coded", "gzip", "identity", "-"},
    {"/part", "gzip", "-", "-"},
    {"/fixed", "gzip", "-", "-"},
    {"/none", "gzip", "-", "-"},
    {"/vary", "gzip", "gzip", "Cookie, accept-encoding"},
};

TEST_P(CompressedResponses, D13_by_what_the_client_takes) {
  run([]() -> Coro<> {
    Event seen;
    Served served = co_await serve(application(seen));
    ClientSession session(http::SessionOptions().base_url(served.url()));
    for (const Case& test : kCases) {
      std::string what = std::string(test.path) + " " + test.accepted;
      RequestOptions options;
      options.header("Accept-Encoding", test.accepted).auto_decompress(false);
      ClientResponse raw = co_await session.get(test.path, options);
      std::string bytes = co_await raw.read();
      EXPECT_EQ(raw.headers().get("Content-Encoding", "-"), test.coding) << what;
      EXPECT_EQ(raw.headers().get("Vary", "-"), test.vary) << what;
      bool coded = test.coding == std::string("gzip") || test.coding == std::string("deflate");
      if (coded) {
        EXPECT_LT(bytes.size(), 200u) << what;
      }
      ClientResponse response = co_await session.get(test.path, options.auto_decompress(true));
      std::string text = co_await response.text();
      if (coded || bytes == kWords) {
        EXPECT_TRUE(text == kWords) << what;
      }
      ClientResponse head = co_await session.head(test.path, options);
      EXPECT_EQ(head.headers().get("Content-Length", "-"), raw.headers().get("Content-Length", "-"))
          << what;
    }
    session.close();
    co_await served.cleanup();
  });
}

/// A list may be cut into several fields (RFC 9110, 5.3): "*" here does not stand for gzip.
TEST_P(CompressedResponses, D13_by_all_fields_of_what_the_client_takes) {
  run([]() -> Coro<> {
    Event seen;
    Served served = co_await serve(application(seen));
    std::string fields = "Accept-Encoding: *\r\nAccept-Encoding: gzip;q=0\r\n";
    std::string request = test::get("/", fields + "Connection: close\r\n");
    std::string answer = co_await test::exchange(served.port(), request);
    EXPECT_EQ(test::count_of(answer, "\r\nContent-Encoding: deflate\r\n"), 1u) << answer;
    co_await served.cleanup();
  });
}

TEST_P(CompressedResponses, D13_the_etag_of_other_bytes_is_weak) {
  run([]() -> Coro<> {
    Event seen;
    Served served = co_await serve(application(seen));
    ClientSession session(http::SessionOptions().base_url(served.url()));
    ClientResponse coded = co_await session.get("/");
    EXPECT_EQ(coded.headers().get("ETag"), "W/\"1\"");
    RequestOptions options;
    ClientResponse plain = co_await session.get("/", options.header("Accept-Encoding", "identity"));
    EXPECT_EQ(plain.headers().get("ETag"), "\"1\"");
    session.close();
    co_await served.cleanup();
  });
}

TEST_P(CompressedResponses, D13_pieces_of_a_stream_arrive_as_they_are_written) {
  run([]() -> Coro<> {
    Event seen;
    Served served = co_await serve(application(seen));
    ClientSession session(http::SessionOptions().base_url(served.url()));
    for (const char* coding : {"gzip", "deflate", "identity"}) {
      seen.clear();
      RequestOptions options;
      ClientResponse response =
          co_await session.get("/stream", options.header("Accept-Encoding", coding));
      bool coded = response.headers().contains("Content-Encoding");
      EXPECT_EQ(coded, coding != std::string("identity"));
      EXPECT_EQ(response.headers().get("Content-Length", "-"), coded ? "-" : "4800");
      std::string text;
      while (text.size() < kWords.size()) text += co_await response.read_some();
      EXPECT_TRUE(text == kWords);
      seen.set();
      std::string rest = co_await response.read();
      EXPECT_TRUE(rest == kWords);
    }
    session.close();
    co_await served.cleanup();
  });
}

}  // namespace

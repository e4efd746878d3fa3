// SPDX-License-Identifier: BSL-1.0
// Bodies as streams, hooks, and what a session adds to its requests.
#include "asyncio/asyncio.hpp"
#include "asyncio/http/client.hpp"
#include "asyncio/testing/network.hpp"
#include "asyncio/testing/simulated.hpp"
#include "captures.hpp"
#include "connected.hpp"
#include "raw_server.hpp"
#include "tls.hpp"
#include "trace_log.hpp"

#include <gtest/gtest.h>

#include <any>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

using namespace asyncio;
using namespace std::chrono_literals;
using asyncio::testing::Network;
using asyncio::testing::run_simulated;
using http::ClientResponse;
using http::ClientSession;
using http::RequestOptions;
using http::SessionOptions;
using http::TraceConfig;
using http::URL;
using test::error_of;
using test::field_of;
using test::pieces;
using test::RawServer;
using test::Recorder;
using test::response_with;
using test::saying;
using test::Strings;
using test::target_of;
using test::text_of;

namespace {

/// A server that gives back what it was sent: "FRAMING:BODY".
Coro<> echo_body(StreamReader reader, StreamWriter writer) {
  for (;;) {
    std::string head = co_await reader.readuntil("\r\n\r\n");
    std::string body;
    if (field_of(head, "Transfer-Encoding") == "chunked") {
      for (;;) {
        std::string line = co_await reader.readline();
        if (line.empty()) co_return;
        std::size_t size = std::stoul(line, nullptr, 16);
        std::string piece = co_await reader.readexactly(size + 2);
        if (size == 0) break;
        body += piece.substr(0, size) + "|";
      }
    } else {
      body = co_await reader.readexactly(std::stoul(field_of(head, "Content-Length")));
    }
    co_await writer.send(response_with(field_of(head, "Content-Length") + ":" +
                                       field_of(head, "Content-Type") + ":" + body));
  }
}

TEST(ClientFeatures, S42_options_that_are_used_again_have_the_type_of_the_last_body) {
  const auto type = [](const RequestOptions& options) {
    return std::string(options.get_headers().get("Content-Type", "-"));
  };
  http::FormData first, second;
  first.add_field("a", "b");
  second.add_field("a", "b");
  RequestOptions options;
  options.data(first).data(second);
  EXPECT_EQ(type(options), second.content_type());
  EXPECT_EQ(type(options.json("1").form({{"a", "b"}})), "application/x-www-form-urlencoded");
  EXPECT_EQ(type(options.data("bytes")), "application/octet-stream");
  EXPECT_EQ(type(options.header("content-type", "text/x").json("1")), "text/x");
  EXPECT_EQ(type(options.file("path")), "text/x") << "the caller's stays";
}

TEST(ClientFeatures, S42_bodies_as_streams) {
  run_simulated([]() -> Coro<> {
    RawServer server = co_await RawServer::start(echo_body);
    ClientSession session;
    auto echoed = [&](RequestOptions options) -> Coro<std::string> {
      ClientResponse response = co_await session.post(server.url(), options);
      std::string text = co_await response.text();
      co_return text;
    };
    RequestOptions options;
    options.data(pieces({"one", "", "two"}));
    std::string text = co_await echoed(options);
    EXPECT_EQ(text, "-:application/octet-stream:one|two|");
    RequestOptions counted;
    counted.data(pieces({"one", "two"})).header("Content-Length", "6");
    counted.header("Content-Type", "text/x");
    text = co_await echoed(counted);
    EXPECT_EQ(text, "6:text/x:onetwo");
    for (const char* length : {"5", "7"}) {
      RequestOptions wrong;
      wrong.data(pieces({"one", "two"})).header("Content-Length", length);
      std::string error = co_await error_of(echoed(wrong));
      EXPECT_NE(error.find("its Content-Length"), std::string::npos) << error;
    }
    RequestOptions broken;
    broken.data([]() -> AsyncGenerator<std::string> {
      co_yield "begin";
      throw LookupError("no more");
    }());
    std::string error = co_await error_of(echoed(broken));
    EXPECT_NE(error.find("LookupError: no more"), std::string::npos) << error;
    text = co_await echoed(RequestOptions().data("plain"));
    EXPECT_EQ(text, "5:application/octet-stream:plain");
    session.close();
    co_await server.stop();
  });
}

TEST(ClientFeatures, S42_an_answer_before_the_end_of_the_upload) {
  run_simulated([]() -> Coro<> {
    int connection = 0;
    RawServer::Handler handler = [&](StreamReader reader, StreamWriter writer) -> Coro<> {
      ++connection;
      co_await reader.readuntil("\r\n\r\n");
      co_await writer.send(response_with("enough"));
      co_await reader.read();
    };
    RawServer server = co_await RawServer::start(handler);
    ClientSession session(SessionOptions().limit(1));
    bool ended = false;
    auto endless = [&ended]() -> AsyncGenerator<std::string> {
      std::shared_ptr<void> at_end(nullptr, [&ended](void*) { ended = true; });
      for (;;) {
        co_yield std::string(10'000, 'x');
        co_await sleep(1ms);
      }
    };
    for (int i = 1; i <= 2; ++i) {
      ended = false;
      RequestOptions options;
      options.data(endless());
      ClientResponse response = co_await session.put(server.url(), options);
      std::string text = co_await response.text();
      EXPECT_EQ(text, "enough");
      co_await sleep(1s);
      EXPECT_TRUE(ended) << "the upload goes on";
      EXPECT_EQ(connection, i) << "what is in the middle of a request is not used again";
    }
    session.close();
    co_await server.stop();
  });
}

TEST(ClientFeatures, S42_the_time_for_reading_begins_when_the_request_is_sent) {
  run_simulated([]() -> Coro<> {
    Network network;
    network.latency(800ms);  // the answer is there 6.6 s after the begin, 1.6 s after the last byte
    RawServer server = co_await RawServer::start(echo_body);
    ClientSession session(SessionOptions().timeout(http::ClientTimeout().sock_read(2s)));
    auto slow = []() -> AsyncGenerator<std::string> {
      for (int i = 0; i < 5; ++i) {
        co_yield "x";
        co_await sleep(1s);
      }
    };
    RequestOptions options;
    options.data(slow());
    ClientResponse response = co_await session.post(server.url(), options);
    std::string text = co_await response.text();
    EXPECT_EQ(text, "-:application/octet-stream:x|x|x|x|x|");
    session.close();
    co_await server.stop();
  });
}

TEST(ClientFeatures, S42_a_response_in_parts) {
  run_simulated([]() -> Coro<> {
    Network network;
    network.slices(true);
    RawServer server = co_await RawServer::start(saying(response_with("one\ntwo two\n\nlast")));
    ClientSession session;
    ClientResponse response = co_await session.get(server.url());
    http::ResponseContent content = response.content();
    Strings lines;
    for (int i = 0; i < 5; ++i) lines.push_back(co_await content.readline());
    EXPECT_EQ(lines, (Strings{"one\n", "two two\n", "\n", "last", ""}));
    ClientResponse other = co_await session.get(server.url());
    std::string whole, start = co_await other.content().read(2);
    EXPECT_LE(start.size(), 2u);
    whole = start;
    auto rest = other.content().iter_chunked(3);
    while (auto piece = co_await rest.next()) {
      EXPECT_LE(piece->size(), 3u);
      whole += *piece;
    }
    EXPECT_EQ(whole, "one\ntwo two\n\nlast");
    ClientResponse third = co_await session.get(server.url());
    std::string error = co_await error_of(third.content().readline(2));
    EXPECT_NE(error.find("a line of more than 2 bytes"), std::string::npos) << error;
    EXPECT_NE(test::thrown([&] { (void)third.content().iter_chunked(0); }), "nothing");
    session.close();
    co_await server.stop();
  });
}

TEST(ClientFeatures, S42_hooks_see_what_happens) {
  run_simulated([]() -> Coro<> {
    Recorder recorder;
    RawServer server = co_await RawServer::start(recorder.handler());
    test::TraceLog log;
    ClientSession session(SessionOptions().trace(log.config()));
    recorder.status = "307";
    ClientResponse response =
        co_await session.post(server.url("/to?/end"), RequestOptions().data("body"));
    co_await response.read();
    EXPECT_EQ(log.take(),
              (Strings{"start /to", "create", "created", "headers", "sent 4", "redirect 307",
                       "reuse", "headers", "sent 4", "end /to 200", "received 3"}));
    co_await error_of(session.get("http://127.0.0.1:1/"));
    EXPECT_EQ(log.take(), (Strings{"start /", "create", "exception"}));
    ClientSession strict(SessionOptions().trace(TraceConfig().on_request_start(
        [](const http::TraceParams&) { throw LookupError("not today"); })));
    std::string error = co_await error_of(strict.get(server.url()));
    EXPECT_NE(error.find("not today"), std::string::npos) << error;
    strict.close();
    session.close();
    co_await server.stop();
  });
}

/// Whether or not the server keeps to it.
TEST(ClientFeatures, S42_who_says_close_gets_a_connection_for_one_request) {
  run_simulated([]() -> Coro<> {
    Recorder recorder;
    RawServer server = co_await RawServer::start(recorder.handler());
    ClientSession session;
    for (const char* value : {"close", "Close", "x-option, close"}) {
      int before = server.connections();
      std::string text =
          co_await text_of(session, server.url(), RequestOptions().header("Connection", value));
      EXPECT_EQ(text, "end");
      EXPECT_EQ(field_of(recorder.heads.back(), "Connection"), value);
      text = co_await text_of(session, server.url());
      EXPECT_EQ(text, "end");
      EXPECT_EQ(server.connections(), before + (before == 0 ? 2 : 1)) << value;
    }
    ClientSession always(SessionOptions().header("Connection", "close"));
    co_await text_of(always, server.url());
    int before = server.connections();
    co_await text_of(always, server.url());
    EXPECT_EQ(server.connections(), before + 1);
    always.close();
    session.close();
    co_await server.stop();
  });
}

TEST(ClientFeatures, S42_what_a_session_adds_to_its_requests) {
  run_simulated([]() -> Coro<> {
    Recorder recorder;
    RawServer server = co_await RawServer::start(recorder.handler(), "localhost",
                                                 ServerOptions().ssl(test::pki().server()));
    // Trust is on by default.
    std::string refused = co_await error_of(http::get(server.url()));
    EXPECT_NE(refused.find("ClientConnectorError"), std::string::npos) << refused;
    EXPECT_NE(refused.find("certificate"), std::string::npos) << refused;
    SessionOptions options;
    options.base_url(server.url("/api/")).header("X-Key", "1").header("Accept", "text/x");
    options.ssl(test::pki().client()).raise_for_status(true);
    ClientSession session(options);
    RequestOptions with_query;
    with_query.params({{"c", "d e"}}).bearer("token");
    co_await session.get("v1?a=b", with_query);
    const std::string& head = recorder.heads.at(0);
    EXPECT_EQ(target_of(head), "/api/v1?a=b&c=d+e");
    EXPECT_EQ(field_of(head, "X-Key"), "1");
    EXPECT_EQ(field_of(head, "Accept"), "text/x");
    EXPECT_EQ(field_of(head, "Authorization"), "Bearer token");
    co_await session.options("/x", RequestOptions().header("X-Key", "2"));
    EXPECT_EQ(field_of(recorder.heads.at(1), "X-Key"), "2");
    EXPECT_TRUE(recorder.heads.at(1).starts_with("OPTIONS /x "));
    session.close();
    ClientResponse response =
        co_await http::get(server.url(), RequestOptions().ssl(test::pki().client()));
    std::string text = co_await response.text();
    EXPECT_EQ(text, "end");
    co_await server.stop();
  });
}

}  // namespace

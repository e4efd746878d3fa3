// SPDX-License-Identifier: BSL-1.0
// Answers with too much or too little (faults 144, 145 and 148).
#include "allocation_count.hpp"
#include "asyncio/asyncio.hpp"
#include "asyncio/http/client.hpp"
#include "asyncio/testing/simulated.hpp"
#include "connected.hpp"
#include "encoded.hpp"
#include "raw_server.hpp"
#include "tls.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

using namespace asyncio;
using namespace std::chrono_literals;
using asyncio::testing::run_simulated;
using asyncio::testing::Seed;
using http::ClientResponse;
using http::ClientSession;
using http::RequestOptions;
using http::SessionOptions;
using http::URL;
using test::encoded;
using test::error_of;
using test::RawServer;
using test::read_request;
using test::response_with;
using test::saying;
using test::target_of;
using test::text_of;

namespace {

/// What reading the response to one request ends with, on a server that says these bytes.
Coro<std::string> outcome_of(std::string bytes, SessionOptions options = {}) {
  RawServer server = co_await RawServer::start(saying(std::move(bytes)));
  ClientSession session(options);
  auto text = co_await capture(wait_for(text_of(session, server.url()), 60s));
  std::string outcome = text ? "'" + text.value() + "'" : describe_exception(text.exception());
  session.close();
  co_await server.stop();
  co_return outcome;
}

std::string repeated(const std::string& text, int times) {
  std::string all;
  for (int i = 0; i < times; ++i) all += text;
  return all;
}

TEST(ClientFaults, fault144_what_comes_before_the_answer_has_limits) {
  const std::string ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
  const std::vector<std::pair<std::string, std::string>> cases{
      {repeated("HTTP/1.1 100 Continue\r\n\r\n", 3) + ok, "'ok'"},
      {repeated("HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n", 3) + ok, "'ok'"},
      {repeated("HTTP/1.1 100 Continue\r\n\r\n", 1'000'000), "more than 16 informational"},
      {repeated("HTTP/1.1 103 Early Hints\r\n\r\n", 1000) + ok, "more than 16 informational"},
      {"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n",
       "an upgrade that nobody asked for"},
      {"HTTP/1.1 99 What\r\n\r\n", "start line"},
      {"HTTP/1.1 200 OK\r\n" + repeated("X-Field: " + std::string(100, 'x') + "\r\n", 100'000),
       "ProtocolError"},
      {"HTTP/1.1 200 OK\r\nX: " + std::string(10 << 20, 'x'), "ProtocolError"},
      {"HTTP/1.1 200 " + std::string(10 << 20, 'x'), "ProtocolError"}};
  for (const auto& [bytes, expected] : cases) {
    std::string outcome = run_simulated(Seed(0), [&] { return outcome_of(bytes); });
    EXPECT_NE(outcome.find(expected), std::string::npos) << outcome << "\n" << bytes.substr(0, 60);
  }
}

/// Fields as long as the client takes them, up to 1 GiB. Returns how many bytes that were.
Coro<std::size_t> sent_of_an_endless_head() {
  std::size_t sent = 0;
  RawServer server =
      co_await RawServer::start([&sent](StreamReader reader, StreamWriter writer) -> Coro<> {
        co_await read_request(reader);
        co_await writer.send("HTTP/1.1 200 OK\r\n");
        const std::string field = "X-Field: " + std::string(1000, 'x') + "\r\n";
        for (; sent < std::size_t{1} << 30; sent += field.size()) co_await writer.send(field);
      });
  ClientSession session;
  const std::string error = co_await error_of(session.get(server.url()));
  EXPECT_NE(error.find("ProtocolError"), std::string::npos) << error;
  co_await sleep(1s);
  session.close();
  co_await server.stop();
  co_return sent;
}

TEST(ClientFaults, fault144_a_head_without_end_is_not_read_to_its_end) {
  EXPECT_LT(run_simulated(Seed(0), sent_of_an_endless_head), std::size_t{1} << 20);
}

std::string coded(const std::string& names, const std::string& body) {
  return response_with(body, "Content-Encoding: " + names + "\r\n");
}

/// The error of the request for "/x" of such a server is a ClientError, with this text.
Coro<> expect_error(std::string bytes, std::string text) {
  RawServer server = co_await RawServer::start(saying(std::move(bytes)));
  ClientSession session;
  const URL url = server.url("/x");
  auto outcome = co_await capture(text_of(session, url));
  EXPECT_TRUE(outcome.holds<http::ClientError>()) << text;
  const std::string error = outcome ? "none" : describe_exception(outcome.exception());
  EXPECT_NE(error.find("GET " + std::string(url.str()) + text), std::string::npos) << error;
  session.close();
  co_await server.stop();
}

TEST(ClientFaults, D13_what_a_server_does_wrong_is_a_client_error_that_names_the_request) {
  const std::vector<std::pair<std::string, std::string>> cases{
      {"nonsense\r\n\r\n", ": response: start line: Expected HTTP/ (byte 0)"},
      {"HTTP/1.1 200 OK\r\nX: " + std::string(9000, 'x'), ": response: header field 1: is longer"},
      {"HTTP/1.1 200 OK\r\nContent-", ": the connection ended inside the head of a response"},
      {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhell",
       ": the connection ended inside the body"},
      {coded("gzip", "no gzip at all"), ": no deflate stream: incorrect header check"},
      {coded("gzip, gzip, gzip, gzip, gzip, gzip", "x"), ": more than 5 content codings"}};
  for (const auto& [bytes, text] : cases)
    run_simulated(Seed(0), [&] { return expect_error(bytes, text); });
}

TEST(ClientFaults, fault145_a_body_that_is_cut_off_is_an_error) {
  const std::string chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
  const std::vector<std::pair<std::string, std::string>> cases{
      {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhell", "ClientPayloadError"},
      {"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nhello", "'hel'"},
      {chunked + "5\r\nhel", "ClientPayloadError"},
      {chunked + "5\r\nhello\r\n", "ClientPayloadError"},
      {chunked + "5\r\nhello\r\n0\r\n", "ClientPayloadError"},
      {chunked + "5\r\nhello\r\n0\r\n\r\n", "'hello'"},
      {chunked + "x\r\nhello", "ClientPayloadError"},
      {"HTTP/1.1 200 OK\r\nContent-Le", "ClientPayloadError"},
      {"", "ServerDisconnectedError"},
      {"HTTP/1.0 200 OK\r\n\r\nhello", "'hello'"}};
  for (const auto& [bytes, expected] : cases) {
    std::string outcome = run_simulated(Seed(0), [&] { return outcome_of(bytes); });
    EXPECT_NE(outcome.find(expected), std::string::npos) << outcome << "\n" << bytes;
  }
}

TEST(ClientFaults, fault145_what_is_too_much_never_answers_another_request) {
  run_simulated([]() -> Coro<> {
    RawServer::Handler handler = [](StreamReader reader, StreamWriter writer) -> Coro<> {
      for (;;) {
        std::string target = target_of(co_await read_request(reader));
        co_await writer.send(response_with(target) + response_with("/foreign"));
      }
    };
    RawServer server = co_await RawServer::start(handler);
    ClientSession session(SessionOptions().limit(1));
    for (std::string path : {"/1", "/2", "/3"}) {
      std::string text = co_await text_of(session, server.url(path));
      EXPECT_EQ(text, path);
    }
    EXPECT_EQ(server.connections(), 3);
    session.close();
    co_await server.stop();
  });
}

TEST(ClientFaults, fault145_the_end_of_tls_without_a_goodbye_is_no_end_of_a_body) {
  run_simulated([]() -> Coro<> {
    for (bool goodbye : {false, true}) {
      RawServer::Handler handler = [goodbye](StreamReader reader, StreamWriter writer) -> Coro<> {
        co_await read_request(reader);
        co_await writer.send("HTTP/1.1 200 OK\r\n\r\nhello");
        if (!goodbye) co_await sleep(1s);
        if (!goodbye) writer.abort();
      };
      RawServer server = co_await RawServer::start(handler, "localhost",
                                                   ServerOptions().ssl(test::pki().server()));
      ClientSession session(SessionOptions().ssl(test::pki().client()));
      auto text = co_await capture(text_of(session, server.url()));
      if (goodbye) {
        EXPECT_EQ(text.value(), "hello");
      } else {
        EXPECT_TRUE(text.holds<http::ClientPayloadError>());
      }
      session.close();
      co_await server.stop();
    }
  });
}

TEST(ClientFaults, fault148_a_response_that_grows_without_end_is_stopped) {
  using http::detail::ContentCoding;
  std::string zeros(65 << 20, '\0');
  std::string once = encoded(ContentCoding::Gzip, zeros);
  zeros.clear();
  const std::string twice = encoded(ContentCoding::Gzip, once);
  std::string hundred = "gzip";
  for (int i = 1; i < 100; ++i) hundred += ", gzip";
  std::string five = "hello";
  for (int i = 0; i < 5; ++i) five = encoded(ContentCoding::Gzip, five);
  const std::vector<std::pair<std::string, std::string>> cases{
      {coded("gzip", once), "a body of more than 67108864 bytes"},
      {coded("gzip, gzip", twice), "ClientPayloadError"},
      {coded(hundred, once), "more than 5 content codings"},
      {coded("gzip, gzip, gzip, gzip, gzip", five), "'hello'"},
      {coded("deflate, identity", encoded(ContentCoding::Deflate, "hello")), "'hello'"},
      {coded("gzip", "no gzip at all"), "ContentEncodingError"},
      {coded("gzip", once.substr(0, 5)), "ContentEncodingError"},
      {coded("x-unknown", "as it is"), "'as it is'"}};
  for (const auto& [bytes, expected] : cases) {
    std::string outcome = run_simulated(Seed(0), [&] { return outcome_of(bytes); });
    EXPECT_NE(outcome.find(expected), std::string::npos) << outcome.substr(0, 200) << "\n"
                                                         << bytes.substr(0, 60);
  }
}

TEST(ClientFaults, fault148_a_bomb_takes_no_more_memory_than_the_limit) {
  constexpr std::ptrdiff_t kLimit = 10 << 20;
  const std::string text = test::almost_nothing_but_zeros(std::size_t{16} << 20);
  (void)run_simulated(Seed(0), [] { return outcome_of(coded("identity", "x")); });  // a first use
  for (const char* name : {"gzip", "deflate", "br", "zstd"}) {
    auto coding = http::detail::find_coding(name);
    if (!coding) continue;  // built without it
    const std::string bytes = coded(name, encoded(*coding, text, 5));
    const SessionOptions options = SessionOptions().limits(http::HttpLimits().body(kLimit));
    test::AllocationCount count;
    std::string outcome = run_simulated(Seed(0), [&] { return outcome_of(bytes, options); });
    const std::ptrdiff_t peak = count.peak_bytes();
    EXPECT_NE(outcome.find("body of more than 10485760 bytes"), std::string::npos)
        << name << outcome.substr(0, 200);
    if (!test::kCountsAllocations) continue;
    // Besides, there are both ends of the connection with a copy of what is sent each.
    const auto copies = static_cast<std::ptrdiff_t>(3 * bytes.size());
    EXPECT_LT(peak, kLimit + (512 << 10) + copies) << name;
    EXPECT_GT(peak, kLimit - (512 << 10)) << name << ": nothing was measured";
  }
}

/// A decoder may hold more than it gave when the last byte of its input is in.
TEST(ClientFaults, fault148_what_a_decoder_keeps_back_is_not_lost) {
  std::string text(3 << 20, 'x');
  std::string noise = test::pattern(text.size() / 500 + 1);
  for (std::size_t i = 0; i < text.size(); i += 500) text[i] = noise[i / 500];
  for (const char* name : {"gzip", "deflate", "br", "zstd"}) {
    auto coding = http::detail::find_coding(name);
    if (!coding) continue;  // built without it
    std::string bytes = coded(name, encoded(*coding, text));
    std::string outcome = run_simulated(Seed(0), [&] { return outcome_of(bytes); });
    EXPECT_TRUE(outcome == "'" + text + "'") << name << outcome.substr(0, 200);
  }
}

}  // namespace

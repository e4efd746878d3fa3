// SPDX-License-Identifier: BSL-1.0
// Ends of TLS streams: with a goodbye, and without.
#include "backends.hpp"
#include "captures.hpp"
#include "tls.hpp"
#include "tls_relay.hpp"

#include <gtest/gtest.h>

#include <optional>
#include <string>

namespace {

using namespace asyncio;
using test::error_of;
using test::pattern;
using test::read;
using test::read_exactly;
using test::Relayed;
using test::settle;
using test::wait_closed;

class TlsTruncationTest : public test::BackendTest {};
INSTANTIATE_TEST_SUITE_P(Backends, TlsTruncationTest, test::all_backends, test::backend_name);

/// The records at the front of `bytes` that are whole.
std::size_t whole_records(const std::string& bytes) {
  std::size_t at = 0;
  while (bytes.size() - at >= 5) {
    std::size_t size = static_cast<unsigned char>(bytes[at + 3]) * 256u +
                       static_cast<unsigned char>(bytes[at + 4]);
    if (bytes.size() - at < 5 + size) break;
    at += 5 + size;
  }
  return at;
}

TEST_P(TlsTruncationTest, fault88_R14_end_without_goodbye_is_truncation) {
  run([]() -> Coro<> {
    for (std::size_t lost : {0u, 1u, 100u}) {  // at a record's end, and inside one
      Relayed both;
      co_await both.open();
      both.peer_writer->write("a");
      std::string first = co_await both.reader->readexactly(1);
      EXPECT_EQ(first, "a");
      int chunks = 0;
      both.filter = [&](std::string chunk) -> std::optional<std::string> {
        if (chunks++ > 0) return std::nullopt;
        EXPECT_EQ(whole_records(chunk), chunk.size());
        return chunk.substr(0, chunk.size() - lost);
      };
      both.peer_writer->write(std::string(1000, 'b'));
      co_await settle();
      both.peer_writer->write("c");
      std::string error = co_await error_of(read(*both.reader, -1));
      EXPECT_EQ(error, "asyncio::SSLEOFError: TLS recv from " + both.writer->peername().str() +
                           ": [SSL: UNEXPECTED_EOF_WHILE_READING] EOF occurred in violation of "
                           "protocol");
      // What was whole can still be read.
      EXPECT_EQ(both.reader->at_eof(), false);
      error = co_await error_of(wait_closed(*both.writer));
      EXPECT_NE(error.find("SSLEOFError"), std::string::npos) << error;
      co_await both.close();
    }
  });
}

TEST_P(TlsTruncationTest, fault88_bytes_before_the_truncation_come_first) {
  run([]() -> Coro<> {
    Relayed both;
    co_await both.open();
    both.peer_writer->write("whole");
    co_await settle();
    both.filter = [](std::string) { return std::nullopt; };
    both.peer_writer->write("x");
    co_await settle();
    std::string got = co_await both.reader->readexactly(5);
    EXPECT_EQ(got, "whole");
    std::string error = co_await error_of(read_exactly(*both.reader, 1));
    EXPECT_NE(error.find("SSLEOFError"), std::string::npos) << error;
    co_await both.close();
  });
}

TEST_P(TlsTruncationTest, fault90_data_goodbye_and_end_in_one_segment) {
  run([]() -> Coro<> {
    Relayed both;
    co_await both.open();
    std::string kept;
    both.filter = [&](std::string chunk) {
      kept += chunk;
      return std::optional<std::string>("");
    };
    both.peer_writer->write(pattern(100'000));
    both.peer_writer->close();
    auto reading = create_task(read(*both.reader, -1));
    co_await settle();
    EXPECT_FALSE(reading.done());
    both.send_and_end(kept);
    std::string got = co_await reading;
    EXPECT_TRUE(got == pattern(100'000));
    EXPECT_TRUE(both.reader->at_eof());
    co_await both.close();
  });
}

}  // namespace

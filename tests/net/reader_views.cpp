// SPDX-License-Identifier: BSL-1.0
// A3.4: StreamReader.readuntil_view. Under ASan a view that is good for too short a time is found.
#include "asyncio/asyncio.hpp"
#include "asyncio/testing/simulated.hpp"
#include "backends.hpp"
#include "captures.hpp"
#include "connected.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>
#include <string_view>
#include <vector>

namespace {

using namespace asyncio;
using namespace std::chrono_literals;
using asyncio::testing::run_simulated;
using test::connected;
using test::Connected;
using test::error_of;
using test::settle;

TEST(ReaderViews, A3_4_views_are_not_copies) {
  run_simulated([]() -> Coro<> {
    StreamReader reader;
    reader.feed_data("GET / HTTP/1.1\r\nHost: a long one.example.test\r\n\r\nbody");
    std::string_view first = co_await reader.readuntil_view("\r\n");
    EXPECT_EQ(first, "GET / HTTP/1.1\r\n");
    const char* end = first.data() + first.size();
    std::string_view second = co_await reader.readuntil_view("\r\n");
    EXPECT_EQ(second, "Host: a long one.example.test\r\n");
    EXPECT_EQ(second.data(), end);
    std::vector<std::string> separators{"!", "\r\n"};
    std::string_view third = co_await reader.readuntil_view(separators);
    EXPECT_EQ(third, "\r\n");
    std::string rest = co_await reader.read(100);
    EXPECT_EQ(rest, "body");
  });
}

TEST(ReaderViews, A3_4_what_arrives_does_not_touch_a_view) {
  run_simulated([]() -> Coro<> {
    StreamReader reader;
    const std::vector<std::string> lines{"a\n", "fourteen byte\n", std::string(5000, 'l') + "\n"};
    for (const std::string& line : lines) {
      reader.feed_data(line + "rest");
      std::string_view view = co_await reader.readuntil_view();
      for (int i = 0; i < 100; ++i) {
        reader.feed_data(std::string(1 + static_cast<std::size_t>(i) * 7, '+'));
        EXPECT_EQ(view, line);
      }
      std::string rest = co_await reader.read(1 << 20);
      EXPECT_EQ(rest.size(), 4u + 100 + 7 * 4950);
      EXPECT_EQ(rest.substr(0, 6), "rest++");
    }
  });
}

/// Pieces and lines of any size, and each view is looked at until the next read.
TEST(ReaderViews, R2_random_pieces) {
  for (unsigned seed = 0; seed < 200; ++seed)
    run_simulated([seed]() -> Coro<> {
      std::mt19937 random(seed);
      auto up_to = [&](std::size_t most) { return random() % (most + 1); };
      std::string sent;
      std::vector<std::string> lines;
      for (int i = 0; i < 50; ++i) {
        lines.push_back(
            std::string(up_to(i % 5 == 0 ? 3000 : 20), static_cast<char>('a' + i % 26)) + "\n");
        sent += lines.back();
      }
      StreamReader reader;
      std::size_t fed = 0;
      auto feed = [&] {
        std::size_t count = std::min(sent.size() - fed, 1 + up_to(500));
        reader.feed_data(std::string_view(sent).substr(fed, count));
        fed += count;
      };
      for (const std::string& line : lines) {
        auto reading = create_task(
            [&]() -> Coro<std::string_view> { co_return co_await reader.readuntil_view(); });
        while (!reading.done()) {
          if (up_to(2) == 0) feed();
          co_await sleep(0s);
        }
        std::string_view view = co_await reading;
        for (std::size_t more = up_to(3); more > 0; --more) feed();
        EXPECT_EQ(view, line);
      }
      reader.feed_eof();
      std::string end = co_await reader.read();
      EXPECT_EQ(end, "");
    });
}

TEST(ReaderViews, A3_4_fails_as_readuntil_does) {
  run_simulated([]() -> Coro<> {
    StreamReader reader(8);
    EXPECT_EQ(test::thrown([&] { (void)reader.readuntil_view(""); }),
              "asyncio::ValueError: Separator should be at least one-byte string");
    reader.feed_data("longer than eight\n");
    std::string error = co_await error_of(reader.readuntil_view());
    EXPECT_EQ(error,
              "asyncio::LimitOverrunError: Separator is found, but chunk is longer than limit");
    std::string all = co_await reader.read(100);
    EXPECT_EQ(all, "longer than eight\n") << "nothing is taken";
    auto reading = create_task(reader.readuntil_view("\n"));
    co_await sleep(0s);
    error = co_await error_of(reader.readuntil_view());
    EXPECT_EQ(error,
              "asyncio::RuntimeError: readuntil_view() called while another coroutine is already "
              "waiting for incoming data");
    reader.feed_data("part");
    reading.cancel();
    error = co_await error_of(reading);
    EXPECT_EQ(error, "cancelled");
    reader.feed_eof();
    error = co_await error_of(reader.readuntil_view());
    EXPECT_EQ(error,
              "asyncio::IncompleteReadError: 4 bytes read on a total of undefined expected bytes");
  });
}

class ReaderViewsOn : public test::BackendTest {};
INSTANTIATE_TEST_SUITE_P(Backends, ReaderViewsOn, test::all_backends, test::backend_name);

TEST_P(ReaderViewsOn, A3_4_of_a_connection) {
  run([]() -> Coro<> {
    Connected both = co_await connected();
    std::string sent;
    for (int i = 0; i < 20'000; ++i) sent += "line " + std::to_string(i) + "\r\n";
    both.peer_writer().write(sent);
    both.peer_writer().write_eof();
    std::string received;
    for (int i = 0; i < 20'000; ++i) {
      std::string_view line = co_await both.reader().readuntil_view("\r\n");
      if (i % 5'000 == 0) co_await settle();  // more has arrived
      received += line;
    }
    EXPECT_TRUE(received == sent);
    EXPECT_FALSE(both.reader().at_eof()) << "the end was not looked for yet";
    std::string end = co_await both.reader().read();
    EXPECT_EQ(end, "");
    EXPECT_TRUE(both.reader().at_eof());
    co_await both.close();
  });
}

}  // namespace

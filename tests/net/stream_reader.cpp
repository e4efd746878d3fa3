// SPDX-License-Identifier: BSL-1.0
// StreamReader fed by hand. Cases and texts follow CPython's test_streams.py.
#include "asyncio/gather.hpp"
#include "asyncio/sleep.hpp"
#include "asyncio/streams.hpp"
#include "asyncio/task.hpp"
#include "asyncio/testing/simulated.hpp"
#include "captures.hpp"

#include <gtest/gtest.h>

#include <array>
#include <string>
#include <vector>

namespace {

using namespace asyncio;
using namespace std::chrono_literals;
using asyncio::testing::run_simulated;

/// The description of what awaiting `awaitable` throws.
template <class A>
Coro<std::string> error_of(A& awaitable) {
  std::string text = "nothing";
  try {
    co_await std::move(awaitable);
  } catch (const std::exception&) {
    text = describe_exception(std::current_exception());
  } catch (const CancelledError&) {
    text = "cancelled";
  }
  co_return text;
}

/// Not a macro around co_await, which g++ miscompiles.
template <class A>
Coro<> expect_error(A& awaitable, std::string expected) {
  std::string text = co_await error_of(awaitable);
  EXPECT_EQ(text, expected);
}

StreamReader fed(std::string_view data, std::size_t limit = kDefaultLimit) {
  StreamReader reader(limit);
  reader.feed_data(data);
  return reader;
}

StreamReader ended(std::string_view data) {
  StreamReader reader = fed(data);
  reader.feed_eof();
  return reader;
}

TEST(StreamReader, A3_4_invalid_limit) {
  run_simulated([]() -> Coro<> {
    EXPECT_EQ(test::thrown([] { StreamReader reader(0); }),
              "asyncio::ValueError: Limit cannot be <= 0");
    co_return;
  });
}

TEST(StreamReader, A3_4_needs_a_loop) { EXPECT_THROW(StreamReader(), RuntimeError); }

TEST(StreamReader, A3_4_read_returns_what_there_is) {
  run_simulated([]() -> Coro<> {
    StreamReader reader = fed("hello world");
    std::string none = co_await reader.read(0);
    std::string some = co_await reader.read(5);
    std::string rest = co_await reader.read(100);
    EXPECT_EQ(none, "");
    EXPECT_EQ(some, "hello");
    EXPECT_EQ(rest, " world");
  });
}

TEST(StreamReader, A3_4_read_waits_for_data) {
  run_simulated([]() -> Coro<> {
    StreamReader reader;
    get_running_loop().call_soon([reader] { reader.feed_data("late"); });
    std::string data = co_await reader.read(30);
    EXPECT_EQ(data, "late");
  });
}

TEST(StreamReader, A3_4_read_to_the_end) {
  run_simulated([]() -> Coro<> {
    StreamReader reader = fed("one ");
    get_running_loop().call_soon([reader] { reader.feed_data("two "); });
    get_running_loop().call_later(1s, [reader] {
      reader.feed_data("three");
      reader.feed_eof();
    });
    std::string all = co_await reader.read();
    EXPECT_EQ(all, "one two three");
    EXPECT_TRUE(reader.at_eof());
    std::string nothing = co_await reader.read(10);
    EXPECT_EQ(nothing, "");
  });
}

TEST(StreamReader, A3_4_at_eof_needs_an_empty_buffer) {
  run_simulated([]() -> Coro<> {
    StreamReader reader = fed("line\n");
    EXPECT_FALSE(reader.at_eof());
    reader.feed_eof();
    EXPECT_FALSE(reader.at_eof());
    co_await reader.readline();
    EXPECT_TRUE(reader.at_eof());
  });
}

TEST(StreamReader, A3_4_readline) {
  run_simulated([]() -> Coro<> {
    StreamReader reader = fed("chunk1 ");
    get_running_loop().call_soon([reader] {
      reader.feed_data("chunk2 ");
      reader.feed_data("chunk3 ");
      reader.feed_data("\n chunk4");
    });
    std::string line = co_await reader.readline();
    EXPECT_EQ(line, "chunk1 chunk2 chunk3 \n");
    reader.feed_eof();
    std::string partial = co_await reader.readline();
    std::string none = co_await reader.readline();
    EXPECT_EQ(partial, " chunk4");
    EXPECT_EQ(none, "");
  });
}

TEST(StreamReader, A3_4_next_ends_with_nullopt) {
  run_simulated([]() -> Coro<> {
    StreamReader reader = ended("a\nb\n\nlast");
    std::vector<std::string> lines;
    while (auto line = co_await reader.next()) lines.push_back(*line);
    EXPECT_EQ(lines, (std::vector<std::string>{"a\n", "b\n", "\n", "last"}));
  });
}

TEST(StreamReader, A3_4_readline_limit_with_existing_data) {
  run_simulated([]() -> Coro<> {
    StreamReader reader = fed("li", 3);
    reader.feed_data("ne1\nline2\n");
    auto first = reader.readline();
    co_await expect_error(
        first, "asyncio::ValueError: Separator is found, but chunk is longer than limit");
    // The long line is gone, up to and with its end.
    auto second = reader.readline();
    co_await expect_error(
        second, "asyncio::ValueError: Separator is found, but chunk is longer than limit");
  });
}

TEST(StreamReader, A3_4_readline_limit_without_a_separator) {
  run_simulated([]() -> Coro<> {
    StreamReader reader(7);
    get_running_loop().call_soon([reader] {
      reader.feed_data("chunk1");
      reader.feed_data("chunk2");
      reader.feed_data("chunk3\n");
      reader.feed_eof();
    });
    auto line = reader.readline();
    std::string error = co_await error_of(line);
    EXPECT_EQ(error.substr(0, 19), "asyncio::ValueError");
  });
}

TEST(StreamReader, A3_4_readuntil_separators) {
  run_simulated([]() -> Coro<> {
    StreamReader reader = fed("aXbYYcZ|rest");
    EXPECT_EQ(test::thrown([&] { (void)reader.readuntil(""); }),
              "asyncio::ValueError: Separator should be at least one-byte string");
    EXPECT_EQ(test::thrown([&] { (void)reader.readuntil(std::vector<std::string>()); }),
              "asyncio::ValueError: Separator should contain at least one element");
    EXPECT_EQ(test::thrown([&] { (void)reader.readuntil("a", ""); }),
              "asyncio::ValueError: Separator should be at least one-byte string");
    std::string one = co_await reader.readuntil("X");
    std::string two = co_await reader.readuntil("Z", "YY");
    std::string three = co_await reader.readuntil("|");
    EXPECT_EQ(one, "aX");
    EXPECT_EQ(two, "bYY");
    EXPECT_EQ(three, "cZ|");
  });
}

TEST(StreamReader, A3_4_readuntil_shortest_match_of_several) {
  run_simulated([]() -> Coro<> {
    StreamReader reader = fed("some data\r\nmore");
    std::string line = co_await reader.readuntil("\r", "\n", "\r\n");
    EXPECT_EQ(line, "some data\r");
  });
}

/// The separator may arrive in pieces, at any boundary.
TEST(StreamReader, A3_4_fault75_readuntil_split_everywhere) {
  run_simulated([]() -> Coro<> {
    const std::string text = "QWERaaaQWERbbbQWERAcQWERAA";
    for (std::size_t cut = 1; cut < text.size(); ++cut) {
      StreamReader reader = fed(text.substr(0, cut));
      get_running_loop().call_soon([=] { reader.feed_data(text.substr(cut)); });
      std::string chunk = co_await reader.readuntil("QWERAA");
      EXPECT_EQ(chunk, text) << "cut at " << cut;
    }
  });
}

TEST(StreamReader, A3_4_readuntil_eof_returns_what_there_was) {
  run_simulated([]() -> Coro<> {
    StreamReader reader = ended("some data");
    std::string partial;
    try {
      co_await reader.readuntil("AAA");
    } catch (const IncompleteReadError& e) {
      partial = e.partial;
    }
    EXPECT_EQ(partial, "some data");
    std::string rest = co_await reader.read();
    EXPECT_EQ(rest, "");
  });
}

TEST(StreamReader, A3_4_fault64_readuntil_limit_takes_nothing) {
  run_simulated([]() -> Coro<> {
    StreamReader reader = fed("some dataAA", 3);
    std::size_t consumed = 0;
    std::string text;
    try {
      co_await reader.readuntil("AA");
    } catch (const LimitOverrunError& e) {
      consumed = e.consumed;
      text = e.what();
    }
    EXPECT_EQ(consumed, 9u);
    EXPECT_EQ(text, "Separator is found, but chunk is longer than limit");
    try {
      co_await reader.readuntil("|");
    } catch (const LimitOverrunError& e) {
      consumed = e.consumed;
      text = e.what();
    }
    EXPECT_EQ(consumed, 11u);
    EXPECT_EQ(text, "Separator is not found, and chunk exceed the limit");
    std::string all = co_await reader.readexactly(11);
    EXPECT_EQ(all, "some dataAA");
  });
}

TEST(StreamReader, A3_4_readexactly) {
  run_simulated([]() -> Coro<> {
    StreamReader reader(3);  // the limit does not concern it
    get_running_loop().call_soon([reader] {
      for (int i = 0; i < 3; ++i) reader.feed_data("0123456789");
    });
    std::string data = co_await reader.readexactly(21);
    std::string none = co_await reader.readexactly(0);
    std::string rest = co_await reader.read(100);
    EXPECT_EQ(data, "012345678901234567890");
    EXPECT_EQ(none, "");
    EXPECT_EQ(rest, "123456789");
  });
}

TEST(StreamReader, A3_4_fault65_eof_inside_readexactly) {
  run_simulated([]() -> Coro<> {
    StreamReader reader = ended("abc");
    std::string partial, text;
    std::optional<std::size_t> expected;
    try {
      co_await reader.readexactly(10);
    } catch (const IncompleteReadError& e) {
      partial = e.partial;
      expected = e.expected;
      text = e.what();
    }
    EXPECT_EQ(partial, "abc");
    EXPECT_EQ(expected, 10u);
    EXPECT_EQ(text, "3 bytes read on a total of 10 expected bytes");
    EXPECT_TRUE(reader.at_eof());
  });
}

TEST(StreamReader, A3_4_read_into) {
  run_simulated([]() -> Coro<> {
    StreamReader reader = fed("0123456789");
    std::array<char, 4> room{};
    std::size_t first = co_await reader.read_into(std::span(room));
    EXPECT_EQ(std::string_view(room.data(), first), "0123");
    std::array<std::byte, 16> bytes{};
    std::size_t second = co_await reader.read_into(std::span(bytes));
    EXPECT_EQ(second, 6u);
    std::size_t none = co_await reader.read_into(std::span<char>());
    EXPECT_EQ(none, 0u);
    reader.feed_eof();
    std::size_t end = co_await reader.read_into(std::span(room));
    EXPECT_EQ(end, 0u);
  });
}

TEST(StreamReader, A3_4_exception_comes_before_data) {
  run_simulated([]() -> Coro<> {
    StreamReader reader = fed("line\n");
    EXPECT_FALSE(reader.exception());
    reader.set_exception(ValueError("broken"));
    EXPECT_TRUE(reader.exception());
    auto line = reader.readline();
    auto some = reader.read(1);
    auto exactly = reader.readexactly(1);
    auto until = reader.readuntil("\n");
    co_await expect_error(line, "asyncio::ValueError: broken");
    co_await expect_error(some, "asyncio::ValueError: broken");
    co_await expect_error(exactly, "asyncio::ValueError: broken");
    co_await expect_error(until, "asyncio::ValueError: broken");
  });
}

TEST(StreamReader, A3_4_exception_wakes_the_waiter) {
  run_simulated([]() -> Coro<> {
    StreamReader reader;
    get_running_loop().call_later(1s, [reader] { reader.set_exception(ValueError("broken")); });
    auto line = reader.readline();
    co_await expect_error(line, "asyncio::ValueError: broken");
  });
}

TEST(StreamReader, A3_4_feed_after_eof_is_an_error) {
  run_simulated([]() -> Coro<> {
    StreamReader reader = ended("");
    EXPECT_THROW(reader.feed_data("x"), RuntimeError);
    co_return;
  });
}

Coro<std::string> read_line(StreamReader reader) { co_return co_await reader.readline(); }

TEST(StreamReader, fault66_second_reader_is_refused) {
  run_simulated([]() -> Coro<> {
    StreamReader reader;
    auto first = create_task(read_line, reader);
    co_await sleep(0s);
    auto line = reader.readline();
    co_await expect_error(
        line,
        "asyncio::RuntimeError: readline() called while another coroutine is already waiting "
        "for incoming data");
    auto exactly = reader.readexactly(3);
    co_await expect_error(
        exactly,
        "asyncio::RuntimeError: readexactly() called while another coroutine is already "
        "waiting for incoming data");
    reader.feed_data("mine\n");
    std::string mine = co_await first;
    EXPECT_EQ(mine, "mine\n");
  });
}

/// R2: whatever the moment, a cancelled read leaves its bytes to the next one.
TEST(StreamReader, R2_fault65_cancelled_read_takes_nothing) {
  run_simulated([]() -> Coro<> {
    for (bool data_first : {false, true}) {
      StreamReader reader = fed("hal");
      auto task = create_task(read_line, reader);
      co_await sleep(0s);
      if (data_first) reader.feed_data("f line\n");  // the reader has been woken, but not run
      task.cancel();
      if (!data_first) reader.feed_data("f line\n");
      auto& awaited = task;
      co_await expect_error(awaited, "cancelled");
      std::string line = co_await reader.readline();
      EXPECT_EQ(line, "half line\n");
    }
  });
}

TEST(StreamReader, D12_fault2_reads_that_need_not_wait_keep_the_stack_flat) {
  run_simulated([]() -> Coro<> {
    StreamReader reader = fed(std::string(100000, '\n'));
    int lines = 0;
    for (; lines < 100000; ++lines) {
      std::string line = co_await reader.readline();
      if (line != "\n") break;
    }
    EXPECT_EQ(lines, 100000);
  });
}

}  // namespace

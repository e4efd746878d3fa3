// SPDX-License-Identifier: BSL-1.0
// Streams when peers, callers or the moment are unkind, on every backend.
#include "asyncio/capture.hpp"
#include "asyncio/gather.hpp"
#include "asyncio/sleep.hpp"
#include "asyncio/streams.hpp"
#include "asyncio/task.hpp"
#include "asyncio/testing/simulated.hpp"
#include "asyncio/timeout.hpp"
#include "backends.hpp"
#include "captures.hpp"
#include "connected.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <fcntl.h>
#include <optional>
#include <ranges>
#include <string>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>
#include <utility>
#include <vector>

namespace {

using namespace asyncio;
using namespace std::chrono_literals;
using test::connected;
using test::Connected;
using test::drain;
using test::error_of;
using test::pattern;
using test::read;
using test::read_exactly;
using test::settle;
using test::wait_closed;

class StreamFaultsTest : public test::BackendTest {};
INSTANTIATE_TEST_SUITE_P(Backends, StreamFaultsTest, test::all_backends, test::backend_name);

TEST_P(StreamFaultsTest, A3_5_fault49_writelines) {
  run([]() -> Coro<> {
    Connected both = co_await connected();
    std::vector<std::string> lines;
    std::string all;
    for (int i = 0; i < 3000; ++i) {  // more than IOV_MAX, some of them empty
      lines.push_back(i % 7 == 0 ? "" : "line " + std::to_string(i) + "\n");
      all += lines.back();
    }
    both.writer().writelines(lines);
    both.writer().writelines(std::vector<std::string>());
    both.writer().writelines(std::vector<std::string_view>{"", "", ""});
    auto numbered =
        std::views::iota(0, 3) | std::views::transform([](int i) { return std::to_string(i); });
    both.writer().writelines(numbered);
    all += "012";
    both.writer().write(std::string_view());
    both.writer().close();
    std::string got = co_await both.peer_reader().read();
    EXPECT_EQ(got, all);
    co_await both.close();
  });
}

TEST_P(StreamFaultsTest, fault54_half_close_leaves_the_other_direction) {
  run([]() -> Coro<> {
    Connected both = co_await connected();
    both.peer_writer().write_eof();
    std::string end = co_await both.reader().read(10);
    EXPECT_EQ(end, "");
    std::string sent = pattern(1 << 20);
    auto receiving = create_task(read, both.peer_reader(), -1);
    both.writer().write(sent);
    co_await both.writer().drain();
    both.writer().close();
    std::string got = co_await receiving;
    both.peer_writer().close();
    EXPECT_EQ(got == sent, true);
    co_await both.writer().wait_closed();
    co_await both.close();
  });
}

/// cpython#74116: any number of tasks may drain one writer.
TEST_P(StreamFaultsTest, A3_6_fault66_ten_tasks_drain) {
  run([]() -> Coro<> {
    Connected both = co_await connected();
    std::string sent = pattern(8'000'000);
    both.writer().write(sent);
    std::vector<Task<void>> draining;
    for (int i = 0; i < 10; ++i) draining.push_back(create_task(drain, both.writer()));
    co_await settle();
    draining[3].cancel();
    auto receiving = create_task(read_exactly, both.peer_reader(), sent.size());
    auto results = co_await gather(return_exceptions, draining);
    for (std::size_t i = 0; i < results.size(); ++i) EXPECT_EQ(results[i].has_value(), i != 3) << i;
    std::string got = co_await receiving;
    EXPECT_EQ(got == sent, true);
    co_await both.close();
  });
}

/// R6, fault 63: a writer that drains holds at most the high-water mark and one chunk.
TEST_P(StreamFaultsTest, R6_fault63_slow_reader_bounds_the_writer) {
  static constexpr std::size_t kChunk = 64 * 1024;
  static constexpr int kChunks = 1024;
  run([]() -> Coro<> {
    Connected both = co_await connected();
    auto writing = create_task([writer = both.writer()]() -> Coro<std::size_t> {
      std::size_t most = 0;
      std::string chunk = pattern(kChunk);
      for (int i = 0; i < kChunks; ++i) {
        writer.write(chunk);
        most = std::max(most, writer.get_write_buffer_size());
        co_await writer.drain();
      }
      writer.close();
      co_return most;
    });
    std::string chunk = pattern(kChunk);
    std::size_t wrong = 0;
    for (int i = 0; i < kChunks; ++i) {
      std::string got = co_await both.peer_reader().readexactly(kChunk);
      if (got != chunk) ++wrong;
      if (i % 64 == 0) co_await sleep(1ms);
    }
    std::size_t most = co_await writing;
    EXPECT_EQ(wrong, 0u);
    EXPECT_LE(most, 2 * kChunk);
    EXPECT_GT(most, 0u);
    co_await both.close();
  });
}

/// Makes the peer reset the connection: it closes with bytes unread.
Coro<> reset_by_peer(Connected& both) {
  both.writer().write("never read");
  co_await settle();
  both.peer_writer().close();
  co_await both.peer_writer().wait_closed();
  co_await settle();
}

TEST_P(StreamFaultsTest, R1_fault50_reset_while_writing_gives_each_waiter_one_error) {
  run([]() -> Coro<> {
    Connected both = co_await connected();
    both.writer().write(pattern(8'000'000));
    auto reading = create_task(read, both.reader(), 1);
    std::vector<Task<void>> draining;
    for (int i = 0; i < 3; ++i) draining.push_back(create_task(drain, both.writer()));
    co_await settle();
    both.peer_writer().close();
    for (auto& task : draining) {
      std::string error = co_await error_of(task);
      EXPECT_TRUE(error.starts_with("asyncio::ConnectionResetError: ") ||
                  error.starts_with("asyncio::BrokenPipeError: "))
          << error;
      EXPECT_NE(error.find(both.writer().peername().str()), std::string::npos) << error;
    }
    std::string read_error = co_await error_of(reading);
    EXPECT_TRUE(read_error == "nothing" || read_error.find("reset") != std::string::npos)
        << read_error;
    std::string later = co_await error_of(drain(both.writer()));
    EXPECT_NE(later, "nothing");
    EXPECT_TRUE(both.writer().is_closing());
    std::string closed = co_await error_of(wait_closed(both.writer()));
    EXPECT_NE(closed, "nothing");
    co_await both.close();
  });
}

TEST_P(StreamFaultsTest, fault53_data_then_reset) {
  run([]() -> Coro<> {
    Connected both = co_await connected();
    both.peer_writer().write("first\nsecond");
    co_await reset_by_peer(both);
    std::string first = co_await both.reader().readline();
    EXPECT_EQ(first, "first\n");
    // What has arrived is there, also when the line never ends.
    std::string error = co_await error_of(both.reader().readline());
    EXPECT_TRUE(error.starts_with("asyncio::ConnectionResetError: recv ")) << error;
    std::string rest = co_await both.reader().read(100);
    EXPECT_EQ(rest, "second");
    EXPECT_TRUE(both.reader().exception());
    std::string again = co_await error_of(both.reader().read(100));
    EXPECT_EQ(again, error);
    co_await both.close();
  });
}

TEST_P(StreamFaultsTest, fault53_data_then_end_while_writing_fails) {
  run([]() -> Coro<> {
    Connected both = co_await connected();
    both.peer_writer().write("reply");
    both.peer_writer().close();
    co_await both.peer_writer().wait_closed();
    co_await settle();
    for (int i = 0; i < 3; ++i) {
      both.writer().write("request");
      co_await settle();
    }
    std::string error = co_await error_of(drain(both.writer()));
    EXPECT_TRUE(error.find("send " + both.writer().peername().str()) != std::string::npos) << error;
    std::string reply = co_await both.reader().readexactly(5);
    EXPECT_EQ(reply, "reply");
    // The peer had ended its side before: nothing is missing.
    std::string end = co_await both.reader().read();
    EXPECT_EQ(end, "");
    EXPECT_TRUE(both.reader().at_eof());
    co_await both.close();
  });
}

/// The system tells of a reset once; a send that hears of it must not keep it from the reader.
TEST_P(StreamFaultsTest, R10_fault53_reset_that_a_write_has_met_is_no_end_for_the_reader) {
  run([]() -> Coro<> {
    Connected both = co_await connected();
    both.peer_writer().write("half an ans");
    co_await reset_by_peer(both);
    both.writer().write("request");
    std::string error = co_await error_of(drain(both.writer()));
    EXPECT_TRUE(error.starts_with("asyncio::ConnectionResetError: send ")) << error;
    std::string begun = co_await both.reader().read(100);
    EXPECT_EQ(begun, "half an ans");
    for (int i = 0; i < 2; ++i) {
      std::string rest = co_await error_of(both.reader().read());
      EXPECT_EQ(rest, error);
    }
    EXPECT_FALSE(both.reader().at_eof());
    co_await both.close();
  });
}

TEST_P(StreamFaultsTest, fault53_own_close_after_a_reset_is_no_end_for_the_reader) {
  run([]() -> Coro<> {
    Connected both = co_await connected();
    co_await reset_by_peer(both);
    both.writer().write("request");
    auto reading = create_task(read, both.reader(), 1);
    both.writer().close();
    std::string error = co_await error_of(reading);
    EXPECT_TRUE(error.starts_with("asyncio::ConnectionResetError: ")) << error;
    co_await both.close();
  });
}

TEST_P(StreamFaultsTest, R2_fault65_cancelled_reads_lose_nothing) {
  run([]() -> Coro<> {
    Connected both = co_await connected();
    std::string got;
    const std::string sent = pattern(2000);
    std::size_t written = 0;
    // Reads of every kind are cancelled before, with and after the arrival of bytes.
    for (int round = 0; got.size() < sent.size(); ++round) {
      auto reading = create_task(read_exactly, both.reader(), 7);
      co_await sleep(0s);
      if (round % 3 == 0) reading.cancel();
      if (written < sent.size()) {
        both.peer_writer().write(std::string_view(sent).substr(written, 5));
        written = std::min(written + 5, sent.size());
      }
      if (round % 3 == 1) co_await settle();
      reading.cancel();
      Result<std::string> result = co_await capture(reading);
      if (result) got += *result;
      if (round % 5 == 0 || written == sent.size()) got += co_await both.reader().read(3);
    }
    EXPECT_EQ(got == sent, true);
    co_await both.close();
  });
}

Coro<std::size_t> fill(StreamReader reader, std::vector<char>& room) {
  co_return co_await reader.read_into(std::span(room));
}

/// The bytes that reached the caller's memory go back when the read is cancelled after all.
TEST_P(StreamFaultsTest, R2_cancelled_read_into_loses_nothing) {
  run([]() -> Coro<> {
    Connected both = co_await connected();
    std::string got;
    for (int turns = 0; turns < 12; ++turns) {
      std::vector<char> room(16);
      auto reading = create_task(fill, both.reader(), std::ref(room));
      co_await sleep(0s);
      both.peer_writer().write("0123456789");
      for (int i = 0; i < turns; ++i) co_await sleep(0s);
      reading.cancel();
      Result<std::size_t> result = co_await capture(reading);
      if (result) got.append(room.data(), *result);
    }
    both.peer_writer().close();
    got += co_await both.reader().read();
    std::string expected;
    for (int i = 0; i < 12; ++i) expected += "0123456789";
    EXPECT_EQ(got, expected);
    co_await both.close();
  });
}

TEST_P(StreamFaultsTest, fault66_second_reader_is_refused_and_close_releases_the_first) {
  run([]() -> Coro<> {
    Connected both = co_await connected();
    auto first = create_task(read, both.reader(), 10);
    co_await settle();
    std::string error = co_await error_of(both.reader().read(10));
    EXPECT_EQ(error,
              "asyncio::RuntimeError: read() called while another coroutine is already waiting for "
              "incoming data");
    both.writer().close();
    std::string end = co_await first;
    EXPECT_EQ(end, "");
    co_await both.close();
  });
}

TEST_P(StreamFaultsTest, fault1_a_task_that_yields_for_ever_starves_neither_timer_nor_socket) {
  run([]() -> Coro<> {
    Connected both = co_await connected();
    auto spin = []() -> Coro<> {
      for (;;) {
        asyncio::testing::block_for(1us);
        co_await sleep(0s);
      }
    };
    Task<> spinner = create_task(spin);
    auto reading = create_task(read, both.reader(), 1);
    co_await sleep(1ms);
    both.peer_writer().write("x");
    std::string got = co_await wait_for(reading, 10s);
    EXPECT_EQ(got, "x");
    spinner.cancel();
    co_await both.close();
  });
}

/// Fault 1: a peer that always has bytes does not keep the loop to itself.
TEST_P(StreamFaultsTest, fault1_fast_peer_leaves_turns_to_others) {
  run([]() -> Coro<> {
    Connected both = co_await connected();
    bool done = false;
    int turns = 0;
    auto other = create_task([&]() -> Coro<> {
      while (!done) {
        co_await sleep(0s);
        ++turns;
      }
    });
    both.peer_writer().write(pattern(4000));
    while (turns < 50) co_await sleep(0s);
    turns = 0;
    std::array<char, 1> room{};
    for (int i = 0; i < 4000; ++i) co_await both.reader().read_into(std::span(room));
    EXPECT_GT(turns, 100);
    done = true;
    co_await other;
    co_await both.close();
  });
}

TEST_P(StreamFaultsTest, fault64_endless_line_is_bounded) {
  run([]() -> Coro<> {
    ConnectOptions options;
    options.limit(1000);
    Connected both = co_await connected(options);
    auto writing = create_task([writer = both.peer_writer()]() -> Coro<> {
      for (int i = 0; i < 100; ++i) co_await writer.send(std::string(10000, 'x'));
      writer.close();
    });
    std::size_t consumed = 0;
    try {
      co_await both.reader().readuntil("\n");
    } catch (const LimitOverrunError& e) {
      consumed = e.consumed;
    }
    EXPECT_GT(consumed, 1000u);
    EXPECT_LE(consumed, 2000u);
    std::string all = co_await both.reader().read();
    EXPECT_EQ(all.size(), 1'000'000u);
    co_await writing;
    co_await both.close();
  });
}

/// R11, R16, fault 45: misuse from elsewhere is an error.
TEST_P(StreamFaultsTest, R16_fault45_streams_belong_to_their_loop) {
  run([this]() -> Coro<> {
    Connected both = co_await connected();
    StreamReader reader = both.reader();
    std::string error;
    std::thread([&] { error = asyncio::run(error_of(read(reader, 1)), options()); }).join();
    EXPECT_EQ(error, "asyncio::RuntimeError: the stream is bound to a different event loop");
    get_running_loop().set_debug(true);
    std::thread([&] { error = test::thrown([&] { both.writer().write("x"); }); }).join();
    EXPECT_TRUE(
        error.starts_with("asyncio::RuntimeError: Non-thread-safe operation invoked on an event "
                          "loop other than the current one: the loop runs in thread "))
        << error;
    get_running_loop().set_debug(false);
    co_await both.close();
  });
}

/// R3, fault 196: what still waits when the loop closes is let go, once.
TEST_P(StreamFaultsTest, R3_R5_fault196_loop_closes_with_everything_pending) {
  std::optional<Connected> kept;
  run([&]() -> Coro<> {
    kept = co_await connected();
    kept->writer().write(pattern(8'000'000));
    create_task(drain, kept->writer());
    create_task(wait_closed, kept->writer());
    create_task(read, kept->reader(), 1);
    co_await settle();
  });
  EXPECT_EQ(kept->writer().fileno(), -1);
  EXPECT_TRUE(kept->writer().is_closing());
  kept->writer().write("nothing happens");
  kept->writer().close();
  kept.reset();
}

class RealStreamFaultsTest : public test::BackendTest {};
INSTANTIATE_TEST_SUITE_P(Backends, RealStreamFaultsTest, test::real_backends, test::backend_name);

TEST_P(RealStreamFaultsTest, R5_fault57_descriptor_that_the_user_closes) {
  run([]() -> Coro<> {
    Connected both = co_await connected();
    auto reading = create_task(read, both.reader(), 1);
    co_await settle();
    int number = both.writer().fileno();
    ::close(number);
    both.writer().write("nowhere");
    int other = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
    EXPECT_EQ(other, number);
    std::vector<std::string> errors;
    errors.push_back(co_await error_of(reading));
    errors.push_back(co_await error_of(drain(both.writer())));
    errors.push_back(co_await error_of(both.reader().read()));
    errors.push_back(co_await error_of(wait_closed(both.writer())));
    std::string expected = "send " + both.writer().peername().str() + ": Bad file descriptor";
    for (const std::string& error : errors) EXPECT_EQ(error, "asyncio::OSError: " + expected);
    EXPECT_EQ(both.writer().fileno(), -1);
    EXPECT_GE(::fcntl(other, F_GETFD), 0) << "closed, though it is another's now";
    ::close(other);
    co_await both.close();
  });
}

TEST(Streams, A3_1_fault58_adopted_socket) {
  run([]() -> Coro<> {
    int pair[2];
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);  // blocking
    auto [reader, writer] = co_await open_connection(pair[0]);
    writer.write("x");
    char byte = 0;
    EXPECT_EQ(::read(pair[1], &byte, 1), 1);
    EXPECT_EQ(::write(pair[1], "yz", 2), 2);
    std::string got = co_await reader.readexactly(2);
    EXPECT_EQ(got, "yz");
    ::close(pair[1]);
    writer.close();
    co_await writer.wait_closed();
  }());
}

TEST(Streams, A3_1_fault58_sockets_that_cannot_be_streams) {
  run([]() -> Coro<> {
    int datagram = ::socket(AF_INET, SOCK_DGRAM, 0);
    int lonely = ::socket(AF_INET, SOCK_STREAM, 0);
    std::string d = co_await error_of(open_connection(datagram));
    std::string l = co_await error_of(open_connection(lonely));
    EXPECT_EQ(d, "asyncio::ValueError: A Stream Socket was expected, got descriptor " +
                     std::to_string(datagram));
    EXPECT_EQ(l, "asyncio::ValueError: a connected socket was expected, got descriptor " +
                     std::to_string(lonely));
    ::close(datagram);
    ::close(lonely);
    std::string closed = co_await error_of(open_connection(lonely));
    EXPECT_EQ(closed,
              "asyncio::OSError: socket " + std::to_string(lonely) + ": Bad file descriptor");
  }());
}

}  // namespace

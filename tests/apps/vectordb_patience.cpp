// SPDX-License-Identifier: BSL-1.0
// Commands of apps/vectordb whose server does not answer.
#include "program.hpp"
#include "terminal.hpp"
#include "vectordb_process.hpp"
#include <asyncio/asyncio.hpp>

#include <gtest/gtest.h>

#include <chrono>
#include <cstddef>
#include <string>
#include <vector>

using namespace asyncio;
using namespace std::chrono_literals;
using test::Outcome;
using test::outcome_of;
using test::Terminal;
using test::words;

namespace {

using Clock = std::chrono::steady_clock;

/// Runs `body(address)` with a server that accepts, and never says anything.
template <class F>
void with_silence(F body) {
  run([&]() -> Coro<> {
    auto listen = [](StreamReader reader, StreamWriter writer) -> Coro<> {
      co_await reader.read();
      writer.close();
    };
    Server server = co_await start_server(listen, "127.0.0.1", 0);
    const std::string address = "127.0.0.1:" + std::to_string(server.sockets().at(0).port());
    auto outcome = co_await capture(body(address));
    server.close();
    co_await server.wait_closed();
    outcome.value();
  });
}

std::size_t count_of(const std::string& text, const std::string& part) {
  std::size_t count = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1))
    ++count;
  return count;
}

TEST(VectorDBPatience, attempts_are_as_many_and_as_long_as_one_says) {
  with_silence([](const std::string& address) -> Coro<> {
    const std::string info = VECTORDB " info --url " + address;
    Outcome outcome = co_await outcome_of(words(info + " --timeout 0.2 --retries 2 --verbose"));
    EXPECT_EQ(outcome.status, 5);
    EXPECT_EQ(outcome.out, "");
    EXPECT_EQ(count_of(outcome.err, "vectordb: connect to " + address + ": "), 3U) << outcome.err;
    EXPECT_EQ(count_of(outcome.err, "timed out; attempt 2 of 3 in 0."), 1U) << outcome.err;
    EXPECT_EQ(count_of(outcome.err, "timed out; attempt 3 of 3 in 0."), 1U) << outcome.err;
    outcome = co_await outcome_of(words(info + " --timeout 0.2 --retries 2"));
    EXPECT_EQ(outcome.status, 5);
    EXPECT_EQ(count_of(outcome.err, "\n"), 1U) << outcome.err;
  });
}

TEST(VectorDBPatience, whether_a_server_is_there_is_known_soon) {
  with_silence([](const std::string& address) -> Coro<> {
    const Clock::time_point begin = Clock::now();
    Outcome outcome = co_await outcome_of(words(VECTORDB " info --retries 0 --url " + address));
    EXPECT_EQ(outcome.status, 5) << outcome.err;
    EXPECT_LT(Clock::now() - begin, 30s);  // --timeout is a minute
  });
}

/// What a command says on a terminal.
Coro<std::string> said_on_terminal(std::string line) {
  Terminal terminal;
  SubprocessOptions options;
  options.stdout(DEVNULL).stderr(terminal.device());
  Process process = co_await create_subprocess_exec(options, words(line));
  terminal.close_device();
  int status = co_await process.wait();
  EXPECT_EQ(status, 5);
  co_return terminal.text_at_end();
}

TEST(VectorDBPatience, a_terminal_is_told_that_it_is_tried_again) {
  with_silence([](const std::string& address) -> Coro<> {
    const std::string info = VECTORDB " info --timeout 0.2 --retries 1 --url " + address;
    std::string said = co_await said_on_terminal(info);
    EXPECT_EQ(count_of(said, "; attempt 2 of 2 in "), 1U) << said;
    said = co_await said_on_terminal(info + " --quiet");
    EXPECT_EQ(count_of(said, "; attempt 2 of 2 in "), 0U) << said;
  });
}

TEST(VectorDBPatience, limits_that_make_no_sense_are_usage_errors) {
  run([]() -> Coro<> {
    Outcome outcome = co_await outcome_of(words(VECTORDB " info --timeout 0"));
    EXPECT_EQ(outcome.status, 2);
    EXPECT_EQ(count_of(outcome.err + outcome.out, "--timeout: '0' is not a number from 0.1 to"), 1U)
        << outcome.err;
    outcome = co_await outcome_of(words(VECTORDB " info --retries -1"));
    EXPECT_EQ(outcome.status, 2);
    EXPECT_EQ(count_of(outcome.err + outcome.out, "--retries: '-1' is not a whole number"), 1U)
        << outcome.err;
    outcome = co_await outcome_of(words(VECTORDB " info --quiet --verbose"));
    EXPECT_EQ(outcome.status, 2);
  });
}

}  // namespace

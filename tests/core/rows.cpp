// SPDX-License-Identifier: BSL-1.0
/// Members of features.md's rows that the tests of single subjects pass over.
#include "asyncio/asyncio.hpp"
#include "captures.hpp"
#include "virtual_loop.hpp"

#include <gtest/gtest.h>

#include <cerrno>
#include <string>
#include <system_error>
#include <type_traits>
#include <vector>

using namespace asyncio;
using namespace std::chrono_literals;
using test::run_virtual;
using test::thrown;

namespace {

// --- A7: exceptions ------------------------------------------------------------------------------

template <class E, class... Bases>
inline constexpr bool derives = (... && std::is_base_of_v<Bases, E>);

// `catch (const std::exception&)` takes no cancellation, interrupt or end of a generator; it takes
// every other.
static_assert(derives<CancelledError, BaseException>);
static_assert(derives<KeyboardInterrupt, BaseException>);
static_assert(derives<GeneratorExit, BaseException>);
static_assert(!std::is_base_of_v<std::exception, BaseException>);
static_assert(derives<TimeoutError, OSError, std::system_error>);
static_assert(derives<ConnectionResetError, ConnectionError, OSError, std::system_error>);
static_assert(derives<ConnectionRefusedError, ConnectionError, OSError, std::system_error>);
static_assert(derives<ConnectionAbortedError, ConnectionError, OSError, std::system_error>);
static_assert(derives<BrokenPipeError, ConnectionError, OSError, std::system_error>);
static_assert(derives<SendfileNotAvailableError, RuntimeError, std::runtime_error>);
static_assert(derives<BrokenBarrierError, RuntimeError, std::runtime_error>);
static_assert(derives<InvalidStateError, std::exception>);
static_assert(derives<IncompleteReadError, std::exception>);
static_assert(derives<LimitOverrunError, std::exception>);
static_assert(derives<ValueError, std::runtime_error>);
static_assert(derives<TypeError, std::runtime_error>);
static_assert(derives<ExceptionGroup, std::exception>);
static_assert(!derives<TimeoutError, RuntimeError> && !derives<ValueError, RuntimeError>);

template <class E>
void expect_text(const E& error, const std::string& text, const std::string& described) {
  EXPECT_STREQ(error.what(), text.c_str());
  EXPECT_EQ(describe_exception(std::make_exception_ptr(error)), described);
}

TEST(Rows, A7_each_exception_says_what_it_was_given_and_is_described_by_its_name) {
  expect_text(CancelledError("why"), "why", "asyncio::CancelledError: why");
  expect_text(CancelledError(), "", "asyncio::CancelledError");
  expect_text(KeyboardInterrupt("stop"), "stop", "asyncio::KeyboardInterrupt: stop");
  expect_text(RuntimeError("r"), "r", "asyncio::RuntimeError: r");
  expect_text(ValueError("v"), "v", "asyncio::ValueError: v");
  expect_text(TypeError("t"), "t", "asyncio::TypeError: t");
  expect_text(InvalidStateError("i"), "i", "asyncio::InvalidStateError: i");
  expect_text(BrokenBarrierError("b"), "b", "asyncio::BrokenBarrierError: b");
  expect_text(SendfileNotAvailableError("s"), "s", "asyncio::SendfileNotAvailableError: s");
}

template <class E>
void expect_system_error(int number) {
  try {
    throw E(number, "operation");
  } catch (const std::system_error& error) {
    EXPECT_EQ(error.code(), std::error_code(number, std::generic_category()));
    EXPECT_NE(std::string(error.what()).find("operation"), std::string::npos);
  }
}

TEST(Rows, A7_errors_of_the_system_are_caught_as_system_error_with_their_number) {
  expect_system_error<OSError>(EBADF);
  expect_system_error<ConnectionError>(EPIPE);
  expect_system_error<ConnectionResetError>(ECONNRESET);
  expect_system_error<ConnectionRefusedError>(ECONNREFUSED);
  expect_system_error<ConnectionAbortedError>(ECONNABORTED);
  expect_system_error<BrokenPipeError>(EPIPE);
  try {
    throw TimeoutError("read");
  } catch (const std::system_error& error) {
    EXPECT_EQ(error.code(), std::errc::timed_out);
    EXPECT_NE(std::string(error.what()).find("read"), std::string::npos);
  }
}

TEST(Rows, A7_members_of_incomplete_read_and_limit_overrun) {
  IncompleteReadError some("abc", 10);
  EXPECT_EQ(some.partial, "abc");
  EXPECT_EQ(some.expected, 10u);
  EXPECT_STREQ(some.what(), "3 bytes read on a total of 10 expected bytes");
  IncompleteReadError until("", std::nullopt);
  EXPECT_FALSE(until.expected);
  EXPECT_STREQ(until.what(), "0 bytes read on a total of undefined expected bytes");
  LimitOverrunError limit("too long", 7);
  EXPECT_EQ(limit.consumed, 7u);
  EXPECT_STREQ(limit.what(), "too long");
}

TEST(Rows, A7_subgroup_has_the_leaves_of_a_type_in_the_shape_of_the_tree) {
  auto value = std::make_exception_ptr(ValueError("v"));
  auto type = std::make_exception_ptr(TypeError("t"));
  ExceptionGroup inner("inner", {type, value});
  ExceptionGroup outer("outer", {std::make_exception_ptr(inner), type});
  auto values = outer.subgroup<ValueError>();
  ASSERT_TRUE(values);
  EXPECT_EQ(values->message(), "outer");
  ASSERT_EQ(values->exceptions().size(), 1u);
  try {
    std::rethrow_exception(values->exceptions().front());
  } catch (const ExceptionGroup& found) {
    EXPECT_EQ(found.message(), "inner");
    EXPECT_EQ(found.exceptions(), std::vector<std::exception_ptr>{value});
  }
  EXPECT_FALSE(outer.subgroup<InvalidStateError>());
  EXPECT_EQ(outer.subgroup<std::runtime_error>()->exceptions().size(), 2u);
}

// --- A2.10: timeouts -----------------------------------------------------------------------------

TEST(Rows, A2_10_when_reschedule_expired_and_the_value_of_the_body) {
  run_virtual([]() -> Coro<> {
    TimePoint begin = get_running_loop().time();
    auto body = [begin](Timeout& scope) -> Coro<int> {
      EXPECT_EQ(scope.when(), begin + 1s);
      scope.reschedule(begin + 5s);
      EXPECT_EQ(scope.when(), begin + 5s);
      co_await sleep(4s);
      EXPECT_FALSE(scope.expired());
      scope.reschedule(std::nullopt);
      EXPECT_EQ(scope.when(), std::nullopt);
      co_await sleep(1h);
      co_return 7;
    };
    int value = co_await with(timeout(1s), body);
    EXPECT_EQ(value, 7);
  });
}

TEST(Rows, A2_10_only_its_own_cancellation_becomes_a_timeout_error) {
  run_virtual([]() -> Coro<> {
    bool expired = false;
    auto sleeps = [&expired](Timeout& scope) -> Coro<> {
      auto slept = co_await capture(sleep(1h));
      expired = scope.expired();
      slept.value();
    };
    TimePoint begin = get_running_loop().time();
    auto timed_out = co_await capture(with(timeout_at(begin + 2s), sleeps));
    EXPECT_TRUE(timed_out.holds<TimeoutError>());
    EXPECT_TRUE(expired);
    EXPECT_EQ(get_running_loop().time(), begin + 2s);

    auto limited = [&sleeps]() -> Coro<> { co_await with(timeout(1h), sleeps); };
    Task<> task = create_task(limited);
    co_await sleep(1s);
    task.cancel("from outside");
    auto cancelled = co_await capture(task);
    EXPECT_TRUE(cancelled.cancelled());
    EXPECT_FALSE(expired);
  });
}

TEST(Rows, A2_11_wait_for_without_a_limit_waits_as_long_as_it_takes) {
  run_virtual([]() -> Coro<> {
    TimePoint begin = get_running_loop().time();
    auto slow = []() -> Coro<int> {
      co_await sleep(24h);
      co_return 3;
    };
    int of_coroutine = co_await wait_for(slow(), std::nullopt);
    Task<int> task = create_task(slow());
    int of_task = co_await wait_for(task, std::nullopt);
    EXPECT_EQ(of_coroutine + of_task, 6);
    EXPECT_EQ(get_running_loop().time() - begin, 48h);
  });
}

TEST(Rows, A2_12_all_completed_waits_for_every_one_also_after_an_exception) {
  run_virtual([]() -> Coro<> {
    auto fail = []() -> Coro<> {
      co_await sleep(1s);
      throw ValueError("early");
    };
    auto last = []() -> Coro<> { co_await sleep(2s); };
    std::vector<Task<>> tasks{create_task(fail), create_task(last)};
    TimePoint begin = get_running_loop().time();
    auto all = co_await wait(tasks, ALL_COMPLETED);
    EXPECT_EQ(get_running_loop().time() - begin, 2s);
    EXPECT_EQ(all.done.size(), 2u);
    EXPECT_TRUE(all.pending.empty());
    EXPECT_TRUE(tasks[0].exception());
  });
}

// --- A8.1, A9.1, A9.2: the loop ------------------------------------------------------------------

TEST(Rows, A8_1_an_entry_of_a_call_graph_has_function_file_and_line) {
  run_virtual([]() -> Coro<> {
    auto sleeper = []() -> Coro<> { co_await sleep(1h); };
    Task<> task = create_task(sleeper);
    co_await sleep(1s);
    auto graph = capture_call_graph(CallGraphOptions().future(task));
    EXPECT_TRUE(graph.has_value());
    EXPECT_EQ(graph->call_stack.size(), 1u);
    FrameCallGraphEntry entry = graph->call_stack.at(0);
    EXPECT_NE(entry.file.find("rows.cpp"), std::string::npos);
    EXPECT_FALSE(entry.function.empty());
    EXPECT_GT(entry.line, 100u);
    task.cancel();
  });
}

TEST(Rows, A9_1_the_running_loop_the_named_one_or_an_error) {
  EXPECT_EQ(thrown([] { get_running_loop(); }), "asyncio::RuntimeError: no running event loop");
  EXPECT_EQ(thrown([] { get_event_loop(); }).find("asyncio::RuntimeError: There is no current"),
            0u);
  EventLoop named = new_event_loop();
  set_event_loop(named);
  EXPECT_TRUE(get_event_loop() == named);
  EXPECT_EQ(thrown([] { get_running_loop(); }), "asyncio::RuntimeError: no running event loop");
  EventLoop other = test::new_virtual_loop();
  auto inside = [&]() -> Coro<> {
    EXPECT_TRUE(get_running_loop() == other);
    EXPECT_TRUE(get_event_loop() == other) << "the running one comes first";
    co_return;
  };
  other.run_until_complete(inside());
  set_event_loop(std::nullopt);
  EXPECT_EQ(thrown([] { get_event_loop(); }).find("asyncio::RuntimeError: There is no current"),
            0u);
  named.close();
  other.close();
}

TEST(Rows, A9_2_shutdown_asyncgens_closes_what_is_suspended) {
  run_virtual([]() -> Coro<> {
    std::vector<std::string> trace;
    auto numbers = [](std::vector<std::string>* out) -> AsyncGenerator<int> {
      bool closed = false;
      try {
        co_yield 1;
      } catch (const GeneratorExit&) {
        closed = true;
      }
      co_await sleep(1s);
      out->push_back(closed ? "closed" : "went on");
    };
    auto suspended = numbers(&trace);
    auto fresh = numbers(&trace);
    co_await suspended.next();
    co_await get_running_loop().shutdown_asyncgens();
    EXPECT_EQ(trace, std::vector<std::string>{"closed"});
    auto item = co_await suspended.next();
    EXPECT_FALSE(item);
  });
}

}  // namespace

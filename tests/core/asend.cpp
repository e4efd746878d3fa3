// SPDX-License-Identifier: BSL-1.0
/// Python's rules for values that are sent into a generator.
#include "asyncio/asyncio.hpp"
#include "captures.hpp"
#include "virtual_loop.hpp"

#include <gtest/gtest.h>

#include <optional>
#include <string>

using namespace asyncio;
using test::run_virtual;

namespace {

/// Yields the length of what it was sent.
AsyncGenerator<int, std::string> lengths() {
  std::string sent = co_yield 0;
  for (;;) sent = co_yield static_cast<int>(sent.size());
}

/// The same; None is -1.
AsyncGenerator<int, std::optional<std::string>> lengths_or_none() {
  std::optional<std::string> sent = co_yield 0;
  for (;;) sent = co_yield sent ? static_cast<int>(sent->size()) : -1;
}

const char* const kTooEarly =
    "asyncio::TypeError: can't send non-None value to a just-started async generator";

TEST(Asend, R16_a_value_sent_before_the_first_next_is_a_type_error) {
  run_virtual([]() -> Coro<> {
    auto generator = lengths();
    Result<std::optional<int>> refused = co_await capture(generator.asend("early"));
    EXPECT_EQ(describe_exception(refused.exception()), kTooEarly);
    auto first = co_await generator.next();  // it has not begun
    EXPECT_EQ(first, 0);
    auto second = co_await generator.asend("four");
    EXPECT_EQ(second, 4);
    co_await generator.aclose();
  });
}

TEST(Asend, R16_next_sends_none_to_a_generator_that_takes_an_optional) {
  run_virtual([]() -> Coro<> {
    auto generator = lengths_or_none();
    Result<std::optional<int>> refused = co_await capture(generator.asend("early"));
    EXPECT_EQ(describe_exception(refused.exception()), kTooEarly);
    auto first = co_await generator.asend(std::nullopt);
    EXPECT_EQ(first, 0);
    auto second = co_await generator.next();
    EXPECT_EQ(second, -1);
    auto third = co_await generator.asend("four");
    EXPECT_EQ(third, 4);
    auto fourth = co_await generator.next();
    EXPECT_EQ(fourth, -1);
    co_await generator.aclose();
  });
}

TEST(Asend, R16_next_on_a_generator_that_needs_a_value_says_so_and_leaves_it_as_it_was) {
  run_virtual([]() -> Coro<> {
    auto generator = lengths();
    co_await generator.next();
    Result<std::optional<int>> refused = co_await capture(generator.next());
    EXPECT_EQ(describe_exception(refused.exception()),
              "asyncio::TypeError: next() sends nothing, and the generator waits for a value: use "
              "asend(), or let it take a std::optional");
    auto item = co_await generator.asend("four");
    EXPECT_EQ(item, 4);
    Result<std::optional<int>> thrown =
        co_await capture(generator.athrow(std::make_exception_ptr(ValueError("in"))));
    EXPECT_EQ(describe_exception(thrown.exception()), "asyncio::ValueError: in");
    auto end = co_await generator.next();
    EXPECT_FALSE(end);
  });
}

}  // namespace

// SPDX-License-Identifier: BSL-1.0
/// A2.5, A2.18: what the parts of with and try_ may return.
#include "asyncio/asyncio.hpp"
#include "captures.hpp"
#include "virtual_loop.hpp"

#include <gtest/gtest.h>

#include <exception>
#include <string>

using namespace asyncio;
using namespace std::chrono_literals;
using test::run_virtual;
using test::thrown;

namespace {

Coro<int> fail() {
  co_await sleep(0s);
  throw ValueError("broken");
}

// --- with ---------------------------------------------------------------------------------------

/// Python: an __aexit__ without a return statement.
class Plain {
 public:
  explicit Plain(int& left) noexcept : left_(left) {}
  void aenter() {}
  void aexit(const std::exception_ptr& error) { left_ += error ? 10 : 1; }

 private:
  int& left_;
};

class Awaiting {
 public:
  explicit Awaiting(int& left) noexcept : left_(left) {}
  Coro<int> aenter() { co_return 3; }
  Coro<> aexit(std::exception_ptr error) {
    co_await sleep(1s);
    left_ += error ? 10 : 1;
  }

 private:
  int& left_;
};

template <class Manager>
void expect_that_nothing_is_swallowed() {
  int left = 0;
  auto value = [&]() -> Coro<int> {
    co_return co_await with(Manager(left), []() -> Coro<int> { co_return 5; });
  };
  EXPECT_EQ(run_virtual(value), 5);
  EXPECT_EQ(left, 1);
  auto error = [&]() -> Coro<> { co_await with(Manager(left), fail); };
  EXPECT_EQ(thrown([&] { run_virtual(error); }), "asyncio::ValueError: broken");
  EXPECT_EQ(left, 11);
}

TEST(Parts, A2_5_a_plain_aexit_that_returns_nothing_swallows_nothing) {
  expect_that_nothing_is_swallowed<Plain>();
}

TEST(Parts, A2_5_an_aexit_that_awaits_and_returns_nothing_swallows_nothing) {
  expect_that_nothing_is_swallowed<Awaiting>();
}

TEST(Parts, A2_5_they_can_be_in_a_stack_and_beside_each_other) {
  int left = 0;
  auto main = [&]() -> Coro<> {
    co_await with(AsyncExitStack(), [&](AsyncExitStack& stack) -> Coro<> {
      co_await stack.enter_async_context(Plain(left));
      int entered = co_await stack.enter_async_context(Awaiting(left));
      EXPECT_EQ(entered, 3);
    });
    EXPECT_EQ(left, 2);
    co_await with(Plain(left), Awaiting(left), [&](int) -> Coro<> { co_await fail(); });
  };
  EXPECT_EQ(thrown([&] { run_virtual(main); }), "asyncio::ValueError: broken");
  EXPECT_EQ(left, 22);
}

// --- try_ ---------------------------------------------------------------------------------------

TEST(Parts, A2_18_a_handler_that_only_throws_needs_no_value) {
  auto coroutine = []() -> Coro<int> {
    co_return co_await try_(fail).except<ValueError>([](ValueError&) -> Coro<> {
      co_await sleep(1s);
      throw TypeError("other");
    });
  };
  EXPECT_EQ(thrown([&] { run_virtual(coroutine); }), "asyncio::TypeError: other");
  auto plain = []() -> Coro<int> {
    co_return co_await try_(fail).except<ValueError>([] { throw TypeError("other"); });
  };
  EXPECT_EQ(thrown([&] { run_virtual(plain); }), "asyncio::TypeError: other");
}

TEST(Parts, A2_18_a_handler_that_returns_nothing_in_place_of_a_value_is_an_error) {
  auto main = []() -> Coro<int> {
    co_return co_await try_(fail).except<ValueError>([]() -> Coro<> { co_return; });
  };
  EXPECT_EQ(thrown([&] { run_virtual(main); }),
            "asyncio::RuntimeError: try_: the except part returned nothing in place of the body's "
            "value, for asyncio::ValueError: broken");
}

class Swallows {
 public:
  void aenter() {}
  bool aexit(std::exception_ptr) { return true; }
};

TEST(Parts, A2_20_swallowing_in_place_of_a_value_is_an_error_that_tells_what_was_swallowed) {
  auto main = []() -> Coro<int> { co_return co_await with(Swallows(), fail); };
  EXPECT_EQ(thrown([&] { run_virtual(main); }),
            "asyncio::RuntimeError: with: the context manager swallowed the exception of a body "
            "that returns a value: asyncio::ValueError: broken");
}

TEST(Parts, A2_18_except_without_a_type_takes_whatever_is_thrown) {
  auto text = [](auto body) -> Coro<std::string> {
    co_return co_await try_(body)
        .template except<TypeError>([]() -> std::string { return "a type error"; })
        .except([](std::exception_ptr error) -> Coro<std::string> {
          co_await sleep(1s);
          co_return describe_exception(error);
        });
  };
  auto fails = []() -> Coro<std::string> { throw ValueError("broken"); };
  auto throws_a_number = []() -> Coro<std::string> { throw 5; };
  auto throws_a_type_error = []() -> Coro<std::string> { throw TypeError("x"); };
  auto cancelled = []() -> Coro<std::string> { throw CancelledError("enough"); };
  EXPECT_EQ(run_virtual(text, fails), "asyncio::ValueError: broken");
  EXPECT_EQ(run_virtual(text, throws_a_number), "exception of type int");
  EXPECT_EQ(run_virtual(text, throws_a_type_error), "a type error");
  EXPECT_EQ(run_virtual(text, cancelled), "asyncio::CancelledError: enough");
}

TEST(Parts, A2_18_except_without_a_type_may_rethrow_and_the_finally_part_runs) {
  bool cleaned = false;
  auto main = [&]() -> Coro<int> {
    co_return co_await try_(fail).except([]() -> int { throw; }).finally_([&] { cleaned = true; });
  };
  EXPECT_EQ(thrown([&] { run_virtual(main); }), "asyncio::ValueError: broken");
  EXPECT_TRUE(cleaned);
}

}  // namespace

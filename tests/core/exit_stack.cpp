// SPDX-License-Identifier: BSL-1.0
/// AsyncExitStack (A2.20).
#include "asyncio/exit_stack.hpp"

#include "asyncio/capture.hpp"
#include "asyncio/sleep.hpp"
#include "captures.hpp"
#include "virtual_loop.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

using namespace asyncio;
using namespace std::chrono_literals;
using test::run_virtual;

namespace {

using Trace = std::vector<std::string>;

std::string text_of(const std::exception_ptr& error) {
  return error ? describe_exception(error) : "nothing";
}

/// A context manager of plain functions, as Python's enter_context takes them.
class Plain {
 public:
  Plain(Trace& trace, std::string name) : trace_(trace), name_(std::move(name)) {}
  Plain& aenter() {
    trace_.push_back(name_ + " entered");
    return *this;
  }
  bool aexit(const std::exception_ptr& error) {
    trace_.push_back(name_ + " left with " + text_of(error));
    return false;
  }

 private:
  Trace& trace_;
  std::string name_;
};

TEST(ExitStack, A2_20_everything_is_left_in_reverse_order) {
  run_virtual([]() -> Coro<> {
    Trace trace;
    co_await with(AsyncExitStack(), [&](AsyncExitStack& stack) -> Coro<> {
      co_await stack.enter_async_context(Plain(trace, "first"));
      stack.push_async_callback([&](std::string text) { trace.push_back(text); },
                                std::string("plain callback"));
      stack.push_async_callback([&]() -> Coro<> {
        co_await sleep(1s);
        trace.push_back("callback");
      });
      stack.push_async_exit([&](std::exception_ptr error) -> Coro<bool> {
        co_await sleep(1s);
        trace.push_back("exit " + text_of(error));
        co_return true;
      });
      stack.push_async_exit([&](const std::exception_ptr& error) {
        trace.push_back("plain exit " + text_of(error));
      });
      throw ValueError("body");
    });
    EXPECT_EQ(trace, (Trace{"first entered", "plain exit asyncio::ValueError: body",
                            "exit asyncio::ValueError: body", "callback", "plain callback",
                            "first left with nothing"}));
  });
}

TEST(ExitStack, D3_A2_20_an_exit_may_replace_the_exception_or_add_one) {
  run_virtual([]() -> Coro<> {
    Trace trace;
    auto body = [&](AsyncExitStack& stack) -> Coro<> {
      stack.push_async_exit([&](std::exception_ptr error) {
        trace.push_back(text_of(error));
        return false;
      });
      stack.push_async_exit([&](std::exception_ptr error) -> Coro<bool> {
        trace.push_back(text_of(error));
        throw LookupError("in the exit");
        co_return false;
      });
      co_return;
    };
    auto outcome = co_await capture(with(AsyncExitStack(), body));
    EXPECT_EQ(text_of(outcome.exception()), "asyncio::LookupError: in the exit");
    EXPECT_EQ(trace, (Trace{"nothing", "asyncio::LookupError: in the exit"}));
  });
}

TEST(ExitStack, A2_20_pop_all_keeps_what_was_entered_for_later) {
  run_virtual([]() -> Coro<> {
    Trace trace;
    AsyncExitStack stack;
    co_await stack.enter_async_context(Plain(trace, "first"));
    AsyncExitStack moved = stack.pop_all();
    co_await stack.aclose();
    EXPECT_EQ(trace, Trace(1, "first entered"));
    co_await moved.aclose();
    co_await moved.aclose();
    EXPECT_EQ(trace, (Trace{"first entered", "first left with nothing"}));
  });
}

}  // namespace

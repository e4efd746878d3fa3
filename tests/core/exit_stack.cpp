// SPDX-License-Identifier: BSL-1.0
/// AsyncExitStack (A2.20).
#include "asyncio/exit_stack.hpp"

#include "asyncio/capture.hpp"
#include "asyncio/sleep.hpp"
#include "captures.hpp"
#include "virtual_loop.hpp"

#include <gtest/gtest.h>

#include <memory>
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

TEST(ExitStack, A2_20_what_is_pushed_while_the_stack_is_left_is_left_next) {
  run_virtual([]() -> Coro<> {
    Trace trace;
    AsyncExitStack stack;
    stack.push_async_callback([&] { trace.push_back("first"); });
    stack.push_async_callback([&] {
      stack.push_async_callback([&] { trace.push_back("pushed"); });
      trace.push_back("second");
    });
    co_await stack.aclose();
    EXPECT_EQ(trace, (Trace{"second", "pushed", "first"}));
  });
}

TEST(ExitStack, A2_20_what_is_taken_while_the_stack_is_left_stays_entered) {
  run_virtual([]() -> Coro<> {
    Trace trace;
    AsyncExitStack rest;
    AsyncExitStack stack;
    co_await stack.enter_async_context(Plain(trace, "kept"));
    stack.push_async_callback([&] {
      rest.push_async_callback(
          [&, kept = std::make_shared<AsyncExitStack>(stack.pop_all())] { return kept->aclose(); });
    });
    co_await stack.aclose();
    EXPECT_EQ(trace, Trace(1, "kept entered"));
    co_await rest.aclose();
    EXPECT_EQ(trace, (Trace{"kept entered", "kept left with nothing"}));
  });
}

/// Enters what nobody can copy.
struct GivesOwned {
  std::unique_ptr<int> aenter() { return std::make_unique<int>(7); }
  void aexit(const std::exception_ptr&) {}
};

TEST(ExitStack, A2_20_what_is_given_can_be_moved_only) {
  run_virtual([]() -> Coro<> {
    AsyncExitStack stack;
    auto seven = co_await stack.enter_async_context(GivesOwned());
    EXPECT_EQ(*seven, 7);
    int got = 0;
    stack.push_async_callback([&](std::unique_ptr<int> given) { got = *given; }, std::move(seven));
    co_await stack.aclose();
    EXPECT_EQ(got, 7);
  });
}

TEST(ExitStack, A2_20_push_async_exit_takes_a_manager_that_was_entered) {
  run_virtual([]() -> Coro<> {
    Trace trace;
    Plain entered(trace, "one");
    AsyncExitStack stack;
    stack.push_async_exit(entered);
    co_await stack.aclose();
    EXPECT_EQ(trace, Trace(1, "one left with nothing"));
  });
}

TEST(ExitStack, A2_20_a_stack_is_assigned_and_dropped_from_its_top) {
  Trace trace;
  auto note = [&trace](const char* what) {
    return std::shared_ptr<Trace>(&trace, [what](Trace* to) { to->push_back(what); });
  };
  AsyncExitStack kept;
  {
    AsyncExitStack stack;
    stack.push_async_callback([held = note("first")] {});
    stack.push_async_callback([held = note("second")] {});
    kept = stack.pop_all();
  }
  EXPECT_EQ(trace, Trace());
  kept = AsyncExitStack();
  EXPECT_EQ(trace, (Trace{"second", "first"}));
}

}  // namespace
